#!/usr/bin/env bash
# What one logging call costs in code: a success() with four fields is at most 400 bytes of text at -O2.
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"
limit=400

if ! have size; then
    skipped "size (binutils) is not installed"
    finish
fi
cat >"$work/call.c" <<'END'
#include <step_logger.h>
void call(step_logger_t *op, int raw_count, int status_code, const char *provider, double rate);
void call(step_logger_t *op, int raw_count, int status_code, const char *provider, double rate)
{
    (void)op; (void)raw_count; (void)status_code; (void)provider; (void)rate;
#ifdef WITH_CALL
    step_logger_success(op, step_kv("raw_count", raw_count), step_kv("status_code", status_code),
                        step_kv("provider", provider), step_kv("rate", rate));
#endif
}
END
# text_bytes COMPILER FLAGS...: code of call.c (all .text sections, the cold ones too)
text_bytes() {
    "$@" -std=c11 -O2 -I "$source_dir/include" -c "$work/call.c" -o "$work/call.o"
    size -A "$work/call.o" | awk '$1 ~ /^\.text/ {bytes += $2} END {print bytes + 0}'
}
for compiler in $(compilers gcc clang); do
    for pic in -fPIE -fPIC; do
        empty=$(text_bytes "$compiler" "$pic")
        full=$(text_bytes "$compiler" "$pic" -DWITH_CALL)
        bytes=$((full - empty))
        if [ "$bytes" -gt "$limit" ]; then
            problem "$compiler $pic: one call with four fields is $bytes bytes of code, more than $limit" \
                "move work from the macros of call.h, or the inline functions of field.h, into the library"
        else
            passed "$compiler $pic: one call with four fields is $bytes bytes of code (limit $limit)"
        fi
    done
done
finish
