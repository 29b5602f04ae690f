/* Destinations that take nothing, take a byte at a time, say no, hang or go away. What they took is whole lines in order, what
 * they did not take is counted, and the program neither dies of it nor finds its signals or descriptors changed. */
/* wrap: write writev */
#include "fault.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/uio.h>

enum { RECORDS = 20000 / SLOWER };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

/* ---- Writes that fail ---- */

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __real_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count);

typedef struct fault {
    const char *name;
    int error;       /* of one write of so many; 0: none fails */
    int of;
    size_t at_most;  /* bytes that a write takes; 0: all */
    bool loses;      /* what such a write was for */
} fault_t;

static _Atomic(const fault_t *) fault_now;
static atomic_long writes, failures;

/* False: this write fails, errno says how. */
static bool passes(const fault_t *fault)
{
    if (fault->error == 0 || atomic_fetch_add(&writes, 1) % fault->of != fault->of - 1)
        return true;
    atomic_fetch_add(&failures, 1);
    errno = fault->error;
    return false;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    const fault_t *fault = atomic_load(&fault_now);
    if (fault == NULL || fd <= STDERR_FILENO)
        return __real_write(fd, bytes, length);
    if (!passes(fault))
        return -1;
    return __real_write(fd, bytes, fault->at_most != 0 && length > fault->at_most ? fault->at_most : length);
}

ssize_t __wrap_writev(int fd, const struct iovec *parts, int count)
{
    const fault_t *fault = atomic_load(&fault_now);
    if (fault == NULL || fd <= STDERR_FILENO)
        return __real_writev(fd, parts, count);
    if (!passes(fault))
        return -1;
    return fault->at_most != 0 ? __real_write(fd, parts[0].iov_base, 1) : __real_writev(fd, parts, count);
}

/* ---- What is diagnosed ---- */

static atomic_int told;

static void count_telling(void *ctx, int code, const char *text)
{
    (void)ctx, (void)text;
    atomic_fetch_add(&told, code == STEP_EIO);
}

static step_log_t *open_quiet_log(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.diagnose = count_telling;
    return open_log(&options);
}

static step_log_t *open_quiet_file_log(const char *path)
{
    step_log_t *log = open_quiet_log();
    add_output(log, step_sink_file(path), step_format_text());
    return log;
}

static void put_records(step_log_t *log, int writer, long count)
{
    for (long i = 0; i < count; i++)
        put_record(log, writer, i);
}

/* Small batches: many writes. */
static void put_in_batches(step_log_t *log, int writer, long count)
{
    for (long i = 0; i < count; i++) {
        put_record(log, writer, i);
        if (i % 50 == 49)
            step_log_flush(log, FLUSH_MS);
    }
}

typedef struct failing {
    const char *path;
    const fault_t *fault;
    atomic_ulong *written; /* shared with the parent */
} failing_t;

static void log_while_writes_fail(void *argument)
{
    const failing_t *failing = argument;
    step_log_t *log = open_quiet_file_log(failing->path);
    atomic_store(&fault_now, failing->fault);
    put_in_batches(log, 0, RECORDS / 10);
    const int flushed = step_log_flush(log, FLUSH_MS);
    CHECK(flushed == STEP_OK || (failing->fault->loses && flushed == STEP_EIO));
    CHECK(failing->fault->error == 0 || atomic_load(&failures) > 0);
    const step_stats_t stats = check_oracle(log);
    CHECK(stats.dropped == stats.dropped_sink);
    CHECK((stats.dropped > 0) == failing->fault->loses);
    CHECK((atomic_load(&told) > 0) == failing->fault->loses);
    atomic_store(&fault_now, NULL); /* and it goes on */
    put_records(log, 1, 100);
    step_log_flush(log, FLUSH_MS);
    *failing->written = check_oracle(log).written;
    CHECK(step_log_close(log) == STEP_OK);
}

static const fault_t faults[] = {
    { "no space", ENOSPC, 3, 0, true },
    { "no quota", EDQUOT, 3, 0, true },
    { "input/output error", EIO, 3, 0, true },
    { "read-only", EROFS, 2, 0, true },
    { "stale", ESTALE, 2, 0, true },
    { "always no space", ENOSPC, 1, 0, true },
    { "interrupted", EINTR, 2, 0, false },
    { "full for a moment", EAGAIN, 2, 0, false },
    { "a byte at a time", 0, 0, 1, false },
    { "seven bytes at a time", 0, 0, 7, false },
    { "a byte at a time, interrupted", EINTR, 2, 1, false },
    { "a byte at a time, no space", ENOSPC, 1009, 1, true },
};

static void *shared_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

/* A failure inside a line leaves its beginning, which stands on a line of its own; if all but its end was there, it reads as a
 * whole one that was counted as lost. */
static void what_writes_refuse_is_repeated_or_counted(void **state)
{
    failing_t failing = { .path = file_in(*state), .written = shared_memory(sizeof(atomic_ulong)) };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        failing.fault = &faults[i];
        const int status = run_scenario(log_while_writes_fail, &failing);
        if (status != 0)
            print_error("writes: %s\n", faults[i].name);
        assert_int_equal(status, 0);
        const tally_t tally = tally_file(failing.path);
        const long written = (long)*failing.written;
        assert_int_equal(tally.of[1], 100);
        assert_int_equal(tally.disorder, 0);
        if (faults[i].at_most == 0 || !faults[i].loses) {
            assert_int_equal(tally.total, written);
            assert_int_equal(tally.strange, 0);
        } else {
            assert_in_range(tally.total, written, written + RECORDS / 100);
        }
        if (!faults[i].loses)
            assert_int_equal(tally.of[0], RECORDS / 10);
        unlink(failing.path);
    }
    munmap(failing.written, sizeof(atomic_ulong));
}

/* ---- No room ---- */

static void log_to_full_device(void *place)
{
    CHECK(symlink("/dev/full", file_in(place)) == 0);
    step_log_t *log = open_quiet_file_log(file_in(place));
    const double start = seconds_now();
    put_in_batches(log, 0, RECORDS);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK || atomic_load(&told) > 0);
    CHECK(check_oracle(log).dropped_sink == RECORDS);
    CHECK(atomic_load(&told) >= 1 && atomic_load(&told) <= 2 + (int)(seconds_now() - start)); /* one a second */
    CHECK(unlink(file_in(place)) == 0);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_records(log, 1, 100);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == 100);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_full_device_is_counted_and_told_once_a_second(void **state)
{
    assert_survives(log_to_full_device, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[1], 100);
    assert_int_equal(tally.of[0] + tally.strange, 0);
    assert_int_equal(tally.dropped, RECORDS); /* the stream says so, too */
}

enum { FILE_SYSTEM_BYTES = 64 << 10, NOT_ALLOWED = 77 };

static void log_to_full_file_system(void *place)
{
    const char *directory = ((place_t *)place)->directory;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
        mount("none", directory, "tmpfs", 0, "size=64k") != 0)
        exit(NOT_ALLOWED);
    const int ballast = open(in_place(place, "ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(ballast >= 0 && ftruncate(ballast, 0) == 0 && posix_fallocate(ballast, 0, FILE_SYSTEM_BYTES / 2) == 0);
    step_log_t *log = open_quiet_file_log(file_in(place));
    put_in_batches(log, 0, 3000);
    CHECK(check_oracle(log).dropped_sink > 0);
    CHECK(ftruncate(ballast, 0) == 0);
    put_in_batches(log, 1, 100);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    const step_stats_t stats = check_oracle(log);
    CHECK(step_log_close(log) == STEP_OK);
    const tally_t tally = tally_file(file_in(place));
    CHECK(tally.of[1] == 100 && tally.disorder == 0 && !tally.torn_end);
    CHECK(tally.strange <= 1 && tally.total - (long)stats.written <= 1); /* the line that did not fit wholly */
    CHECK(tally.total >= (long)stats.written && tally.dropped == (long)stats.dropped);
}

static void a_full_file_system_is_written_to_when_it_has_room_again(void **state)
{
    const int status = run_scenario(log_to_full_file_system, *state);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
        skip();
    assert_int_equal(status, 0);
}

static void check_disposition(int signal_number)
{
    struct sigaction action;
    CHECK(sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
}

static void log_beyond_file_limit(void *place)
{
    step_log_t *log = open_quiet_file_log(file_in(place));
    CHECK(limit_file_size(5000) == 0);
    put_in_batches(log, 0, 1000);
    const step_stats_t stats = check_oracle(log);
    CHECK(stats.dropped_sink > 0 && stats.written > 0);
    check_disposition(SIGXFSZ);
    CHECK(limit_file_size(RLIM_INFINITY) == 0);
    put_records(log, 1, 100);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == stats.written + 100);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_file_size_limit_does_not_kill(void **state)
{
    assert_survives(log_beyond_file_limit, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[1], 100);
    assert_int_equal(tally.disorder, 0);
    assert_in_range(tally.strange, 0, 1);
    assert_false(tally.torn_end);
}

/* ---- Pipes ---- */

static void log_to_nobody(void *place)
{
    (void)place;
    for (uint32_t mode = STEP_MODE_ASYNC; mode <= STEP_MODE_SYNC; mode++) {
        int ends[2];
        sigset_t pending;
        step_log_options_t options = STEP_LOG_OPTIONS_INIT;
        options.diagnose = count_telling;
        options.mode = mode;
        CHECK(pipe(ends) == 0);
        step_log_t *log = open_log(&options);
        add_output(log, step_sink_fd(ends[1]), step_format_text());
        put_records(log, 0, 10);
        CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
        close(ends[0]);
        put_in_batches(log, 0, 1000);
        step_log_flush(log, FLUSH_MS);
        const step_stats_t stats = check_oracle(log);
        CHECK(stats.written == 10 && stats.dropped_sink == 1000);
        CHECK(atomic_load(&told) > 0);
        check_disposition(SIGPIPE);
        CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0);
        CHECK(step_log_close(log) == STEP_OK);
        CHECK(fcntl(ends[1], F_GETFD) >= 0); /* it stays ours */
        close(ends[1]);
    }
}

static void a_reader_that_goes_does_not_kill(void **state)
{
    assert_survives(log_to_nobody, *state);
}

typedef struct reading {
    int fd;
    char *text;
    size_t used, capacity;
} reading_t;

/* In small pieces, with rests: the pipe is full most of the time. */
static void *read_slowly(void *argument)
{
    reading_t *reading = argument;
    for (int i = 0;; i++) {
        const size_t room = reading->capacity - reading->used - 1;
        const ssize_t n = read(reading->fd, reading->text + reading->used, room < 20000 ? room : 20000);
        if (n <= 0)
            return NULL;
        reading->used += (size_t)n;
        if (i % 4 == 0)
            sleep_ms(2);
    }
}

static void log_to_nonblocking_pipe(void *place)
{
    (void)place;
    int ends[2];
    pthread_t reader;
    CHECK(pipe(ends) == 0);
    const int flags = fcntl(ends[1], F_GETFL) | O_NONBLOCK;
    CHECK(fcntl(ends[1], F_SETFL, flags) == 0);
    reading_t reading = { .fd = ends[0], .capacity = (size_t)RECORDS * 64 };
    reading.text = calloc(1, reading.capacity);
    CHECK(reading.text != NULL && pthread_create(&reader, NULL, read_slowly, &reading) == 0);
    step_log_t *log = open_quiet_log();
    add_output(log, step_sink_fd(ends[1]), step_format_text());
    put_records(log, 0, RECORDS);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == RECORDS);
    CHECK(fcntl(ends[1], F_GETFL) == flags);
    CHECK(step_log_close(log) == STEP_OK);
    CHECK(fcntl(ends[1], F_GETFL) == flags);
    close(ends[1]);
    pthread_join(reader, NULL);
    const tally_t tally = tally_text(reading.text);
    CHECK(tally.of[0] == RECORDS && tally.disorder + tally.strange == 0 && !tally.torn_end);
    free(reading.text);
}

static void a_nonblocking_pipe_loses_nothing_and_keeps_its_flag(void **state)
{
    assert_survives(log_to_nonblocking_pipe, *state);
}

/* ---- One that hangs, one that does not ---- */

static void log_beside_a_blocked_pipe(void *place)
{
    int ends[2];
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.when_full = STEP_FULL_DROP;
    CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0); /* full after a few lines, whatever RECORDS is */
    options.diagnose = count_telling;
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_fd(ends[1]), step_format_text()); /* nobody reads */
    add_output(log, step_sink_file(file_in(place)), step_format_text());
    for (long i = 0; i < RECORDS; i++) {
        put_record(log, 0, i);
        if (i % 100 == 99)
            sleep_ms(1);
    }
    CHECK_SOON(tally_file(file_in(place)).of[0] == RECORDS);
    CHECK(step_log_flush(log, 50) == STEP_ETIMEOUT);
    const double start = seconds_now();
    close(ends[0]);
    const int closed = step_log_close(log);
    CHECK(closed == STEP_OK || closed == STEP_ETIMEOUT);
    CHECK(seconds_now() - start < 15);
}

static void a_sink_that_blocks_does_not_hold_up_another(void **state)
{
    assert_survives(log_beside_a_blocked_pipe, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], RECORDS);
    assert_int_equal(tally.disorder, 0);
}

/* ---- Terminals ---- */

static int open_terminal(int *slave)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    *slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(*slave >= 0);
    return master;
}

static void log_to_hung_up_terminal(void *place)
{
    int slave;
    const int master = open_terminal(&slave);
    step_log_t *log = open_quiet_file_log(file_in(place));
    add_output(log, step_sink_fd(slave), step_format_text());
    put_records(log, 0, 10);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == 10);
    close(master);
    put_in_batches(log, 1, 500);
    step_log_flush(log, FLUSH_MS);
    CHECK(check_oracle(log).dropped_sink == 500);
    CHECK(atomic_load(&told) > 0);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_hung_up_terminal_is_counted_and_the_file_goes_on(void **state)
{
    assert_survives(log_to_hung_up_terminal, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], 10);
    assert_int_equal(tally.of[1], 500);
    assert_int_equal(tally.disorder + tally.strange, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(what_writes_refuse_is_repeated_or_counted),
        PLACE_TEST(a_full_device_is_counted_and_told_once_a_second),
        PLACE_TEST(a_full_file_system_is_written_to_when_it_has_room_again),
        PLACE_TEST(a_file_size_limit_does_not_kill),
        PLACE_TEST(a_reader_that_goes_does_not_kill),
        PLACE_TEST(a_nonblocking_pipe_loses_nothing_and_keeps_its_flag),
        PLACE_TEST(a_sink_that_blocks_does_not_hold_up_another),
        PLACE_TEST(a_hung_up_terminal_is_counted_and_the_file_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
