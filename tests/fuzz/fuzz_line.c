/* Whatever is logged is one clean line: the text line reads back as what was logged, the JSON line is JSON. */
#include "format_support.h"
#include "json_reader.h"
#include "text_compare.h"

#include "fuzz.h"

enum { FIELDS = 4, TEXTS = 3 + 2 * FIELDS, TEXT_BYTES = 255 };

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
    };
    stepi_draft_t draft = { .kind = (uint8_t)(1 + input_number(in, 1) % STEPI_DROPPED), .level = STEP_LEVEL_INFO };
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

static size_t render(step_format_t *format, const stepi_line_t *line)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    MUST(!out.overflow);
    return (size_t)(out.at - scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static step_format_t *formats[3], *json;
    static read_line_t read;
    static json_object_t object;
    if (json == NULL) {
        const step_text_options_t ascii = { .size = sizeof(ascii), .ascii = 1 };
        const step_text_options_t timed = { .size = sizeof(timed), .timestamps = 1 };
        formats[0] = step_format_text();
        formats[1] = step_format_text_with(&ascii);
        formats[2] = step_format_text_with(&timed);
        json = step_format_json();
    }
    input_t in = { .at = data, .left = size };
    step_field_t fields[FIELDS];
    used = 0;
    const stepi_line_t line = make_line(&in, fields);
    for (size_t i = 0; i < COUNT(formats); i++) {
        const size_t length = render(formats[i], &line);
        MUST(is_clean_line(scratch, length, false));
        MUST(read_text_line(scratch, length, &read));
        MUST(line_is(&read, &line));
    }
    const size_t length = render(json, &line);
    MUST(is_clean_line(scratch, length, false));
    MUST(read_json_line(scratch, length, &object));
    while (used > 0)
        free(texts[--used]);
    return 0;
}
