/* steplog incomplete: operations without COMPLETE. One that failed last is `failed`, any other is `open`: it was killed, it
 * hangs, or the log ends before it does. */
#include "steplog/command.h"

typedef struct incomplete {
    stepi_cli_t *cli;
    int64_t found;
} incomplete_t;

typedef struct last {
    bool has_step;
    int32_t step, total;
    stepi_text_t description;
} last_t;

/* The step that it was in: the line of an end that was reported knows, else the operation does. */
static last_t last_step(const stepi_op_t *op, const stepi_event_t *event)
{
    if (op != NULL && op->has_step)
        return (last_t){ true, op->step, op->total, stepi_kept_text(&op->description) };
    if (event != NULL && event->has_step)
        return (last_t){ true, event->step, event->total, event->description };
    return (last_t){ .has_step = false };
}

static void print_open(stepi_cli_t *cli, const stepi_op_t *op, const stepi_event_t *event, stepi_place_t place)
{
    stepi_print_t *print = cli->print;
    const char *log = stepi_log_name(cli->names, cli->name_count, place.log);
    const stepi_text_t operation = stepi_operation_of(op, event);
    const last_t last = last_step(op, event);
    const bool has_failed = op != NULL && stepi_op_failed(op);
    const stepi_text_t error = has_failed ? stepi_kept_text(&op->error) : (stepi_text_t){ .bytes = NULL };
    if (cli->json) {
        stepi_json_begin(print);
        stepi_json_operation(print, &operation);
        stepi_json_string(print, "status", has_failed ? "failed" : "open");
        if (last.has_step) {
            stepi_json_integer(print, "last_step", last.step);
            if (last.total > 0)
                stepi_json_integer(print, "total_steps", last.total);
            stepi_json_text(print, "description", &last.description);
        }
        if (has_failed)
            stepi_json_text(print, "error", &error);
        stepi_json_place(print, log, place.line);
        stepi_json_end(print);
        return;
    }
    stepi_print_place(print, log, place.line);
    stepi_print_literal(print, ": ");
    stepi_print_color(print, has_failed ? STEPI_COLOR_BAD : STEPI_COLOR_WARN);
    stepi_print_string(print, has_failed ? "failed" : "open");
    stepi_print_color(print, STEPI_COLOR_NONE);
    stepi_print_literal(print, "  ");
    const stepi_event_t subject = {
        .has_step = last.has_step, .step = last.step, .total = last.total, .description = last.description
    };
    stepi_print_subject(print, &operation, &subject);
    if (has_failed) {
        stepi_print_literal(print, ": ");
        stepi_print_text(print, &error);
    }
    stepi_print_literal(print, "\n");
}

static void see_end(void *context, stepi_op_t *op, stepi_ending_t ending, const stepi_event_t *event,
                    stepi_place_t place)
{
    incomplete_t *i = context;
    if (ending == STEPI_ENDED)
        return;
    const stepi_text_t operation = stepi_operation_of(op, event);
    if (!stepi_holds(&operation, i->cli->operation))
        return;
    print_open(i->cli, op, event, op != NULL ? (stepi_place_t){ op->log, op->line } : place);
    i->found++;
}

int64_t stepi_incomplete(stepi_cli_t *cli, size_t *unreadable)
{
    incomplete_t i = { .cli = cli };
    const stepi_watcher_t watcher = { .context = &i, .ended = see_end };
    return stepi_watch_logs(cli, cli->names, cli->name_count, &watcher, unreadable) < 0 ? -1 : i.found;
}
