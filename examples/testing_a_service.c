/* testing_a_service: a function that asks a provider and tries again, and its tests, which read what it logged.
 *
 *     testing_a_service [--broken]
 *
 * The provider is a fake one and time is the test's, so a pause of a second takes none. No framework is needed; here a failed
 * assertion is counted, and the tests go on. With --broken the function has a bug: see what the tests say. */
#include <stdio.h>

static int failures;

static void assertion_failed(const char *file, int line, const char *text)
{
    (void)file, (void)line;
    printf("%s", text != NULL ? text : "no memory\n");
    failures++;
}
#define STEP_TEST_FAIL(file, line, text) assertion_failed(file, line, text)

#include <step_logger/testing.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- The function under test: it knows nothing of tests */

typedef struct provider {
    int (*get)(void *ctx, const char *key); /* an HTTP status */
    void (*pause_ms)(void *ctx, int ms);
    void *ctx;
    int attempts_max;
} provider_t;

enum { HTTP_OK = 200, HTTP_UNAUTHORIZED = 401, HTTP_UNAVAILABLE = 503, FIRST_PAUSE_MS = 1000 };

static bool get_models(step_logger_t *op, const provider_t *provider, const char *key)
{
    int pause_ms = FIRST_PAUSE_MS;
    for (int attempt = 1;; attempt++) {
        step_logger_step(op, 1, "Fetching models", step_secret("key", key));
        const int status = provider->get(provider->ctx, key);
        if (status == HTTP_OK) {
            step_logger_success(op, step_kv("status", status));
            return true;
        }
        step_logger_failure(op, status == HTTP_UNAVAILABLE ? "provider is busy" : "provider refuses", step_kv("status", status));
        if (status != HTTP_UNAVAILABLE || attempt >= provider->attempts_max)
            return false;
        step_logger_message(op, STEP_LEVEL_WARNING, "Trying again", step_kv("pause_ms", pause_ms));
        provider->pause_ms(provider->ctx, pause_ms);
        pause_ms *= 2;
    }
}

static bool fetch_models(const provider_t *provider, const char *key)
{
    step_logger_t *op = step_logger_new("Provider Fetch", 2);
    step_logger_start(op, step_kv("provider", "openrouter"));
    const bool ok = get_models(op, provider, key);
    if (ok) {
        step_logger_step(op, 2, "Caching models");
        step_logger_skip(op, "nothing has changed");
        step_logger_complete(op, step_kv("status", "success"));
    }
    step_logger_free(op);
    return ok;
}

/* ---- A fake provider: answers in turn, each after 100 ms */

typedef struct fake {
    step_capture_t *capture;
    const int *answers;
} fake_t;

static int answer(void *ctx, const char *key)
{
    fake_t *fake = ctx;
    (void)key;
    step_capture_advance_ms(fake->capture, 100);
    return *fake->answers++;
}

static void let_time_pass(void *ctx, int ms)
{
    step_capture_advance_ms(((fake_t *)ctx)->capture, ms);
}

static int attempts_max = 3;

static bool fetch_with(step_capture_t *capture, const int *answers)
{
    fake_t fake = { .capture = capture, .answers = answers };
    const provider_t provider = {
        .get = answer, .pause_ms = let_time_pass, .ctx = &fake, .attempts_max = attempts_max
    };
    return fetch_models(&provider, "hunter2");
}

/* ---- The tests */

static void a_busy_provider_is_asked_again(step_capture_t *capture)
{
    static const int answers[] = { HTTP_UNAVAILABLE, HTTP_UNAVAILABLE, HTTP_OK };
    fetch_with(capture, answers);
    step_assert(capture, step_course("Provider Fetch", "1 failed, 1 failed, 1 succeeded, 2 skipped, completed"));
    step_assert(capture, step_with(step_failed("Provider Fetch", 1, "*busy"), step_kv("status", 503)));
    step_assert(capture, step_with(step_logged(STEP_LEVEL_WARNING, "Trying again"), step_kv("pause_ms", 2000)));
    step_assert(capture, step_with(step_completed("Provider Fetch"), step_kv("total_duration_ms", 3300)));
}

static void a_provider_that_stays_busy_is_given_up(step_capture_t *capture)
{
    static const int answers[] = { HTTP_UNAVAILABLE, HTTP_UNAVAILABLE, HTTP_UNAVAILABLE, HTTP_OK };
    fetch_with(capture, answers);
    step_assert(capture, step_retried("Provider Fetch", 1, 2));
    step_assert(capture, step_never(step_completed("Provider Fetch")));
}

static void a_wrong_key_is_not_tried_twice(step_capture_t *capture)
{
    static const int answers[] = { HTTP_UNAUTHORIZED, HTTP_OK };
    fetch_with(capture, answers);
    step_assert(capture, step_times(step_failed("Provider Fetch", 1, "provider refuses"), 1));
    step_assert(capture, step_retried("Provider Fetch", 1, 0));
}

static void nothing_is_worth_a_warning_when_all_is_well(step_capture_t *capture)
{
    static const int answers[] = { HTTP_OK };
    fetch_with(capture, answers);
    step_assert(capture, step_nothing_from(STEP_LEVEL_WARNING));
    step_assert(capture, step_with(step_began("Provider Fetch", 1), step_secret("key", "hunter2")));
}

/* All of it, as a golden file would have it: what differs from run to run is a placeholder. */
static void the_lines_are_the_golden_ones(step_capture_t *capture)
{
    static const char golden[] = "[INFO] 🚀 START: Provider Fetch (provider=openrouter)\n"
                                 "[INFO] ▶️  [1/2] Fetching models (key=***)\n"
                                 "[INFO] ✅ [1/2] Fetching models - SUCCESS (status=200, duration_ms=<duration>)\n"
                                 "[INFO] ▶️  [2/2] Caching models\n"
                                 "[INFO] ⏭️  [2/2] Caching models - SKIPPED: nothing has changed\n"
                                 "[INFO] 🏁 COMPLETE: Provider Fetch (status=success, total_duration_ms=<duration>)\n";
    static const int answers[] = { HTTP_OK };
    fetch_with(capture, answers);
    char *lines = step_normalize(step_capture_text(capture), STEP_NORMALIZE_ALL);
    if (lines == NULL || strcmp(lines, golden) != 0)
        assertion_failed(__FILE__, __LINE__, lines);
    free(lines);
}

#define RUN(test) run(#test, test)
static void run(const char *name, void (*test)(step_capture_t *capture))
{
    const int before = failures;
    step_capture_t *capture = step_capture_new(NULL); /* the default log, until it is freed */
    printf("-- %s\n", name);
    test(capture);
    printf("%s\n", failures == before ? "ok" : "FAILED");
    step_capture_free(capture);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--broken") == 0)
        attempts_max = 2;
    RUN(a_busy_provider_is_asked_again);
    RUN(a_provider_that_stays_busy_is_given_up);
    RUN(a_wrong_key_is_not_tried_twice);
    RUN(nothing_is_worth_a_warning_when_all_is_well);
    RUN(the_lines_are_the_golden_ones);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
