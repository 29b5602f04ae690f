/* What the format tests share: lines made of drafts, rendering into buffers of every size, what any line must be, and
 * strings that mean harm. */
#ifndef TESTS_UNIT_FORMAT_SUPPORT_H
#define TESTS_UNIT_FORMAT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/format.h"
#include "record/record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused)) /* not every test uses everything */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct sample {
    const char *bytes;
    size_t length;
} sample_t;

#define SAMPLE(text)                                                                                                   \
    {                                                                                                                  \
        "" text "", sizeof(text) - 1                                                                                   \
    }

/* Hostile names, messages, keys and values. */
UNUSED static const sample_t hostile[] = {
    SAMPLE(""),
    SAMPLE(" "),
    SAMPLE("  two  "),
    SAMPLE("null"),
    SAMPLE("***"),
    SAMPLE("\n"),
    SAMPLE("\r"),
    SAMPLE("a\r\nb"),
    SAMPLE("\t\v\f\b\a\x7f"),
    SAMPLE("nul\0inside"),
    SAMPLE("\x1b[2J\x1b[H"),
    SAMPLE("\x1b]0;title\x07"),
    SAMPLE("\x1b]8;;http://x\x1b\\x"),
    SAMPLE("\x1b]52;c;AAAA\x07"),
    SAMPLE("\x9b"
           "2J"),
    SAMPLE("\xC2\x9B"
           "2J"),
    SAMPLE("\xC2\x85 \xE2\x80\xA8 \xE2\x80\xA9"),
    SAMPLE("\xE2\x80\xAA\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9"),
    SAMPLE("\xE2\x80\x8B\xE2\x80\x8C\xE2\x80\x8D\xE2\x80\x8E\xE2\x80\x8F\xEF\xBB\xBF\xD8\x9C"),
    SAMPLE("\xFF"),
    SAMPLE("a\xC0\x80z"),
    SAMPLE("\xE0\x80\xAF"),
    SAMPLE("\xED\xA0\x80"),
    SAMPLE("\xF4\x90\x80\x80"),
    SAMPLE("\x80"),
    SAMPLE("\xC3"),
    SAMPLE("\xE2\x82"),
    SAMPLE("\xF0\x9F\x9A"),
    SAMPLE("ok \xFF\xFE\xC3(\xE2\x82 ok"),
    SAMPLE("\xEF\xBF\xBD\xFF"),
    SAMPLE("%n%s%p%d"),
    SAMPLE("${jndi:ldap://x}"),
    SAMPLE("</script><img onerror=>"),
    SAMPLE("]]>"),
    SAMPLE("-->"),
    SAMPLE("\"},{\""),
    SAMPLE("\\"),
    SAMPLE("\\\\"),
    SAMPLE("trailing\\"),
    SAMPLE("\\n is not a line feed"),
    SAMPLE("\n[ERROR] \xE2\x9D\x8C [1/1] x - FAILED: y"),
    SAMPLE("[ERROR] \xE2\x9D\x8C [1/1] x - FAILED: y"),
    SAMPLE("x - SUCCESS (a=b)"),
    SAMPLE("x - SUCCESS"),
    SAMPLE("- SUCCESS"),
    SAMPLE(" - SUCCESS"),
    SAMPLE(" - "),
    SAMPLE("-"),
    SAMPLE("x - FAILED: y - FAILED: z"),
    SAMPLE("x - FAILED:"),
    SAMPLE("x - SKIPPED: y"),
    SAMPLE("x - PROGRESS: 5/6"),
    SAMPLE("x -"),
    SAMPLE("x - FAILED"),
    SAMPLE("[9/9] "),
    SAMPLE("[9/9]"),
    SAMPLE("[-1/9] x"),
    SAMPLE("[Step 3] x"),
    SAMPLE("[INFO] x"),
    SAMPLE("[CRITICAL]"),
    SAMPLE("[cache] x"),
    SAMPLE("    [INFO] x"),
    SAMPLE("2026-02-04T09:30:00.123456Z [INFO] x"),
    SAMPLE("START: x"),
    SAMPLE("START:"),
    SAMPLE("COMPLETE: x"),
    SAMPLE("INCOMPLETE: x"),
    SAMPLE("STUCK: x"),
    SAMPLE("STUCK:"),
    SAMPLE("1 record dropped: x"),
    SAMPLE("12 records dropped: x"),
    SAMPLE("12 records dropped:"),
    SAMPLE("\xF0\x9F\x9A\x80 START: x"),
    SAMPLE("\xE2\x96\xB6\xEF\xB8\x8F  [1/2] x"),
    SAMPLE("\xE2\x96\xB6"),
    SAMPLE("\xE2\x9C\x85 [1/2] x - SUCCESS"),
    SAMPLE("\xE2\x9D\x8C"),
    SAMPLE("\xE2\x8F\xAD\xEF\xB8\x8F  x"),
    SAMPLE("\xF0\x9F\x8F\x81 COMPLETE: x"),
    SAMPLE("\xE2\x8F\xB3 x"),
    SAMPLE("\xE2\x9A\xA0\xEF\xB8\x8F  INCOMPLETE: x"),
    SAMPLE("\xE2\x8C\x9B STUCK: x"),
    SAMPLE("\xE2\x8C\x9B"),
    SAMPLE("(a=b)"),
    SAMPLE(" (a=b)"),
    SAMPLE("x (a=b)"),
    SAMPLE("x (a=b) (c=d)"),
    SAMPLE("x (a=b"),
    SAMPLE("x (\"a\"=b)"),
    SAMPLE("x (\""),
    SAMPLE("x ("),
    SAMPLE("x (a"),
    SAMPLE("x (a b=c)"),
    SAMPLE("x (=c)"),
    SAMPLE("x \\(a=b)"),
    SAMPLE("x\\ (a=b)"),
    SAMPLE("f(a=b)"),
    SAMPLE("Fetching models (paginated)"),
    SAMPLE("\", b=\"c"),
    SAMPLE("x\", b=c)"),
    SAMPLE("\xE2\x80\xA6[5 bytes]"),
    SAMPLE("a\xE2\x80\xA6[5 bytes]"),
    SAMPLE("a\\\xE2\x80\xA6[5 bytes]"),
    SAMPLE("\xE2\x80\xA6[5"),
    SAMPLE("\xE2\x80\xA6["),
    SAMPLE("\xE2\x80\xA6"),
    SAMPLE("has space"),
    SAMPLE("a=b"),
    SAMPLE("a,b"),
    SAMPLE("a, b=c"),
    SAMPLE("1abc"),
    SAMPLE("__proto__"),
    SAMPLE("ts"),
    SAMPLE("level"),
    SAMPLE("ts_1"),
    SAMPLE("duration_ms"),
    SAMPLE("total_duration_ms"),
    SAMPLE("fields_omitted"),
    SAMPLE("last_step"),
    SAMPLE("description"),
    SAMPLE("sample_rate"),
    SAMPLE("slow"),
    SAMPLE("flight_recorder"),
    SAMPLE("trace_id"),
    SAMPLE("span_id"),
    SAMPLE("step_1"),
    SAMPLE("step_1_description"),
    SAMPLE("0af7651916cd43dd8448eb211c80319c"),
    SAMPLE("b7ad6b7169203331"),
    SAMPLE("true"),
    SAMPLE("false"),
    SAMPLE("0"),
    SAMPLE("-12"),
    SAMPLE("1.5e9"),
    SAMPLE("2.8%"),
    SAMPLE("nan"),
    SAMPLE("+Inf"),
    SAMPLE("0x1F"),
    SAMPLE("gr\xC3\xBC\xC3\x9F \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"),
    SAMPLE("\xE4\xBD\xA0\xE5\xA5\xBD"),
};

/* ---- Lines ---- */

UNUSED static stepi_text_t text_of(sample_t sample)
{
    return (stepi_text_t){ .bytes = sample.bytes, .length = (uint32_t)sample.length, .original = sample.length };
}

static uint8_t record_bytes[4 << 20];

/* The line of a draft, as the backend makes it. It holds until the next one. */
UNUSED static stepi_line_t line_of(const stepi_draft_t *draft)
{
    stepi_decoded_t decoded;
    stepi_draft_t recorded = *draft;
    if (draft->kind == STEPI_OPERATION_STUCK)
        recorded.kind = STEPI_OPERATION_INCOMPLETE; /* no record is of that kind: the backend makes such lines alone */
    const size_t bytes = stepi_record_encode(&recorded, record_bytes, sizeof(record_bytes), sizeof(record_bytes));
    assert_true(bytes > 0);
    assert_true(stepi_record_decode(record_bytes, bytes, &decoded));
    stepi_line_t line = decoded.line;
    line.kind = (stepi_kind_t)draft->kind;
    line.elapsed_ns = decoded.elapsed;
    line.pid = 4711;
    line.tid = 4712;
    return line;
}

/* ---- Rendering ---- */

typedef struct rendered {
    char *bytes; /* NUL-terminated; free() it */
    size_t length;
} rendered_t;

static char scratch[32 << 20];

UNUSED static bool is_well_formed(const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        const unsigned char c = s[i];
        const size_t more = c < 0x80                ? 0
                            : c >= 0xC2 && c < 0xE0 ? 1
                            : c >= 0xE0 && c < 0xF0 ? 2
                            : c >= 0xF0 && c < 0xF5 ? 3
                                                    : 9;
        if (more == 9 || i + more >= n)
            return false;
        for (size_t k = 1; k <= more; k++)
            if ((s[i + k] & 0xC0) != 0x80)
                return false;
        if ((c == 0xE0 && s[i + 1] < 0xA0) || (c == 0xED && s[i + 1] > 0x9F) || (c == 0xF0 && s[i + 1] < 0x90) ||
            (c == 0xF4 && s[i + 1] > 0x8F))
            return false;
        i += more + 1;
    }
    return true;
}

/* What may not reach an output: controls but for the one line feed, and what steers terminals and hides text. */
static const char *const forbidden[] = {
    "\x7F",         "\xC2\x80",     "\xC2\x85",     "\xC2\x9B",     "\xD8\x9C",
    "\xE2\x80\x8B", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xA8", "\xE2\x80\xA9",
    "\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9", "\xEF\xBB\xBF"
};

UNUSED static bool is_clean_line(const char *bytes, size_t length, bool color)
{
    if (length == 0 || bytes[length - 1] != '\n' || !is_well_formed((const unsigned char *)bytes, length))
        return false;
    for (size_t i = 0; i + 1 < length; i++)
        if ((unsigned char)bytes[i] < 0x20 && !(color && bytes[i] == '\x1b'))
            return false;
    for (size_t i = 0; i < COUNT(forbidden); i++)
        if (memmem(bytes, length, forbidden[i], strlen(forbidden[i])) != NULL)
            return false;
    return true;
}

/* In a buffer that is exactly large enough: not a byte more may be touched. */
static void check_exact_buffer(step_format_t *format, const stepi_line_t *line, const rendered_t *expected)
{
    char *exact = malloc(expected->length);
    assert_non_null(exact);
    stepi_out_t out = stepi_out_over(exact, expected->length);
    format->render(format, line, &out);
    assert_false(out.overflow);
    assert_ptr_equal(out.at, out.end);
    assert_memory_equal(exact, expected->bytes, expected->length);
    free(exact);
}

UNUSED static rendered_t render_line(step_format_t *format, const stepi_line_t *line)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    assert_false(out.overflow);
    rendered_t r = { .length = (size_t)(out.at - scratch) };
    r.bytes = malloc(r.length + 1);
    assert_non_null(r.bytes);
    memcpy(r.bytes, scratch, r.length);
    r.bytes[r.length] = '\0';
    check_exact_buffer(format, line, &r);
    return r;
}

/* In every buffer that is too small: overflow, and nothing written past its end. */
UNUSED static void check_small_buffers(step_format_t *format, const stepi_line_t *line)
{
    rendered_t whole = render_line(format, line);
    for (size_t size = 0; size < whole.length; size += size < 400 ? 1 : 97) {
        char *small = malloc(size > 0 ? size : 1);
        assert_non_null(small);
        stepi_out_t out = stepi_out_over(small, size);
        format->render(format, line, &out);
        assert_true(out.overflow);
        assert_true(out.at <= out.end);
        free(small);
    }
    free(whole.bytes);
}

UNUSED static void expect_line(step_format_t *format, const stepi_draft_t *draft, const char *expected)
{
    const stepi_line_t line = line_of(draft);
    rendered_t r = render_line(format, &line);
    assert_string_equal(r.bytes, expected);
    free(r.bytes);
    check_small_buffers(format, &line);
}

/* ---- Chance ---- */

static uint64_t random_state = 1;

UNUSED static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % n;
}

/* A line of step 2 of 4 of the operation Sync; its fields have to outlive it. */
UNUSED static stepi_line_t line_of_step(stepi_kind_t kind, unsigned parts, const step_field_t *fields, size_t count)
{
    const stepi_draft_t draft = { .kind = (uint8_t)kind,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = (uint16_t)(parts | STEPI_PART_CLOCK),
                                  .seq = 9,
                                  .elapsed = 1500000,
                                  .step = 2,
                                  .total = 4,
                                  .attempt = 1,
                                  .operation_name = stepi_text_of("Sync"),
                                  .description = stepi_text_of("Storing rows"),
                                  .text = stepi_text_of("why"),
                                  .fields = fields,
                                  .field_count = count };
    return line_of(&draft);
}

UNUSED static void expect_rendered(step_format_t *format, const stepi_line_t *line, const char *expected)
{
    rendered_t r = render_line(format, line);
    assert_string_equal(r.bytes, expected);
    free(r.bytes);
    check_small_buffers(format, line);
}

#endif
