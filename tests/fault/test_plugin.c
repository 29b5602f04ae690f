/* Plugins that log: loaded and unloaded while threads that have logged live on, unloaded before their records are read, and with
 * a copy of the library in each of them. */
#include "fault.h"

#include "plugin/plugin.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <sys/syscall.h>

enum { LOADS = 1000 / SLOWER, THREADS = 3, LIFE_OF_A_THREAD = 50 };

typedef struct loaded {
    void *handle;
    const plugin_t *plugin;
} loaded_t;

static loaded_t load(const char *path)
{
    loaded_t loaded = { .handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
    if (loaded.handle == NULL)
        dprintf(2, "%s\n", dlerror());
    CHECK(loaded.handle != NULL);
    loaded.plugin = dlsym(loaded.handle, "plugin");
    CHECK(loaded.plugin != NULL);
    return loaded;
}

static bool is_mapped(const char *path)
{
    char *maps = NULL;
    size_t bytes = 0;
    bool found = false;
    FILE *file = fopen("/proc/self/maps", "re");
    CHECK(file != NULL);
    while (!found && getline(&maps, &bytes, file) > 0)
        found = strstr(maps, path) != NULL;
    free(maps);
    fclose(file);
    return found;
}

static void unload(loaded_t *loaded)
{
    CHECK(dlclose(loaded->handle) == 0);
}

/* ---- Lines: level=INFO ... msg=w t=1 n=7 ... ---- */

static long number_after(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    return at != NULL ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* Each writer's numbers from 0 on, each of them twice. */
static void check_lines(const char *path, const long *each, int writers)
{
    long next[16] = { 0 };
    size_t bytes;
    char *text = slurp(path, &bytes), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        const long writer = number_after(line, " t=");
        if (writer < 0)
            continue;
        CHECK(writer < writers);
        CHECK(number_after(line, " n=") == next[writer] / 2);
        next[writer]++;
    }
    for (int i = 0; i < writers; i++)
        CHECK(next[i] == 2 * each[i]);
    free(text);
}

/* ---- Threads of the program's own, which call the plugin while it is there ---- */

typedef struct worker {
    pthread_t thread;
    const plugin_t *_Atomic plugin; /* NULL: the thread ends */
    sem_t go, done;
    int writer;
    long made;
} worker_t;

static void *work(void *argument)
{
    worker_t *worker = argument;
    for (;;) {
        while (sem_wait(&worker->go) != 0)
            ;
        const plugin_t *plugin_now = atomic_load(&worker->plugin);
        if (plugin_now == NULL)
            return NULL;
        plugin_now->say(worker->writer, worker->made++);
        sem_post(&worker->done);
    }
}

static void start_worker(worker_t *worker)
{
    CHECK(pthread_create(&worker->thread, NULL, work, worker) == 0);
}

static void make_workers(worker_t workers[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){ .writer = i };
        CHECK(sem_init(&workers[i].go, 0, 0) == 0 && sem_init(&workers[i].done, 0, 0) == 0);
        start_worker(&workers[i]);
    }
}

static void let_say(worker_t workers[THREADS], const plugin_t *with)
{
    for (int i = 0; i < THREADS; i++) {
        atomic_store(&workers[i].plugin, with);
        sem_post(&workers[i].go);
    }
    for (int i = 0; i < THREADS; i++)
        while (sem_wait(&workers[i].done) != 0)
            ;
}

static void end_worker(worker_t *worker)
{
    atomic_store(&worker->plugin, NULL);
    sem_post(&worker->go);
    CHECK(pthread_join(worker->thread, NULL) == 0);
}

static void check_workers(const char *path, const worker_t workers[THREADS])
{
    long each[THREADS];
    for (int i = 0; i < THREADS; i++)
        each[i] = workers[i].made;
    check_lines(path, each, THREADS);
}

/* ---- Loaded and unloaded ---- */

static void load_often(const char *path, const char *file)
{
    worker_t workers[THREADS];
    make_workers(workers);
    for (int i = 0; i < LOADS; i++) {
        loaded_t loaded = load(path);
        if (i == 0)
            CHECK(loaded.plugin->open(file) == STEP_OK);
        let_say(workers, loaded.plugin);
        unload(&loaded);
        if (i % LIFE_OF_A_THREAD == 0) { /* one ends when the plugin is gone */
            worker_t *worker = &workers[i / LIFE_OF_A_THREAD % THREADS];
            end_worker(worker);
            start_worker(worker);
        }
    }
    for (int i = 0; i < THREADS; i++)
        end_worker(&workers[i]);
    loaded_t last = load(path);
    CHECK(last.plugin->flush() == STEP_OK && last.plugin->is_balanced());
    CHECK(last.plugin->close() == STEP_OK);
    unload(&last);
    check_workers(file, workers);
}

static void load_shared_often(void *place)
{
    load_often(PLUGIN_SHARED, ((place_t *)place)->file);
    CHECK(!is_mapped(PLUGIN_SHARED) && is_mapped("libstep_logger")); /* which stays for good */
}

static void load_static_often(void *place)
{
    load_often(PLUGIN_STATIC_1, ((place_t *)place)->file);
    CHECK(is_mapped(PLUGIN_STATIC_1)); /* the library is in it */
}

static void a_plugin_comes_and_goes_a_thousand_times(void **state)
{
    assert_survives(load_shared_often, *state);
}

static void so_does_one_with_a_library_of_its_own(void **state)
{
    assert_survives(load_static_often, *state);
}

static void leave_all_to_exit(void *place)
{
    loaded_t loaded = load(PLUGIN_STATIC_1);
    CHECK(loaded.plugin->open(((place_t *)place)->file) == STEP_OK);
    for (long i = 0; i < 100; i++)
        loaded.plugin->say(0, i);
    unload(&loaded);
}

static void what_it_logged_last_is_written_at_exit(void **state)
{
    const long each[] = { 100 };
    assert_survives(leave_all_to_exit, *state);
    check_lines(((place_t *)*state)->file, each, 1);
}

/* ---- Unloaded before its records are read ---- */

#ifndef STEP_LOGGER_SANITIZED /* TSan delivers the signal late */

static atomic_int frozen; /* 1: the backend shall, 2: it is */

/* The backend leaves signals of faults to their handlers. */
static void stay_here(int number)
{
    (void)number;
    const int saved = errno;
    atomic_store(&frozen, 2);
    while (atomic_load(&frozen) != 0)
        sleep_ms(1);
    errno = saved;
}

static void freeze_backend(void)
{
    const struct sigaction action = { .sa_handler = stay_here };
    const pid_t backend = thread_named("step_logger");
    CHECK(backend > 0 && sigaction(SIGILL, &action, NULL) == 0);
    atomic_store(&frozen, 1);
    CHECK(syscall(SYS_tgkill, getpid(), backend, SIGILL) == 0);
    CHECK_SOON(atomic_load(&frozen) == 2);
}

static void unload_before_it_is_read(void *place)
{
    const char *file = ((place_t *)place)->file;
    loaded_t loaded = load(PLUGIN_SHARED);
    CHECK(loaded.plugin->open(file) == STEP_OK);
    loaded.plugin->say(0, 0); /* the thread has its ring, sites are known */
    CHECK_SOON(thread_named("step_logger") > 0);
    CHECK(loaded.plugin->flush() == STEP_OK);
    freeze_backend();
    loaded.plugin->tell();
    loaded.plugin->tell();
    loaded.plugin->say(0, 1);
    unload(&loaded);
    CHECK(!is_mapped(PLUGIN_SHARED));
    char *text = slurp(file, NULL);
    CHECK(strstr(text, "the plugin") == NULL);
    free(text);
    atomic_store(&frozen, 0);
    loaded = load(PLUGIN_SHARED); /* to flush */
    CHECK(loaded.plugin->flush() == STEP_OK && loaded.plugin->is_balanced());
    unload(&loaded);
}

static int count(const char *text, const char *what)
{
    int times = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        times++;
    return times;
}

static void what_it_logged_reads_as_it_was(void **state)
{
    const char *file = ((place_t *)*state)->file;
    const long each[] = { 2 };
    assert_survives(unload_before_it_is_read, *state);
    check_lines(file, each, 1);
    size_t bytes;
    char *text = slurp(file, &bytes);
    assert_int_equal(count(text, "\"Plugin: Work\""), 2 * 4);
    assert_int_equal(count(text, "of=\"the plugin\""), 2);
    assert_int_equal(count(text, "\"a step of the plugin\""), 2 * 2);
    assert_int_equal(count(text, "key_of_the_plugin=\"a value of the plugin\""), 2);
    assert_int_equal(count(text, "plugin.c"), 2 * 4 + 2 * 2); /* the file of each call */
    free(text);
}

#endif

/* ---- Several copies in one process ---- */

static void run_copies(void *place)
{
    static const char *const paths[] = { PLUGIN_SHARED, PLUGIN_STATIC_1, PLUGIN_STATIC_2 };
    enum { COPIES = sizeof(paths) / sizeof(paths[0]), ROUNDS = 200 / SLOWER };
    static const char *const names[COPIES] = { "1.log", "2.log", "3.log" };
    loaded_t copies[COPIES];
    worker_t workers[COPIES][THREADS];
    writers_t ours = { .log = open_file_log(((place_t *)place)->file), .count = 2, .burst = 100 };
    CHECK(step_log_set_default(ours.log) == STEP_OK);
    start_writers(&ours); /* with the copy in this program */
    for (int i = 0; i < COPIES; i++) {
        copies[i] = load(paths[i]);
        CHECK(copies[i].plugin->open(in_place(place, names[i])) == STEP_OK);
        make_workers(workers[i]);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < COPIES; i++)
            let_say(workers[i], copies[i].plugin);
    for (int i = 0; i < COPIES; i++) { /* each ends while the others go on */
        let_say(workers[i], copies[i].plugin);
        CHECK(copies[i].plugin->flush() == STEP_OK && copies[i].plugin->is_balanced());
        CHECK(copies[i].plugin->close() == STEP_OK);
        unload(&copies[i]);
        for (int w = 0; w < THREADS; w++)
            end_worker(&workers[i][w]);
        check_workers(in_place(place, names[i]), workers[i]);
    }
    atomic_store(&ours.stop, true);
    join_writers(&ours);
    CHECK(step_log_flush(ours.log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(ours.log).written == (uint64_t)atomic_load(&ours.made));
    const tally_t tally = tally_file(((place_t *)place)->file);
    CHECK(tally.total == atomic_load(&ours.made) && tally.disorder + tally.strange == 0);
}

static void copies_do_not_know_of_each_other(void **state)
{
    assert_survives(run_copies, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_plugin_comes_and_goes_a_thousand_times),
        PLACE_TEST(so_does_one_with_a_library_of_its_own),
        PLACE_TEST(what_it_logged_last_is_written_at_exit),
#ifndef STEP_LOGGER_SANITIZED
        PLACE_TEST(what_it_logged_reads_as_it_was),
#endif
        PLACE_TEST(copies_do_not_know_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
