/* Levels by operation: whose lines, messages and quick steps they are about, and that fields follow. */
#include "support/plain_format.h"

static void open_with_rules(test_log_t *t, step_level_t level, const char *rules)
{
    step_log_options_t options = test_log_options(t);
    options.level = level;
    options.level_rules = rules;
    plain_log_open(t, &options, 0);
}

static step_logger_t *started(const char *name)
{
    step_logger_t *op = step_logger_new(name, 0);
    step_logger_start(op);
    return op;
}

static int evaluated;

static int value(void)
{
    return ++evaluated;
}

/* Each kind of call in an operation that is current. */
static void all_calls(const char *name)
{
    evaluated = 0;
    step_logger_t *op = started(name);
    for (int i = 0; i < 2; i++) { /* the second time call sites are known */
        step_debug("debug", step_kv("v", value()));
        step_info("info", step_kv("v", value()));
        step_quick_success(1, "quick", 2, step_kv("v", value()));
        step_quick_failure(1, "quick", "no", 2, step_kv("v", value()));
    }
    finish(op);
}

static void the_last_rule_that_matches(void **state)
{
    test_log_t *t = *state;
    open_with_rules(t, STEP_LEVEL_WARNING, "Data*=debug, Database*=info, Quiet=off");
    all_calls("Data");
    expect_text(t, "INFO start Data\n"
                   "DEBUG message Data \"debug\" v=1\nINFO message Data \"info\" v=2\nINFO success/1 v=3\nERROR failure/1 \"no\" v=4\n"
                   "DEBUG message Data \"debug\" v=5\nINFO message Data \"info\" v=6\nINFO success/1 v=7\nERROR failure/1 \"no\" v=8\n"
                   "INFO complete Data\n");
    all_calls("Database");
    assert_int_equal(evaluated, 6);
    expect_text(t, "INFO start Database\nINFO message Database \"info\" v=1\nINFO success/1 v=2\nERROR failure/1 \"no\" v=3\n"
                   "INFO message Database \"info\" v=4\nINFO success/1 v=5\nERROR failure/1 \"no\" v=6\nINFO complete Database\n");
    all_calls("Quiet");
    assert_int_equal(evaluated, 0);
    expect_text(t, "");
    all_calls("other");
    assert_int_equal(evaluated, 2);
    expect_text(t, "ERROR failure/1 \"no\" v=1\nERROR failure/1 \"no\" v=2\n");
}

/* A rule is stricter than the log: the line goes, not its fields alone. */
static void stricter_than_the_log(void **state)
{
    test_log_t *t = *state;
    open_with_rules(t, STEP_LEVEL_INFO, "Health=error");
    all_calls("Health");
    assert_int_equal(evaluated, 2);
    expect_text(t, "ERROR failure/1 \"no\" v=1\nERROR failure/1 \"no\" v=2\n");
    step_info("of none", step_kv("v", value()));
    step_debug("of none", step_kv("v", value()));
    step_quick_success(1, "quick", 2, step_kv("v", value()));
    expect_text(t, "INFO message \"of none\" v=3\nINFO success/1 v=4\n");
    assert_true(step_log_wants(t->log, STEP_LEVEL_INFO));
    step_logger_t *op = started("Health");
    assert_false(step_log_wants(t->log, STEP_LEVEL_INFO));
    assert_false(step_logger_wants(op, 0));
    assert_true(step_logger_wants(op, STEP_LEVEL_ERROR));
    step_logger_t *inner = started("Inner"); /* each has its own */
    step_info("x");
    finish(inner);
    step_logger_free(op);
    expect_text(t, "INFO start Inner\nINFO message Inner \"x\"\nINFO complete Inner\n");
}

static void levels_change(void **state)
{
    test_log_t *t = *state;
    open_with_rules(t, STEP_LEVEL_INFO, "Fixed=warning");
    step_logger_t *fixed = started("Fixed");
    step_logger_t *other = started("Other");
    step_info("seen");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_ERROR), STEP_OK); /* what was logged before stays */
    step_warning("unseen");
    step_logger_message(fixed, STEP_LEVEL_WARNING, "seen");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_DEBUG), STEP_OK);
    step_debug("seen");
    step_logger_message(fixed, STEP_LEVEL_INFO, "unseen");
    finish(other);
    finish(fixed);
    expect_text(t, "INFO start Other\nINFO message Other \"seen\"\nWARNING message Fixed \"seen\"\n"
                   "DEBUG message Other \"seen\"\nINFO complete Other\n");
}

/* Failures that are off name no step; incomplete ones follow the rule as well. */
static void ends(void **state)
{
    test_log_t *t = *state;
    open_with_rules(t, STEP_LEVEL_INFO, "Quiet=critical,Loud=debug,Mute=off");
    step_log_set_level(t->log, STEP_LEVEL_ERROR);
    step_logger_free(started("Quiet"));
    step_logger_free(started("Loud"));
    step_logger_free(started("Mute"));
    step_logger_free(started("Other"));
    expect_text(t, "INFO start Loud\nWARNING incomplete Loud\n");
    step_log_options_t options = test_log_options(t);
    options.level = STEP_LEVEL_ERROR;
    options.level_rules = "Loud=debug";
    capture_t *c = plain_log_open_captured(t, &options, 0);
    step_logger_t *loud = started("Loud");
    step_logger_t *other = started("Other");
    test_log_close(t);
    assert_string_equal(capture_text(c), "INFO start Loud\nWARNING incomplete Loud\n");
    step_logger_free(other);
    step_logger_free(loud);
    capture_free(c);
}

static void names(void **state)
{
    test_log_t *t = *state;
    open_with_rules(t, STEP_LEVEL_ERROR, "null=info,a=b=info,*\xC3\xA9*=info");
    finish(started(NULL));
    finish(started("a=b"));
    finish(started("caf\xC3\xA9!"));
    finish(started("NULL"));
    expect_text(t, "INFO start null\nINFO complete null\nINFO start a=b\nINFO complete a=b\n"
                   "INFO start caf\xC3\xA9!\nINFO complete caf\xC3\xA9!\n");
}

static void bad_rules(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    step_log_t *log = NULL;
    options.level_rules = "A=info,B=loud";
    assert_int_equal(step_log_open(&options, &log), STEP_EINVAL);
    expect_told(t, "-1: step_log_open(): level_rules: \"B=loud\" is not PATTERN=LEVEL with debug, info, warning, error, "
                   "critical or off\n");
    char many[2000] = "";
    for (int i = 0; i < 33; i++)
        strcat(many, "A=info,");
    options.level_rules = many;
    assert_int_equal(step_log_open(&options, &log), STEP_EINVAL);
    expect_told(t, "-1: step_log_open(): level_rules has more than 32 rules or 1023 bytes\n");
    char redact[1025];
    memset(redact, 'a', 1024);
    redact[1024] = '\0';
    options.level_rules = NULL;
    options.redact_keys = redact;
    assert_int_equal(step_log_open(&options, &log), STEP_EINVAL);
    expect_told(t, "-1: step_log_open(): redact_keys is longer than 1023 bytes\n");
    assert_null(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_rule_that_matches), TEST(stricter_than_the_log), TEST(levels_change), TEST(ends), TEST(names),
        TEST(bad_rules),
    };
    return test_in_both_modes(tests);
}
