/* JSON lines: one flat object a record, RFC 8259, no white space outside strings. docs/formats.md lists the members. */
#include "format/escape.h"
#include "format/members.h"

/* clang-format off */
#define STOPS { .count = 2, .rows = { STEPI_STOP('"'), STEPI_STOP('\\') } }
#define LETTERS { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f' }
/* clang-format on */

static const stepi_escapes_t in_strings = { .stops = STOPS, .letters = LETTERS, .tells_marks = true };
static const stepi_escapes_t in_names = { .stops = STOPS, .letters = LETTERS };

static void put_string(stepi_out_t *out, const stepi_text_t *text)
{
    if (text->bytes == NULL) {
        stepi_put_literal(out, "null");
        return;
    }
    stepi_put_char(out, '"');
    stepi_put_escaped(out, text, &in_strings);
    stepi_put_char(out, '"');
}

static void put_name(stepi_out_t *out, const stepi_text_t *text)
{
    stepi_put_escaped(out, text, &in_names);
}

/* There are none in JSON. */
static void put_not_finite(stepi_out_t *out, double v)
{
    (void)v;
    stepi_put_literal(out, "null");
}

static const stepi_dialect_t json = {
    .begin = STEPI_PIECE("{\"ts\":\""),
    .levels = STEPI_MEMBER_LEVELS("\",\"level\":\"", "\",\"event\":\""),
    .events = STEPI_MEMBER_EVENTS("\""),
    .names = STEPI_MEMBER_NAMES(",\"", "\":", "\""),
    .behind_ids = STEPI_PIECE("\""),
    .before_key = STEPI_PIECE(",\""),
    .behind_key = STEPI_PIECE("\":"),
    .secret = STEPI_PIECE("\"***\""),
    .end = STEPI_PIECE("}\n"),
    .string = put_string,
    .key = put_name,
    .not_finite = put_not_finite,
};

step_format_t *step_format_json_with(const step_json_options_t *options)
{
    return stepi_members_format(&json, options);
}

step_format_t *step_format_json(void)
{
    return step_format_json_with(NULL);
}
