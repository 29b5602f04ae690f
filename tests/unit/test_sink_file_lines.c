/* step_sink_file(): a line is whole, or ends before the next one begins. */
#include "sink_support.h"

#define NOBODY 65534

static step_sink_t *must_open(const char *path)
{
    step_sink_t *sink = step_sink_file(path);
    assert_non_null(sink);
    return sink;
}

static void a_predecessors_torn_line_ends(void **state)
{
    const place_t *place = *state;
    spit(place->file, "whole\nhal");
    step_sink_t *sink = must_open(place->file);
    assert_file_holds(place->file, "whole\nhal"); /* opening alone writes nothing */
    size_t taken;
    assert_int_equal(put(sink, "next\n", &taken), 0);
    assert_int_equal(taken, 5);
    assert_int_equal(put(sink, "more\n", &taken), 0);
    assert_file_holds(place->file, "whole\nhal\nnext\nmore\n");
    assert_int_equal(rename(place->file, in_place(place, "old")), 0);
    spit(place->file, "also hal");
    assert_int_equal(sink->reopen(sink), 0);
    assert_int_equal(put(sink, "next\n", &taken), 0);
    sink->close(sink);
    assert_file_holds(place->file, "also hal\nnext\n");
}

static void a_torn_line_that_somebody_ended_is_left_alone(void **state)
{
    const place_t *place = *state;
    spit(place->file, "hal");
    step_sink_t *one = must_open(place->file);
    step_sink_t *other = must_open(place->file);
    assert_int_equal(put(one, "one\n", NULL), 0);
    assert_int_equal(put(other, "other\n", NULL), 0);
    one->close(one);
    assert_file_holds(place->file, "hal\none\nother\n");
    assert_int_equal(truncate(place->file, 6), 0);
    one = must_open(place->file);
    assert_int_equal(truncate(place->file, 0), 0);
    assert_int_equal(put(one, "fresh\n", NULL), 0);
    one->close(one);
    other->close(other);
    assert_file_holds(place->file, "fresh\n");
}

static void tear_a_line(void *argument)
{
    const place_t *place = argument;
    size_t taken;
    spit(place->file, "12345\n");
    step_sink_t *sink = step_sink_file(place->file);
    CHILD_CHECK(sink != NULL && limit_file_size(10) == 0);
    CHILD_CHECK(put(sink, "7\n9abc\n", &taken) == EFBIG && taken == 4);
    CHILD_CHECK(put(sink, "lost\n", &taken) == EFBIG && taken == 0);
    CHILD_CHECK(limit_file_size(11) == 0);
    CHILD_CHECK(put(sink, "lost too\n", &taken) == EFBIG && taken == 0); /* but the newline found room */
    CHILD_CHECK(sink->reopen(sink) == 0);
    CHILD_CHECK(limit_file_size(13) == 0);
    CHILD_CHECK(put(sink, "xyz\n", &taken) == EFBIG && taken == 2);
    CHILD_CHECK(sink->reopen(sink) == 0); /* remembered, or seen again */
    CHILD_CHECK(limit_file_size(RLIM_INFINITY) == 0);
    CHILD_CHECK(put(sink, "fresh\n", &taken) == 0 && taken == 6);
    sink->close(sink);
}

static void our_own_torn_line_ends(void **state)
{
    place_t *place = *state;
    assert_int_equal(in_child(tear_a_line, place), 0);
    assert_file_holds(place->file, "12345\n7\n9a\nxy\nfresh\n");
}

static void append_what_we_may_not_read(void *argument)
{
    const place_t *place = argument;
    if (geteuid() == 0)
        CHILD_CHECK(setegid(NOBODY) == 0 && seteuid(NOBODY) == 0);
    step_sink_t *sink = step_sink_file(place->file);
    CHILD_CHECK(sink != NULL);
    CHILD_CHECK(put(sink, "glued\n", NULL) == 0);
    CHILD_CHECK(limit_file_size(12) == 0);
    CHILD_CHECK(put(sink, "torn\n", NULL) == EFBIG);
    CHILD_CHECK(sink->reopen(sink) == 0); /* the same file: what we knew of it still holds */
    CHILD_CHECK(limit_file_size(RLIM_INFINITY) == 0);
    CHILD_CHECK(put(sink, "fresh\n", NULL) == 0);
    sink->close(sink);
}

static void a_file_that_we_may_not_read_is_appended_to_all_the_same(void **state)
{
    place_t *place = *state;
    spit(place->file, "hal-");
    assert_int_equal(chmod(place->file, 0222), 0);
    assert_int_equal(chmod(place->directory, 0711), 0);
    assert_int_equal(in_child(append_what_we_may_not_read, place), 0);
    assert_int_equal(chmod(place->file, 0600), 0);
    assert_file_holds(place->file, "hal-glued\nto\nfresh\n");
}

/* Several processes, blocks of some 100 KiB, each opening the file again and again in the middle of it all. */
enum { WRITERS = 8, BLOCKS = 12, LINES = 1000, LINE_BYTES = 100 };

static void write_blocks(void *argument)
{
    const place_t *place = argument;
    char *block = malloc(LINES * LINE_BYTES);
    CHILD_CHECK(block != NULL);
    memset(block, 'a' + (int)(getpid() % 26), LINES * LINE_BYTES);
    for (size_t i = 1; i <= LINES; i++)
        block[i * LINE_BYTES - 1] = '\n';
    for (int i = 0; i < BLOCKS; i++) {
        size_t taken;
        step_sink_t *sink = step_sink_file(place->file);
        CHILD_CHECK(sink != NULL);
        CHILD_CHECK(sink->write(sink, block, LINES * LINE_BYTES, &taken) == 0);
        sink->close(sink);
    }
    free(block);
}

static void several_processes_share_a_file(void **state)
{
    place_t *place = *state;
    pid_t children[WRITERS];
    int start[2]; /* closed when all are ready */
    assert_int_equal(pipe2(start, O_CLOEXEC), 0);
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char nothing;
            close(start[1]);
            CHILD_CHECK(read(start[0], &nothing, 1) == 0);
            write_blocks(place);
            _exit(0);
        }
    }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    size_t bytes;
    char *text = slurp(place->file, &bytes);
    assert_int_equal(bytes, WRITERS * BLOCKS * LINES * LINE_BYTES);
    for (size_t at = 0; at < bytes; at += LINE_BYTES) {
        assert_int_equal(text[at + LINE_BYTES - 1], '\n');
        for (size_t i = 1; i < LINE_BYTES - 1; i++)
            assert_true(text[at + i] == text[at]);
    }
    free(text);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    alarm(30);
    const struct CMUnitTest tests[] = {
        PLACED(a_predecessors_torn_line_ends),
        PLACED(a_torn_line_that_somebody_ended_is_left_alone),
        PLACED(our_own_torn_line_ends),
        PLACED(a_file_that_we_may_not_read_is_appended_to_all_the_same),
        PLACED(several_processes_share_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
