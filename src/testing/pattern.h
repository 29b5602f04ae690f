/* Patterns: `*` is any text, `\*` a star, `\\` a backslash, everything else itself. */
#ifndef STEPI_TESTING_PATTERN_H
#define STEPI_TESTING_PATTERN_H

#include <stdbool.h>

/* A pattern that is NULL fits everything, also NULL; another one no text that is NULL. */
bool stepi_pattern_fits(const char *pattern, const char *text);

#endif
