/* UTF-8: every code point, hostile bytes, cuts at every offset. */
#include "base/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES_MAX = 64 };

static uint64_t random_state = 0x9E3779B97F4A7C15U;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int encode(char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    const int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--, code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3F));
    to[0] = (char)((0xF00U >> length & 0xFFU) | code);
    return length;
}

static bool is_scalar(uint32_t code)
{
    return code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

static int decode(const char *text, size_t bytes)
{
    uint32_t code = 0xABCD;
    const int length = stepi_utf8_decode(text, bytes, &code);
    if (length == 0)
        assert_int_equal(code, 0xABCD);
    return length;
}

static void every_code_point_decodes_and_its_parts_do_not(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x120000; code++) {
        char text[4];
        const int length = encode(text, code);
        uint32_t got = 0xABCD;
        const int got_length = stepi_utf8_decode(text, sizeof(text), &got);
        if (got_length != (is_scalar(code) ? length : 0) ||
            got != (is_scalar(code) ? code : 0xABCD))
            fail_msg("U+%04X", (unsigned)code);
        for (int cut = 1; cut < length; cut++)
            if (decode(text, (size_t)cut) != 0)
                fail_msg("U+%04X cut to %d", (unsigned)code, cut);
    }
}

/* Every sequence of up to three bytes, and of four all first and second ones with telling third and
 * fourth ones: as many are well-formed as there are scalar values. */
static void nothing_else_decodes(void **state)
{
    (void)state;
    int counts[4] = { 0, 0, 0, 0 };
    for (unsigned v = 0; v < 0x1000000; v++) {
        const char text[3] = { (char)(v >> 16), (char)(v >> 8), (char)v };
        uint32_t code;
        const int length = stepi_utf8_decode(text, 3, &code);
        const unsigned tail = length > 0 ? v & ((1U << 8 * (3 - length)) - 1) : 0;
        if (length > 0 && tail == 0)
            counts[length - 1]++;
    }
    const unsigned char telling[] = { 0x00, 0x41, 0x7F, 0x80, 0x9F, 0xBF, 0xC0, 0xE0, 0xFF };
    for (unsigned v = 0; v < 0x10000; v++)
        for (size_t i = 0; i < sizeof(telling) * sizeof(telling); i++) {
            const char text[4] = { (char)(v >> 8), (char)v, (char)telling[i / sizeof(telling)],
                                   (char)telling[i % sizeof(telling)] };
            counts[3] += decode(text, 4) == 4;
        }
    assert_int_equal(counts[0], 0x80);
    assert_int_equal(counts[1], 0x800 - 0x80);
    assert_int_equal(counts[2], 0x10000 - 0x800 - 0x800);
    assert_int_equal(counts[3], 0x100000 / 0x1000 * 3 * 3); /* of 64 by 64, 3 by 3 were tried */
}

static void hostile_bytes_do_not_decode(void **state)
{
    (void)state;
    const char *const corpus[] = {
        "\xFF",
        "\xFE",
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x80\xAF",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x80\x80\xAF",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xC2",
        "\xC2\x41",
        "\xE2\x82",
        "\xE2\x82\x41",
        "\xE2\x41\x80",
        "\xF0\x9F\x98",
        "\xF0\x9F\x98\x41",
        "\xF0\x9F\x41\x80",
        "\xF0\x41\x98\x80",
        "\xC2\xC2",
        "\xE2\xE2\x82",
    };
    for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++)
        for (size_t bytes = 1; bytes <= strlen(corpus[i]); bytes++)
            assert_int_equal(decode(corpus[i], bytes), 0);
}

/* What the header says, read from the start. */
static size_t plain_cut(const char *text, size_t bytes, size_t limit)
{
    size_t n = 0;
    while (n < limit) {
        const int length = decode(text + n, bytes - n);
        const size_t next = n + (length > 0 ? (size_t)length : 1);
        if (next > limit)
            break;
        n = next;
    }
    return n;
}

/* In a block of its own size, so that a sanitizer sees a byte too many. */
static void check_cuts(const char *bytes, size_t count)
{
    char *text = malloc(count + (count == 0));
    assert_non_null(text);
    memcpy(text, bytes, count);
    for (size_t limit = 0; limit <= count; limit++) {
        const size_t got = stepi_utf8_cut(text, count, limit);
        if (got != plain_cut(text, count, limit))
            fail_msg("cut at %zu of %zu: %zu", limit, count, got);
    }
    free(text);
}

static void cuts_stay_on_code_points(void **state)
{
    (void)state;
    check_cuts("", 0);
    const char text[] =
        "a\xC3\xA9\xE2\x96\xB6\xEF\xB8\x8F "
        "\xF0\x9F\x98\x80\xF0\x9F\x98\x80z\xFF\x80\x80\x80\x80\xED\xA0\x80\xC0\x80\xF0\x9F\x98";
    for (size_t start = 0; start < sizeof(text) - 1; start++)
        for (size_t end = start; end <= sizeof(text) - 1; end++)
            check_cuts(text + start, end - start);
}

static void cuts_of_random_bytes_are_as_read_from_the_start(void **state)
{
    (void)state;
    static const unsigned char alphabet[] = { 0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                              0xBF, 0x80, 0x82, 0xC0, 0xC3, 0xE0, 0xE2,
                                              0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF8 };
    for (int round = 0; round < 60000; round++) {
        char text[16];
        const size_t count = random_bits() % (sizeof(text) + 1);
        for (size_t i = 0; i < count; i++)
            text[i] = (char)alphabet[random_bits() % sizeof(alphabet)];
        check_cuts(text, count);
    }
}

static size_t plain_prefix(const char *text, size_t bytes, const stepi_stops_t *stops)
{
    for (size_t n = 0; n < bytes; n++) {
        const unsigned char c = (unsigned char)text[n];
        if (c < 0x20 || c >= 0x7F || stepi_is_stop(stops, text[n]))
            return n;
    }
    return bytes;
}

static void prefixes_end_before_every_byte_that_is_not_plain(void **state)
{
    (void)state;
    static const stepi_stops_t stops = { .count = 3, .rows = { STEPI_STOP('"'), STEPI_STOP('\\'), STEPI_STOP('}') } };
    for (unsigned c = 0; c < 256; c++)
        for (size_t count = 0; count <= 40; count++)
            for (size_t at = 0; at <= count; at++) {
                char text[BYTES_MAX];
                memset(text, '~', sizeof(text));
                text[at] = (char)c; /* just behind the end, it must not count */
                assert_int_equal(stepi_plain_prefix(text, count, &stops),
                                 plain_prefix(text, count, &stops));
            }
}

static void prefixes_of_random_bytes(void **state)
{
    (void)state;
    static const stepi_stops_t stops = { .count = 7, .rows = { STEPI_STOP(' '), STEPI_STOP('~'), STEPI_STOP('='), STEPI_STOP(0x1F), STEPI_STOP('a'), STEPI_STOP('b'), STEPI_STOP('@') } };
    for (int round = 0; round < 300000; round++) {
        char text[BYTES_MAX];
        const uint64_t kind = random_bits() % 3;
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (char)(kind == 0   ? random_bits()
                             : kind == 1 ? 'a' + random_bits() % 20
                                         : 0x1E + random_bits() % 0x63);
        text[random_bits() % sizeof(text)] = (char)random_bits();
        const size_t from = random_bits() % 9;
        const size_t count = random_bits() % (sizeof(text) - 8);
        assert_int_equal(stepi_plain_prefix(text + from, count, &stops),
                         plain_prefix(text + from, count, &stops));
    }
}

static void what_steers_or_hides_is_escaped(void **state)
{
    (void)state;
    static const uint32_t ranges[][2] = {
        { 0x00, 0x1F },     { 0x7F, 0x9F },     { 0x61C, 0x61C },   { 0x200B, 0x200B },
        { 0x200E, 0x200F }, { 0x2028, 0x202E }, { 0x2066, 0x2069 }, { 0xFEFF, 0xFEFF },
    };
    for (uint32_t code = 0; code <= 0x110000; code++) {
        bool is_listed = false;
        for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
            is_listed = is_listed || (code >= ranges[i][0] && code <= ranges[i][1]);
        if (stepi_must_escape(code) != is_listed)
            fail_msg("U+%04X", (unsigned)code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_decodes_and_its_parts_do_not),
        cmocka_unit_test(nothing_else_decodes),
        cmocka_unit_test(hostile_bytes_do_not_decode),
        cmocka_unit_test(cuts_stay_on_code_points),
        cmocka_unit_test(cuts_of_random_bytes_are_as_read_from_the_start),
        cmocka_unit_test(prefixes_end_before_every_byte_that_is_not_plain),
        cmocka_unit_test(prefixes_of_random_bytes),
        cmocka_unit_test(what_steers_or_hides_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
