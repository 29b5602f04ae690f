/* What steplog writes: through one buffer, clean whatever the log was. Old logs are hostile: controls, escape sequences, bytes that
 * are not UTF-8 and what turns text around are written as escapes, on a terminal and in pipes alike. */
#ifndef STEPI_STEPLOG_PRINT_H
#define STEPI_STEPLOG_PRINT_H

#include "base/out.h"
#include "record/line.h"

typedef struct stepi_print {
    int fd;
    bool color, is_colored; /* whether colours are wanted; whether one is on */
    bool failed;            /* something could not be written: a full disk, a pipe that nobody reads any more */
    bool has_member;        /* JSON: the object is not empty */
    unsigned width;         /* columns of the terminal; 0: unknown, lines may be as long as they are */
    stepi_out_t out;
    char buffer[128 * 1024];
} stepi_print_t;

/* ANSI colours by what they say. */
typedef enum stepi_color {
    STEPI_COLOR_NONE,
    STEPI_COLOR_GOOD,
    STEPI_COLOR_BAD,
    STEPI_COLOR_WARN,
    STEPI_COLOR_DIM,
    STEPI_COLOR_BOLD
} stepi_color_t;

/* color as the terminal and the environment have it: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM; width where it is a terminal, by
 * COLUMNS or as it says. */
void stepi_print_begin(stepi_print_t *print, int fd);

/* Writes what is pending. False if anything failed so far. */
bool stepi_print_flush(stepi_print_t *print);

void stepi_print_raw(stepi_print_t *print, const char *bytes, size_t length);
void stepi_print_string(stepi_print_t *print, const char *string);
void stepi_print_text(stepi_print_t *print, const stepi_text_t *text); /* without what does harm; NULL is `null` */
void stepi_print_count(stepi_print_t *print, uint64_t count);
void stepi_print_ms(stepi_print_t *print, double ms); /* with one decimal */
void stepi_print_fixed(stepi_print_t *print, double number, int decimals);
void stepi_print_spaces(stepi_print_t *print, size_t count);
void stepi_print_color(stepi_print_t *print, stepi_color_t color); /* NONE ends the one before */

#define stepi_print_literal(print, text) stepi_print_raw(print, "" text "", sizeof(text) - 1)

/* The columns that a text takes on a terminal. */
size_t stepi_print_width(const stepi_text_t *text);

/* A text in a column: as much of it as fits, and `…` for the rest. Returns how many columns it took. */
size_t stepi_print_fitting(stepi_print_t *print, const stepi_text_t *text, size_t columns);

/* At the right end of a column, at least one space behind the column before. */
void stepi_print_right(stepi_print_t *print, const char *bytes, size_t length, size_t columns);
void stepi_print_cell(stepi_print_t *print, double number, int decimals, size_t columns);

/* ---- JSON: begin, members, end ---- */
void stepi_json_begin(stepi_print_t *print);
void stepi_json_text(stepi_print_t *print, const char *name, const stepi_text_t *text);
void stepi_json_string(stepi_print_t *print, const char *name, const char *string);
void stepi_json_count(stepi_print_t *print, const char *name, uint64_t count);
void stepi_json_integer(stepi_print_t *print, const char *name, int64_t number);
void stepi_json_number(stepi_print_t *print, const char *name, double number); /* null if it is not finite */
void stepi_json_null(stepi_print_t *print, const char *name);
void stepi_json_end(stepi_print_t *print);

/* `steplog: NAME: WHY` on stderr. */
void stepi_complain(const char *name, const char *why);

static inline void stepi_put_string(stepi_out_t *out, const char *string)
{
    stepi_put(out, string, strlen(string));
}

/* A text of a C string. */
static inline stepi_text_t stepi_text_from(const char *string)
{
    return (stepi_text_t){ .bytes = string, .length = (uint32_t)strlen(string), .original = strlen(string) };
}

#endif
