/* Patterns of expectations: stars, escapes, and no pattern that takes forever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "testing/pattern.h"

#include <string.h>

static void patterns_fit(void **state)
{
    (void)state;
    static const char *const fitting[][2] = {
        { "", "" },         { "abc", "abc" },     { "*", "" },           { "*", "anything" },  { "a*", "a" },
        { "*c", "abc" },    { "a*c", "ac" },      { "a*c", "abcbc" },    { "*b*", "abc" },     { "**", "x" },
        { "a\\*c", "a*c" }, { "a\\\\c", "a\\c" }, { "a\\nc", "a\\nc" },  { "a\\", "a\\" },     { "*\\*", "x*" },
        { "a?c", "a?c" },   { "[a]", "[a]" },     { "*ab*ab", "abxab" }, { "\\*\\*", "**" },   { "*é*", "caf\u00e9s" },
    };
    for (size_t i = 0; i < sizeof(fitting) / sizeof(fitting[0]); i++)
        if (!stepi_pattern_fits(fitting[i][0], fitting[i][1]))
            fail_msg("%s does not fit %s", fitting[i][0], fitting[i][1]);
}

static void patterns_do_not_fit(void **state)
{
    (void)state;
    static const char *const others[][2] = {
        { "", "a" },        { "a", "" },       { "abc", "ab" },   { "ab", "abc" },   { "abc", "abd" },  { "A", "a" },
        { "a*", "ba" },     { "*c", "cb" },    { "a*c", "acb" },  { "a\\*c", "abc" }, { "a\\*c", "ac" }, { "\\\\*", "*" },
        { "a?c", "abc" },   { "*b*", "ac" },   { "*ab*ab", "ab" }, { "a**b", "ac" }, { "\\*", "x" },
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (stepi_pattern_fits(others[i][0], others[i][1]))
            fail_msg("%s fits %s", others[i][0], others[i][1]);
}

static void no_pattern_fits_all(void **state)
{
    (void)state;
    assert_true(stepi_pattern_fits(NULL, NULL));
    assert_true(stepi_pattern_fits(NULL, ""));
    assert_true(stepi_pattern_fits(NULL, "a"));
    assert_false(stepi_pattern_fits("*", NULL));
    assert_false(stepi_pattern_fits("", NULL));
}

/* Would take longer than the universe is old if each star were tried in each place. */
static void many_stars_are_quick(void **state)
{
    (void)state;
    static char text[10001], pattern[2002];
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 0; i < 2000; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[2000] = 'b';
    assert_false(stepi_pattern_fits(pattern, text));
    text[sizeof(text) - 2] = 'b';
    assert_true(stepi_pattern_fits(pattern, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_fit),
        cmocka_unit_test(patterns_do_not_fit),
        cmocka_unit_test(no_pattern_fits_all),
        cmocka_unit_test(many_stars_are_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
