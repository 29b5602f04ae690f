#include "steplog/quick.h"

#include <sys/stat.h>

bool stepi_can_be_quick(const stepi_cli_t *cli)
{
    if (cli->filter.has_since || cli->filter.has_until || cli->name_count == 0)
        return false;
    for (size_t i = 0; i < cli->name_count; i++) {
        struct stat status;
        if (stat(cli->names[i], &status) != 0 || !S_ISREG(status.st_mode))
            return false;
    }
    return true;
}

static void *begin(void *context)
{
    (void)context;
    return stepi_lookback_new();
}

static void end(void *own)
{
    stepi_lookback_free(own);
}

/* A block's first line stands for the others when it is asked whether the log is one of ours at all. */
static void look_at_first_line(stepi_reader_t *reader, const stepi_block_t *block, stepi_result_t *result)
{
    stepi_entry_t entry;
    const char *at = block->bytes + block->start;
    if (block->start < block->end)
        result->counts.entries +=
            stepi_read_line(reader, stepi_next_line(&at, block->bytes + block->end), &entry) ? 1 : 0;
}

/* Reads the line; true if it goes on. */
static bool scan_line(stepi_quick_t *quick, stepi_reader_t *reader, const stepi_block_t *block, stepi_span_t line,
                      stepi_result_t *result)
{
    stepi_entry_t entry;
    stepi_event_t event;
    if (!stepi_read_line(reader, line, &entry))
        return true;
    result->counts.entries++;
    stepi_event_of(reader, &entry, block, result, &event);
    event.line = (uint32_t)result->counts.lines;
    if (!quick->is_answer(quick->context, &event) || !stepi_holds(&event.description, quick->cli->step))
        return true;
    char *room = stepi_result_room(result, sizeof(event));
    if (room == NULL || !stepi_look_back(result->own, reader, block, line.at, result, &event)) {
        result->is_unsure = true;
        return false;
    }
    if (!stepi_holds(&event.operation, quick->cli->operation))
        return true;
    memcpy(room, &event, sizeof(event));
    result->used += sizeof(event);
    return true;
}

static void scan(void *context, stepi_reader_t *reader, const stepi_block_t *block, stepi_result_t *result)
{
    stepi_quick_t *quick = context;
    const char *start = block->bytes + block->start, *stop = block->bytes + block->end;
    stepi_lookback_begin(result->own, quick->input, block);
    look_at_first_line(reader, block, result);
    for (const char *at = start; at < stop;) {
        const char *found = quick->find(quick->context, at, stop, &result->counts.lines);
        if (found == NULL) {
            result->counts.lines += stop[-1] != '\n' ? 1 : 0;
            return;
        }
        const char *feed = memrchr(at, '\n', (size_t)(found - at));
        at = feed != NULL ? feed + 1 : at;
        if (!scan_line(quick, reader, block, stepi_next_line(&at, stop), result))
            return;
        result->counts.lines++;
    }
}

static bool merge(void *context, const stepi_block_t *block, const stepi_result_t *result, uint64_t first_line)
{
    stepi_quick_t *quick = context;
    const stepi_event_t *events = (const stepi_event_t *)(const void *)result->room;
    quick->ours += result->counts.entries;
    if (result->is_unsure) {
        quick->is_unsure = true;
        quick->unsure_at = (stepi_place_t){ block->log, first_line };
        return false;
    }
    for (size_t i = 0; i < result->used / sizeof(*events); i++)
        quick->answer(quick->context, &events[i], (stepi_place_t){ block->log, first_line + events[i].line });
    return !quick->cli->print->failed;
}

int stepi_run_quick(stepi_quick_t *quick, size_t *unreadable)
{
    stepi_job_t job = {
        .context = quick, .begin = begin, .end = end, .scan = scan, .merge = merge, .shows_progress = true
    };
    stepi_counts_t counts;
    size_t failures = 0;
    quick->input = stepi_input_open(quick->cli->names, quick->cli->name_count);
    const bool is_done = quick->input != NULL && stepi_pool_run(quick->input, &job, &counts);
    if (is_done)
        failures = stepi_input_failures(quick->input);
    stepi_input_close(quick->input);
    if (!is_done) {
        stepi_complain("error", "no memory");
        return -1;
    }
    if (failures == 0 && !quick->is_unsure &&
        quick->ours == 0) { /* perhaps none of ours: count all lines, and say so */
        quick->is_unsure = true;
        quick->unsure_at = (stepi_place_t){ .log = 0, .line = 0 };
    }
    if (quick->is_unsure)
        return 0;
    *unreadable += failures;
    counts.entries = quick->ours;
    counts.foreign = 0; /* most lines were not looked at */
    stepi_tell_counts(&counts);
    return 0;
}
