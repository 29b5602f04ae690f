#include "format/step_members.h"

#include "base/number.h"

enum { NAMES_OF_STEP = 4, NAME_BYTES = 48 /* step_-2147483648_4294967295_description */ };

size_t stepi_step_members_count(const stepi_line_t *line)
{
    return (size_t)line->step_count * NAMES_OF_STEP + (line->steps_omitted > 0);
}

/* A line's step members while they are being written. */
typedef struct step_writer {
    stepi_out_t *out;
    const stepi_dialect_t *dialect;
    stepi_keys_t *keys;
    char name[NAME_BYTES]; /* of the step; what follows it differs from member to member */
    size_t name_bytes;
} step_writer_t;

/* Up to the value of the member NAME, or NAME_suffix. */
static void put_name(step_writer_t *w, const char *suffix, size_t suffix_bytes)
{
    stepi_put_padded(w->out, w->dialect->before_key.bytes, w->dialect->before_key.length);
    const char *name = w->out->at;
    stepi_put(w->out, w->name, w->name_bytes);
    stepi_put(w->out, suffix, suffix_bytes);
    if (w->keys != NULL && !w->out->overflow)
        stepi_keys_note(w->keys, name, w->name_bytes + suffix_bytes);
    stepi_put_padded(w->out, w->dialect->behind_key.bytes, w->dialect->behind_key.length);
}

#define PUT_NAME(w, suffix) put_name(w, "" suffix "", sizeof(suffix) - 1)

static stepi_text_t status_of(const stepi_step_summary_t *step)
{
    switch (step->end) {
    case STEPI_STEP_SUCCESS:
        return (stepi_text_t){ .bytes = "success", .length = 7, .original = 7 };
    case STEPI_STEP_FAILURE:
        return (stepi_text_t){ .bytes = "failure", .length = 7, .original = 7 };
    case STEPI_STEP_SKIP:
        return (stepi_text_t){ .bytes = "skip", .length = 4, .original = 4 };
    default:
        return (stepi_text_t){ .bytes = "open", .length = 4, .original = 4 };
    }
}

/* Which step of its number steps[at] is: 1 for the first. */
static uint32_t occurrence_of(const stepi_step_summary_t *steps, uint32_t at)
{
    uint32_t occurrence = 1;
    for (uint32_t i = 0; i < at; i++)
        occurrence += steps[i].step == steps[at].step;
    return occurrence;
}

static void name_step(step_writer_t *w, int32_t number, uint32_t occurrence)
{
    stepi_out_t name = stepi_out_over(w->name, sizeof(w->name));
    stepi_put_literal(&name, "step_");
    stepi_put_i64(&name, number);
    if (occurrence > 1) {
        stepi_put_char(&name, '_');
        stepi_put_u64(&name, occurrence);
    }
    w->name_bytes = (size_t)(name.at - w->name);
}

static void put_step(step_writer_t *w, const stepi_step_summary_t *step)
{
    const stepi_text_t status = status_of(step);
    PUT_NAME(w, "");
    w->dialect->string(w->out, &status);
    PUT_NAME(w, "_description");
    w->dialect->string(w->out, &step->description);
    PUT_NAME(w, "_duration_ms");
    stepi_put_ms_exact(w->out, step->elapsed_ns);
    if (step->attempts > 1) {
        PUT_NAME(w, "_attempts");
        stepi_put_u64(w->out, step->attempts);
    }
}

void stepi_step_members_put(stepi_out_t *out, const stepi_dialect_t *dialect, const stepi_line_t *line, stepi_keys_t *keys)
{
    step_writer_t w = { .out = out, .dialect = dialect, .keys = keys };
    for (uint32_t i = 0; i < line->step_count; i++) {
        name_step(&w, line->steps[i].step, occurrence_of(line->steps, i));
        put_step(&w, &line->steps[i]);
    }
    w.name_bytes = 0;
    if (line->steps_omitted > 0) {
        PUT_NAME(&w, "steps_omitted");
        stepi_put_u64(out, line->steps_omitted);
    }
}
