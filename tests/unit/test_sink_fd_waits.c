/* step_sink_fd() on pipes and sockets that take their time: what is waited for, and for how long. */
#include "sink_support.h"

#include "platform/io.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>

static atomic_bool poll_times_out;  /* at once, as if the time had passed */
static int rare_reader = -1;        /* then takes a page at each 15th time-out */
static int time_outs;

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (atomic_load(&poll_times_out)) {
        char page[4096];
        if (rare_reader >= 0 && ++time_outs % 15 == 0 && read(rare_reader, page, sizeof(page)) <= 0)
            abort();
        return 0;
    }
    const struct timespec timeout = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L };
    return ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, NULL);
}

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

/* Leaves no room at all, and returns how many bytes that took. */
static size_t fill(int fd)
{
    size_t bytes = 0;
    while (write(fd, "x", 1) == 1)
        bytes++;
    assert_int_equal(errno, EAGAIN);
    return bytes;
}

static void drain(int fd, size_t bytes)
{
    char some[4096];
    while (bytes > 0) {
        const ssize_t n = read(fd, some, bytes < sizeof(some) ? bytes : sizeof(some));
        assert_true(n > 0);
        bytes -= (size_t)n;
    }
}

static char *many_lines(size_t bytes)
{
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = i % 64 == 63 || i + 1 == bytes ? '\n' : (char)('a' + i % 26);
    text[bytes] = '\0';
    return text;
}

typedef struct reader {
    int fd;
    size_t chunk; /* bytes per read */
    size_t bytes;
    size_t capacity;
    char *text;
} reader_t;

static void *read_slowly(void *argument)
{
    reader_t *reader = argument;
    const struct timespec nap = { .tv_nsec = 20000000 };
    nanosleep(&nap, NULL);
    ssize_t n = 1;
    while (n > 0 && reader->bytes < reader->capacity) {
        n = read(reader->fd, reader->text + reader->bytes, reader->chunk);
        reader->bytes += n > 0 ? (size_t)n : 0;
    }
    return NULL;
}

static void start_reader(reader_t *reader, pthread_t *thread, size_t capacity)
{
    reader->capacity = capacity;
    reader->text = calloc(1, capacity + reader->chunk);
    assert_non_null(reader->text);
    assert_int_equal(pthread_create(thread, NULL, read_slowly, reader), 0);
}

/* A full pipe that never waits, drained a byte at a time: nothing is lost, nothing twice. */
static void a_full_pipe_is_waited_for(void **state)
{
    (void)state;
    int ends[2];
    make_pipe(ends, O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    const size_t before = fill(ends[1]);
    assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0); /* the reader may wait */
    char *text = many_lines(20000);
    reader_t reader = { .fd = ends[0], .chunk = 1 };
    pthread_t thread;
    start_reader(&reader, &thread, before + 20000);
    step_sink_t *sink = step_sink_fd(ends[1]);
    assert_int_equal(put(sink, text, NULL), 0);
    assert_int_not_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    pthread_join(thread, NULL);
    assert_int_equal(reader.bytes, before + 20000);
    assert_memory_equal(reader.text + before, text, 20000);
    sink->close(sink);
    free(reader.text);
    free(text);
    close_both(ends);
}

static void a_stuck_pipe_is_given_up_and_its_torn_line_ends(void **state)
{
    (void)state;
    int ends[2];
    make_pipe(ends, O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    step_sink_t *sink = step_sink_fd(ends[1]);
    char *text = many_lines(10010);
    size_t taken, later;
    atomic_store(&poll_times_out, true);
    assert_int_equal(put(sink, text, &taken), EAGAIN);
    assert_in_range(taken, 1, 10009);
    assert_int_equal(put(sink, "no room\n", &later), EAGAIN);
    assert_int_equal(later, 0);
    atomic_store(&poll_times_out, false);
    drain(ends[0], taken);
    assert_int_equal(put(sink, "next\n", &later), 0);
    assert_int_equal(later, 5);
    char next[16] = "";
    assert_true(read(ends[0], next, sizeof(next)) > 0);
    assert_string_equal(next, taken % 64 == 0 ? "next\n" : "\nnext\n");
    /* The very newline finds no room, and is still owed afterwards. */
    bool torn = true;
    const size_t filled = fill(ends[1]);
    atomic_store(&poll_times_out, true);
    assert_int_equal(stepi_write_lines(ends[1], "x\n", 2, &taken, &torn), EAGAIN);
    assert_true(torn && taken == 0);
    atomic_store(&poll_times_out, false);
    drain(ends[0], filled);
    assert_int_equal(stepi_write_lines(ends[1], "", 0, &taken, &torn), 0);
    assert_true(torn && taken == 0);
    assert_int_equal(stepi_write_lines(ends[1], "x\n", 2, &taken, &torn), 0);
    assert_true(!torn && taken == 2);
    assert_int_equal(stepi_write_lines(ends[1], "abc", 3, &taken, &torn), 0);
    assert_true(torn && taken == 3);
    sink->close(sink);
    free(text);
    close_both(ends);
}

/* What is slow but goes on is waited for as long as it takes. */
static void patience_starts_again_with_every_byte(void **state)
{
    (void)state;
    int ends[2];
    make_pipe(ends, O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    char *text = many_lines(40000);
    step_sink_t *sink = step_sink_fd(ends[1]);
    rare_reader = ends[0];
    time_outs = 0;
    atomic_store(&poll_times_out, true);
    assert_int_equal(put(sink, text, NULL), 0);
    atomic_store(&poll_times_out, false);
    rare_reader = -1;
    assert_true(time_outs > 100);
    sink->close(sink);
    free(text);
    close_both(ends);
}

/* The newline that ends a torn line goes first, and once, in however many writes the rest goes. */
static void a_torn_line_ends_once(void **state)
{
    (void)state;
    int ends[2];
    make_pipe(ends, O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0);
    char *text = many_lines(20000);
    reader_t reader = { .fd = ends[0], .chunk = 1000 };
    pthread_t thread;
    start_reader(&reader, &thread, 20001);
    bool torn = true;
    size_t taken;
    assert_int_equal(stepi_write_lines(ends[1], text, 20000, &taken, &torn), 0);
    pthread_join(thread, NULL);
    assert_int_equal(reader.bytes, 20001);
    assert_int_equal(reader.text[0], '\n');
    assert_memory_equal(reader.text + 1, text, 20000);
    free(reader.text);
    free(text);
    close_both(ends);
}

/* SIGALRM without SA_RESTART on top of a blocking pipe. */
static void interruptions_change_nothing(void **state)
{
    (void)state;
    int ends[2];
    make_pipe(ends, 0);
    const struct sigaction interrupting = { .sa_handler = catch_signal };
    struct sigaction before;
    const struct itimerval often = { .it_interval.tv_usec = 300, .it_value.tv_usec = 300 };
    const struct itimerval never = { .it_value = { 0 } };
    char *text = many_lines(400000);
    reader_t reader = { .fd = ends[0], .chunk = 512 };
    pthread_t thread;
    sigset_t alarm_only, mask;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, &mask); /* for the reader */
    start_reader(&reader, &thread, 400000);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    assert_int_equal(sigaction(SIGALRM, &interrupting, &before), 0);
    step_sink_t *sink = step_sink_fd(ends[1]);
    caught = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    const int error = put(sink, text, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    alarm(30); /* the timer was the same */
    assert_int_equal(error, 0);
    assert_true(caught > 0);
    pthread_join(thread, NULL);
    assert_int_equal(reader.bytes, 400000);
    assert_memory_equal(reader.text, text, 400000);
    sink->close(sink);
    free(reader.text);
    free(text);
    close_both(ends);
}

/* A packet socket shows where one write ends and the next begins. */
static void a_block_is_one_write(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    step_sink_t *sink = step_sink_fd(ends[1]);
    char *text = many_lines(60000);
    char *got = malloc(65536);
    assert_non_null(got);
    assert_int_equal(put(sink, text, NULL), 0);
    assert_int_equal(read(ends[0], got, 65536), 60000);
    bool torn = true;
    size_t taken;
    assert_int_equal(stepi_write_lines(ends[1], text, 60000, &taken, &torn), 0);
    assert_int_equal(read(ends[0], got, 65536), 60001);
    assert_true(got[0] == '\n' && !torn && taken == 60000);
    assert_memory_equal(got + 1, text, 60000);
    assert_int_equal(stepi_write_all(ends[1], text, 100, &taken), 0);
    assert_int_equal(read(ends[0], got, 65536), 100);
    sink->close(sink);
    free(got);
    free(text);
    close_both(ends);
}

int main(void)
{
    alarm(30);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pipe_is_waited_for),
        cmocka_unit_test(a_stuck_pipe_is_given_up_and_its_torn_line_ends),
        cmocka_unit_test(patience_starts_again_with_every_byte),
        cmocka_unit_test(a_torn_line_ends_once),
        cmocka_unit_test(interruptions_change_nothing),
        cmocka_unit_test(a_block_is_one_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
