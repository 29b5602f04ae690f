/* The mark of a cut text: `…[70000 bytes]`, with the length it had. */
#ifndef STEPI_FORMAT_MARKER_H
#define STEPI_FORMAT_MARKER_H

#include "base/number.h"
#include "record/line.h"

#define STEPI_ELLIPSIS "\xE2\x80\xA6"

static inline bool stepi_is_cut(const stepi_text_t *text)
{
    return text->original > text->length;
}

static inline void stepi_put_marker(stepi_out_t *out, const stepi_text_t *text)
{
    stepi_put_literal(out, STEPI_ELLIPSIS "[");
    stepi_put_u64(out, text->original);
    stepi_put_literal(out, " bytes]");
}

/* Whether a user's text could be taken for the mark from here on: `…[` and a digit, wherever it stands. */
static inline bool stepi_starts_like_marker(const char *bytes, size_t left)
{
    return left >= 5 && memcmp(bytes, STEPI_ELLIPSIS "[", 4) == 0 && bytes[4] >= '0' && bytes[4] <= '9';
}

#endif
