#include "testing/expectation.h"

#include "testing/pattern.h"

#include <string.h>

enum { AT_LEAST_ONCE = -1 };

/* ---- Making them ---- */

static step_expectation_t expect(stepi_expected_t kind, const char *operation, int step, const char *text)
{
    return (
        step_expectation_t){ .kind = kind, .operation = operation, .step = step, .text = text, .times = AT_LEAST_ONCE };
}

step_expectation_t step_started(const char *operation)
{
    return expect(STEPI_EXPECT_STARTED, operation, STEP_ANY_STEP, NULL);
}

step_expectation_t step_completed(const char *operation)
{
    return expect(STEPI_EXPECT_COMPLETED, operation, STEP_ANY_STEP, NULL);
}

step_expectation_t step_left_incomplete(const char *operation)
{
    return expect(STEPI_EXPECT_LEFT_INCOMPLETE, operation, STEP_ANY_STEP, NULL);
}

step_expectation_t step_began(const char *operation, int step)
{
    return expect(STEPI_EXPECT_BEGAN, operation, step, NULL);
}

step_expectation_t step_succeeded(const char *operation, int step)
{
    return expect(STEPI_EXPECT_SUCCEEDED, operation, step, NULL);
}

step_expectation_t step_failed(const char *operation, int step, const char *error)
{
    return expect(STEPI_EXPECT_FAILED, operation, step, error);
}

step_expectation_t step_skipped(const char *operation, int step, const char *reason)
{
    return expect(STEPI_EXPECT_SKIPPED, operation, step, reason);
}

step_expectation_t step_logged(step_level_t level, const char *message)
{
    step_expectation_t e = expect(STEPI_EXPECT_LOGGED, NULL, STEP_ANY_STEP, message);
    e.number = level;
    return e;
}

step_expectation_t step_retried(const char *operation, int step, int times)
{
    step_expectation_t e = expect(STEPI_EXPECT_RETRIED, operation, step, NULL);
    e.number = times;
    return e;
}

step_expectation_t step_course(const char *operation, const char *course)
{
    return expect(STEPI_EXPECT_COURSE, operation, STEP_ANY_STEP, course);
}

step_expectation_t step_is_open(const char *operation)
{
    return expect(STEPI_EXPECT_IS_OPEN, operation, STEP_ANY_STEP, NULL);
}

step_expectation_t step_nothing_from(step_level_t level)
{
    step_expectation_t e = expect(STEPI_EXPECT_NOTHING_FROM, NULL, STEP_ANY_STEP, NULL);
    e.number = level;
    return e;
}

step_expectation_t step_with(step_expectation_t expectation, step_field_t field)
{
    if (expectation.field_count < STEP_EXPECTED_FIELDS)
        expectation.fields[expectation.field_count] = field;
    expectation.field_count++;
    return expectation;
}

step_expectation_t step_with_like(step_expectation_t expectation, const char *key, const char *pattern)
{
    if (expectation.field_count < STEP_EXPECTED_FIELDS)
        expectation.likes |= UINT32_C(1) << expectation.field_count;
    return step_with(expectation, step_str(key, pattern));
}

step_expectation_t step_times(step_expectation_t expectation, int times)
{
    expectation.times = times < 0 ? 0 : times;
    return expectation;
}

step_expectation_t step_never(step_expectation_t expectation)
{
    return step_times(expectation, 0);
}

/* ---- Values ---- */

static double as_double(const step_field_t *field)
{
    const uint32_t type = field->type & 0xFF;
    if (type == STEP_FIELD_I64)
        return (double)field->value.i64;
    return type == STEP_FIELD_U64 ? (double)field->value.u64 : field->value.f64;
}

static bool is_whole(uint32_t type)
{
    return type == STEP_FIELD_I64 || type == STEP_FIELD_U64;
}

/* Of different types only as long as both mean the same number. */
static bool same_whole(const step_field_t *a, const step_field_t *b)
{
    const bool fits = (a->type & 0xFF) == (b->type & 0xFF) || (a->value.i64 >= 0 && b->value.i64 >= 0);
    return fits && a->value.u64 == b->value.u64;
}

static double half_a_unit(uint32_t decimals)
{
    double unit = 0.5;
    for (uint32_t i = 0; i < decimals; i++)
        unit /= 10;
    return unit;
}

static bool same_number(const step_field_t *expected, const step_field_t *found)
{
    const uint32_t type = expected->type & 0xFF;
    if (is_whole(type) && is_whole(found->type))
        return same_whole(expected, found);
    const double distance = as_double(expected) - as_double(found);
    if (type != STEP_FIELD_FIXED)
        return distance == 0;
    const double tolerance = half_a_unit(expected->bytes) * (1 + 1e-9);
    return distance <= tolerance && distance >= -tolerance;
}

static bool same_text(const char *text, size_t bytes, const step_field_t *found)
{
    if (found->type != STEP_FIELD_TEXT_N || text == NULL || found->value.text == NULL)
        return found->type == STEP_FIELD_TEXT_N && text == found->value.text;
    return bytes == found->bytes && memcmp(text, found->value.text, bytes) == 0;
}

static bool is_finite(double v)
{
    return v - v == 0; /* infinities and NaN give NaN */
}

/* `found` was read from JSON: it is an integer, a double, a boolean or a text. */
static bool same_value(const step_field_t *expected, const step_field_t *found)
{
    const char *text = expected->value.text;
    switch (expected->type & 0xFF) {
    case STEP_FIELD_TEXT:
        return same_text(text, text != NULL ? strlen(text) : 0, found);
    case STEP_FIELD_TEXT_N:
        return same_text(text, expected->bytes, found);
    case STEP_FIELD_SECRET:
        return same_text("***", 3, found);
    case STEP_FIELD_BOOL:
        return found->type == STEP_FIELD_BOOL && (expected->value.u64 != 0) == (found->value.u64 != 0);
    case STEP_FIELD_I64: /* what `true` is in C */
    case STEP_FIELD_U64:
        return found->type == STEP_FIELD_BOOL ? expected->value.u64 == found->value.u64
                                              : found->type != STEP_FIELD_TEXT_N && same_number(expected, found);
    default:
        if (!is_finite(expected->value.f64))
            return same_text(NULL, 0, found);
        return found->type != STEP_FIELD_TEXT_N && found->type != STEP_FIELD_BOOL && same_number(expected, found);
    }
}

static bool field_fits(const step_expectation_t *e, uint32_t i, const step_field_t *found)
{
    const step_field_t *expected = &e->fields[i];
    if ((e->likes >> i & 1) == 0)
        return same_value(expected, found);
    if (expected->value.text == NULL)
        return true;
    return found->type == STEP_FIELD_TEXT_N && stepi_pattern_fits(expected->value.text, found->value.text);
}

/* Keys may occur more than once; a member of the line's own is looked at only where no field has the key. */
static bool has_field(const step_expectation_t *e, uint32_t i, const step_captured_t *line)
{
    const char *key = e->fields[i].key != NULL ? e->fields[i].key : "null";
    const step_field_t *found = step_captured_field(line, key);
    for (size_t f = 0; f < line->field_count; f++)
        if (strcmp(line->fields[f].key, key) == 0 && field_fits(e, i, &line->fields[f]))
            return true;
    return found != NULL && field_fits(e, i, found);
}

/* ---- Lines ---- */

const char *stepi_expected_event(const step_expectation_t *e)
{
    static const char *const events[] = {
        [STEPI_EXPECT_STARTED] = "operation_start",
        [STEPI_EXPECT_COMPLETED] = "operation_complete",
        [STEPI_EXPECT_LEFT_INCOMPLETE] = "operation_incomplete",
        [STEPI_EXPECT_BEGAN] = "step_start",
        [STEPI_EXPECT_SUCCEEDED] = "step_success",
        [STEPI_EXPECT_FAILED] = "step_failure",
        [STEPI_EXPECT_SKIPPED] = "step_skip",
        [STEPI_EXPECT_LOGGED] = "message",
    };
    return e->kind < sizeof(events) / sizeof(events[0]) ? events[e->kind] : NULL;
}

const char *stepi_line_text(const step_captured_t *line)
{
    if (line->error != NULL)
        return line->error;
    return line->reason != NULL ? line->reason : line->message;
}

uint32_t stepi_expected_fields(const step_expectation_t *e)
{
    return e->field_count < STEP_EXPECTED_FIELDS ? e->field_count : STEP_EXPECTED_FIELDS;
}

/* Levels in between have the name of the one below them. */
static step_level_t named_level(step_level_t level)
{
    static const step_level_t named[] = { STEP_LEVEL_CRITICAL, STEP_LEVEL_ERROR, STEP_LEVEL_WARNING, STEP_LEVEL_INFO };
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (level >= named[i])
            return named[i];
    return STEP_LEVEL_DEBUG;
}

static uint32_t bit(bool differs, uint32_t aspect)
{
    return (differs ? UINT32_C(1) : 0) << aspect;
}

uint32_t stepi_differences(const step_expectation_t *e, const step_captured_t *line)
{
    const char *event = stepi_expected_event(e);
    uint32_t found = 0;
    if (e->kind == STEPI_EXPECT_NOTHING_FROM)
        return bit(line->level < named_level(e->number), STEPI_ASPECT_LEVEL);
    found |= bit(event == NULL || strcmp(line->event, event) != 0, STEPI_ASPECT_EVENT);
    found |= bit(!stepi_pattern_fits(e->operation, line->operation), STEPI_ASPECT_OPERATION);
    found |= bit(e->step != STEP_ANY_STEP && e->step != line->step, STEPI_ASPECT_STEP);
    found |= bit(!stepi_pattern_fits(e->text, stepi_line_text(line)), STEPI_ASPECT_TEXT);
    if (e->kind == STEPI_EXPECT_LOGGED && e->number > 0)
        found |= bit(line->level != named_level(e->number), STEPI_ASPECT_LEVEL);
    for (uint32_t i = 0; i < stepi_expected_fields(e); i++)
        found |= bit(!has_field(e, i, line), STEPI_ASPECT_FIELD + i);
    return found;
}
