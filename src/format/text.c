/* The text format: lines for people that a program can read back. The grammar is docs/formats.md; a line is
 *
 *     indentation  time?  [LEVEL]  symbol?  body  ( fields )?
 *
 * Colours only ever surround what a plain line has: with the ANSI sequences taken out, both are the same bytes. */
#include "base/number.h"
#include "base/options.h"
#include "format/names.h"
#include "format/text_escape.h"
#include "format/text_format.h"

#include <errno.h>
#include <stdlib.h>

enum { INDENT = 4, INDENT_DEPTH_MAX = 32 };

/* What comes before the body, by stepi_level_index(). */
static const stepi_literal_text_t level_tags[2][5] = {
    { STEPI_LITERAL("[DEBUG] "), STEPI_LITERAL("[INFO] "), STEPI_LITERAL("[WARNING] "), STEPI_LITERAL("[ERROR] "),
      STEPI_LITERAL("[CRITICAL] ") },
    { STEPI_LITERAL("[\033[36mDEBUG\033[0m] "), STEPI_LITERAL("[\033[32mINFO\033[0m] "),
      STEPI_LITERAL("[\033[33mWARNING\033[0m] "), STEPI_LITERAL("[\033[31mERROR\033[0m] "),
      STEPI_LITERAL("[\033[1;31mCRITICAL\033[0m] ") },
};

/* By kind; with the spaces that follow them. */
static const stepi_literal_text_t symbols[] = {
    [STEPI_OPERATION_START] = STEPI_LITERAL("\xF0\x9F\x9A\x80 "),     /* 🚀 */
    [STEPI_STEP_START] = STEPI_LITERAL("\xE2\x96\xB6\xEF\xB8\x8F  "), /* ▶️ */
    [STEPI_STEP_SUCCESS] = STEPI_LITERAL("\xE2\x9C\x85 "),            /* ✅ */
    [STEPI_STEP_FAILURE] = STEPI_LITERAL("\xE2\x9D\x8C "),            /* ❌ */
    [STEPI_STEP_SKIP] = STEPI_LITERAL("\xE2\x8F\xAD\xEF\xB8\x8F  "),  /* ⏭️ */
    [STEPI_OPERATION_COMPLETE] = STEPI_LITERAL("\xF0\x9F\x8F\x81 "),  /* 🏁 */
    [STEPI_MESSAGE] = STEPI_LITERAL(""),
    [STEPI_PROGRESS] = STEPI_LITERAL("\xE2\x8F\xB3 "),                          /* ⏳ */
    [STEPI_OPERATION_INCOMPLETE] = STEPI_LITERAL("\xE2\x9A\xA0\xEF\xB8\x8F  "), /* ⚠️ */
    [STEPI_DROPPED] = STEPI_LITERAL(""),
    [STEPI_OPERATION_STUCK] = STEPI_LITERAL("\xE2\x8C\x9B "), /* ⌛ */
};

void stepi_text_indent(stepi_out_t *out, uint32_t depth)
{
    static const char spaces[INDENT * INDENT_DEPTH_MAX + 1] =
        "                                                                "
        "                                                                ";
    stepi_put(out, spaces, INDENT * (size_t)(depth < INDENT_DEPTH_MAX ? depth : INDENT_DEPTH_MAX));
}

void stepi_text_time(stepi_text_format_t *self, int64_t wall_ns, stepi_out_t *out)
{
    if (self->color)
        stepi_put_literal(out, "\033[2m");
    stepi_put_time(out, &self->time, wall_ns, 6);
    if (self->color)
        stepi_put_literal(out, "\033[0m");
    stepi_put_char(out, ' ');
}

/* ---- The body ---- */

static void put_tag(stepi_out_t *out, const stepi_line_t *line)
{
    if (line->total > 0) {
        stepi_put_char(out, '[');
        stepi_put_i64(out, line->step);
        stepi_put_char(out, '/');
        stepi_put_i64(out, line->total);
    } else {
        stepi_put_literal(out, "[Step ");
        stepi_put_i64(out, line->step);
    }
    stepi_put_literal(out, "] ");
}

/* The step that the line is about; the operation if there is none. */
static void put_subject(stepi_out_t *out, const stepi_line_t *line)
{
    if (!line->has_step) {
        stepi_text_prose(out, &line->operation, true);
        return;
    }
    put_tag(out, line);
    stepi_text_prose(out, &line->description, false);
}

/* How a step ended, by kind: plain, and coloured up to the end of what follows. */
static const stepi_literal_text_t outcomes[2][STEPI_KINDS] = {
    { [STEPI_STEP_SUCCESS] = STEPI_LITERAL(" - SUCCESS"),
      [STEPI_STEP_FAILURE] = STEPI_LITERAL(" - FAILED: "),
      [STEPI_STEP_SKIP] = STEPI_LITERAL(" - SKIPPED: "),
      [STEPI_PROGRESS] = STEPI_LITERAL(" - PROGRESS: ") },
    { [STEPI_STEP_SUCCESS] = STEPI_LITERAL(" - \033[32mSUCCESS"),
      [STEPI_STEP_FAILURE] = STEPI_LITERAL(" - \033[31mFAILED: "),
      [STEPI_STEP_SKIP] = STEPI_LITERAL(" - \033[33mSKIPPED: "),
      [STEPI_PROGRESS] = STEPI_LITERAL(" - \033[36mPROGRESS: ") },
};

static void put_progress(const stepi_line_t *line, stepi_out_t *out)
{
    stepi_put_u64(out, line->done);
    if (line->goal > 0) {
        stepi_put_char(out, '/');
        stepi_put_u64(out, line->goal);
    }
}

static void put_loss(const stepi_line_t *line, stepi_out_t *out)
{
    stepi_put_u64(out, line->done);
    if (line->done == 1)
        stepi_put_literal(out, " record dropped: ");
    else
        stepi_put_literal(out, " records dropped: ");
    stepi_text_prose(out, &line->text, false);
}

static void put_step_body(const stepi_text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    const stepi_literal_text_t *outcome = &outcomes[self->color][line->kind];
    put_subject(out, line);
    if (line->kind == STEPI_STEP_START)
        return;
    stepi_put(out, outcome->bytes, outcome->length);
    if (line->kind == STEPI_PROGRESS)
        put_progress(line, out);
    else if (line->kind != STEPI_STEP_SUCCESS)
        stepi_text_prose(out, &line->text, false);
    if (self->color)
        stepi_put_literal(out, "\033[0m");
}

static void put_body(const stepi_text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    switch (line->kind) {
    case STEPI_OPERATION_START:
        stepi_put_literal(out, "START: ");
        stepi_text_prose(out, &line->operation, false);
        break;
    case STEPI_OPERATION_COMPLETE:
        stepi_put_literal(out, "COMPLETE: ");
        stepi_text_prose(out, &line->operation, false);
        break;
    case STEPI_OPERATION_INCOMPLETE:
        stepi_put_literal(out, "INCOMPLETE: ");
        stepi_text_prose(out, &line->operation, false);
        break;
    case STEPI_OPERATION_STUCK:
        stepi_put_literal(out, "STUCK: ");
        stepi_text_prose(out, &line->operation, false);
        break;
    case STEPI_MESSAGE:
        stepi_text_prose(out, &line->text, true);
        break;
    case STEPI_DROPPED:
        put_loss(line, out);
        break;
    case STEPI_STEP_START:
    case STEPI_STEP_SUCCESS:
    case STEPI_STEP_FAILURE:
    case STEPI_STEP_SKIP:
    case STEPI_PROGRESS:
        put_step_body(self, line, out);
        break;
    }
}

void stepi_text_beginning(const stepi_text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    const stepi_opening_t *opening = &self->openings[stepi_level_index(line->level)][line->kind];
    stepi_put_padded(out, opening->bytes, opening->length);
    put_body(self, line, out);
}

/* The text that a line's beginning depends on, if it is one that is worth knowing. */
static const stepi_text_t *subject_of(const stepi_line_t *line)
{
    switch (line->kind) {
    case STEPI_STEP_START:
    case STEPI_STEP_SUCCESS:
        return line->has_step ? &line->description : NULL;
    case STEPI_MESSAGE:
        return &line->text;
    case STEPI_OPERATION_START:
    case STEPI_OPERATION_COMPLETE:
        return &line->operation;
    default:
        return NULL;
    }
}

/* Whether the line's beginning may be known, and then its key. */
static bool key_of(const stepi_line_t *line, stepi_known_key_t *key)
{
    const stepi_text_t *text = subject_of(line);
    if (text == NULL || text->original != text->length || !stepi_known_is_worth(text->length))
        return false;
    const bool is_of_step = text == &line->description;
    *key = stepi_known_key(line->kind, line->level, is_of_step ? line->step : 0, is_of_step ? line->total : 0, text->bytes,
                           text->length);
    return true;
}

static void put_known_beginning(stepi_text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    stepi_known_key_t key;
    const char *begin = out->at;
    const bool may_be_known = key_of(line, &key);
    const stepi_known_t *known = may_be_known ? stepi_known_find(self->known, &key) : NULL;
    if (known != NULL) {
        stepi_put_padded(out, known->beginning, known->bytes);
        return;
    }
    stepi_text_beginning(self, line, out);
    if (may_be_known && !out->overflow)
        stepi_known_keep(self->known, &key, begin, (size_t)(out->at - begin));
}

static void render(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    stepi_text_format_t *self = (stepi_text_format_t *)format;
    if (line->depth > 0)
        stepi_text_indent(out, line->depth);
    if (self->timestamps)
        stepi_text_time(self, line->wall_ns, out);
    put_known_beginning(self, line, out);
    stepi_text_fields(out, line, &self->plans, self->color);
    stepi_put_char(out, '\n');
}

/* ---- Making one ---- */

static void make_openings(stepi_text_format_t *self)
{
    for (int level = 0; level < 5; level++)
        for (int kind = STEPI_OPERATION_START; kind < STEPI_KINDS; kind++) {
            stepi_opening_t *opening = &self->openings[level][kind];
            stepi_out_t out = stepi_out_over(opening->bytes, sizeof(opening->bytes));
            stepi_put(&out, level_tags[self->color][level].bytes, level_tags[self->color][level].length);
            if (!self->ascii)
                stepi_put(&out, symbols[kind].bytes, symbols[kind].length);
            opening->length = (size_t)(out.at - opening->bytes);
        }
}

static void free_format(step_format_t *format)
{
    stepi_plans_free(&((stepi_text_format_t *)format)->plans.plans);
    free(format);
}

step_format_t *step_format_text_with(const step_text_options_t *options)
{
    step_text_options_t chosen = { .size = 0 };
    if (options != NULL && !stepi_options_copy(&chosen, sizeof(chosen), options, options->size)) {
        errno = EINVAL;
        return NULL;
    }
    stepi_text_format_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->format = (step_format_t){ .render = render, .free = free_format };
    self->timestamps = chosen.timestamps != 0;
    self->ascii = chosen.ascii != 0;
    self->color = chosen.color != 0;
    self->plans.shows_ids = chosen.ids != 0;
    if (chosen.ids == 0) /* they differ from operation to operation */
        self->format.render_brief = stepi_text_render_brief;
    make_openings(self);
    return &self->format;
}

step_format_t *step_format_text(void)
{
    return step_format_text_with(NULL);
}
