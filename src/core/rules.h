/* Levels by operation: "Database*=debug, Health check=error". The last rule whose pattern matches an operation's name decides its
 * level; where none does it is the log's. */
#ifndef STEPI_CORE_RULES_H
#define STEPI_CORE_RULES_H

#include "base/glob.h"
#include "record/line.h"

#include <step_logger.h>

enum { STEPI_RULES_MAX = 32, STEPI_RULES_BYTES = 1024 };

/* Lies in the log's structure, which is never freed: operations point to their level. */
typedef struct stepi_rules {
    uint32_t count;
    int32_t levels[STEPI_RULES_MAX];
    stepi_slice_t patterns[STEPI_RULES_MAX]; /* into text */
    char text[STEPI_RULES_BYTES];
} stepi_rules_t;

/* A level by its name, in any case; 0: there is none of that name. */
step_level_t stepi_level_named(stepi_slice_t name);

/* Reads rules; NULL or empty: none. False, with the rule that is not understood (empty: they are too long or too many): no rule
 * is set then. */
bool stepi_rules_read(stepi_rules_t *rules, const char *text, stepi_slice_t *bad);

/* The level of operations of that name; NULL: no rule is about it. */
const int32_t *stepi_rules_level(const stepi_rules_t *rules, const stepi_text_t *name);

#endif
