#!/usr/bin/env bash
# What the libraries show to a linker. Shared: exactly the names in symbols.txt. Static: names that start with step_ or
# stepi_, all of them hidden, so that a user's own shared library does not export them.
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"

shared=$build_dir/libstep_logger.so
static=$build_dir/libstep_logger.a
list=$source_dir/tests/check/symbols.txt

if ! have nm || ! have readelf; then
    skipped "nm and readelf (binutils) are not installed"
    finish
fi
for library in "$shared" "$static"; do
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

external=$(nm -g --defined-only "$static" 2>/dev/null | awk 'NF == 3 {print $3}' | sort -u)
strangers=$(grep -vE '^stepi?_' <<<"$external" || true)
if [ -n "$strangers" ]; then
    problem "external names of libstep_logger.a that start with neither step_ nor stepi_:" "${strangers//$'\n'/ }" \
        "make them static, or rename them"
else
    passed "libstep_logger.a: $(wc -l <<<"$external") external names, each with our prefix"
fi
visible=$(readelf -sW "$static" | awk '($5 == "GLOBAL" || $5 == "WEAK") && $6 != "HIDDEN" && $7 != "UND" {print $8}' | sort -u)
if [ -n "$visible" ]; then
    problem "names of libstep_logger.a that are not hidden:" "${visible//$'\n'/ }" \
        "they would be exported by any shared library that links it; keep -fvisibility=hidden and STEP_LOGGER_STATIC"
else
    passed "libstep_logger.a: all names are hidden"
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
