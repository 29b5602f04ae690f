/* Whatever is logged is one clean line: the text line reads back as what was logged, the JSON line is JSON in which no name comes
 * twice. */
#include "format_support.h"
#include "json_reader.h"
#include "record/bound.h"
#include "text_compare.h"

#include "fuzz.h"

enum { FIELDS = 4, BOUND = 2, STEPS = 3, TEXTS = 3 + 2 * (FIELDS + BOUND) + STEPS, TEXT_BYTES = 255 };

static char *texts[TEXTS];
static size_t used;

static stepi_text_t make_text(input_t *in)
{
    size_t n = 0;
    const uint64_t head = input_number(in, 1);
    if (head == TEXT_BYTES)
        return (stepi_text_t){ .bytes = NULL };
    texts[used] = input_copy(in, head % 64, &n);
    return (stepi_text_t){ .bytes = texts[used++], .length = (uint32_t)n, .original = n + (head >= 192 ? head : 0) };
}

/* Keys are C strings: up to their first NUL. */
static step_field_t make_field(input_t *in)
{
    size_t n = 0;
    const unsigned type = (unsigned)input_number(in, 1) % 6;
    char *key = input_copy(in, input_number(in, 1) % 32, &n);
    key = realloc(key, n + 1);
    MUST(key != NULL);
    key[n] = '\0';
    texts[used++] = key;
    if (type == 0)
        return step_i64(key, (int64_t)input_number(in, 8));
    if (type == 1)
        return step_bool(key, input_number(in, 1) & 1);
    if (type == 2)
        return step_secret(key, "secret");
    if (type == 3)
        return step_str(key, NULL);
    char *value = input_copy(in, input_number(in, 1) % 64, &n);
    texts[used++] = value;
    return step_strn(key, value, n);
}

static stepi_line_t make_line(input_t *in, step_field_t fields[FIELDS])
{
    static const uint16_t parts[] = {
        [STEPI_OPERATION_START] = STEPI_PART_OPERATION,
        [STEPI_STEP_START] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
        [STEPI_STEP_SUCCESS] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED,
        [STEPI_STEP_FAILURE] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED | STEPI_PART_TEXT,
        [STEPI_STEP_SKIP] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_TEXT,
        [STEPI_OPERATION_COMPLETE] = STEPI_PART_OPERATION | STEPI_PART_ELAPSED,
        [STEPI_MESSAGE] = STEPI_PART_TEXT,
        [STEPI_PROGRESS] = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_PROGRESS,
        [STEPI_OPERATION_INCOMPLETE] = STEPI_PART_OPERATION | STEPI_PART_ELAPSED,
        [STEPI_DROPPED] = STEPI_PART_PROGRESS | STEPI_PART_TEXT,
        [STEPI_OPERATION_STUCK] = STEPI_PART_OPERATION | STEPI_PART_ELAPSED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
    };
    stepi_draft_t draft = { .kind = (uint8_t)(1 + input_number(in, 1) % STEPI_OPERATION_STUCK), .level = STEP_LEVEL_INFO };
    draft.parts = parts[draft.kind];
    draft.depth = (uint32_t)input_number(in, 1) % 8;
    draft.step = (int32_t)input_number(in, 2) - 8;
    draft.total = (int32_t)input_number(in, 1);
    draft.done = input_number(in, 2);
    draft.goal = input_number(in, 1);
    draft.elapsed = (int64_t)(input_number(in, 4));
    draft.fields = fields;
    draft.field_count = input_number(in, 1) % (FIELDS + 1);
    for (size_t i = 0; i < draft.field_count; i++)
        fields[i] = make_field(in);
    stepi_line_t line = line_of(&draft);
    line.operation = make_text(in);
    line.description = make_text(in);
    line.text = make_text(in);
    return line;
}

/* What lines have besides. Returns the bound fields, to be freed. */
static stepi_bound_t *add_rest(input_t *in, stepi_line_t *line, stepi_step_summary_t steps[STEPS])
{
    static stepi_trace_t trace;
    const uint64_t what = input_number(in, 1);
    step_field_t fields[BOUND];
    const size_t count = what % (BOUND + 1);
    for (size_t i = 0; i < count; i++)
        fields[i] = make_field(in);
    stepi_bound_t *bound = stepi_bound_new(fields, count, NULL);
    line->bound = stepi_bound_fields(bound);
    line->from_recorder = (what & 8) != 0;
    line->is_slow = (what & 16) != 0;
    line->sample_rate = (what & 32) != 0 ? 0.5 : 0;
    trace = (stepi_trace_t){ .high = input_number(in, 1), .low = 1, .span = 2, .flags = what };
    line->trace = (what & 64) != 0 ? &trace : NULL;
    line->step_span = (what & 128) != 0 ? 3 : 0;
    for (size_t i = 0; i < STEPS; i++)
        steps[i] = (stepi_step_summary_t){ .end = STEPI_STEP_SUCCESS,
                                           .step = (int32_t)input_number(in, 1) % 3,
                                           .attempts = 1 + (uint32_t)(what & 1),
                                           .description = make_text(in) };
    line->steps = steps;
    line->step_count = (uint32_t)(what % (STEPS + 1));
    return bound;
}

static void check_names(const json_object_t *object)
{
    for (size_t i = 0; i < object->count; i++)
        for (size_t k = 0; k < i; k++) {
            const json_string_t *a = &object->members[i].name, *b = &object->members[k].name;
            MUST(a->length != b->length || memcmp(a->bytes, b->bytes, a->length) != 0);
        }
}

static size_t render(step_format_t *format, const stepi_line_t *line)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    MUST(!out.overflow);
    return (size_t)(out.at - scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WITH_IDS = 3 };
    static step_format_t *formats[4], *json;
    static read_line_t read;
    static json_object_t object;
    if (json == NULL) {
        const step_text_options_t ascii = { .size = sizeof(ascii), .ascii = 1 };
        const step_text_options_t timed = { .size = sizeof(timed), .timestamps = 1 };
        const step_text_options_t with_ids = { .size = sizeof(with_ids), .ids = 1 };
        const step_json_options_t canonical = { .size = sizeof(canonical), .canonical = 1 };
        formats[0] = step_format_text();
        formats[1] = step_format_text_with(&ascii);
        formats[2] = step_format_text_with(&timed);
        formats[WITH_IDS] = step_format_text_with(&with_ids);
        json = step_format_json_with(&canonical);
    }
    input_t in = { .at = data, .left = size };
    step_field_t fields[FIELDS];
    stepi_step_summary_t steps[STEPS];
    used = 0;
    stepi_line_t line = make_line(&in, fields);
    stepi_bound_t *bound = add_rest(&in, &line, steps);
    for (size_t i = 0; i < COUNT(formats); i++) {
        const size_t length = render(formats[i], &line);
        MUST(is_clean_line(scratch, length, false));
        MUST(read_text_line(scratch, length, &read));
        MUST(line_with_ids_is(&read, &line, i == WITH_IDS));
    }
    const size_t length = render(json, &line);
    MUST(is_clean_line(scratch, length, false));
    MUST(read_json_line(scratch, length, &object));
    check_names(&object);
    free(bound);
    while (used > 0)
        free(texts[--used]);
    return 0;
}
