/* A program that runs with more rights than its caller does not do what the caller's environment says. Needs root. */
#include "fault.h"

#include "support/child.h"

#include <sys/auxv.h>

enum { NOBODY = 65534, IS_SECURE = 3, IS_ORDINARY = 4 };

/* The program in question. */
static int log_by_environment(void)
{
    step_error("logged");
    step_log_flush(NULL, FLUSH_MS);
    return getauxval(AT_SECURE) != 0 ? IS_SECURE : IS_ORDINARY;
}

static void copy_program(const char *to)
{
    char some[65536];
    const int from = open(child_program(), O_RDONLY | O_CLOEXEC);
    const int copy = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    assert_true(from >= 0 && copy >= 0);
    for (ssize_t n; (n = read(from, some, sizeof(some))) > 0;)
        assert_int_equal(write(copy, some, (size_t)n), n);
    close(from);
    close(copy);
}

static int run_with_environment(const char *program, const char *file)
{
    static char output[256], level[] = "LOG_LEVEL=debug";
    snprintf(output, sizeof(output), "STEP_LOGGER_OUTPUT=file:%s", file);
    char *arguments[] = { strdup(program), NULL }, *environment[] = { output, level, NULL };
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO); /* where it logs without an environment */
        execve(program, arguments, environment);
        _exit(127);
    }
    free(arguments[0]);
    const int status = wait_within(child, 30);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void its_environment_is_not_believed(void **state)
{
#ifdef STEP_LOGGER_SANITIZED /* whose libraries want an environment of their own */
    skip();
#endif
    const char *program = in_place(*state, "program"), *file = ((place_t *)*state)->file;
    if (geteuid() != 0)
        skip();
    copy_program(program);
    assert_int_equal(chown(((place_t *)*state)->directory, NOBODY, NOBODY), 0); /* where it may make files */
    assert_int_equal(run_with_environment(program, file), IS_ORDINARY);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(chown(program, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(program, 04755), 0);
    const int result = run_with_environment(program, file);
    if (result == IS_ORDINARY) /* this file system knows no such programs */
        skip();
    assert_int_equal(result, IS_SECURE);
    assert_int_equal(access(file, F_OK), -1);
}

int main(int argc, char **argv)
{
    if (argc == 1 && strstr(argv[0], "/program") != NULL)
        return log_by_environment();
    const struct CMUnitTest tests[] = { PLACE_TEST(its_environment_is_not_believed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
