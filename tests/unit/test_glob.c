/* Patterns and lists of them; and the rules and redactions that are made of them. */
#include "base/glob.h"
#include "core/rules.h"
#include "record/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static stepi_slice_t slice(const char *text)
{
    return (stepi_slice_t){ .bytes = text, .length = strlen(text) };
}

static void matches(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool exact, folded;
    } cases[] = {
        { "", "", true, true },
        { "", "a", false, false },
        { "a", "", false, false },
        { "abc", "abc", true, true },
        { "abc", "ABC", false, true },
        { "ABC", "abc", false, true },
        { "abc", "abcd", false, false },
        { "abcd", "abc", false, false },
        { "*", "", true, true },
        { "*", "anything", true, true },
        { "**", "x", true, true },
        { "a*", "a", true, true },
        { "a*", "ba", false, false },
        { "*a", "banana", true, true },
        { "*an", "banana", false, false },
        { "*an*", "banana", true, true },
        { "b*n*a", "banana", true, true },
        { "*ab*ab*c", "ababababc", true, true },
        { "*ab*ab*c", "abababab", false, false },
        { "?", "", false, false },
        { "?", "x", true, true },
        { "?", "\xC3\xA9", false, false }, /* a byte, not a character */
        { "??", "\xC3\xA9", true, true },
        { "a?c", "abc", true, true },
        { "a?c", "ac", false, false },
        { "?*?", "a", false, false },
        { "?*?", "ab", true, true },
        { "[a]", "a", false, false }, /* nothing else is special */
        { "\\*", "*", false, false },
        { "\\*", "\\x", true, true },
        { "*", "a*b?c", true, true },
        { "a.c", "abc", false, false },
        { "\xC3\x89", "\xC3\xA9", false, false }, /* ASCII letters alone */
        { "@[`{", "`{@[", false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const stepi_slice_t pattern = slice(cases[i].pattern), text = slice(cases[i].text);
        if (stepi_glob_matches(pattern, text, false) != cases[i].exact ||
            stepi_glob_matches(pattern, text, true) != cases[i].folded)
            fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].text);
    }
}

/* Bytes behind the ends are not looked at: neither is terminated. */
static void slices_have_ends(void **state)
{
    (void)state;
    char *pattern = malloc(2), *text = malloc(2); /* the sanitizer watches them */
    memcpy(pattern, "a*", 2);
    memcpy(text, "ab", 2);
    const stepi_slice_t p = { .bytes = pattern, .length = 2 }, t = { .bytes = text, .length = 2 };
    assert_true(stepi_glob_matches(p, t, false));
    assert_false(stepi_glob_matches(t, p, true));
    free(pattern);
    free(text);
}

/* The plainest way to say what a pattern means. */
static bool by_recursion(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return by_recursion(pattern + 1, text) || (*text != '\0' && by_recursion(pattern, text + 1));
    return *text != '\0' && (*pattern == '?' || *pattern == *text) && by_recursion(pattern + 1, text + 1);
}

static void as_by_recursion(void **state)
{
    static const char in_patterns[] = "ab*?", in_texts[] = "ab";
    (void)state;
    for (unsigned p = 0; p < 4 * 4 * 4 * 4 * 4; p++)
        for (unsigned t = 0; t < 64; t++)
            for (size_t length = 0; length <= 6; length++) {
                char pattern[6], text[7];
                for (size_t i = 0; i < 5; i++)
                    pattern[i] = in_patterns[p >> 2 * i & 3];
                pattern[5] = '\0';
                for (size_t i = 0; i < length; i++)
                    text[i] = in_texts[t >> i & 1];
                text[length] = '\0';
                if (stepi_glob_matches(slice(pattern), slice(text), false) != by_recursion(pattern, text))
                    fail_msg("\"%s\" and \"%s\"", pattern, text);
            }
}

/* No pattern takes more than pattern times text. */
static void many_stars(void **state)
{
    enum { STARS = 500, BYTES = 100000 };
    char pattern[2 * STARS + 2];
    (void)state;
    char *text = malloc(BYTES);
    memset(text, 'a', BYTES);
    for (int i = 0; i < STARS; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    memcpy(pattern + 2 * STARS, "*b", 2);
    assert_false(stepi_glob_matches((stepi_slice_t){ pattern, sizeof(pattern) }, (stepi_slice_t){ text, BYTES }, true));
    free(text);
}

static void lists(void **state)
{
    static const char *const expected[] = { "a", "", "b c", "", "d" };
    const char *list = " a ,,\tb c\t,  ,d";
    stepi_slice_t entry;
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_true(stepi_list_next(&list, &entry));
        assert_int_equal(entry.length, strlen(expected[i]));
        assert_memory_equal(entry.bytes, expected[i], entry.length);
    }
    assert_false(stepi_list_next(&list, &entry));
    assert_false(stepi_list_next(&list, &entry));
    list = NULL;
    assert_false(stepi_list_next(&list, &entry));
}

static void redacted_keys(void **state)
{
    (void)state;
    assert_true(stepi_redacts("password, *_token", slice("PassWord")));
    assert_true(stepi_redacts("password, *_token", slice("API_TOKEN")));
    assert_false(stepi_redacts("password, *_token", slice("token")));
    assert_false(stepi_redacts(" , ,", slice("")));
    assert_false(stepi_redacts("", slice("a")));
    assert_false(stepi_redacts(NULL, slice("a")));
    assert_true(stepi_redacts("*", slice("")));
}

/* ---- Rules ---- */

static int level_of(const stepi_rules_t *rules, const char *name)
{
    const stepi_text_t text = { .bytes = name, .length = name != NULL ? (uint32_t)strlen(name) : 0 };
    const int32_t *level = stepi_rules_level(rules, &text);
    return level != NULL ? *level : 0;
}

static void rules(void **state)
{
    static stepi_rules_t rules;
    stepi_slice_t bad;
    (void)state;
    assert_true(stepi_rules_read(&rules, "Database*=debug,, Health check = ERROR ,Database: Slow=off,null=warn,a=b\t=\tinfo", &bad));
    assert_int_equal(rules.count, 5);
    assert_int_equal(level_of(&rules, "Database: Fetch"), STEP_LEVEL_DEBUG);
    assert_int_equal(level_of(&rules, "Database: Slow"), STEP_LEVEL_OFF);
    assert_int_equal(level_of(&rules, "Health check"), STEP_LEVEL_ERROR);
    assert_int_equal(level_of(&rules, "health check"), 0);
    assert_int_equal(level_of(&rules, NULL), STEP_LEVEL_WARNING);
    assert_int_equal(level_of(&rules, "a=b"), STEP_LEVEL_INFO);
    assert_int_equal(level_of(&rules, ""), 0);
    assert_true(stepi_rules_read(&rules, NULL, &bad));
    assert_int_equal(rules.count, 0);
    assert_true(stepi_rules_read(&rules, " ,,", &bad));
    assert_int_equal(rules.count, 0);
}

static void bad_rules(void **state)
{
    static const char *const cases[] = { "Database", "=debug", "  =debug", "A=", "A=loud", "A=5", "=", "A=debug x" };
    static stepi_rules_t rules;
    stepi_slice_t bad;
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "Good=debug,%s,Better=info", cases[i]);
        assert_false(stepi_rules_read(&rules, text, &bad));
        assert_int_equal(rules.count, 0);
        const char *shown = cases[i] + strspn(cases[i], " ");
        assert_int_equal(bad.length, strlen(shown));
        assert_memory_equal(bad.bytes, shown, bad.length);
    }
}

static void too_many_rules(void **state)
{
    static stepi_rules_t rules;
    char text[2048] = "";
    stepi_slice_t bad;
    (void)state;
    for (int i = 0; i < STEPI_RULES_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "A%d=debug,", i);
    assert_true(stepi_rules_read(&rules, text, &bad));
    assert_int_equal(rules.count, STEPI_RULES_MAX);
    strcat(text, "B=debug");
    assert_false(stepi_rules_read(&rules, text, &bad));
    assert_int_equal(bad.length, 0);
    memset(text, 'a', STEPI_RULES_BYTES);
    memcpy(text + STEPI_RULES_BYTES - 7, "=debug", 7);
    assert_true(stepi_rules_read(&rules, text, &bad)); /* 1023 bytes */
    assert_false(stepi_rules_read(&rules, strcat(text, " "), &bad));
    assert_int_equal(rules.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),    cmocka_unit_test(slices_have_ends), cmocka_unit_test(as_by_recursion),
        cmocka_unit_test(many_stars), cmocka_unit_test(lists),            cmocka_unit_test(redacted_keys),
        cmocka_unit_test(rules),      cmocka_unit_test(bad_rules),        cmocka_unit_test(too_many_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
