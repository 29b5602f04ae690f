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
    stepi_fields_t fields = should->fields;
    stepi_field_view_t field;
    size_t i = 0;
    EXPECT(is->field_count == fields.left);
    while (stepi_fields_next(&fields, &field))
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

static bool own_fields_are(const read_line_t *is, const stepi_line_t *should)
{
    const bool is_timed = should->kind == STEPI_STEP_SUCCESS || should->kind == STEPI_STEP_FAILURE ||
                          should->kind == STEPI_OPERATION_COMPLETE || should->kind == STEPI_OPERATION_INCOMPLETE;
    const bool has_last = should->kind == STEPI_OPERATION_INCOMPLETE && should->has_step;
    EXPECT(has_own(&is->elapsed, is_timed && should->has_elapsed));
    EXPECT(has_own(&is->omitted, should->omitted > 0));
    EXPECT(has_own(&is->last_step, has_last));
    EXPECT(has_own(&is->last_description, has_last));
    EXPECT(!has_last || text_is(&is->last_description, &should->description));
    return true;
}

/* A user's last field may read as the duration that its line lacks: that is meant, and the field is not lost. */
static void give_back_duration(read_line_t *is, const stepi_line_t *should)
{
    if (is->elapsed.bytes == NULL || should->has_elapsed)
        return;
    is->elapsed.bytes = NULL;
    is->field_count++;
}

UNUSED static bool line_is(read_line_t *is, const stepi_line_t *should)
{
    give_back_duration(is, should);
    EXPECT(is->kind == (int)should->kind);
    EXPECT(is->depth == should->depth);
    EXPECT(fields_are(is, should));
    EXPECT(own_fields_are(is, should));
    switch (should->kind) {
    case STEPI_OPERATION_START:
    case STEPI_OPERATION_COMPLETE:
    case STEPI_OPERATION_INCOMPLETE:
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

#endif
