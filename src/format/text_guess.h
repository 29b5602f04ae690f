/* Text lines: what a reader would take a user's text for. */
#ifndef STEPI_FORMAT_TEXT_GUESS_H
#define STEPI_FORMAT_TEXT_GUESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether text that is the first thing after the level reads as something else than prose: one of our symbols, START:
 * and such, [2/4], [Step 2], a level, a time stamp, a report of lost records. */
bool stepi_reads_as_structure(const char *bytes, size_t length);

/* Whether bytes[0] is the `-` of `- SUCCESS`, `- FAILED:`, `- SKIPPED:` or `- PROGRESS:`. */
bool stepi_is_separator(const char *bytes, size_t length);

/* Whether a text with this first character may be a literal: most are told by it not to be one. */
static inline bool stepi_may_be_literal(char first)
{
    switch (first) {
    case 't':
    case 'f':
    case 'n':
    case 'N':
    case 'i':
    case 'I':
    case '+':
    case '-':
    case '.':
        return true;
    default:
        return first >= '0' && first <= '9';
    }
}

/* Whether a bare value reads as something else than a string: a number in any usual spelling, with % too, an infinity,
 * not a number, true, false, null. */
bool stepi_reads_as_literal(const char *bytes, size_t length);

#endif
