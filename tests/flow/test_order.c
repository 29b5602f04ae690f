/* One thread, very many lines, one file: complete, in order, not a byte more. */
#include "support/scratch.h"
#include "support/test_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef STEP_LOGGER_SANITIZED
enum { LINES = 200000 };
#else
enum { LINES = 2000000 };
#endif

/* Line i, as it is logged: its length varies, so that nothing falls into step with blocks and rings. */
static size_t expected_line(char *to, size_t room, int i)
{
    return (size_t)snprintf(to, room, "[INFO] line (i=%d, text=%.*s)\n", i, 1 + i % 37,
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL");
}

static void log_lines(int lines)
{
    char text[40];
    memcpy(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL", sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < lines; i++)
        step_info("line", step_kv("i", i), step_strn("text", text, (size_t)(1 + i % 37)));
}

static void check_file(const char *path, int lines)
{
    struct stat status;
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    const size_t bytes = (size_t)status.st_size;
    const char *text = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(text != MAP_FAILED);
    size_t at = 0;
    for (int i = 0; i < lines; i++) {
        char line[128];
        const size_t n = expected_line(line, sizeof(line), i);
        if (n > bytes - at || memcmp(text + at, line, n) != 0)
            fail_msg("line %d should be %s", i, line);
        at += n;
    }
    assert_int_equal(at, bytes);
    munmap((void *)(uintptr_t)text, bytes);
    close(fd);
}

static void complete_and_in_order(uint32_t mode, int lines)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.mode = mode;
    scratch_make();
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    assert_int_equal(step_log_set_default(log), STEP_OK);
    assert_int_equal(step_log_add_output(log, step_sink_file(scratch_path("log")), step_format_text(), 0), STEP_OK);
    log_lines(lines);
    const step_stats_t stats = balanced_stats(log);
    assert_int_equal(stats.recorded, lines);
    assert_int_equal(stats.written, lines);
    check_file(scratch_path("log"), lines); /* a flush is enough */
    assert_int_equal(step_log_close(log), STEP_OK);
    check_file(scratch_path("log"), lines); /* and close adds nothing */
    scratch_remove();
}

static void asynchronous(void **state)
{
    (void)state;
    complete_and_in_order(STEP_MODE_ASYNC, LINES);
}

static void synchronous(void **state)
{
    (void)state;
    complete_and_in_order(STEP_MODE_SYNC, LINES / 10); /* each line is a write of its own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asynchronous),
        cmocka_unit_test(synchronous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
