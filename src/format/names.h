/* What severity numbers are called, in every format. */
#ifndef STEPI_FORMAT_NAMES_H
#define STEPI_FORMAT_NAMES_H

#include <step_logger.h>

/* 0 DEBUG to 4 CRITICAL: the index of a severity number into a format's table of names. */
static inline unsigned stepi_level_index(int level)
{
    if (level < STEP_LEVEL_WARNING)
        return level < STEP_LEVEL_INFO ? 0 : 1;
    if (level < STEP_LEVEL_ERROR)
        return 2;
    return level < STEP_LEVEL_CRITICAL ? 3 : 4;
}

/* A text with its length, for tables of literals. */
typedef struct stepi_literal_text {
    const char *bytes;
    size_t length;
} stepi_literal_text_t;

#define STEPI_LITERAL(text)                                                                                            \
    {                                                                                                                  \
        "" text "", sizeof(text) - 1                                                                                   \
    }

#endif
