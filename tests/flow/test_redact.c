/* Secrets: what redact_keys and step_secret() name is in no line, no diagnostic and no memory of the library's, also where its call
 * sites were known before a log had anything to redact. */
#include "support/plain_format.h"

#include <inttypes.h>
#include <unistd.h>

enum { SECRET_BYTES = 24 };

/* Made while the program runs, and looked for by its complement: so it lies nowhere but here. */
static char secret[SECRET_BYTES + 1];
static unsigned char complement[SECRET_BYTES];

static void make_secret(unsigned seed)
{
    for (size_t i = 0; i < SECRET_BYTES; i++) {
        seed = seed * 1103515245u + 12345u;
        secret[i] = (char)('a' + (seed >> 16) % 26);
        complement[i] = (unsigned char)~(unsigned char)secret[i];
    }
}

static bool is_here(const unsigned char *at)
{
    for (size_t i = 0; i < SECRET_BYTES; i++)
        if ((at[i] ^ complement[i]) != 0xFF)
            return false;
    return true;
}

static int count_in(uintptr_t from, uintptr_t to)
{
    int found = 0;
    for (uintptr_t at = from; at + SECRET_BYTES <= to; at++) {
        const unsigned char *bytes = (const unsigned char *)at;
        if (bytes != (const unsigned char *)secret && is_here(bytes))
            found++;
    }
    return found;
}

/* How often the secret lies in what this process may write to, but for its stack. */
static int copies_in_memory(void)
{
    char line[512];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t from, to;
        char rights[8];
        assert_int_equal(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, rights), 3);
        if (strncmp(rights, "rw", 2) == 0 && strstr(line, "[stack]") == NULL)
            found += count_in(from, to);
    }
    fclose(maps);
    return found;
}

static void log_secrets(step_logger_t *op)
{
    step_info("Login", step_kv("password", secret), step_kv("n", 1));
    step_quick_success(1, "quick", 2, step_kv("api_token", secret));
    step_logger_step(op, 1, "one", step_kv("password", secret));
    step_logger_success(op, step_kv("password", secret), step_kv("user", "u"));
    step_logger_message(op, STEP_LEVEL_INFO, "m", step_kv("api_token", secret), step_kv("a", 1), step_kv("b", 2), step_kv("c", 3),
                        step_kv("d", 4));
    step_logger_bind(op, step_kv("password", secret), step_secret("other", secret));
    step_logger_failure(op, "no", step_strn("password", secret, 10), step_secret("pin", secret));
}

static step_logger_t *started(void)
{
    step_logger_t *op = step_logger_new("A", 1);
    step_logger_start(op);
    return op;
}

#define REDACTED                                                                                                       \
    "INFO start A\nINFO message A \"Login\" password=*** n=1\nINFO success/1 api_token=***\nINFO step A/1 password=***\n" \
    "INFO success A/1 password=*** user=u\nINFO message A \"m\" api_token=*** a=1 b=2 c=3 d=4\n"                         \
    "ERROR failure A \"no\" password=*** pin=*** | password=*** other=***\n"                                            \
    "INFO complete A | password=*** other=***\n"

static step_log_options_t redacting(test_log_t *t, const char *keys)
{
    step_log_options_t options = test_log_options(t);
    options.clock = NULL; /* the short way needs the machine's */
    options.redact_keys = keys;
    return options;
}

static void in_no_line(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = redacting(t, "PASSWORD, *_token");
    make_secret(1);
    plain_log_open(t, &options, 0);
    test_log_add_outputs(t); /* text and JSON beside it */
    step_sink_t *logfmt = step_sink_memory(1 << 20);
    assert_int_equal(step_log_add_output(t->log, logfmt, step_format_logfmt(), 0), STEP_OK);
    for (int i = 0; i < 3; i++) {
        step_logger_t *op = started();
        log_secrets(op);
        finish(op);
    }
    const char *const texts[] = { new_text(t), new_json(t), step_sink_memory_text(logfmt) };
    for (size_t i = 0; i < 3; i++) {
        assert_null(strstr(texts[i], secret));
        assert_non_null(strstr(texts[i], "password"));
        assert_non_null(strstr(texts[i], "***"));
    }
    char told[8192];
    told_since(t, told);
    assert_null(strstr(told, secret));
}

static void in_no_memory(void **state)
{
    test_log_t *t = *state;
    char told[8192];
    step_log_options_t options = redacting(t, NULL);
#ifdef STEP_LOGGER_SANITIZED
    skip(); /* their shadow is terabytes */
#endif
    make_secret(2);
    plain_log_open(t, &options, 0); /* nothing is secret yet: sites are learned */
    for (int i = 0; i < 3; i++) {
        step_logger_t *op = started();
        log_secrets(op);
        finish(op);
    }
    assert_non_null(strstr(new_text(t), secret));
    assert_true(copies_in_memory() > 0); /* so it would be found */
    test_log_close(t);
    make_secret(3);
    options = redacting(t, "password,*_token");
    plain_log_open(t, &options, 0);
    for (int i = 0; i < 3; i++) {
        step_logger_t *op = started();
        log_secrets(op);
        step_log_bind(t->log, step_kv("password", secret));
        finish(op);
        step_logger_bind(op, step_kv("password", secret)); /* freed */
        told_since(t, told);
    }
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_int_equal(copies_in_memory(), 0);
    assert_null(strstr(new_text(t), secret));
}

/* What one log redacts another one shows; the lines say what they said before. */
static void each_log_by_itself(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = redacting(t, "password, *_token");
    make_secret(4);
    for (int i = 0; i < 3; i++) {
        plain_log_open(t, &options, 0);
        step_logger_t *op = started();
        log_secrets(op);
        finish(op);
        expect_text(t, REDACTED);
        options.redact_keys = NULL;
        plain_log_open(t, &options, 0);
        op = started();
        log_secrets(op);
        finish(op);
        const char *text = new_text(t);
        int shown = 0;
        for (const char *at = text; (at = strstr(at, secret)) != NULL; at++)
            shown++;
        assert_int_equal(shown, 5 + 2); /* and twice what was bound; of the failure's ten bytes are shown */
        options.redact_keys = "password, *_token";
    }
}

/* More patterns than a process remembers: then no call site is known any more, and all is redacted still. */
static void many_lists_of_keys(void **state)
{
    test_log_t *t = *state;
    char keys[1024];
    make_secret(5);
    for (int i = 0; i < 20; i++) {
        const int n = snprintf(keys, sizeof(keys), "password,*_token,key%d,", i);
        memset(keys + n, 'x', sizeof(keys) - 1 - (size_t)n);
        keys[sizeof(keys) - 1] = '\0';
        const step_log_options_t options = redacting(t, keys);
        plain_log_open(t, &options, 0);
        for (int j = 0; j < 2; j++) {
            step_logger_t *op = started();
            log_secrets(op);
            finish(op);
            expect_text(t, REDACTED);
        }
    }
}

/* All keys of call sites; texts, names and numbers of lines are no keys. */
static void every_key(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = redacting(t, "*");
    plain_log_open(t, &options, 0);
    step_info("text", step_kv("a", 1), step_kv("b", true));
    step_info("text", step_i64(NULL, 1), step_i64("", 2));
    expect_text(t, "INFO message \"text\" a=*** b=***\nINFO message \"text\" null=*** =***\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_no_line), TEST(in_no_memory), TEST(each_log_by_itself), TEST(many_lists_of_keys), TEST(every_key),
    };
    return test_in_both_modes(tests);
}
