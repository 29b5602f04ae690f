/* Recovery itself: who is left alone, what is kept, two at once; directories that are full; ends that leave nothing behind. */
#include "fault/killed.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

enum { RECORDS = 1000, NOT_ALLOWED = 77 };

/* Its only output hangs after the first block: what is logged afterwards is nowhere but in the crash ring. */
static int take_the_first(void *ctx, const char *bytes, size_t len)
{
    static atomic_int blocks;
    (void)ctx;
    (void)bytes;
    (void)len;
    while (atomic_fetch_add(&blocks, 1) > 0)
        pause();
    return 0;
}

static step_log_t *log_that_hangs(victim_t *victim)
{
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = take_the_first };
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_custom(&ops, NULL), step_format_text());
    put_record(log, 1, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    return log;
}

static void wait_to_be_killed(victim_t *victim)
{
    atomic_store(&victim->words->ready, 1);
    for (;;)
        pause();
}

static void leave_records(victim_t *victim)
{
    step_log_t *log = log_that_hangs(victim);
    for (long n = 0; n < RECORDS; n++)
        put_record(log, 0, n);
    wait_to_be_killed(victim);
}

static void check_records(const char *path, long times)
{
    const tally_t tally = tally_file(path);
    assert_int_equal(tally.of[0], times * RECORDS);
    assert_int_equal(tally.strange, 0);
    assert_int_equal(tally.of[1], 0);
}

/* ---- Who is left alone ---- */

static void the_living_are_left_alone(void **state)
{
    victim_t *victim = *state;
    const pid_t child = victim_start(victim, leave_records);
    for (int i = 0; i < 20000 && atomic_load(&victim->words->ready) == 0; i++)
        sleep_ms(1);
    for (int i = 0; i < 3; i++) {
        const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
        assert_int_equal(recovery.live, 1);
        assert_int_equal(recovery.processes + recovery.records + recovery.foreign, 0);
    }
    victim_kill(victim, child, 0);
    const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
    assert_int_equal(recovery.records, RECORDS);
    check_records(victim->place->file, 1);
    assert_true(rings_are_gone(victim));
}

static void what_is_kept_is_found_again(void **state)
{
    victim_t *victim = *state;
    victim_die(victim, leave_records, 0);
    for (int i = 1; i <= 3; i++) {
        const step_recovery_t recovery = recover_into(victim, victim->place->file, STEP_RECOVER_KEEP);
        assert_int_equal(recovery.records, RECORDS);
        assert_int_equal(recovery.processes, 1);
        assert_int_equal(tally_file(victim->place->file).of[0], i * RECORDS);
        assert_int_equal(count_directories(victim), 1);
    }
    assert_int_equal(recover_into(victim, victim->place->file, 0).records, RECORDS);
    assert_true(rings_are_gone(victim));
    assert_int_equal(recover_into(victim, victim->place->file, 0).processes, 0);
}

/* The only directory in the victim's, hidden or not. */
static void find_directory(const victim_t *victim, char path[256])
{
    DIR *list = opendir(victim->rings);
    assert_non_null(list);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            snprintf(path, 256, "%s/%.120s", victim->rings, entry->d_name);
    closedir(list);
}

static void what_somebody_else_put_there_stays(void **state)
{
    victim_t *victim = *state;
    char path[256], notes[280];
    victim_die(victim, leave_records, 0);
    find_directory(victim, path);
    snprintf(notes, sizeof(notes), "%s/notes.txt", path);
    assert_int_equal(close(open(notes, O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(recover_into(victim, victim->place->file, 0).records, RECORDS);
    find_directory(victim, path);
    snprintf(notes, sizeof(notes), "%s/notes.txt", path);
    assert_int_equal(access(notes, F_OK), 0);
    snprintf(notes, sizeof(notes), "%s/owner", path);
    assert_int_not_equal(access(notes, F_OK), 0);
    assert_int_equal(recover_into(victim, victim->place->file, 0).records, 0);
}

static void foreign_directories_are_left_alone(void **state)
{
    victim_t *victim = *state;
    char path[256];
    snprintf(path, sizeof(path), "%s/4711-0123456789abcdef", victim->rings);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/owner");
    spit(path, "nothing that we know");
    snprintf(path, sizeof(path), "%s/somebody-else", victim->rings);
    assert_int_equal(mkdir(path, 0700), 0);
    const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
    assert_int_equal(recovery.foreign, 1);
    assert_int_equal(recovery.processes, 0);
    assert_int_equal(count_directories(victim), 2);
}

/* ---- Two at once ---- */

enum { DEAD = 6, READERS = 4 };

typedef struct reader {
    const victim_t *victim;
    const char *path;
} reader_t;

static void recover_once(void *argument)
{
    const reader_t *reader = argument;
    recover_into(reader->victim, reader->path, 0);
}

static void many_at_once_print_nothing_twice(void **state)
{
    victim_t *victim = *state;
    for (int i = 0; i < DEAD; i++)
        victim_die(victim, leave_records, 0);
    assert_int_equal(count_directories(victim), DEAD);
    reader_t reader = { .victim = victim, .path = victim->place->file };
    pid_t readers[READERS];
    for (int i = 0; i < READERS; i++) {
        readers[i] = fork();
        assert_true(readers[i] >= 0);
        if (readers[i] == 0) {
            recover_once(&reader);
            _exit(0);
        }
    }
    for (int i = 0; i < READERS; i++)
        assert_int_equal(wait_within(readers[i], VICTIM_SECONDS), 0);
    recover_once(&reader); /* what each took for another's */
    assert_int_equal(tally_file(victim->place->file).of[0], DEAD * RECORDS);
    assert_true(rings_are_gone(victim));
}

/* ---- A directory without room ---- */

static char told[4096];

static void note(void *ctx, int code, const char *text)
{
    (void)ctx;
    if (strlen(told) + strlen(text) + 16 < sizeof(told))
        sprintf(told + strlen(told), "%d %s\n", code, text);
}

static void mount_tiny(const victim_t *victim, const char *options)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", victim->rings, "tmpfs", 0, options) != 0)
        exit(NOT_ALLOWED);
}

static void open_where_there_is_no_room(void *argument)
{
    victim_t *victim = argument;
    step_log_t *log = NULL;
    mount_tiny(victim, "size=4k");
    victim->options.diagnose = note;
    errno = 0;
    CHECK(step_log_open(&victim->options, &log) == STEP_EIO);
    CHECK(log == NULL && strstr(told, "-") != NULL && strstr(told, victim->rings) != NULL &&
          strstr(told, "No space left") != NULL);
    CHECK(rings_are_gone(victim));
    victim->options.crash_ring_dir = "/proc/nowhere/rings";
    CHECK(step_log_open(&victim->options, &log) == STEP_EIO);
    victim->options.crash_ring_dir = NULL;
    CHECK(step_log_open(&victim->options, &log) == STEP_OK); /* and without it all is well */
    CHECK(step_log_close(log) == STEP_OK);
}

static void write_and_rest(const victim_t *victim, step_log_t *log, int writer)
{
    (void)victim;
    for (long n = 0; n < RECORDS; n++)
        put_record(log, writer, n);
}

typedef struct late_writer {
    victim_t *victim;
    step_log_t *log;
    int writer;
} late_writer_t;

static void *write_late(void *argument)
{
    const late_writer_t *late = argument;
    write_and_rest(late->victim, late->log, late->writer);
    return NULL;
}

/* Room for the log itself and two rings or so; each thread wants one. */
static void grow_where_there_is_no_room(void *argument)
{
    victim_t *victim = argument;
    pthread_t threads[6];
    late_writer_t late[6];
    mount_tiny(victim, "size=1500k");
    victim->options.diagnose = note;
    step_log_t *log = victim_log_with_file(victim);
    for (int i = 0; i < 6; i++) {
        late[i] = (late_writer_t){ .victim = victim, .log = log, .writer = i };
        CHECK(pthread_create(&threads[i], NULL, write_late, &late[i]) == 0);
    }
    for (int i = 0; i < 6; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(strstr(told, "No space left") != NULL && strstr(told, "would be lost if this process were killed") != NULL);
    CHECK(check_oracle(log).written == 6 * RECORDS);
    CHECK(step_log_close(log) == STEP_OK);
    const tally_t tally = tally_file(victim->place->file);
    CHECK(tally.total == 6 * RECORDS && tally.disorder + tally.strange == 0);
    CHECK(rings_are_gone(victim));
}

/* SIGXFSZ would end the process. */
static void grow_up_to_a_limit(void *argument)
{
    victim_t *victim = argument;
    victim->options.diagnose = note;
    CHECK(limit_file_size(128 * 1024) == 0);
    step_log_t *log = NULL;
    CHECK(step_log_open(&victim->options, &log) == STEP_OK); /* an owner and marks fit, a ring does not */
    add_output(log, step_sink_file(victim->place->file), step_format_text());
    write_and_rest(victim, log, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(strstr(told, "File too large") != NULL);
    CHECK(step_log_close(log) == STEP_OK);
    CHECK(tally_file(victim->place->file).of[0] == RECORDS);
}

static void assert_survives_or_skip(scenario_t scenario, victim_t *victim)
{
    const int status = run_scenario(scenario, victim);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
        skip();
    assert_int_equal(status, 0);
}

static void no_room_at_open(void **state)
{
    assert_survives_or_skip(open_where_there_is_no_room, *state);
}

static void no_room_later(void **state)
{
    assert_survives_or_skip(grow_where_there_is_no_room, *state);
}

static void a_file_size_limit(void **state)
{
    assert_survives(grow_up_to_a_limit, *state);
}

/* ---- Ends that leave nothing behind ---- */

static void end_by_close(void *argument)
{
    victim_t *victim = argument;
    step_log_t *log = victim_log_with_file(victim);
    write_and_rest(victim, log, 0);
    CHECK(step_log_close(log) == STEP_OK);
    CHECK(rings_are_gone(victim));
}

static void end_by_exit(void *argument)
{
    write_and_rest(argument, victim_log_with_file(argument), 0);
    exit(0);
}

static void end_by_quick_exit(void *argument)
{
    write_and_rest(argument, victim_log_with_file(argument), 0);
    quick_exit(0);
}

static void end_a_child_by_exit(void *argument)
{
    step_log_t *log = victim_log_with_file(argument);
    put_record(log, 1, 0);
    const pid_t child = fork_child();
    if (child == 0) {
        write_and_rest(argument, log, 0);
        exit(0);
    }
    CHECK(wait_within(child, VICTIM_SECONDS) == 0);
    const pid_t silent = fork_child();
    if (silent == 0)
        exit(0);
    CHECK(wait_within(silent, VICTIM_SECONDS) == 0);
    CHECK(count_directories(argument) == 1); /* ours */
    exit(0);
}

static void every_end_takes_its_files_along(void **state)
{
    victim_t *victim = *state;
    static const scenario_t ends[] = { end_by_close, end_by_exit, end_by_quick_exit, end_a_child_by_exit };
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        unlink(victim->place->file);
        assert_survives(ends[i], victim);
        assert_true(rings_are_gone(victim));
        assert_int_equal(tally_file(victim->place->file).of[0], RECORDS);
    }
}

/* ---- The crash handler ---- */

static void *volatile nowhere = (void *)(uintptr_t)16;

static void crash_with_a_handler(victim_t *victim)
{
    signal(SIGSEGV, SIG_DFL);
    CHECK(step_log_install_crash_handler() == STEP_OK);
    step_log_t *log = log_that_hangs(victim);
    for (long n = 0; n < RECORDS; n++)
        put_record(log, 0, n);
    *(volatile int *)nowhere = 1;
}

/* It only passes the signal on: there is nothing to write that could be lost, and no output that is waited for. */
static void the_handler_leaves_it_to_the_recovery(void **state)
{
    victim_t *victim = *state;
    const double begun = seconds_now();
    const int status = wait_within(victim_start(victim, crash_with_a_handler), VICTIM_SECONDS);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_true(seconds_now() - begun < 10);
    const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
    assert_int_equal(recovery.records, RECORDS);
    check_records(victim->place->file, 1);
}

/* ---- The report ---- */

static void leave_operations_open(victim_t *victim)
{
    step_log_t *log = log_that_hangs(victim);
    static const char *const services[] = { "shop", "store", "bar", "cafe" }; /* the last one counts, wherever it is kept */
    for (int i = 0; i < 4; i++)
        step_log_bind(log, step_kv("service", services[i]));
    step_logger_t *outer = step_logger_new("Outer", 2);
    step_logger_start(outer);
    step_logger_bind(outer, step_kv("order", 17));
    step_logger_step(outer, 1, "Waiting");
    sleep_ms(2);
    step_logger_t *done = step_logger_new("Done", 1);
    step_logger_start(done);
    step_logger_complete(done);
    step_logger_t *inner = step_logger_new("Inner", 1);
    step_logger_start(inner);
    step_logger_step(inner, 1, "Working");
    atomic_store(&victim->words->pids[0], getpid());
    wait_to_be_killed(victim);
}

typedef struct report {
    int lines, announced, inner_at, outer_at, incomplete, with_order, with_service;
} report_t;

static void note_report(const char *line, void *argument)
{
    report_t *report = argument;
    report->lines++;
    report->announced += strstr(line, "was killed") != NULL;
    if (strstr(line, "INCOMPLETE") != NULL) {
        report->incomplete++;
        if (strstr(line, "Inner") != NULL)
            report->inner_at = report->lines;
        if (strstr(line, "Outer") != NULL)
            report->outer_at = report->lines;
    }
    report->with_order += strstr(line, "order=17") != NULL;
    report->with_service += strstr(line, "service=cafe") != NULL;
    assert_null(strstr(line, "service=shop"));
    assert_null(strstr(line, "service=store"));
    assert_null(strstr(line, "service=bar"));
}

static void the_report_names_what_was_open(void **state)
{
    victim_t *victim = *state;
    report_t report = { .lines = 0 };
    victim_die(victim, leave_operations_open, 0);
    const step_recovery_t recovery = recover_into(victim, victim->place->file, STEP_RECOVER_REPORT);
    for_each_line(victim->place->file, note_report, &report);
    assert_int_equal(recovery.records, 6);
    assert_int_equal(report.announced, 1);
    assert_int_equal(report.incomplete, 2);
    assert_true(report.inner_at > 0 && report.inner_at < report.outer_at);
    assert_int_equal(report.with_service, 8);
    assert_true(report.with_order >= 5);
}

static void the_report_is_in_the_dead_ones_name(void **state)
{
    victim_t *victim = *state;
    char expected[64];
    victim_die(victim, leave_operations_open, 0);
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.mode = STEP_MODE_SYNC;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    assert_int_equal(step_log_add_output(log, step_sink_file(victim->place->file), step_format_json(), 0), STEP_OK);
    assert_int_equal(step_log_recover(log, victim->rings, STEP_RECOVER_REPORT, NULL), STEP_OK);
    assert_int_equal(step_log_close(log), STEP_OK);
    snprintf(expected, sizeof(expected), "\"pid\":%ld,", atomic_load(&victim->words->pids[0]));
    char *text = slurp(victim->place->file, NULL);
    int recovered = 0, of_it = 0;
    for (const char *at = text; (at = strstr(at, "\"recovered\":true")) != NULL; at++)
        recovered++;
    for (const char *at = text; (at = strstr(at, expected)) != NULL; at++)
        of_it++;
    assert_int_equal(recovered, 8);
    assert_true(of_it >= recovered);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(the_living_are_left_alone),
        VICTIM_TEST(what_is_kept_is_found_again),
        VICTIM_TEST(what_somebody_else_put_there_stays),
        VICTIM_TEST(foreign_directories_are_left_alone),
        VICTIM_TEST(many_at_once_print_nothing_twice),
        VICTIM_TEST(no_room_at_open),
        VICTIM_TEST(no_room_later),
        VICTIM_TEST(a_file_size_limit),
        VICTIM_TEST(every_end_takes_its_files_along),
        VICTIM_TEST(the_handler_leaves_it_to_the_recovery),
        VICTIM_TEST(the_report_names_what_was_open),
        VICTIM_TEST(the_report_is_in_the_dead_ones_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
