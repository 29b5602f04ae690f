/* Processes that are killed with kill -9, at any moment, whatever they were doing. With a crash ring nothing that a call had returned
 * for is missing from the log file and what is recovered, together, and nothing stands there twice. */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { THREADS_MAX = 8, ROUNDS = 200 / SLOWER };

/* What the killed process has to say, in memory that it shares with us. */
typedef struct shared {
    _Atomic long returned[THREADS_MAX]; /* calls of each of its threads */
    _Atomic int ready;
} shared_t;

typedef struct scene {
    const char *file;
    char rings[128];
    shared_t *shared;
    int threads;
    step_log_options_t options;
    void (*work)(step_log_t *log, int thread, _Atomic long *returned); /* for ever */
} scene_t;

static scene_t scene; /* of the process that is to be killed */

static void *run_thread(void *argument)
{
    const int thread = (int)(intptr_t)argument;
    scene.work(step_log_default(), thread, &scene.shared->returned[thread]);
    return NULL;
}

static void run_scene(void)
{
    pthread_t threads[THREADS_MAX];
    step_log_t *log = NULL;
    scene.options.crash_ring_dir = scene.rings;
    CHECK(step_log_open(&scene.options, &log) == STEP_OK);
    add_output(log, step_sink_file(scene.file), step_format_text());
    CHECK(step_log_set_default(log) == STEP_OK);
    for (int i = 0; i < scene.threads; i++)
        CHECK(pthread_create(&threads[i], NULL, run_thread, (void *)(intptr_t)i) == 0);
    atomic_store(&scene.shared->ready, 1);
    for (;;)
        pause();
}

/* Runs the scene and kills it so many microseconds after its first record. */
static void kill_after(long us)
{
    memset(scene.shared, 0, sizeof(*scene.shared));
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_scene();
        _exit(1);
    }
    const double give_up = seconds_now() + 20;
    while (atomic_load(&scene.shared->returned[0]) == 0 && seconds_now() < give_up)
        usleep(20);
    assert_true(atomic_load(&scene.shared->returned[0]) > 0);
    usleep((useconds_t)us);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* What is left goes into the file itself. */
static step_recovery_t recover_into(const char *path, uint32_t flags)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    step_recovery_t out = { .size = sizeof(out) };
    options.mode = STEP_MODE_SYNC;
    options.level = STEP_LEVEL_DEBUG;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    assert_int_equal(step_log_add_output(log, step_sink_file(path), step_format_text(), STEP_LEVEL_DEBUG), STEP_OK);
    assert_int_equal(step_log_recover(log, scene.rings, flags, &out), STEP_OK);
    assert_int_equal(step_log_close(log), STEP_OK);
    return out;
}

static void assert_all_there(const tally_t *tally)
{
    for (int i = 0; i < scene.threads; i++) {
        const long returned = atomic_load(&scene.shared->returned[i]);
        /* one more may have been logged, whose call had not returned */
        assert_in_range(tally->of[i], returned, returned + 1);
        if (tally->of[i] > 0)
            assert_int_equal(tally->last[i], tally->of[i] - 1); /* with disorder 0: each once */
    }
}

static void write_messages(step_log_t *log, int thread, _Atomic long *returned)
{
    for (long n = 0;; n++) {
        put_record(log, thread, n);
        atomic_store(returned, n + 1);
    }
}

static int scene_make(void **state)
{
    if (place_make(state) != 0)
        return -1;
    memset(&scene, 0, sizeof(scene));
    scene.options = (step_log_options_t)STEP_LOG_OPTIONS_INIT;
    scene.file = ((place_t *)*state)->file;
    snprintf(scene.rings, sizeof(scene.rings), "/dev/shm/step_logger_test_%ld", (long)getpid());
    scene.shared = mmap(NULL, sizeof(*scene.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return scene.shared == MAP_FAILED ? -1 : 0;
}

static int scene_remove(void **state)
{
    munmap(scene.shared, sizeof(*scene.shared));
    rmdir(scene.rings);
    return place_remove(state);
}

static void kill_many_times(int threads, int rounds)
{
    scene.threads = threads;
    scene.work = write_messages;
    for (int round = 0; round < rounds; round++) {
        unlink(scene.file);
        kill_after(rand() % 20000);
        const long before = tally_file(scene.file).total;
        const step_recovery_t recovery = recover_into(scene.file, 0);
        const tally_t tally = tally_file(scene.file);
        assert_int_equal(tally.disorder, 0);
        assert_all_there(&tally);
        const long added = tally.total - before;
        assert_in_range(recovery.records + 1, added, added + 1); /* one line may have lacked its end alone */
        assert_int_equal(recovery.processes, 1);
        assert_int_equal(recovery.damaged, 0);
        assert_int_equal(rmdir(scene.rings), 0); /* nothing is left */
    }
}

/* ---- What a record says by way of an earlier one ---- */

/* Operations of two steps, in which other operations are at work meanwhile: names have long been written when it dies. */
static void run_operations(step_log_t *log, int thread, _Atomic long *returned)
{
    char name[32];
    snprintf(name, sizeof(name), "Job %d", thread);
    for (long n = 0;; n++) {
        step_logger_t *op = step_logger_new(name, 2);
        step_logger_start(op);
        step_logger_step(op, 1, "Fetching");
        for (int i = 0; i < (int)(n % 7) * 50; i++)
            step_log_message(log, STEP_LEVEL_INFO, "fetched", step_kv("i", i));
        step_logger_success(op, step_kv("n", n));
        step_logger_step(op, 2, "Storing");
        step_logger_success(op, step_kv("n", n));
        step_logger_complete(op);
        step_logger_free(op);
        atomic_store(returned, n + 1);
    }
}

/* Each success, with all its names, once: [INFO] ✅ [1/2] Fetching - SUCCESS (n=7, duration_ms=…) */
static void count_steps(const char *path, long *fetched, long *stored)
{
    size_t bytes;
    char *text = slurp(path, &bytes);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        long n;
        if (sscanf(line, "[INFO] ✅ [1/2] Fetching - SUCCESS (n=%ld", &n) == 1)
            (*fetched)++;
        else if (sscanf(line, "[INFO] ✅ [2/2] Storing - SUCCESS (n=%ld", &n) == 1)
            (*stored)++;
        else
            assert_null(strstr(line, "- SUCCESS"));
    }
    free(text);
}

static void names_are_there(void **state)
{
    (void)state;
    scene.threads = 4;
    scene.work = run_operations;
    for (int round = 0; round < ROUNDS / 4; round++) {
        long fetched = 0, stored = 0, returned = 0;
        unlink(scene.file);
        kill_after(rand() % 20000);
        const step_recovery_t recovery = recover_into(scene.file, STEP_RECOVER_REPORT);
        count_steps(scene.file, &fetched, &stored);
        for (int i = 0; i < scene.threads; i++)
            returned += atomic_load(&scene.shared->returned[i]);
        assert_in_range(stored, returned, returned + scene.threads);
        assert_in_range(fetched, stored, stored + scene.threads);
        assert_int_equal(recovery.damaged, 0);
    }
}

static void nothing_is_lost_of_one_thread(void **state)
{
    (void)state;
    kill_many_times(1, ROUNDS);
}

static void nothing_is_lost_of_four_threads(void **state)
{
    (void)state;
    kill_many_times(4, ROUNDS);
}

static void nothing_is_lost_of_eight_threads(void **state)
{
    (void)state;
    kill_many_times(8, ROUNDS / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_lost_of_one_thread, scene_make, scene_remove),
        cmocka_unit_test_setup_teardown(nothing_is_lost_of_four_threads, scene_make, scene_remove),
        cmocka_unit_test_setup_teardown(nothing_is_lost_of_eight_threads, scene_make, scene_remove),
        cmocka_unit_test_setup_teardown(names_are_there, scene_make, scene_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
