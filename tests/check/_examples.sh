# shellcheck shell=bash
# What the scripts that run examples share: sourced with the script's own arguments. It goes to a working directory of its own,
# or ends the script when the examples were not built.
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/_common.sh"
programs=$(realpath "$build_dir")/examples
golden=$source_dir/tests/golden
expected=$source_dir/tests/check/examples
export golden expected

if [ ! -d "$programs" ]; then
    skipped "the examples were not built (STEP_LOGGER_EXAMPLES)"
    finish
fi
unset NO_COLOR CLICOLOR_FORCE FORCE_COLOR "${!STEP_LOGGER_@}" "${!PG@}" DATABASE_URL REDIS_URL PROVIDER_URL
export LOG_LEVEL=debug
mkdir "$work/logs"
cd "$work"

normalised() { # FILE...: with N for each duration
    sed -E 's/duration_ms=[0-9]+\.[0-9]([,)])/duration_ms=N\1/g' "$@"
}

# run STATUS NAME ARGS...: runs an example, its stdout goes to `out`, its stderr to `err`; false when it did not run as it should
run() {
    local status=0 reason
    if reason=$(grep "^$2: " "$programs/left_out.txt"); then
        skipped "example $reason"
        return 1
    fi
    timeout 60 "$programs/$2" "${@:3}" >out 2>err || status=$?
    [ "$status" != "$1" ] || return 0
    problem "${*:2} exited with $status, not with $1" "$(tail -n 5 out err)"
    return 1
}

# expect WHAT LOG EXPECTED_FILE: the same lines
expect() {
    if diff <(normalised "$3") <(normalised "$2") >difference; then
        passed "$1"
    else
        problem "$1: the log is not as expected (< expected, > found)" "$(cat difference)"
    fi
}

check() { # EXPECTED_FILE STATUS NAME ARGS...: runs an example and expects its stderr
    if run "${@:2}"; then
        expect "${*:3}" err "$1"
    fi
}

holds() { # TEXT FILE
    grep -F -e "$1" "$2" >/dev/null
}

# await TEXT FILE: until a line has it; false after 30 s
await() {
    local tries=0
    until holds "$1" "$2"; do
        [ $((tries += 1)) -le 600 ] || return 1
        sleep 0.05
    done
}
