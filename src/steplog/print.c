#include "steplog/print.h"

#include "base/number.h"
#include "base/utf8.h"
#include "format/escape.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* clang-format off */
static const stepi_escapes_t in_lines = { .letters = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' } };
static const stepi_escapes_t in_json = {
    .stops = { .count = 2, .rows = { STEPI_STOP('"'), STEPI_STOP('\\') } },
    .letters = { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f' },
};
/* clang-format on */

/* ---- The terminal ---- */

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

static bool is_forced(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' && strcmp(value, "0") != 0;
}

static bool wants_color(int fd)
{
    const char *term = getenv("TERM");
    if (is_set("NO_COLOR"))
        return false;
    if (is_forced("CLICOLOR_FORCE") || is_forced("FORCE_COLOR"))
        return true;
    return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

static unsigned columns_of(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (!isatty(fd))
        return 0;
    if (columns != NULL && *columns >= '1' && *columns <= '9')
        return (unsigned)strtoul(columns, NULL, 10);
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void stepi_print_begin(stepi_print_t *print, int fd)
{
    print->fd = fd;
    print->failed = false;
    print->has_member = false;
    print->is_colored = false;
    print->color = wants_color(fd);
    print->width = columns_of(fd);
    print->out = stepi_out_over(print->buffer, sizeof(print->buffer));
}

/* ---- Bytes ---- */

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

bool stepi_print_flush(stepi_print_t *print)
{
    const size_t pending = (size_t)(print->out.at - print->buffer);
    if (!print->failed && pending > 0)
        print->failed = !write_all(print->fd, print->buffer, pending);
    print->out = stepi_out_over(print->buffer, sizeof(print->buffer));
    return !print->failed;
}

static void make_room(stepi_print_t *print, size_t bytes)
{
    if ((size_t)(print->out.end - print->out.at) < bytes)
        stepi_print_flush(print);
}

void stepi_print_raw(stepi_print_t *print, const char *bytes, size_t length)
{
    make_room(print, length);
    if (length <= sizeof(print->buffer))
        stepi_put(&print->out, bytes, length);
    else if (!print->failed)
        print->failed = !write_all(print->fd, bytes, length);
}

void stepi_print_string(stepi_print_t *print, const char *string)
{
    stepi_print_raw(print, string, strlen(string));
}

/* In pieces that fit the buffer even if every byte becomes an escape. */
static void print_escaped(stepi_print_t *print, const stepi_text_t *text, const stepi_escapes_t *escapes)
{
    enum { PIECE = 8 * 1024, WORST = 6, MARK = 64 };
    stepi_text_t piece = *text;
    for (size_t at = 0; at < text->length;) {
        const size_t left = text->length - at;
        const size_t cut = left > PIECE ? stepi_utf8_cut(text->bytes + at, left, PIECE) : left;
        piece.bytes = text->bytes + at;
        piece.length = (uint32_t)cut;
        piece.original = cut;
        make_room(print, PIECE * WORST);
        stepi_put_escaped(&print->out, &piece, escapes);
        at += cut;
    }
    if (text->original > text->length) {
        piece = (stepi_text_t){ .bytes = "", .length = 0, .original = text->original };
        make_room(print, MARK);
        stepi_put_escaped(&print->out, &piece, escapes);
    }
}

void stepi_print_text(stepi_print_t *print, const stepi_text_t *text)
{
    if (text->bytes == NULL)
        stepi_print_literal(print, "null");
    else
        print_escaped(print, text, &in_lines);
}

enum { NUMBER_ROOM = 512 };

void stepi_print_count(stepi_print_t *print, uint64_t count)
{
    make_room(print, NUMBER_ROOM);
    stepi_put_u64(&print->out, count);
}

void stepi_print_fixed(stepi_print_t *print, double number, int decimals)
{
    make_room(print, NUMBER_ROOM);
    stepi_put_fixed(&print->out, number, decimals);
}

void stepi_print_ms(stepi_print_t *print, double ms)
{
    stepi_print_fixed(print, ms, 1);
}

void stepi_print_spaces(stepi_print_t *print, size_t count)
{
    static const char spaces[] = "                                                                ";
    for (; count > sizeof(spaces) - 1; count -= sizeof(spaces) - 1)
        stepi_print_raw(print, spaces, sizeof(spaces) - 1);
    stepi_print_raw(print, spaces, count);
}

void stepi_print_color(stepi_print_t *print, stepi_color_t color)
{
    static const char *const sequences[] = { "\033[0m", "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m" };
    if (!print->color || (color == STEPI_COLOR_NONE && !print->is_colored))
        return;
    stepi_print_string(print, sequences[color]);
    print->is_colored = color != STEPI_COLOR_NONE;
}

/* ---- Width ---- */

/* What East Asian scripts and emoji take twice, roughly: ranges, as tables for all of Unicode would be out of date. */
static size_t columns_of_code(uint32_t code)
{
    if (code == 0x200C || code == 0x200D || code == 0xFE0F || (code >= 0x300 && code <= 0x36F))
        return 0;
    const bool is_wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                         (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                         (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                         (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
    return is_wide ? 2 : 1;
}

/* The columns of the character at text[*at], which goes behind it. */
static size_t take_columns(const stepi_text_t *text, size_t *at)
{
    uint32_t code;
    const int n = stepi_utf8_decode(text->bytes + *at, text->length - *at, &code);
    *at += n > 0 ? (size_t)n : 1;
    if (n == 0)
        return 1;
    if (stepi_must_escape(code))
        return code == '\n' || code == '\r' || code == '\t' ? 2 : 6;
    return columns_of_code(code);
}

size_t stepi_print_width(const stepi_text_t *text)
{
    size_t columns = 0;
    if (text->bytes == NULL)
        return 4;
    for (size_t at = 0; at < text->length;)
        columns += take_columns(text, &at);
    return columns;
}

size_t stepi_print_fitting(stepi_print_t *print, const stepi_text_t *text, size_t columns)
{
    const size_t width = stepi_print_width(text);
    size_t used = 0, cut = 0;
    if (width <= columns) {
        stepi_print_text(print, text);
        return width;
    }
    for (size_t at = 0; at < text->length; cut = at) {
        const size_t more = take_columns(text, &at);
        if (used + more + 1 > columns)
            break;
        used += more;
    }
    const stepi_text_t piece = { .bytes = text->bytes, .length = (uint32_t)cut, .original = cut };
    if (cut > 0)
        stepi_print_text(print, &piece);
    stepi_print_string(print, "…");
    return used + 1;
}

void stepi_print_right(stepi_print_t *print, const char *bytes, size_t length, size_t columns)
{
    stepi_print_spaces(print, length < columns ? columns - length : 1);
    stepi_print_raw(print, bytes, length);
}

void stepi_print_cell(stepi_print_t *print, double number, int decimals, size_t columns)
{
    char bytes[NUMBER_ROOM];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_put_fixed(&out, number, decimals);
    stepi_print_right(print, bytes, (size_t)(out.at - bytes), columns);
}

/* ---- JSON ---- */

void stepi_json_begin(stepi_print_t *print)
{
    stepi_print_literal(print, "{");
    print->has_member = false;
}

static void begin_member(stepi_print_t *print, const char *name)
{
    if (print->has_member)
        stepi_print_literal(print, ",\"");
    else
        stepi_print_literal(print, "\"");
    print->has_member = true;
    stepi_print_string(print, name);
    stepi_print_literal(print, "\":");
}

void stepi_json_null(stepi_print_t *print, const char *name)
{
    begin_member(print, name);
    stepi_print_literal(print, "null");
}

void stepi_json_text(stepi_print_t *print, const char *name, const stepi_text_t *text)
{
    if (text->bytes == NULL) {
        stepi_json_null(print, name);
        return;
    }
    begin_member(print, name);
    stepi_print_literal(print, "\"");
    print_escaped(print, text, &in_json);
    stepi_print_literal(print, "\"");
}

void stepi_json_string(stepi_print_t *print, const char *name, const char *string)
{
    const stepi_text_t text = stepi_text_from(string);
    stepi_json_text(print, name, &text);
}

void stepi_json_count(stepi_print_t *print, const char *name, uint64_t count)
{
    begin_member(print, name);
    stepi_print_count(print, count);
}

void stepi_json_integer(stepi_print_t *print, const char *name, int64_t number)
{
    begin_member(print, name);
    make_room(print, NUMBER_ROOM);
    stepi_put_i64(&print->out, number);
}

void stepi_json_number(stepi_print_t *print, const char *name, double number)
{
    if (number - number != 0) {
        stepi_json_null(print, name);
        return;
    }
    begin_member(print, name);
    make_room(print, NUMBER_ROOM);
    stepi_put_shortest(&print->out, number);
}

void stepi_json_end(stepi_print_t *print)
{
    stepi_print_literal(print, "}\n");
}

/* ---- Complaints ---- */

void stepi_complain(const char *name, const char *why)
{
    char bytes[1024];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_text_t text = stepi_text_from(name);
    if (text.length > 128)
        text.length = (uint32_t)stepi_utf8_cut(name, text.length, 128);
    stepi_put_literal(&out, "steplog: ");
    stepi_put_escaped(&out, &text, &in_lines);
    stepi_put_literal(&out, ": ");
    stepi_put(&out, why, strlen(why));
    stepi_put_literal(&out, "\n");
    write_all(STDERR_FILENO, bytes, (size_t)(out.at - bytes));
}
