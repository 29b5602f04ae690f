#include "base/traceparent.h"

#include "base/hex.h"

#include <stddef.h>

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly n digits, at most 16; false where one is none, also at the text's end. */
static bool read_hex(const char **at, int n, uint64_t *value)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        const int digit = digit_of(**at);
        if (digit < 0)
            return false;
        v = v << 4 | (uint64_t)digit;
        (*at)++;
    }
    *value = v;
    return true;
}

static bool skip_dash(const char **at)
{
    if (**at != '-')
        return false;
    (*at)++;
    return true;
}

bool stepi_traceparent_parse(const char *text, stepi_trace_context_t *out)
{
    enum { FORBIDDEN_VERSION = 0xFF };
    uint64_t version, high, low, span, flags;
    if (text == NULL)
        return false;
    const bool whole = read_hex(&text, 2, &version) && skip_dash(&text) && read_hex(&text, 16, &high) &&
                       read_hex(&text, 16, &low) && skip_dash(&text) && read_hex(&text, 16, &span) &&
                       skip_dash(&text) && read_hex(&text, 2, &flags);
    if (!whole || version == FORBIDDEN_VERSION || (high | low) == 0 || span == 0)
        return false;
    if (*text != '\0' && (version == 0 || *text != '-'))
        return false;
    out->high = high;
    out->low = low;
    out->span = span;
    out->flags = (uint8_t)(flags & (STEPI_TRACE_SAMPLED | STEPI_TRACE_RANDOM));
    return true;
}

void stepi_traceparent_write(const stepi_trace_context_t *context, char out[STEPI_TRACEPARENT_LENGTH + 1])
{
    char *to = out;
    *to++ = '0';
    *to++ = '0';
    *to++ = '-';
    to = stepi_write_hex_16(to, context->high);
    to = stepi_write_hex_16(to, context->low);
    *to++ = '-';
    to = stepi_write_hex_16(to, context->span);
    *to++ = '-';
    to = stepi_write_hex_2(to, context->flags);
    *to = '\0';
}
