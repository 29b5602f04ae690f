/* One line each, without its line feed: appended to `out` with placeholders; false, and nothing appended, when it is no line of
 * that format. What has no memory fails in `out`. */
#ifndef STEPI_TESTING_NORMALIZE_H
#define STEPI_TESTING_NORMALIZE_H

#include "testing/strbuf.h"

bool stepi_normalize_text(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what);
bool stepi_normalize_json(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what);
bool stepi_normalize_logfmt(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what);

/* What stands for the value of a member of a line's own; NULL when the value stays. */
const char *stepi_placeholder(const char *name, size_t length, uint32_t what);

#endif
