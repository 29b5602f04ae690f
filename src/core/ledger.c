#include "core/ledger.h"

#include "platform/memory.h"

#include <string.h>

enum { MAX_INTERVALS = 4096 };

int stepi_ledger_add(stepi_ledger_t *ledger)
{
    stepi_lock_take(&ledger->lock);
    int slot = -1;
    if (ledger->outputs < STEPI_OUTPUTS_MAX) {
        slot = ledger->outputs++;
        ledger->resolved[slot] = ledger->processed;
    }
    stepi_lock_release(&ledger->lock);
    return slot;
}

static uint64_t lowest_resolved(const stepi_ledger_t *ledger)
{
    uint64_t lowest = ledger->processed;
    for (int i = 0; i < ledger->outputs; i++)
        if (ledger->resolved[i] < lowest)
            lowest = ledger->resolved[i];
    return lowest;
}

static void settle(stepi_ledger_t *ledger)
{
    const uint64_t through = lowest_resolved(ledger);
    if (through <= ledger->settled)
        return;
    uint64_t lost = 0;
    size_t done = 0;
    while (done < ledger->count && ledger->intervals[done].from < through) {
        stepi_interval_t *interval = &ledger->intervals[done];
        const uint64_t to = interval->to < through ? interval->to : through;
        lost += to - interval->from;
        interval->from = to;
        if (to < interval->to)
            break; /* the rest of it is not settled yet */
        done++;
    }
    ledger->count -= done;
    if (done > 0)
        memmove(ledger->intervals, ledger->intervals + done, ledger->count * sizeof(*ledger->intervals));
    ledger->lost += lost;
    ledger->written += through - ledger->settled - lost;
    ledger->settled = through;
}

void stepi_ledger_process(stepi_ledger_t *ledger, uint64_t processed)
{
    stepi_lock_take(&ledger->lock);
    ledger->processed = processed;
    if (ledger->outputs == 0)
        settle(ledger);
    stepi_lock_release(&ledger->lock);
}

void stepi_ledger_resolve(stepi_ledger_t *ledger, int slot, uint64_t through)
{
    stepi_lock_take(&ledger->lock);
    if (ledger->resolved[slot] < through) {
        ledger->resolved[slot] = through;
        if (ledger->processed < through)
            ledger->processed = through;
        settle(ledger);
    }
    stepi_lock_release(&ledger->lock);
}

/* Joins the two neighbours with the smallest gap before `at`, where there is no room for one more. */
static void join_one(stepi_ledger_t *ledger)
{
    size_t best = 1;
    uint64_t gap = UINT64_MAX;
    for (size_t i = 1; i < ledger->count; i++) {
        const uint64_t between = ledger->intervals[i].from - ledger->intervals[i - 1].to;
        if (between < gap) {
            gap = between;
            best = i;
        }
    }
    ledger->intervals[best - 1].to = ledger->intervals[best].to;
    ledger->count--;
    memmove(ledger->intervals + best, ledger->intervals + best + 1,
            (ledger->count - best) * sizeof(*ledger->intervals));
}

static bool grow(stepi_ledger_t *ledger)
{
    if (ledger->capacity == 0) {
        ledger->intervals = ledger->few;
        ledger->capacity = STEPI_FEW_INTERVALS;
        return true;
    }
    if (ledger->capacity >= MAX_INTERVALS)
        return false;
    stepi_interval_t *larger = stepi_alloc(2 * ledger->capacity * sizeof(*larger));
    if (larger == NULL)
        return false;
    memcpy(larger, ledger->intervals, ledger->count * sizeof(*larger));
    if (ledger->intervals != ledger->few)
        stepi_free(ledger->intervals);
    ledger->intervals = larger;
    ledger->capacity *= 2;
    return true;
}

static void make_room(stepi_ledger_t *ledger)
{
    if (ledger->count == ledger->capacity && !grow(ledger))
        join_one(ledger);
}

/* Inserts before `at`. */
static void insert(stepi_ledger_t *ledger, size_t at, uint64_t from, uint64_t to)
{
    const size_t before = ledger->count;
    make_room(ledger);
    if (ledger->count < before) { /* joined: positions moved */
        at = 0;
        while (at < ledger->count && ledger->intervals[at].to < from)
            at++;
        if (at < ledger->count && ledger->intervals[at].from <= to) {
            ledger->intervals[at].to = ledger->intervals[at].to > to ? ledger->intervals[at].to : to;
            ledger->intervals[at].from = ledger->intervals[at].from < from ? ledger->intervals[at].from : from;
            return;
        }
    }
    memmove(ledger->intervals + at + 1, ledger->intervals + at, (ledger->count - at) * sizeof(*ledger->intervals));
    ledger->intervals[at] = (stepi_interval_t){ .from = from, .to = to };
    ledger->count++;
}

void stepi_ledger_lose(stepi_ledger_t *ledger, uint64_t from, uint64_t to)
{
    stepi_lock_take(&ledger->lock);
    size_t at = ledger->count; /* losses come mostly at the end */
    while (at > 0 && ledger->intervals[at - 1].to >= from)
        at--;
    size_t last = at; /* [at, last) touch the new one */
    while (last < ledger->count && ledger->intervals[last].from <= to) {
        from = ledger->intervals[last].from < from ? ledger->intervals[last].from : from;
        to = ledger->intervals[last].to > to ? ledger->intervals[last].to : to;
        last++;
    }
    if (last > at) {
        ledger->intervals[at] = (stepi_interval_t){ .from = from, .to = to };
        memmove(ledger->intervals + at + 1, ledger->intervals + last,
                (ledger->count - last) * sizeof(*ledger->intervals));
        ledger->count -= last - at - 1;
    } else if (from < to) {
        insert(ledger, at, from, to);
    }
    stepi_lock_release(&ledger->lock);
}

void stepi_ledger_read(stepi_ledger_t *ledger, uint64_t *written, uint64_t *lost)
{
    stepi_lock_take(&ledger->lock);
    *written = ledger->written;
    *lost = ledger->lost;
    stepi_lock_release(&ledger->lock);
}

static void free_intervals(stepi_ledger_t *ledger)
{
    if (ledger->intervals != ledger->few)
        stepi_free(ledger->intervals);
}

void stepi_ledger_clear(stepi_ledger_t *ledger)
{
    free_intervals(ledger);
    *ledger = (stepi_ledger_t){ .outputs = 0 };
}

void stepi_ledger_reset_in_child(stepi_ledger_t *ledger)
{
    if (atomic_load_explicit(&ledger->lock.word, memory_order_relaxed) == 0) /* else another thread was at it */
        free_intervals(ledger);
    *ledger = (stepi_ledger_t){ .outputs = ledger->outputs };
}
