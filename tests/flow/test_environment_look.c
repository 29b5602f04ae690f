/* How the default log's lines look as the environment asks for it: format, times, emoji, ids, canonical lines, colour. */
#include "support/child.h"
#include "support/scratch.h"

#include <step_logger.h>

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static child_result_t result;

/* ---- The programs, and running them ---- */

static int one_step(void)
{
    step_quick_step(1, "Reading", "Sync", 2, step_kv("table", "models"));
    step_quick_failure(1, "Reading", "no", 2);
    return 0;
}

static int one_info(void)
{
    step_info("hello", step_kv("a", 1));
    return 0;
}

static int one_operation(void)
{
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    return 0;
}

static const child_program_t programs[] = {
    { "one_operation", one_operation },
    { "one_step", one_step },
    { "one_info", one_info },
};

#define RUN(name, ...) run(name, NULL, (const char *const[]){ __VA_ARGS__, NULL })

static void run(const char *name, void (*prepare)(void), const char *const *variables)
{
    child_run(name, variables, prepare, &result);
    if (result.status != 0)
        fail_msg("%s: status %d, stderr: %s", name, result.status, result.err);
}

static void expect_error_output(const char *expected)
{
    assert_string_equal(result.err, expected);
    assert_string_equal(result.out, "");
}

/* ---- STEP_LOGGER_FORMAT, _TIMESTAMPS, _EMOJI ---- */

static void formats(void **state)
{
    (void)state;
    RUN("one_info", "STEP_LOGGER_FORMAT=text");
    expect_error_output("[INFO] hello (a=1)\n");
    RUN("one_info", "STEP_LOGGER_FORMAT=json", "STEP_LOGGER_TIMESTAMPS=1");
    assert_int_equal(strncmp(result.err, "{\"ts\":\"20", 9), 0);
    assert_non_null(strstr(result.err, "\",\"level\":\"INFO\",\"event\":\"message\",\"message\":\"hello\",\"depth\":0,"));
    assert_non_null(strstr(result.err, ",\"seq\":0,\"a\":1}\n"));
    RUN("one_info", "STEP_LOGGER_FORMAT=logfmt");
    assert_non_null(strstr(result.err, " level=INFO event=message message=hello depth=0 "));
    RUN("one_info", "STEP_LOGGER_FORMAT=xml");
    expect_error_output("step_logger: STEP_LOGGER_FORMAT=xml is not understood: use text, json or logfmt; text is used\n"
                      "[INFO] hello (a=1)\n");
}

static void timestamps(void **state)
{
    int year, month, day, hour, minute, second, micro, end = 0;
    (void)state;
    RUN("one_info", "STEP_LOGGER_TIMESTAMPS=1");
    assert_int_equal(sscanf(result.err, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &year, &month, &day, &hour, &minute, &second,
                            &micro, &end),
                     7);
    assert_int_equal(end, 27);
    assert_true(year >= 2024);
    assert_string_equal(result.err + end, " [INFO] hello (a=1)\n");
    RUN("one_info", "STEP_LOGGER_TIMESTAMPS=0");
    expect_error_output("[INFO] hello (a=1)\n");
    RUN("one_info", "STEP_LOGGER_TIMESTAMPS=yes");
    expect_error_output("step_logger: STEP_LOGGER_TIMESTAMPS=yes is not understood: use 0 or 1; 0 is used\n"
                      "[INFO] hello (a=1)\n");
}

static void emoji(void **state)
{
    (void)state;
    RUN("one_step", "STEP_LOGGER_EMOJI=0");
    expect_error_output("[INFO] [1/2] Reading (table=models)\n[ERROR] [1/2] Reading - FAILED: no\n");
    RUN("one_step", "STEP_LOGGER_EMOJI=1");
    expect_error_output("[INFO] ▶️  [1/2] Reading (table=models)\n[ERROR] ❌ [1/2] Reading - FAILED: no\n");
    RUN("one_step", "STEP_LOGGER_EMOJI=no", "LOG_LEVEL=error");
    expect_error_output("step_logger: STEP_LOGGER_EMOJI=no is not understood: use 0 or 1; 1 is used\n"
                      "[ERROR] ❌ [1/2] Reading - FAILED: no\n");
}

/* ---- STEP_LOGGER_IDS, _CANONICAL ---- */

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "TRACEPARENT=00-" TRACE "-b7ad6b7169203331-01"

static void ids(void **state)
{
    char start[17] = "", step[17] = "", success[17] = "", complete[17] = "";
    int end = 0;
    (void)state;
    RUN("one_operation", "STEP_LOGGER_IDS=1", TRACEPARENT);
    assert_int_equal(sscanf(result.err,
                            "[INFO] 🚀 START: Sync (trace_id=" TRACE ", span_id=%16[0-9a-f])\n"
                            "[INFO] ▶️  [1/1] Reading (trace_id=" TRACE ", span_id=%16[0-9a-f])\n"
                            "[INFO] ✅ [1/1] Reading - SUCCESS (trace_id=" TRACE ", span_id=%16[0-9a-f], duration_ms=%*f)\n"
                            "[INFO] 🏁 COMPLETE: Sync (trace_id=" TRACE ", span_id=%16[0-9a-f], total_duration_ms=%*f)%n",
                            start, step, success, complete, &end),
                     4);
    assert_string_equal(result.err + end, "\n");
    assert_string_equal(start, complete);
    assert_string_equal(step, success);
    assert_string_not_equal(start, step);
    RUN("one_operation", "STEP_LOGGER_IDS=0", TRACEPARENT);
    assert_null(strstr(result.err, "span_id"));
    RUN("one_info", "STEP_LOGGER_IDS=yes");
    expect_error_output("step_logger: STEP_LOGGER_IDS=yes is not understood: use 0 or 1; 0 is used\n[INFO] hello (a=1)\n");
}

static void canonical(void **state)
{
    (void)state;
    RUN("one_operation", "STEP_LOGGER_FORMAT=json", "STEP_LOGGER_CANONICAL=1");
    assert_non_null(strstr(result.err, ",\"step_1\":\"success\",\"step_1_description\":\"Reading\",\"step_1_duration_ms\":"));
    RUN("one_operation", "STEP_LOGGER_FORMAT=logfmt", "STEP_LOGGER_CANONICAL=1");
    assert_non_null(strstr(result.err, " step_1=success step_1_description=Reading step_1_duration_ms="));
    RUN("one_operation", "STEP_LOGGER_FORMAT=json", "STEP_LOGGER_CANONICAL=0");
    assert_null(strstr(result.err, "step_1"));
    RUN("one_info", "STEP_LOGGER_CANONICAL=2");
    expect_error_output("step_logger: STEP_LOGGER_CANONICAL=2 is not understood: use 0 or 1; 0 is used\n[INFO] hello (a=1)\n");
}

/* ---- Colour: NO_COLOR, then CLICOLOR_FORCE and FORCE_COLOR, then whether it is a terminal that can ---- */

static void expect_color(bool expected)
{
    assert_int_equal(strchr(result.err, '\033') != NULL, expected);
    assert_non_null(strstr(result.err, "hello"));
}

static void color_of_a_pipe(void **state)
{
    (void)state;
    RUN("one_info", "TERM=xterm-256color");
    expect_color(false);
    RUN("one_info", "CLICOLOR_FORCE=1");
    expect_color(true);
    RUN("one_info", "FORCE_COLOR=1");
    expect_color(true);
    RUN("one_info", "CLICOLOR_FORCE=0");
    expect_color(false);
    RUN("one_info", "CLICOLOR_FORCE=1", "NO_COLOR=1");
    expect_color(false);
    RUN("one_info", "CLICOLOR_FORCE=1", "NO_COLOR=");
    expect_color(true);
    RUN("one_info", "CLICOLOR_FORCE=1", "STEP_LOGGER_FORMAT=json");
    expect_color(false);
}

static char terminal[128]; /* the other end's name */

static void use_terminal(void)
{
    const int fd = open(terminal, O_RDWR | O_NOCTTY);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(124);
    close(fd);
}

/* Runs it with stderr on a terminal; the result's `err` is what the terminal got. */
static void run_on_terminal(const char *const *variables)
{
    const int main_end = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(main_end >= 0);
    assert_int_equal(grantpt(main_end), 0);
    assert_int_equal(unlockpt(main_end), 0);
    assert_int_equal(ptsname_r(main_end, terminal, sizeof(terminal)), 0);
    const int kept_open = open(terminal, O_RDWR | O_NOCTTY); /* or what was written is gone with its last user */
    assert_true(kept_open >= 0);
    run("one_info", use_terminal, variables);
    const ssize_t n = read(main_end, result.err, sizeof(result.err) - 1);
    assert_true(n > 0);
    result.err[n] = '\0';
    close(kept_open);
    close(main_end);
}

static void color_of_a_terminal(void **state)
{
    (void)state;
    run_on_terminal((const char *const[]){ "TERM=xterm", NULL });
    assert_string_equal(result.err, "[\033[32mINFO\033[0m] hello \033[2m(a=1)\033[0m\r\n");
    run_on_terminal((const char *const[]){ "TERM=dumb", NULL });
    expect_color(false);
    run_on_terminal((const char *const[]){ NULL });
    expect_color(false);
    run_on_terminal((const char *const[]){ "TERM=xterm", "NO_COLOR=1", NULL });
    expect_color(false);
    run_on_terminal((const char *const[]){ "TERM=xterm", "CLICOLOR_FORCE=0", NULL });
    expect_color(true);
}

static void no_color_in_files(void **state)
{
    char variable[PATH_MAX + 32];
    (void)state;
    snprintf(variable, sizeof(variable), "STEP_LOGGER_OUTPUT=file:%s", scratch_path("plain"));
    RUN("one_info", variable, "CLICOLOR_FORCE=1", "TERM=xterm");
    char *text = scratch_read(scratch_path("plain"), NULL);
    assert_string_equal(text, "[INFO] hello (a=1)\n");
    free(text);
}

static int make_scratch(void **state)
{
    (void)state;
    scratch_make();
    return 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(int argc, char **argv)
{
    child_main(argc, argv, programs, sizeof(programs) / sizeof(programs[0]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),         cmocka_unit_test(timestamps),          cmocka_unit_test(emoji),
        cmocka_unit_test(color_of_a_pipe), cmocka_unit_test(color_of_a_terminal), cmocka_unit_test(no_color_in_files),
        cmocka_unit_test(ids),             cmocka_unit_test(canonical),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
