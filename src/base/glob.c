#include "base/glob.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same(char pattern, char text, bool fold)
{
    return pattern == '?' || pattern == text || (fold && lower(pattern) == lower(text));
}

/* Each `*` first stands for nothing; when what follows does not match, the latest one takes a byte more. */
bool stepi_glob_matches(stepi_slice_t pattern, stepi_slice_t text, bool fold)
{
    size_t p = 0, t = 0;
    size_t star = SIZE_MAX, taken = 0; /* behind the latest `*`, and how far it reaches */
    while (t < text.length) {
        if (p < pattern.length && pattern.bytes[p] == '*') {
            star = ++p;
            taken = t;
        } else if (p < pattern.length && is_same(pattern.bytes[p], text.bytes[t], fold)) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.length && pattern.bytes[p] == '*')
        p++;
    return p == pattern.length;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool stepi_list_next(const char **list, stepi_slice_t *entry)
{
    const char *at = *list;
    if (at == NULL || *at == '\0')
        return false;
    const size_t length = strcspn(at, ",");
    *list = at[length] == ',' ? at + length + 1 : at + length;
    *entry = (stepi_slice_t){ .bytes = at, .length = length };
    while (entry->length > 0 && is_blank(entry->bytes[0])) {
        entry->bytes++;
        entry->length--;
    }
    while (entry->length > 0 && is_blank(entry->bytes[entry->length - 1]))
        entry->length--;
    return true;
}
