#include "support/plain_format.h"

#include "format/format.h"

#include <inttypes.h>
#include <unistd.h>

typedef struct plain {
    step_format_t format;
    unsigned shown;
} plain_t;

static const char *const kinds[STEPI_KINDS] = {
    [STEPI_OPERATION_START] = "start", [STEPI_STEP_START] = "step",       [STEPI_STEP_SUCCESS] = "success",
    [STEPI_STEP_FAILURE] = "failure",  [STEPI_STEP_SKIP] = "skip",        [STEPI_OPERATION_COMPLETE] = "complete",
    [STEPI_MESSAGE] = "message",       [STEPI_PROGRESS] = "progress",     [STEPI_OPERATION_INCOMPLETE] = "incomplete",
    [STEPI_DROPPED] = "dropped",       [STEPI_OPERATION_STUCK] = "stuck",
};

__attribute__((format(printf, 2, 3))) static void put(stepi_out_t *out, const char *format, ...)
{
    char piece[256];
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    assert_in_range(n, 0, sizeof(piece) - 1);
    stepi_put(out, piece, (size_t)n);
}

static void put_text(stepi_out_t *out, const stepi_text_t *text)
{
    if (text->bytes == NULL)
        stepi_put(out, "null", 4);
    else
        stepi_put(out, text->bytes, text->length);
    if (text->bytes != NULL && text->original > text->length)
        put(out, "...%" PRIu64, text->original);
}

static void put_value(stepi_out_t *out, const stepi_field_view_t *field)
{
    switch (field->type) {
    case STEP_FIELD_I64:
        put(out, "%" PRId64, field->number.i64);
        break;
    case STEP_FIELD_U64:
        put(out, "%" PRIu64, field->number.u64);
        break;
    case STEP_FIELD_BOOL:
        put(out, "%s", field->number.u64 != 0 ? "true" : "false");
        break;
    case STEP_FIELD_TEXT:
        put_text(out, &field->text);
        break;
    case STEP_FIELD_SECRET:
        put(out, "***");
        break;
    default:
        put(out, "%g", field->number.f64);
        break;
    }
}

static void put_fields(stepi_out_t *out, stepi_fields_t fields)
{
    stepi_field_view_t field;
    while (stepi_fields_next(&fields, &field)) {
        stepi_put_char(out, ' ');
        put_text(out, &field.key);
        stepi_put_char(out, '=');
        put_value(out, &field);
    }
}

static void put_steps(stepi_out_t *out, const stepi_line_t *line)
{
    put(out, " [");
    for (uint32_t i = 0; i < line->step_count; i++) {
        const stepi_step_summary_t *step = &line->steps[i];
        put(out, "%s%d %s x%u %" PRId64 "ms \"", i > 0 ? ", " : "", (int)step->step,
            step->end == STEPI_STEP_START ? "open" : kinds[step->end], (unsigned)step->attempts,
            step->elapsed_ns / 1000000);
        put_text(out, &step->description);
        stepi_put_char(out, '"');
    }
    if (line->steps_omitted > 0)
        put(out, " +%u", (unsigned)line->steps_omitted);
    stepi_put_char(out, ']');
}

static const char *level_name(int level)
{
    return level >= STEP_LEVEL_CRITICAL  ? "CRITICAL"
           : level >= STEP_LEVEL_ERROR   ? "ERROR"
           : level >= STEP_LEVEL_WARNING ? "WARNING"
           : level >= STEP_LEVEL_INFO    ? "INFO"
                                         : "DEBUG";
}

static void put_head(stepi_out_t *out, const stepi_line_t *line)
{
    put(out, "%s %s", level_name(line->level), kinds[line->kind]);
    if (line->kind == STEPI_DROPPED)
        put(out, " %" PRIu64, line->done);
    if (line->has_operation) {
        stepi_put_char(out, ' ');
        put_text(out, &line->operation);
    }
    if (line->has_step)
        put(out, "/%d", (int)line->step);
    if (line->has_text) {
        put(out, " \"");
        put_text(out, &line->text);
        stepi_put_char(out, '"');
    }
}

static void put_order(stepi_out_t *out, const stepi_line_t *line)
{
    put(out, " seq=%" PRIu64 " at=%" PRId64, line->seq, (line->wall_ns - TEST_WALL_NS) / 1000000);
}

static void render(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    const unsigned shown = ((plain_t *)format)->shown;
    put_head(out, line);
    put_fields(out, line->fields);
    if (line->omitted > 0)
        put(out, " omitted=%u", (unsigned)line->omitted);
    if (line->bound.left > 0) {
        put(out, " |");
        put_fields(out, line->bound);
    }
    if ((shown & PLAIN_ELAPSED) != 0 && line->has_elapsed)
        put(out, " ms=%" PRId64, line->elapsed_ns / 1000000);
    if ((shown & PLAIN_ORDER) != 0)
        put_order(out, line);
    if ((shown & PLAIN_STEPS) != 0 && line->step_count > 0)
        put_steps(out, line);
    if (line->from_recorder)
        put(out, " recorder");
    if (line->is_slow)
        put(out, " slow");
    if (line->sample_rate != 0)
        put(out, " ~%g", line->sample_rate);
    stepi_put_char(out, '\n');
}

static void free_format(step_format_t *format)
{
    free(format);
}

void plain_log_open(test_log_t *t, const step_log_options_t *options, unsigned shown)
{
    enum { MEMORY_BYTES = 1 << 26 };
    test_log_close(t);
    test_log_open(t, options);
    t->text_seen = 0;
    t->text = step_sink_memory(MEMORY_BYTES);
    assert_int_equal(step_log_add_output(t->log, t->text, plain_format(shown), 0), STEP_OK);
}

capture_t *plain_log_open_captured(test_log_t *t, const step_log_options_t *options, unsigned shown)
{
    test_log_close(t);
    test_log_open(t, options);
    capture_t *c = capture_new();
    assert_int_equal(step_log_add_output(t->log, capture_sink(c), plain_format(shown), 0), STEP_OK);
    return c;
}

step_format_t *plain_format(unsigned shown)
{
    plain_t *plain = calloc(1, sizeof(*plain));
    assert_non_null(plain);
    plain->format = (step_format_t){ .render = render, .free = free_format, .wants_steps = (shown & PLAIN_STEPS) != 0 };
    plain->shown = shown;
    return &plain->format;
}

void plain_log_open_piped(test_log_t *t, const step_log_options_t *options, int pipes[2])
{
    test_log_close(t);
    assert_int_equal(pipe(pipes), 0);
    test_log_open(t, options);
    assert_int_equal(step_log_add_output(t->log, step_sink_fd(pipes[1]), plain_format(0), 0), STEP_OK);
}

void plain_log_close_piped(test_log_t *t, const int pipes[2], char text[PLAIN_PIPED_BYTES])
{
    test_log_close(t);
    close(pipes[1]);
    const ssize_t n = read(pipes[0], text, PLAIN_PIPED_BYTES - 1);
    close(pipes[0]);
    assert_in_range(n, 1, PLAIN_PIPED_BYTES - 1);
    text[n] = '\0';
}
