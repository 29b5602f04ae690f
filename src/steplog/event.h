/* What the commands look at: a line about an operation or a step, its texts as they were logged. */
#ifndef STEPI_STEPLOG_EVENT_H
#define STEPI_STEPLOG_EVENT_H

#include "reader/reader.h"
#include "steplog/pool.h"

typedef struct stepi_event {
    stepi_kind_t kind;
    stepi_form_t form;
    uint32_t depth;
    uint32_t line; /* of its block, from 0 */
    bool has_step, has_ms;
    int32_t step, total;                 /* total 0: unknown */
    double ms;                           /* of the step, of the operation where that ends */
    double weight;                       /* for how many lines it stands: 1 / sample_rate */
    uint64_t stream;                     /* stepi_stream_of() */
    uint64_t span, parent_span;          /* numbers for these ids; 0: the line does not say */
    stepi_text_t operation, description; /* bytes NULL: the line does not say */
    stepi_text_t text;                   /* error or reason */
} stepi_event_t;

/* Which lines count. Times are in nanoseconds since the Unix epoch. */
typedef struct stepi_filter {
    bool has_since, has_until;
    int64_t since_ns, until_ns; /* since <= time < until */
} stepi_filter_t;

/* Whether the entry's time is wanted. What says no time is not, when any is asked for, and is counted. */
bool stepi_filter_takes(const stepi_filter_t *filter, const stepi_entry_t *entry, stepi_counts_t *counts);

/* Whether a line is of a step. A failure may be of the operation itself. */
static inline bool stepi_is_step_kind(stepi_kind_t kind)
{
    return kind == STEPI_STEP_START || kind == STEPI_STEP_SUCCESS || kind == STEPI_STEP_FAILURE ||
           kind == STEPI_STEP_SKIP;
}

/* A number for the trace of a line, else for its process and thread; 0: the line does not say. */
uint64_t stepi_stream_of(const stepi_entry_t *entry);

/* For how many lines the entry stands: 1 / sample_rate where it says one. */
double stepi_weight_of(const stepi_entry_t *entry);

/* Makes an event of an entry. Texts that do not stand in the block as they are meant are kept in the result. */
void stepi_event_of(stepi_reader_t *reader, const stepi_entry_t *entry, const stepi_block_t *block,
                    stepi_result_t *result, stepi_event_t *event);

/* Scans a block into events, of all kinds but messages, progress and losses: result->room is an array of them. */
void stepi_scan_events(const stepi_filter_t *filter, stepi_reader_t *reader, const stepi_block_t *block,
                       stepi_result_t *result);

/* The line at *at, which goes behind it. */
static inline stepi_span_t stepi_next_line(const char **at, const char *end)
{
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    const stepi_span_t line = { *at, feed != NULL ? feed : end };
    *at = feed != NULL ? feed + 1 : end;
    return line;
}

#endif
