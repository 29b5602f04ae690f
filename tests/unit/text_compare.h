/* Does a line that was read say what was logged? */
#ifndef TESTS_UNIT_TEXT_COMPARE_H
#define TESTS_UNIT_TEXT_COMPARE_H

#include "text_reader.h"

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                \
            return false;                                                                                              \
        }                                                                                                              \
    } while (0)

static bool text_is(const read_text_t *is, const stepi_text_t *should)
{
    if (should->bytes == NULL)
        return is->length == 4 && memcmp(is->bytes, "null", 4) == 0;
    return is->length == should->length && (is->length == 0 || memcmp(is->bytes, should->bytes, is->length) == 0) &&
           is->was_cut == (should->original > should->length) && (!is->was_cut || is->original == should->original);
}

/* What a reader would take a bare value for. */
static bool is_plain_word(const read_field_t *field)
{
    static const char *const others[] = { "true", "false", "null" };
    char *end;
    char copy[64];
    if (field->value.length >= sizeof(copy))
        return true;
    memcpy(copy, field->value.bytes, field->value.length);
    copy[field->value.length] = '\0';
    for (size_t i = 0; i < COUNT(others); i++)
        if (strcmp(copy, others[i]) == 0)
            return false;
    strtod(copy, &end);
    return end == copy || (*end != '\0' && strcmp(end, "%") != 0);
}

static bool field_is(const read_field_t *is, stepi_field_view_t *should)
{
    char number[32];
    EXPECT(text_is(&is->key, &should->key));
    switch (should->type) {
    case STEP_FIELD_TEXT:
        EXPECT(text_is(&is->value, &should->text));
        EXPECT(is->value_quoted || is_plain_word(is) == (should->text.bytes != NULL));
        return true;
    case STEP_FIELD_I64:
        snprintf(number, sizeof(number), "%lld", (long long)should->number.i64);
        break;
    case STEP_FIELD_BOOL:
        snprintf(number, sizeof(number), "%s", should->number.u64 != 0 ? "true" : "false");
        break;
    default:
        snprintf(number, sizeof(number), "***");
        break;
    }
    EXPECT(!is->value_quoted);
    EXPECT(is->value.length == strlen(number) && memcmp(is->value.bytes, number, strlen(number)) == 0);
    return true;
}

static bool fields_are(const read_line_t *is, const stepi_line_t *should)
{
    stepi_fields_t fields = should->fields, bound = should->bound;
    stepi_field_view_t field;
    size_t i = 0;
    EXPECT(is->field_count == (size_t)fields.left + bound.left);
    while (stepi_fields_next(&fields, &field) || stepi_fields_next(&bound, &field))
        EXPECT(field_is(&is->fields[i++], &field));
    return true;
}

static bool step_is(const read_line_t *is, const stepi_line_t *should)
{
    EXPECT(is->has_tag == should->has_step);
    if (!should->has_step)
        return true;
    EXPECT(is->step == should->step);
    EXPECT(is->has_total == (should->total > 0));
    EXPECT(!is->has_total || is->total == should->total);
    EXPECT(text_is(&is->description, &should->description));
    return true;
}

static bool has_own(const read_text_t *own, bool should)
{
    return (own->bytes != NULL) == should;
}

static bool own_is(const read_text_t *own, bool should, const char *value)
{
    return has_own(own, should) && (!should || (own->length == strlen(value) && memcmp(own->bytes, value, own->length) == 0));
}

static bool marks_are(const read_line_t *is, const stepi_line_t *should)
{
    char rate[32];
    const bool completes = should->kind == STEPI_OPERATION_COMPLETE;
    const bool starts = should->kind == STEPI_OPERATION_START;
    const bool fails = should->kind == STEPI_OPERATION_INCOMPLETE;
    snprintf(rate, sizeof(rate), "%g", should->sample_rate);
    EXPECT(own_is(&is->from_recorder, should->from_recorder, "true"));
    EXPECT(own_is(&is->slow, should->is_slow && (completes || fails), "true"));
    EXPECT(own_is(&is->sample_rate, should->sample_rate != 0 && (starts || completes), rate));
    return true;
}

static bool ids_are(const read_line_t *is, const stepi_line_t *should, bool shows_ids)
{
    const bool has_ids = shows_ids && should->trace != NULL;
    char trace[33] = "", span[17] = "";
    if (has_ids) {
        const uint64_t of_step = should->step_span;
        snprintf(trace, sizeof(trace), "%016llx%016llx", (unsigned long long)should->trace->high,
                 (unsigned long long)should->trace->low);
        snprintf(span, sizeof(span), "%016llx", (unsigned long long)(of_step != 0 ? of_step : should->trace->span));
    }
    EXPECT(own_is(&is->trace_id, has_ids, trace));
    EXPECT(own_is(&is->span_id, has_ids, span));
    return true;
}

static bool own_fields_are(const read_line_t *is, const stepi_line_t *should)
{
    const bool is_open = should->kind == STEPI_OPERATION_INCOMPLETE || should->kind == STEPI_OPERATION_STUCK;
    const bool is_timed = should->kind == STEPI_STEP_SUCCESS || should->kind == STEPI_STEP_FAILURE ||
                          should->kind == STEPI_OPERATION_COMPLETE || is_open;
    const bool has_last = is_open && should->has_step;
    EXPECT(has_own(&is->elapsed, is_timed && should->has_elapsed));
    EXPECT(has_own(&is->omitted, should->omitted > 0));
    EXPECT(has_own(&is->last_step, has_last));
    EXPECT(has_own(&is->last_description, has_last));
    EXPECT(!has_last || text_is(&is->last_description, &should->description));
    return marks_are(is, should);
}

/* A user's last fields may read as the ids that its format does not show: that is meant, and they are not lost. */
static void give_back_ids(read_line_t *is)
{
    if (is->trace_id.bytes == NULL)
        return;
    is->trace_id.bytes = is->span_id.bytes = NULL;
    is->field_count += 2;
}

/* The same with the last field and the duration that its line lacks. */
static void give_back_duration(read_line_t *is, const stepi_line_t *should)
{
    if (is->elapsed.bytes == NULL || should->has_elapsed)
        return;
    is->elapsed.bytes = NULL;
    is->field_count++;
}

UNUSED static bool line_with_ids_is(read_line_t *is, const stepi_line_t *should, bool shows_ids)
{
    give_back_duration(is, should);
    if (!shows_ids)
        give_back_ids(is);
    EXPECT(ids_are(is, should, shows_ids));
    EXPECT(is->kind == (int)should->kind);
    EXPECT(is->depth == should->depth);
    EXPECT(fields_are(is, should));
    EXPECT(own_fields_are(is, should));
    switch (should->kind) {
    case STEPI_OPERATION_START:
    case STEPI_OPERATION_COMPLETE:
    case STEPI_OPERATION_INCOMPLETE:
    case STEPI_OPERATION_STUCK:
        EXPECT(text_is(&is->operation, &should->operation));
        return true;
    case STEPI_MESSAGE:
        EXPECT(text_is(&is->text, &should->text));
        return true;
    case STEPI_DROPPED:
        EXPECT(is->done == should->done && text_is(&is->text, &should->text));
        return true;
    default:
        break;
    }
    EXPECT(step_is(is, should));
    EXPECT(should->has_step || text_is(&is->operation, &should->operation));
    if (should->kind == STEPI_STEP_FAILURE || should->kind == STEPI_STEP_SKIP)
        EXPECT(text_is(&is->text, &should->text));
    if (should->kind == STEPI_PROGRESS)
        EXPECT(is->done == should->done && is->has_goal == (should->goal > 0) && is->goal == should->goal);
    return true;
}

UNUSED static bool line_is(read_line_t *is, const stepi_line_t *should)
{
    return line_with_ids_is(is, should, false);
}

#endif
