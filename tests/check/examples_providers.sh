#!/usr/bin/env bash
# The examples that ask providers over HTTP, with the real server: each answer, and each way in which there is none. Also that
# servers end with whoever started them.
# shellcheck source-path=SCRIPTDIR source=_servers.sh
. "$(dirname "$0")/_servers.sh"

# as_specified: err with the specification's endpoint and patience, and N for the place where an answer breaks off
as_specified() {
    sed -E 's#endpoint="?http://[^),"]*"?#endpoint=https://openrouter.ai/api/v1/models#
        s/timeout after 2s/timeout after 30s/; s/at byte [0-9]+/at byte N/' err
}

# fetch WHAT STATUS EXPECTED_FILE ARGS...: provider_fetch and its log
fetch() {
    if run "$2" provider_fetch "${@:4}"; then
        as_specified >specified.log
        expect "provider_fetch, $1" specified.log "$3"
    fi
}

# failing KIND ERROR: the specification's failure, with this error
failing() {
    sed "s|OpenRouter timeout error|OpenRouter $1 error|; s|Request timeout after 30s|$2|" "$golden/5_provider_fetch_timeout.log"
}

if ! built provider_fetch || ! use models_server; then
    finish
fi

# ---- provider_fetch
fetched=$golden/1_provider_fetch.log
fetch "fetched" 0 "$fetched"
if [ "$(grep -o '"id":' openrouter_models.json | wc -l)" != 2756 ] || holds '"-1"' openrouter_models.json; then
    problem "provider_fetch: openrouter_models.json does not hold the 2756 models that have a price"
fi

failing HTTP "HTTP 401: Invalid API key" >key.log
fetch "the key is wrong" 1 key.log --bad-key
fetch "no answer" 1 "$golden/5_provider_fetch_timeout.log" --timeout
waited=$(sed -nE 's/.*FAILED: Request timeout after 2s \(duration_ms=([0-9]+)\..*/\1/p' err)
[ "${waited:-0}" -ge 1990 ] || problem "provider_fetch: the timeout came after ${waited:-no} ms, not after 2 s" "$(cat err)"
failing connection "Connection refused" >refused.log
fetch "nobody listens" 1 refused.log --refused
failing response "Malformed JSON at byte N: '}' expected near end of file" >malformed.log
fetch "half an answer" 1 malformed.log --malformed

{
    sed -n 1,2p "$fetched"
    echo '[ERROR] ❌ [1/4] Validating API key - FAILED: PROVIDER_API_KEY is not set (duration_ms=N)'
    echo '[ERROR] OpenRouter configuration error: PROVIDER_API_KEY is not set'
} >no_key.log
PROVIDER_API_KEY='' fetch "no key" 1 no_key.log

mkdir openrouter_models.json.new # so that no file of that name can be written
{
    sed -n 1,8p "$fetched"
    echo '[ERROR] ❌ [4/4] Caching models - FAILED: Is a directory (duration_ms=N)'
    echo '[ERROR] OpenRouter cache error: Is a directory'
} >no_cache.log
fetch "the cache cannot be written" 1 no_cache.log
rmdir openrouter_models.json.new
run 2 provider_fetch --no-such-option || true

# The request belongs to the step that made it.
trace=4bf92f3577b34da6a3ce929d0e0e4736
TRACEPARENT=00-$trace-00f067aa0ba902b7-01 run 0 provider_fetch || true
log=$(echo "$servers_directory"/models_server.*/log)
if await "traceparent=00-$trace-" "$log" && grep -E "status=200, .*traceparent=00-$trace-[0-9a-f]{16}-01" "$log" >/dev/null; then
    passed "provider_fetch sends its traceparent"
else
    problem "provider_fetch: the server saw no traceparent of its trace" "$(tail -n 3 "$log")"
fi

# ---- model_sync
# child PROVIDER NAME RAW FINAL: the lines of that provider's operation
child() {
    cat <<END_OF_LOG
    [INFO] 🚀 START: $2 Model Fetch (provider=$1, endpoint=https://openrouter.ai/api/v1/models)
    [INFO] ▶️  [1/2] Fetching models from API (provider=$1)
    [INFO] ✅ [1/2] Fetching models from API - SUCCESS (provider=$1, raw_count=$3, status_code=200, duration_ms=N)
    [INFO] ▶️  [2/2] Processing and filtering models (provider=$1)
    [INFO] ✅ [2/2] Processing and filtering models - SUCCESS (provider=$1, final_count=$4, filtered_out=$(($3 - $4)), duration_ms=N)
    [INFO] 🏁 COMPLETE: $2 Model Fetch (total_models=$4, provider=$1, total_duration_ms=N)
END_OF_LOG
}

# expect_child PROVIDER EXPECTED_FILE: among the lines of all of them, in specified.log
expect_child() {
    grep "provider=$1" specified.log >child.log || true
    expect "model_sync, the operation of $1" child.log "$2"
}

# synced WHAT STATUS EXPECTED_FILE ARGS...: model_sync, and its own lines without those of its children
synced() {
    if run "$2" model_sync "${@:4}"; then
        grep -v '^ ' err >own.log || true
        expect "model_sync, $1" own.log "$3"
    fi
}

if built model_sync; then
    synced "no Redis" 0 "$expected/model_sync_no_redis.txt"
    as_specified >specified.log
    for provider in "openrouter OpenRouter 2834 2756" "together Together 430 419" "groq Groq 120 117" "deepinfra DeepInfra 310 302"; do
        # shellcheck disable=SC2086  # four words
        child $provider >answered.log
        expect_child "${provider%% *}" answered.log
    done
    {
        child fireworks Fireworks 0 0 | sed -n 1,2p
        echo '    [ERROR] ❌ [1/2] Fetching models from API - FAILED: HTTP 503: Service is being upgraded (provider=fireworks, duration_ms=N)'
    } >unanswered.log
    expect_child fireworks unanswered.log
    [ "$(grep -c '^ ' specified.log)" = 27 ] || problem "model_sync: the providers' operations have other lines, too" "$(cat err)"

    STEP_LOGGER_FORMAT=json run 0 model_sync || true
    threads=$(sed -nE 's/.*"event":"operation_start".*"tid":([0-9]+),.*/\1/p' err | sort -u | wc -l)
    [ "$threads" = 6 ] || problem "model_sync: its six operations are on $threads threads" "$(cat err)"

    run 0 database_fetch --database sync.db || true
    holds 'SUCCESS (total_models=3594, batches=4,' err || problem "model_sync, twice: not 3594 models are in the database" "$(cat err)"
    cat >metrics <<'END_OF_METRICS'
# TYPE model_sync_models gauge
model_sync_models{provider="openrouter"} 2756
model_sync_models{provider="together"} 419
model_sync_models{provider="groq"} 117
model_sync_models{provider="deepinfra"} 302
# TYPE model_sync_failed_providers gauge
model_sync_failed_providers 1
END_OF_METRICS
    diff metrics model_sync.prom >difference || problem "model_sync.prom is not as expected" "$(cat difference)"

    synced "Redis refuses" 0 "$expected/model_sync_redis_refuses.txt" --redis redis://127.0.0.1:1
    synced "no database" 1 "$expected/model_sync_no_database.txt" --database no/such/sync.db
    synced "no provider" 1 "$expected/model_sync_no_provider.txt" --url http://127.0.0.1:1
    exec 7>model_sync.lock
    flock 7
    synced "another one is at work" 1 "$expected/model_sync_locked.txt"
    exec 7>&-
fi

if built model_sync && speaks_postgresql && use postgresql; then
    run 0 model_sync --database postgres:// || true
    # Of who does not answer the models stay, of who does they are replaced.
    sql "INSERT INTO models VALUES (1, 'fireworks/old', 'fireworks', 1, true), (2, 'groq/old', 'groq', 1, true)"
    run 0 model_sync --database postgres:// || true
    sql "SELECT count(*), string_agg(name, ',') FILTER (WHERE name LIKE '%/old') FROM models" >stored
    if [ "$(cat stored)" = '3595|fireworks/old' ]; then
        passed "model_sync, PostgreSQL"
    else
        problem "model_sync, PostgreSQL: not the 3594 models and the one of the provider that is down:" "$(cat stored)"
    fi
fi

if built model_sync && built cache_catalog && use redis; then
    run 0 cache_catalog --database catalog.db || true
    synced "the catalog is in Redis" 0 "$expected/model_sync.txt" --database sync.db
    sed 's/redis=invalidated/redis=empty/' "$expected/model_sync.txt" >empty.log
    synced "it is not" 0 empty.log --database sync.db
fi

# ---- The server ends in the middle
requests=$(grep -c 'Keeping silent' "$log")
timeout 60 "$programs/provider_fetch" --timeout >out 2>err &
example=$!
for ((tries = 0; tries < 600; tries++)); do
    [ "$(grep -c 'Keeping silent' "$log")" = "$requests" ] || break
    sleep 0.05
done
servers_crash models_server
status=0
wait "$example" || status=$?
[ "$status" = 1 ] || problem "provider_fetch exits with $status, not with 1, when the server ends in the middle"
failing connection REASON >crash.log
as_specified | sed -E 's/(FAILED|error): (Recv failure: Connection reset by peer|Empty reply from server)/\1: REASON/' >specified.log
expect "provider_fetch, the server ends in the middle" specified.log crash.log
PROVIDER_API_KEY=any fetch "the server is gone" 1 refused.log

# ---- Servers end with whoever started them
cat >starter.sh <<'END_OF_SCRIPT'
set -euo pipefail
. "$1/examples/servers/servers.sh"
trap servers_stop EXIT
trap 'exit 143' TERM
for server in models_server redis postgresql; do
    servers_start "$server" "$2" || true
done
echo "${servers_pid[*]} " >started
wait
END_OF_SCRIPT

# gone PID...: within 30 s. One that nobody has waited for is gone, too
gone() {
    local tries pid
    for pid in "$@"; do
        for ((tries = 0; tries < 600; tries++)); do
            grep -E '^State:[[:space:]]+[^ZX]' "/proc/$pid/status" >/dev/null 2>&1 || continue 2
            sleep 0.05
        done
        return 1
    done
}

signals=(TERM)
! have setpriv || signals+=(KILL)
mkdir starter
for signal in "${signals[@]}"; do
    : >started
    TMPDIR=$work/starter bash starter.sh "$source_dir" "$programs" >/dev/null 2>&1 &
    starter=$!
    disown "$starter" # or its end would be reported
    await ' ' started || problem "the servers did not start within 30 s"
    kill -s "$signal" "$starter"
    gone "$starter" || problem "the script that started the servers does not end with SIG$signal"
    # shellcheck disable=SC2046  # numbers
    if ! gone $(cat started); then
        problem "servers go on after SIG$signal to the script that started them"
    elif [ "$signal" = TERM ] && [ -n "$(ls starter)" ]; then
        problem "servers_stop leaves files" "$(ls starter)"
    else
        passed "servers end with the script that started them, SIG$signal"
    fi
done
finish
