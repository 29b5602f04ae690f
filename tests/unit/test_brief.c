/* core/brief.c: a log that writes what it can at once has the same lines, in the same order and with the same sums, as one
 * that takes each record the long way round. Two logs, one of which has a format without briefs, get the same records. */
#include "brief_support.h"
#include "core_support.h"

enum { RING_BYTES = 1 << 16, FIRST = 1000, OPERATIONS = 6, ROUNDS = 300, RECORDS = 60 };

typedef struct side {
    step_log_t *log;
    stepi_ring_t *ring;
    fake_sink_t sink;
} side_t;

static side_t sides[2]; /* the second one writes no briefs */
static site_t sites[SITES];
static uint64_t now;

static int prepare(void **state)
{
    (void)state;
    make_sites(sites);
    return 0;
}

static void add_text(side_t *side, bool briefs, uint32_t color, int level)
{
    const step_text_options_t options = { .size = sizeof(options), .color = color };
    step_format_t *format = step_format_text_with(&options);
    assert_non_null(format->render_brief);
    if (!briefs)
        format->render_brief = NULL;
    assert_int_equal(step_log_add_output(side->log, &side->sink.sink, format, level), STEP_OK);
}

static void open_sides(const step_log_options_t *options)
{
    now = (uint64_t)stepi_monotonic_ns();
    for (int i = 0; i < 2; i++) {
        fake_make(&sides[i].sink, false);
        assert_int_equal(step_log_open(options, &sides[i].log), STEP_OK);
        stepi_ticks_are_tsc = false; /* a tick is a nanosecond, in both logs */
        sides[i].ring = add_ring(sides[i].log, RING_BYTES);
        add_text(&sides[i], i == 0, 0, 0);
    }
}

static step_log_options_t quiet_options(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.level = 1;
    options.mode = STEP_MODE_SYNC; /* nobody but the test pumps it */
    options.diagnose = keep_quiet;
    return options;
}

static void close_sides(void)
{
    for (int i = 0; i < 2; i++) {
        release_rings(sides[i].log);
        step_log_close(sides[i].log);
    }
}

static void push(const uint8_t *bytes, size_t size)
{
    const stepi_draft_t draft = { .stamp = now, .ticks = now };
    for (int i = 0; i < 2; i++) {
        memcpy(sides[i].ring->scratch, bytes, size);
        assert_true(stepi_ring_push(sides[i].ring, size, &draft, false));
        sides[i].ring->seq++;
    }
}

/* Names the first line that differs. */
static void check_same_text(const char *a, const char *b)
{
    const char *line = a;
    for (size_t i = 0; a[i] == b[i] && a[i] != '\0'; i++)
        line = a[i] == '\n' ? a + i + 1 : line;
    if (strcmp(line, b + (line - a)) != 0)
        fail_msg("at once: %.*s; as a line: %.*s", (int)strcspn(line, "\n"), line, (int)strcspn(b + (line - a), "\n"),
                 b + (line - a));
}

static const stepi_open_operation_t *operation_of(side_t *side, uint64_t id)
{
    static const stepi_open_operation_t none;
    const stepi_open_operation_t *operation = stepi_optable_find(&side->log->backend.operations, id);
    return operation != NULL ? operation : &none;
}

static void check_same_operation(uint64_t id)
{
    const stepi_open_operation_t *one = operation_of(&sides[0], id), *other = operation_of(&sides[1], id);
    assert_int_equal(one->step_known, other->step_known);
    assert_int_equal(one->failed, other->failed);
    assert_int_equal(one->step_span, other->step_span);
    assert_int_equal(one->step, other->step);
    assert_int_equal(one->total, other->total);
    assert_int_equal(one->description_text.length, other->description_text.length);
}

/* Lines so far, and then none. */
static void check_same_lines(void)
{
    char *text[2];
    for (int i = 0; i < 2; i++) {
        pump(sides[i].log);
        text[i] = fake_text(&sides[i].sink);
        sides[i].sink.used = 0;
    }
    check_same_text(text[0], text[1]);
    free(text[0]);
    free(text[1]);
    assert_int_equal(sides[0].log->backend.processed, sides[1].log->backend.processed);
    assert_int_equal(sides[0].log->backend.last_stamp, sides[1].log->backend.last_stamp);
    for (uint64_t operation = FIRST; operation < FIRST + OPERATIONS; operation++)
        check_same_operation(operation);
}

/* ---- Records ---- */

static void push_brief(const site_t *site, uint64_t operation)
{
    static made_brief_t made;
    const bool has_operation = site->parts == STEPI_BRIEF_QUICK ? random_below(20) == 0 : random_below(20) != 0;
    make_brief(&made, site, has_operation ? operation : 0, now);
    push(made.bytes, made.size);
}

static void push_draft(const stepi_draft_t *draft)
{
    static uint8_t bytes[BRIEF_MAX];
    const size_t size = stepi_record_encode(draft, bytes, sizeof(bytes), sizeof(bytes));
    assert_true(size > 0);
    push(bytes, size);
}

/* The step that ends as the site says. */
static void push_step(const site_t *success, uint64_t operation)
{
    static made_brief_t made;
    site_t site = *success;
    site.parts = STEPI_BRIEF_STEP;
    site.kind = STEPI_STEP_START;
    site.shape = NULL;
    make_brief(&made, &site, operation, now);
    push(made.bytes, made.size);
}

/* Whatever an operation does besides. */
static void push_other(uint64_t operation)
{
    static const uint8_t kinds[] = { STEPI_OPERATION_START, STEPI_STEP_START,         STEPI_STEP_START,
                                     STEPI_STEP_START,      STEPI_STEP_FAILURE,       STEPI_STEP_SKIP,
                                     STEPI_MESSAGE,         STEPI_OPERATION_COMPLETE, STEPI_PROGRESS };
    const site_t *site = &sites[random_below(SITES)];
    stepi_draft_t draft = { .kind = kinds[random_below(COUNT(kinds))],
                            .level = STEP_LEVEL_INFO,
                            .operation = operation,
                            .stamp = now,
                            .ticks = now,
                            .step = site->step,
                            .total = site->total };
    draft.operation_name = stepi_text_of("Provider: Fetch Models");
    draft.description = random_below(10) == 0 ? (stepi_text_t){ .bytes = NULL } : text_of(site->text);
    draft.text = text_of(site->text);
    if (draft.kind == STEPI_OPERATION_START)
        draft.parts |= STEPI_PART_OPERATION;
    if (draft.kind == STEPI_STEP_START)
        draft.parts |= STEPI_PART_STEP | STEPI_PART_DESCRIPTION;
    if (draft.kind == STEPI_MESSAGE || draft.kind == STEPI_STEP_SKIP || draft.kind == STEPI_STEP_FAILURE)
        draft.parts |= STEPI_PART_TEXT;
    push_draft(&draft);
}

static void push_some(void)
{
    for (int i = 0; i < RECORDS; i++) {
        const uint64_t operation = FIRST + random_below(OPERATIONS);
        const site_t *site = &sites[random_below(SITES)];
        now += random_below(1000000);
        if (random_below(3) == 0)
            push_other(operation);
        if (site->parts == STEPI_BRIEF_SUCCESS && random_below(8) != 0)
            push_step(site, operation);
        push_brief(site, operation);
    }
}

/* ---- Logs ---- */

static size_t briefs_written;
static bool (*render_brief)(step_format_t *format, const stepi_brief_t *brief, stepi_out_t *out);

static bool count_brief(step_format_t *format, const stepi_brief_t *brief, stepi_out_t *out)
{
    const bool is_written = render_brief(format, brief, out);
    briefs_written += is_written;
    return is_written;
}

static void watch_briefs(void)
{
    step_format_t *format = sides[0].log->backend.outputs[0]->format;
    briefs_written = 0;
    render_brief = format->render_brief;
    format->render_brief = count_brief;
}

static void run(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        push_some();
        check_same_lines();
    }
}

static void one_output(void **state)
{
    (void)state;
    const step_log_options_t options = quiet_options();
    open_sides(&options);
    watch_briefs();
    run();
    assert_true(briefs_written > ROUNDS * RECORDS / 4);
    close_sides();
}

/* Of records below its level an output sees none; those that two outputs show go to both. */
static void outputs_with_levels(void **state)
{
    (void)state;
    static fake_sink_t others[2];
    const step_log_options_t options = quiet_options();
    open_sides(&options);
    watch_briefs();
    for (int i = 0; i < 2; i++) {
        fake_make(&others[i], false);
        assert_int_equal(step_log_add_output(sides[i].log, &others[i].sink, step_format_text(), STEP_LEVEL_WARNING),
                         STEP_OK);
    }
    for (int round = 0; round < ROUNDS; round++) {
        push_some();
        check_same_lines();
        char *text = fake_text(&others[1]);
        assert_took(&others[0], text);
        free(text);
        others[0].used = others[1].used = 0;
    }
    assert_true(briefs_written > ROUNDS * RECORDS / 8);
    close_sides();
}

/* What has something to add to a line, or holds it back, has to see it. */
static void nothing_is_forgotten(void **state)
{
    (void)state;
    step_log_options_t options = quiet_options();
    open_sides(&options);
    watch_briefs();
    for (int round = 0; round < 10; round++) {
        push_some();
        check_same_lines();
    }
    assert_true(briefs_written > 0);
    briefs_written = 0;
    for (int i = 0; i < 2; i++)
        step_log_bind(sides[i].log, step_kv("host", "a"));
    run();
    assert_int_equal(briefs_written, 0);
    close_sides();

    for (int i = 0; i < 2; i++) {
        options.flight_recorder_bytes = i == 0 ? 4096 : 0;
        options.sample_rate = i == 0 ? 1.0 : 0.5;
        open_sides(&options);
        watch_briefs();
        run();
        assert_int_equal(briefs_written, 0);
        close_sides();
    }
}

/* A sink that fails: the same records are lost, and said to be. */
static void losses(void **state)
{
    (void)state;
    const step_log_options_t options = quiet_options();
    open_sides(&options);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 2; i++) {
            sides[i].sink.error = round % 3 == 1 ? ENOSPC : 0;
            sides[i].sink.takes = (size_t)(round * 37 % 3000);
        }
        push_some();
        check_same_lines();
    }
    step_stats_t stats[2];
    for (int i = 0; i < 2; i++) {
        stats[i] = (step_stats_t){ .size = sizeof(step_stats_t) };
        step_log_stats(sides[i].log, &stats[i]);
    }
    assert_int_equal(stats[0].written, stats[1].written);
    assert_int_equal(stats[0].dropped, stats[1].dropped);
    assert_true(stats[0].dropped > 0);
    close_sides();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_output),
        cmocka_unit_test(outputs_with_levels),
        cmocka_unit_test(nothing_is_forgotten),
        cmocka_unit_test(losses),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
