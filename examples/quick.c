/* quick: steps without an operation object, for the simple cases.
 *
 *     quick [FILE]
 *
 * Counts the lines and the words of a file, its own source by default. The quick functions print no duration and remember
 * nothing: each call says all it knows. STEP_LOGGER_SHORT_NAMES brings the names of the Python module that they come from. */
#define STEP_LOGGER_SHORT_NAMES
#include <step_logger.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2 };

typedef struct counts {
    long lines, words;
} counts_t;

static bool count_text(FILE *file, counts_t *counts)
{
    int byte;
    bool in_word = false;
    while ((byte = getc(file)) != EOF) {
        const bool is_space = isspace(byte) != 0;
        counts->words += in_word && is_space;
        counts->lines += byte == '\n';
        in_word = !is_space;
    }
    counts->words += in_word;
    return ferror(file) == 0;
}

static bool process(const char *path)
{
    counts_t counts = { 0, 0 };

    step_quick_step(1, "Opening file", "Word Count", STEPS, step_kv("path", path));
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        step_quick_failure(1, "Opening file", strerror(errno), STEPS, step_kv("path", path));
        return false;
    }
    step_quick_success(1, "Opening file", STEPS);

    /* The same three functions by their short names. */
    log_operation_step(2, "Counting words", "Word Count", STEPS);
    const bool ok = count_text(file, &counts);
    if (ok)
        log_step_success(2, "Counting words", STEPS, kv("lines", counts.lines), kv("words", counts.words));
    else
        log_step_failure(2, "Counting words", strerror(errno), STEPS, kv("lines", counts.lines));
    fclose(file);
    return ok;
}

int main(int argc, char **argv)
{
    return process(argc > 1 ? argv[1] : __FILE__) ? EXIT_SUCCESS : EXIT_FAILURE;
}
