#!/usr/bin/env bash
# The examples that ask providers over HTTP, with the real server: each outcome, beside the specification's logs.
# shellcheck source-path=SCRIPTDIR source=_examples.sh
. "$(dirname "$0")/_examples.sh"
# shellcheck source-path=SCRIPTDIR/../../examples/servers source=servers.sh
. "$source_dir/examples/servers/servers.sh"
trap 'servers_stop; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR=$work

# as_specified: err with the specification's endpoint and patience
as_specified() {
    sed -E 's#endpoint="?http://[^),"]*"?#endpoint=https://openrouter.ai/api/v1/models#; s/timeout after 2s/timeout after 30s/' err
}

# fails_with TEXT ARGS...: the second step fails with that error, which is then said for who reads errors alone
fails_with() {
    run 1 provider_fetch "${@:2}" || return 0
    if holds "❌ [2/4] Fetching models from API - FAILED: $1" err && grep -E "^\[ERROR\] OpenRouter [a-zA-Z]+ error: $1" err >/dev/null; then
        passed "provider_fetch ${*:2}"
    else
        problem "provider_fetch ${*:2} does not fail with '$1' in the second step:" "$(cat err)"
    fi
}

for name in provider_fetch model_sync models_server; do
    if reason=$(grep "^$name: " "$programs/left_out.txt"); then
        skipped "example $reason"
        finish
    fi
done
if ! servers_start models_server "$programs"; then
    problem "models_server could not be started: $servers_problem"
    finish
fi
while IFS= read -r variable; do
    export "${variable?}"
done < <(servers_variables models_server)

if run 0 provider_fetch; then
    as_specified >specified.log
    expect "provider_fetch" specified.log "$golden/1_provider_fetch.log"
fi
if run 1 provider_fetch --timeout; then
    as_specified >specified.log
    expect "provider_fetch --timeout" specified.log "$golden/5_provider_fetch_timeout.log"
fi
fails_with "HTTP 401: Invalid API key" --bad-key
fails_with "Connection refused" --refused
fails_with "Malformed JSON" --malformed

if run 0 model_sync --redis redis://127.0.0.1:1; then
    holds '❌ [1/2] Fetching models from API - FAILED: HTTP 503: Service is being upgraded (provider=fireworks' err ||
        problem "model_sync: the provider that is out of order does not fail" "$(cat err)"
    if [ "$(grep -c '^    \[INFO\] 🏁 COMPLETE: ' err)" -ge 4 ] && tail -n 1 err | grep '^\[INFO\] 🏁 COMPLETE: ' >/dev/null; then
        passed "model_sync, one provider is out of order"
    else
        problem "model_sync: the others are not stored, or it does not complete" "$(cat err)"
    fi
fi
finish
