/* What became of every record, when several outputs may each lose some.
 *
 * The backend numbers records as it takes them from the rings: 0, 1, 2, … Each output is resolved up to some number:
 * everything below it was taken, filtered, or reported lost here. A record is settled once every output is past it, and counts
 * once: dropped if any output lost it, otherwise written.
 *
 *     settled        resolved[1]    resolved[0]     processed
 *        ├───── lost ────┤──── lost ─────┤──────────────┤
 *
 * Losses are kept as disjoint intervals, merged where they touch. At most MAX of them, or as many as there is memory for, but
 * always FEW: beyond that neighbours are joined, and records between two losses count as lost, too: the sum stays exact, and
 * memory stays bounded. */
#ifndef STEPI_CORE_LEDGER_H
#define STEPI_CORE_LEDGER_H

#include "platform/futex.h"

#include <stddef.h>
#include <stdint.h>

enum { STEPI_OUTPUTS_MAX = 32, STEPI_FEW_INTERVALS = 16 };

typedef struct stepi_interval {
    uint64_t from, to; /* [from, to) */
} stepi_interval_t;

typedef struct stepi_ledger {
    stepi_lock_t lock;
    uint64_t processed;
    uint64_t settled;
    uint64_t written;
    uint64_t lost;
    int outputs;
    uint64_t resolved[STEPI_OUTPUTS_MAX];
    stepi_interval_t *intervals; /* sorted */
    size_t count, capacity;
    stepi_interval_t few[STEPI_FEW_INTERVALS]; /* the first ones: without memory losses are still told apart */
} stepi_ledger_t;

/* A new output's slot, resolved up to what was processed so far; -1 when there are too many. */
int stepi_ledger_add(stepi_ledger_t *ledger);

/* Records up to `processed` have numbers now. */
void stepi_ledger_process(stepi_ledger_t *ledger, uint64_t processed);

/* An output lost [from, to). Before it resolves past them. */
void stepi_ledger_lose(stepi_ledger_t *ledger, uint64_t from, uint64_t to);

/* An output is done with everything below `through`. */
void stepi_ledger_resolve(stepi_ledger_t *ledger, int slot, uint64_t through);

void stepi_ledger_read(stepi_ledger_t *ledger, uint64_t *written, uint64_t *lost);
void stepi_ledger_clear(stepi_ledger_t *ledger);

/* Starts again at 0 for the outputs there are, without freeing or locking. */
void stepi_ledger_reset_in_child(stepi_ledger_t *ledger);

#endif
