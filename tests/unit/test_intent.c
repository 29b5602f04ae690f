/* What an output was writing when its process was killed: whoever recovers sees from the file how many of the lines are there. */
#include "core_support.h"

#include "crash/intent.h"
#include "crash/remains.h"

enum { LINES = 6, BASE = 100, ALL = BASE + 60, FILE_MAX = STEPI_INTENT_BYTES * 6 };

static const char block[] = "one\ntwo\nthree\nof ours\nfive\nsix\n";
/* Records 105, 106, 120, a line of the library's own, 121, 150; all below 160 was in this block or before. */
static const uint32_t numbers[LINES] = { 5, 6, 20, UINT32_MAX, 21, 50 };

static stepi_intent_t intent;

static void begin(const char *bytes, size_t used)
{
    const stepi_place_t place = { .device = 1, .inode = 2, .size = 3 };
    const stepi_block_view_t view = {
        .bytes = bytes, .used = used, .lines = LINES, .base = BASE, .through = ALL, .index = numbers
    };
    memset(&intent, 0, sizeof(intent));
    intent.mark[0] = STEPI_MARK_INTENT;
    intent.mark[1] = STEPI_MARK_FORM;
    stepi_intent_begin(&intent, &place, &view);
}

/* What the output has, so far it had everything below 50. */
static uint64_t has_with(const char *file, size_t bytes)
{
    stepi_owner_t owner = { .mark = { STEPI_MARK_OWNER, STEPI_MARK_FORM }, .outputs = 1 };
    stepi_remains_t remains;
    owner.output[0].resolved = 50;
    owner.output[0].resolved_not = ~UINT64_C(50);
    assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)&owner, sizeof(owner)), STEPI_REMAINS_GOOD);
    char *exact = malloc(bytes > 0 ? bytes : 1);
    assert_non_null(exact);
    memcpy(exact, file, bytes);
    stepi_remains_intent(&remains, 0, &intent, exact, bytes);
    free(exact);
    return remains.has[0];
}

/* A line that lacks only its end is there: whoever writes next ends it. */
static uint64_t expected(size_t bytes)
{
    uint64_t has = 50;
    uint32_t line = 0;
    for (size_t i = 0; block[i] != '\0' && i <= bytes; i++) {
        if (block[i] != '\n')
            continue;
        if (numbers[line] != UINT32_MAX)
            has = BASE + numbers[line] + 1;
        line++;
    }
    return has;
}

static void the_lines_that_are_in_the_file(void **state)
{
    (void)state;
    begin(block, strlen(block));
    assert_int_equal(has_with("", 0), 50);
    for (size_t bytes = 1; bytes <= strlen(block); bytes++)
        assert_int_equal(has_with(block, bytes), expected(bytes));
    assert_int_equal(has_with(block, strlen(block)), BASE + 51);
}

static void another_process_wrote_behind_it(void **state)
{
    char file[128];
    (void)state;
    begin(block, strlen(block));
    snprintf(file, sizeof(file), "%sand more\n", block);
    assert_int_equal(has_with(file, strlen(file)), BASE + 51);
    assert_int_equal(has_with("one\ntwo\nsomebody else's\n", 24), BASE + 7);
    assert_int_equal(has_with("somebody else's\none\ntwo\n", 24), 50); /* in front of it: nobody can tell */
}

/* The sink ended a line that was torn before. */
static void behind_a_line_that_was_torn(void **state)
{
    char file[128];
    (void)state;
    begin(block, strlen(block));
    snprintf(file, sizeof(file), "\n%s", block);
    for (size_t bytes = 2; bytes <= strlen(file); bytes++)
        assert_int_equal(has_with(file, bytes), expected(bytes - 1));
}

static void only_while_it_is_active(void **state)
{
    (void)state;
    begin(block, strlen(block));
    stepi_intent_end(&intent);
    assert_int_equal(has_with(block, strlen(block)), 50);
}

/* Lines that are longer than an intent has room for: the file is trusted to go on as it began. */
static void a_block_that_is_larger_than_an_intent(void **state)
{
    static char large[FILE_MAX];
    (void)state;
    memset(large, 'x', sizeof(large));
    for (int line = 1; line <= LINES; line++)
        large[(size_t)STEPI_INTENT_BYTES * (size_t)line - 1] = '\n';
    large[STEPI_INTENT_BYTES - 10] = '\n'; /* the first ends within */
    large[STEPI_INTENT_BYTES - 1] = 'x';
    begin(large, sizeof(large));
    assert_int_equal(has_with(large, STEPI_INTENT_BYTES), BASE + 6);
    assert_int_equal(has_with(large, 2 * (size_t)STEPI_INTENT_BYTES - 1), BASE + 6);
    assert_int_equal(has_with(large, 2 * (size_t)STEPI_INTENT_BYTES), BASE + 7);
    assert_int_equal(has_with(large, sizeof(large)), BASE + 51);
    large[5] = 'y';
    assert_int_equal(has_with(large, sizeof(large)), 50);
    large[5] = 'x';
}

static void hostile_members_do_no_harm(void **state)
{
    dice_t dice = { .state = 6 };
    (void)state;
    for (int round = 0; round < 20000; round++) {
        begin(block, strlen(block));
        for (int changes = 0; changes < 2; changes++) {
            static const uint64_t values[] = {
                0, 1, 2, 4096, 4097, STEPI_INTENT_BYTES, STEPI_INTENT_BYTES + 1, UINT32_MAX, UINT64_MAX
            };
            const uint64_t value = values[roll_below(&dice, COUNT(values))];
            memcpy((uint8_t *)&intent + 8 * roll_below(&dice, 16), &value, sizeof(value));
        }
        const uint64_t has = has_with(block, strlen(block));
        assert_true(has == 50 || has <= intent.through);
    }
}

static void no_output_of_that_number(void **state)
{
    stepi_owner_t owner = { .mark = { STEPI_MARK_OWNER, STEPI_MARK_FORM }, .outputs = 1 };
    stepi_remains_t remains;
    (void)state;
    begin(block, strlen(block));
    assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)&owner, sizeof(owner)), STEPI_REMAINS_GOOD);
    static const uint32_t outputs[] = { 1, 31, 32, 33, UINT32_MAX };
    for (size_t i = 0; i < COUNT(outputs); i++)
        stepi_remains_intent(&remains, outputs[i], &intent, block, strlen(block));
    for (int i = 0; i < STEPI_CRASH_OUTPUTS; i++)
        assert_int_equal(remains.has[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_that_are_in_the_file),
        cmocka_unit_test(another_process_wrote_behind_it),
        cmocka_unit_test(behind_a_line_that_was_torn),
        cmocka_unit_test(only_while_it_is_active),
        cmocka_unit_test(a_block_that_is_larger_than_an_intent),
        cmocka_unit_test(hostile_members_do_no_harm),
        cmocka_unit_test(no_output_of_that_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
