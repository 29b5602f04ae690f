/* restart: a service that is killed at work, and started again.
 *
 *     restart [DIRECTORY [killed]]     for crash rings; /dev/shm/step_logger_example without. killed: and not started again,
 *                                      so that `steplog recover DIRECTORY` finds something
 *
 * kill -9, the out-of-memory killer, a container that is stopped: the process gets no chance to write what it has logged. With a
 * crash ring what it has logged is in files. The next one begins by writing what is left there. */
#include <step_logger.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *directory = "/dev/shm/step_logger_example";

static step_log_t *open_log(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.crash_ring_dir = directory;
    const int failed = step_log_open(&options, &log);
    if (failed != STEP_OK) {
        fprintf(stderr, "restart: %s\n", step_error_text(failed));
        exit(2);
    }
    if (step_log_add_output(log, step_sink_fd(STDOUT_FILENO), step_format_text(), 0) != STEP_OK ||
        step_log_set_default(log) != STEP_OK)
        exit(2);
    return log;
}

/* Each start of the service begins like this. */
static step_log_t *start_service(void)
{
    step_log_t *log = open_log();
    step_recovery_t recovery = { .size = sizeof(recovery) };
    const int failed = step_log_recover(log, directory, STEP_RECOVER_REPORT, &recovery);
    if (failed != STEP_OK)
        step_warning("Crash rings could not be read", step_kv("directory", directory), step_kv("why", step_error_text(failed)));
    step_info("Service started", step_kv("found", recovery.records));
    return log;
}

static void import_models(step_log_t *log, bool is_killed)
{
    step_logger_t *op = step_logger_new("Import Models", 3);
    step_logger_start(op, step_kv("file", "models.csv"));
    step_logger_step(op, 1, "Parsing");
    step_logger_success(op, step_kv("rows", 2834));
    step_log_flush(log, 1000); /* so much is in the log when it happens */
    step_logger_step(op, 2, "Validating");
    step_logger_success(op, step_kv("valid", 2756));
    step_logger_step(op, 3, "Storing", step_kv("table", "models"));
    if (is_killed)
        raise(SIGKILL);
    step_logger_success(op, step_kv("stored", 2756));
    step_logger_complete(op);
    step_logger_free(op);
}

static void serve(bool is_killed)
{
    step_log_t *log = start_service();
    import_models(log, is_killed);
    step_log_close(log);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        directory = argv[1];
    if (argc > 2 && strcmp(argv[2], "killed") == 0)
        serve(true);
    const pid_t first = fork();
    if (first == 0) {
        serve(true);
        return 1;
    }
    int status;
    if (first < 0 || waitpid(first, &status, 0) != first || !WIFSIGNALED(status))
        return 2;
    serve(false);
    return 0;
}
