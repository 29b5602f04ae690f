/* The end of the process without step_log_close(): what is pending goes out, however slow the sink, and lines of later exit
 * handlers, too. Each process is a child whose output is a pipe that this one reads. */
#include "core_support.h"

#include <sys/wait.h>
#include <unistd.h>

static step_log_t *late; /* of the child: an exit handler that runs after the library's logs to it */

__attribute__((destructor(101))) static void log_after_everything(void)
{
    if (late != NULL)
        step_log_message(late, STEP_LEVEL_INFO, "the very last");
}

typedef struct child {
    pid_t pid;
    int pipe; /* reads */
} child_t;

static child_t start(void (*body)(int fd))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        alarm(50);
        body(ends[1]);
        exit(0);
    }
    close(ends[1]);
    return (child_t){ .pid = pid, .pipe = ends[0] };
}

/* Until its end, at most so many bytes a millisecond; 0: as fast as it goes. Returns how many lines there were, and the last one. */
static size_t read_lines(const child_t *child, size_t bytes_per_ms, char last[256])
{
    static char buffer[4096];
    size_t lines = 0, length = 0;
    for (;;) {
        const size_t want = bytes_per_ms != 0 ? bytes_per_ms : sizeof(buffer);
        const ssize_t n = read(child->pipe, buffer, want);
        assert_true(n >= 0);
        if (n == 0)
            return lines;
        for (ssize_t i = 0; i < n; i++) {
            if (length < 255)
                last[length] = buffer[i];
            if (buffer[i] != '\n') {
                length++;
                continue;
            }
            last[length < 255 ? length : 255] = '\0';
            length = 0;
            lines++;
        }
        if (bytes_per_ms != 0)
            stepi_sleep(1000000);
    }
}

static int status_of(const child_t *child)
{
    int status = -1;
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close(child->pipe);
    return status;
}

static step_log_t *open_to(int fd, uint32_t when_full)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.when_full = when_full;
    if (step_log_open(&options, &log) != STEP_OK ||
        step_log_add_output(log, step_sink_fd(fd), step_format_text(), 0) != STEP_OK)
        _exit(1);
    return log;
}

enum { MANY = 12000 };

static void log_many(step_log_t *log)
{
    for (int i = 0; i < MANY; i++) {
        char text[100];
        snprintf(text, sizeof(text), "%06d %080d", i, 0);
        step_log_message(log, STEP_LEVEL_INFO, text);
    }
}

static void log_many_and_exit(int fd)
{
    log_many(open_to(fd, STEP_FULL_BLOCK));
}

/* More than the queue holds, to a reader that takes some 5 s for it. */
static void a_slow_reader_gets_everything(void **state)
{
    (void)state;
    char last[256];
    const child_t child = start(log_many_and_exit);
    const size_t lines = read_lines(&child, 256, last);
    assert_int_equal(status_of(&child), 0);
    assert_int_equal(lines, MANY);
    assert_memory_equal(last, "[INFO] 011999 ", 14);
}

static void log_late(int fd)
{
    late = open_to(fd, STEP_FULL_BLOCK);
    step_log_message(late, STEP_LEVEL_INFO, "the first");
}

static void exit_handlers_that_run_last_may_log(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        char last[256];
        const child_t child = start(log_late);
        const size_t lines = read_lines(&child, 0, last);
        assert_int_equal(status_of(&child), 0);
        assert_int_equal(lines, 2);
        assert_string_equal(last, "[INFO] the very last");
    }
}

static void *flush_for_ever(void *argument)
{
    for (;;)
        step_log_flush(argument, 60000);
    return NULL;
}

static void exit_during_flushes(int fd)
{
    step_log_t *log = open_to(fd, STEP_FULL_BLOCK);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        if (pthread_create(&threads[i], NULL, flush_for_ever, log) != 0)
            _exit(1);
    step_log_message(log, STEP_LEVEL_INFO, "the first");
    stepi_sleep(20000000);
    step_log_message(log, STEP_LEVEL_INFO, "the last");
}

static void other_threads_may_flush_meanwhile(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char last[256];
        const child_t child = start(exit_during_flushes);
        const size_t lines = read_lines(&child, 0, last);
        assert_int_equal(status_of(&child), 0);
        assert_int_equal(lines, 2);
        assert_string_equal(last, "[INFO] the last");
    }
}

/* Nobody reads: the pipe is full, the writer hangs. */
static void a_reader_that_hangs_is_given_up(void **state)
{
    (void)state;
    const int64_t since = stepi_monotonic_ns();
    const child_t child = start(log_many_and_exit);
    int status = -1;
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    close(child.pipe);
    assert_int_equal(status, 0);
    assert_in_range(stepi_monotonic_ns() - since, 0, 30 * SECOND_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_gets_everything),
        cmocka_unit_test(exit_handlers_that_run_last_may_log),
        cmocka_unit_test(other_threads_may_flush_meanwhile),
        cmocka_unit_test(a_reader_that_hangs_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
