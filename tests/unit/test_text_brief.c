/* A text format writes the same bytes for a record whichever way it comes, as a brief (record/brief.h) or as a line: the hostile corpus
 * and numbers by chance, from call sites by chance, through both. */
#include "brief_support.h"

enum { VARIANTS = 8, ROUNDS = 30000, GUARD = 64 };

/* The same format twice. */
typedef struct pair {
    step_format_t *by_lines, *by_briefs;
    size_t briefs; /* written as such */
} pair_t;

static site_t sites[SITES];
static pair_t pairs[VARIANTS];

static int make_pairs(void **state)
{
    (void)state;
    make_sites(sites);
    for (uint32_t i = 0; i < VARIANTS; i++) {
        const step_text_options_t options = {
            .size = sizeof(options), .timestamps = i & 1, .ascii = i >> 1 & 1, .color = i >> 2
        };
        pairs[i] =
            (pair_t){ .by_lines = step_format_text_with(&options), .by_briefs = step_format_text_with(&options) };
        if (pairs[i].by_lines == NULL || pairs[i].by_briefs == NULL)
            return 1;
    }
    return 0;
}

static int free_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        pairs[i].by_lines->free(pairs[i].by_lines);
        pairs[i].by_briefs->free(pairs[i].by_briefs);
    }
    return 0;
}

/* What the backend adds. */
enum { WALL_NS = 1700000000 };
#define WALL(stamp) ((int64_t)WALL_NS * 1000000000 + (int64_t)(stamp)*1234567)

static bool line_of_record(const uint8_t *bytes, size_t size, const site_t *site, stepi_decoded_t *decoded)
{
    if (!stepi_record_decode(bytes, size, decoded))
        return false;
    stepi_line_t *line = &decoded->line;
    line->wall_ns = WALL(decoded->stamp);
    line->elapsed_ns = decoded->elapsed > 0 ? decoded->elapsed : 0;
    if (line->has_step && line->description.bytes == NULL)
        line->description = text_of(site->text);
    return true;
}

static bool brief_of_record(const uint8_t *bytes, size_t size, const site_t *site, stepi_brief_t *brief)
{
    if (!stepi_brief_read(bytes, size, brief))
        return false;
    brief->wall_ns = WALL(brief->stamp);
    const bool is_success = brief->parts == STEPI_BRIEF_SUCCESS;
    brief->elapsed_ns = is_success && brief->elapsed > 0 ? brief->elapsed : 0;
    if (is_success) {
        brief->text = site->text.bytes;
        brief->text_bytes = (uint32_t)site->text.length;
    }
    return true;
}

/* How long the brief's text is in so many bytes of room; 0: it has to come as a line. What lies behind the room stays as it was. */
static size_t written_within(step_format_t *format, const stepi_brief_t *brief, char *to, size_t room)
{
    memset(to + room, 0x5A, GUARD);
    stepi_out_t out = stepi_out_over(to, room);
    const bool is_written = format->render_brief(format, brief, &out);
    for (size_t i = 0; i < GUARD; i++)
        assert_int_equal(to[room + i], 0x5A);
    assert_true(!is_written || (!out.overflow && out.at <= out.end));
    return is_written ? (size_t)(out.at - to) : 0;
}

/* Through both; whether the brief was written as such. */
static bool compare(const pair_t *pair, const uint8_t *bytes, size_t size, const site_t *site)
{
    static char as_line[1 << 16], as_brief[(1 << 16) + GUARD];
    stepi_decoded_t decoded;
    stepi_brief_t brief;
    const bool is_record = line_of_record(bytes, size, site, &decoded);
    const bool is_brief = brief_of_record(bytes, size, site, &brief);
    const size_t room = random_below(4) == 0 ? random_below(1500) : sizeof(as_brief) - GUARD;
    const size_t written = is_brief ? written_within(pair->by_briefs, &brief, as_brief, room) : 0;
    if (!is_record) {
        assert_int_equal(written, 0);
        return false;
    }
    stepi_out_t out = stepi_out_over(as_line, sizeof(as_line));
    pair->by_lines->render(pair->by_lines, &decoded.line, &out);
    assert_false(out.overflow);
    const size_t length = (size_t)(out.at - as_line);
    if (written == 0) { /* it goes on as a line */
        out = stepi_out_over(as_brief, sizeof(as_brief) - GUARD);
        pair->by_briefs->render(pair->by_briefs, &decoded.line, &out);
    }
    assert_int_equal(written > 0 ? written : (size_t)(out.at - as_brief), length);
    if (memcmp(as_brief, as_line, length) != 0)
        fail_msg("as a line:  %.*sas a brief: %.*s", (int)length, as_line, (int)length, as_brief);
    return written > 0;
}

/* In memory of its own, so that a byte that is read behind the record is noticed. */
static bool compare_exactly(const pair_t *pair, const made_brief_t *made, const site_t *site)
{
    uint8_t *exact = malloc(made->size);
    assert_non_null(exact);
    memcpy(exact, made->bytes, made->size);
    const bool is_written = compare(pair, exact, made->size, site);
    free(exact);
    return is_written;
}

static void both_ways_write_the_same(void **state)
{
    (void)state;
    static made_brief_t made;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        const site_t *site = &sites[random_below(SITES)];
        make_brief(&made, site, 7, round);
        for (size_t i = 0; i < VARIANTS; i++)
            pairs[i].briefs += compare_exactly(&pairs[i], &made, site);
    }
    for (size_t i = 0; i < VARIANTS; i++)
        if (pairs[i].briefs < ROUNDS / 2)
            fail_msg("only %zu of %d were written as briefs", pairs[i].briefs, ROUNDS);
}

/* What is damaged somewhere reads the same, or not at all. */
static void damaged_ones(void **state)
{
    (void)state;
    static made_brief_t made;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        const site_t *site = &sites[random_below(SITES)];
        make_brief(&made, site, 7, round);
        const size_t from = random_below(3) == 0 ? offsetof(stepi_record_t, kind) : sizeof(stepi_record_t);
        made.bytes[from + random_below(made.size - from)] ^= (uint8_t)(1 << random_below(8));
        for (int i = 0; i < 3; i++) /* what is met twice in a row may be remembered */
            compare_exactly(&pairs[round % VARIANTS], &made, site);
    }
}

/* Every length that a record may claim to have. */
static void cut_ones(void **state)
{
    (void)state;
    static made_brief_t made;
    for (uint64_t round = 0; round < 200; round++) {
        const site_t *site = &sites[round % SITES];
        make_brief(&made, site, 7, round);
        for (uint32_t bytes = 0; bytes < made.size; bytes += bytes < sizeof(stepi_record_t) ? 1 : 8) {
            stepi_brief_t brief;
            made_brief_t cut = made;
            memcpy(cut.bytes, &bytes, sizeof(bytes));
            assert_false(bytes < STEPI_BRIEF_MIN && stepi_brief_read(cut.bytes, cut.size, &brief));
            if (bytes >= sizeof(stepi_record_t)) {
                cut.size = bytes;
                compare_exactly(&pairs[0], &cut, site);
            }
        }
    }
}

/* A helper function that logs for others: one site, many texts. */
static void texts_that_never_come_again(void **state)
{
    (void)state;
    static made_brief_t made;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        char text[80];
        site_t site = sites[round % 7];
        snprintf(text, sizeof(text), "%.*s%d", (int)random_below(70),
                 "a text with a number at its end, which is not the same each time, ", (int)random_below(1000));
        site.text = (sample_t){ .bytes = text, .length = strlen(text) };
        make_brief(&made, &site, 7, round);
        compare_exactly(&pairs[round % VARIANTS], &made, &site);
    }
}

static void ids_are_not_for_briefs(void **state)
{
    (void)state;
    const step_text_options_t options = { .size = sizeof(options), .ids = 1 };
    step_format_t *format = step_format_text_with(&options);
    assert_null(format->render_brief);
    format->free(format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_write_the_same),
        cmocka_unit_test(damaged_ones),
        cmocka_unit_test(cut_ones),
        cmocka_unit_test(texts_that_never_come_again),
        cmocka_unit_test(ids_are_not_for_briefs),
    };
    return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
