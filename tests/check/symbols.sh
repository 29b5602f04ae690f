#!/usr/bin/env bash
# What the libraries show to a linker. Shared: exactly the names in symbols.txt. Static: names that start with step_ or
# stepi_, all of them hidden, so that a user's own shared library does not export them. The testing library: the names in
# symbols_testing.txt, none that the library itself has, and nothing of it that is not public.
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"

shared=$build_dir/libstep_logger.so
static=$build_dir/libstep_logger.a
testing=$build_dir/libstep_logger_testing.a
list=$source_dir/tests/check/symbols.txt

if ! have nm || ! have readelf; then
    skipped "nm and readelf (binutils) are not installed"
    finish
fi
for library in "$shared" "$static" "$testing"; do
    if [ ! -e "$library" ]; then
        problem "${library##*/} is not in the build directory: build first (cmake --build $build_dir)"
        finish
    fi
done

# The list follows the header: whatever is STEP_API is in it.
sed -nE '/^STEP_API/{:more; /[(;]/!{N; b more}; s/^STEP_API[^(;]*[ *]([a-z_0-9]+)[(;].*/\1/p}' \
    "$source_dir"/include/step_logger.h "$source_dir"/include/step_logger/*.h | sort -u >"$work/declared"
grep -vE '^(#|$)' "$list" | sort -u >"$work/listed"
nm -D --defined-only "$shared" | awk '{print $NF}' | sort -u >"$work/exported"

differs() { # NAME_A FILE_A NAME_B FILE_B MEND
    local only_a only_b
    only_a=$(comm -23 "$2" "$4" | tr '\n' ' ')
    only_b=$(comm -13 "$2" "$4" | tr '\n' ' ')
    if [ -n "$only_a$only_b" ]; then
        problem "$1 and $3 differ" "only in $1: ${only_a:-none}" "only in $3: ${only_b:-none}" "$5"
    else
        passed "$1 and $3: the same $(wc -l <"$2") names"
    fi
}
differs "the header's STEP_API" "$work/declared" "tests/check/symbols.txt" "$work/listed" \
    "a new public name is added to symbols.txt; one that was released may not go"
differs "libstep_logger.so" "$work/exported" "tests/check/symbols.txt" "$work/listed" \
    "mark what is public with STEP_API in the header and define it in src/; nothing else is visible"

# static_library FILE: names with our prefix, all of them hidden; in $work/external
static_library() {
    local name=${1##*/} strangers visible
    nm -g --defined-only "$1" 2>/dev/null | awk 'NF == 3 {print $3}' | sort -u >"$work/external"
    strangers=$(grep -vE '^stepi?_' "$work/external" || true)
    if [ -n "$strangers" ]; then
        problem "external names of $name that start with neither step_ nor stepi_:" "${strangers//$'\n'/ }" \
            "make them static, or rename them"
    else
        passed "$name: $(wc -l <"$work/external") external names, each with our prefix"
    fi
    visible=$(readelf -sW "$1" | awk '($5 == "GLOBAL" || $5 == "WEAK") && $6 != "HIDDEN" && $7 != "UND" {print $8}' | sort -u)
    if [ -n "$visible" ]; then
        problem "names of $name that are not hidden:" "${visible//$'\n'/ }" \
            "they would be exported by any shared library that links it; keep -fvisibility=hidden and STEP_LOGGER_STATIC"
    else
        passed "$name: all names are hidden"
    fi
}
static_library "$static"
mv "$work/external" "$work/of_static"

# ---- The testing library
static_library "$testing"
sed -nE '/^STEP_TESTING_API/{:more; /[(;]/!{N; b more}; s/^STEP_TESTING_API[^(;]*[ *]([a-z_0-9]+)[(;].*/\1/p}' \
    "$source_dir"/include/step_logger/testing.h | sort -u >"$work/declared"
grep -vE '^(#|$)' "$source_dir/tests/check/symbols_testing.txt" | sort -u >"$work/listed"
differs "the header's STEP_TESTING_API" "$work/declared" "tests/check/symbols_testing.txt" "$work/listed" \
    "a new public name is added to symbols_testing.txt; one that was released may not go"
grep -E '^step_' "$work/external" >"$work/defined"
grep -E '^step_' "$work/listed" >"$work/public"
differs "libstep_logger_testing.a" "$work/defined" "the step_ names of tests/check/symbols_testing.txt" "$work/public" \
    "declare it in step_logger/testing.h with STEP_TESTING_API, or make it static"
twice=$(comm -12 "$work/external" "$work/of_static" | tr '\n' ' ')
if [ -n "$twice" ]; then
    problem "names that both libstep_logger.a and libstep_logger_testing.a define: $twice" "rename those of src/testing"
fi
inner=$(nm -u "$testing" | awk '{print $NF}' | grep -E '^stepi?_' | sort -u | comm -23 - "$work/external" |
    comm -23 - <(grep -E '^step_' "$work/exported") | tr '\n' ' ')
if [ -n "$inner" ]; then
    problem "libstep_logger_testing.a uses what is not public: $inner" "it may use what step_logger.h declares"
else
    passed "libstep_logger_testing.a uses the public interface alone"
fi

if readelf -dW "$shared" | grep 'SONAME.*libstep_logger\.so\.0\]' >/dev/null; then
    passed "the shared library's name is libstep_logger.so.0"
else
    problem "the shared library's SONAME is not libstep_logger.so.0" "$(readelf -dW "$shared" | grep SONAME)"
fi
if readelf -dW "$shared" | grep NODELETE >/dev/null; then
    passed "the shared library stays when it is closed (nodelete)"
else
    problem "libstep_logger.so is not linked with -z nodelete: see CMakeLists.txt"
fi
needed=$(readelf -dW "$shared" | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' | grep -vE '^(libc\.|ld-|libc\.musl|libpthread\.|libgcc_s\.)' || true)
if [ -n "$needed" ]; then
    problem "libstep_logger.so needs more than the C library: ${needed//$'\n'/ }" "threads are its only dependency"
else
    passed "the shared library needs the C library alone"
fi
if readelf -rW "$shared" | grep -E 'TLSDESC|DTPMOD' >/dev/null; then
    problem "libstep_logger.so reaches thread-local data the slow way (global-dynamic)" \
        'give the variable __attribute__((tls_model("initial-exec"))), where it is declared and where it is defined'
else
    passed "thread-local data is reached by the initial-exec model"
fi
if readelf -lW "$shared" | grep -E 'GNU_STACK.*E ' >/dev/null; then
    problem "libstep_logger.so asks for an executable stack: nested functions, or assembly without .note.GNU-stack"
fi
finish
