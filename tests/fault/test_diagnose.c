/* What the library says of its own troubles, to a stderr that takes nothing: nobody dies of it. */
#include "fault/fault.h"
#include "support/scratch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static void complain(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.mode = 99;
    CHECK(step_log_open(&options, &log) == STEP_EINVAL);
}

static void to_a_file_at_its_limit(void *place)
{
    const struct rlimit limit = { .rlim_cur = 0, .rlim_max = 0 };
    const int fd = open(place, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    complain();
}

static void to_a_pipe_without_a_reader(void *place)
{
    int ends[2];
    (void)place;
    CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO && close(ends[0]) == 0);
    complain();
}

static void to_nobody(void *place)
{
    (void)place;
    CHECK(close(STDERR_FILENO) == 0);
    complain();
}

static void nobody_dies_of_it(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof(path), "%s", scratch_path("stderr"));
    assert_survives(to_a_file_at_its_limit, path);
    assert_survives(to_a_pipe_without_a_reader, path);
    assert_survives(to_nobody, path);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nobody_dies_of_it) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
