/* Checks an expectation against the lines of a capture, and says what is wrong:
 *
 *     expected: "Provider Fetch" failed at step 2 with "HTTP 503*"
 *     found:    no such line; the nearest, marked below, differs: its error is "HTTP 500"
 *     the log:
 *         [INFO] 🚀 START: Provider Fetch
 *       > [ERROR] ❌ [2/4] Fetching - FAILED: HTTP 500 (duration_ms=250.0)
 */
#include "testing/explain.h"

#include "testing/pattern.h"

/* ---- Lines ---- */

/* How far from what is expected a line is: a step that ended otherwise is nearer than another step. */
static unsigned distance_of(uint32_t differences)
{
    static const unsigned weights[] = {
        [STEPI_ASPECT_EVENT] = 40, [STEPI_ASPECT_OPERATION] = 160, [STEPI_ASPECT_STEP] = 80,
        [STEPI_ASPECT_LEVEL] = 20, [STEPI_ASPECT_TEXT] = 30,
    };
    unsigned distance = 0;
    for (uint32_t aspect = 0; differences >> aspect != 0; aspect++)
        if (differences >> aspect & 1)
            distance += aspect < STEPI_ASPECT_FIELD ? weights[aspect] : 1;
    return distance;
}

/* Of the operation, and of that kind or at least of that step: other lines explain nothing. */
static bool is_near(const step_expectation_t *e, uint32_t differences)
{
    const uint32_t other_event = differences >> STEPI_ASPECT_EVENT & 1;
    const uint32_t other_step = differences >> STEPI_ASPECT_STEP & 1;
    if (differences >> STEPI_ASPECT_OPERATION & 1 || e->kind == STEPI_EXPECT_NOTHING_FROM)
        return false;
    return other_event == 0 || (e->step != STEP_ANY_STEP && other_step == 0);
}

static void look_at_lines(const step_capture_t *capture, const step_expectation_t *e, stepi_finding_t *f)
{
    unsigned nearest = ~0u;
    for (size_t i = 0; i < capture->count; i++) {
        const uint32_t differences = stepi_differences(e, capture->lines[i]);
        const unsigned distance = distance_of(differences);
        if (differences == 0) {
            f->count++;
        } else if (is_near(e, differences) && distance <= nearest) {
            nearest = distance;
            f->nearest = capture->lines[i];
            f->differences = differences;
        }
    }
}

/* ---- The whole ---- */

static bool is_in_course(const step_expectation_t *e, const stepi_run_t *run)
{
    return run->has_started && !run->course.failed && stepi_pattern_fits(e->text, stepi_strbuf_get(&run->course));
}

static size_t look(const step_capture_t *capture, const step_expectation_t *e, stepi_finding_t *f)
{
    switch (e->kind) {
    case STEPI_EXPECT_RETRIED:
        f->attempts = stepi_count_attempts(capture, e->operation, e->step);
        return f->attempts > 0 && f->attempts - 1 == e->number;
    case STEPI_EXPECT_COURSE:
        f->run = stepi_latest_run(capture, e->operation);
        return is_in_course(e, &f->run);
    case STEPI_EXPECT_IS_OPEN:
        f->run = stepi_latest_run(capture, e->operation);
        return f->run.is_open;
    case STEPI_EXPECT_NOTHING_FROM:
        look_at_lines(capture, e, f);
        return f->count == 0;
    default:
        look_at_lines(capture, e, f);
        return f->count;
    }
}

/* NULL, or why this can be expected of no log. */
static const char *why_senseless(const step_expectation_t *e)
{
    if (e->kind < STEPI_EXPECT_STARTED || e->kind > STEPI_EXPECT_IS_OPEN)
        return "what is expected was not made by one of the functions for that";
    if (e->field_count > STEP_EXPECTED_FIELDS)
        return "more fields are expected than STEP_EXPECTED_FIELDS";
    if (e->field_count > 0 && e->kind >= STEPI_EXPECT_NOTHING_FROM)
        return "this expectation is not about one line, which could have fields";
    return NULL;
}

const char *step_capture_check(step_capture_t *capture, step_expectation_t expectation)
{
    const step_expectation_t *e = &expectation;
    if (capture == NULL)
        return "there is no capture (step_capture_new() returned NULL)";
    stepi_finding_t finding = { .trouble = stepi_capture_update(capture) };
    if (finding.trouble == NULL)
        finding.trouble = why_senseless(e);
    const size_t count = finding.trouble == NULL ? look(capture, e, &finding) : 0;
    const bool is_met = e->times < 0 ? count > 0 : count == (size_t)e->times;
    const char *text = NULL;
    if (finding.trouble != NULL || finding.run.course.failed || !is_met)
        text = stepi_explain(capture, e, &finding);
    stepi_strbuf_free(&finding.run.course);
    return text;
}

bool step_capture_meets(step_capture_t *capture, step_expectation_t expectation)
{
    return step_capture_check(capture, expectation) == NULL;
}

const step_captured_t *step_capture_find(step_capture_t *capture, step_expectation_t expectation)
{
    if (capture == NULL || why_senseless(&expectation) != NULL || expectation.kind > STEPI_EXPECT_NOTHING_FROM)
        return NULL;
    stepi_capture_update(capture);
    for (size_t i = 0; i < capture->count; i++)
        if (stepi_differences(&expectation, capture->lines[i]) == 0)
            return capture->lines[i];
    return NULL;
}
