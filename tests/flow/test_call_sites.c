/* A call site is learned at its first call; from the second on values travel alone. Whatever a site does then, its lines read as
 * if every call were its first. */
#include <step_logger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 3 };

static step_log_t *log_under_test;
static step_sink_t *memory;

static int open_log(void **state)
{
    (void)state;
    memory = step_sink_memory(64 << 20);
    return step_log_open(NULL, &log_under_test) != STEP_OK ||
           step_log_add_output(log_under_test, memory, step_format_text(), 0) != STEP_OK ||
           step_log_set_default(log_under_test) != STEP_OK;
}

static int close_log(void **state)
{
    (void)state;
    return step_log_close(log_under_test) != STEP_OK;
}

/* What was logged, flushed; the oracle holds. */
static const char *text(void)
{
    step_stats_t stats = { .size = sizeof(stats) };
    assert_int_equal(step_log_flush(log_under_test, 10000), STEP_OK);
    assert_int_equal(step_log_stats(log_under_test, &stats), STEP_OK);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(stats.recorded, stats.written);
    return step_sink_memory_text(memory);
}

static void assert_lines(const char *expected)
{
    assert_string_equal(text(), expected);
}

static void every_type(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        step_info("a", step_kv("b", (bool)true), step_kv("c", (char)65), step_kv("u", 4000000000u), step_kv("l", -5L));
        step_info("b", step_kv("f", 0.5f), step_kv("d", 0.1), step_kv("s", "two words"), step_kv("n", (const char *)NULL));
        step_info("c", step_fixed("fixed", 2.0, 3), step_percent("percent", 2.752), step_bool("bool", 0), step_str("str", ""));
        step_info("d", step_i64("i", INT64_MIN), step_u64("u", UINT64_MAX), step_f64("f", 1e300), step_secret("key", "hunter2"));
    }
    const char *expected = "[INFO] a (b=true, c=65, u=4000000000, l=-5)\n"
                           "[INFO] b (f=0.5, d=0.1, s=\"two words\", n=null)\n"
                           "[INFO] c (fixed=2.000, percent=2.8%, bool=false, str=\"\")\n"
                           "[INFO] d (i=-9223372036854775808, u=18446744073709551615, f=1e+300, key=***)\n";
    char all[2048] = "";
    for (int i = 0; i < ROUNDS; i++)
        strcat(all, expected);
    assert_lines(all);
}

/* The same place, other fields: what was learned first must not be taken for the others. */
static step_field_t helper(int i)
{
    return i == 0 ? step_kv("zero", 0) : i == 1 ? step_kv("none", 1) : step_kv("text", "two");
}

static void fields_that_change(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        step_info("chosen", i == 1 ? step_kv("a", 1) : step_kv("b", 2));
        step_info("helper", helper(i), step_kv("i", i));
        step_info("decimals", step_fixed("v", 1.0, i));
        const char *const keys[] = { "k0", "k1", "k2" };
        step_info("key", step_i64(keys[i], i), step_strn("strn", "abc", (size_t)i + 1));
    }
    assert_lines("[INFO] chosen (b=2)\n[INFO] helper (zero=0, i=0)\n[INFO] decimals (v=1)\n[INFO] key (k0=0, strn=a)\n"
                 "[INFO] chosen (a=1)\n[INFO] helper (none=1, i=1)\n[INFO] decimals (v=1.0)\n[INFO] key (k1=1, strn=ab)\n"
                 "[INFO] chosen (b=2)\n[INFO] helper (text=two, i=2)\n[INFO] decimals (v=1.00)\n[INFO] key (k2=2, strn=abc)\n");
}

static int evaluated;

static int count_evaluation(void)
{
    return ++evaluated;
}

static void evaluated_once_or_never(void **state)
{
    (void)state;
    evaluated = 0;
    for (int i = 0; i < ROUNDS; i++) {
        step_debug("off", step_kv("n", count_evaluation()));
        step_info("on", step_kv("n", count_evaluation()));
        step_quick_success(1, "quick", 2, step_kv("n", count_evaluation()));
    }
    assert_int_equal(evaluated, 2 * ROUNDS);
    assert_lines("[INFO] on (n=1)\n[INFO] ✅ [1/2] quick - SUCCESS (n=2)\n"
                 "[INFO] on (n=3)\n[INFO] ✅ [1/2] quick - SUCCESS (n=4)\n"
                 "[INFO] on (n=5)\n[INFO] ✅ [1/2] quick - SUCCESS (n=6)\n");
}

/* Every length around what is copied at once and what the short way takes, at every distance from a page that is not there. */
static void texts_of_every_length(void **state)
{
    (void)state;
    enum { LONGEST = 300, PAGE = 4096 };
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *expected = malloc(LONGEST * (LONGEST + 64));
    assert_true(pages != MAP_FAILED && expected != NULL);
    assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    size_t at = 0;
    for (int length = 1; length < LONGEST; length++) {
        char *value = pages + PAGE - length - 1; /* its terminator is the page's last byte */
        memset(value, 'a' + length % 26, (size_t)length);
        value[length] = '\0';
        step_info("m", step_kv("v", (const char *)value));
        at += (size_t)sprintf(expected + at, "[INFO] m (v=%s)\n", value);
    }
    assert_lines(expected);
    free(expected);
    munmap(pages, 2 * PAGE);
}

static void success_in_its_states(void **state)
{
    (void)state;
    step_logger_t *op = step_logger_new("Op", 3);
    step_logger_start(op);
    for (int i = 0; i < 2; i++) {
        step_logger_step(op, 1, "one");
        step_logger_success(op, step_kv("round", i));
        step_logger_step(op, 2, "two");
        step_logger_success(op, step_kv("round", i));
        step_logger_success(op, step_kv("again", i));
    }
    step_logger_complete(op);
    step_logger_free(op);
    const char *lines = text();
    int successes = 0, misuses = 0;
    for (const char *at = lines; (at = strstr(at, " - SUCCESS (round=")) != NULL; at++)
        successes++;
    for (const char *at = lines; (at = strstr(at, "success() without step() in operation \"Op\" (again=")) != NULL; at++)
        misuses++;
    assert_int_equal(successes, 4);
    assert_int_equal(misuses, 2);
}

/* Every record fills the ring a little differently: the end of the data comes at every offset. */
static void many_laps(void **state)
{
    (void)state;
    enum { LINES = 60000 };
    char value[130];
    step_log_set_level(log_under_test, STEP_LEVEL_INFO);
    size_t bytes = 0;
    char line[256];
    for (int i = 0; i < LINES; i++) {
        const int length = i * 7 % 129;
        memset(value, 'x', sizeof(value));
        value[length] = '\0';
        step_info("lap", step_kv("i", i), step_kv("v", (const char *)value));
        bytes += (size_t)sprintf(line, length > 0 ? "[INFO] lap (i=%d, v=%s)\n" : "[INFO] lap (i=%d, v=\"\"%s)\n", i, value);
    }
    const char *all = text();
    assert_int_equal(strlen(all), bytes);
    int expected = 0;
    for (const char *at = all; *at != '\0'; at = strchr(at, '\n') + 1)
        assert_int_equal(atoi(at + strlen("[INFO] lap (i=")), expected++);
    assert_int_equal(expected, LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type, open_log, close_log),
        cmocka_unit_test_setup_teardown(fields_that_change, open_log, close_log),
        cmocka_unit_test_setup_teardown(evaluated_once_or_never, open_log, close_log),
        cmocka_unit_test_setup_teardown(texts_of_every_length, open_log, close_log),
        cmocka_unit_test_setup_teardown(success_in_its_states, open_log, close_log),
        cmocka_unit_test_setup_teardown(many_laps, open_log, close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
