/* RFC 3339 UTC time stamps, with the second's text cached: lines of one second differ in their
 * fraction alone. */
#ifndef STEPI_BASE_TIME_H
#define STEPI_BASE_TIME_H

#include "base/out.h"

#include <stdint.h>

typedef struct stepi_time_text {
    int64_t second; /* the one that `text` shows; text[0] == 0: none yet */
    char text[20];  /* "2026-02-04T09:30:00." */
} stepi_time_text_t;

/* wall_ns since the Unix epoch, with 6 or 9 digits of fraction (cut, not rounded) and Z. Any
 * int64_t lies between the years 1677 and 2262, so all are right and none needs clamping. What does
 * not fit leaves the cache usable. */
void stepi_put_time(stepi_out_t *out, stepi_time_text_t *cache, int64_t wall_ns, int digits);

#endif
