/* steplog failures: failed steps, and operations that failed without one, in the order of the log. */
#include "steplog/find.h"
#include "steplog/quick.h"

typedef struct failures {
    stepi_cli_t *cli;
    int64_t found;
    stepi_place_t from; /* what stands before was printed already */
} failures_t;

static void print_failure(stepi_cli_t *cli, const stepi_text_t *operation, const stepi_event_t *event,
                          stepi_place_t place)
{
    stepi_print_t *print = cli->print;
    const char *log = stepi_log_name(cli->names, cli->name_count, place.log);
    if (cli->json) {
        stepi_json_begin(print);
        stepi_json_operation(print, operation);
        stepi_json_step(print, event->has_step, event->step, event->total, &event->description);
        stepi_json_text(print, "error", &event->text);
        if (event->has_ms)
            stepi_json_number(print, "duration_ms", event->ms);
        stepi_json_place(print, log, place.line);
        stepi_json_end(print);
        return;
    }
    stepi_print_place(print, log, place.line);
    stepi_print_literal(print, ": ");
    stepi_print_subject(print, operation, event);
    stepi_print_literal(print, ": ");
    stepi_print_color(print, STEPI_COLOR_BAD);
    stepi_print_text(print, &event->text);
    stepi_print_color(print, STEPI_COLOR_NONE);
    if (event->has_ms) {
        stepi_print_literal(print, " (");
        stepi_print_ms(print, event->ms);
        stepi_print_literal(print, " ms)");
    }
    stepi_print_literal(print, "\n");
}

static bool is_before(stepi_place_t a, stepi_place_t b)
{
    return a.log < b.log || (a.log == b.log && a.line < b.line);
}

static void see_step(void *context, stepi_op_t *op, const stepi_event_t *event, stepi_place_t place)
{
    failures_t *f = context;
    if (event->kind != STEPI_STEP_FAILURE || !stepi_is_wanted(f->cli, op, event) || is_before(place, f->from))
        return;
    const stepi_text_t operation = stepi_operation_of(op, event);
    print_failure(f->cli, &operation, event, place);
    f->found++;
}

/* ---- Without reading all lines ---- */

static const char *find(void *context, const char *at, const char *end, uint64_t *lines)
{
    (void)context;
    return stepi_find_fail(at, end, lines);
}

static bool is_answer(void *context, const stepi_event_t *event)
{
    (void)context;
    return event->kind == STEPI_STEP_FAILURE;
}

static void answer(void *context, const stepi_event_t *event, stepi_place_t place)
{
    see_step(context, NULL, event, place);
}

int64_t stepi_failures(stepi_cli_t *cli, size_t *unreadable)
{
    failures_t f = { .cli = cli };
    const stepi_watcher_t watcher = { .context = &f, .step = see_step };
    stepi_quick_t quick = { .cli = cli, .context = &f, .find = find, .is_answer = is_answer, .answer = answer };
    if (stepi_can_be_quick(cli)) {
        if (stepi_run_quick(&quick, unreadable) < 0)
            return -1;
        if (!quick.is_unsure)
            return f.found;
        f.from = quick.unsure_at;
    }
    return stepi_watch_logs(cli, cli->names, cli->name_count, &watcher, unreadable) < 0 ? -1 : f.found;
}
