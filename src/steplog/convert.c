/* steplog convert --to FORMAT: the same lines in another format, in their order. Blocks are converted by all cores; lines that
 * are not step_logger's have no place in any of the formats: they are left out, and their number is told. */
#include "reader/put.h"
#include "steplog/command.h"

#include "base/number.h"

typedef struct convert {
    stepi_cli_t *cli;
    stepi_put_options_t options;
    int64_t converted, foreign;
} convert_t;

static void *begin(void *context)
{
    const convert_t *c = context;
    return stepi_putter_new(&c->options);
}

static void end(void *own)
{
    stepi_putter_free(own);
}

/* Appends the line to the result, with more room until it fits. */
static void put_line(stepi_reader_t *reader, const stepi_entry_t *entry, stepi_result_t *result)
{
    enum { ROOM_FIRST = 1024, ROOM_MAX = 8 * STEPI_LINE_MAX };
    for (size_t bytes = ROOM_FIRST; bytes <= ROOM_MAX; bytes *= 4) {
        char *room = stepi_result_room(result, bytes);
        if (room == NULL)
            return;
        stepi_out_t out = stepi_out_over(room, result->capacity - result->used);
        stepi_put_entry(result->own, reader, entry, &out);
        if (!out.overflow) {
            result->used += (size_t)(out.at - room);
            return;
        }
    }
}

static void scan(void *context, stepi_reader_t *reader, const stepi_block_t *block, stepi_result_t *result)
{
    const convert_t *c = context;
    const char *at = block->bytes + block->start, *stop = block->bytes + block->end;
    stepi_entry_t entry;
    while (at < stop) {
        const stepi_span_t line = stepi_next_line(&at, stop);
        result->counts.lines++;
        if (!stepi_read_line(reader, line, &entry)) {
            result->counts.foreign += line.at < line.end ? 1 : 0;
            continue;
        }
        result->counts.entries++;
        if (stepi_filter_takes(&c->cli->filter, &entry, &result->counts))
            put_line(reader, &entry, result);
    }
}

static bool merge(void *context, const stepi_block_t *block, const stepi_result_t *result, uint64_t first_line)
{
    convert_t *c = context;
    (void)first_line;
    c->converted += (int64_t)result->counts.entries;
    c->foreign += (int64_t)(result->counts.foreign + block->overlong);
    stepi_print_raw(c->cli->print, result->room, result->used);
    return !c->cli->print->failed;
}

static void tell_foreign(const convert_t *c)
{
    char bytes[128];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    if (c->foreign == 0 || c->converted == 0)
        return;
    stepi_put_lines(&out, (uint64_t)c->foreign, "is not step_logger's and was left out",
                    "are not step_logger's and were left out");
    stepi_put_char(&out, '\0');
    stepi_complain("note", bytes);
}

int64_t stepi_convert(stepi_cli_t *cli, size_t *unreadable)
{
    convert_t c = { .cli = cli,
                    .options = { .form = cli->to,
                                 .without_times = cli->without_times,
                                 .ascii = cli->ascii,
                                 .color = cli->print->color } };
    stepi_job_t job = { .context = &c, .begin = begin, .end = end, .scan = scan, .merge = merge };
    if (stepi_run_job(cli->names, cli->name_count, &job, unreadable) < 0)
        return -1;
    tell_foreign(&c);
    return c.converted;
}
