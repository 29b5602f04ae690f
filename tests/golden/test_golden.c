/* The six logs of the specification, byte for byte, and the same records as JSON lines with exact durations.
 *
 * Each flow is the program that the specification describes, with the clock moved where that program works. NAME.log is the
 * specification's, NAME.jsonl is what docs/formats.md makes of the same records (pid 4711 and tid 4712 stand for any, and so do
 * the numbers that are the ids). */
#include "support/test_log.h"

#include <errno.h>
#include <unistd.h>

static test_log_t *t;

static int64_t ms(double milliseconds)
{
    return (int64_t)(milliseconds * 1000000.0 + 0.5);
}

static void work(double milliseconds)
{
    pass_ns(t, ms(milliseconds));
}

/* ---- The flows ---- */

static void validate_key(step_logger_t *op, double milliseconds)
{
    step_logger_step(op, 1, "Validating API key", step_kv("provider", "openrouter"));
    work(milliseconds);
    step_logger_success(op, step_kv("status", "configured"));
}

static step_logger_t *begin_provider_fetch(void)
{
    step_logger_t *op = step_logger_new("OpenRouter Model Fetch", 4);
    step_logger_start(op, step_kv("provider", "openrouter"),
                      step_kv("endpoint", "https://openrouter.ai/api/v1/models"));
    return op;
}

static void provider_fetch(void)
{
    const int raw = 2834, kept = 2756;
    step_logger_t *op = begin_provider_fetch();
    validate_key(op, 0.203417);
    step_logger_step(op, 2, "Fetching models from API", step_kv("provider", "openrouter"));
    work(1523.684211);
    step_logger_success(op, step_kv("raw_count", raw), step_kv("status_code", 200));
    step_logger_step(op, 3, "Processing and filtering models", step_kv("provider", "openrouter"));
    work(234.500009);
    step_logger_success(op, step_kv("final_count", kept), step_kv("filtered_out", raw - kept),
                        step_percent("filter_rate", 100.0 * (raw - kept) / raw));
    step_logger_step(op, 4, "Caching models", step_kv("provider", "openrouter"));
    work(12.312363);
    step_logger_success(op, step_kv("cached_count", kept), step_kv("cache_status", "updated"));
    step_logger_complete(op, step_kv("total_models", kept), step_kv("provider", "openrouter"));
    step_logger_free(op);
}

static step_logger_t *begin_database_fetch(void)
{
    step_logger_t *op = step_logger_new("Database: Fetch All Models", 2);
    step_logger_start(op, step_kv("table", "models"), step_bool("include_inactive", false));
    step_logger_step(op, 1, "Connecting to database", step_kv("table", "models"), step_kv("replica", "read"));
    return op;
}

static void connected(step_logger_t *op, double milliseconds)
{
    work(milliseconds);
    step_logger_success(op, step_kv("connection", "ready"), step_kv("page_size", 1000));
    step_logger_step(op, 2, "Fetching models (paginated)", step_kv("table", "models"));
}

static void fetched(step_logger_t *op, int total, int batches)
{
    step_logger_success(op, step_kv("total_models", total), step_kv("batches", batches), step_kv("page_size", 1000));
}

static void database_fetch(void)
{
    const int total = 4432;
    int batch = 0;
    step_logger_t *op = begin_database_fetch();
    connected(op, 15.151);
    for (int offset = 0; offset < total; offset += 1000) {
        char text[64];
        const int models = total - offset < 1000 ? total - offset : 1000;
        work(468.3698); /* five times: 2341.849 */
        snprintf(text, sizeof(text), "Fetched batch %d: %d models", ++batch, models);
        step_debug(text, step_kv("offset", offset), step_kv("total", offset + models));
    }
    fetched(op, total, batch);
    step_logger_complete(op, step_kv("total_models", total), step_kv("table", "models"),
                         step_bool("include_inactive", false));
    step_logger_free(op);
}

static void nested_database_fetch(int total)
{
    step_logger_t *op = begin_database_fetch();
    connected(op, 12.1);
    work(3456.2);
    fetched(op, total, 12);
    step_logger_complete(op, step_kv("total_models", total), step_kv("table", "models"));
    step_logger_free(op);
}

static step_logger_t *begin_catalog_fetch(void)
{
    step_logger_t *op = step_logger_new("Cache: Fetch Full Catalog", 5);
    step_logger_start(op, step_kv("cache_type", "full_catalog"));
    step_logger_step(op, 1, "Checking Redis cache", step_kv("cache_layer", "redis"));
    return op;
}

static void cache_cold_start(void)
{
    const int models = 11432, ttl = 900;
    step_logger_t *op = begin_catalog_fetch();
    work(3.200001);
    step_logger_message(op, STEP_LEVEL_DEBUG, "Cache MISS: Full model catalog");
    step_logger_success(op, step_kv("result", "MISS"));
    step_logger_step(op, 2, "Checking local memory cache", step_kv("cache_layer", "local_memory"));
    work(0.0625);
    step_logger_success(op, step_kv("result", "MISS"));
    step_logger_step(op, 3, "Fetching from database", step_kv("cache_layer", "database"));
    nested_database_fetch(models);
    work(0.2);
    step_logger_success(op, step_kv("db_models", models));
    step_logger_step(op, 4, "Transforming models to API format", step_kv("count", models));
    work(523.099999);
    step_logger_success(op, step_kv("api_models", models));
    step_logger_step(op, 5, "Populating caches", step_kv("targets", "redis+local"));
    work(45.2);
    step_logger_messagef(op, STEP_LEVEL_DEBUG, "Cache SET: Full model catalog (%d models, TTL: %ds)", models, ttl);
    step_logger_success(op, step_kv("redis", "updated"), step_kv("local", "updated"), step_kv("ttl", ttl));
    step_logger_complete(op, step_kv("source", "database"), step_kv("models", models),
                         step_kv("cache_status", "populated"));
    step_logger_free(op);
}

static void cache_hit(void)
{
    step_logger_t *op = begin_catalog_fetch();
    work(2.3);
    step_debug("Cache HIT: Full model catalog");
    step_logger_success(op, step_kv("result", "HIT"), step_kv("count", 11432));
    work(0.2);
    step_logger_complete(op, step_kv("source", "redis"), step_kv("models", 11432));
    step_logger_free(op);
}

static void provider_fetch_timeout(void)
{
    step_logger_t *op = begin_provider_fetch();
    validate_key(op, 0.100001);
    step_logger_step(op, 2, "Fetching models from API", step_kv("provider", "openrouter"));
    work(30001.249999);
    step_logger_failure(op, "Request timeout after 30s");
    step_error("OpenRouter timeout error: Request timeout after 30s");
    step_logger_free(op);
}

static void database_connection_refused(void)
{
    step_logger_t *op = begin_database_fetch();
    work(5000);
    step_logger_failure_errno(op, ECONNREFUSED, step_kv("table", "models"));
    step_logger_message(op, STEP_LEVEL_ERROR, "Error fetching all models for catalog: Connection refused");
    step_logger_free(op);
}

/* ---- Comparing ---- */

static char *read_whole(const char *name, const char *ending)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s%s", STEP_LOGGER_GOLDEN_DIR, name, ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    const size_t bytes = fread(text, 1, 65535, file);
    assert_true(bytes > 0 && bytes < 65535);
    fclose(file);
    return text;
}

/* This process and thread in the places of 4711 and 4712. */
static char *with_own_numbers(const char *expected)
{
    static const char placeholder[] = "\"pid\":4711,\"tid\":4712,";
    char own[64];
    snprintf(own, sizeof(own), "\"pid\":%d,\"tid\":%d,", (int)getpid(), (int)gettid());
    char *out = calloc(1, 2 * strlen(expected) + 1);
    assert_non_null(out);
    const char *found;
    while ((found = strstr(expected, placeholder)) != NULL) {
        strncat(out, expected, (size_t)(found - expected));
        strcat(out, own);
        expected = found + sizeof(placeholder) - 1;
    }
    return strcat(out, expected);
}

static void compare(const char *name, void (*flow)(void))
{
    flow();
    char *text = read_whole(name, ".log");
    char *json = read_whole(name, ".jsonl");
    char *expected = with_own_numbers(json);
    assert_string_equal(new_text(t), text);
    char *lines = strdup(new_json(t));
    assert_non_null(lines);
    number_ids(lines);
    assert_string_equal(lines, expected);
    expect_told(t, "");
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(stats.misused, 0);
    free(lines);
    free(expected);
    free(json);
    free(text);
}

static int setup(void **state)
{
    const int result = test_log_setup(state);
    t = *state;
    return result;
}

#define GOLDEN(name, flow)                                                                                             \
    static void test_##flow(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        compare(name, flow);                                                                                           \
    }
GOLDEN("1_provider_fetch", provider_fetch)
GOLDEN("2_database_fetch", database_fetch)
GOLDEN("3_cache_cold_start", cache_cold_start)
GOLDEN("4_cache_hit", cache_hit)
GOLDEN("5_provider_fetch_timeout", provider_fetch_timeout)
GOLDEN("6_database_connection_refused", database_connection_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_provider_fetch, setup, test_log_teardown),
        cmocka_unit_test_setup_teardown(test_database_fetch, setup, test_log_teardown),
        cmocka_unit_test_setup_teardown(test_cache_cold_start, setup, test_log_teardown),
        cmocka_unit_test_setup_teardown(test_cache_hit, setup, test_log_teardown),
        cmocka_unit_test_setup_teardown(test_provider_fetch_timeout, setup, test_log_teardown),
        cmocka_unit_test_setup_teardown(test_database_connection_refused, setup, test_log_teardown),
    };
    return test_in_both_modes(tests);
}
