/* Each call of the library to libc and the kernel fails, one at a time and for all N the Nth, with each error that it is known for;
 * then all of them. To open, log, flush, reopen and close ends in bounded time without crash and leak, what is in the file are whole
 * lines, each once and in order, and the counts add up.
 *
 * Every run is a process of its own, so that what is set up once for a process fails, too. Left out is what
 * cannot fail: sysconf(_SC_PAGESIZE), getauxval(), masks of signals, waking others. */
/* wrap: open openat read pread write writev close fstat fstatat fstatfs fcntl lseek poll readlinkat getcwd isatty */
/* wrap: malloc calloc realloc aligned_alloc strdup strndup mmap munmap madvise clock_gettime getrandom syscall sigpending */
/* wrap: sigtimedwait pthread_create pthread_key_create pthread_setspecific pthread_atfork pthread_setname_np at_quick_exit */
#include "fault.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>

enum { RECORDS = 90, WRITERS = 2, RUNS_EACH = 8 / SLOWER + 1, ALWAYS = -1, ERRORS_MAX = 7 };

/* ---- What fails ---- */

typedef struct fault {
    const char *call;
    int errors[ERRORS_MAX]; /* up to 0 */
} fault_t;

static const fault_t faults[] = {
    { "open", { EINTR, EMFILE, EACCES } },
    { "openat", { EINTR, EMFILE, EACCES, EROFS, ESTALE, ENOSPC, ENOENT } },
    { "read", { EINTR, EIO } },
    { "pread", { EINTR, EIO } },
    { "write", { EINTR, EAGAIN, ENOSPC, EIO, EPIPE, EFBIG } },
    { "writev", { EINTR, EAGAIN, ENOSPC, EIO } },
    { "close", { EINTR, EIO } },
    { "fstat", { EIO, ESTALE, ENOMEM } },
    { "fstatat", { ENOENT, EACCES, EIO } },
    { "fstatfs", { ENOSYS, EIO } },
    { "fcntl", { EMFILE, EINVAL } },
    { "lseek", { EINVAL, ENXIO } },
    { "poll", { EINTR, ENOMEM } },
    { "readlinkat", { EACCES, EIO } },
    { "getcwd", { ENOENT, ENOMEM } },
    { "isatty", { ENOTTY, EBADF } },
    { "malloc", { ENOMEM } },
    { "calloc", { ENOMEM } },
    { "realloc", { ENOMEM } },
    { "aligned_alloc", { ENOMEM } },
    { "strdup", { ENOMEM } },
    { "strndup", { ENOMEM } },
    { "mmap", { ENOMEM, EAGAIN } },
    { "munmap", { ENOMEM } },
    { "madvise", { EINVAL, ENOMEM } },
    { "clock_gettime", { EINVAL, EPERM } },
    { "getrandom", { EAGAIN, ENOSYS } },
    { "futex", { EINTR, EAGAIN, ENOSYS } }, /* FUTEX_WAIT */
    { "membarrier", { ENOSYS, EPERM } },
    { "sigpending", { EINVAL } },
    { "sigtimedwait", { EINTR } },
    { "pthread_create", { EAGAIN, EPERM } },
    { "pthread_key_create", { EAGAIN, ENOMEM } },
    { "pthread_setspecific", { ENOMEM } },
    { "pthread_atfork", { ENOMEM } },
    { "pthread_setname_np", { ERANGE, ENOENT } },
    { "at_quick_exit", { ENOMEM } },
};
enum { FAULTS = sizeof(faults) / sizeof(faults[0]) };

/* Set before a run begins. */
static const char *failing_call;
static int failing_error;
static long failing_number; /* or ALWAYS */

static atomic_bool armed;
static atomic_long calls; /* of the one that fails */

static bool fails(const char *call)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed) || strcmp(call, failing_call) != 0)
        return false;
    const long number = atomic_fetch_add(&calls, 1) + 1;
    if (failing_number != ALWAYS && number != failing_number)
        return false;
    errno = failing_error;
    return true;
}

/* In place of a call whose parameters are known. */
#define INSTEAD(result, failure, name, parameters, arguments)                                                          \
    result __real_##name parameters;                                                                                   \
    result __wrap_##name parameters;                                                                                   \
    result __wrap_##name parameters                                                                                    \
    {                                                                                                                  \
        return fails(#name) ? (failure) : __real_##name arguments;                                                     \
    }

INSTEAD(ssize_t, -1, read, (int fd, void *bytes, size_t length), (fd, bytes, length))
INSTEAD(ssize_t, -1, pread, (int fd, void *bytes, size_t length, off_t at), (fd, bytes, length, at))
INSTEAD(ssize_t, -1, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
INSTEAD(ssize_t, -1, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
INSTEAD(int, -1, fstat, (int fd, struct stat *status), (fd, status))
INSTEAD(int, -1, fstatat, (int dir, const char *path, struct stat *status, int flags), (dir, path, status, flags))
INSTEAD(int, -1, fstatfs, (int fd, struct statfs *status), (fd, status))
INSTEAD(off_t, -1, lseek, (int fd, off_t at, int whence), (fd, at, whence))
INSTEAD(ssize_t, -1, readlinkat, (int dir, const char *path, char *to, size_t length), (dir, path, to, length))
INSTEAD(char *, NULL, getcwd, (char *to, size_t length), (to, length))
INSTEAD(int, 0, isatty, (int fd), (fd))
INSTEAD(void *, NULL, malloc, (size_t bytes), (bytes))
INSTEAD(void *, NULL, calloc, (size_t count, size_t bytes), (count, bytes))
INSTEAD(void *, NULL, realloc, (void *memory, size_t bytes), (memory, bytes))
INSTEAD(void *, NULL, aligned_alloc, (size_t alignment, size_t bytes), (alignment, bytes))
INSTEAD(char *, NULL, strdup, (const char *text), (text))
INSTEAD(char *, NULL, strndup, (const char *text, size_t length), (text, length))
INSTEAD(void *, MAP_FAILED, mmap, (void *address, size_t bytes, int protection, int flags, int fd, off_t at),
        (address, bytes, protection, flags, fd, at))
INSTEAD(int, -1, munmap, (void *address, size_t bytes), (address, bytes))
INSTEAD(int, -1, madvise, (void *address, size_t bytes, int advice), (address, bytes, advice))
INSTEAD(int, -1, clock_gettime, (clockid_t id, struct timespec *now), (id, now))
INSTEAD(ssize_t, -1, getrandom, (void *bytes, size_t length, unsigned flags), (bytes, length, flags))
INSTEAD(int, -1, sigpending, (sigset_t * set), (set))
INSTEAD(int, -1, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *within),
        (set, info, within))
INSTEAD(int, errno, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
        (thread, attributes, run, argument))
INSTEAD(int, errno, pthread_key_create, (pthread_key_t * key, void (*destroy)(void *)), (key, destroy))
INSTEAD(int, errno, pthread_setspecific, (pthread_key_t key, const void *value), (key, value))
INSTEAD(int, errno, pthread_atfork, (void (*before)(void), void (*parent)(void), void (*child)(void)),
        (before, parent, child))
INSTEAD(int, errno, pthread_setname_np, (pthread_t thread, const char *name), (thread, name))
INSTEAD(int, -1, at_quick_exit, (void (*run)(void)), (run))

int __real_poll(struct pollfd *fds, nfds_t count, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int ms);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __real_openat(int dir, const char *path, int flags, mode_t mode);
int __wrap_openat(int dir, const char *path, int flags, mode_t mode);
int __real_fcntl(int fd, int command, long argument);
int __wrap_fcntl(int fd, int command, long argument);
long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

static atomic_bool somebody_polled;

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
    const bool failed = fails("poll");
    atomic_store(&somebody_polled, true);
    return failed ? -1 : __real_poll(fds, count, ms);
}

/* Linux closes what it then complains about. */
int __wrap_close(int fd)
{
    const int result = __real_close(fd);
    return fails("close") ? -1 : result;
}

int __wrap_open(const char *path, int flags, mode_t mode)
{
    return fails("open") ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, mode_t mode)
{
    return fails("openat") ? -1 : __real_openat(dir, path, flags, mode);
}

int __wrap_fcntl(int fd, int command, long argument)
{
    return fails("fcntl") ? -1 : __real_fcntl(fd, command, argument);
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    const bool waits = number == SYS_futex && (b & FUTEX_CMD_MASK) == FUTEX_WAIT;
    if ((waits && fails("futex")) || (number == SYS_membarrier && fails("membarrier")))
        return -1;
    return __real_syscall(number, a, b, c, d, e, f);
}

/* ---- What goes on meanwhile ---- */

typedef struct run {
    const place_t *place;
    uint32_t mode;
    bool to_pipe;
    atomic_long *calls; /* to the parent */
} run_t;

static void say_nothing(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code, (void)text;
}

/* Whatever could not be done, it says so. */
static bool is_known_error(int result)
{
    return result == STEP_OK || result == STEP_EIO || result == STEP_ENOMEM || result == STEP_ETIMEOUT;
}

typedef struct writer {
    step_log_t *log;
    int number;
    pthread_t thread;
} writer_t;

static void *put_some(void *argument)
{
    const writer_t *writer = argument;
    for (long i = 0; i < RECORDS; i++) {
        put_record(writer->log, writer->number, i);
        if (i % 30 == 29)
            CHECK(is_known_error(step_log_flush(writer->log, FLUSH_MS)));
    }
    return NULL;
}

static void log_by_threads(step_log_t *log)
{
    writer_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer_t){ .log = log, .number = i };
        CHECK(__real_pthread_create(&writers[i].thread, NULL, put_some, &writers[i]) == 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
}

static void log_an_operation(step_log_t *log)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    step_logger_t *op = step_logger_new_with("Operation", &options);
    step_logger_start(op);
    step_logger_step(op, 1, "one");
    step_logger_failure(op, "no", step_kv("text", "value"));
    step_logger_complete(op);
    step_logger_free(op);
}

/* All that there is in the file is whole, once, in order; all that was counted as written is there. */
static void check_file(const char *path, const step_stats_t *stats, bool is_final)
{
    if (access(path, F_OK) != 0) {
        CHECK(stats->written == 0);
        return;
    }
    const tally_t tally = tally_file(path);
    CHECK(tally.strange == 0 && tally.disorder == 0 && !tally.torn_end);
    CHECK(!is_final || tally.total == (long)stats->written);
}

/* A pipe that is full until somebody waits for room; what it takes then lands in the file. */
typedef struct funnel {
    int ends[2], file;
    pthread_t reader;
} funnel_t;

enum { PIPE_BYTES = 4096 };

static void *pour(void *argument)
{
    const funnel_t *funnel = argument;
    char some[PIPE_BYTES];
    while (!atomic_load(&somebody_polled))
        sleep_ms(1);
    CHECK(__real_read(funnel->ends[0], some, sizeof(some)) == PIPE_BYTES); /* what filled it */
    for (ssize_t n; (n = __real_read(funnel->ends[0], some, sizeof(some))) > 0;)
        CHECK(__real_write(funnel->file, some, (size_t)n) == n);
    return NULL;
}

static void open_funnel(funnel_t *funnel, int file)
{
    static const char filling[PIPE_BYTES];
    funnel->file = file;
    CHECK(pipe2(funnel->ends, O_CLOEXEC | O_NONBLOCK) == 0 && fcntl(funnel->ends[0], F_SETFL, 0) == 0);
    CHECK(fcntl(funnel->ends[1], F_SETPIPE_SZ, PIPE_BYTES) == PIPE_BYTES);
    CHECK(write(funnel->ends[1], filling, PIPE_BYTES) == PIPE_BYTES);
    CHECK(__real_pthread_create(&funnel->reader, NULL, pour, funnel) == 0);
}

static void close_funnel(funnel_t *funnel)
{
    atomic_store(&somebody_polled, true);
    __real_close(funnel->ends[1]);
    pthread_join(funnel->reader, NULL);
    __real_close(funnel->ends[0]);
}

/* True, with its statistics, when nothing is left to be written. */
static bool use_log(step_log_t *log, step_sink_t *sink, step_stats_t *stats)
{
    if (step_log_add_output(log, sink, step_format_text(), 0) != STEP_OK)
        return false;
    log_by_threads(log);
    const int reopened = step_log_reopen(log);
    CHECK(is_known_error(reopened) || reopened == STEP_EINVAL);
    const int flushed = step_log_flush(log, FLUSH_MS);
    CHECK(is_known_error(flushed));
    if (flushed != STEP_OK && flushed != STEP_EIO)
        return false;
    *stats = check_oracle(log);
    return true;
}

/* An operation to a link to a file that ends inside a line, to a device, to a pipe that nobody reads. */
static void use_other_log(const step_log_options_t *options, int broken_pipe)
{
    step_log_t *log = NULL;
    if (step_log_open(options, &log) != STEP_OK)
        return;
    step_log_add_output(log, step_sink_file("by.log"), step_format_json(), 0);
    step_log_add_output(log, step_sink_file("/dev/null"), step_format_logfmt(), 0);
    step_log_add_output(log, step_sink_fd(broken_pipe), step_format_text(), 0);
    log_an_operation(log);
    CHECK(is_known_error(step_log_close(log)));
}

static void run_once(void *argument)
{
    const run_t *run = argument;
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.diagnose = say_nothing;
    options.mode = run->mode;
    options.ring_bytes = 4096;
    step_stats_t stats = { .size = sizeof(stats) };
    step_log_t *log = NULL;
    funnel_t funnel;
    bool is_final = false;
    int nobody[2];
    CHECK(chdir(run->place->directory) == 0 && pipe2(nobody, O_CLOEXEC) == 0 && close(nobody[0]) == 0);
    const int file = open("app.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    CHECK(file >= 0);
    open_funnel(&funnel, file);
    const int before = open_descriptors();

    atomic_store(&armed, true);
    if (step_log_open(&options, &log) == STEP_OK) {
        is_final = use_log(log, run->to_pipe ? step_sink_fd(funnel.ends[1]) : step_sink_file("app.log"), &stats);
        use_other_log(&options, nobody[1]);
        CHECK(is_known_error(step_log_close(log)));
    }
    atomic_store(&armed, false);

    CHECK(open_descriptors() == before);
    close_funnel(&funnel);
    check_file("app.log", &stats, is_final);
    *run->calls = atomic_load(&calls);
}

/* ---- Each in turn ---- */

static void fail_one(run_t *run, const fault_t *fault, int error, long number)
{
    failing_call = fault->call;
    failing_error = error;
    failing_number = number;
    *run->calls = 0;
    unlink(run->place->file);
    unlink(in_place(run->place, "half.log"));
    spit(in_place(run->place, "half.log"), "somebody was killed here");
    const int status = run_scenario(run_once, run);
    if (status != 0)
        print_error("%s, call %ld: %s\n", fault->call, number, strerror(error));
    assert_int_equal(status, 0);
}

/* What is repeated until it works, each write for 2 s. */
static bool passes_by(const char *call, int error)
{
    return (strncmp(call, "write", 5) == 0 && (error == EINTR || error == EAGAIN)) || strcmp(call, "sigtimedwait") == 0;
}

/* Each call that is made, of those that are made all the time ever fewer; then all of them. A clock is denied always: it does not
 * go back to 0 for once. Returns how many calls there are at least. */
static long fail_each(run_t *run, const fault_t *fault, int error)
{
    const bool is_clock = strcmp(fault->call, "clock_gettime") == 0;
    long number = 0;
    do {
        number += 1 + number / RUNS_EACH;
        if (!is_clock)
            fail_one(run, fault, error, number);
    } while (!is_clock && *run->calls >= number);
    if (!passes_by(fault->call, error))
        fail_one(run, fault, error, ALWAYS);
    return is_clock ? *run->calls : number - 1;
}

static long made[FAULTS];

static void fail_all(void **state, uint32_t mode, bool to_pipe)
{
    run_t run = { .place = *state, .mode = mode, .to_pipe = to_pipe };
    run.calls = mmap(NULL, sizeof(*run.calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(run.calls != MAP_FAILED);
    assert_int_equal(symlink("half.log", in_place(*state, "by.log")), 0);
    for (size_t i = 0; i < FAULTS; i++)
        for (size_t e = 0; e < ERRORS_MAX && faults[i].errors[e] != 0; e++)
            made[i] += fail_each(&run, &faults[i], faults[i].errors[e]);
    munmap(run.calls, sizeof(*run.calls));
}

static void each_fails_with_a_file(void **state)
{
    fail_all(state, STEP_MODE_ASYNC, false);
}

static void each_fails_with_a_pipe(void **state)
{
    fail_all(state, STEP_MODE_ASYNC, true);
}

static void each_fails_in_the_call_with_a_pipe(void **state)
{
    fail_all(state, STEP_MODE_SYNC, true);
}

static void every_call_was_made(void **state)
{
    (void)state;
    int never = 0;
    for (size_t i = 0; i < FAULTS; i++) {
        never += made[i] == 0;
        if (made[i] == 0)
            print_error("%s is never called\n", faults[i].call);
    }
    assert_int_equal(never, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(each_fails_with_a_file),
        PLACE_TEST(each_fails_with_a_pipe),
        PLACE_TEST(each_fails_in_the_call_with_a_pipe),
        cmocka_unit_test(every_call_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
