/* Everything of step_logger/testing.h as a C and as a C++ program would write it: compiled (not run) by header.sh, without a
 * framework and with a failure function of one's own. */
#ifdef WITH_OWN_FAILURE
void fail_test(const char *where, int at, const char *text);
#define STEP_TEST_FAIL(file, line, text) fail_test(file, line, text)
#endif
#include <step_logger/testing.h>

#include <stdlib.h>

int captures(void);
size_t looks(step_capture_t *capture, const char *key);
void expects(step_capture_t *capture, const char *name, bool yes);
void compares(const char *text);

int captures(void)
{
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    static const step_capture_options_t constant = STEP_CAPTURE_OPTIONS_INIT;
    step_log_options_t log = STEP_LOG_OPTIONS_INIT;
    step_logger_options_t operation = STEP_LOGGER_OPTIONS_INIT;
    options.log = &log;
    options.wall_ns = STEP_CAPTURE_WALL_NS;
    options.max_bytes = STEP_CAPTURE_BYTES;
    step_capture_t *capture = step_capture_new(&options);
    operation.log = step_capture_log(capture);
    step_capture_advance_ms(capture, 250);
    step_capture_advance_ns(capture, 1);
    step_capture_clear(capture);
    step_capture_free(capture);
    step_capture_free(step_capture_new(&constant));
    return operation.log == NULL;
}

size_t looks(step_capture_t *capture, const char *key)
{
    size_t found = 0;
    for (size_t i = 0; i < step_capture_count(capture); i++) {
        const step_captured_t *line = step_capture_at(capture, i);
        const step_field_t *field = step_captured_field(line, key);
        found += line->step != STEP_NO_STEP && field != NULL && field->type == STEP_FIELD_I64 ? 1u : 0u;
    }
    return found + (step_capture_text(capture) == step_capture_json(capture) ? 1u : 0u);
}

void expects(step_capture_t *capture, const char *name, bool yes)
{
    step_expectation_t kept = step_with(step_started(name), step_kv("table", "models"));
    step_assert(capture, kept);
    step_assert(capture, step_completed("Export"));
    step_assert(capture, step_left_incomplete("Export"));
    step_assert(capture, step_began("Export", 1));
    step_assert(capture, step_succeeded("Export", STEP_ANY_STEP));
    step_assert(capture, step_failed("Export", 2, "HTTP 503*"));
    step_assert(capture, step_skipped("Export", 3, NULL));
    step_assert(capture, step_logged(STEP_LEVEL_WARNING, "Page was short"));
    step_assert(capture, step_retried("Export", 2, 1));
    step_assert(capture, step_course("Export", "1 succeeded, *"));
    step_assert(capture, step_times(step_is_open("Export"), 1));
    step_assert(capture, step_never(step_with_like(kept, "path", "/srv/*")));
    if (yes)
        step_assert(capture, step_nothing_from(STEP_LEVEL_ERROR));
    else
        step_assert(capture, step_with(step_with(kept, step_kv("a", 1)), step_bool("b", yes)));
    if (!step_capture_meets(capture, kept) && step_capture_find(capture, kept) == NULL)
        stepi_fail(__FILE__, __LINE__, step_capture_check(capture, kept));
}

void compares(const char *text)
{
    free(step_normalize(text, STEP_NORMALIZE_ALL));
    free(step_normalize(text, STEP_NORMALIZE_DURATIONS | STEP_NORMALIZE_TIMES | STEP_NORMALIZE_IDS | STEP_NORMALIZE_PROCESS));
}
