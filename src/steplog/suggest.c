#include "steplog/options.h"

enum { WORD_MAX = 32 };

/* How many letters have to be changed, put in or taken out, or neighbours exchanged, to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    const size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t k = 0; k <= m; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            size_t least = above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
            if (above[k] + 1 < least)
                least = above[k] + 1;
            if (row[k - 1] + 1 < least)
                least = row[k - 1] + 1;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < least)
                least = before[k - 2] + 1;
            row[k] = least;
        }
    }
    return rows[n % 3][m];
}

void stepi_complain_unknown(const char *what, const char *word, const char *const *known)
{
    char bytes[256];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes) - 1);
    const char *best = NULL;
    size_t best_distance = strlen(word) < 4 ? 2 : 3; /* more is no typing error */
    for (; *known != NULL; known++) {
        const size_t d = distance(word, *known);
        if (d < best_distance) {
            best = *known;
            best_distance = d;
        }
    }
    stepi_put_literal(&out, "is no ");
    stepi_put(&out, what, strlen(what));
    if (best != NULL) {
        stepi_put_literal(&out, "; did you mean ");
        stepi_put(&out, best, strlen(best));
        stepi_put_literal(&out, "?");
    } else {
        stepi_put_literal(&out, " (see steplog --help)");
    }
    *out.at = '\0';
    stepi_complain(word, bytes);
}
