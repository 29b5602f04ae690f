/* Every macro of step_logger.h, with and without fields, as a C and as a C++ program would write them: compiled (not run)
 * by header.sh as strict C11 and as C++11, 17 and 20 with all warnings. */
#define STEP_LOGGER_SHORT_NAMES
#include <step_logger.h>

#include <errno.h>

enum colour { RED, GREEN = 7 };

void operations(step_logger_t *op, const char *text, char *buffer, int number, uint64_t done);
void messages(step_log_t *log, step_logger_t *op, step_level_t level, const char *text);
void bound(step_logger_t *op, step_log_t *log, const char *text);
void quick(const char *text, int number);
void all_fields(step_logger_t *op, const char *key, char *text);
void as_statements(step_logger_t *op, bool yes);
step_logger_t *constructors(step_log_t *log);

void operations(step_logger_t *op, const char *text, char *buffer, int number, uint64_t done)
{
    step_logger_start(op);
    step_logger_start(op, step_kv("table", "models"));
    step_logger_start(op, step_kv("table", text), step_kv("buffer", buffer));
    step_logger_step(op, 1, "Connecting");
    step_logger_step(op, number, text, step_kv("number", number));
    step_logger_success(op);
    step_logger_success(op, step_kv("raw_count", 2834), step_kv("status_code", 200L), step_kv("rate", 2.5));
    step_logger_failure(op, "timed out");
    step_logger_failure(op, text, step_kv("attempt", number), step_kv("text", text));
    step_logger_failure_errno(op, ENOENT);
    step_logger_failure_errno(op, errno, step_kv("path", text));
    step_logger_skip(op, "cached");
    step_logger_skip(op, text, step_kv("age", 1u));
    step_logger_progress(op, 1, 2);
    step_logger_progress(op, done, 10u * done, step_kv("text", text));
    step_logger_complete(op);
    step_logger_complete(op, step_kv("total", done));
    step_logger_start(NULL, step_kv("table", "models"));
}

void messages(step_log_t *log, step_logger_t *op, step_level_t level, const char *text)
{
    step_logger_message(op, level, text);
    step_logger_message(op, STEP_LEVEL_INFO, "text", step_kv("k", 1));
    step_logger_messagef(op, STEP_LEVEL_DEBUG, "plain");
    step_logger_messagef(op, level, "%d of %s", 1, text);
    step_debug("text");
    step_debug(text, step_kv("k", 1));
    step_info("text");
    step_info(text, step_kv("k", 1));
    step_warning("text");
    step_warning(text, step_kv("k", 1));
    step_error("text");
    step_error(text, step_kv("k", 1));
    step_critical("text");
    step_critical(text, step_kv("k", 1), step_kv("l", 2));
    step_message(level, text);
    step_message(STEP_LEVEL_WARNING, "text", step_kv("k", 1));
    step_log_message(log, level, text);
    step_log_message(NULL, STEP_LEVEL_ERROR, "text", step_kv("k", 1));
}

void bound(step_logger_t *op, step_log_t *log, const char *text)
{
    step_logger_bind(op, step_kv("request_id", text));
    step_logger_bind(op, step_kv("a", 1), step_str(text, text), step_secret("key", text));
    step_log_bind(log, step_kv("service", text));
    step_log_bind(NULL, step_kv("service", "catalog"), step_kv("host", text));
    if (op != NULL)
        step_logger_bind(op, step_kv("b", true));
    else
        step_log_bind(log, step_kv("b", 1.5));
}

void quick(const char *text, int number)
{
    step_quick_step(1, "Validating", "Fetch", 4);
    step_quick_step(number, text, text, number, step_kv("k", number), step_kv("text", text));
    step_quick_success(1, "Validating", 4);
    step_quick_success(number, text, number, step_kv("k", number));
    step_quick_failure(1, "Validating", "no key", 4);
    step_quick_failure(number, text, text, number, step_kv("k", number));
    log_operation_step(1, "Validating", "Fetch", 4);
    log_operation_step(number, text, text, number, kv("k", number));
    log_step_success(1, "Validating", 4);
    log_step_success(number, text, number, kv("k", number), kv("l", text));
    log_step_failure(1, "Validating", "no key", 4);
    log_step_failure(number, text, text, number, kv("k", number));
}

void all_fields(step_logger_t *op, const char *key, char *text)
{
    const char *const constant = text;
    const enum colour colour = GREEN;
    const short narrow = -1;
    const signed char tiny = -1;
    const unsigned short wide = 1;
    const unsigned char byte = 255;
    const volatile long long changing = 1;
    char array[4] = "abc";
    bool yes = true;

    step_logger_success(op, step_kv("bool", yes), step_kv("char", array[0]), step_kv("schar", tiny),
                        step_kv("uchar", byte), step_kv("short", narrow), step_kv("ushort", wide),
                        step_kv("int", 1), step_kv("uint", 1u), step_kv("long", 1L), step_kv("ulong", 1UL),
                        step_kv("llong", 1LL), step_kv("ullong", 1ULL), step_kv("volatile", changing),
                        step_kv("float", 1.5f), step_kv("double", 1.5), step_kv("text", text),
                        step_kv("const text", constant), step_kv("literal", "x"), step_kv("array", array),
                        step_kv("enum", colour), step_kv("enumerator", RED), step_kv("size", sizeof(array)),
                        step_kv("difference", constant - text), step_kv("joined " "key", 1), step_kv("", 1));
    step_logger_success(op, step_i64(key, -1), step_u64(key, 1u), step_f64(key, 1.0), step_bool("is_open", yes),
                        step_str(key, text), step_str(key, NULL), step_strn(key, text, 3), step_fixed(key, 1.0, 2),
                        step_percent("filter_rate", 2.752), step_secret("api_key", text));
    step_logger_success(
        op, kv("1", 1), kv("2", 1), kv("3", 1), kv("4", 1), kv("5", 1), kv("6", 1), kv("7", 1), kv("8", 1), kv("9", 1),
        kv("10", 1), kv("11", 1), kv("12", 1), kv("13", 1), kv("14", 1), kv("15", 1), kv("16", 1), kv("17", 1), kv("18", 1),
        kv("19", 1), kv("20", 1), kv("21", 1), kv("22", 1), kv("23", 1), kv("24", 1), kv("25", 1), kv("26", 1), kv("27", 1),
        kv("28", 1), kv("29", 1), kv("30", 1), kv("31", 1), kv("32", 1), kv("33", 1), kv("34", 1), kv("35", 1), kv("36", 1),
        kv("37", 1), kv("38", 1), kv("39", 1), kv("40", 1), kv("41", 1), kv("42", 1), kv("43", 1), kv("44", 1), kv("45", 1),
        kv("46", 1), kv("47", 1), kv("48", 1), kv("49", 1), kv("50", 1), kv("51", 1), kv("52", 1), kv("53", 1), kv("54", 1),
        kv("55", 1), kv("56", 1), kv("57", 1), kv("58", 1), kv("59", 1), kv("60", 1));
}

/* They stand wherever a statement may, also unbraced before an else, in for and in switch, and with commas inside. */
void as_statements(step_logger_t *op, bool yes)
{
    int i;
    if (yes)
        step_logger_success(op);
    else
        step_logger_failure(op, "no", step_kv("yes", yes));
    if (yes)
        step_info("yes", step_kv("yes", yes));
    else
        step_logger_messagef(op, STEP_LEVEL_INFO, "%d", 1);
    for (i = 0; i < 2; i++)
        step_quick_success(i, "in a loop", 2, step_kv("i", i));
    switch (i) {
    case 1:
        step_logger_skip(op, "one");
        break;
    default:
        step_logger_complete(op, step_kv("largest", (i > 1 ? i : 1)), step_kv("size", sizeof(step_field_t[2])));
    }
}

step_logger_t *constructors(step_log_t *log)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    step_log_options_t log_options = STEP_LOG_OPTIONS_INIT;
    static const step_logger_options_t constant = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    log_options.ring_bytes = STEP_LOG_RING_BYTES;
    if (step_log_open(&log_options, &log) != STEP_OK)
        return step_logger_new_with("Operation", &constant);
    return step_logger_new_with("Operation", &options);
}

#ifdef __cplusplus

enum class strong : unsigned char { one = 1 };

struct with_flags {
    unsigned flag : 1;
};

template <typename T> void generic(step_logger_t *op, T value)
{
    step_logger_success(op, step_kv("value", value));
}

namespace inner
{
struct worker {
    step_logger_t *op;
    int count;
    void run();
    static void plain(step_logger_t *op) { step_logger_success(op); }
};

void worker::run()
{
    step_logger_start(op, step_kv("count", count));
    auto inside = [this](int i) { step_logger_step(op, i, "in a lambda", step_kv("i", i)); };
    inside(1);
    step_logger_success(op, step_kv("strong", strong::one));
    const with_flags flags = { 1u };
    step_logger_success(op, step_kv("bit", static_cast<unsigned>(flags.flag)));
}
} // namespace inner

void instantiate(step_logger_t *op);
void instantiate(step_logger_t *op)
{
    inner::worker worker = { op, 1 };
    const char *const text = "text";
    worker.run();
    inner::worker::plain(op);
    generic(op, 1);
    generic(op, 1.5);
    generic(op, true);
    generic(op, 'c');
    generic(op, text);
    generic(op, strong::one);
}

#endif
