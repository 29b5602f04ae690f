/* W3C Trace Context, level 2: the traceparent header.
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03
 *     version-trace id-span id-flags, lower case */
#ifndef STEPI_BASE_TRACEPARENT_H
#define STEPI_BASE_TRACEPARENT_H

#include <stdbool.h>
#include <stdint.h>

enum { STEPI_TRACEPARENT_LENGTH = 55, STEPI_TRACE_SAMPLED = 1, STEPI_TRACE_RANDOM = 2 };

typedef struct stepi_trace_context {
    uint64_t high, low; /* the trace id, most significant first; both 0: none */
    uint64_t span;
    uint8_t flags;
} stepi_trace_context_t;

/* False when text is NULL or no traceparent that may be continued; *out is untouched then. A version above 00 is read as far
 * as 00 goes; of the flags only those that are known are kept. */
bool stepi_traceparent_parse(const char *text, stepi_trace_context_t *out);

/* NUL-terminated. */
void stepi_traceparent_write(const stepi_trace_context_t *context, char out[STEPI_TRACEPARENT_LENGTH + 1]);

#endif
