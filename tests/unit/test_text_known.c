/* What a format remembers of earlier lines must not show: a format that has written a million lines writes what a new one does. */
#include "format_support.h"

enum { KINDS = STEPI_KINDS - 1, FEW_TEXTS = 12 };

/* Texts of every length around the limits; many share their ends, some differ in the middle alone, some need escapes. */
static char texts[FEW_TEXTS * 16][128];

static void make_texts(void)
{
    static const char *const stems[FEW_TEXTS] = { "Fetching", "Storing rows", "a (b=c) d", "- SUCCESS (", "\x01control",
                                                  "\xE2\x9C\x85 done", "[1/2] tag", "x", "", "trailing ", "\xFF\xFE", "C:\\temp" };
    for (int i = 0; i < FEW_TEXTS * 16; i++) {
        const int fill = i / FEW_TEXTS * 7 % 80;
        snprintf(texts[i], sizeof(texts[i]), "%s%.*s%d%s", stems[i % FEW_TEXTS], fill,
                 "................................................................................", i % 3, stems[i % 5]);
    }
}

static stepi_draft_t random_draft(void)
{
    static const int levels[] = { STEP_LEVEL_DEBUG, STEP_LEVEL_INFO, 10, STEP_LEVEL_WARNING, STEP_LEVEL_ERROR, STEP_LEVEL_CRITICAL };
    const char *text = texts[random_below(COUNT(texts))];
    const stepi_text_t chosen = stepi_text_of(random_below(40) == 0 ? NULL : text);
    stepi_draft_t draft = { .kind = (uint8_t)(1 + random_below(KINDS)),
                            .level = (uint8_t)levels[random_below(COUNT(levels))],
                            .parts = STEPI_PART_OPERATION | STEPI_PART_TEXT,
                            .depth = (uint32_t)(random_below(3)),
                            .operation_name = chosen,
                            .text = chosen };
    if (random_below(4) != 0) {
        draft.parts |= STEPI_PART_STEP | STEPI_PART_DESCRIPTION;
        draft.step = (int32_t)(random_below(3));
        draft.total = (int32_t)(random_below(3));
        draft.description = chosen;
    }
    return draft;
}

static size_t rendered_by(step_format_t *format, const stepi_line_t *line, char *to, size_t bytes)
{
    stepi_out_t out = stepi_out_over(to, bytes);
    format->render(format, line, &out);
    assert_false(out.overflow);
    return (size_t)(out.at - to);
}

static void memory_does_not_show(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    static char old_line[4096], new_line[4096];
    make_texts();
    for (int color = 0; color < 2; color++) {
        const step_text_options_t options = { .size = sizeof(options), .color = (uint32_t)color };
        step_format_t *old = step_format_text_with(&options);
        for (int round = 0; round < ROUNDS; round++) {
            const stepi_draft_t draft = random_draft();
            const stepi_line_t line = line_of(&draft);
            step_format_t *fresh = step_format_text_with(&options);
            const size_t length = rendered_by(old, &line, old_line, sizeof(old_line));
            assert_int_equal(length, rendered_by(fresh, &line, new_line, sizeof(new_line)));
            assert_memory_equal(old_line, new_line, length);
            fresh->free(fresh);
        }
        old->free(old);
    }
}

/* A line that did not fit is not remembered by its first half. */
static void overflows_are_forgotten(void **state)
{
    (void)state;
    static char whole[4096], again[4096];
    const stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = STEPI_PART_TEXT,
                                  .text = stepi_text_of("a message that is rather long for its buffer") };
    step_format_t *format = step_format_text();
    const stepi_line_t line = line_of(&draft);
    for (size_t bytes = 0; bytes < 60; bytes++)
        for (int twice = 0; twice < 2; twice++) {
            stepi_out_t out = stepi_out_over(again, bytes);
            format->render(format, &line, &out);
        }
    step_format_t *fresh = step_format_text();
    const size_t length = rendered_by(fresh, &line, whole, sizeof(whole));
    assert_int_equal(rendered_by(format, &line, again, sizeof(again)), length);
    assert_memory_equal(whole, again, length);
    /* and one that is remembered overflows as it should */
    rendered_by(format, &line, again, sizeof(again));
    stepi_out_t out = stepi_out_over(again, length - 1);
    format->render(format, &line, &out);
    assert_true(out.overflow);
    format->free(format);
    fresh->free(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_does_not_show),
        cmocka_unit_test(overflows_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
