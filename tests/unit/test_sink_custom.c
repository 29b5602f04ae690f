/* step_sink_custom(): the application's callbacks, whichever version of the struct it was compiled with. */
#include "sink_support.h"

typedef struct calls {
    int writes, flushes, closes;
    int result;    /* what callbacks return */
    int set_errno; /* and leave in errno; 0: they do not touch it */
    char text[64];
} calls_t;

static int answer(const calls_t *calls)
{
    if (calls->set_errno != 0)
        errno = calls->set_errno;
    return calls->result;
}

static int on_write(void *ctx, const char *bytes, size_t len)
{
    calls_t *calls = ctx;
    calls->writes++;
    memcpy(calls->text, bytes, len);
    calls->text[len] = '\0';
    return answer(calls);
}

static int on_flush(void *ctx)
{
    calls_t *calls = ctx;
    calls->flushes++;
    return answer(calls);
}

static void on_close(void *ctx)
{
    calls_t *calls = ctx;
    calls->closes++;
}

static const step_sink_ops_t all_ops = {
    .size = sizeof(step_sink_ops_t), .write = on_write, .flush = on_flush, .close = on_close
};

static void calls_arrive(void **state)
{
    (void)state;
    calls_t calls = { 0 };
    step_sink_ops_t ops = all_ops;
    step_sink_t *sink = step_sink_custom(&ops, &calls);
    memset(&ops, 0xFF, sizeof(ops)); /* it was copied */
    assert_non_null(sink);
    assert_true(sink->may_block);
    assert_null(sink->reopen);
    assert_int_equal(put(sink, "one\ntwo\n", NULL), 0);
    assert_string_equal(calls.text, "one\ntwo\n");
    assert_int_equal(put(sink, "", NULL), 0);
    assert_int_equal(calls.writes, 1);
    assert_int_equal(sink->flush(sink), 0);
    assert_int_equal(calls.flushes, 1);
    assert_int_equal(calls.closes, 0);
    sink->close(sink);
    assert_int_equal(calls.closes, 1);
    assert_int_equal(calls.flushes, 1);
}

static void errors_are_reported_with_their_errno(void **state)
{
    (void)state;
    calls_t calls = { .result = -1, .set_errno = ENETDOWN };
    step_sink_t *sink = step_sink_custom(&all_ops, &calls);
    size_t taken;
    assert_int_equal(put(sink, "lost\n", &taken), ENETDOWN);
    assert_int_equal(taken, 0);
    assert_int_equal(sink->flush(sink), ENETDOWN);
    calls.set_errno = 0;
    errno = ESTALE; /* somebody else's */
    assert_int_equal(put(sink, "lost\n", &taken), EIO);
    assert_int_equal(taken, 0);
    errno = ESTALE;
    assert_int_equal(sink->flush(sink), EIO);
    calls.set_errno = -5;
    assert_int_equal(put(sink, "lost\n", &taken), EIO);
    calls.set_errno = ENETDOWN;
    calls.result = 1; /* not in the contract, and no success */
    assert_int_equal(put(sink, "lost\n", &taken), ENETDOWN);
    calls.result = 0; /* errno does not count on success */
    assert_int_equal(put(sink, "kept\n", &taken), 0);
    assert_int_equal(taken, 5);
    sink->close(sink);
}

static void only_write_is_needed(void **state)
{
    (void)state;
    calls_t calls = { 0 };
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = on_write };
    step_sink_t *sink = step_sink_custom(&ops, &calls);
    assert_non_null(sink);
    assert_null(sink->flush);
    assert_int_equal(put(sink, "one\n", NULL), 0);
    sink->close(sink);
    assert_int_equal(calls.writes, 1);
}

static void assert_refused(const step_sink_ops_t *ops)
{
    errno = 0;
    assert_null(step_sink_custom(ops, NULL));
    assert_int_equal(errno, EINVAL);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    step_sink_ops_t ops = all_ops;
    assert_refused(NULL);
    ops.write = NULL;
    assert_refused(&ops);
    ops = all_ops;
    for (ops.size = 0; ops.size < offsetof(step_sink_ops_t, flush); ops.size++)
        assert_refused(&ops);
    ops.size = SIZE_MAX;
    assert_refused(&ops);
}

/* An older caller's struct is shorter: what lies behind it is not ours to read. */
static void older_callers_are_understood(void **state)
{
    (void)state;
    calls_t calls = { 0 };
    const size_t sizes[] = { offsetof(step_sink_ops_t, flush), offsetof(step_sink_ops_t, close), sizeof(step_sink_ops_t) };
    for (size_t i = 0; i < 3; i++) {
        step_sink_ops_t *ops = malloc(sizes[i]); /* exactly: a sanitizer sees what reads beyond */
        assert_non_null(ops);
        memcpy(ops, &all_ops, sizes[i]);
        memcpy(ops, &sizes[i], sizeof(sizes[i]));
        step_sink_t *sink = step_sink_custom(ops, &calls);
        free(ops);
        assert_non_null(sink);
        assert_int_equal(sink->flush != NULL, i >= 1);
        assert_int_equal(put(sink, "one\n", NULL), 0);
        sink->close(sink);
        assert_int_equal(calls.closes, i == 2);
    }
    assert_int_equal(calls.writes, 3);
}

static void newer_callers_may_not_want_more_than_there_is(void **state)
{
    (void)state;
    struct {
        step_sink_ops_t known;
        void *unknown[2];
    } newer = { .known = all_ops };
    calls_t calls = { 0 };
    newer.known.size = sizeof(newer);
    step_sink_t *sink = step_sink_custom(&newer.known, &calls);
    assert_non_null(sink);
    assert_int_equal(sink->flush(sink), 0);
    sink->close(sink);
    assert_int_equal(calls.closes, 1);
    newer.unknown[1] = &calls;
    assert_refused(&newer.known);
    newer.known.size = sizeof(newer) - sizeof(void *);
    sink = step_sink_custom(&newer.known, &calls);
    assert_non_null(sink);
    sink->close(sink);
}

int main(void)
{
    alarm(30);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_arrive),
        cmocka_unit_test(errors_are_reported_with_their_errno),
        cmocka_unit_test(only_write_is_needed),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(older_callers_are_understood),
        cmocka_unit_test(newer_callers_may_not_want_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
