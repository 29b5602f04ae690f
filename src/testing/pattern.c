#include "testing/pattern.h"

#include <stddef.h>

/* The character that stands at `at` in the pattern, when it is no star, and where the next one is. */
static char literal_at(const char *at, const char **next)
{
    if (at[0] == '\\' && (at[1] == '*' || at[1] == '\\'))
        at++;
    *next = at[0] != '\0' ? at + 1 : at;
    return at[0];
}

/* A star first stands for nothing. When the rest does not fit, the latest one stands for a character more: an earlier one
 * need never be tried again, because whatever it could take the latest can, too. */
bool stepi_pattern_fits(const char *pattern, const char *text)
{
    const char *behind_star = NULL;
    const char *star_ends = NULL; /* in the text */
    if (pattern == NULL || text == NULL)
        return pattern == NULL;
    for (;;) {
        const char *next;
        if (*pattern == '*') {
            behind_star = ++pattern;
            star_ends = text;
        } else if (literal_at(pattern, &next) == *text) {
            if (*text == '\0')
                return true;
            pattern = next;
            text++;
        } else {
            if (behind_star == NULL || *star_ends == '\0')
                return false;
            pattern = behind_star;
            text = ++star_ends;
        }
    }
}
