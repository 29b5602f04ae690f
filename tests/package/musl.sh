#!/usr/bin/env bash
# The library and the contract program with musl instead of glibc, statically linked: compiles without a warning, runs, and
# writes the same lines.
# shellcheck source-path=SCRIPTDIR source=../check/_common.sh
. "$(dirname "$0")/../check/_common.sh"

if ! have musl-gcc; then
    skipped "musl-gcc is not installed (musl-tools)"
    finish
fi
# Debian's musl-tools bring no kernel headers (linux/futex.h): they come after musl's own.
kernel="-idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch 2>/dev/null || true)"
generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build_dir/CMakeCache.txt")

cd "$work"
if ! cmake -S "$source_dir" -B build -G "$generator" -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_C_FLAGS="$kernel" \
    -DBUILD_TESTING=OFF -DSTEP_LOGGER_EXAMPLES=OFF -DSTEP_LOGGER_WERROR=ON >log 2>&1 ||
    ! cmake --build build --parallel "$(nproc)" >log 2>&1; then
    problem "the library does not build with musl-gcc" "$(grep -m 10 -E 'error|Error' log || tail -n 15 log)"
    finish
fi
if ! musl-gcc -std=c11 -static -I"$source_dir/include" "$source_dir/tests/package/contract.c" build/libstep_logger.a \
    -o program >log 2>&1; then
    problem "a program does not link with musl" "$(tail -n 15 log)"
elif ! timeout 30 ./program file.log >output 2>errors; then
    problem "the contract program fails with musl" "$(tail -n 15 errors)"
elif ! diff -u "$source_dir/tests/package/contract.txt" output >differences; then
    problem "with musl the output differs from tests/package/contract.txt" "$(cat differences)"
else
    passed "the contract program with musl"
fi
finish
