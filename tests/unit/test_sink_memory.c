/* step_sink_memory(): whole lines up to a maximum, readable while they are written. */
#include "sink_support.h"

#include <pthread.h>

static step_sink_t *must_make(size_t max_bytes)
{
    step_sink_t *sink = step_sink_memory(max_bytes);
    assert_non_null(sink);
    return sink;
}

static void text_is_never_null(void **state)
{
    (void)state;
    assert_string_equal(step_sink_memory_text(NULL), "");
    step_sink_t *other = step_sink_fd(1);
    assert_non_null(other);
    assert_string_equal(step_sink_memory_text(other), "");
    other->close(other);
    step_sink_t *sink = must_make(100);
    assert_string_equal(step_sink_memory_text(sink), "");
    assert_false(sink->may_block);
    assert_null(sink->flush);
    assert_null(sink->reopen);
    assert_int_equal(put(sink, "", NULL), 0);
    assert_string_equal(step_sink_memory_text(sink), "");
    assert_int_equal(put(sink, "one\n", NULL), 0);
    assert_string_equal(step_sink_memory_text(sink), "one\n");
    assert_string_equal(step_sink_memory_text(sink), "one\n");
    assert_int_equal(put(sink, "two\nthree\n", NULL), 0);
    assert_string_equal(step_sink_memory_text(sink), "one\ntwo\nthree\n");
    sink->close(sink);
}

static void a_line_fits_whole_or_not_at_all(void **state)
{
    (void)state;
    size_t taken;
    step_sink_t *sink = must_make(10);
    assert_int_equal(put(sink, "123\n567\n9ab\n", &taken), ENOSPC);
    assert_int_equal(taken, 8);
    assert_int_equal(put(sink, "12\n", &taken), ENOSPC);
    assert_int_equal(taken, 0);
    assert_int_equal(put(sink, "1\n", &taken), 0); /* the very last bytes */
    assert_int_equal(put(sink, "\n", &taken), ENOSPC);
    assert_int_equal(taken, 0);
    assert_int_equal(put(sink, "", &taken), 0);
    assert_string_equal(step_sink_memory_text(sink), "123\n567\n1\n");
    sink->close(sink);
    sink = must_make(0);
    assert_int_equal(put(sink, "\n", &taken), ENOSPC);
    assert_int_equal(taken, 0);
    assert_string_equal(step_sink_memory_text(sink), "");
    sink->close(sink);
}

static size_t make_line(char *line, size_t number)
{
    const size_t filler = number % 97;
    const int head = snprintf(line, 16, "%06zu ", number % 1000000);
    memset(line + head, 'x', filler);
    line[(size_t)head + filler] = '\n';
    return (size_t)head + filler + 1;
}

static size_t assert_lines_in_order(const char *text)
{
    char line[128];
    size_t number = 0;
    while (*text != '\0') {
        const size_t bytes = make_line(line, number);
        if (strncmp(text, line, bytes) != 0)
            fail_msg("line %zu is not itself", number);
        text += bytes;
        number++;
    }
    return number;
}

/* Maxima around the places where storage grows; blocks of one line and of many. */
static void it_grows_up_to_its_maximum(void **state)
{
    (void)state;
    const size_t maxima[] = { 1, 9, 4095, 4096, 4097, 12287, 12288, 12289, 100000, 1000003 };
    for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
        step_sink_t *sink = must_make(maxima[i]);
        char line[128];
        size_t number = 0, kept = 0, taken = 0;
        int error = 0;
        while (error == 0) {
            const size_t bytes = make_line(line, number++);
            error = sink->write(sink, line, bytes, &taken);
            kept += taken;
            assert_true(error == 0 || (error == ENOSPC && taken == 0 && kept + bytes > maxima[i]));
            if (number % 1000 == 0)
                assert_int_equal(assert_lines_in_order(step_sink_memory_text(sink)), number);
        }
        const char *text = step_sink_memory_text(sink);
        assert_int_equal(strlen(text), kept);
        assert_true(kept <= maxima[i]);
        assert_int_equal(assert_lines_in_order(text), number - 1);
        sink->close(sink);
    }
}

static void a_large_block_takes_several_chunks(void **state)
{
    (void)state;
    enum { BYTES = 300000, MAX = 777777 };
    char *block = malloc(BYTES);
    assert_non_null(block);
    for (size_t i = 0; i < BYTES; i++)
        block[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 23);
    step_sink_t *sink = must_make(MAX);
    size_t taken = 0;
    assert_int_equal(sink->write(sink, block, BYTES, &taken), 0);
    assert_int_equal(sink->write(sink, block, BYTES, &taken), 0);
    assert_int_equal(sink->write(sink, block, BYTES, &taken), ENOSPC);
    assert_int_equal(taken, (MAX - 2 * BYTES) / 50 * 50);
    const char *text = step_sink_memory_text(sink);
    assert_int_equal(strlen(text), 2 * BYTES + taken);
    assert_memory_equal(text, block, BYTES);
    assert_memory_equal(text + BYTES, block, BYTES);
    assert_memory_equal(text + 2 * BYTES, block, taken);
    sink->close(sink);
    free(block);
}

static void a_maximum_nobody_reaches_costs_nothing(void **state)
{
    (void)state;
    step_sink_t *sink = must_make(SIZE_MAX);
    assert_int_equal(put(sink, "small\n", NULL), 0);
    assert_string_equal(step_sink_memory_text(sink), "small\n");
    sink->close(sink);
}

static void *write_many(void *argument)
{
    step_sink_t *sink = argument;
    char line[128];
    size_t taken;
    for (size_t number = 0; number < 20000; number++)
        sink->write(sink, line, make_line(line, number), &taken);
    return NULL;
}

static void another_thread_may_read_meanwhile(void **state)
{
    (void)state;
    step_sink_t *sink = must_make(10 * 1000 * 1000);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_many, sink), 0);
    size_t lines = 0;
    for (int looks = 0; looks < 50; looks++) {
        const size_t now = assert_lines_in_order(step_sink_memory_text(sink));
        assert_true(now >= lines);
        lines = now;
    }
    pthread_join(writer, NULL);
    assert_int_equal(assert_lines_in_order(step_sink_memory_text(sink)), 20000);
    sink->close(sink);
}

static void *ask_often(void *argument)
{
    for (int i = 0; i < 2000; i++)
        step_sink_memory_text(argument);
    return NULL;
}

static void two_may_ask_at_once(void **state)
{
    (void)state;
    step_sink_t *sink = must_make(10 * 1000 * 1000);
    pthread_t writer, asker;
    assert_int_equal(pthread_create(&writer, NULL, write_many, sink), 0);
    assert_int_equal(pthread_create(&asker, NULL, ask_often, sink), 0);
    ask_often(sink);
    pthread_join(writer, NULL);
    pthread_join(asker, NULL);
    assert_int_equal(assert_lines_in_order(step_sink_memory_text(sink)), 20000);
    sink->close(sink);
}

int main(void)
{
    alarm(30);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_never_null),
        cmocka_unit_test(a_line_fits_whole_or_not_at_all),
        cmocka_unit_test(it_grows_up_to_its_maximum),
        cmocka_unit_test(a_large_block_takes_several_chunks),
        cmocka_unit_test(a_maximum_nobody_reaches_costs_nothing),
        cmocka_unit_test(another_thread_may_read_meanwhile),
        cmocka_unit_test(two_may_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
