/* Bound fields: which lines carry them, of which key which value counts, and what is too much. */
#include "core/log.h"
#include "support/plain_format.h"

#include <sys/wait.h>
#include <unistd.h>

static void open_plain(test_log_t *t, uint32_t ring_bytes)
{
    step_log_options_t options = test_log_options(t);
    options.ring_bytes = ring_bytes;
    plain_log_open(t, &options, 0);
}

static int setup(void **state)
{
    test_log_t *t = test_log_new();
    open_plain(t, STEP_LOG_RING_BYTES);
    *state = t;
    return 0;
}

static step_logger_t *made(const char *name, step_logger_t *parent)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = parent;
    return operation_with(name, &options);
}

static step_logger_t *started(const char *name, step_logger_t *parent)
{
    step_logger_t *op = made(name, parent);
    step_logger_start(op);
    return op;
}

/* ---- Which lines ---- */

static void before_and_after_start(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = made("A", NULL);
    step_logger_message(op, STEP_LEVEL_INFO, "bare");
    step_logger_bind(op, step_kv("a", 1));
    step_logger_message(op, STEP_LEVEL_INFO, "early");
    step_logger_start(op, step_kv("own", true));
    step_logger_bind(op, step_kv("b", "two"));
    step_logger_step(op, 1, "one");
    step_info("joins");
    step_logger_success(op, step_kv("n", 3));
    step_logger_success(op);
    step_logger_progress(op, 1, 2);
    step_logger_failure(op, "no");
    finish(op);
    step_info("of none");
    expect_text(t, "INFO message A \"bare\"\nINFO message A \"early\" | a=1\nINFO start A own=1 | a=1\n"
                   "INFO step A/1 | a=1 b=two\nINFO message A/1 \"joins\" | a=1 b=two\nINFO success A/1 n=3 | a=1 b=two\n"
                   "WARNING message A \"success() without step() in operation \"A\"\" | a=1 b=two\n"
                   "INFO progress A | a=1 b=two\nERROR failure A \"no\" | a=1 b=two\nINFO complete A | a=1 b=two\n"
                   "INFO message \"of none\"\n");
    assert_int_equal(balanced_stats(t->log).misused, 1);
}

static void children_inherit(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", NULL);
    step_logger_t *before = started("Before", NULL);
    step_logger_bind(op, step_kv("a", 1)); /* no line of A's own follows */
    step_logger_t *after = started("After", before);
    step_logger_bind(after, step_kv("c", 3));
    step_logger_complete(before);
    finish(after);
    step_logger_bind(op, step_kv("d", 4));
    step_logger_free(before);
    finish(op);
    expect_text(t, "INFO start A\nINFO start Before\nINFO start After | a=1\nINFO complete Before | a=1\n"
                   "INFO complete After | c=3 a=1\nINFO complete A | a=1 d=4\n");
}

static void *child_on_a_thread(void *parent)
{
    step_logger_t *op = started("Worker", parent);
    step_logger_bind(op, step_kv("w", 1));
    step_logger_step(op, 1, "one");
    return op; /* to be ended by another thread */
}

static void other_threads(void **state)
{
    test_log_t *t = *state;
    pthread_t thread;
    void *child;
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_kv("a", 1));
    assert_int_equal(pthread_create(&thread, NULL, child_on_a_thread, op), 0);
    assert_int_equal(pthread_join(thread, &child), 0);
    step_logger_success(child);
    step_logger_bind(child, step_kv("w", 2));
    finish(child);
    finish(op);
    expect_text(t, "INFO start A\nINFO start Worker | a=1\nINFO step Worker/1 | w=1 a=1\nINFO success Worker/1 | w=1 a=1\n"
                   "INFO complete Worker | w=2 a=1\nINFO complete A | a=1\n");
}

static void of_the_log(void **state)
{
    test_log_t *t = *state;
    assert_int_equal(step_log_bind_fields(t->log, NULL, 0), STEP_OK);
    step_info("before");
    step_log_bind(t->log, step_kv("service", "x"), step_kv("host", "h"));
    step_log_bind(NULL, step_kv("service", "catalog"));
    step_info("message", step_kv("service", "own"));
    step_quick_success(1, "quick", 2);
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_kv("host", "mine"), step_kv("a", 1));
    step_logger_free(op);
    step_log_set_level(t->log, STEP_LEVEL_ERROR);
    step_log_bind(t->log, step_kv("host", "later"));
    op = started("B", NULL);
    step_logger_failure(op, "no");
    step_logger_free(op);
    expect_text(t, "INFO message \"before\"\nINFO message \"message\" service=own | host=h service=catalog\n"
                   "INFO success/1 | host=h service=catalog\nINFO start A | host=h service=catalog\n"
                   "WARNING incomplete A | host=mine a=1 service=catalog\n"
                   "ERROR failure B \"no\" | service=catalog host=later\n");
}

static void lines_of_the_library(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    options.when_full = STEP_FULL_DROP;
    options.ring_bytes = 4096;
    options.mode = STEP_MODE_ASYNC;
    capture_t *c = plain_log_open_captured(t, &options, 0);
    step_log_bind(t->log, step_kv("service", "x"));
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_kv("a", 1));
    for (int i = 0; i < 1000; i++)
        step_logger_message(op, STEP_LEVEL_INFO, "many");
    test_log_close(t);
    step_logger_free(op);
    const char *dropped = strstr(capture_text(c), "WARNING dropped ");
    if (dropped != NULL) { /* the backend may be as fast as we are */
        const char *end = strchr(dropped, '\n');
        assert_int_equal(strncmp(end - 12, " | service=x", 12), 0);
    }
    assert_non_null(strstr(capture_text(c), "WARNING incomplete A | a=1 service=x\n"));
    capture_free(c);
}

/* ---- Which value ---- */

static void keys_that_come_again(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_kv("a", 1), step_kv("b", 2), step_kv("a", "last"));
    step_info("x");
    step_logger_bind(op, step_kv("b", 3.5));
    step_info("y", step_kv("a", "own"));
    step_logger_t *child = started("Child", NULL);
    step_logger_bind(child, step_kv("a", (const char *)NULL));
    step_info("z");
    finish(child);
    finish(op);
    expect_text(t, "INFO start A\nINFO message A \"x\" | b=2 a=last\nINFO message A \"y\" a=own | a=last b=3.5\n"
                   "INFO start Child | a=last b=3.5\nINFO message Child \"z\" | a=null b=3.5\n"
                   "INFO complete Child | a=null b=3.5\nINFO complete A | a=last b=3.5\n");
}

/* What waits says what was bound when it was logged. */
static void lines_that_wait(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    options.sample_rate = 0;
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", NULL);
    for (int i = 1; i < 4; i++) {
        step_logger_bind(op, step_kv("a", i));
        step_log_bind(t->log, step_kv("b", i * 10));
        step_info("x");
    }
    step_logger_failure(op, "no");
    finish(op);
    expect_text(t, "INFO start A\nINFO message A \"x\" | a=1 b=10\nINFO message A \"x\" | a=2 b=20\n"
                   "INFO message A \"x\" | a=3 b=30\nERROR failure A \"no\" | a=3 b=30\nINFO complete A | a=3 b=30\n");
}

static void hostile_keys(void **state)
{
    test_log_t *t = *state;
    char key[3001];
    memset(key, 'k', 3000);
    key[3000] = '\0';
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_i64(NULL, 1), step_kv("", 2), step_kv("level", 3), step_kv("a\nb", "c\n8"));
    step_logger_bind(op, step_i64(key, 4));
    step_info("x");
    const char *text = new_text(t);
    static const char expected[] = "INFO start A\nINFO message A \"x\" | null=1 =2 level=3 a\nb=c\n8 kkkk";
    assert_int_equal(strncmp(text, expected, sizeof(expected) - 1), 0);
    assert_non_null(strstr(text, "k...3000=4\n"));
    step_logger_bind(op, step_kv("null", 5), step_kv("", 6)); /* NULL is the same key as null */
    step_info("y");
    assert_non_null(strstr(new_text(t), "...3000=4 null=5 =6\n"));
    finish(op);
    new_text(t);
}

static void secrets(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    options.redact_keys = "*token*, PassWord";
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_kv("api_token", "hush"), step_kv("password", 12), step_secret("pin", "hush"), step_kv("user", "u"));
    step_log_bind(t->log, step_kv("TOKENS", "hush"));
    finish(op);
    expect_text(t, "INFO start A\nINFO complete A | api_token=*** password=*** pin=*** user=u TOKENS=***\n");
}

/* ---- Misuse ---- */

static void after_the_end(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", NULL);
    step_logger_complete(op);
    step_logger_bind(op, step_kv("a", 1));
    step_logger_message(op, STEP_LEVEL_INFO, "late");
    step_logger_free(op);
    step_logger_bind(op, step_kv("a", 2));
    expect_text(t, "INFO start A\nINFO complete A\n"
                   "WARNING message A \"bind() after complete() in operation \"A\"\" | a=1\n"
                   "INFO message A \"late\" | a=1\n");
    assert_int_equal(balanced_stats(t->log).misused, 3);
    step_logger_bind(NULL, step_kv("a", 1));
    step_logger_bind(step_logger_no_parent(), step_kv("a", 1));
    step_logger_t *next = started("B", NULL); /* in that place or another: nothing is bound to it */
    finish(next);
    expect_text(t, "INFO start B\nINFO complete B\n");
    assert_int_equal(balanced_stats(t->log).misused, 3);
    test_log_close(t);
    op = step_logger_new("C", 1);
    step_logger_bind(op, step_kv("a", 1));
    step_logger_free(op);
}

static void places_are_used_again(void **state)
{
    test_log_t *t = *state;
    for (int i = 0; i < 600; i++) {
        step_logger_t *op = started("A", NULL);
        expect_text(t, "INFO start A\n");
        step_logger_bind(op, step_kv("a", i));
        step_logger_t *child = made("Child", i % 2 == 0 ? NULL : step_logger_no_parent());
        step_logger_message(child, STEP_LEVEL_INFO, "early"); /* no child yet */
        expect_text(t, "INFO message Child \"early\"\n");
        step_logger_start(child);
        new_text(t);
        finish(child);
        finish(op);
        new_text(t);
    }
}

static void too_much(void **state)
{
    test_log_t *t = *state;
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    step_logger_t *op = started("A", NULL);
    step_logger_bind(op, step_kv("a", text), step_kv("b", text), step_kv("c", text), step_kv("d", 1));
    expect_told(t, "");
    step_logger_bind(op, step_kv("e", text), step_kv("f", text));
    expect_told(t, "-1: step_logger_bind(): more than 4096 bytes of keys and values; nothing is bound\n");
    const step_field_t fields[] = { step_kv("a", text), step_kv("b", text), step_kv("c", text), step_kv("d", text),
                                    step_kv("e", text) };
    assert_int_equal(step_log_bind_fields(t->log, fields, 5), STEP_EINVAL);
    assert_int_equal(step_log_bind_fields(t->log, fields, 3), STEP_OK);
    assert_int_equal(step_log_bind_fields(t->log, fields + 3, 2), STEP_EINVAL); /* with what is there */
    assert_int_equal(step_log_bind_fields(t->log, NULL, 1), STEP_EINVAL);
    step_logger_bind(op, step_kv("a", 1), step_kv("b", 2));
    new_text(t);
    finish(op);
    char expected[4096];
    snprintf(expected, sizeof(expected), "INFO complete A | c=%s d=1 a=1 b=2\n", text);
    expect_text(t, expected);
    assert_int_equal(balanced_stats(t->log).misused, 3);
}

/* The smallest ring: what may be bound is bound, however long the names are; more is refused, and not left out silently. */
static void tiny_rings(void **state)
{
    test_log_t *t = *state;
    char name[3001], text[401];
    memset(name, 'n', 3000);
    name[3000] = '\0';
    memset(text, 'x', 400);
    text[400] = '\0';
    open_plain(t, 4096);
    step_logger_t *op = started(name, NULL);
    step_logger_bind(op, step_kv("a", text), step_kv("b", 1));
    expect_told(t, "");
    step_logger_step(op, 1, name, step_kv("text", name));
    step_logger_bind(op, step_kv("c", text));
    expect_told(t, "-1: step_logger_bind(): more than 512 bytes of keys and values; nothing is bound\n");
    step_logger_t *child = made(name, NULL);
    step_logger_bind(child, step_kv("b", 2), step_kv("d", text));
    step_logger_start(child, step_kv("text", name), step_kv("more", name));
    new_text(t);
    step_info("x");
    const char *line = new_text(t);
    assert_non_null(strstr(line, " | b=2 d=xxx"));
    assert_non_null(strstr(line, " a=xxx"));
    finish(child);
    step_logger_failure(op, name, step_kv("text", name));
    finish(op);
    line = new_text(t);
    for (int lines = 0; *line != '\0'; lines++, line = strchr(line, '\n') + 1) {
        char copy[4096];
        snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
        assert_non_null(strstr(copy, lines == 0 ? "| b=2 d=xxx" : "| a=xxx"));
    }
}

static void deep_nesting(void **state)
{
    enum { DEPTH = 3000 };
    static step_logger_t *ops[DEPTH];
    test_log_t *t = *state;
    ops[0] = started("A", NULL);
    step_logger_bind(ops[0], step_kv("a", 1));
    for (int i = 1; i < DEPTH; i++) {
        ops[i] = made("Child", ops[i - 1]);
        step_logger_start(ops[i]);
        if (i % 500 == 0)
            assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    }
    new_text(t);
    step_logger_bind(ops[0], step_kv("b", 2));
    step_logger_message(ops[DEPTH - 1], STEP_LEVEL_INFO, "deep");
    expect_text(t, "INFO message Child \"deep\" | a=1 b=2\n");
    for (int i = DEPTH - 1; i >= 0; i--)
        step_logger_free(ops[i]);
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
}

/* ---- Elsewhere ---- */

static void in_a_forked_child(void **state)
{
    test_log_t *t = *state;
    int pipes[2], status;
    char text[PLAIN_PIPED_BYTES];
#ifdef __SANITIZE_THREAD__
    skip(); /* it ends a child that starts a thread */
#endif
    const step_log_options_t options = test_log_options(t);
    plain_log_open_piped(t, &options, pipes);
    step_logger_t *op = started("A", NULL);
    step_log_bind(t->log, step_kv("service", "x"));
    step_logger_bind(op, step_kv("a", 1));
    const pid_t pid = fork_when_written(t->log);
    if (pid == 0) {
        step_logger_bind(op, step_kv("b", 2));
        step_logger_t *child = started("Child", NULL);
        finish(child);
        step_logger_free(op);
        _exit(step_log_close(t->log) == STEP_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    finish(op);
    plain_log_close_piped(t, pipes, text);
    assert_string_equal(text, "INFO start A\nINFO start Child | a=1 b=2 service=x\nINFO complete Child | a=1 b=2 service=x\n"
                              "WARNING incomplete A | a=1 b=2 service=x\nINFO complete A | a=1 service=x\n");
}

static int bind_in_sink(void *ctx, const char *bytes, size_t length)
{
    (void)bytes, (void)length;
    const step_field_t field = step_kv("a", 1);
    assert_int_equal(step_log_bind_fields(*(step_log_t **)ctx, &field, 1), STEP_EINVAL);
    return 0;
}

static void not_from_inside_a_sink(void **state)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = bind_in_sink };
    test_log_t *t = *state;
    assert_int_equal(step_log_add_output(t->log, step_sink_custom(&ops, &t->log), plain_format(0), 0), STEP_OK);
    step_info("x");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    expect_text(t, "INFO message \"x\"\n");
}

static void of_a_closed_log(void **state)
{
    test_log_t *t = *state;
    step_log_t *log = t->log;
    const step_field_t field = step_kv("a", 1);
    test_log_close(t);
    assert_int_equal(step_log_bind_fields(log, &field, 1), STEP_EINVAL);
    assert_int_equal(step_log_bind_fields(NULL, &field, 1), STEP_EINVAL);
    open_plain(t, STEP_LOG_RING_BYTES);
    step_info("x");
    expect_text(t, "INFO message \"x\"\n");
}

#define BIND_TEST(function) cmocka_unit_test_setup_teardown(function, setup, test_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BIND_TEST(before_and_after_start),
        BIND_TEST(children_inherit),
        BIND_TEST(other_threads),
        BIND_TEST(of_the_log),
        BIND_TEST(lines_of_the_library),
        BIND_TEST(keys_that_come_again),
        BIND_TEST(lines_that_wait),
        BIND_TEST(hostile_keys),
        BIND_TEST(secrets),
        BIND_TEST(after_the_end),
        BIND_TEST(places_are_used_again),
        BIND_TEST(too_much),
        BIND_TEST(tiny_rings),
        BIND_TEST(deep_nesting),
        BIND_TEST(in_a_forked_child),
        BIND_TEST(not_from_inside_a_sink),
        BIND_TEST(of_a_closed_log),
    };
    return test_in_both_modes(tests);
}
