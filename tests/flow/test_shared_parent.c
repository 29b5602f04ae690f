/* Threads that share an operation without touching it: messages and children join it while its own thread goes on with it, ends
 * it and frees it. ThreadSanitizer looks for what they do to each other; here it is the lines that count. */
#include "support/test_log.h"
#include "support/threads.h"

#include <stdatomic.h>

#ifdef STEP_LOGGER_SANITIZED
enum { ROUNDS = 5, MESSAGES = 40 };
#else
enum { ROUNDS = 10, MESSAGES = 100 };
#endif
enum { WORKERS = 4 };

typedef struct worker {
    step_logger_t *op; /* shared */
    pthread_barrier_t *begin;
    int number;
} worker_t;

static int count(const char *text, const char *what)
{
    int found = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        found++;
    return found;
}

static void join_it(void *argument)
{
    const worker_t *worker = argument;
    step_logger_attach(worker->op);
    pthread_barrier_wait(worker->begin);
    for (int i = 0; i < MESSAGES; i++) {
        step_info("message", step_kv("worker", worker->number), step_kv("i", i));
        step_quick_success(1, "Quick", 1);
        step_logger_t *child = step_logger_new("Child", 0);
        step_logger_start(child);
        step_logger_complete(child);
        step_logger_free(child);
    }
    step_logger_attach(NULL);
}

static void use_it(const worker_t *worker)
{
    pthread_barrier_wait(worker->begin);
    for (int i = 0; i < MESSAGES / 4; i++) {
        step_logger_step(worker->op, i + 1, "A step with a name of its own");
        step_logger_message(worker->op, STEP_LEVEL_INFO, "owner");
        step_logger_success(worker->op);
    }
    step_logger_complete(worker->op);
    step_logger_free(worker->op);
}

/* The owner may be any of the threads: the first. */
static void owner_or_guest(void *argument)
{
    const worker_t *worker = argument;
    if (worker->number == 0)
        use_it(worker);
    else
        join_it(argument);
}

static void guests_of_an_operation_that_ends(void **state)
{
    test_log_t *t = *state;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_t begin;
        worker_t workers[WORKERS];
        pthread_barrier_init(&begin, NULL, WORKERS);
        step_logger_t *op = step_logger_new("Shared", 0);
        step_logger_start(op);
        for (int i = 0; i < WORKERS; i++)
            workers[i] = (worker_t){ .op = op, .begin = &begin, .number = i };
        run_on_threads(owner_or_guest, WORKERS, workers, sizeof(workers[0]));
        pthread_barrier_destroy(&begin);
        const char *text = new_text(t);
        assert_int_equal(count(text, "[INFO] message ("), (WORKERS - 1) * MESSAGES);
        assert_int_equal(count(text, "Quick - SUCCESS\n"), (WORKERS - 1) * MESSAGES);
        assert_int_equal(count(text, "START: Child\n"), (WORKERS - 1) * MESSAGES);
        assert_int_equal(count(text, "COMPLETE: Child ("), (WORKERS - 1) * MESSAGES);
        assert_int_equal(count(text, "COMPLETE: Shared ("), 1);
        assert_int_equal(count(text, "owner\n"), MESSAGES / 4);
        const char *json = new_json(t);
        /* whatever joined it stands one below it or, after its end, at the root; nothing else */
        assert_int_equal(count(json, "\"operation\":\"Child\",\"depth\":0") + count(json, "\"operation\":\"Child\",\"depth\":1"),
                         (WORKERS - 1) * MESSAGES);
    }
    assert_int_equal(balanced_stats(t->log).misused, 0);
}

/* Children below an explicit parent that is freed at some time: no crash, no lost line. */
static void give_birth(void *argument)
{
    const worker_t *worker = argument;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    step_logger_t *children[MESSAGES];
    options.parent = worker->number == 0 ? NULL : worker->op;
    for (int i = 0; i < MESSAGES; i++)
        children[i] = step_logger_new_with("Child", &options);
    pthread_barrier_wait(worker->begin);
    for (int i = 0; i < MESSAGES; i++) {
        if (worker->number == 0 && i == MESSAGES / 2)
            step_logger_free(worker->op);
        step_logger_start(children[i]);
        step_logger_complete(children[i]);
    }
    for (int i = 0; i < MESSAGES; i++)
        step_logger_free(children[i]);
}

static void parent_that_is_freed(void **state)
{
    test_log_t *t = *state;
    pthread_barrier_t begin;
    worker_t workers[WORKERS];
    pthread_barrier_init(&begin, NULL, WORKERS);
    step_logger_t *op = step_logger_new("Parent", 0);
    step_logger_start(op);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = (worker_t){ .op = op, .begin = &begin, .number = i };
    run_on_threads(give_birth, WORKERS, workers, sizeof(workers[0]));
    pthread_barrier_destroy(&begin);
    const char *text = new_text(t);
    assert_int_equal(count(text, "START: Child\n"), WORKERS * MESSAGES);
    assert_int_equal(count(text, "COMPLETE: Child ("), WORKERS * MESSAGES);
    assert_int_equal(count(text, "INCOMPLETE: Parent ("), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(guests_of_an_operation_that_ends),
        TEST(parent_that_is_freed),
    };
    return test_in_both_modes(tests);
}
