/* step_sink_fd(): what a borrowed descriptor, and the process, may and may not suffer. */
#include "sink_support.h"

#include "platform/io.h"

#include <pthread.h>
#include <sys/socket.h>

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
    (void)number;
    caught = caught + 1;
}

static void make_pipe(int ends[2], int flags)
{
    assert_int_equal(pipe2(ends, O_CLOEXEC | flags), 0);
}

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    errno = 0;
    assert_null(step_sink_fd(-1));
    assert_int_equal(errno, EBADF);
    errno = 0;
    assert_null(step_sink_fd(1000));
    assert_int_equal(errno, EBADF);
    const int reading = open("/dev/null", O_RDONLY | O_CLOEXEC);
    errno = 0;
    assert_null(step_sink_fd(reading));
    assert_int_equal(errno, EBADF);
    close(reading);
    const int nothing = open("/tmp", O_PATH | O_CLOEXEC);
    errno = 0;
    assert_null(step_sink_fd(nothing));
    assert_int_equal(errno, EBADF);
    close(nothing);
}

static void a_descriptor_is_borrowed(void **state)
{
    (void)state;
    int ends[2];
    make_pipe(ends, O_NONBLOCK);
    const int flags = fcntl(ends[1], F_GETFL);
    errno = ESTALE;
    step_sink_t *sink = step_sink_fd(ends[1]);
    assert_non_null(sink);
    assert_int_equal(errno, ESTALE);
    assert_null(sink->flush);
    assert_null(sink->reopen);
    assert_int_equal(put(sink, "one\n", NULL), 0);
    assert_int_equal(put(sink, "", NULL), 0);
    sink->close(sink);
    assert_int_equal(fcntl(ends[1], F_GETFL), flags);
    assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
    char text[8] = "";
    assert_int_equal(read(ends[0], text, sizeof(text)), 4);
    assert_string_equal(text, "one\n");
    close_both(ends);
}

static bool blocks(int fd)
{
    step_sink_t *sink = step_sink_fd(fd);
    assert_non_null(sink);
    const bool answer = sink->may_block;
    sink->close(sink);
    close(fd);
    return answer;
}

static void what_may_block_is_known(void **state)
{
    const place_t *place = *state;
    int ends[2];
    assert_false(blocks(open(place->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
    assert_false(blocks(open("/dev/null", O_WRONLY | O_CLOEXEC)));
    assert_false(blocks(open("/dev/full", O_WRONLY | O_CLOEXEC)));
    make_pipe(ends, 0);
    assert_true(blocks(ends[1]));
    close(ends[0]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_true(blocks(ends[1]));
    close(ends[0]);
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0)
        assert_true(blocks(terminal));
}

static void a_full_device_says_so(void **state)
{
    (void)state;
    const int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    step_sink_t *sink = step_sink_fd(fd);
    size_t taken;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put(sink, "lost\n", &taken), ENOSPC);
        assert_int_equal(taken, 0);
    }
    sink->close(sink);
    close(fd);
}

/* ---- Signals --------------------------------------------------------------------------------------------------------*/
static bool is_pending(int number)
{
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, number) == 1;
}

static void block(int how, int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(how, &one, NULL);
}

static void write_to_nobody(void)
{
    int ends[2];
    CHILD_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    close(ends[0]);
    step_sink_t *sink = step_sink_fd(ends[1]);
    size_t taken;
    CHILD_CHECK(put(sink, "nobody reads this\n", &taken) == EPIPE && taken == 0);
    CHILD_CHECK(put(sink, "nor this\n", &taken) == EPIPE && taken == 0);
    sink->close(sink);
    close(ends[1]);
}

static void die_or_not(void *argument)
{
    (void)argument;
    struct sigaction now;
    sigset_t before, after;
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    write_to_nobody();
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CHILD_CHECK(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHILD_CHECK(!is_pending(SIGPIPE));
    for (int number = 1; number < 32; number++)
        CHILD_CHECK(sigismember(&before, number) == sigismember(&after, number));
    signal(SIGPIPE, catch_signal);
    write_to_nobody();
    CHILD_CHECK(caught == 0);
    raise(SIGPIPE); /* the application's own still arrives */
    CHILD_CHECK(caught == 1);
    signal(SIGPIPE, SIG_IGN);
    write_to_nobody();
    CHILD_CHECK(!is_pending(SIGPIPE));
}

static void no_reader_is_no_death(void **state)
{
    (void)state;
    assert_int_equal(in_child(die_or_not, NULL), 0);
}

static void keep_pending(void *argument)
{
    (void)argument;
    signal(SIGPIPE, catch_signal);
    block(SIG_BLOCK, SIGPIPE);
    write_to_nobody();
    CHILD_CHECK(!is_pending(SIGPIPE)); /* ours is consumed, though the application had it blocked */
    raise(SIGPIPE);
    write_to_nobody();
    CHILD_CHECK(is_pending(SIGPIPE)); /* the application's is not */
    CHILD_CHECK(caught == 0);
    block(SIG_UNBLOCK, SIGPIPE);
    CHILD_CHECK(caught == 1);
}

static void a_pending_signal_stays_pending(void **state)
{
    (void)state;
    assert_int_equal(in_child(keep_pending, NULL), 0);
}

static void exceed_the_limit(void *argument)
{
    const place_t *place = argument;
    signal(SIGXFSZ, SIG_DFL);
    const int fd = open(place->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    step_sink_t *sink = step_sink_fd(fd);
    size_t taken;
    CHILD_CHECK(limit_file_size(10) == 0);
    CHILD_CHECK(put(sink, "12345\n789012\n", &taken) == EFBIG && taken == 10);
    CHILD_CHECK(put(sink, "lost\n", &taken) == EFBIG && taken == 0);
    CHILD_CHECK(!is_pending(SIGXFSZ));
    block(SIG_BLOCK, SIGXFSZ);
    raise(SIGXFSZ);
    CHILD_CHECK(put(sink, "lost\n", &taken) == EFBIG && taken == 0);
    CHILD_CHECK(is_pending(SIGXFSZ));
    CHILD_CHECK(limit_file_size(RLIM_INFINITY) == 0);
    CHILD_CHECK(put(sink, "fresh\n", &taken) == 0 && taken == 6);
    CHILD_CHECK(put(sink, "line\n", &taken) == 0 && taken == 5);
    sink->close(sink);
    close(fd);
}

static void a_size_limit_is_no_death_and_a_torn_line_ends(void **state)
{
    place_t *place = *state;
    assert_int_equal(in_child(exceed_the_limit, place), 0);
    assert_file_holds(place->file, "12345\n7890\nfresh\nline\n");
}

static void holding_signals_preserves_errno(void **state)
{
    (void)state;
    stepi_signals_t held;
    errno = ESTALE;
    stepi_signals_hold(&held);
    stepi_signals_release(&held, EPIPE); /* though there is none to consume */
    assert_int_equal(errno, ESTALE);
}

/* ---- Terminals ------------------------------------------------------------------------------------------------------*/
static void a_hung_up_terminal_is_an_error(void **state)
{
    (void)state;
    const int outer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (outer < 0 || grantpt(outer) != 0 || unlockpt(outer) != 0)
        skip();
    const int inner = open(ptsname(outer), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (inner < 0)
        skip();
    step_sink_t *sink = step_sink_fd(inner);
    assert_int_equal(put(sink, "seen\n", NULL), 0);
    close(outer);
    assert_int_equal(put(sink, "unseen\n", NULL), EIO);
    sink->close(sink);
    close(inner);
}

int main(void)
{
    alarm(30);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_descriptors_are_refused),
        cmocka_unit_test(a_descriptor_is_borrowed),
        cmocka_unit_test_setup_teardown(what_may_block_is_known, place_make, place_remove),
        cmocka_unit_test(a_full_device_says_so),
        cmocka_unit_test(no_reader_is_no_death),
        cmocka_unit_test(a_pending_signal_stays_pending),
        cmocka_unit_test_setup_teardown(a_size_limit_is_no_death_and_a_torn_line_ends, place_make, place_remove),
        cmocka_unit_test(holding_signals_preserves_errno),
        cmocka_unit_test(a_hung_up_terminal_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
