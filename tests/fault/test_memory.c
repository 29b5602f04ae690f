/* Memory and threads that cannot be had: each allocation of a whole scenario fails in turn. Nothing crashes, nothing leaks (the
 * sanitizer's part), records that could not be kept are counted. */
/* wrap: malloc calloc realloc aligned_alloc strdup mmap pthread_create */
#include "fault.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS = 300, TRIES_MAX = 2000 };

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
char *__real_strdup(const char *text);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
char *__wrap_strdup(const char *text);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

/* The call with this number fails. 0: none does. */
static atomic_long calls, failing;
static atomic_bool no_threads;

static bool fails(void)
{
    const long which = atomic_load(&failing);
    if (which == 0)
        return false;
    const long number = atomic_fetch_add(&calls, 1) + 1;
    return number == which;
}

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? none() : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? none() : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? none() : __real_realloc(memory, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? none() : __real_aligned_alloc(alignment, bytes);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? none() : __real_strdup(text);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    if (!fails())
        return __real_mmap(address, bytes, protection, flags, fd, offset);
    none();
    return MAP_FAILED;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return atomic_load(&no_threads) || fails() ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

/* ---- The scenario ---- */

static int take(void *ctx, const char *bytes, size_t length)
{
    (void)bytes;
    *(atomic_size_t *)ctx += length;
    return 0;
}

static void say_nothing(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code, (void)text;
}

static void log_operations(step_log_t *log)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    options.total_steps = 2;
    for (int i = 0; i < RECORDS / 10; i++) {
        step_logger_t *op = step_logger_new_with("an operation whose name is longer than what lies in the structure itself, so "
                                                 "that it needs memory of its own to be kept for later lines", &options);
        step_logger_start(op, step_kv("i", i));
        step_logger_step(op, 1, "one", step_kv("text", "value"));
        step_logger_success(op, step_kv("n", i), step_kv("text", "value"));
        step_logger_step(op, 2, "two");
        step_logger_failure(op, "no");
        step_logger_complete(op);
        step_logger_free(op);
        put_record(log, 0, i);
    }
}

static void *log_on_another_thread(void *log)
{
    log_operations(log);
    return NULL;
}

/* With all that holds lines back, and binds fields. */
static void *log_what_waits(void *log)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    for (int i = 0; i < 4; i++) {
        options.parent = step_logger_no_parent();
        step_logger_t *op = step_logger_new_with("Root", &options);
        step_logger_bind(op, step_kv("request", i), step_kv("text", "value"));
        step_logger_start(op);
        step_logger_message(op, STEP_LEVEL_DEBUG, "detail", step_kv("n", i));
        options.parent = op;
        step_logger_t *child = step_logger_new_with("Child", &options);
        step_logger_start(child);
        step_logger_bind(child, step_kv("request", "again"));
        step_logger_step(child, 1, "one");
        step_logger_message(child, STEP_LEVEL_DEBUG, "detail", step_kv("n", i));
        if (i % 2 == 0)
            step_logger_failure(child, "no");
        step_logger_complete(child);
        step_logger_free(child);
        if (i % 4 == 1)
            step_log_flush(log, FLUSH_MS);
        if (i % 4 != 3)
            step_logger_complete(op);
        step_logger_free(op);
    }
    return NULL;
}

static step_log_options_t ordinary_options(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.diagnose = say_nothing;
    options.ring_bytes = 4096;
    return options;
}

static step_log_options_t retaining_options(double rate)
{
    step_log_options_t options = ordinary_options();
    options.sample_rate = rate;
    options.flight_recorder_bytes = 4096;
    options.stuck_ms = 1;
    options.slow_ms = 1000;
    options.level_rules = "Chi*=info";
    options.redact_keys = "text";
    return options;
}

static void flush_and_check(step_log_t *log)
{
    const int flushed = step_log_flush(log, FLUSH_MS);
    if (flushed == STEP_OK || flushed == STEP_EIO)
        check_oracle(log);
    else
        CHECK(flushed == STEP_ENOMEM || flushed == STEP_ETIMEOUT); /* it does not claim what is not so */
}

static void retain_once(const char *path, double rate)
{
    const step_log_options_t options = retaining_options(rate);
    step_log_t *log = NULL;
    pthread_t thread;
    if (step_log_open(&options, &log) != STEP_OK)
        return;
    step_log_add_output(log, step_sink_file(path), step_format_json(), 0);
    const bool has_thread = __real_pthread_create(&thread, NULL, log_what_waits, log) == 0;
    const int bound = step_log_bind_fields(log, (const step_field_t[]){ step_kv("service", "x") }, 1);
    CHECK(bound == STEP_OK || bound == STEP_ENOMEM);
    log_what_waits(log);
    const int null = open("/dev/null", O_WRONLY);
    const int dumped = step_log_dump_active(log, null);
    CHECK(dumped == STEP_OK || dumped == STEP_ENOMEM);
    close(null);
    if (has_thread)
        pthread_join(thread, NULL);
    flush_and_check(log);
    CHECK(step_log_close(log) == STEP_OK);
}

static void retain(const char *path)
{
    retain_once(path, 1);
    retain_once(path, 0);
}

static void run_scenario_once(const char *path)
{
    static atomic_size_t taken;
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = take };
    const step_log_options_t options = ordinary_options();
    step_log_t *log = NULL;
    pthread_t thread;
    if (step_log_open(&options, &log) != STEP_OK)
        return;
    step_sink_t *memory = step_sink_memory(1 << 20);
    const bool has_memory = step_log_add_output(log, memory, step_format_text(), 0) == STEP_OK;
    step_log_add_output(log, step_sink_file(path), step_format_json(), 0);
    step_log_add_output(log, step_sink_custom(&ops, &taken), step_format_logfmt(), 0);
    const bool has_thread = __real_pthread_create(&thread, NULL, log_on_another_thread, log) == 0;
    log_operations(log);
    if (has_thread)
        pthread_join(thread, NULL);
    flush_and_check(log);
    if (has_memory)
        step_sink_memory_text(memory);
    step_log_close(log);
}

/* Each in turn, until there are no more to fail; the first failure of all may leave the library half set up for good. */
static void fail_each(const char *path, void (*run)(const char *path))
{
    for (long which = 1; which < TRIES_MAX; which++) {
        atomic_store(&calls, 0);
        atomic_store(&failing, which);
        run(path);
        atomic_store(&failing, 0);
        if (atomic_load(&calls) < which)
            break;
    }
    CHECK(atomic_load(&calls) > 20);
    run(path); /* and with everything there, everything works */
    unlink(path);
    run(path);
    CHECK(access(path, R_OK) == 0);
}

static void fail_in_turn(void *place)
{
    fail_each(((place_t *)place)->file, run_scenario_once);
}

static void fail_while_retaining(void *place)
{
    fail_each(((place_t *)place)->file, retain);
}

static void each_fails_in_turn(void **state)
{
    assert_survives(fail_in_turn, *state);
}

static void each_fails_in_turn_while_lines_wait(void **state)
{
    assert_survives(fail_while_retaining, *state);
}

/* ---- No thread for the backend ---- */

static int told;

static void count_telling(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code;
    told += strstr(text, "no thread") != NULL;
}

static void log_without_a_thread(void *place)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.diagnose = count_telling;
    atomic_store(&no_threads, true);
    CHECK(step_log_open(&options, &log) == STEP_OK);
    add_output(log, step_sink_file(((place_t *)place)->file), step_format_text());
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 0, i);
    CHECK(tally_file(((place_t *)place)->file).of[0] == RECORDS); /* each was there when its call returned */
    CHECK(step_log_close(log) == STEP_OK);
    CHECK(told == 1);
}

static void without_threads_calls_write_themselves(void **state)
{
    assert_survives(log_without_a_thread, *state);
    assert_int_equal(tally_file(((place_t *)*state)->file).of[0], RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(each_fails_in_turn),
        PLACE_TEST(each_fails_in_turn_while_lines_wait),
        PLACE_TEST(without_threads_calls_write_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
