#include "testing/explain.h"

#include <string.h>

/* ---- Texts and values ---- */

static void put_quoted(stepi_strbuf_t *out, const char *text, size_t bytes)
{
    stepi_strbuf_text(out, "\"");
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            stepi_strbuf_text(out, "\\n");
        else if (c < 0x20 || c == 0x7F)
            stepi_strbuf_format(out, "\\x%02x", c);
        else if (c == '"')
            stepi_strbuf_text(out, "\\\"");
        else
            stepi_strbuf_put(out, text + i, 1);
    }
    stepi_strbuf_text(out, "\"");
}

static void put_text(stepi_strbuf_t *out, const char *text)
{
    if (text == NULL)
        stepi_strbuf_text(out, "null");
    else
        put_quoted(out, text, strlen(text));
}

static void put_value(stepi_strbuf_t *out, const step_field_t *field)
{
    switch (field->type & 0xFF) {
    case STEP_FIELD_I64:
        stepi_strbuf_format(out, "%lld", (long long)field->value.i64);
        break;
    case STEP_FIELD_U64:
        stepi_strbuf_format(out, "%llu", (unsigned long long)field->value.u64);
        break;
    case STEP_FIELD_F64:
    case STEP_FIELD_PERCENT:
        stepi_strbuf_format(out, "%.15g", field->value.f64);
        break;
    case STEP_FIELD_FIXED:
        stepi_strbuf_format(out, "%.*f", (int)field->bytes, field->value.f64);
        break;
    case STEP_FIELD_BOOL:
        stepi_strbuf_text(out, field->value.u64 != 0 ? "true" : "false");
        break;
    case STEP_FIELD_SECRET:
        stepi_strbuf_text(out, "***");
        break;
    case STEP_FIELD_TEXT_N:
        if (field->value.text != NULL) {
            put_quoted(out, field->value.text, field->bytes);
            break;
        }
        /* fall through */
    default:
        put_text(out, field->value.text);
        break;
    }
}

static const char *key_of(const step_field_t *field)
{
    return field->key != NULL ? field->key : "null";
}

static const char *level_name(step_level_t level)
{
    if (level < STEP_LEVEL_WARNING)
        return level < STEP_LEVEL_INFO ? "DEBUG" : "INFO";
    if (level < STEP_LEVEL_ERROR)
        return "WARNING";
    return level < STEP_LEVEL_CRITICAL ? "ERROR" : "CRITICAL";
}

/* ---- What was expected ---- */

static void put_operation(stepi_strbuf_t *out, const step_expectation_t *e)
{
    if (e->operation == NULL)
        stepi_strbuf_text(out, "any operation");
    else
        put_text(out, e->operation);
}

static void put_verb(stepi_strbuf_t *out, const step_expectation_t *e, const char *verb)
{
    put_operation(out, e);
    stepi_strbuf_text(out, verb);
}

static void put_step(stepi_strbuf_t *out, const step_expectation_t *e, const char *before)
{
    if (e->step == STEP_NO_STEP)
        stepi_strbuf_text(out, " outside of its steps");
    else if (e->step == STEP_ANY_STEP)
        stepi_strbuf_format(out, "%s any step", before);
    else
        stepi_strbuf_format(out, "%s step %d", before, e->step);
}

static void put_pattern(stepi_strbuf_t *out, const char *before, const char *pattern)
{
    if (pattern == NULL)
        return;
    stepi_strbuf_text(out, before);
    put_text(out, pattern);
}

static void put_times(stepi_strbuf_t *out, int times)
{
    if (times == 1)
        stepi_strbuf_text(out, "once");
    else
        stepi_strbuf_format(out, "%d times", times);
}

static void put_message(stepi_strbuf_t *out, const step_expectation_t *e)
{
    stepi_strbuf_text(out, "a message");
    if (e->number > 0)
        stepi_strbuf_format(out, " at %s", level_name(e->number));
    put_pattern(out, " ", e->text);
}

static void put_what(stepi_strbuf_t *out, const step_expectation_t *e)
{
    switch (e->kind) {
    case STEPI_EXPECT_STARTED:
        put_verb(out, e, " started");
        break;
    case STEPI_EXPECT_COMPLETED:
        put_verb(out, e, " completed");
        break;
    case STEPI_EXPECT_LEFT_INCOMPLETE:
        put_verb(out, e, " was left incomplete");
        break;
    case STEPI_EXPECT_BEGAN:
        put_verb(out, e, " began");
        put_step(out, e, "");
        break;
    case STEPI_EXPECT_SUCCEEDED:
        put_verb(out, e, " succeeded");
        put_step(out, e, " at");
        break;
    case STEPI_EXPECT_FAILED:
        put_verb(out, e, " failed");
        put_step(out, e, " at");
        put_pattern(out, " with ", e->text);
        break;
    case STEPI_EXPECT_SKIPPED:
        put_verb(out, e, " skipped");
        put_step(out, e, "");
        put_pattern(out, ": ", e->text);
        break;
    case STEPI_EXPECT_RETRIED:
        put_verb(out, e, " retried");
        put_step(out, e, "");
        stepi_strbuf_text(out, " exactly ");
        put_times(out, e->number);
        break;
    default:
        break;
    }
}

static void put_state(stepi_strbuf_t *out, const step_expectation_t *e)
{
    switch (e->kind) {
    case STEPI_EXPECT_LOGGED:
        put_message(out, e);
        break;
    case STEPI_EXPECT_NOTHING_FROM:
        stepi_strbuf_format(out, "nothing at %s or above", level_name(e->number));
        break;
    case STEPI_EXPECT_COURSE:
        put_verb(out, e, " took the course");
        put_pattern(out, " ", e->text);
        break;
    case STEPI_EXPECT_IS_OPEN:
        put_verb(out, e, " is open");
        break;
    default:
        break;
    }
}

static void put_expected(stepi_strbuf_t *out, const step_expectation_t *e)
{
    put_what(out, e);
    put_state(out, e);
    for (uint32_t i = 0; i < stepi_expected_fields(e); i++) {
        const bool is_like = (e->likes >> i & 1) != 0;
        stepi_strbuf_format(out, ", %s%s", key_of(&e->fields[i]), is_like ? " like " : "=");
        if (is_like && e->fields[i].value.text == NULL)
            stepi_strbuf_text(out, "anything");
        else
            put_value(out, &e->fields[i]);
    }
    if (e->times == 0) {
        stepi_strbuf_text(out, ", never");
    } else if (e->times > 0) {
        stepi_strbuf_text(out, ", exactly ");
        put_times(out, e->times);
    }
}

/* ---- What was found ---- */

static void put_difference_of_field(stepi_strbuf_t *out, const step_field_t *expected, const step_captured_t *line)
{
    const step_field_t *found = step_captured_field(line, key_of(expected));
    if (found == NULL) {
        stepi_strbuf_format(out, " it has no %s,", key_of(expected));
        return;
    }
    stepi_strbuf_format(out, " its %s is ", key_of(expected));
    put_value(out, found);
    stepi_strbuf_text(out, ",");
}

static void put_differences(stepi_strbuf_t *out, const step_expectation_t *e, const stepi_finding_t *f)
{
    const step_captured_t *line = f->nearest;
    const uint32_t differences = f->differences;
    if (differences >> STEPI_ASPECT_EVENT & 1)
        stepi_strbuf_format(out, " it is a %s,", line->event);
    if (differences >> STEPI_ASPECT_STEP & 1 && line->step != STEP_NO_STEP)
        stepi_strbuf_format(out, " its step is %d,", line->step);
    else if (differences >> STEPI_ASPECT_STEP & 1)
        stepi_strbuf_text(out, " it is of no step,");
    if (differences >> STEPI_ASPECT_LEVEL & 1)
        stepi_strbuf_format(out, " its level is %s,", level_name(line->level));
    if (differences >> STEPI_ASPECT_TEXT & 1 && (differences >> STEPI_ASPECT_EVENT & 1) == 0) {
        stepi_strbuf_text(out, " its text is ");
        put_text(out, stepi_line_text(line));
        stepi_strbuf_text(out, ",");
    }
    for (uint32_t i = 0; i < stepi_expected_fields(e); i++)
        if (differences >> (STEPI_ASPECT_FIELD + i) & 1)
            put_difference_of_field(out, &e->fields[i], line);
    if (out->used > 0 && !out->failed)
        out->bytes[--out->used] = '\0'; /* the last comma */
}

static void put_found_lines(stepi_strbuf_t *out, const step_expectation_t *e, const stepi_finding_t *f)
{
    if (f->count > 0) {
        stepi_strbuf_format(out, "%zu such line%s, marked below", f->count, f->count == 1 ? "" : "s");
        return;
    }
    stepi_strbuf_text(out, "no such line");
    if (f->nearest == NULL)
        return;
    stepi_strbuf_text(out, "; the nearest one, marked below, is not the same:");
    put_differences(out, e, f);
}

static void put_found_run(stepi_strbuf_t *out, const stepi_run_t *run)
{
    if (!run->has_started) {
        stepi_strbuf_text(out, "it never started");
        return;
    }
    stepi_strbuf_format(out, "it %s, after the course ", run->is_open ? "is open" : "has ended");
    put_text(out, stepi_strbuf_get(&run->course));
}

static void put_found(stepi_strbuf_t *out, const step_expectation_t *e, const stepi_finding_t *f)
{
    if (f->trouble != NULL) {
        stepi_strbuf_text(out, f->trouble);
    } else if (e->kind == STEPI_EXPECT_RETRIED && f->attempts == 0) {
        stepi_strbuf_text(out, "the step never began");
    } else if (e->kind == STEPI_EXPECT_RETRIED) {
        stepi_strbuf_text(out, "it was retried ");
        put_times(out, f->attempts - 1);
    } else if (e->kind == STEPI_EXPECT_COURSE || e->kind == STEPI_EXPECT_IS_OPEN) {
        put_found_run(out, &f->run);
    } else {
        put_found_lines(out, e, f);
    }
}

/* ---- The log ---- */

/* Of a long log, its beginning, its end and what is marked. */
enum { FIRST_SHOWN = 20, LAST_SHOWN = 100 };

typedef struct listing {
    stepi_strbuf_t *out;
    size_t hidden;
} listing_t;

static void put_hidden(listing_t *l)
{
    if (l->hidden > 0)
        stepi_strbuf_format(l->out, "    ... %zu more lines ...\n", l->hidden);
    l->hidden = 0;
}

static bool is_marked(const step_captured_t *line, const step_expectation_t *e, const stepi_finding_t *f)
{
    if (f->trouble != NULL || e->kind >= STEPI_EXPECT_RETRIED)
        return false;
    return f->count > 0 ? stepi_differences(e, line) == 0 : line == f->nearest;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void put_log(step_capture_t *capture, const step_expectation_t *e, const stepi_finding_t *f)
{
    listing_t l = { .out = &capture->report };
    const char *at = step_capture_text(capture);
    const size_t lines = count_lines(at);
    stepi_strbuf_format(l.out, "the log%s\n", lines == 0 ? " is empty" : ":");
    for (size_t i = 0; i < lines; i++) {
        const size_t length = (size_t)(strchr(at, '\n') - at) + 1;
        const bool marked = lines == capture->count && is_marked(capture->lines[i], e, f);
        if (marked || i < FIRST_SHOWN || i + LAST_SHOWN >= lines) {
            put_hidden(&l);
            stepi_strbuf_text(l.out, marked ? "  > " : "    ");
            stepi_strbuf_put(l.out, at, length);
        } else {
            l.hidden++;
        }
        at += length;
    }
    put_hidden(&l);
}

const char *stepi_explain(step_capture_t *capture, const step_expectation_t *e, const stepi_finding_t *finding)
{
    stepi_strbuf_t *out = &capture->report;
    stepi_strbuf_clear(out);
    stepi_strbuf_text(out, "expected: ");
    put_expected(out, e);
    stepi_strbuf_text(out, "\nfound:    ");
    put_found(out, e, finding);
    stepi_strbuf_text(out, "\n");
    put_log(capture, e, finding);
    return out->failed ? "the log is not as expected, and there is no memory to say more" : stepi_strbuf_get(out);
}
