# shellcheck shell=bash
# What the check scripts share: sourced with the script's own arguments, the source and the build directory.
#
# A script prints what is wrong and how to mend it with problem(), what it could not look at with skipped(), and ends with
# finish(): exit 1 after a problem, 77 when everything was skipped, else 0.
set -euo pipefail

if [ $# -lt 1 ]; then
    echo "usage: $0 SOURCE_DIR [BUILD_DIR]" >&2
    exit 2
fi
source_dir=$(cd "$1" && pwd)
build_dir=${2:-$source_dir/build/tests}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
problems=0
checked=0
export LC_ALL=C.UTF-8
export source_dir build_dir work

problem() {
    printf 'FAILED: %s\n' "$1"
    [ $# -lt 2 ] || printf '  %s\n' "${@:2}"
    problems=$((problems + 1))
}

skipped() {
    printf 'skipped: %s\n' "$1"
}

passed() {
    printf 'ok: %s\n' "$1"
    checked=$((checked + 1))
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Those of the named compilers that are here, one a line; the others are reported as skipped (on stderr: this is captured).
compilers() {
    local name
    for name in "$@"; do
        if have "$name"; then
            echo "$name"
        else
            skipped "$name is not installed" >&2
        fi
    done
}

finish() {
    if [ "$problems" -gt 0 ]; then
        printf '%d problem(s)\n' "$problems"
        exit 1
    fi
    [ "$checked" -gt 0 ] || exit 77
    exit 0
}

# The warnings that every target is compiled with, as CMakeLists.txt lists them; $1 is c or c++.
warnings() {
    local flags
    flags=$(sed -n '/^set(step_logger_warnings/,/)$/p' "$source_dir/CMakeLists.txt" | tr ' ' '\n' | grep -E '^-W' || true)
    if [ "$1" = c ]; then
        flags="$flags -Wstrict-prototypes -Wmissing-prototypes"
    fi
    # shellcheck disable=SC2086  # one word each
    printf '%s ' $flags
}
