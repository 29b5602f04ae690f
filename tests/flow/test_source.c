/* File and line of calls, on request: every kind of call, short and long, from call sites known and new, and from code that is
 * gone when its line is written. Who does not ask, pays nothing and sees nothing. */
#include <step_logger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

enum { ROUNDS = 3 };

static step_log_t *log_under_test;
static step_sink_t *plain, *shown;
static size_t seen;

static int64_t no_time(void *ctx)
{
    (void)ctx;
    return 1000000000;
}

static int open_with(const step_clock_t *clock)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    const step_json_options_t json = { .size = sizeof(json), .source = 1 };
    options.clock = clock;
    options.level = STEP_LEVEL_DEBUG;
    plain = step_sink_memory(1 << 24);
    shown = step_sink_memory(1 << 24);
    seen = 0;
    return step_log_open(&options, &log_under_test) != STEP_OK ||
           step_log_add_output(log_under_test, plain, step_format_json(), 0) != STEP_OK ||
           step_log_add_output(log_under_test, shown, step_format_json_with(&json), 0) != STEP_OK ||
           step_log_set_default(log_under_test) != STEP_OK;
}

static int open_log(void **state)
{
    (void)state;
    return open_with(NULL);
}

static int open_clocked(void **state)
{
    const step_clock_t clock = { .wall_ns = no_time, .monotonic_ns = no_time, .ctx = NULL };
    (void)state;
    return open_with(&clock);
}

static int close_log(void **state)
{
    (void)state;
    return step_log_close(log_under_test) != STEP_OK;
}

/* What came out since the last such call. */
static const char *new_lines(void)
{
    assert_int_equal(step_log_flush(log_under_test, 10000), STEP_OK);
    const char *lines = step_sink_memory_text(shown) + seen;
    seen += strlen(lines);
    return lines;
}

/* Each new line is from this file, and from the source line that is named; 0: it says none. */
static void expect_sources(const unsigned *lines, size_t count)
{
    char expected[512];
    const char *at = new_lines();
    for (size_t i = 0; i < count; i++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        snprintf(expected, sizeof(expected), ",\"file\":\"%s\",\"line\":%u", __FILE__, lines[i]);
        const char *found = strstr(at, lines[i] != 0 ? expected : "\"file\"");
        if ((lines[i] != 0) != (found != NULL && found < end))
            fail_msg("line %zu should be of source line %u: %.*s", i, lines[i], (int)(end - at), at);
        at = end + 1;
    }
    assert_string_equal(at, "");
}

#define HERE (unsigned)__LINE__

static void every_call(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) { /* from the second on, the sites are known */
        step_logger_t *op = step_logger_new("Sync", 3);
        const unsigned first = HERE;
        step_logger_start(op);
        step_logger_step(op, 1, "one");
        step_logger_success(op);
        step_logger_step(op, 2, "two", step_kv("a", 1));
        step_logger_success(op, step_kv("a", 1), step_kv("b", "x"));
        step_logger_step(op, 3, "three");
        step_logger_progress(op, 1, 2);
        step_logger_message(op, STEP_LEVEL_INFO, "m", step_kv("a", 1));
        step_logger_messagef(op, STEP_LEVEL_INFO, "%d", 1);
        step_info("m");
        step_info("m", step_kv("a", 1));
        step_log_message(log_under_test, STEP_LEVEL_INFO, "m", step_kv("a", 1));
        step_logger_failure(op, "no", step_kv("a", 1));
        step_quick_step(1, "q", "o", 2);
        step_quick_success(1, "q", 2);
        step_quick_success(1, "q", 2, step_kv("a", 1));
        step_quick_failure(1, "q", "no", 2, step_kv("a", 1));
        step_logger_skip(op, "misuse: says its place, too");
        step_logger_complete(op, step_kv("a", 1));
        const unsigned last = HERE - 1;
        unsigned lines[32];
        for (unsigned k = first + 1; k <= last; k++)
            lines[k - first - 1] = k;
        step_logger_free(op);
        expect_sources(lines, last - first);
    }
    assert_null(strstr(step_sink_memory_text(plain), "\"file\""));
}

static void errors_and_ends(void **state)
{
    (void)state;
    step_logger_t *op = step_logger_new("Sync", 1);
    const unsigned first = HERE;
    step_logger_start(op);
    step_logger_failure_errno(op, 2);
    step_logger_step(op, 1, "one");
    step_logger_free(op); /* the library's own line */
    expect_sources((const unsigned[]){ first + 1, first + 2, first + 3, 0 }, 4);
}

/* The same keys at two places are two places. */
static void same_fields_elsewhere(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const unsigned first = HERE;
        step_info("m", step_kv("a", i), step_kv("b", "x"));
        step_info("m", step_kv("a", i), step_kv("b", "x"));
        expect_sources((const unsigned[]){ first + 1, first + 2 }, 2);
    }
}

/* A user's own file and line are renamed where the line has ours, and stay where it does not. */
static void users_names(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        step_info("m", step_kv("file", "a"), step_kv("line", 1));
        assert_non_null(strstr(new_lines(), ",\"file_1\":\"a\",\"line_1\":1}"));
        assert_non_null(strstr(step_sink_memory_text(plain), ",\"file\":\"a\",\"line\":1}"));
    }
}

/* What bindings do: no site, or one that the library may not look at later. */
static void sites_of_bindings(void **state)
{
    (void)state;
    char file[] = "gone.py";
    step_site_t site = { .file = file, .line = 77 };
    step_site_t nameless = { .file = NULL, .line = 78 };
    const step_field_t field = step_i64("a", 1);
    step_message_fields(&site, STEP_LEVEL_INFO, "m", &field, 1);
    memset(file, 'x', sizeof(file) - 1);
    memset(&site, 0xFF, sizeof(site));
    const char *lines = new_lines();
    assert_non_null(strstr(lines, ",\"file\":\"gone.py\",\"line\":77,"));
    step_message_fields(NULL, STEP_LEVEL_INFO, "m", &field, 1);
    step_message_fields(&nameless, STEP_LEVEL_INFO, "m", &field, 1);
    expect_sources((const unsigned[]){ 0, 0 }, 2);
}

/* An output that asks may come at any time, also when sites are known already. */
static void asked_late(void **state)
{
    (void)state;
    const step_logfmt_options_t asks = { .size = sizeof(asks), .source = 1 };
    step_log_t *log = NULL;
    char expected[512];
    assert_int_equal(step_log_open(NULL, &log), STEP_OK);
    step_sink_t *first = step_sink_memory(65536), *late = step_sink_memory(65536);
    assert_int_equal(step_log_add_output(log, first, step_format_json(), 0), STEP_OK);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            assert_int_equal(step_log_add_output(log, late, step_format_logfmt_with(&asks), 0), STEP_OK);
        step_log_message(log, STEP_LEVEL_INFO, "m", step_kv("a", i));
        snprintf(expected, sizeof(expected), " file=%s line=%d depth=0 ", __FILE__, __LINE__ - 1);
        assert_int_equal(step_log_flush(log, 10000), STEP_OK);
        assert_int_equal(strstr(step_sink_memory_text(late), expected) != NULL, i >= 2);
    }
    assert_null(strstr(step_sink_memory_text(first), "file"));
    assert_int_equal(step_log_close(log), STEP_OK);
}

static void *log_from_two_places(void *go)
{
    while (atomic_load((atomic_int *)go) == 0)
        continue;
    for (int i = 0; i < 1000; i++) {
        step_info("first");
        step_info("second", step_kv("i", i));
    }
    return NULL;
}

/* All threads come by the same new sites at once: no line is without its place, or with another's. */
static void many_threads(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    pthread_t threads[THREADS];
    atomic_int go = 0;
    char first[512], second[512];
    size_t firsts = 0, seconds = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_from_two_places, &go), 0);
    atomic_store(&go, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *line = strdup(new_lines());
    assert_non_null(line);
    for (char *rest = line, *at; (at = strsep(&rest, "\n")) != NULL && *at != '\0';) {
        const bool is_first = strstr(at, "\"message\":\"first\"") != NULL;
        const char *file = strstr(at, ",\"file\":\"");
        assert_non_null(file);
        char *known = is_first ? first : second;
        size_t *count = is_first ? &firsts : &seconds;
        const char *end = strchr(strstr(file, ",\"line\":") + 8, ',');
        assert_non_null(end);
        if (*count == 0)
            snprintf(known, sizeof(first), "%.*s", (int)(end - file), file);
        assert_memory_equal(file, known, (size_t)(end - file));
        (*count)++;
    }
    assert_int_equal(firsts, THREADS * 1000);
    assert_int_equal(seconds, THREADS * 1000);
    assert_string_not_equal(first, second);
    free(line);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_log, close_log)
#define CLOCKED(function)                                                                                              \
    {                                                                                                                  \
        #function " (clocked)", function, open_clocked, close_log, NULL                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_call),         CLOCKED(every_call), TEST(errors_and_ends), TEST(same_fields_elsewhere),
        TEST(users_names),        CLOCKED(users_names), TEST(sites_of_bindings), cmocka_unit_test(asked_late),
        TEST(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
