/* core/merge.c: records of many rings in the order of their stamps, and when it waits for whom. The rings are filled by
 * hand, and nobody but the test pumps. */
#include "core_support.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- The clock is the test's: it may stand still, and something may happen while it is read ---- */

static _Atomic int clock_stands;
static void (*while_clock_is_read)(void);

int clock_gettime(clockid_t id, struct timespec *t)
{
    void (*const happens)(void) = while_clock_is_read;
    while_clock_is_read = NULL;
    if (happens != NULL)
        happens();
    if (clock_stands) {
        *t = (struct timespec){ 0 };
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, id, t);
}

/* ---- A log of some rings ---- */

enum { RINGS_MAX = 8 };

typedef struct scene {
    step_log_t *log;
    fake_sink_t sink;
    stepi_ring_t *rings[RINGS_MAX];
} scene_t;

static scene_t scene;

static int set_up(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof(scene));
    scene.log = must_open(STEP_MODE_SYNC, STEP_FULL_BLOCK);
    fake_make(&scene.sink, false);
    return step_log_add_output(scene.log, &scene.sink.sink, &word_format, 0);
}

static int tear_down(void **state)
{
    (void)state;
    clock_stands = 0;
    while_clock_is_read = NULL;
    release_rings(scene.log);
    return step_log_close(scene.log);
}

static void make_rings(int count, size_t bytes)
{
    for (int i = 0; i < count; i++)
        scene.rings[i] = add_ring(scene.log, bytes);
}

static void put(int ring, uint64_t stamp)
{
    char text[32];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)stamp);
    assert_true(put_record(scene.rings[ring], stamp, text));
}

/* What came out since the last call. */
#define assert_lines(expected)                                                                                         \
    do {                                                                                                               \
        stepi_backend_write(scene.log);                                                                                \
        assert_took(&scene.sink, expected);                                                                            \
        scene.sink.used = 0;                                                                                           \
    } while (0)

#define assert_pass(expected) assert_int_equal(pass(scene.log), expected)

/* ---- Order ---- */

static void rings_that_are_dry_give_nothing(void **state)
{
    (void)state;
    assert_pass(STEPI_PASS_DRY);
    make_rings(3, 4096);
    assert_pass(STEPI_PASS_DRY);
    assert_lines("");
}

static void stamps_decide(void **state)
{
    (void)state;
    make_rings(3, 4096);
    put(0, 10);
    put(0, 40);
    put(0, 41);
    put(1, 20);
    put(1, 60);
    put(2, 5);
    put(2, 50);
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("5\n10\n20\n40\n41\n50\n60\n");
    assert_pass(STEPI_PASS_DRY);
}

static void a_stamp_of_zero_is_a_stamp(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(0, 0);
    put(1, 0);
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("0\n0\n");
}

static bool put_clocked(stepi_ring_t *ring, uint64_t stamp, uint64_t ticks, const char *text)
{
    stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                            .level = STEP_LEVEL_INFO,
                            .parts = STEPI_PART_TEXT | STEPI_PART_CLOCK,
                            .stamp = stamp,
                            .ticks = ticks,
                            .text = stepi_text_of(text) };
    const size_t bytes = stepi_record_encode_cut(&draft, ring->scratch, ring->scratch_bytes);
    return stepi_ring_push(ring, bytes, &draft, false);
}

/* Stamps of an injected clock order the records, ticks those of the same moment; the cut-off goes by ticks. */
static void ticks_decide_among_equal_stamps(void **state)
{
    (void)state;
    make_rings(2, 4096);
    for (int one = 0; one < 2; one++) {
        stepi_ring_t *const other = scene.rings[1 - one];
        assert_true(put_clocked(scene.rings[one], 7, 300, "third"));
        assert_true(put_clocked(scene.rings[one], 9, 400, "fifth"));
        assert_true(put_clocked(other, 7, 100, "first"));
        assert_true(put_clocked(other, 7, 200, "second"));
        assert_true(put_clocked(other, 8, 500, "fourth"));
        assert_pass(STEPI_PASS_TOOK);
        assert_lines("first\nsecond\nthird\nfourth\nfifth\n");
    }
}

static void any_number_of_rings_in_any_order(void **state)
{
    (void)state;
    dice_t dice = { 1 };
    uint64_t stamps[RINGS_MAX] = { 0 };
    make_rings(RINGS_MAX, 4096);
    for (int round = 0; round < 2000; round++) {
        for (uint64_t n = roll_below(&dice, 40); n > 0; n--) {
            const uint64_t i = roll_below(&dice, RINGS_MAX);
            char text[32];
            stamps[i] += roll_below(&dice, 9);
            snprintf(text, sizeof(text), "%llu", (unsigned long long)stamps[i]);
            put_record(scene.rings[i], stamps[i], text); /* or it is full */
        }
        while (pass(scene.log) != STEPI_PASS_DRY)
            ;
        stepi_backend_write(scene.log);
        char *const text = fake_text(&scene.sink);
        uint64_t last = 0;
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            const uint64_t stamp = strtoull(line, NULL, 10);
            assert_true(stamp >= last);
            last = stamp;
        }
        free(text);
        scene.sink.used = 0;
        for (int i = 0; i < RINGS_MAX; i++) /* what is logged from now on is later */
            stamps[i] = stamps[i] > last ? stamps[i] : last;
    }
}

/* ---- Who is waited for ---- */

static void a_call_in_progress_holds_back_what_is_later_than_its_ring(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(0, 10);
    put(0, 20);
    put(0, 30);
    put(1, 15);
    scene.rings[1]->busy = 1; /* its record may be stamped 16 */
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("10\n15\n");
    assert_pass(STEPI_PASS_HELD);
    assert_lines("");
    put(1, 25);
    scene.rings[1]->busy = 0;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("20\n25\n30\n");
}

static void a_first_call_in_progress_holds_back_everything(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(0, 10);
    scene.rings[1]->busy = 1;
    assert_pass(STEPI_PASS_HELD);
    scene.rings[1]->busy = 0;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("10\n");
}

static void a_single_ring_is_never_held_back(void **state)
{
    (void)state;
    make_rings(1, 4096);
    put(0, 10);
    scene.rings[0]->busy = 1;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("10\n");
}

static void who_waits_for_room_is_not_waited_for(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(0, 10);
    scene.rings[1]->busy = 1;
    scene.rings[1]->waiting = 1;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("10\n");
    scene.rings[1]->waiting = 0;
}

/* Passes until one does not hold; how long that took. */
static int64_t held_ns(void)
{
    const int64_t start = stepi_monotonic_ns();
    while (pass(scene.log) == STEPI_PASS_HELD)
        assert_true(stepi_monotonic_ns() - start < 10 * SECOND_NS);
    return stepi_monotonic_ns() - start;
}

static void a_call_that_takes_too_long_is_late(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(1, 5);
    put(0, 10);
    scene.rings[1]->busy = 1;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("5\n");
    assert_true(held_ns() >= 5000000);
    assert_lines("10\n");
    put(0, 20); /* that call is known now */
    assert_pass(STEPI_PASS_TOOK);
    put(1, 15); /* at last */
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("20\n15\n");
    put(0, 30); /* the next one is waited for again */
    assert_pass(STEPI_PASS_HELD);
    scene.rings[1]->busy = 0;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("30\n");
}

/* It is that call which is not waited for, not the next one, which may have its time stamp before it takes a number. */
static void the_call_after_a_late_one_is_waited_for_from_its_beginning(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(0, 10);
    atomic_fetch_add(&scene.rings[1]->seq, 1); /* it has its number */
    scene.rings[1]->busy = 1;
    held_ns();
    assert_lines("10\n");
    const uint64_t number = scene.rings[1]->seq;
    put(1, 5);
    scene.rings[1]->seq = number;
    scene.rings[1]->busy = 2; /* the next call */
    put(0, 20);
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("5\n");
    assert_pass(STEPI_PASS_HELD);
    scene.rings[1]->busy = 0;
    assert_pass(STEPI_PASS_TOOK);
    assert_lines("20\n");
}

static void nobody_waits_while_a_ring_that_drops_fills_up(void **state)
{
    (void)state;
    make_rings(2, 4096);
    scene.log->drop_when_full = true;
    while (scene.rings[0]->head < 2500)
        put(0, 10);
    scene.rings[1]->busy = 1;
    assert_pass(STEPI_PASS_HELD);
    assert_pass(STEPI_PASS_TOOK); /* at once */
}

static uint64_t stamp_of_newcomer;

static void a_thread_makes_its_first_call(void)
{
    const int last = scene.rings[1] == NULL ? 1 : 2;
    scene.rings[last] = add_ring(scene.log, 4096);
    put(last, stamp_of_newcomer);
}

/* A ring that came after the pass had looked at the list may hold what comes before the latest publication that it saw. */
static void a_ring_that_is_new_meanwhile_is_not_overlooked(void **state)
{
    (void)state;
    for (int rings = 1; rings <= 2; rings++) {
        make_rings(rings, 4096);
        put(0, 100);
        stamp_of_newcomer = 50;
        while_clock_is_read = a_thread_makes_its_first_call;
        assert_pass(STEPI_PASS_TOOK);
        assert_null(while_clock_is_read);
        assert_lines("50\n100\n");
        tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
}

static void a_clock_that_stands_still_stops_nobody(void **state)
{
    (void)state;
    make_rings(3, 4096);
    clock_stands = 1;
    put(0, 0);
    put(1, 0);
    assert_pass(STEPI_PASS_TOOK);
    pump(scene.log);
    assert_lines("0\n0\n");
}

/* ---- Epochs: what is gone from the rings is gone for good ---- */

static uint32_t epoch(void)
{
    return scene.log->backend.operations.epoch;
}

static void an_epoch_ends_when_all_is_taken_that_was_there_when_it_began(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(0, 10);
    put(1, 10);
    assert_pass(STEPI_PASS_TOOK);
    put(0, 20);
    assert_pass(STEPI_PASS_TOOK); /* both: from now on the marks stand at the heads */
    const uint32_t before = epoch();
    put(0, 30);
    put(0, 50);
    put(1, 35);
    scene.rings[1]->busy = 1;
    assert_pass(STEPI_PASS_TOOK); /* 30 and 35; 50 is held back */
    assert_int_equal(epoch(), before + 1);
    put(1, 37);
    assert_pass(STEPI_PASS_TOOK); /* 37; 50 was there when the epoch began */
    assert_int_equal(epoch(), before + 1);
    assert_pass(STEPI_PASS_HELD);
    assert_int_equal(epoch(), before + 1);
    scene.rings[1]->busy = 0;
    assert_pass(STEPI_PASS_TOOK);
    assert_int_equal(epoch(), before + 2);
    assert_pass(STEPI_PASS_DRY);
}

/* Rings that never run dry, as under a producer that is faster than the backend. */
static void epochs_end_although_rings_never_run_dry(void **state)
{
    (void)state;
    make_rings(2, 4096);
    put(1, 1);
    scene.rings[1]->busy = 1;
    for (uint64_t stamp = 2; stamp < 100; stamp += 2) {
        const uint32_t before = epoch();
        put(0, stamp);
        put(0, stamp + 1);
        put(1, stamp); /* so far it goes: one record always stays */
        assert_pass(STEPI_PASS_TOOK);
        assert_false(stepi_backend_is_dry(scene.log));
        if (stamp > 4)
            assert_int_equal(epoch(), before + 1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rings_that_are_dry_give_nothing),
        TEST(stamps_decide),
        TEST(a_stamp_of_zero_is_a_stamp),
        TEST(ticks_decide_among_equal_stamps),
        TEST(any_number_of_rings_in_any_order),
        TEST(a_call_in_progress_holds_back_what_is_later_than_its_ring),
        TEST(a_first_call_in_progress_holds_back_everything),
        TEST(a_single_ring_is_never_held_back),
        TEST(who_waits_for_room_is_not_waited_for),
        TEST(a_call_that_takes_too_long_is_late),
        TEST(the_call_after_a_late_one_is_waited_for_from_its_beginning),
        TEST(nobody_waits_while_a_ring_that_drops_fills_up),
        TEST(a_ring_that_is_new_meanwhile_is_not_overlooked),
        TEST(a_clock_that_stands_still_stops_nobody),
        TEST(an_epoch_ends_when_all_is_taken_that_was_there_when_it_began),
        TEST(epochs_end_although_rings_never_run_dry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
