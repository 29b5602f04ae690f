/* The default log as the environment asks for it; for what is not understood, what is allowed, in plain words, and the
 * default. */
#include "support/child.h"
#include "support/scratch.h"

#include <step_logger.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static child_result_t result;

/* ---- The programs ---- */

static int every_level(void)
{
    step_debug("d");
    step_info("i");
    step_warning("w");
    step_error("e");
    step_critical("c");
    return 0;
}

static int one_step(void)
{
    step_quick_step(1, "Reading", "Sync", 2, step_kv("table", "models"));
    step_quick_failure(1, "Reading", "no", 2);
    return 0;
}

static int nothing(void)
{
    return 0;
}

static int one_info(void)
{
    step_info("hello", step_kv("a", 1));
    return 0;
}

/* A program with a log of its own does not want to know what the environment says. */
static int own_default(void)
{
    step_log_t *log = NULL;
    if (step_log_open(NULL, &log) != STEP_OK || step_log_set_default(log) != STEP_OK || step_log_default() != log)
        return 1;
    step_log_add_output(NULL, step_sink_fd(STDOUT_FILENO), step_format_text(), 0);
    step_info("mine");
    return step_log_close(log) == STEP_OK ? 0 : 2;
}

static int default_is_made_once(void)
{
    step_log_t *log = step_log_default();
    if (log == NULL || step_log_default() != log)
        return 1;
    step_info("one");
    if (step_log_close(log) != STEP_OK)
        return 2;
    if (step_log_default() != NULL || step_logger_new("x", 1) != NULL)
        return 3;
    step_info("two: there is none any more");
    return step_log_flush(NULL, 1000) == STEP_EINVAL ? 0 : 4;
}

static const child_program_t programs[] = {
    { "every_level", every_level }, { "one_step", one_step }, { "nothing", nothing },
    { "one_info", one_info },       { "own_default", own_default },     { "default_is_made_once", default_is_made_once },
};

/* ---- Running them ---- */

#define RUN(name, ...) run(name, NULL, (const char *const[]){ __VA_ARGS__, NULL })

static void run(const char *name, void (*prepare)(void), const char *const *variables)
{
    child_run(name, variables, prepare, &result);
    if (result.status != 0)
        fail_msg("%s: status %d, stderr: %s", name, result.status, result.err);
}

static void expect_output(const char *out, const char *err)
{
    assert_string_equal(result.err, err);
    assert_string_equal(result.out, out);
}

/* ---- LOG_LEVEL ---- */

#define FROM_CRITICAL "[CRITICAL] c\n"
#define FROM_ERROR "[ERROR] e\n" FROM_CRITICAL
#define FROM_WARNING "[WARNING] w\n" FROM_ERROR
#define FROM_INFO "[INFO] i\n" FROM_WARNING
#define FROM_DEBUG "[DEBUG] d\n" FROM_INFO

static void log_level(void **state)
{
    static const struct {
        const char *variable, *expected;
    } cases[] = {
        { "X=unset", FROM_INFO },
        { "LOG_LEVEL=", FROM_INFO },
        { "LOG_LEVEL=debug", FROM_DEBUG },
        { "LOG_LEVEL=DEBUG", FROM_DEBUG },
        { "LOG_LEVEL=info", FROM_INFO },
        { "LOG_LEVEL=Info", FROM_INFO },
        { "LOG_LEVEL= error ", FROM_ERROR },
        { "LOG_LEVEL=warning", FROM_WARNING },
        { "LOG_LEVEL=WARNING", FROM_WARNING },
        { "LOG_LEVEL=warn", FROM_WARNING },
        { "LOG_LEVEL=WARN", FROM_WARNING },
        { "LOG_LEVEL=error", FROM_ERROR },
        { "LOG_LEVEL=eRRoR", FROM_ERROR },
        { "LOG_LEVEL=critical", FROM_CRITICAL },
        { "LOG_LEVEL=off", "" },
        { "LOG_LEVEL=OFF", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        RUN("every_level", cases[i].variable);
        expect_output("", cases[i].expected);
    }
}

static void log_level_unknown(void **state)
{
    static const char *const values[] = { "verbose", "inf", "information", "10", "tracé", "info debug" };
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char variable[64], expected[512];
        snprintf(variable, sizeof(variable), "LOG_LEVEL=%s", values[i]);
        snprintf(expected, sizeof(expected),
                 "step_logger: LOG_LEVEL=%s is not understood: use debug, info, warning, error, critical or off; "
                 "info is used\n" FROM_INFO,
                 values[i]);
        RUN("every_level", variable);
        expect_output("", expected);
    }
}

static void log_level_with_rules(void **state)
{
    static const struct {
        const char *value, *expected, *told;
    } cases[] = {
        { "error,Data*=debug", FROM_ERROR, "" },
        { "error,", FROM_ERROR, "" },
        { "Data*=debug", FROM_INFO, "" },
        { "x,y=debug", FROM_INFO, "use debug, info, warning, error, critical or off; info is used" },
        { "error,y", FROM_ERROR, "behind the level use rules such as Database*=debug, with commas between them; none is used" },
        { "error,y=loud", FROM_ERROR, "behind the level use rules such as Database*=debug, with commas between them; none is used" },
        { "error,=debug", FROM_ERROR, "behind the level use rules such as Database*=debug, with commas between them; none is used" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char variable[64], expected[512] = "";
        snprintf(variable, sizeof(variable), "LOG_LEVEL=%s", cases[i].value);
        if (cases[i].told[0] != '\0')
            snprintf(expected, sizeof(expected), "step_logger: %s is not understood: %s\n", variable, cases[i].told);
        strcat(expected, cases[i].expected);
        RUN("every_level", variable);
        expect_output("", expected);
    }
}

/* What is told of a value is one line, whatever the value is. */
static void hostile_values(void **state)
{
    char variable[4096] = "LOG_LEVEL=";
    (void)state;
    RUN("one_info", "LOG_LEVEL=\033[2Jx\ny\r\177");
    expect_output("", "step_logger: LOG_LEVEL=?[2Jx?y?? is not understood: use debug, info, warning, error, critical or "
                      "off; info is used\n[INFO] hello (a=1)\n");
    memset(variable + strlen(variable), 'v', 3000);
    RUN("one_info", variable);
    char expected[512] = "step_logger: LOG_LEVEL=";
    memset(expected + strlen(expected), 'v', 100);
    strcat(expected, " is not understood: use debug, info, warning, error, critical or off; info is used\n"
                     "[INFO] hello (a=1)\n");
    expect_output("", expected);
    RUN("one_info", "STEP_LOGGER_OUTPUT=%s%n%p");
    expect_output("", "step_logger: STEP_LOGGER_OUTPUT=%s%n%p is not understood: use stderr, stdout or file:PATH; stderr "
                      "is used\n[INFO] hello (a=1)\n");
}

/* ---- STEP_LOGGER_OUTPUT ---- */

static void output_descriptors(void **state)
{
    (void)state;
    RUN("one_info", "STEP_LOGGER_OUTPUT=stderr");
    expect_output("", "[INFO] hello (a=1)\n");
    RUN("one_info", "STEP_LOGGER_OUTPUT=stdout");
    expect_output("[INFO] hello (a=1)\n", "");
    RUN("one_info", "STEP_LOGGER_OUTPUT=");
    expect_output("", "[INFO] hello (a=1)\n");
}

static void output_file(void **state)
{
    char variable[PATH_MAX + 32];
    const char *path = scratch_path("log");
    struct stat status;
    (void)state;
    snprintf(variable, sizeof(variable), "STEP_LOGGER_OUTPUT=file:%s", path);
    RUN("one_info", variable);
    expect_output("", "");
    RUN("one_step", variable); /* appends */
    char *text = scratch_read(path, NULL);
    assert_non_null(text);
    assert_string_equal(text, "[INFO] hello (a=1)\n"
                              "[INFO] ▶️  [1/2] Reading (table=models)\n"
                              "[ERROR] ❌ [1/2] Reading - FAILED: no\n");
    free(text);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777 & ~0640u, 0);
}

static void output_that_cannot_be(void **state)
{
    static const struct {
        const char *value, *complaint;
    } cases[] = {
        { "file:/nonexistent/directory/log", "cannot be opened: No such file or directory; stderr is used" },
        { "file:/", "cannot be opened: Is a directory; stderr is used" },
        { "file:", "cannot be opened: No such file or directory; stderr is used" },
        { "STDOUT", "is not understood: use stderr, stdout or file:PATH; stderr is used" },
        { "/var/log/x", "is not understood: use stderr, stdout or file:PATH; stderr is used" },
        { "syslog", "is not understood: it is not built yet; stderr is used" },
        { "journald", "is not understood: it is not built yet; stderr is used" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char variable[128], expected[512];
        snprintf(variable, sizeof(variable), "STEP_LOGGER_OUTPUT=%s", cases[i].value);
        snprintf(expected, sizeof(expected), "step_logger: %s %s\n[INFO] hello (a=1)\n", variable, cases[i].complaint);
        RUN("one_info", variable);
        expect_output("", expected);
    }
}

static void full_disk(void **state)
{
    (void)state;
    RUN("one_info", "STEP_LOGGER_OUTPUT=file:/dev/full");
    expect_output("", "step_logger: an output could not be written: No space left on device; 1 records lost so far\n");
}

static void close_both(void)
{
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
}

/* A daemon without standard descriptors runs on. */
static void closed_descriptors(void **state)
{
    (void)state;
    run("one_step", close_both, (const char *const[]){ NULL });
    expect_output("", "");
    run("one_step", close_both, (const char *const[]){ "STEP_LOGGER_OUTPUT=stdout", NULL });
    expect_output("", "");
}

/* ---- When it is read ---- */

#define ALL_BAD "LOG_LEVEL=bad", "STEP_LOGGER_OUTPUT=bad", "STEP_LOGGER_FORMAT=bad", "STEP_LOGGER_EMOJI=bad"

static void only_at_first_use(void **state)
{
    (void)state;
    RUN("nothing", ALL_BAD);
    expect_output("", "");
    RUN("own_default", ALL_BAD);
    expect_output("[INFO] mine\n", "");
    RUN("default_is_made_once", "LOG_LEVEL=bad");
    expect_output("", "step_logger: LOG_LEVEL=bad is not understood: use debug, info, warning, error, critical or off; "
                      "info is used\n[INFO] one\n");
    RUN("one_info", ALL_BAD);
    expect_output("", "step_logger: LOG_LEVEL=bad is not understood: use debug, info, warning, error, critical or off; "
                      "info is used\n"
                      "step_logger: STEP_LOGGER_OUTPUT=bad is not understood: use stderr, stdout or file:PATH; stderr is "
                      "used\n"
                      "step_logger: STEP_LOGGER_FORMAT=bad is not understood: use text, json or logfmt; text is used\n"
                      "step_logger: STEP_LOGGER_EMOJI=bad is not understood: use 0 or 1; 1 is used\n"
                      "[INFO] hello (a=1)\n");
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
        cmocka_unit_test(log_level),
        cmocka_unit_test(log_level_unknown),
        cmocka_unit_test(log_level_with_rules),
        cmocka_unit_test(hostile_values),
        cmocka_unit_test(output_descriptors),
        cmocka_unit_test(output_file),
        cmocka_unit_test(output_that_cannot_be),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(closed_descriptors),
        cmocka_unit_test(only_at_first_use),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
