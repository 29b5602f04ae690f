/* What killed processes left, into the outputs of a log.
 *
 *     DIR/4711-…/  ──lock: is it dead?──> load ──sort──> replay ──flush──> DIR/.4711-…/ ──> gone
 *
 * A replay is what the backend does with records of its own, in a picture of its own: the operations of a process that is gone mean
 * nothing here. Its lines count among no one's records. */
#include "core/log.h"

#include "crash/load.h"
#include "platform/clock.h"
#include "platform/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SEQ (UINT64_C(1) << 48) /* lines of ours in a dead process's name have numbers that it never had */

typedef struct recovery {
    const char *directory;
    uint32_t flags;
    step_recovery_t *out;
    stepi_remains_t remains;
    uint64_t records;
    bool lacks_memory;
} recovery_t;

/* ---- Replay ---- */

static step_log_t *make_scratch(const step_log_t *log, const stepi_remains_t *remains)
{
    step_log_t *scratch = aligned_alloc(STEPI_CACHE_LINE, sizeof(*scratch) + (STEPI_CACHE_LINE - sizeof(*scratch) % STEPI_CACHE_LINE));
    if (scratch == NULL)
        return NULL;
    memset(scratch, 0, sizeof(*scratch));
    stepi_backend_t *b = &scratch->backend;
    scratch->clocked = remains->owner.clocked != 0;
    b->time = remains->owner.time[remains->owner.time_at & 1];
    b->foreign_pid = remains->owner.pid != 0 ? remains->owner.pid : UINT32_MAX;
    b->own_seq = FIRST_SEQ;
    b->operations.is_foreign = true;
    b->operations.store = &scratch->crash.store;
    b->wants_steps = log->backend.wants_steps;
    memcpy(b->outputs, log->backend.outputs, sizeof(b->outputs));
    b->output_count = log->backend.output_count;
    return scratch;
}

static void free_scratch(step_log_t *scratch)
{
    scratch->backend.output_count = 0;
    stepi_backend_clear(scratch);
    free(scratch);
}

static uint64_t count_missing(const stepi_remains_t *remains)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < remains->count; i++)
        missing += remains->records[i].is_missing;
    return missing;
}

static void announce(step_log_t *log, const stepi_remains_t *remains)
{
    char text[160];
    const uint64_t missing = count_missing(remains);
    stepi_line_t line = stepi_backend_own_line(log, STEPI_MESSAGE, STEP_LEVEL_WARNING);
    snprintf(text, sizeof(text), "process %lu was killed: what follows was recovered, %llu record%s",
             (unsigned long)remains->owner.pid, (unsigned long long)missing, missing == 1 ? "" : "s");
    line.has_text = true;
    line.text = stepi_text_of(text);
    stepi_backend_offer(&log->backend, &line, STEPI_OWN_LINE);
}

static void replay_one(step_log_t *scratch, recovery_t *recovery, const stepi_remain_t *remain)
{
    const stepi_owner_t *owner = &recovery->remains.owner;
    stepi_decoded_t decoded;
    if (!stepi_record_decode_foreign(remain->record, remain->bytes, &recovery->remains.shapes, &decoded)) {
        recovery->remains.damaged += remain->bytes;
        return;
    }
    const stepi_replayed_t as = { .is_shown = remain->is_missing,
                                  .pid = scratch->backend.foreign_pid,
                                  .tid = remain->tid,
                                  .level = owner->records_all != 0 ? owner->level : 0 };
    stepi_backend_replay(scratch, &decoded, &as);
    recovery->records += remain->is_missing;
}

/* As the log's backend. */
static void replay(step_log_t *log, void *argument)
{
    recovery_t *recovery = argument;
    const stepi_remains_t *remains = &recovery->remains;
    const bool reports = (recovery->flags & STEP_RECOVER_REPORT) != 0;
    step_log_t *scratch = make_scratch(log, remains);
    recovery->lacks_memory |= scratch == NULL;
    if (scratch == NULL)
        return;
    if (reports && remains->count > 0)
        announce(log, remains);
    for (size_t i = 0; i < remains->count; i++)
        replay_one(scratch, recovery, &remains->records[i]);
    if (reports)
        stepi_backend_report_open(scratch);
    free_scratch(scratch);
}

/* ---- Process by process ---- */

static int write_out(step_log_t *log, recovery_t *recovery)
{
    if (!stepi_backend_run(log, STEPI_PATIENCE_NS, replay, recovery))
        return STEP_ETIMEOUT;
    if (recovery->lacks_memory)
        return STEP_ENOMEM;
    return step_log_flush(log, STEPI_PATIENCE_NS / 1000000);
}

/* STEP_OK where there is nothing to do, too. */
static int recover_process(step_log_t *log, stepi_dead_t *dead, recovery_t *recovery)
{
    step_recovery_t *out = recovery->out;
    recovery->records = 0;
    if (stepi_dead_load(dead, &recovery->remains) != STEPI_REMAINS_GOOD) {
        out->foreign++;
        return STEP_OK;
    }
    recovery->lacks_memory = recovery->remains.lacks_memory;
    const int result = recovery->lacks_memory ? STEP_ENOMEM : write_out(log, recovery);
    out->records += recovery->records;
    out->damaged += recovery->remains.damaged;
    out->processes++;
    stepi_remains_free(&recovery->remains);
    if (result == STEP_OK && (recovery->flags & STEP_RECOVER_KEEP) == 0)
        stepi_dead_remove(dead);
    return result;
}

static int recover_found(step_log_t *log, const stepi_findings_t *findings, const stepi_found_t *found, recovery_t *recovery)
{
    stepi_dead_t dead;
    if (!stepi_dead_open(&dead, findings, found)) {
        recovery->out->live++;
        return STEP_OK;
    }
    const int result = recover_process(log, &dead, recovery);
    const int saved = errno;
    stepi_dead_close(&dead);
    errno = saved;
    return result;
}

static int recover_all(step_log_t *log, recovery_t *recovery)
{
    stepi_findings_t findings;
    int result = STEP_OK;
    if (!stepi_findings_open(&findings, recovery->directory))
        return errno == ENOMEM ? STEP_ENOMEM : STEP_EIO;
    recovery->out->live = findings.live;
    recovery->out->foreign = findings.foreign;
    for (size_t i = 0; i < findings.count && result == STEP_OK; i++)
        result = recover_found(log, &findings, &findings.found[i], recovery);
    const int saved = errno;
    stepi_findings_close(&findings);
    errno = saved;
    return result;
}

int step_log_recover(step_log_t *log, const char *directory, uint32_t flags, step_recovery_t *given)
{
    log = stepi_log_of(log);
    if (log == NULL || directory == NULL || directory[0] == '\0' || (flags & ~(uint32_t)(STEP_RECOVER_KEEP | STEP_RECOVER_REPORT)) != 0 ||
        (given != NULL && given->size < sizeof(given->size)) || stepi_backend_is_here(log) || !stepi_log_visit(log))
        return STEP_EINVAL;
    step_recovery_t out = { .size = given != NULL ? given->size : sizeof(out) };
    recovery_t recovery = { .directory = directory, .flags = flags, .out = &out };
    const int result = recover_all(log, &recovery);
    stepi_log_leave(log);
    if (given != NULL)
        memcpy(given, &out, out.size < sizeof(out) ? out.size : sizeof(out));
    return result;
}
