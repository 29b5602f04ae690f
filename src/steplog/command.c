#include "steplog/command.h"

#include "base/number.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- Running ---- */

static const char *const standard_input[] = { "-" };

const char *stepi_log_name(const char *const *names, size_t count, uint32_t log)
{
    return count > 0 ? names[log] : standard_input[0];
}

void stepi_put_lines(stepi_out_t *out, uint64_t lines, const char *of_one, const char *of_many)
{
    stepi_put_u64(out, lines);
    stepi_put_string(out, lines == 1 ? " line " : " lines ");
    stepi_put_string(out, lines == 1 ? of_one : of_many);
}

void stepi_tell_counts(const stepi_counts_t *counts)
{
    char bytes[256];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    if (counts->entries == 0 && counts->foreign > counts->overlong) {
        stepi_put_lines(&out, counts->foreign, "is not step_logger's, and there is no other",
                        "are not step_logger's, and there are no others");
    } else if (counts->untimed > 0) {
        stepi_put_lines(&out, counts->untimed, "says no time: --since and --until leave it out",
                        "say no time: --since and --until leave them out");
    }
    if (counts->overlong > 0) {
        stepi_put(&out, "; ", out.at > bytes ? 2 : 0);
        stepi_put_lines(&out, counts->overlong, "of more than 16 MiB was skipped", "of more than 16 MiB were skipped");
    }
    if (out.at == bytes)
        return;
    stepi_put_char(&out, '\0');
    stepi_complain("note", bytes);
}

int stepi_run_job(const char *const *names, size_t count, stepi_job_t *job, size_t *unreadable)
{
    stepi_counts_t counts;
    stepi_input_t *input = stepi_input_open(names, count);
    job->shows_progress = true;
    if (input == NULL || !stepi_pool_run(input, job, &counts)) {
        stepi_input_close(input);
        stepi_complain("error", "no memory");
        return -1;
    }
    *unreadable += stepi_input_failures(input);
    stepi_input_close(input);
    stepi_tell_counts(&counts);
    return 0;
}

/* ---- Through a tracker ---- */

typedef struct watching {
    stepi_cli_t *cli;
    stepi_tracker_t *tracker;
} watching_t;

static void scan(void *context, stepi_reader_t *reader, const stepi_block_t *block, stepi_result_t *result)
{
    const watching_t *w = context;
    stepi_scan_events(&w->cli->filter, reader, block, result);
}

static bool merge(void *context, const stepi_block_t *block, const stepi_result_t *result, uint64_t first_line)
{
    watching_t *w = context;
    const stepi_event_t *events = (const stepi_event_t *)(const void *)result->room;
    const size_t count = result->used / sizeof(*events);
    for (size_t i = 0; i < count; i++)
        stepi_tracker_feed(w->tracker, &events[i], (stepi_place_t){ block->log, first_line + events[i].line });
    return !w->cli->print->failed;
}

int stepi_watch_logs(stepi_cli_t *cli, const char *const *names, size_t count, const stepi_watcher_t *watcher,
                     size_t *unreadable)
{
    watching_t w = { .cli = cli, .tracker = stepi_tracker_new(watcher) };
    stepi_job_t job = { .context = &w, .scan = scan, .merge = merge };
    if (w.tracker == NULL) {
        stepi_complain("error", "no memory");
        return -1;
    }
    const int result = stepi_run_job(names, count, &job, unreadable);
    if (result == 0)
        stepi_tracker_end(w.tracker);
    stepi_tracker_free(w.tracker);
    return result;
}

/* ---- What is wanted ---- */

bool stepi_holds(const stepi_text_t *text, const char *part)
{
    return part == NULL || (text->bytes != NULL && memmem(text->bytes, text->length, part, strlen(part)) != NULL);
}

stepi_text_t stepi_operation_of(const stepi_op_t *op, const stepi_event_t *event)
{
    if (event != NULL && event->operation.bytes != NULL)
        return event->operation;
    return op != NULL ? stepi_kept_text(&op->name) : (stepi_text_t){ .bytes = NULL };
}

bool stepi_is_wanted(const stepi_cli_t *cli, const stepi_op_t *op, const stepi_event_t *event)
{
    const stepi_text_t operation = stepi_operation_of(op, event);
    return stepi_holds(&operation, cli->operation) && stepi_holds(&event->description, cli->step);
}

/* ---- Parts of answers ---- */

enum { TAG_ROOM = 48 };

static size_t put_tag(char bytes[TAG_ROOM], int32_t step, int32_t total)
{
    stepi_out_t out = stepi_out_over(bytes, TAG_ROOM);
    if (total > 0) {
        stepi_put_char(&out, '[');
        stepi_put_i64(&out, step);
        stepi_put_char(&out, '/');
        stepi_put_i64(&out, total);
    } else {
        stepi_put_literal(&out, "[Step ");
        stepi_put_i64(&out, step);
    }
    stepi_put_literal(&out, "] ");
    return (size_t)(out.at - bytes);
}

size_t stepi_tag_columns(int32_t step, int32_t total)
{
    char bytes[TAG_ROOM];
    return put_tag(bytes, step, total);
}

void stepi_print_tag(stepi_print_t *print, int32_t step, int32_t total)
{
    char bytes[TAG_ROOM];
    const size_t length = put_tag(bytes, step, total);
    stepi_print_raw(print, bytes, length);
}

void stepi_print_subject(stepi_print_t *print, const stepi_text_t *operation, const stepi_event_t *event)
{
    if (operation->bytes != NULL) {
        stepi_print_color(print, STEPI_COLOR_BOLD);
        stepi_print_text(print, operation);
        stepi_print_color(print, STEPI_COLOR_NONE);
    }
    if (!event->has_step)
        return;
    if (operation->bytes != NULL)
        stepi_print_literal(print, ": ");
    stepi_print_tag(print, event->step, event->total);
    stepi_print_text(print, &event->description);
}

void stepi_print_place(stepi_print_t *print, const char *log, uint64_t line)
{
    const stepi_text_t name = stepi_text_from(log);
    stepi_print_color(print, STEPI_COLOR_DIM);
    stepi_print_text(print, &name);
    stepi_print_literal(print, ":");
    stepi_print_count(print, line);
    stepi_print_color(print, STEPI_COLOR_NONE);
}

void stepi_json_operation(stepi_print_t *print, const stepi_text_t *operation)
{
    stepi_json_text(print, "operation", operation);
}

void stepi_json_step(stepi_print_t *print, bool has_step, int32_t step, int32_t total, const stepi_text_t *description)
{
    if (!has_step)
        return;
    stepi_json_integer(print, "step", step);
    if (total > 0)
        stepi_json_integer(print, "total_steps", total);
    stepi_json_text(print, "description", description);
}

void stepi_json_place(stepi_print_t *print, const char *log, uint64_t line)
{
    stepi_json_string(print, "log", log);
    stepi_json_count(print, "log_line", line);
}
