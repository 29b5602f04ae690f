#!/usr/bin/env bash
# The examples whose operations mingle in the log: worker_pool (threads and forked processes) and event_loop. Whatever the order,
# each operation's own lines are complete and in their order, and each line is whole.
# shellcheck source-path=SCRIPTDIR source=_examples.sh
. "$(dirname "$0")/_examples.sh"

# histories FIELD LOG: sorts the lines by the field that says whose they are, which is the first, and prints each history (without
# that field) with the number of operations that have it. NESTED=1: lines further in belong to what stands above them.
histories() {
    normalised "$2" | awk -v field="($1=" -v nested="${NESTED:-0}" '
        at = index($0, field) {
            rest = substr($0, at + length(field))
            id = rest
            sub(/[,)].*/, "", id)
            sub(/^[^,)]*(, )?/, "", rest)
            history[id] = history[id] substr($0, 1, at) rest "\1"
            next
        }
        nested && /^ / { history[id] = history[id] $0 "\1" }
        END {
            for (id in history) count[history[id]]++
            for (lines in count) print count[lines] " with\1" lines
        }' | sort -rn | tr '\1' '\n' | sed -E '/^$/d; s/ \(\)$//'
}

# lines PATTERN COUNT LOG: so many lines are like that
lines() {
    local found
    found=$(grep -cE "$1" "$3" || true)
    [ "$found" = "$2" ] || problem "$3: $found lines like '$1', not $2"
}

# ---- worker_pool
# requests_are ANSWERED SILENT LOG: whatever was asked
requests_are() {
    { echo "$1 with" && cat "$expected/worker_pool_answered.txt" && echo "$2 with" && cat "$expected/worker_pool_silent.txt"; } >all
    sed -E 's/bytes=[0-9]+/bytes=N/; s/model=[a-z0-9-]+, cost=[0-9.]+/model=M, cost=C/' "$3" >alike.log
    histories request alike.log >found
    expect "worker_pool, $1 requests that were answered, $2 that were not" found all
}

if run 0 worker_pool; then
    cp err pool.log
    grep -v '^ ' pool.log >server.log
    expect "worker_pool, the server" server.log "$expected/worker_pool.txt"
    grep -E '^    \[INFO' pool.log | sed -E 's/(accepted|answered)=[0-9]+/\1=N/g' >pools.log
    histories pool pools.log >found
    expect "worker_pool, its two pools" found "$expected/worker_pool_pools.txt"
    requests_are 9 1 pool.log

    # Many processes write to one file.
    export STEP_LOGGER_OUTPUT=file:many.log
    run 0 worker_pool --processes 4 --workers 4 --requests 400 || true
    requests_are 360 40 many.log
    # of the server, of four pools, of a request and its look-up, of a silent client's; each was queued
    all=$((8 + 4 * 2 + 360 * (1 + 10 + 4) + 40 * (1 + 6)))
    lines '' "$all" many.log
    lines '^( {4}){0,3}\[(INFO\] (🚀|▶️ |✅|🏁) .*|ERROR\] ❌ .*|DEBUG\] Queued \(.*\))$' "$all" many.log
    lines '^ {4}\[DEBUG\] Queued \(pool=' 400 many.log
    lines '^ {12}\[INFO\] 🏁 COMPLETE: Look up price \(model=' 360 many.log

    # JSON says which thread a line is from: a look-up stands within the request that its worker is attached to.
    if have jq; then
        export STEP_LOGGER_OUTPUT=file:many.jsonl STEP_LOGGER_FORMAT=json
        run 0 worker_pool --processes 4 --workers 4 --requests 400 || true
        unset STEP_LOGGER_FORMAT
        jq -s -r 'map(.depth as $depth | select($depth >= 2)) | group_by([.pid, .tid])[] | sort_by(.seq)[]
            | select(.operation == "Look up price" or .description == "Calculating the cost")
            | "\(.depth) \(.operation) \(.event)"' many.jsonl >nested.log || problem "worker_pool: a line is no JSON (above)"
        printf '%s\n' '2 Request step_start' '3 Look up price operation_start' '3 Look up price step_start' \
            '3 Look up price step_success' '3 Look up price operation_complete' '2 Request step_success' >one
        for ((i = 0; i < 360; i++)); do
            cat one
        done >nested
        if cmp nested nested.log; then
            passed "worker_pool, look-ups are within their requests"
        else
            problem "worker_pool: look-ups are not where they should be" "$(diff nested nested.log | head -n 20)"
        fi
        lines '' "$all" many.jsonl
    else
        skipped "worker_pool in JSON: jq is not installed"
    fi
    unset STEP_LOGGER_OUTPUT
    run 2 worker_pool --workers 0 || true
fi

# ---- event_loop
# The first waits for the second: one after the other they would never end.
mkfifo fifo
# shellcheck disable=SC2016  # the example's shell expands it
if run 0 event_loop --timeout-ms 50000 'read word <fifo; echo word=$word; echo more=1' 'echo hello >fifo; echo a=b' \
    'echo all is well' 'exit 3' 'kill -9 $$' no_such_command; then
    sed -E 's/pid=[0-9]+/pid=N/' err | grep -v 'not found' >loop.log
    NESTED=1 histories check loop.log >found
    expect "event_loop" found "$expected/event_loop.txt"
    if [ "$(grep -n 'START: Check' loop.log | tail -n 1 | cut -d: -f1)" -gt \
        "$(grep -n 'COMPLETE: Check' loop.log | head -n 1 | cut -d: -f1)" ]; then
        problem "event_loop: one check ended before all had begun" "$(cat loop.log)"
    fi
fi
# Deadlines: whatever a command has started ends with it.
# shellcheck disable=SC2016
if run 0 event_loop --timeout-ms 2000 'sleep 600 & echo $! >child; wait' 'sleep 600'; then
    sed -E 's/pid=[0-9]+/pid=N/' err >loop.log
    NESTED=1 histories check loop.log >found
    expect "event_loop, deadlines" found "$expected/event_loop_deadline.txt"
    if [ -s child ] && grep -vE '^State:[[:space:]]+Z' "/proc/$(cat child)/status" 2>/dev/null | grep '^State' >/dev/null; then
        problem "event_loop: what the command had started goes on after its deadline"
    fi
fi
# More output than is kept, and none.
run 0 event_loop --timeout-ms 50000 'yes a=1 | head -n 5000' ':' || true
lines 'SUCCESS \(check=1, bytes=4095,' 1 err
lines 'SUCCESS \(metrics=0, duration' 1 err
run 2 event_loop --no-such-option || true
finish
