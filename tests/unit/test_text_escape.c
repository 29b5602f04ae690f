/* Whatever is logged, a text line reads back as what was logged: every line is taken apart by a reader of its own. */
#include "format_support.h"
#include "record/bound.h"
#include "text_compare.h"

#ifdef STEP_LOGGER_SANITIZED /* ten times slower */
enum { SHARE = 10 };
#else
enum { SHARE = 1 };
#endif
enum { FIELDS_MAX = 6 };

enum { PLAIN, ASCII, TIMED, WITH_IDS, FORMATS };

static step_format_t *formats[FORMATS];

static int make_formats(void **state)
{
    (void)state;
    const step_text_options_t ascii = { .size = sizeof(ascii), .ascii = 1 };
    const step_text_options_t timed = { .size = sizeof(timed), .timestamps = 1 };
    const step_text_options_t with_ids = { .size = sizeof(with_ids), .ids = 1 };
    formats[PLAIN] = step_format_text();
    formats[ASCII] = step_format_text_with(&ascii);
    formats[TIMED] = step_format_text_with(&timed);
    formats[WITH_IDS] = step_format_text_with(&with_ids);
    for (int i = 0; i < FORMATS; i++)
        if (formats[i] == NULL)
            return 1;
    return 0;
}

static int free_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++)
        formats[i]->free(formats[i]);
    return 0;
}

static void check_line(int which, const stepi_line_t *line)
{
    static read_line_t read;
    step_format_t *format = formats[which];
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    assert_false(out.overflow);
    const size_t length = (size_t)(out.at - scratch);
    if (is_clean_line(scratch, length, false) && read_text_line(scratch, length, &read) &&
        line_with_ids_is(&read, line, which == WITH_IDS))
        return;
    fail_msg("kind %d does not read back: %.*s", (int)line->kind, length < 2000 ? (int)length : 2000, scratch);
}

static void check_draft(const stepi_draft_t *draft)
{
    const stepi_line_t line = line_of(draft);
    for (int i = 0; i < FORMATS; i++)
        check_line(i, &line);
}

/* ---- Every kind ---- */

enum { SHAPES = 18 };

/* One of the kinds, with what it may come with. */
static stepi_draft_t shape(unsigned which)
{
    static const struct {
        uint8_t kind;
        uint16_t parts;
    } shapes[SHAPES] = {
        { STEPI_OPERATION_START, STEPI_PART_OPERATION },
        { STEPI_STEP_START, STEPI_PART_STEP | STEPI_PART_DESCRIPTION },
        { STEPI_STEP_SUCCESS, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED },
        { STEPI_STEP_SUCCESS, STEPI_PART_STEP | STEPI_PART_DESCRIPTION },
        { STEPI_STEP_FAILURE, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED | STEPI_PART_TEXT },
        { STEPI_STEP_FAILURE, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_TEXT },
        { STEPI_STEP_FAILURE, STEPI_PART_OPERATION | STEPI_PART_TEXT },
        { STEPI_STEP_SKIP, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_TEXT },
        { STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | STEPI_PART_ELAPSED },
        { STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION },
        { STEPI_OPERATION_INCOMPLETE, STEPI_PART_OPERATION },
        { STEPI_MESSAGE, STEPI_PART_TEXT },
        { STEPI_PROGRESS, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_PROGRESS },
        { STEPI_PROGRESS, STEPI_PART_OPERATION | STEPI_PART_PROGRESS },
        { STEPI_OPERATION_INCOMPLETE,
          STEPI_PART_OPERATION | STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED },
        { STEPI_DROPPED, STEPI_PART_TEXT | STEPI_PART_PROGRESS },
        { STEPI_OPERATION_STUCK, STEPI_PART_OPERATION | STEPI_PART_ELAPSED },
        { STEPI_OPERATION_STUCK,
          STEPI_PART_OPERATION | STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED },
    };
    return (stepi_draft_t){ .kind = shapes[which].kind,
                            .level = STEP_LEVEL_INFO,
                            .parts = shapes[which].parts,
                            .step = 2,
                            .total = 4,
                            .done = 5,
                            .elapsed = 1000000 };
}

static void set_texts(stepi_draft_t *draft, stepi_text_t text)
{
    draft->operation_name = draft->description = draft->text = text;
}

static void hostile_prose(void **state)
{
    (void)state;
    const step_field_t field = step_kv("k", 1);
    for (unsigned i = 0; i < COUNT(hostile) * SHAPES; i++) {
        stepi_draft_t draft = shape(i % SHAPES);
        set_texts(&draft, text_of(hostile[i / SHAPES]));
        check_draft(&draft);
        draft.fields = &field;
        draft.field_count = 1;
        check_draft(&draft);
        const stepi_line_t line = line_of(&draft);
        if (i % SHAPES == 4)
            check_small_buffers(formats[0], &line);
    }
}

/* Two hostile texts around each separator. */
static void hostile_pairs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(hostile) * COUNT(hostile); i++) {
        const stepi_text_t a = text_of(hostile[i / COUNT(hostile)]);
        const stepi_text_t b = text_of(hostile[i % COUNT(hostile)]);
        stepi_draft_t draft = shape(i % 2 != 0 ? 5 : 6);
        draft.description = draft.operation_name = a;
        draft.text = b;
        check_draft(&draft);
    }
}

/* A key that has a NUL in it is written up to there. */
static step_field_t field_of(sample_t key, sample_t value)
{
    return step_strn(key.bytes, value.bytes, value.length);
}

static void hostile_fields(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(hostile) * COUNT(hostile); i++) {
        const sample_t a = hostile[i / COUNT(hostile)];
        const sample_t b = hostile[i % COUNT(hostile)];
        const step_field_t fields[] = { field_of(a, b), field_of(b, a) };
        stepi_draft_t draft = shape(i % SHAPES);
        set_texts(&draft, text_of(i % 3 != 0 ? a : hostile[0]));
        draft.fields = fields;
        draft.field_count = 1 + i % 2;
        check_draft(&draft);
    }
}

static void null_texts(void **state)
{
    (void)state;
    const step_field_t field = step_str(NULL, NULL);
    for (unsigned i = 0; i < SHAPES; i++) {
        stepi_draft_t draft = shape(i);
        set_texts(&draft, stepi_text_of(NULL));
        check_draft(&draft);
        draft.fields = &field;
        draft.field_count = 1;
        check_draft(&draft);
    }
}

static void every_byte_and_code_point(void **state)
{
    (void)state;
    char text[8] = "a";
    for (unsigned code = 0; code < 0x3000; code++) {
        size_t n = 1;
        if (code < 0x100) {
            text[n++] = (char)code; /* alone: mostly not UTF-8 */
        } else if (code < 0x800) {
            text[n++] = (char)(0xC0 | code >> 6);
            text[n++] = (char)(0x80 | (code & 0x3F));
        } else {
            text[n++] = (char)(0xE0 | code >> 12);
            text[n++] = (char)(0x80 | (code >> 6 & 0x3F));
            text[n++] = (char)(0x80 | (code & 0x3F));
        }
        text[n] = 'z';
        const stepi_text_t whole = { .bytes = text, .length = (uint32_t)n + 1, .original = n + 1 };
        const step_field_t fields[] = { step_strn("k", text, n + 1), step_str(text, "v") };
        stepi_draft_t draft = shape(4);
        set_texts(&draft, whole);
        draft.fields = fields;
        draft.field_count = 2;
        check_draft(&draft);
    }
}

/* Cut at every offset, inside characters and escapes too. */
static void cut_texts(void **state)
{
    (void)state;
    static const char text[] = "a (b=c) \xC3\xBC - FAILED: \xE2\x80\xA6[5 bytes] \xF0\x9F\x9A\x80 x\\ ";
    for (uint32_t n = 0; n < sizeof(text) - 1; n++) {
        for (unsigned i = 0; i < SHAPES; i++) {
            stepi_draft_t draft = shape(i);
            set_texts(&draft, stepi_text_of(text));
            stepi_line_t line = line_of(&draft);
            line.omitted = n % 3;
            line.operation.length = line.description.length = line.text.length = n;
            line.operation.bytes = line.description.bytes = line.text.bytes = text;
            check_line((int)(n % FORMATS), &line);
        }
    }
}

static void long_texts(void **state)
{
    (void)state;
    enum { MIB = 1 << 20 };
    char *text = malloc(MIB + 1);
    assert_non_null(text);
    static const char *const fillers[] = { "x", "(a", " (", "\\", "\xFF", "\xE2\x80\xA6[1", "- ", "_1" };
    for (size_t i = 0; i < COUNT(fillers); i++) {
        const size_t n = strlen(fillers[i]);
        for (size_t at = 0; at < MIB; at++)
            text[at] = fillers[i][at % n];
        text[MIB] = '\0';
        const step_field_t field = step_str("k", text);
        stepi_draft_t draft = shape(4);
        draft.description = stepi_text_of("d");
        draft.text = stepi_text_of(text);
        draft.fields = &field;
        draft.field_count = 1;
        const stepi_line_t line = line_of(&draft);
        check_line(PLAIN, &line);
        text[60000] = '\0';
        const step_field_t long_key = step_str(text, "v");
        draft.text = stepi_text_of("t");
        draft.fields = &long_key;
        check_draft(&draft);
    }
    free(text);
}

/* ---- Random lines ---- */

static const char *const pieces[] = {
    "(", ")", "=", ",", "\"", "\\", "-", "[", "]", " ", " ", " ", "a", "b", "k", "1", "0", ".", "%", "/", ":",
    "(a=", "\"=\"", ", ", "a=b", " (", " (a=b)", " (\"", ")\n", "\n", "\t", "\x1b", "\xFF", "\xC3", "\xBC",
    "\xE2\x80", "\xA6", "…", "…[", "…[12 bytes]", " bytes]", " - ", " - SUCCESS", " - FAILED: ", " - FAILED:",
    " - SKIPPED: ", " - PROGRESS: ", "SUCCESS", "FAILED: ", "- FAILED: ", "START: ", "COMPLETE: ", "INCOMPLETE: ", "STUCK: ",
    "[2/4] ", "[Step 3] ", "[ERROR] ", "[INFO] ", "12 records dropped: ", "1 record dropped: ",
    "2026-02-04T09:30:00.123456Z ", "🚀 ", "▶️  ", "✅ ", "❌ ", "⏭️  ", "🏁 ", "⏳ ", "⚠️  ", "⌛ ", "duration_ms",
    "total_duration_ms", "fields_omitted", "last_step", "description", "slow", "sample_rate",
    "flight_recorder", "trace_id", "span_id", "nan", "inf", "true", "null", "e", "+", "0x",
    "ü", "你", "\xE2\x80\xAE", "\\n", "\\u0020", "\\x", "\\(", "    "
};

typedef struct random_text {
    char bytes[160];
    size_t length;
} random_text_t;

static void random_fill(random_text_t *text)
{
    const uint64_t count = random_below(random_below(4) == 0 ? 8 : 4);
    text->length = 0;
    for (uint64_t i = 0; i < count; i++) {
        const char *piece = pieces[random_below(COUNT(pieces))];
        const size_t n = strlen(piece);
        memcpy(text->bytes + text->length, piece, n);
        text->length += n;
    }
    text->bytes[text->length] = '\0';
}

static stepi_text_t random_text_of(random_text_t *text)
{
    random_fill(text);
    const uint64_t lost = random_below(20) == 0 ? random_below(1000) : 0;
    return (stepi_text_t){ .bytes = text->bytes, .length = (uint32_t)text->length, .original = text->length + lost };
}

static step_field_t random_field(random_text_t *key, random_text_t *value)
{
    random_fill(key);
    random_fill(value);
    switch (random_below(8)) {
    case 0:
        return step_i64(key->bytes, (int64_t)random_below(1000) - 500);
    case 1:
        return step_bool(key->bytes, random_below(2) != 0);
    case 2:
        return step_secret(key->bytes, value->bytes);
    case 3:
        return step_str(key->bytes, NULL);
    default:
        return step_strn(key->bytes, value->bytes, value->length);
    }
}

/* What lines have besides: bound fields, to be freed, marks and ids. */
static stepi_bound_t *add_random(stepi_line_t *line)
{
    static random_text_t texts[2 * FIELDS_MAX];
    static const stepi_trace_t trace = { .high = 0x0af7651916cd43dd, .low = 0x8448eb211c80319c, .span = 0x1234567890 };
    step_field_t fields[FIELDS_MAX];
    const size_t count = random_below(4) == 0 ? random_below(FIELDS_MAX) + 1 : 0;
    for (size_t k = 0; k < count; k++)
        fields[k] = random_field(&texts[2 * k], &texts[2 * k + 1]);
    stepi_bound_t *bound = stepi_bound_new(fields, count, NULL);
    line->bound = stepi_bound_fields(bound);
    line->is_slow = random_below(4) == 0;
    line->from_recorder = random_below(4) == 0;
    line->sample_rate = random_below(4) == 0 ? 0.25 : 0;
    line->trace = random_below(2) == 0 ? &trace : NULL;
    line->step_span = random_below(2);
    return bound;
}

/* The record cuts texts itself; here the line is cut, so that its texts can end anywhere. */
static void random_lines(void **state)
{
    (void)state;
    static random_text_t texts[3 + 2 * FIELDS_MAX];
    step_field_t fields[FIELDS_MAX];
    for (unsigned i = 0; i < 300000 / SHARE; i++) {
        stepi_draft_t draft = shape((unsigned)random_below(SHAPES));
        draft.step = (int32_t)random_below(5) - 1;
        draft.total = (int32_t)random_below(3);
        draft.done = random_below(3);
        draft.goal = random_below(3);
        draft.depth = (uint32_t)random_below(3);
        draft.fields = fields;
        draft.field_count = random_below(2) != 0 ? random_below(FIELDS_MAX + 1) : 0;
        for (size_t k = 0; k < draft.field_count; k++)
            fields[k] = random_field(&texts[3 + 2 * k], &texts[4 + 2 * k]);
        stepi_line_t line = line_of(&draft);
        line.operation = random_text_of(&texts[0]);
        line.description = random_text_of(&texts[1]);
        line.text = random_text_of(&texts[2]);
        line.omitted = random_below(10) == 0 ? 3 : 0;
        stepi_bound_t *bound = add_random(&line);
        check_line((int)random_below(FORMATS), &line);
        free(bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_prose), cmocka_unit_test(hostile_pairs), cmocka_unit_test(hostile_fields),
        cmocka_unit_test(null_texts),    cmocka_unit_test(cut_texts),     cmocka_unit_test(every_byte_and_code_point),
        cmocka_unit_test(long_texts),    cmocka_unit_test(random_lines),
    };
    return cmocka_run_group_tests(tests, make_formats, free_formats);
}
