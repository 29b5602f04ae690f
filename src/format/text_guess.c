/* These questions are answered in favour of escaping: a `yes` too many costs a backslash or two quotes, a `no` too many
 * costs the meaning of a line. So a look-alike need not be complete (`START:` without the space behind it, any year),
 * and numbers are all that strtod() or a script would take for one, not only those that we write. */
#include "format/text_guess.h"

#include <string.h>

/* A text that is being matched from its start. */
typedef struct cursor {
    const char *at;
    const char *end;
} cursor_t;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool skip(cursor_t *c, const char *text, size_t n)
{
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

#define SKIP(c, text) skip(c, "" text "", sizeof(text) - 1)

static bool skip_either(cursor_t *c, char a, char b)
{
    if (c->at == c->end || (*c->at != a && *c->at != b))
        return false;
    c->at++;
    return true;
}

static size_t skip_digits(cursor_t *c)
{
    const char *start = c->at;
    while (c->at < c->end && is_digit(*c->at))
        c->at++;
    return (size_t)(c->at - start);
}

static bool skip_integer(cursor_t *c)
{
    SKIP(c, "-");
    return skip_digits(c) > 0;
}

/* ---- Structure ---- */

/* By its first code point: whether U+FE0F follows makes no difference to the eye. */
static bool is_symbol(cursor_t c)
{
    return SKIP(&c, "🚀") || SKIP(&c, "\xE2\x96\xB6") /* ▶ */ || SKIP(&c, "✅") || SKIP(&c, "❌") ||
           SKIP(&c, "\xE2\x8F\xAD") /* ⏭ */ || SKIP(&c, "🏁") || SKIP(&c, "⏳") || SKIP(&c, "\xE2\x9A\xA0") /* ⚠ */ ||
           SKIP(&c, "⌛");
}

static bool is_level(cursor_t c)
{
    return SKIP(&c, "DEBUG]") || SKIP(&c, "INFO]") || SKIP(&c, "WARNING]") || SKIP(&c, "ERROR]") ||
           SKIP(&c, "CRITICAL]");
}

static bool is_step_tag(cursor_t c)
{
    if (SKIP(&c, "Step "))
        return skip_integer(&c) && SKIP(&c, "]");
    return skip_integer(&c) && SKIP(&c, "/") && skip_integer(&c) && SKIP(&c, "]");
}

static bool is_loss(cursor_t c)
{
    if (skip_digits(&c) == 0 || !SKIP(&c, " record"))
        return false;
    SKIP(&c, "s");
    return SKIP(&c, " dropped:");
}

static bool is_time(cursor_t c)
{
    return skip_digits(&c) == 4 && SKIP(&c, "-") && skip_digits(&c) == 2 && SKIP(&c, "-") && skip_digits(&c) == 2 &&
           SKIP(&c, "T");
}

bool stepi_reads_as_structure(const char *bytes, size_t length)
{
    cursor_t c = { bytes, bytes + length };
    if (length == 0)
        return false;
    if (is_digit(bytes[0]))
        return is_loss(c) || is_time(c);
    switch (bytes[0]) {
    case '[':
        c.at++;
        return is_level(c) || is_step_tag(c);
    case 'S':
        return SKIP(&c, "START:") || SKIP(&c, "STUCK:");
    case 'C':
        return SKIP(&c, "COMPLETE:");
    case 'I':
        return SKIP(&c, "INCOMPLETE:");
    case '\xE2':
    case '\xF0':
        return is_symbol(c);
    default:
        return false;
    }
}

bool stepi_is_separator(const char *bytes, size_t length)
{
    cursor_t c = { bytes, bytes + length };
    return SKIP(&c, "- ") &&
           (SKIP(&c, "SUCCESS") || SKIP(&c, "FAILED:") || SKIP(&c, "SKIPPED:") || SKIP(&c, "PROGRESS:"));
}

/* ---- Literals ---- */

/* An ASCII word, whatever its case; `lower` is in lower case. */
static bool skip_word(cursor_t *c, const char *lower, size_t n)
{
    if ((size_t)(c->end - c->at) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((c->at[i] | 0x20) != lower[i])
            return false;
    c->at += n;
    return true;
}

#define SKIP_WORD(c, lower) skip_word(c, "" lower "", sizeof(lower) - 1)

static bool skip_decimal(cursor_t *c)
{
    size_t digits = skip_digits(c);
    if (SKIP(c, "."))
        digits += skip_digits(c);
    if (digits == 0)
        return false;
    if (skip_either(c, 'e', 'E')) {
        skip_either(c, '+', '-');
        return skip_digits(c) > 0;
    }
    return true;
}

static bool is_number(cursor_t c)
{
    skip_either(&c, '+', '-');
    if (SKIP(&c, "0x") || SKIP(&c, "0X"))
        return true;
    const bool special = SKIP_WORD(&c, "nan") || SKIP_WORD(&c, "infinity") || SKIP_WORD(&c, "inf");
    if (!special && !skip_decimal(&c))
        return false;
    SKIP(&c, "%");
    return c.at == c.end;
}

static bool is_word(const cursor_t *c, const char *word, size_t n)
{
    return (size_t)(c->end - c->at) == n && memcmp(c->at, word, n) == 0;
}

bool stepi_reads_as_literal(const char *bytes, size_t length)
{
    const cursor_t c = { bytes, bytes + length };
    if (length == 0 || !stepi_may_be_literal(bytes[0]))
        return false;
    switch (bytes[0]) {
    case 't':
        return is_word(&c, "true", 4);
    case 'f':
        return is_word(&c, "false", 5);
    case 'n':
    case 'N':
        return is_word(&c, "null", 4) || is_number(c);
    default:
        return is_number(c);
    }
}
