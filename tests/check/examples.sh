#!/usr/bin/env bash
# Every example does what it should, and its log is the one that is expected, line for line; durations alone may differ. The
# expected logs are the specification's (tests/golden) and those in tests/check/examples. Those that need servers have scripts
# of their own, examples_*.sh.
# shellcheck source-path=SCRIPTDIR source=_examples.sh
. "$(dirname "$0")/_examples.sh"

# ---- database_fetch: really reads
if run 0 database_fetch; then
    { echo "[INFO] Created the table of models (models=4432)" && cat "$golden/2_database_fetch.log"; } >first.log
    expect "database_fetch, first run" err first.log
    check "$golden/2_database_fetch.log" 0 database_fetch

    # The specification's sixth log, but for the error: this one is true.
    run 1 database_fetch --database no/such/models.db || true
    sed 's/unable to open database file: No such file or directory/Connection refused/' err >refused.log
    expect "database_fetch, a database that cannot be opened" refused.log "$golden/6_database_connection_refused.log"

    cp models.db damaged.db
    dd if=/dev/zero of=damaged.db bs=4096 seek=30 count=4 conv=notrunc 2>/dev/null
    run 1 database_fetch --database damaged.db || true
    holds '[DEBUG] Fetched batch 1: 1000 models (offset=0, total=1000)' err ||
        problem "database_fetch: a database that is damaged in its middle gives no first batch" "$(cat err)"
    holds '❌ [2/2] Fetching models (paginated) - FAILED: database disk image is malformed (table=models,' err ||
        problem "database_fetch: a database that is damaged in its middle does not fail in step 2" "$(cat err)"
    run 0 database_fetch --page-size 500 --include-inactive || true
    holds 'SUCCESS (total_models=4555, batches=10, page_size=500,' err ||
        problem "database_fetch: --page-size 500 --include-inactive does not read 4555 models in 10 batches" "$(cat err)"
    LOG_LEVEL='' run 0 database_fetch || true
    ! holds '[DEBUG]' err || problem "database_fetch: DEBUG lines without LOG_LEVEL=debug" "$(cat err)"
    run 2 database_fetch --page-size 0 || true
fi

# ---- spec_logs: byte for byte
if run 0 spec_logs; then
    cat "$golden"/[1-6]_*.log | cmp - out || problem "spec_logs differs from tests/golden (above)"
    for log in "$golden"/[1-6]_*.log; do
        number=$(basename "$log")
        number=${number%%_*}
        run 0 spec_logs "$number" || continue
        if cmp "$log" out; then
            passed "spec_logs $number"
        else
            problem "spec_logs $number differs from $log (above)"
        fi
    done
    run 2 spec_logs 7 || true
    if timeout 60 "$programs/spec_logs" >/dev/full 2>err; then
        problem "spec_logs exits 0 although nothing could be written" "$(cat err)"
    fi
fi

# ---- The others
printf 'one two\nthree\n' >text
check "$expected/quick.txt" 0 quick text
check "$expected/quick_fails.txt" 1 quick no/such/file
check "$expected/nested.txt" 0 nested
check "$expected/nested_damaged.txt" 1 nested --damaged
check "$expected/migrate.txt" 0 migrate
# How much the backend had written before the process was killed is chance; what is there together is not.
if run 0 restart "$work/rings"; then
    sed -E 's/, recovered=true//; s/ \(recovered=true\)//; s/process [0-9]+/process N/; s/recovered, [0-3] records?/recovered, N records/
        s/found=[0-3]\)/found=N)/' out >restarted
    sed -i 's/^\(.*Service started (found=\)0)/\1N)/' restarted
    expect restart restarted "$expected/restart.txt"
    rmdir "$work/rings" || problem "restart leaves files behind" "$(ls -aR "$work/rings")"
fi
check "$expected/cpp.txt" 0 cpp
check "$expected/cpp_throws.txt" 1 cpp 79.90 many
check "$expected/cpp_incomplete.txt" 1 cpp 900 800
check "$expected/custom_sink.txt" 0 custom_sink
expect "custom_sink, its own sink" out "$expected/custom_sink_watch.txt"
printf '%s\n' operation_start step_start step_success step_start step_failure step_start step_failure operation_complete >events
sed -E 's/.*"event":"([a-z_]+)".*/\1/' custom_sink.jsonl | diff events - >difference ||
    problem "custom_sink.jsonl holds other events" "$(cat difference)"
if have jq && [ "$(jq -r 'select(.event == "step_failure") | .errno' custom_sink.jsonl)" != $'2\n21' ]; then
    problem "custom_sink.jsonl is no JSON, or its failures have not the errno of ENOENT and EISDIR" "$(cat custom_sink.jsonl)"
fi

if run 0 testing_a_service; then
    expect "testing_a_service" out "$expected/testing_a_service.txt"
fi
if run 1 testing_a_service --broken; then
    expect "testing_a_service --broken" out "$expected/testing_a_service_broken.txt"
fi

# ---- The queries of "Monitoring & Alerts", on a log that the examples wrote
queries=(
    'grep "❌" logs/app.log | tail -20'
    'grep "Database: Fetch All Models" logs/app.log | grep -o "duration_ms=[0-9.]*" | sort -t= -k2 -nr | head -10'
    'grep "Checking Redis cache" logs/app.log | grep -c "result=HIT"'
    'grep "Checking Redis cache" logs/app.log | grep -c "result=MISS"'
)
for query in "${queries[@]}"; do
    holds "'$query'" "$source_dir/examples/run" || problem "examples/run does not show the query $query"
done
if ! holds database_fetch: "$programs/left_out.txt"; then
    export STEP_LOGGER_OUTPUT=file:logs/app.log
    run 0 database_fetch || true
    run 1 database_fetch --database no/such/models.db || true
    run 1 nested --damaged || true
    unset STEP_LOGGER_OUTPUT
    run 0 spec_logs || true
    cat out >>logs/app.log
    for i in "${!queries[@]}"; do
        bash -c "${queries[i]}" >"answer$i"
    done
    expect "query: failed operations" answer0 "$expected/query_failed.txt"
    # Three of them completed; how long the real one took is not known here, but the replayed two took seconds.
    { printf 'duration_ms=%s\n' 3468.3 2357.0 && sed -n '/duration_ms=[0-9]\+\.[0-9]$/p' answer1 | tail -n +3; } >slow
    if [ "$(wc -l <slow)" = 3 ] && diff slow answer1 >difference; then
        passed "query: slow database fetches"
    else
        problem "query: the slowest of three database fetches took not 3468.3 ms, the next not 2357.0" "$(cat answer1)"
    fi
    [ "$(cat answer2 answer3)" = $'1\n1' ] || problem "query: cache hits and misses are not 1 and 1" "$(cat answer2 answer3)"
fi

# ---- examples/run: what needs no build
bash "$source_dir/examples/run" --help >help
status=0
bash "$source_dir/examples/run" no_such_example >out 2>err || status=$?
[ "$status" = 2 ] || problem "examples/run no_such_example exits with $status, not with 2"
for source in "$source_dir"/examples/*.c "$source_dir"/examples/*.cpp; do
    name=$(basename "${source%.*}")
    grep -E "^show [0-9]+ \".*\" $name( |\$)" "$source_dir/examples/run" >/dev/null ||
        problem "examples/run does not show $name: add a line \`show 0 \"what it shows\" $name\`"
    for list in help err; do
        grep -E "^  $name +[^ ]" "$list" >/dev/null ||
            problem "examples/run lists no $name: its source has to begin with /* $name: what it shows"
    done
    grep -hE "(run|check .*) [0-9]+ $name( |\$)" "$source_dir"/tests/check/examples*.sh >/dev/null ||
        problem "$name is not run: add a check to a script tests/check/examples*.sh"
done

# Where neither compiler nor apt-get is, it stops and names the packages.
mkdir bin
for tool in bash dirname find sort sed grep id cat; do
    ln -s "$(command -v "$tool")" "bin/$tool"
done
packages="gcc libc6-dev g++ cmake ninja-build pkg-config libsqlite3-dev"
useful="libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libhiredis-dev libpq-dev redis-server"
[ -n "$(compgen -G '/usr/lib/postgresql/*/bin/initdb')" ] || useful+=" postgresql" # found by its place, not by PATH
printf '%s\n' "examples/run needs packages that are not installed: $packages" \
    "On Debian or Ubuntu, as root:  apt-get install $packages $useful" >needs
status=0
PATH=$work/bin bash "$source_dir/examples/run" >out 2>&1 || status=$?
if [ "$status" = 1 ] && diff needs out >difference; then
    passed "examples/run names the packages that are missing"
else
    problem "examples/run without packages: exit $status" "$(cat difference)"
fi

# A check that cannot fail is none: a line that is missing and a word that has changed are noticed.
for breach in 3d 's/SUCCESS/FAILED/' 's/batch 4: 1000/batch 4: 999/' 's/duration_ms=15.2/duration_ms=15.25/'; do
    sed "$breach" "$golden/2_database_fetch.log" >breach.log
    if diff <(normalised "$golden/2_database_fetch.log") <(normalised breach.log) >/dev/null; then
        problem "examples.sh does not notice a log that was changed by $breach: mend normalised()"
    fi
done
finish
