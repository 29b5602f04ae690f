/* A capture without memory: each allocation of a scenario fails in turn, the logger's, too. Nothing crashes, nothing
 * leaks (the sanitizer's part), and what could not be kept or read is never taken for what was not logged. */
/* wrap: malloc calloc realloc */
#include "fault.h"

#include <step_logger/testing.h>

enum { TRIES_MAX = 400 };

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

/* The call with this number fails, and with `for_good` all that follow. 0: none does. */
static long calls, failing;
static bool for_good;

static bool fails(void)
{
    if (failing == 0)
        return false;
    calls++;
    if (calls != failing && !(for_good && calls > failing))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __real_realloc(memory, bytes);
}

static void say_nothing(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code, (void)text;
}

static step_capture_t *new_capture(void)
{
    step_log_options_t log = STEP_LOG_OPTIONS_INIT;
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    log.diagnose = say_nothing;
    options.log = &log;
    errno = 0;
    step_capture_t *capture = step_capture_new(&options);
    CHECK(capture != NULL || errno == ENOMEM);
    return capture;
}

/* Whatever has no memory, none of these may be met. (Without memory the logger writes lines without their operation's name.) */
static void expect_no_lies(step_capture_t *capture)
{
    CHECK(!step_capture_meets(capture, step_nothing_from(STEP_LEVEL_ERROR)));
    CHECK(!step_capture_meets(capture, step_never(step_failed(NULL, 1, "*"))));
    CHECK(!step_capture_meets(capture, step_course("Export", "completed")));
    CHECK(!step_capture_meets(capture, step_logged(STEP_LEVEL_INFO, "other")));
}

static bool log_and_look(void)
{
    static char text[5000];
    step_capture_t *capture = new_capture();
    if (capture == NULL)
        return false;
    step_logger_t *op = step_logger_new("Export", 1);
    const bool is_logged = op != NULL;
    memset(text, 'x', sizeof(text) - 1);
    step_logger_start(op, step_kv("table", "models"), step_str("text", text));
    step_logger_step(op, 1, "Writing");
    step_logger_failure(op, "disk full");
    step_logger_free(op);
    for (int i = 0; i < 100; i++)
        step_message(STEP_LEVEL_INFO, "more", step_kv("i", i));
    if (is_logged)
        expect_no_lies(capture);
    const bool is_met = step_capture_meets(capture, step_failed("Export", 1, "disk full"));
    step_capture_json(capture);
    step_capture_at(capture, 5);
    char *normalized = step_normalize(step_capture_text(capture), STEP_NORMALIZE_ALL);
    CHECK(normalized != NULL || errno == ENOMEM);
    free(normalized);
    step_capture_clear(capture);
    step_capture_free(capture);
    return is_met;
}

/* Once this ran, what the library keeps for good is there: from then on each try allocates the same. */
static void fail_in_turn(void *argument)
{
    for_good = *(const bool *)argument;
    CHECK(log_and_look());
    long which = 1;
    for (; which < TRIES_MAX; which++) {
        calls = 0;
        failing = which;
        const bool is_met = log_and_look();
        failing = 0;
        if (calls < which) {
            CHECK(is_met);
            break;
        }
    }
    CHECK(which > 20 && which < TRIES_MAX);
    CHECK(log_and_look());
}

static void one_allocation_fails(void **state)
{
    (void)state;
    bool all_that_follow = false;
    assert_survives(fail_in_turn, &all_that_follow);
}

static void from_one_on_all_fail(void **state)
{
    (void)state;
    bool all_that_follow = true;
    assert_survives(fail_in_turn, &all_that_follow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_fails),
        cmocka_unit_test(from_one_on_all_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
