/* Reads JSON lines: one object a line, member by member. Objects and arrays within are skipped, as raw text. */
#ifndef STEPI_TESTING_JSON_H
#define STEPI_TESTING_JSON_H

#include <step_logger.h>

/* `line` without its line feed, and where decoded strings go: it needs as many bytes as the line has. */
typedef struct stepi_json {
    const char *at, *end;
    char *strings;
    bool is_open;
} stepi_json_t;

/* A member. Its key and texts are decoded, NUL-terminated, in `strings`; value_at is its value as written. */
typedef struct stepi_json_member {
    step_field_t field;
    const char *name_at, *value_at, *value_end;
} stepi_json_member_t;

stepi_json_t stepi_json(const char *line, size_t length, char *strings);

/* 1: the next member; 0: the object has ended, and the line with it; -1: this is no JSON. */
int stepi_json_next(stepi_json_t *json, stepi_json_member_t *member);

#endif
