/* Blocks are scanned by as many threads as there are cores, and their results put together in the order of the log.
 *
 *     thread:  a free slot ─> next block ─> scan ─┐
 *     thread:  a free slot ─> next block ─> scan ─┴─> merge, block after block ─> the slot is free again
 *
 * Whoever finishes the block that comes next merges it, and those behind it that are finished, too; only one thread does at
 * a time, and nobody waits for another unless all slots are full. A thread takes a slot before it takes a block, so the block that
 * comes next is always in somebody's hands. Memory is the slots: a few for each thread. */
#ifndef STEPI_STEPLOG_POOL_H
#define STEPI_STEPLOG_POOL_H

#include "reader/reader.h"
#include "steplog/input.h"

/* What was in a block. */
typedef struct stepi_counts {
    uint64_t lines;   /* all, for numbering */
    uint64_t entries; /* ours */
    uint64_t foreign;
    uint64_t overlong;
    uint64_t untimed; /* left out by --since or --until because they say no time */
} stepi_counts_t;

/* What a scan found, in memory that is used again for later blocks. */
typedef struct stepi_result {
    char *room;
    size_t capacity, used;
    struct stepi_chunk *chunks; /* texts that do not stand in the block as they are meant */
    stepi_counts_t counts;
    bool is_unsure;     /* the scan could not answer by itself */
    bool has_no_memory; /* the answer would lack something: the job ends */
    void *own;          /* what the job made for the thread that scans */
} stepi_result_t;

/* Room for `bytes` more, at room + used; NULL without memory. What points into room is then void. */
char *stepi_result_room(stepi_result_t *result, size_t bytes);

/* A copy that holds until the block was merged; bytes NULL without memory. */
const char *stepi_result_keep(stepi_result_t *result, const char *bytes, size_t length);

typedef struct stepi_job {
    void *context;
    /* What each thread has for itself, result->own; NULL: nothing. begin returns NULL without memory. */
    void *(*begin)(void *context);
    void (*end)(void *own);
    /* On any thread. `reader` is that thread's. */
    void (*scan)(void *context, stepi_reader_t *reader, const stepi_block_t *block, stepi_result_t *result);
    /* In order, never two at once; first_line is the number of the block's first line in its log, from 1. False: stop. */
    bool (*merge)(void *context, const stepi_block_t *block, const stepi_result_t *result, uint64_t first_line);
    bool shows_progress;
} stepi_job_t;

/* Runs a job over all of the input; *counts are those of what was merged. False without memory. */
bool stepi_pool_run(stepi_input_t *input, const stepi_job_t *job, stepi_counts_t *counts);

#endif
