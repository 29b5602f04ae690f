#include "fault/killed.h"

#include <dirent.h>
#include <sys/mman.h>

int victim_make(void **state)
{
    void *place;
    victim_t *victim = calloc(1, sizeof(*victim));
    if (victim == NULL || place_make(&place) != 0)
        return -1;
    victim->place = place;
    victim->options = (step_log_options_t)STEP_LOG_OPTIONS_INIT;
    strcpy(victim->rings, "/dev/shm/step_victim_XXXXXX");
    if (mkdtemp(victim->rings) == NULL)
        return -1;
    victim->options.crash_ring_dir = victim->rings;
    victim->words = mmap(NULL, sizeof(*victim->words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *state = victim;
    return victim->words == MAP_FAILED ? -1 : 0;
}

int victim_remove(void **state)
{
    victim_t *victim = *state;
    void *place = victim->place;
    munmap(victim->words, sizeof(*victim->words));
    nftw(victim->rings, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(victim);
    return place_remove(&place);
}

/* ---- The victim ---- */

step_log_t *victim_log(victim_t *victim)
{
    step_log_t *log = open_log(&victim->options);
    CHECK(step_log_set_default(log) == STEP_OK);
    return log;
}

step_log_t *victim_log_with_file(victim_t *victim)
{
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_file(victim->place->file), step_format_text());
    return log;
}

typedef struct worker {
    victim_t *victim;
    step_log_t *log;
    int thread;
} worker_t;

static void *run_worker(void *argument)
{
    const worker_t *worker = argument;
    worker->victim->work(worker->victim, worker->log, worker->thread);
    return NULL;
}

void victim_run(victim_t *victim, step_log_t *log)
{
    static worker_t workers[VICTIM_THREADS];
    pthread_t thread;
    for (int i = 0; i < victim->threads; i++) {
        workers[i] = (worker_t){ .victim = victim, .log = log, .thread = i };
        CHECK(pthread_create(&thread, NULL, run_worker, &workers[i]) == 0);
    }
    CHECK_SOON(victim->threads == 0 || atomic_load(&victim->words->inner[0]) > 0);
    atomic_store(&victim->words->ready, 1);
    for (;;)
        pause();
}

pid_t victim_start(victim_t *victim, void (*run)(victim_t *victim))
{
    memset(victim->words, 0, sizeof(*victim->words));
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0)
        return child;
    alarm(2 * VICTIM_SECONDS); /* should the test itself die */
    static const int caught[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE,
                                  SIGSYS }; /* by cmocka, which would go on with the next test */
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        signal(caught[i], SIG_DFL);
    run(victim);
    _exit(1);
}

void victim_kill(const victim_t *victim, pid_t child, long us)
{
    int status = 0;
    const double give_up = seconds_now() + VICTIM_SECONDS;
    while (atomic_load(&victim->words->ready) == 0 && seconds_now() < give_up && waitpid(child, &status, WNOHANG) == 0)
        usleep(20);
    assert_int_equal(status, 0);
    assert_int_equal(atomic_load(&victim->words->ready), 1);
    usleep((useconds_t)us);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void victim_die(victim_t *victim, void (*run)(victim_t *victim), long us)
{
    victim_kill(victim, victim_start(victim, run), us);
}

/* ---- Afterwards ---- */

step_recovery_t recover_into(const victim_t *victim, const char *path, uint32_t flags)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    step_recovery_t out = { .size = sizeof(out) };
    options.mode = STEP_MODE_SYNC;
    options.level = STEP_LEVEL_DEBUG;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    assert_int_equal(step_log_add_output(log, step_sink_file(path), step_format_text(), 0), STEP_OK);
    assert_int_equal(step_log_recover(log, victim->rings, flags, &out), STEP_OK);
    assert_int_equal(step_log_close(log), STEP_OK);
    return out;
}

int count_directories(const victim_t *victim)
{
    int count = 0;
    DIR *list = opendir(victim->rings);
    assert_non_null(list);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return count;
}

bool rings_are_gone(const victim_t *victim)
{
    return count_directories(victim) == 0;
}

void for_each_line(const char *path, void (*check)(const char *line, void *argument), void *argument)
{
    if (access(path, F_OK) != 0)
        return;
    char *text = slurp(path, NULL);
    char *at = text;
    for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        check(at, argument);
    }
    free(text);
}
