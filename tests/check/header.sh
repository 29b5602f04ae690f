#!/usr/bin/env bash
# step_logger.h, and step_logger/testing.h, as others will meet them: alone and with every macro in use, as strict C11 and as C++11, 17 and 20, by every
# compiler that is here, with all warnings as errors; and what must not compile does not.
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"

use=$source_dir/tests/check/header_use.c
testing=$source_dir/tests/check/header_testing_use.c
echo '#include <step_logger.h>' >"$work/alone.c"
echo '#include <step_logger/testing.h>' >"$work/alone_testing.c"

# compiles DESCRIPTION COMMAND...: the command succeeds without a word
compiles() {
    local description=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed "$description"
    else
        problem "$description does not compile; the first lines of: ${*//"$source_dir/"/}" "$(head -n 12 "$work/out")"
    fi
}

# refused COMPILER LANGUAGE STANDARD EXPRESSION: the expression does not compile where step_kv("k", 1) does
scaffold() {
    cat <<END
#include <step_logger.h>
struct thing { int a; int b[2]; };
union either { int a; float b; };
void function(void);
void f(struct thing thing, union either either, const char *key, int *pointer, void *nothing, const void *constant);
void f(struct thing thing, union either either, const char *key, int *pointer, void *nothing, const void *constant)
{
    (void)thing; (void)either; (void)key; (void)pointer; (void)nothing; (void)constant;
    step_field_t field = $1;
    (void)field;
}
END
}
refused() {
    scaffold "$4" >"$work/refused.c"
    if "$1" -x "$2" -std="$3" -fsyntax-only -w -I "$source_dir/include" "$work/refused.c" >"$work/out" 2>&1; then
        problem "$1 -std=$3 accepts $4, which is no field; close the gap in include/step_logger/field.h"
    else
        count=$((count + 1))
    fi
}
both='step_kv("k", nothing)
step_kv("k", constant)
step_kv("k", pointer)
step_kv("k", &pointer)
step_kv("k", thing)
step_kv("k", thing.b)
step_kv("k", &thing)
step_kv("k", either)
step_kv("k", function)
step_kv("k", L"wide")
step_kv("k", 1.0L)
step_kv(key, 1)
step_kv(NULL, 1)
step_kv(1, 1)
step_kv("k")'
c_only='step_kv("k", NULL)'
cpp_only='step_kv("k", nullptr)
step_kv("k", [] {})
step_kv("k", [&] { return *pointer; })
step_kv("k", [](int i) { return i; })
step_kv("k", &thing::a)
step_kv("k", reinterpret_cast<const unsigned char *>(key))
step_kv("k", reinterpret_cast<const volatile char *>(key))'
check_refused() { # COMPILER LANGUAGE STANDARD EXPRESSIONS
    local expression
    count=0
    scaffold 'step_kv("k", 1)' >"$work/accepted.c"
    compiles "$1 -std=$3: the program around the refused fields" \
        "$1" -x "$2" -std="$3" -fsyntax-only -w -I "$source_dir/include" "$work/accepted.c"
    while IFS= read -r expression; do
        refused "$1" "$2" "$3" "$expression"
    done <<<"$4"
    passed "$1 -std=$3 refuses $count kinds of values that are no fields"
}

read -ra c_flags <<<"$(warnings c)"
read -ra cpp_flags <<<"$(warnings c++) -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual"

c_compilers=$(compilers gcc clang musl-gcc)
[ -n "$c_compilers" ] || c_compilers=cc
for compiler in $c_compilers; do
    for file in "$work/alone.c" "$use" "$work/alone_testing.c" "$testing"; do
        for level in -O0 -O2; do
            compiles "$compiler -std=c11 $level ${file##*/}" \
                "$compiler" -std=c11 -pedantic-errors "$level" -Werror "${c_flags[@]}" -I "$source_dir/include" -c "$file" \
                -o "$work/out.o"
        done
    done
    compiles "$compiler -std=c11 ${use##*/} with STEP_LOGGER_COMPILED_LEVEL" \
        "$compiler" -std=c11 -pedantic-errors -O2 -Werror "${c_flags[@]}" -DSTEP_LOGGER_COMPILED_LEVEL=STEP_LEVEL_WARNING \
        -I "$source_dir/include" -c "$use" -o "$work/out.o"
    compiles "$compiler -std=c11 ${testing##*/} with a failure function of its own" \
        "$compiler" -std=c11 -pedantic-errors -O2 -Werror "${c_flags[@]}" -DWITH_OWN_FAILURE -I "$source_dir/include" \
        -c "$testing" -o "$work/out.o"
    check_refused "$compiler" c c11 "$both"$'\n'"$c_only"
done

for compiler in $(compilers g++ clang++); do
    for standard in c++11 c++17 c++20; do
        for file in "$work/alone.c" "$use" "$work/alone_testing.c" "$testing"; do
            compiles "$compiler -std=$standard ${file##*/}" \
                "$compiler" -x c++ -std="$standard" -pedantic-errors -O2 -Werror "${cpp_flags[@]}" -I "$source_dir/include" \
                -c "$file" -o "$work/out.o"
        done
        check_refused "$compiler" c++ "$standard" "$both"$'\n'"$cpp_only"
    done
done
finish
