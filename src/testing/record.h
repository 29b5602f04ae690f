/* From a JSON line to what a test looks at. */
#ifndef STEPI_TESTING_RECORD_H
#define STEPI_TESTING_RECORD_H

#include <step_logger/testing.h>

/* One block of memory, for free(). NULL with ENOMEM, or with EBADMSG for what is no line of ours. */
step_captured_t *stepi_captured_read(const char *line, size_t length);

/* Whether lines of any kind have a member of this name of their own, so that a user's field of that key is renamed. */
bool stepi_name_is_reserved(const char *name, size_t length);

#endif
