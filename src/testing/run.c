#include "testing/run.h"

#include "testing/pattern.h"

#include <string.h>

static bool is_event(const step_captured_t *line, const char *event)
{
    return strcmp(line->event, event) == 0;
}

/* Where the latest run begins; the number of lines if there is none. */
static size_t find_start(const step_capture_t *capture, const char *operation)
{
    for (size_t i = capture->count; i > 0; i--) {
        const step_captured_t *line = capture->lines[i - 1];
        if (is_event(line, "operation_start") && stepi_pattern_fits(operation, line->operation))
            return i - 1;
    }
    return capture->count;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Operations of one name may run at the same time: where lines have ids, these tell them apart. */
static bool is_of_run(const step_captured_t *start, const step_captured_t *line)
{
    if (!same_text(start->operation, line->operation))
        return false;
    return start->span_id == NULL || same_text(start->span_id, line->span_id) ||
           same_text(start->span_id, line->parent_span_id);
}

/* ---- The course ---- */

typedef struct course {
    stepi_run_t *run;
    int open_step; /* or STEP_NO_STEP */
} course_t;

static void put_term(course_t *c, int step, const char *outcome)
{
    if (c->run->course.used > 0)
        stepi_strbuf_text(&c->run->course, ", ");
    if (step != STEP_NO_STEP)
        stepi_strbuf_format(&c->run->course, "%d ", step);
    stepi_strbuf_text(&c->run->course, outcome);
}

static void leave_step_open(course_t *c)
{
    if (c->open_step != STEP_NO_STEP)
        put_term(c, c->open_step, "open");
    c->open_step = STEP_NO_STEP;
}

static void end_operation(course_t *c, const char *outcome)
{
    leave_step_open(c);
    put_term(c, STEP_NO_STEP, outcome);
    c->run->is_open = false;
}

static void end_step(course_t *c, const step_captured_t *line, const char *outcome)
{
    c->open_step = STEP_NO_STEP;
    put_term(c, line->step, outcome);
    c->run->is_open = line->error == NULL;
}

static void follow(course_t *c, const step_captured_t *line)
{
    if (is_event(line, "step_start")) {
        leave_step_open(c);
        c->open_step = line->step;
        c->run->is_open = true;
    } else if (is_event(line, "step_success")) {
        end_step(c, line, "succeeded");
    } else if (is_event(line, "step_skip")) {
        end_step(c, line, "skipped");
    } else if (is_event(line, "step_failure")) {
        end_step(c, line, "failed");
    } else if (is_event(line, "operation_complete")) {
        end_operation(c, "completed");
    } else if (is_event(line, "operation_incomplete")) {
        end_operation(c, "incomplete");
    }
}

stepi_run_t stepi_latest_run(const step_capture_t *capture, const char *operation)
{
    stepi_run_t run = { .course = stepi_strbuf(STEPI_STRBUF_MAX) };
    course_t c = { .run = &run, .open_step = STEP_NO_STEP };
    const size_t start = find_start(capture, operation);
    run.has_started = run.is_open = start < capture->count;
    for (size_t i = start + 1; i < capture->count; i++)
        if (is_of_run(capture->lines[start], capture->lines[i]))
            follow(&c, capture->lines[i]);
    leave_step_open(&c);
    return run;
}

int stepi_count_attempts(const step_capture_t *capture, const char *operation, int step)
{
    const size_t start = find_start(capture, operation);
    int attempts = 0;
    for (size_t i = start + 1; i < capture->count; i++) {
        const step_captured_t *line = capture->lines[i];
        if (is_event(line, "step_start") && is_of_run(capture->lines[start], line) &&
            (step == STEP_ANY_STEP || step == line->step) && line->attempt > attempts)
            attempts = line->attempt;
    }
    return attempts;
}
