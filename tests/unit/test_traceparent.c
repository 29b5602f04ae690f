/* W3C Trace Context, level 2, section 3.2: which headers may be continued, and what is passed on. */
#include "base/traceparent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void good_ones(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } good[] = {
        { "00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00" },
        { "00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01" },
        { "00-" TRACE "-" SPAN "-03", "00-" TRACE "-" SPAN "-03" },
        { "00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-03" }, /* flags that are not known are not passed on */
        { "cc-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01" }, /* a later version, as far as we know it */
        { "cc-" TRACE "-" SPAN "-01-what the future brings", "00-" TRACE "-" SPAN "-01" },
        { "00-00000000000000000000000000000001-0000000000000001-01", "00-00000000000000000000000000000001-0000000000000001-01" },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        stepi_trace_context_t context;
        char out[STEPI_TRACEPARENT_LENGTH + 1];
        assert_true(stepi_traceparent_parse(good[i].in, &context));
        stepi_traceparent_write(&context, out);
        assert_string_equal(out, good[i].out);
    }
}

static void bad_ones(void **state)
{
    (void)state;
    static const char *const bad[] = {
        NULL,
        "",
        "00",
        "00-",
        "ff-" TRACE "-" SPAN "-01",                                    /* a version that is forbidden */
        "00-00000000000000000000000000000000-" SPAN "-01",             /* no trace */
        "00-" TRACE "-0000000000000000-01",                            /* no span */
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",             /* upper case */
        "0X-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-011",                                   /* too long for version 00 */
        "00-" TRACE "-" SPAN "-01-",
        "cc-" TRACE "-" SPAN "-01.",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE " " SPAN "-01",
        " 00-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-01\n",
        "00-0af7651916cd43dd8448eb211c80319g-" SPAN "-01",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        stepi_trace_context_t context = { .high = 1, .low = 2, .span = 3, .flags = 1 };
        assert_false(stepi_traceparent_parse(bad[i], &context));
        assert_int_equal(context.high, 1);
        assert_int_equal(context.span, 3);
    }
}

static void cut_anywhere(void **state)
{
    (void)state;
    const char *whole = "00-" TRACE "-" SPAN "-01";
    for (size_t length = 0; length < strlen(whole); length++) {
        char text[64];
        stepi_trace_context_t context;
        snprintf(text, sizeof(text), "%.*s", (int)length, whole);
        assert_false(stepi_traceparent_parse(text, &context));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
