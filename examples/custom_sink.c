/* custom_sink: a log of one's own with three outputs, one of them a sink that this program implements.
 *
 *     custom_sink [FILE...]
 *
 * Reads files, some of which cannot be read. People get text on stderr, machines get JSON lines in custom_sink.jsonl, and the
 * program itself is told of everything from ERROR up: it counts the failures and keeps the last lines, as a health check would. */
#include <step_logger.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The sink */

enum { KEPT_LINES = 3, LINE_BYTES = 256 };

typedef struct watch {
    int failures;
    int lines;
    char last[KEPT_LINES][LINE_BYTES]; /* line n is in n % KEPT_LINES */
} watch_t;

static void watch_line(watch_t *watch, const char *line, size_t length)
{
    char *kept = watch->last[watch->lines++ % KEPT_LINES];
    const int bytes = (int)(length < LINE_BYTES ? length : LINE_BYTES - 1);
    snprintf(kept, LINE_BYTES, "%.*s", bytes, line);
    if (strstr(kept, " - FAILED: ") != NULL)
        watch->failures++;
}

/* Gets whole lines, often several at once, from one thread of the library's. It takes them all, or fails with errno. */
static int watch_write(void *ctx, const char *bytes, size_t len)
{
    for (const char *end = bytes + len; bytes < end;) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        watch_line(ctx, bytes, (size_t)(newline - bytes));
        bytes = newline + 1;
    }
    return 0;
}

static void watch_print(const watch_t *watch)
{
    const int first = watch->lines > KEPT_LINES ? watch->lines - KEPT_LINES : 0;
    printf("%d failures, the last lines:\n", watch->failures);
    for (int i = first; i < watch->lines; i++)
        printf("  %s\n", watch->last[i % KEPT_LINES]);
}

/* ---- The log */

static step_log_t *open_log(watch_t *watch)
{
    static const step_sink_ops_t watch_ops = { .size = sizeof(watch_ops), .write = watch_write };
    static const step_text_options_t plain = { .size = sizeof(plain), .ascii = 1 };
    step_log_t *log = NULL;
    int result = step_log_open(NULL, &log);
    if (result == STEP_OK)
        result = step_log_add_output(log, step_sink_fd(STDERR_FILENO), step_format_text(), STEP_LEVEL_INFO);
    if (result == STEP_OK)
        result = step_log_add_output(log, step_sink_file("custom_sink.jsonl"), step_format_json(), STEP_LEVEL_DEBUG);
    if (result == STEP_OK)
        result = step_log_add_output(log, step_sink_custom(&watch_ops, watch), step_format_text_with(&plain),
                                     STEP_LEVEL_ERROR);
    if (result == STEP_OK)
        return log;
    fprintf(stderr, "cannot open the log: %s (%s)\n", step_error_text(result), strerror(errno));
    step_log_close(log);
    return NULL;
}

/* ---- The work */

static void read_file(step_logger_t *op, int number, const char *path)
{
    char buffer[4096];
    size_t bytes = 0;
    size_t got;
    step_logger_step(op, number, "Reading file", step_kv("path", path));
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        step_logger_failure_errno(op, errno, step_kv("path", path));
        return;
    }
    while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0)
        bytes += got;
    if (ferror(file))
        step_logger_failure_errno(op, errno, step_kv("path", path));
    else
        step_logger_success(op, step_kv("bytes", bytes));
    fclose(file);
}

static void read_files(step_log_t *log, const char *const *paths, int count)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    options.total_steps = count;
    step_logger_t *op = step_logger_new_with("Read Files", &options);
    step_logger_start(op, step_kv("files", count));
    for (int i = 0; i < count; i++)
        read_file(op, i + 1, paths[i]);
    step_logger_complete(op, step_kv("files", count));
    step_logger_free(op);
}

int main(int argc, char **argv)
{
    const char *const samples[] = { "/dev/null", "no/such/file", "/" };
    const bool given = argc > 1;
    watch_t watch = { 0 };
    step_log_t *log = open_log(&watch);
    if (log == NULL)
        return EXIT_FAILURE;
    read_files(log, given ? (const char *const *)argv + 1 : samples, given ? argc - 1 : 3);
    const int closed = step_log_close(log); /* from here on nobody writes to `watch` */
    watch_print(&watch);
    return closed == STEP_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
