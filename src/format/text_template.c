#include "format/text_template.h"

#include "format/text_escape.h"
#include "format/text_format.h"

#include <string.h>

/* Room for what stands behind the pieces, and for what is copied beyond their ends. */
enum { AROUND_PIECES = STEPI_TEMPLATE_PIECES * (STEPI_PADDING + STEPI_DOUBLE_BYTES) };

static inline bool is_worth(const stepi_brief_t *brief)
{
    return brief->text_bytes - 1 < STEPI_TEMPLATE_TEXT;
}

/* One product: whatever differs, wherever it stands, changes the upper bits, and they choose the place. */
static inline uint32_t hash_of(const stepi_brief_t *brief)
{
    const stepi_known_ends_t ends = stepi_known_ends(brief->text, brief->text_bytes);
    const uint64_t step = brief->step << 8 ^ brief->step >> 32; /* and total */
    const uint64_t mixed =
        ends.first ^ (ends.last << 29 | ends.last >> 35) ^ brief->what ^ step ^ (uint64_t)brief->shape << 16;
    return (uint32_t)(mixed * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static inline bool fits(const stepi_template_t *template, const stepi_brief_t *brief)
{
    return template->room != 0 && template->what == brief->what && template->step == brief->step &&
           template->shape == brief->shape && template->text_bytes == brief->text_bytes &&
           stepi_known_is_same_text(template->text, brief->text, brief->text_bytes);
}

/* ---- Writing ---- */

static inline uint64_t value_of(const stepi_brief_t *brief, uint32_t field)
{
    uint64_t value;
    memcpy(&value, brief->values + field * sizeof(value), sizeof(value));
    return value;
}

/* Field number `i`, which is neither a number nor a short text; behind its text, if it is one, come the `texts`. NULL: no
 * room is left for all the rest. */
__attribute__((noinline)) static char *put_other(stepi_out_t *out, const stepi_template_t *template,
                                                 const stepi_brief_t *brief, uint32_t i, const char *texts)
{
    const uint64_t value = value_of(brief, i);
    const stepi_plan_piece_t *piece = &template->pieces[i];
    stepi_field_view_t field = { .type = piece->type, .decimals = piece->decimals, .number = { .u64 = value } };
    if (piece->type == STEP_FIELD_TEXT && value != STEPI_TEXT_NULL)
        field.text = (stepi_text_t){ .bytes = texts - value, .length = (uint32_t)value, .original = value };
    stepi_text_field_value(out, &field);
    return !out->overflow && (size_t)(out->end - out->at) >= template->room ? out->at : NULL;
}

static inline char *put_piece(char *to, const stepi_template_t *template, const stepi_plan_piece_t *piece)
{
    const size_t length = piece->length;
    stepi_copy_padded(to, template->bytes + piece->from, length);
    return to + length;
}

/* The fields, each behind its piece. NULL: there is no room, or the record is damaged. */
static inline char *put_fields(const stepi_template_t *template, const stepi_brief_t *brief, stepi_out_t *out)
{
    const uint32_t count = template->fields;
    const char *const end = (const char *)brief->end;
    const char *texts = (const char *)brief->values + count * sizeof(uint64_t);
    char *to = out->at;
    for (uint32_t i = 0; i < count; i++) {
        const stepi_plan_piece_t *piece = &template->pieces[i];
        const uint64_t value = value_of(brief, i);
        char *const at = put_piece(to, template, piece);
        if (piece->type != STEP_FIELD_TEXT) {
            to = stepi_plan_write_number(at, piece, value);
        } else if (value <= (size_t)(end - texts)) {
            to = stepi_text_short_value(at, texts, value);
            texts += value;
        } else if (value == STEPI_TEXT_NULL) {
            to = NULL;
        } else {
            return NULL;
        }
        if (__builtin_expect(to == NULL, 0)) {
            out->at = at;
            to = put_other(out, template, brief, i, texts);
            if (to == NULL)
                return NULL;
        }
    }
    return to;
}

/* The line, or what of it comes behind the time. False: there is not enough room, or the record is damaged. A function of its
 * own: with the lookup it would need more registers than there are. */
__attribute__((noinline)) static bool put_line(const stepi_template_t *template, const stepi_brief_t *brief,
                                               stepi_out_t *out)
{
    if ((size_t)(out->end - out->at) < template->room ||
        (size_t)(brief->end - brief->values) < template->fields * sizeof(uint64_t))
        return false;
    char *to = put_fields(template, brief, out);
    if (to == NULL)
        return false;
    const stepi_plan_piece_t *piece = &template->pieces[template->fields];
    if (brief->parts == STEPI_BRIEF_SUCCESS)
        to = stepi_write_ms_1(put_piece(to, template, piece++), brief->elapsed_ns);
    out->at = put_piece(to, template, piece);
    return !out->overflow;
}

/* ---- Making one ---- */

void stepi_template_add(stepi_template_t *template, uint32_t i, const stepi_out_t *out, uint8_t type, uint8_t decimals)
{
    stepi_plan_piece_t *piece = &template->pieces[i];
    const size_t used = (size_t)(out->at - template->bytes);
    piece->from = i > 0 ? (uint16_t)(piece[-1].from + piece[-1].length) : 0;
    piece->length = (uint16_t)(used - piece->from);
    piece->type = type;
    piece->decimals = decimals;
}

/* As much of a line as its beginning depends on. */
static stepi_line_t line_of(const stepi_brief_t *brief)
{
    const stepi_record_t header = stepi_record_header(brief->record);
    const stepi_text_t text = { .bytes = brief->text, .length = brief->text_bytes, .original = brief->text_bytes };
    stepi_line_t line = { .kind = (stepi_kind_t)header.kind, .level = header.level, .depth = header.depth };
    line.has_step = line.kind != STEPI_MESSAGE;
    memcpy(&line.step, &brief->step, sizeof(line.step));
    memcpy(&line.total, (const char *)&brief->step + sizeof(line.step), sizeof(line.total));
    line.fields.left = header.fields;
    line.description = line.text = text;
    return line;
}

/* False: the line is too long for one. `shape`: NULL where there are no fields. */
static bool make_template(const stepi_text_format_t *self, stepi_template_t *template, const stepi_brief_t *brief,
                          const stepi_shape_t *shape)
{
    const stepi_line_t line = line_of(brief);
    stepi_out_t out = stepi_out_over(template->bytes, STEPI_TEMPLATE_BYTES);
    if (!self->timestamps)
        stepi_text_indent(&out, line.depth);
    stepi_text_beginning(self, &line, &out);
    stepi_text_template_fields(template, &out, shape, brief->parts == STEPI_BRIEF_SUCCESS, self->color);
    template->what = brief->what;
    template->step = brief->step;
    template->shape = brief->shape;
    template->text_bytes = brief->text_bytes;
    template->fields = line.fields.left;
    template->room = (uint32_t)(out.at - template->bytes) + AROUND_PIECES;
    memcpy(template->text, brief->text, brief->text_bytes);
    return !out.overflow;
}

/* Whether the record has as many fields as its shape, or neither of them. */
static bool has_fields_of(const stepi_brief_t *brief, const stepi_shape_t *shape)
{
    if (brief->shape == 0)
        return true;
    return shape != NULL && shape->count > 0 && shape->count == stepi_record_header(brief->record).fields;
}

/* Of a line that was met twice in a row at its place. */
__attribute__((noinline, cold)) static void learn(stepi_text_format_t *self, stepi_template_t *template, uint32_t hash,
                                                  const stepi_brief_t *brief)
{
    const stepi_shape_t *shape = brief->shape != 0 ? stepi_shape_find(brief->shape) : NULL;
    const bool again = template->hash == hash;
    template->hash = hash;
    if (again && has_fields_of(brief, shape) && !make_template(self, template, brief, shape))
        template->room = 0;
}

/* ---- The format ---- */

bool stepi_text_render_brief(step_format_t *format, const stepi_brief_t *brief, stepi_out_t *out)
{
    stepi_text_format_t *self = (stepi_text_format_t *)format;
    if (!is_worth(brief))
        return false;
    const uint32_t hash = hash_of(brief);
    stepi_template_t *template = &self->templates[hash / (UINT32_MAX / STEPI_TEMPLATES + 1)];
    if (!fits(template, brief)) {
        learn(self, template, hash, brief);
        return false;
    }
    template->hash = hash;
    if (self->timestamps) {
        stepi_text_indent(out, stepi_record_header(brief->record).depth);
        stepi_text_time(self, brief->wall_ns, out);
    }
    return put_line(template, brief, out);
}
