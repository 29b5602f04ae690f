/* Keys whose values are secret, by the log's options: "password, *_token". */
#ifndef STEPI_RECORD_REDACT_H
#define STEPI_RECORD_REDACT_H

#include "base/glob.h"

enum { STEPI_REDACT_BYTES = 1024 };

/* Whether a list of patterns has one for the key, in any case. */
bool stepi_redacts(const char *patterns, stepi_slice_t key);

#endif
