/* The backend's picture of operations: names that travelled once, and what is still open.
 *
 * A hash table from an operation's number to its names. Whether an operation still lives is asked of the operation itself
 * (stepi_operation_is_alive()), so a record that was lost cannot leave an entry for ever: when the table is about to grow,
 * entries of dead operations go. Since records of an operation that died a moment ago may still be in the rings, an entry
 * goes only if it was seen dead before an epoch began that is over: in an epoch all is taken that was in the rings when
 * it began. What has children that are there, or lines that wait, stays, too. */
#ifndef STEPI_CORE_OPTABLE_H
#define STEPI_CORE_OPTABLE_H

#include "core/retention.h"
#include "core/summary.h"
#include "crash/store.h"
#include "record/record.h"

/* Records with its names that are kept, should the process be killed. */
enum { STEPI_KEPT_START, STEPI_KEPT_NAME, STEPI_KEPT_STEP, STEPI_KEPT };

struct stepi_open_operation {
    uint64_t id; /* 0: free slot */
    bool started, ended, failed, step_known;
    bool seen_dead, is_linked;
    uint32_t dead_epoch;
    uint32_t depth;
    int level;
    int32_t step, total;
    uint64_t start_ticks;
    int64_t start_ns; /* by the injected clock */
    char *name;       /* owned; NULL with has_name: NULL text */
    char *description;
    stepi_text_t name_text, description_text;
    bool has_name, has_trace;
    stepi_trace_t trace;
    uint64_t step_span; /* while the step is known */
    stepi_open_operation_t *parent; /* NULL: it is a root, or its parent is not known */
    uint32_t children;              /* entries whose parent it is: it stays as long as they do */
    uint32_t stuck_reports;
    const int32_t *threshold; /* of its lines, by a rule for its name; NULL: the log's */
    stepi_bound_t *own_bound; /* what was bound to it */
    stepi_bound_t *bound;     /* with what was bound around it, as of bound_as_of */
    uint64_t own_bound_at, bound_as_of;
    stepi_hold_t *hold; /* what waits of it; NULL: nothing did yet */
    stepi_summary_t summary;
    stepi_kept_t *kept[STEPI_KEPT]; /* with a crash ring; NULL: none */
};

typedef struct stepi_optable {
    stepi_open_operation_t **slots; /* a power of two, open addressing */
    size_t capacity, count;
    stepi_store_t *store; /* of the log's crash ring; has no base where there is none */
    bool is_foreign;      /* the operations are another process's: nobody here knows whether they live */
    uint32_t epoch; /* grows whenever all was taken that was in the rings when it last grew */
} stepi_optable_t;

/* The entry of an operation, made if need be; NULL without memory. */
stepi_open_operation_t *stepi_optable_get(stepi_optable_t *table, uint64_t id);
stepi_open_operation_t *stepi_optable_find(stepi_optable_t *table, uint64_t id);

/* Not while it has children, or lines of it wait. */
void stepi_optable_remove(stepi_optable_t *table, uint64_t id);
void stepi_optable_clear(stepi_optable_t *table);

/* Forgets without freeing. */
void stepi_optable_reset_in_child(stepi_optable_t *table);

/* The next entry from *at on, which starts at 0; NULL at the end. */
stepi_open_operation_t *stepi_optable_next(stepi_optable_t *table, size_t *at);

/* Its parent, which is found or made if it lives. Once. */
void stepi_optable_link(stepi_optable_t *table, stepi_open_operation_t *entry, uint64_t parent);

/* Whether the operation does not live any more, and no record of it can still come. */
bool stepi_optable_is_gone(const stepi_optable_t *table, stepi_open_operation_t *entry);

/* Copies; without memory the text is forgotten. */
void stepi_optable_name(stepi_open_operation_t *entry, const stepi_text_t *name);
void stepi_optable_describe(stepi_open_operation_t *entry, int32_t step, int32_t total, const stepi_text_t *description);

#endif
