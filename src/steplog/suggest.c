#include "steplog/options.h"

enum { WORD_MAX = 32 };

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows of the table of distances: between the beginnings of two words, up to a letter of the first. */
typedef struct rows {
    size_t now[WORD_MAX + 1], above[WORD_MAX + 1], before[WORD_MAX + 1];
} rows_t;

static void fill_row(rows_t *rows, const char *a, size_t i, const char *b)
{
    rows->now[0] = i;
    for (size_t k = 1; b[k - 1] != '\0'; k++) {
        const bool is_swap = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
        size_t least = rows->above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
        least = least_of(least, least_of(rows->above[k], rows->now[k - 1]) + 1);
        rows->now[k] = is_swap ? least_of(least, rows->before[k - 2] + 1) : least;
    }
}

/* How many letters have to be changed, put in or taken out, or neighbours exchanged, to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
    rows_t rows;
    const size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t k = 0; k <= m; k++)
        rows.now[k] = k;
    memcpy(rows.above, rows.now, sizeof(rows.above));
    for (size_t i = 1; i <= n; i++) {
        memcpy(rows.before, rows.above, sizeof(rows.before));
        memcpy(rows.above, rows.now, sizeof(rows.above));
        fill_row(&rows, a, i, b);
    }
    return rows.now[m];
}

static const char *most_alike(const char *word, const char *const *known)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) - strspn(word, "-") < 4 ? 2 : 3; /* more is no typing error */
    for (; *known != NULL; known++) {
        const size_t d = distance(word, *known);
        if (d < best_distance) {
            best = *known;
            best_distance = d;
        }
    }
    return best;
}

void stepi_complain_unknown(const char *what, const char *command, const char *word, const char *const *known)
{
    char bytes[256];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    const char *meant = most_alike(word, known);
    stepi_put_literal(&out, "is no ");
    stepi_put_string(&out, what);
    if (command != NULL) {
        stepi_put_literal(&out, " of ");
        stepi_put_string(&out, command);
    }
    if (meant != NULL) {
        stepi_put_literal(&out, "; did you mean ");
        stepi_put_string(&out, meant);
        stepi_put_char(&out, '?');
    } else {
        stepi_put_literal(&out, " (see steplog ");
        stepi_put_string(&out, command != NULL ? command : "");
        stepi_put_string(&out, command != NULL ? " --help)" : "--help)");
    }
    stepi_put_char(&out, '\0');
    stepi_complain(word, bytes);
}
