/* What callgrind counts: calls of one kind, or lines of one format.
 *
 *     subject KIND COUNT
 *
 * success, quick, message, off: the call alone, on the calling thread. text, json, logfmt: a line from the ring to the block,
 * without the call; steps: two lines of text, a step's beginning and its end. */
#include <step_logger.h>

#include <stdlib.h>
#include <string.h>

static step_logger_t *operation;

/* Each in a function that counting is turned on for. */
#define COUNTED __attribute__((noinline)) static void

static void open_step(void)
{
    step_logger_step(operation, 2, "Fetching models from API");
}

static void open_nothing(void)
{
}

COUNTED one_success(int i)
{
    step_logger_success(operation, step_kv("raw_count", i), step_kv("status_code", 200),
                        step_kv("provider", "openrouter"), step_fixed("cost", 1523.7, 1));
}

COUNTED one_quick(int i)
{
    step_quick_success(2, "Fetching models from API", 4, step_kv("raw_count", i), step_kv("status_code", 200),
                       step_kv("provider", "openrouter"), step_fixed("duration_ms", 1523.7, 1));
}

COUNTED one_message(int i)
{
    step_info("Fetched batch", step_kv("batch", i));
}

COUNTED one_off(int i)
{
    step_debug("Fetched batch", step_kv("batch", i));
}

typedef struct subject {
    const char *kind;
    void (*before)(void);
    void (*call)(int i);
    step_format_t *(*format)(void);
} subject_t;

static const subject_t subjects[] = {
    { "success", open_step, one_success, step_format_text }, { "quick", open_nothing, one_quick, step_format_text },
    { "message", open_nothing, one_message, step_format_text }, { "off", open_nothing, one_off, step_format_text },
    { "steps", open_step, one_success, step_format_text },
    { "text", open_nothing, one_quick, step_format_text }, { "json", open_nothing, one_quick, step_format_json },
    { "logfmt", open_nothing, one_quick, step_format_logfmt },
};

int main(int argc, char **argv)
{
    enum { BURST = 500 };
    step_log_t *log;
    const subject_t *subject = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof(subjects) / sizeof(subjects[0]); i++)
        if (strcmp(subjects[i].kind, argv[1]) == 0)
            subject = &subjects[i];
    if (subject == NULL || step_log_open(NULL, &log) != STEP_OK ||
        step_log_add_output(log, step_sink_file("/dev/null"), subject->format(), 0) != STEP_OK)
        return 2;
    step_log_set_default(log);
    operation = step_logger_new("Provider: Fetch Models", 4);
    step_logger_start(operation);
    for (int i = 0; i < atoi(argv[2]); i++) {
        subject->before();
        subject->call(i);
        if (i % BURST == BURST - 1)
            step_log_flush(log, 60000);
    }
    step_logger_complete(operation);
    step_logger_free(operation);
    step_log_close(log);
    return 0;
}
