/* The text format: lines for people that a program can read back. The grammar is docs/formats.md; a line is
 *
 *     indentation  time?  [LEVEL]  symbol?  body  ( fields )?
 *
 * Colours only ever surround what a plain line has: with the ANSI sequences taken out, both are the same bytes. */
#include "base/number.h"
#include "base/options.h"
#include "base/time.h"
#include "format/format.h"
#include "format/names.h"
#include "format/text_escape.h"
#include "format/text_fields.h"
#include "format/text_known.h"

#include <errno.h>
#include <stdlib.h>

/* A line's level and symbol: "[INFO] ✅ ". */
typedef struct opening {
    char bytes[40 + STEPI_PADDING];
    size_t length;
} opening_t;

typedef struct text_format {
    step_format_t format;
    bool timestamps, ascii, color;
    stepi_time_text_t time;
    stepi_text_plans_t plans;
    opening_t openings[5][STEPI_KINDS]; /* by stepi_level_index() and kind */
    stepi_known_t known[STEPI_KNOWN_PLACES];
} text_format_t;

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

static void put_indent(stepi_out_t *out, uint32_t depth)
{
    static const char spaces[INDENT * INDENT_DEPTH_MAX + 1] =
        "                                                                "
        "                                                                ";
    stepi_put(out, spaces, INDENT * (size_t)(depth < INDENT_DEPTH_MAX ? depth : INDENT_DEPTH_MAX));
}

static void put_time(text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    if (self->color)
        stepi_put_literal(out, "\033[2m");
    stepi_put_time(out, &self->time, line->wall_ns, 6);
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

static void put_step_body(const text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
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

static void put_body(const text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
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

static void put_beginning(const text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    const opening_t *opening = &self->openings[stepi_level_index(line->level)][line->kind];
    stepi_put_padded(out, opening->bytes, opening->length);
    put_body(self, line, out);
}

static void put_known_beginning(text_format_t *self, const stepi_line_t *line, stepi_out_t *out)
{
    stepi_known_key_t key;
    const char *begin = out->at;
    if (stepi_known_find(self->known, line, &key)) {
        stepi_put_padded(out, key.place->beginning, key.place->bytes);
        return;
    }
    put_beginning(self, line, out);
    if (!out->overflow)
        stepi_known_keep(&key, begin, (size_t)(out->at - begin));
}

static void render(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    text_format_t *self = (text_format_t *)format;
    if (line->depth > 0)
        put_indent(out, line->depth);
    if (self->timestamps)
        put_time(self, line, out);
    put_known_beginning(self, line, out);
    stepi_text_fields(out, line, &self->plans, self->color);
    stepi_put_char(out, '\n');
}

/* ---- Making one ---- */

static void make_openings(text_format_t *self)
{
    for (int level = 0; level < 5; level++)
        for (int kind = STEPI_OPERATION_START; kind < STEPI_KINDS; kind++) {
            opening_t *opening = &self->openings[level][kind];
            stepi_out_t out = stepi_out_over(opening->bytes, sizeof(opening->bytes));
            stepi_put(&out, level_tags[self->color][level].bytes, level_tags[self->color][level].length);
            if (!self->ascii)
                stepi_put(&out, symbols[kind].bytes, symbols[kind].length);
            opening->length = (size_t)(out.at - opening->bytes);
        }
}

static void free_format(step_format_t *format)
{
    stepi_plans_free(&((text_format_t *)format)->plans.plans);
    free(format);
}

step_format_t *step_format_text_with(const step_text_options_t *options)
{
    step_text_options_t chosen = { .size = 0 };
    if (options != NULL && !stepi_options_copy(&chosen, sizeof(chosen), options, options->size)) {
        errno = EINVAL;
        return NULL;
    }
    text_format_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->format = (step_format_t){ .render = render, .free = free_format };
    self->timestamps = chosen.timestamps != 0;
    self->ascii = chosen.ascii != 0;
    self->color = chosen.color != 0;
    self->plans.shows_ids = chosen.ids != 0;
    make_openings(self);
    return &self->format;
}

step_format_t *step_format_text(void)
{
    return step_format_text_with(NULL);
}
