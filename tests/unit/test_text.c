/* Text lines: what each kind of record reads like. */
#include "format_support.h"

enum {
    STEP = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_OPERATION,
    TIMED = STEPI_PART_CLOCK | STEPI_PART_ELAPSED,
};

static step_format_t *format;

static int make_format(void **state)
{
    (void)state;
    format = step_format_text();
    return format == NULL;
}

static int free_format(void **state)
{
    (void)state;
    format->free(format);
    return 0;
}

static step_format_t *format_with(uint32_t timestamps, uint32_t ascii, uint32_t color)
{
    const step_text_options_t options = { sizeof(options), timestamps, ascii, color, 0 };
    step_format_t *made = step_format_text_with(&options);
    assert_non_null(made);
    return made;
}

/* A record with everything in it that its `parts` let through. */
static stepi_draft_t draft_of(stepi_kind_t kind, uint16_t parts)
{
    return (stepi_draft_t){
        .kind = (uint8_t)kind,
        .level = STEP_LEVEL_INFO,
        .parts = parts,
        .elapsed = 15203417,
        .wall_ns = 1770197400123456789,
        .step = 2,
        .total = 4,
        .attempt = 1,
        .done = 50,
        .goal = 200,
        .operation_name = stepi_text_of("Sync"),
        .description = stepi_text_of("Fetching models"),
        .text = stepi_text_of("Connection refused"),
    };
}

static void with_fields(stepi_draft_t *draft, const step_field_t *fields, size_t count)
{
    draft->fields = fields;
    draft->field_count = count;
}

static void starts(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("table", "models"), step_bool("all", false) };
    stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
    expect_line(format, &draft, "[INFO] 🚀 START: Sync\n");
    with_fields(&draft, fields, 2);
    expect_line(format, &draft, "[INFO] 🚀 START: Sync (table=models, all=false)\n");
    draft.operation_name = stepi_text_of(NULL);
    expect_line(format, &draft, "[INFO] 🚀 START: null (table=models, all=false)\n");
    draft.operation_name = stepi_text_of("");
    expect_line(format, &draft, "[INFO] 🚀 START:  (table=models, all=false)\n");
}

static void steps(void **state)
{
    (void)state;
    const step_field_t field = step_kv("table", "models");
    stepi_draft_t draft = draft_of(STEPI_STEP_START, STEP);
    expect_line(format, &draft, "[INFO] ▶️  [2/4] Fetching models\n");
    with_fields(&draft, &field, 1);
    expect_line(format, &draft, "[INFO] ▶️  [2/4] Fetching models (table=models)\n");
    draft.total = 0;
    expect_line(format, &draft, "[INFO] ▶️  [Step 2] Fetching models (table=models)\n");
    draft.total = INT32_MAX;
    draft.step = INT32_MIN;
    draft.description = stepi_text_of(NULL);
    expect_line(format, &draft, "[INFO] ▶️  [-2147483648/2147483647] null (table=models)\n");
}

static void successes(void **state)
{
    (void)state;
    const step_field_t field = step_kv("n", 3);
    stepi_draft_t draft = draft_of(STEPI_STEP_SUCCESS, STEP | TIMED);
    expect_line(format, &draft, "[INFO] ✅ [2/4] Fetching models - SUCCESS (duration_ms=15.2)\n");
    with_fields(&draft, &field, 1);
    expect_line(format, &draft, "[INFO] ✅ [2/4] Fetching models - SUCCESS (n=3, duration_ms=15.2)\n");
    draft.parts = STEP;
    expect_line(format, &draft, "[INFO] ✅ [2/4] Fetching models - SUCCESS (n=3)\n");
    with_fields(&draft, NULL, 0);
    draft.total = 0;
    expect_line(format, &draft, "[INFO] ✅ [Step 2] Fetching models - SUCCESS\n");
    draft.description = stepi_text_of("");
    expect_line(format, &draft, "[INFO] ✅ [Step 2]  - SUCCESS\n");
}

static void failures(void **state)
{
    (void)state;
    const step_field_t field = step_kv("table", "models");
    stepi_draft_t draft = draft_of(STEPI_STEP_FAILURE, STEP | TIMED | STEPI_PART_TEXT);
    draft.level = STEP_LEVEL_ERROR;
    expect_line(format, &draft, "[ERROR] ❌ [2/4] Fetching models - FAILED: Connection refused (duration_ms=15.2)\n");
    draft.parts = STEPI_PART_OPERATION | STEPI_PART_TEXT;
    with_fields(&draft, &field, 1);
    expect_line(format, &draft, "[ERROR] ❌ Sync - FAILED: Connection refused (table=models)\n");
    draft.parts |= TIMED;
    expect_line(format, &draft, "[ERROR] ❌ Sync - FAILED: Connection refused (table=models, duration_ms=15.2)\n");
    draft.operation_name = stepi_text_of("[1/2] x");
    draft.text = stepi_text_of(NULL);
    expect_line(format, &draft, "[ERROR] ❌ \\[1/2] x - FAILED: null (table=models, duration_ms=15.2)\n");
}

static void skips(void **state)
{
    (void)state;
    const step_field_t field = step_kv("why", "cached");
    stepi_draft_t draft = draft_of(STEPI_STEP_SKIP, STEP | TIMED | STEPI_PART_TEXT);
    draft.text = stepi_text_of("not needed");
    expect_line(format, &draft, "[INFO] ⏭️  [2/4] Fetching models - SKIPPED: not needed\n");
    with_fields(&draft, &field, 1);
    expect_line(format, &draft, "[INFO] ⏭️  [2/4] Fetching models - SKIPPED: not needed (why=cached)\n");
}

static void ends(void **state)
{
    (void)state;
    const step_field_t field = step_kv("models", 11432);
    stepi_draft_t draft = draft_of(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | TIMED);
    expect_line(format, &draft, "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=15.2)\n");
    with_fields(&draft, &field, 1);
    expect_line(format, &draft, "[INFO] 🏁 COMPLETE: Sync (models=11432, total_duration_ms=15.2)\n");
    draft.parts = STEPI_PART_OPERATION;
    expect_line(format, &draft, "[INFO] 🏁 COMPLETE: Sync (models=11432)\n");
    with_fields(&draft, NULL, 0);
    expect_line(format, &draft, "[INFO] 🏁 COMPLETE: Sync\n");

    draft.kind = STEPI_OPERATION_INCOMPLETE;
    draft.level = STEP_LEVEL_WARNING;
    expect_line(format, &draft, "[WARNING] ⚠️  INCOMPLETE: Sync\n");
    draft.parts = STEP | TIMED;
    expect_line(format, &draft,
                "[WARNING] ⚠️  INCOMPLETE: Sync (last_step=2, description=\"Fetching models\", "
                "total_duration_ms=15.2)\n");
    draft.description = stepi_text_of("Fetching");
    draft.parts = STEP;
    expect_line(format, &draft, "[WARNING] ⚠️  INCOMPLETE: Sync (last_step=2, description=Fetching)\n");
}

static void progress(void **state)
{
    (void)state;
    const step_field_t field = step_kv("rate", 7);
    stepi_draft_t draft = draft_of(STEPI_PROGRESS, STEP | STEPI_PART_PROGRESS);
    expect_line(format, &draft, "[INFO] ⏳ [2/4] Fetching models - PROGRESS: 50/200\n");
    draft.goal = 0;
    with_fields(&draft, &field, 1);
    expect_line(format, &draft, "[INFO] ⏳ [2/4] Fetching models - PROGRESS: 50 (rate=7)\n");
    draft.parts = STEPI_PART_OPERATION | STEPI_PART_PROGRESS;
    draft.done = draft.goal = UINT64_MAX;
    expect_line(format, &draft, "[INFO] ⏳ Sync - PROGRESS: 18446744073709551615/18446744073709551615 (rate=7)\n");
}

static void messages(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("offset", 0), step_kv("total", 1000) };
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT | STEPI_PART_OPERATION);
    draft.text = stepi_text_of("Fetched batch 1: 1000 models");
    draft.level = STEP_LEVEL_DEBUG;
    expect_line(format, &draft, "[DEBUG] Fetched batch 1: 1000 models\n");
    with_fields(&draft, fields, 2);
    expect_line(format, &draft, "[DEBUG] Fetched batch 1: 1000 models (offset=0, total=1000)\n");
    draft.text = stepi_text_of(NULL);
    expect_line(format, &draft, "[DEBUG] null (offset=0, total=1000)\n");
    draft.text = stepi_text_of("");
    expect_line(format, &draft, "[DEBUG]  (offset=0, total=1000)\n");
    with_fields(&draft, NULL, 0);
    expect_line(format, &draft, "[DEBUG] \n");
    draft.text = stepi_text_of("Cache SET: Full model catalog (11432 models, TTL: 900s)");
    expect_line(format, &draft, "[DEBUG] Cache SET: Full model catalog (11432 models, TTL: 900s)\n");
}

/* The table in docs/formats.md, and what must stay as it is. */
static void prose_that_reads_as_structure(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "ratio (a=b)", "ratio \\(a=b)" },
        { "x - SUCCESS (a=b)", "x \\- SUCCESS \\(a=b)" },
        { "✅ done", "\\✅ done" },
        { "[2/4] of them", "\\[2/4] of them" },
        { "a\n[ERROR] b", "a\\n[ERROR] b" },
        { "C:\\temp", "C:\\\\temp" },
        { " x ", "\\u0020x\\u0020" },
        { " ", "\\u0020" },
        { "\x1b[2J", "\\u001b[2J" },
        { "\xFFx", "\\xffx" },
        { "cut…[5 bytes]", "cut\\…[5 bytes]" },
        { "…[x]", "…[x]" },
        { "[cache] START: x", "[cache] START: x" },
        { "f(a=b) \"q\" - ok, a=b", "f(a=b) \"q\" - ok, a=b" },
        { "(see a=b)", "(see a=b)" },
        { "12 records", "12 records" },
        { "Größe \xE2\x80\x8D", "Größe \xE2\x80\x8D" },
    };
    char expected[128];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
        draft.text = stepi_text_of(pairs[i][0]);
        snprintf(expected, sizeof(expected), "[INFO] %s\n", pairs[i][1]);
        expect_line(format, &draft, expected);
    }
}

static void losses(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_DROPPED, STEPI_PART_TEXT | STEPI_PART_PROGRESS);
    draft.level = STEP_LEVEL_WARNING;
    draft.text = stepi_text_of("ring full");
    expect_line(format, &draft, "[WARNING] 50 records dropped: ring full\n");
    draft.done = 1;
    expect_line(format, &draft, "[WARNING] 1 record dropped: ring full\n");
}

static void values(void **state)
{
    (void)state;
    const step_field_t fields[] = {
        step_i64("a", INT64_MIN),
        step_u64("b", UINT64_MAX),
        step_f64("c", 0.1),
        step_f64("d", -0.0),
        step_f64("e", 5e-324),
        step_f64("f", 1e21),
        step_percent("g", 2.752),
        step_fixed("h", 1.5, 3),
        step_bool("i", true),
        step_secret("j", "swordfish"),
        step_str("k", NULL),
        step_str("l", ""),
        step_str("m", "true"),
        step_str("n", "1.2.3"),
        step_str("o", "null"),
        step_f64("p", (double)NAN),
        step_f64("q", -(double)INFINITY),
        step_str("r", "https://x/y?z"),
    };
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    draft.text = stepi_text_of("m");
    with_fields(&draft, fields, COUNT(fields));
    expect_line(format, &draft,
                "[INFO] m (a=-9223372036854775808, b=18446744073709551615, c=0.1, d=-0, e=5e-324, f=1e+21, g=2.8%, "
                "h=1.500, i=true, j=***, k=null, l=\"\", m=\"true\", n=1.2.3, o=\"null\", p=nan, q=-inf, "
                "r=https://x/y?z)\n");
}

/* Strings that a reader could take for a number are quoted, those that it cannot are not. */
static void number_like_strings(void **state)
{
    (void)state;
    static const char *const quoted[] = { "0",    "-0",   "12",       "+1",       "1.",        ".5",   "-.5e-7", "1e9",
                                          "1E+9", "0x1f", "-0X1p3",   "1.5%",     "nan",       "NaN",  "-nan",   "inf",
                                          "+Inf", "-INF", "infinity", "Infinity", "-infinity", "nan%", "5%" };
    static const char *const bare[] = { "-",    "+",     ".",  "1.2.3", "1e",         "e9",   "1a",   "a1",
                                        "0b1",  "1%%",   "%",  "10ms",  "2026-02-04", "True", "NULL", "infinit",
                                        "nano", "truer", "in", "n",     "1_000",      "--1",  "+-1",  "null1" };
    char expected[64];
    for (size_t i = 0; i < COUNT(quoted) + COUNT(bare); i++) {
        const char *text = i < COUNT(quoted) ? quoted[i] : bare[i - COUNT(quoted)];
        const char *quote = i < COUNT(quoted) ? "\"" : "";
        const step_field_t field = step_str("v", text);
        stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
        with_fields(&draft, &field, 1);
        snprintf(expected, sizeof(expected), "[INFO] 🚀 START: Sync (v=%s%s%s)\n", quote, text, quote);
        expect_line(format, &draft, expected);
    }
}

static void own_fields(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("duration_ms", 1), step_kv("total_duration_ms", 2),
                                    step_kv("fields_omitted", 3), step_kv("last_step", 4), step_kv("description", 5) };
    stepi_draft_t draft = draft_of(STEPI_STEP_SUCCESS, STEP);
    with_fields(&draft, fields, 5);
    expect_line(format, &draft,
                "[INFO] ✅ [2/4] Fetching models - SUCCESS (duration_ms=1, total_duration_ms=2, "
                "\"fields_omitted\"=3, last_step=4, description=5)\n");
    draft.parts |= TIMED;
    expect_line(format, &draft,
                "[INFO] ✅ [2/4] Fetching models - SUCCESS (duration_ms=1, total_duration_ms=2, "
                "\"fields_omitted\"=3, last_step=4, description=5, duration_ms=15.2)\n");
    draft.kind = STEPI_OPERATION_INCOMPLETE;
    draft.parts = STEPI_PART_OPERATION;
    expect_line(format, &draft,
                "[INFO] ⚠️  INCOMPLETE: Sync (duration_ms=1, total_duration_ms=2, "
                "\"fields_omitted\"=3, \"last_step\"=4, \"description\"=5)\n");
}

static void what_was_cut_says_so(void **state)
{
    (void)state;
    const step_field_t field = step_kv("k", "abc");
    stepi_draft_t draft = draft_of(STEPI_STEP_SUCCESS, STEP | TIMED);
    with_fields(&draft, &field, 1);
    stepi_line_t line = line_of(&draft);
    line.omitted = 7;
    line.description = (stepi_text_t){ .bytes = "Fetching ", .length = 9, .original = 70000 };
    rendered_t r = render_line(format, &line);
    assert_string_equal(r.bytes, "[INFO] ✅ [2/4] Fetching\\u0020…[70000 bytes] - SUCCESS "
                                 "(k=abc, fields_omitted=7, duration_ms=15.2)\n");
    check_small_buffers(format, &line);
    free(r.bytes);

    static char long_text[70000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    const step_field_t fields[] = { step_str("v", long_text), step_str(long_text, "v") };
    draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    draft.text = stepi_text_of("m");
    with_fields(&draft, fields, 2);
    uint8_t record[512];
    stepi_decoded_t decoded;
    assert_true(stepi_record_decode(record, stepi_record_encode_cut(&draft, record, sizeof(record)), &decoded));
    r = render_line(format, &decoded.line);
    assert_non_null(strstr(r.bytes, "xx…[69999 bytes]\""));
    free(r.bytes);
}

static void levels_and_depth(void **state)
{
    (void)state;
    static const struct {
        uint8_t level;
        const char *name;
    } names[] = { { 1, "DEBUG" },  { 5, "DEBUG" },     { 8, "DEBUG" },    { 9, "INFO" },
                  { 12, "INFO" },  { 13, "WARNING" },  { 16, "WARNING" }, { 17, "ERROR" },
                  { 20, "ERROR" }, { 21, "CRITICAL" }, { 24, "CRITICAL" } };
    char expected[256];
    for (size_t i = 0; i < COUNT(names); i++) {
        stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
        draft.level = names[i].level;
        draft.depth = (uint32_t)i * 4;
        const size_t shown = i * 4 < 32 ? i * 4 : 32;
        snprintf(expected, sizeof(expected), "%*s[%s] 🚀 START: Sync\n", (int)shown * 4, "", names[i].name);
        expect_line(format, &draft, expected);
    }
}

static void with_timestamps(void **state)
{
    (void)state;
    step_format_t *timed = format_with(1, 0, 0);
    stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION | STEPI_PART_CLOCK);
    draft.depth = 1;
    expect_line(timed, &draft, "    2026-02-04T09:30:00.123456Z [INFO] 🚀 START: Sync\n");
    draft.wall_ns += 999999999;
    expect_line(timed, &draft, "    2026-02-04T09:30:01.123456Z [INFO] 🚀 START: Sync\n");
    draft.wall_ns = 0;
    expect_line(timed, &draft, "    1970-01-01T00:00:00.000000Z [INFO] 🚀 START: Sync\n");
    timed->free(timed);
}

static size_t without_ansi(const char *bytes, size_t length, char *plain)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\x1b') {
            plain[n++] = bytes[i];
            continue;
        }
        while (i < length && bytes[i] != 'm')
            i++;
    }
    return n;
}

static size_t without_symbol(const char *bytes, size_t length, char *plain)
{
    static const char *const symbols[] = { "🚀 ", "▶️  ", "✅ ", "❌ ", "⏭️  ", "🏁 ", "⏳ ", "⚠️  ", "⌛ " };
    const char *at = (const char *)memchr(bytes, ']', length) + 2;
    const size_t before = (size_t)(at - bytes);
    size_t symbol = 0;
    for (size_t i = 0; i < COUNT(symbols); i++)
        if (strncmp(at, symbols[i], strlen(symbols[i])) == 0)
            symbol = strlen(symbols[i]);
    memcpy(plain, bytes, before);
    memcpy(plain + before, at + symbol, length - before - symbol);
    return length - symbol;
}

/* Every kind with every combination of parts, with and without fields, in plain text and as `other` writes it: both are
 * the same once `strip` took off what is special. */
static void compare_all(step_format_t *plain, step_format_t *other, bool color,
                        size_t (*strip)(const char *bytes, size_t length, char *to))
{
    static const uint16_t parts[] = { 0,
                                      STEP,
                                      TIMED,
                                      STEP | TIMED,
                                      STEP | TIMED | STEPI_PART_TEXT,
                                      STEPI_PART_TEXT,
                                      STEPI_PART_OPERATION | STEPI_PART_TEXT | STEPI_PART_PROGRESS };
    static char stripped[4096];
    enum { KINDS = STEPI_KINDS - 1 };
    const step_field_t fields[] = { step_kv("a", "\x1b[31m"), step_kv("b (c=d)", 1.5) };
    for (unsigned i = 0; i < KINDS * COUNT(parts) * 6; i++) {
        stepi_draft_t draft = draft_of((stepi_kind_t)(1 + i % KINDS), parts[i / KINDS % COUNT(parts)]);
        draft.level = (uint8_t)(1 + i % 24);
        draft.depth = i % 3;
        draft.text = stepi_text_of(i % 2 != 0 ? "[ERROR] ✅ x" : "why (a=b)");
        with_fields(&draft, fields, i / (KINDS * COUNT(parts)) % 3);
        const stepi_line_t line = line_of(&draft);
        rendered_t expected = render_line(plain, &line);
        rendered_t r = render_line(other, &line);
        assert_true(is_clean_line(expected.bytes, expected.length, false));
        assert_true(is_clean_line(r.bytes, r.length, color));
        const size_t n = color ? strip(r.bytes, r.length, stripped) : r.length;
        const char *is = color ? stripped : r.bytes;
        if (!color) {
            const size_t m = strip(expected.bytes, expected.length, stripped);
            memcpy(expected.bytes, stripped, m);
            expected.length = m;
        }
        assert_int_equal(n, expected.length);
        assert_memory_equal(is, expected.bytes, n);
        free(expected.bytes);
        free(r.bytes);
    }
}

static void ascii_lines_lack_the_symbol_alone(void **state)
{
    (void)state;
    step_format_t *ascii = format_with(0, 1, 0);
    stepi_draft_t draft = draft_of(STEPI_STEP_SUCCESS, STEP);
    draft.description = stepi_text_of("Größe");
    expect_line(ascii, &draft, "[INFO] [2/4] Größe - SUCCESS\n");
    compare_all(format, ascii, false, without_symbol);
    ascii->free(ascii);
}

static void colored_lines_are_plain_lines(void **state)
{
    (void)state;
    const step_field_t field = step_kv("k", "v");
    step_format_t *color = format_with(0, 0, 1);
    stepi_draft_t draft = draft_of(STEPI_STEP_SUCCESS, STEP);
    with_fields(&draft, &field, 1);
    expect_line(color, &draft,
                "[\033[32mINFO\033[0m] ✅ [2/4] Fetching models - \033[32mSUCCESS\033[0m "
                "\033[2m(k=v)\033[0m\n");
    compare_all(format, color, true, without_ansi);
    color->free(color);

    color = format_with(1, 0, 1);
    step_format_t *plain = format_with(1, 0, 0);
    compare_all(plain, color, true, without_ansi);
    color->free(color);
    plain->free(plain);
}

static void check_refused(const step_text_options_t *options)
{
    errno = 0;
    assert_null(step_format_text_with(options));
    assert_int_equal(errno, EINVAL);
}

static void options_of_other_versions(void **state)
{
    (void)state;
    struct {
        step_text_options_t known;
        uint64_t more;
    } newer = { { sizeof(newer), 0, 1, 0, 0 }, 0 };
    step_format_t *made = step_format_text_with(&newer.known);
    assert_non_null(made);
    made->free(made);
    newer.more = 1;
    check_refused(&newer.known);
    newer.known.size = offsetof(step_text_options_t, ascii);
    made = step_format_text_with(&newer.known);
    assert_non_null(made);
    stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
    expect_line(made, &draft, "[INFO] 🚀 START: Sync\n"); /* ascii is behind what the caller knows */
    made->free(made);
    newer.known.size = 0;
    check_refused(&newer.known);
    newer.known.size = SIZE_MAX / 2; /* uninitialised */
    check_refused(&newer.known);
    made = step_format_text_with(NULL);
    assert_non_null(made);
    made->free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts),
        cmocka_unit_test(steps),
        cmocka_unit_test(successes),
        cmocka_unit_test(failures),
        cmocka_unit_test(skips),
        cmocka_unit_test(ends),
        cmocka_unit_test(progress),
        cmocka_unit_test(messages),
        cmocka_unit_test(prose_that_reads_as_structure),
        cmocka_unit_test(losses),
        cmocka_unit_test(values),
        cmocka_unit_test(number_like_strings),
        cmocka_unit_test(own_fields),
        cmocka_unit_test(what_was_cut_says_so),
        cmocka_unit_test(levels_and_depth),
        cmocka_unit_test(with_timestamps),
        cmocka_unit_test(ascii_lines_lack_the_symbol_alone),
        cmocka_unit_test(colored_lines_are_plain_lines),
        cmocka_unit_test(options_of_other_versions),
    };
    return cmocka_run_group_tests(tests, make_format, free_format);
}
