/* What else writes logfmt than the formatter has to agree with it about. */
#ifndef STEPI_FORMAT_LOGFMT_H
#define STEPI_FORMAT_LOGFMT_H

#include "record/line.h"

/* Whether a value, which is not NULL, may stand without quotes. */
bool stepi_logfmt_is_bare(const stepi_text_t *text);

#endif
