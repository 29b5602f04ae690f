/* Whatever our formatter writes in text comes back byte for byte by way of JSON and of logfmt; and what it writes in JSON and
 * logfmt reads as what was logged. Bytes that are not UTF-8 and numbers that are not finite have no spelling there: for these
 * the second line is the same as the third. */
#include "format_support.h"
#include "reader/put.h"

static stepi_reader_t *reader;
static stepi_putter_t *putters[4]; /* by stepi_form_t */
static step_format_t *formats[4];  /* text, text with times and ids, ascii, coloured */

#ifdef STEP_LOGGER_SANITIZED /* ten times slower */
enum { SHARE = 10 };
#else
enum { SHARE = 1 };
#endif
enum { BUFFER = 48 << 20 };
static char *buffers[3];

static int set_up(void **state)
{
    (void)state;
    const step_text_options_t timed = { .size = sizeof(timed), .timestamps = 1, .ids = 1 };
    const step_text_options_t ascii = { .size = sizeof(ascii), .ascii = 1 };
    const step_text_options_t color = { .size = sizeof(color), .timestamps = 1, .color = 1 };
    reader = stepi_reader_new();
    formats[0] = step_format_text();
    formats[1] = step_format_text_with(&timed);
    formats[2] = step_format_text_with(&ascii);
    formats[3] = step_format_text_with(&color);
    for (int i = STEPI_FORM_TEXT; i <= STEPI_FORM_LOGFMT; i++)
        putters[i] = stepi_putter_new(&(stepi_put_options_t){ .form = (stepi_form_t)i });
    for (int i = 0; i < 3; i++)
        if ((buffers[i] = malloc(BUFFER)) == NULL)
            return 1;
    return reader == NULL || formats[3] == NULL || putters[3] == NULL ? 1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    stepi_reader_free(reader);
    for (int i = 0; i < 4; i++) {
        formats[i]->free(formats[i]);
        stepi_putter_free(putters[i]);
        free(i < 3 ? buffers[i] : NULL);
    }
    return 0;
}

static size_t convert(const char *line, size_t length, stepi_form_t form, char *to)
{
    stepi_entry_t entry;
    stepi_out_t out = stepi_out_over(to, BUFFER);
    if (!stepi_read_line(reader, (stepi_span_t){ line, line + length }, &entry))
        fail_msg("foreign: %.*s", length < 2000 ? (int)length : 2000, line);
    stepi_put_entry(putters[form], reader, &entry, &out);
    assert_false(out.overflow);
    return (size_t)(out.at - to);
}

static void check_same(const char *is, size_t length, const char *should, size_t should_length, const char *between)
{
    if (length != should_length || memcmp(is, should, length) != 0)
        fail_msg("\n%.*s by way of\n%.*s became\n%.*s", should_length < 1500 ? (int)should_length : 1500, should, 1500,
                 between, length < 1500 ? (int)length : 1500, is);
}

/* Text, the other format, text again. What is lossy settles after one round. */
static void check_round(const char *line, size_t length, stepi_form_t form, bool is_lossy)
{
    const char *text = line;
    size_t bytes = length;
    memset(buffers[0], 0, 1501);
    if (is_lossy) {
        const size_t once = convert(text, bytes, form, buffers[0]);
        bytes = convert(buffers[0], once, STEPI_FORM_TEXT, buffers[2]);
        text = buffers[2];
    }
    const size_t between = convert(text, bytes, form, buffers[0]);
    assert_true(is_clean_line(buffers[0], between, false));
    const size_t back = convert(buffers[0], between, STEPI_FORM_TEXT, buffers[1]);
    check_same(buffers[1], back, text, bytes, buffers[0]);
}

static void check_line(const stepi_line_t *line, bool is_lossy)
{
    stepi_putter_t *plain = putters[STEPI_FORM_TEXT];
    for (int f = 0; f < 4; f++) {
        static const stepi_put_options_t styles[] = { { .form = STEPI_FORM_TEXT },
                                                      { .form = STEPI_FORM_TEXT },
                                                      { .form = STEPI_FORM_TEXT, .ascii = true },
                                                      { .form = STEPI_FORM_TEXT, .color = true } };
        rendered_t r = render_line(formats[f], line);
        putters[STEPI_FORM_TEXT] = f < 2 ? plain : stepi_putter_new(&styles[f]);
        check_round(r.bytes, r.length, STEPI_FORM_JSON, is_lossy);
        check_round(r.bytes, r.length, STEPI_FORM_LOGFMT, is_lossy);
        if (f >= 2)
            stepi_putter_free(putters[STEPI_FORM_TEXT]);
        free(r.bytes);
    }
    putters[STEPI_FORM_TEXT] = plain;
}

/* ---- Lines ---- */

static const uint16_t parts_of[] = {
    [STEPI_OPERATION_START] = STEPI_PART_OPERATION,
    [STEPI_STEP_START] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
    [STEPI_STEP_SUCCESS] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED,
    [STEPI_STEP_FAILURE] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED | STEPI_PART_TEXT,
    [STEPI_STEP_SKIP] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_TEXT,
    [STEPI_OPERATION_COMPLETE] = STEPI_PART_OPERATION | STEPI_PART_ELAPSED,
    [STEPI_MESSAGE] = STEPI_PART_TEXT,
    [STEPI_PROGRESS] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_PROGRESS,
    [STEPI_OPERATION_INCOMPLETE] =
        STEPI_PART_OPERATION | STEPI_PART_ELAPSED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
    [STEPI_DROPPED] = STEPI_PART_PROGRESS | STEPI_PART_TEXT,
    [STEPI_OPERATION_STUCK] = STEPI_PART_OPERATION | STEPI_PART_ELAPSED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
};

static bool is_bad_utf8(sample_t s)
{
    return !is_well_formed((const unsigned char *)s.bytes, s.length);
}

static stepi_line_t make_line(stepi_kind_t kind, stepi_text_t text, const step_field_t *fields, size_t count)
{
    const stepi_draft_t draft = { .kind = (uint8_t)kind,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = parts_of[kind],
                                  .depth = kind % 3,
                                  .step = 2,
                                  .total = kind % 2 == 0 ? 4 : 0,
                                  .done = 12,
                                  .goal = kind == STEPI_PROGRESS ? 34 : 0,
                                  .elapsed = 15203417,
                                  .operation_name = text,
                                  .description = text,
                                  .text = text,
                                  .fields = fields,
                                  .field_count = count };
    stepi_line_t line = line_of(&draft);
    line.wall_ns = INT64_C(1770197400123456789);
    return line;
}

static void every_text_in_every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++)
        for (size_t k = 0; k < COUNT(hostile); k++) {
            const stepi_kind_t kind = (stepi_kind_t)(1 + (i + k) % STEPI_OPERATION_STUCK);
            const step_field_t fields[] = { step_strn("value", hostile[k].bytes, hostile[k].length),
                                            step_i64(hostile[k].bytes, 7), step_str(hostile[i].bytes, "v") };
            const stepi_line_t line = make_line(kind, text_of(hostile[i]), fields, COUNT(fields));
            check_line(&line, is_bad_utf8(hostile[i]) || is_bad_utf8(hostile[k]));
        }
}

static void every_text_in_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++)
        for (int kind = STEPI_OPERATION_START; kind <= STEPI_OPERATION_STUCK; kind++) {
            stepi_line_t line = make_line((stepi_kind_t)kind, text_of(hostile[i]), NULL, 0);
            check_line(&line, is_bad_utf8(hostile[i]));
            if (kind == STEPI_STEP_FAILURE || kind == STEPI_PROGRESS) { /* of the operation */
                line.has_step = false;
                check_line(&line, is_bad_utf8(hostile[i]));
            }
        }
}

/* Keys that are own names, keys that look like renamings, keys that come again, and the mark of cut text. */
static void keys(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "a", "a_1", "a_1_1", "a_2", "ts", "ts_1", "ts_1_1", "level_3_1", "attempt",
                                         "attempt_1", "reason", "errno", "file", "line", "line_1", "", "", "_1", "\\",
                                         "…[5 bytes]", "…[5 bytes]", "…[5 bytes]_1", "fields_omitted", "last_step",
                                         "description", "duration_ms", "total_duration_ms", "depth", "slow", "sample_rate",
                                         "flight_recorder", "recovered", "trace_id", "span_id", "trace_flags", "x\\u2026[5 bytes]" };
    static const stepi_trace_t traces[] = { { .high = 0x0af7651916cd43dd, .low = 0x8448eb211c80319c, .span = 0xb7ad6b7169203331 },
                                            { .high = 1, .low = 0, .span = 12 } };
    step_field_t fields[24];
    for (int round = 0; round < 20000 / SHARE; round++) {
        const size_t count = 1 + random_below(COUNT(fields));
        for (size_t i = 0; i < count; i++)
            fields[i] = step_i64(names[random_below(COUNT(names))], (int64_t)i);
        stepi_line_t line = make_line((stepi_kind_t)(1 + random_below(STEPI_OPERATION_STUCK)), stepi_text_of("d"), fields, count);
        line.omitted = random_below(4) == 0 ? 3 : 0;
        line.is_slow = random_below(2) == 0;
        line.from_recorder = random_below(2) == 0;
        line.is_recovered = random_below(2) == 0;
        line.sample_rate = random_below(2) == 0 ? 0.1 : 0;
        line.trace = random_below(2) == 0 ? &traces[random_below(2)] : NULL;
        check_line(&line, false);
    }
}

static void numbers(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_i64("a", INT64_MIN),
                                    step_u64("b", UINT64_MAX),
                                    step_f64("c", 0.1),
                                    step_f64("d", 1e21),
                                    step_f64("e", 5e-324),
                                    step_f64("f", -0.0),
                                    step_fixed("g", 5000, 3),
                                    step_percent("h", 2.752),
                                    step_percent("i", -1e22),
                                    step_percent("j", 0),
                                    step_bool("k", true),
                                    step_secret("l", "x"),
                                    step_str("m", "***"),
                                    step_str("n", NULL),
                                    step_str("o", "2.8%"),
                                    step_str("p", "1E5") };
    const stepi_line_t line = make_line(STEPI_STEP_SUCCESS, stepi_text_of("d"), fields, COUNT(fields));
    check_line(&line, false);
    const step_field_t not_finite[] = { step_f64("a", (double)NAN), step_percent("b", -(double)INFINITY) };
    const stepi_line_t lossy = make_line(STEPI_MESSAGE, stepi_text_of("d"), not_finite, 2);
    check_line(&lossy, true);
}

/* A quick function's line has no duration of its own; a user's may look like it or not. */
static void durations(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_fixed("duration_ms", 12.5, 1), step_i64("duration_ms", 12),
                                    step_str("duration_ms", "12.5"), step_fixed("total_duration_ms", 1, 1) };
    for (size_t i = 0; i < COUNT(fields); i++)
        for (size_t k = 0; k < COUNT(fields); k++)
            for (int kind = STEPI_STEP_SUCCESS; kind <= STEPI_OPERATION_COMPLETE; kind++) {
                const step_field_t two[] = { fields[i], fields[k] };
                stepi_line_t line = make_line((stepi_kind_t)kind, stepi_text_of("d"), two, 2);
                check_line(&line, false);
                line.has_elapsed = false;
                check_line(&line, false);
            }
}

static void cut_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        stepi_text_t text = text_of(hostile[i]);
        text.original = text.length + 70000;
        for (int kind = STEPI_OPERATION_START; kind <= STEPI_OPERATION_STUCK; kind++) {
            stepi_line_t line = make_line((stepi_kind_t)kind, text, NULL, 0);
            line.operation = line.description = line.text = text;
            check_line(&line, is_bad_utf8(hostile[i]));
        }
    }
}

static void long_texts(void **state)
{
    (void)state;
    enum { BYTES = 512 * 1024 / SHARE };
    static char text[BYTES + 1];
    static const char *const fillers[] = { "x", "\"", "\x01", "…[1", "\\", "a b=", " (a=", " - FAILED: ", ", duration_ms=1" };
    for (size_t i = 0; i < COUNT(fillers); i++) {
        for (size_t at = 0; at < BYTES; at++)
            text[at] = fillers[i][at % strlen(fillers[i])];
        const step_field_t fields[] = { step_str("value", text) };
        const stepi_line_t line = make_line(STEPI_STEP_FAILURE, stepi_text_of(text), fields, 1);
        check_line(&line, !is_well_formed((const unsigned char *)text, BYTES));
    }
}

/* The members of its steps are the line's own, whatever a user's keys are: both formats come back byte for byte, from each other, too. */
static void canonical_lines(void **state)
{
    (void)state;
    static const stepi_step_summary_t steps[] = {
        { .end = STEPI_STEP_SUCCESS, .step = 1, .attempts = 3, .elapsed_ns = 5, .description = { "a b", 3, 3 } },
        { .end = STEPI_STEP_SKIP, .step = -1, .attempts = 1, .description = { NULL, 0, 0 } },
        { .end = STEPI_STEP_START, .step = 1, .attempts = 1, .description = { "true", 4, 4 } },
    };
    static const step_json_options_t options = { .size = sizeof(options), .canonical = 1 };
    static const char *const names[] = { "step", "step_1", "step_1_2", "step_1_description", "step_2", "step_2_description", "a", "a_1" };
    step_format_t *json = step_format_json_with(&options), *logfmt = step_format_logfmt_with(&options);
    step_field_t fields[COUNT(names)];
    for (int round = 0; round < 2000 / SHARE; round++) {
        const size_t count = random_below(COUNT(fields));
        for (size_t i = 0; i < count; i++)
            fields[i] = step_i64(names[random_below(COUNT(names))], (int64_t)i);
        stepi_line_t line = make_line(STEPI_OPERATION_COMPLETE, stepi_text_of("d"), fields, count);
        line.steps = steps;
        line.step_count = (uint32_t)random_below(COUNT(steps) + 1);
        line.steps_omitted = (uint32_t)random_below(2);
        rendered_t as_json = render_line(json, &line), as_logfmt = render_line(logfmt, &line);
        size_t n = convert(as_json.bytes, as_json.length, STEPI_FORM_JSON, buffers[0]);
        check_same(buffers[0], n, as_json.bytes, as_json.length, "itself");
        n = convert(as_json.bytes, as_json.length, STEPI_FORM_LOGFMT, buffers[0]);
        check_same(buffers[0], n, as_logfmt.bytes, as_logfmt.length, as_json.bytes);
        n = convert(as_logfmt.bytes, as_logfmt.length, STEPI_FORM_JSON, buffers[0]);
        check_same(buffers[0], n, as_json.bytes, as_json.length, as_logfmt.bytes);
        free(as_json.bytes);
        free(as_logfmt.bytes);
    }
    json->free(json);
    logfmt->free(logfmt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_in_every_place), cmocka_unit_test(every_text_in_every_kind),
        cmocka_unit_test(keys),                      cmocka_unit_test(numbers),
        cmocka_unit_test(durations),                 cmocka_unit_test(cut_texts),
        cmocka_unit_test(long_texts),                cmocka_unit_test(canonical_lines),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
