/* Numbers as text: exact, independent of the locale, without libm or printf. */
#ifndef STEPI_BASE_NUMBER_H
#define STEPI_BASE_NUMBER_H

#include "base/out.h"

#include <stdint.h>

void stepi_put_u64(stepi_out_t *out, uint64_t v);
void stepi_put_i64(stepi_out_t *out, int64_t v);

/* The shortest decimal that reads back as the same double; `1`, `0.1`, `1e+21`, `5e-324`, `-0`;
 * NaN, Infinity, -Infinity read `nan`, `inf`, `-inf`. Exponent form when the decimal point would
 * stand below 1e-6 or at 1e21 and above (as ECMAScript's Number::toString does). */
void stepi_put_shortest(stepi_out_t *out, double v);

/* As printf's %.*f does in the C locale (exact value, ties to even), for 0 <= decimals <= 17, to
 * which others are clamped. |v| >= 1e21 and what is not finite fall back to
 * stepi_put_shortest(). */
void stepi_put_fixed(stepi_out_t *out, double v, int decimals);

/* The same two where there is room for so many bytes; they return the end of the number. */
enum { STEPI_DOUBLE_BYTES = 48 };
char *stepi_write_shortest(char *to, double v);
char *stepi_write_fixed(char *to, double v, int decimals);

/* Nanoseconds as milliseconds: with one decimal as printf("%.1f", ns / 1e6) does; or exactly, with
 * up to six decimals and without trailing zeros. Negative values are clamped to 0. */
void stepi_put_ms_1(stepi_out_t *out, int64_t ns);
void stepi_put_ms_exact(stepi_out_t *out, int64_t ns);
char *stepi_write_ms_1(char *to, int64_t ns); /* where there is room for STEPI_DOUBLE_BYTES */

#endif
