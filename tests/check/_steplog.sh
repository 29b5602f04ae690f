# shellcheck shell=bash
# What the checks of steplog share: sourced with the script's own arguments; goes to the work directory.
# shellcheck disable=SC2015 # passed() does not fail
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"
golden=$source_dir/tests/golden
steplog=$(realpath "$build_dir")/steplog
unset NO_COLOR CLICOLOR_FORCE FORCE_COLOR COLUMNS
if [ ! -x "$steplog" ]; then
    problem "there is no $steplog: build first"
    finish
fi
# Under a sanitizer everything takes longer.
rounds=240
! grep -q '^STEP_LOGGER_SANITIZE:[A-Z]*=.' "$build_dir/CMakeCache.txt" || rounds=40
export rounds
cd "$work"

run() { # ARGUMENTS...: stdout and stderr in out and err, the exit code in code
    code=0
    timeout 60 "$steplog" "$@" >out 2>err || code=$?
}

# expect NAME CODE: out is what is on stdin, and the exit code is CODE
expect() {
    cat >expected
    if [ "$code" != "$2" ] || ! diff -u --label expected --label printed expected out >difference; then
        problem "$1: exit code $code, expected $2" "$(cat difference err)"
    else
        passed "$1"
    fi
}

says() { # NAME CODE PATTERN: nothing on stdout, stderr matches
    if [ "$code" = "$2" ] && [ ! -s out ] && grep -E -- "$3" err >/dev/null; then
        passed "$1"
    else
        problem "$1: exit code $code, expected $2 and '$3'" "$(cat out err)"
    fi
}

# verify NAME COMMAND...: it succeeds
verify() {
    local name=$1
    shift
    if "$@"; then
        passed "$name"
    else
        problem "$name" "$(cat out err 2>/dev/null | head -n 12)"
    fi
}

same() { # NAME EXPECTED ACTUAL: two files
    if cmp -s "$2" "$3"; then
        passed "$1"
    else
        problem "$1" "$(diff "$2" "$3" | head -n 6)"
    fi
}

lines() { # FILE COUNT
    [ "$(wc -l <"$1")" = "$2" ]
}

finds() { # PATTERN FILE
    grep -E -- "$1" "$2" >/dev/null
}

lacks() { # PATTERN FILE
    ! grep -- "$1" "$2" >/dev/null
}

logs=("$golden"/1_provider_fetch.log "$golden"/2_database_fetch.log "$golden"/3_cache_cold_start.log "$golden"/4_cache_hit.log
    "$golden"/5_provider_fetch_timeout.log "$golden"/6_database_connection_refused.log)
for log in "${logs[@]}"; do
    cp "$log" "$(basename "$log" | cut -c1).log"
done
cat "${logs[@]}" >all.log
: >empty
