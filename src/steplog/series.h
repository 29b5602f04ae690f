/* What each operation and each of its steps did, all over a log: how often it ended and failed, and how long it took. */
#ifndef STEPI_STEPLOG_SERIES_H
#define STEPI_STEPLOG_SERIES_H

#include "steplog/command.h"
#include "steplog/sample.h"

/* As many are told apart; what comes then is counted together, as `(other)`. */
enum { STEPI_SERIES_MAX = 2048 };

typedef struct stepi_series {
    stepi_kept_t operation, description;
    bool has_operation, is_step; /* is_step false: the operation as a whole */
    int32_t step, total;         /* as they were first */
    uint64_t order;              /* series of one operation stand together, the operation first */
    double ended, failed;        /* as sampling has it: one line may stand for several */
    uint64_t lines;
    stepi_sample_t durations;
    uint32_t hash;
} stepi_series_t;

typedef struct stepi_series_table {
    stepi_series_t *series;
    size_t count;
    uint32_t *slots; /* 1 + index; 0: free */
    double others;
    bool has_no_memory;
} stepi_series_table_t;

/* Reads logs into a new table: ends of steps and of operations that were asked for. -1 when it could not be done, which was said;
 * the table has to be freed all the same. */
int stepi_series_read(stepi_cli_t *cli, const char *const *names, size_t count, stepi_series_table_t *table,
                      size_t *unreadable);
void stepi_series_free(stepi_series_table_t *table);

/* The operation's name; bytes NULL: unknown. */
stepi_text_t stepi_series_operation(const stepi_series_t *series);

/* In the order in which operations, and in them steps, came first. */
void stepi_series_sort(stepi_series_table_t *table);

/* The series of this operation and step, or NULL. Not after the sort. */
const stepi_series_t *stepi_series_find(const stepi_series_table_t *table, const stepi_series_t *like);

#endif
