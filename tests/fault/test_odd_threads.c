/* Threads with hardly any stack, handlers on small stacks of their own, threads that are cancelled at any moment, programs that close
 * what is not theirs. */
#include "fault.h"

#include <limits.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

/* ---- Small stacks ---- */

enum { SMALL_BYTES = 16384, SMALL_THREADS = 20 };

/* All ways that a call takes: the short one, the long one, through the scratch, with names, formatted. */
static void *log_on_small_stack(void *argument)
{
    static char long_text[20000];
    step_log_t *log = argument;
    memset(long_text, 'x', sizeof(long_text) - 1);
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    step_logger_t *op = step_logger_new_with("Small", &options);
    step_logger_start(op, step_kv("a", 1), step_kv("b", 2.5), step_kv("c", "text"), step_kv("d", true));
    step_logger_step(op, 1, "one");
    step_logger_messagef(op, STEP_LEVEL_INFO, "formatted %d %s %.3f", 1, "text", 2.5);
    step_logger_success(op, step_kv("long", long_text));
    step_logger_failure(op, "no");
    step_logger_complete(op);
    step_logger_free(op);
    put_record(log, 0, 0);
    return NULL;
}

#ifdef STEP_LOGGER_SANITIZED /* whose frames are larger */
enum { STACK_BYTES = 8 * SMALL_BYTES };
#else
enum { STACK_BYTES = SMALL_BYTES };
#endif

static void run_small_threads(void *place)
{
    pthread_attr_t attributes;
    step_log_t *log = open_file_log(file_in(place));
    const size_t least = (size_t)PTHREAD_STACK_MIN; /* more than 16 KiB where registers are many */
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, least > STACK_BYTES ? least + SMALL_BYTES : STACK_BYTES) == 0);
    for (int i = 0; i < SMALL_THREADS; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, &attributes, log_on_small_stack, log) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == SMALL_THREADS * 7);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_stack_of_16_kib_is_enough(void **state)
{
    assert_survives(run_small_threads, *state);
}

static step_log_t *signal_log;

static void log_in_handler(int number)
{
    (void)number;
    for (long i = 0; i < 10; i++)
        put_record(signal_log, 0, i);
}

/* On a stack of their own, whose end is a page that nobody may touch. */
static void handle_on_small_stack(void *place)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t frame = getauxval(AT_MINSIGSTKSZ); /* kilobytes where registers are many; 0 on older kernels */
    const size_t bytes = (STACK_BYTES + frame + page - 1) / page * page;
    char *pages = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const stack_t small = { .ss_sp = pages + page, .ss_size = bytes };
    const struct sigaction action = { .sa_handler = log_in_handler, .sa_flags = SA_ONSTACK };
    CHECK(pages != MAP_FAILED && mprotect(pages, page, PROT_NONE) == 0 && sigaltstack(&small, NULL) == 0);
    signal_log = open_file_log(file_in(place));
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    raise(SIGUSR1); /* the first call of the thread: its ring is made in there */
    CHECK(step_log_flush(signal_log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(signal_log).written == 10);
    CHECK(step_log_close(signal_log) == STEP_OK);
}

static void so_is_one_of_a_signal_handler(void **state)
{
    assert_survives(handle_on_small_stack, *state);
}

/* ---- Cancellation ---- */

enum { CANCELLED = 400 / SLOWER, AT_ONCE = 4 };

static atomic_long made;

static int write_with_cancellation_points(void *ctx, const char *bytes, size_t length)
{
    (void)bytes, (void)length;
    pthread_testcancel();
    sleep_ms(0);
    atomic_fetch_add((atomic_long *)ctx, 1);
    return 0;
}

/* Every call of the library that a thread may be cancelled in. */
static void *log_until_cancelled(void *argument)
{
    step_log_t *log = argument;
    for (long i = 0;; i++) {
        put_record(log, 0, 0);
        atomic_fetch_add(&made, 1);
        if (i % 16 == 0)
            step_log_flush(log, FLUSH_MS);
        pthread_testcancel();
    }
    return NULL;
}

static void cancel_in_mode(uint32_t mode)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = write_with_cancellation_points };
    atomic_long writes = 0;
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.mode = mode;
    options.ring_bytes = 4096;
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_custom(&ops, &writes), step_format_text());
    atomic_store(&made, 0);
    for (int i = 0; i < CANCELLED / AT_ONCE; i++) {
        pthread_t threads[AT_ONCE];
        for (int t = 0; t < AT_ONCE; t++)
            CHECK(pthread_create(&threads[t], NULL, log_until_cancelled, log) == 0);
        sleep_ms(i % 3);
        for (int t = 0; t < AT_ONCE; t++)
            CHECK(pthread_cancel(threads[t]) == 0);
        for (int t = 0; t < AT_ONCE; t++) {
            void *result = NULL;
            CHECK(pthread_join(threads[t], &result) == 0 && result == PTHREAD_CANCELED);
        }
    }
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    const step_stats_t stats = check_oracle(log);
    CHECK(stats.dropped == 0 && stats.recorded >= (uint64_t)atomic_load(&made));
    CHECK(stats.recorded <= (uint64_t)atomic_load(&made) + CANCELLED); /* not counted here: cancelled in their call */
    CHECK(atomic_load(&writes) > 0);
    CHECK(step_log_close(log) == STEP_OK);
}

static void cancel_often(void *place)
{
    (void)place;
    cancel_in_mode(STEP_MODE_ASYNC);
    cancel_in_mode(STEP_MODE_SYNC);
}

static void nobody_stalls_when_others_are_cancelled(void **state)
{
#ifdef STEP_LOGGER_SANITIZED /* ASan takes the stack that a cancelled thread has left for one in use */
    skip();
#endif
    assert_survives(cancel_often, *state);
}

/* ---- Descriptors ---- */

/* As careless daemons do. What was closed is missed by each write; reopening makes it good. */
static void close_everything(void *place)
{
    step_log_t *log = open_file_log(file_in(place));
    put_record(log, 0, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        close(fd);
    put_record(log, 0, 1);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_EIO);
    CHECK(check_oracle(log).dropped_sink == 1);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_record(log, 1, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == 2);
    CHECK(step_log_close(log) == STEP_OK);
}

static void whoever_closes_all_descriptors_is_told(void **state)
{
    assert_survives(close_everything, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], 1);
    assert_int_equal(tally.of[1], 1);
    assert_int_equal(tally.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_stack_of_16_kib_is_enough),
        PLACE_TEST(so_is_one_of_a_signal_handler),
        PLACE_TEST(nobody_stalls_when_others_are_cancelled),
        PLACE_TEST(whoever_closes_all_descriptors_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
