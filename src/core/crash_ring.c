#include "core/crash_ring.h"

#include "core/lifecycle.h"
#include "core/log.h"
#include "core/misuse.h"
#include "core/registry.h"
#include "platform/io.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/seal.h"
#include "record/shape_file.h"
#include "sink/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)STEPI_CRASH_OUTPUTS == (int)STEPI_OUTPUTS_MAX && (int)STEPI_INTENT_LINES == (int)STEPI_BLOCK_LINES,
               "the files have a place for each");

/* ---- Making ---- */

static void describe_process(step_log_t *log)
{
    stepi_owner_t *owner = log->crash.files.owner;
    owner->mark[0] = STEPI_MARK_OWNER;
    owner->mark[1] = STEPI_MARK_FORM;
    owner->pid = stepi_process_id();
    owner->clocked = log->clocked;
    owner->records_all = stepi_records_all(log);
    owner->level = stepi_level_of(log);
    owner->time[0] = log->backend.time;
}

static bool begin_shapes(int fd)
{
    const uint64_t mark[2] = { STEPI_MARK_SHAPES, STEPI_MARK_FORM };
    return stepi_write_small(fd, mark, sizeof(mark)) && stepi_shapes_write_to(fd);
}

static void close_parts(stepi_crash_ring_t *crash)
{
    for (int i = 0; i < STEPI_CRASH_OUTPUTS; i++)
        if (crash->intents[i] != NULL)
            stepi_pages_unmap(crash->intents[i], sizeof(stepi_intent_t));
    memset(crash->intents, 0, sizeof(crash->intents));
    if (crash->shapes >= 0) {
        stepi_shapes_write_no_more(crash->shapes);
        close(crash->shapes);
    }
    crash->shapes = -1;
    crash->bound = NULL;
}

/* False: see errno, and nothing is left. */
static bool make_files(step_log_t *log)
{
    stepi_crash_ring_t *crash = &log->crash;
    int store;
    if (!stepi_crash_files_make(&crash->files, crash->path, &crash->shapes, &store))
        return false;
    describe_process(log);
    const bool has_store = stepi_store_open(&crash->store, store);
    if (has_store && begin_shapes(crash->shapes) && stepi_crash_files_show(&crash->files)) {
        crash->is_new = true;
        /* release: whoever sees it on finds it whole */
        atomic_store_explicit(&crash->is_on, true, memory_order_release);
        return true;
    }
    const int saved = errno;
    if (has_store)
        stepi_store_close(&crash->store);
    close_parts(crash);
    stepi_crash_files_unlink(&crash->files);
    stepi_crash_files_close(&crash->files);
    errno = saved;
    return false;
}

static int refuse(const step_log_options_t *options, int error)
{
    stepi_diagnose_options(options, STEP_EIO,
                           "step_log_open(): crash_ring_dir %s: %s; it is a directory, or its name in one that exists, in which this "
                           "process may make files, best below /dev/shm",
                           options->crash_ring_dir, strerror(error));
    return STEP_EIO;
}

/* Not `is_on`, which is false: whoever has a stale handle may be looking at it. */
static void begin_anew(stepi_crash_ring_t *crash)
{
    crash->path = NULL;
    crash->has_ended = crash->is_new = false;
    atomic_store_explicit(&crash->untold, 0, memory_order_relaxed);
    crash->binds = 0;
    crash->shapes = -1;
    crash->files = (stepi_crash_files_t){ .parent = -1, .directory = -1, .owner_fd = -1 };
    crash->store = (stepi_store_t){ .fd = -1 };
    crash->bound = NULL;
}

int stepi_crash_open(step_log_t *log, const step_log_options_t *options)
{
    stepi_crash_ring_t *crash = &log->crash;
    begin_anew(crash);
    if (options->crash_ring_dir == NULL)
        return STEP_OK;
    if (stepi_page_bytes() > STEPI_RING_PAGE) {
        stepi_diagnose_options(options, STEP_ENOTSUP, "step_log_open(): crash_ring_dir needs memory pages of 4096 bytes");
        return STEP_ENOTSUP;
    }
    crash->path = stepi_path_absolute(options->crash_ring_dir);
    if (crash->path != NULL && make_files(log)) {
        crash->is_new = false; /* there are no outputs yet */
        return STEP_OK;
    }
    const int error = errno;
    free(crash->path);
    crash->path = NULL;
    const int result = error == ENOMEM ? STEP_ENOMEM : refuse(options, error);
    errno = error;
    return result;
}

/* ---- Rings ---- */

void stepi_crash_tell_no_room(step_log_t *log, const char *what, int error)
{
    char text[128];
    stepi_diagnose(log, STEPI_TROUBLE_MEMORY, STEP_EIO, "crash_ring_dir %s: %s: %s would be lost if this process were killed",
                   log->crash.path, stepi_error_text(error, text, sizeof(text)), what);
}

static stepi_ring_t *ring_in_file(step_log_t *log)
{
    stepi_crash_files_t *files = &log->crash.files;
    uint32_t number;
    const int fd = stepi_crash_files_ring(files, stepi_ring_file_bytes(log->ring_bytes), &number);
    if (fd < 0)
        return NULL;
    stepi_ring_t *ring = stepi_ring_new(log->ring_bytes, fd);
    const int saved = errno;
    close(fd);
    if (ring == NULL) {
        stepi_crash_files_drop_ring(files, number);
        errno = saved;
        return NULL;
    }
    ring->file = number;
    ring->mark[0] = STEPI_MARK_RING;
    ring->mark[1] = STEPI_MARK_FORM;
    return ring;
}

stepi_ring_t *stepi_crash_ring_new(step_log_t *log)
{
    stepi_crash_ring_t *crash = &log->crash;
    if (crash->path == NULL || crash->has_ended)
        return stepi_ring_new(log->ring_bytes, -1);
    stepi_ring_t *ring = NULL;
    if (stepi_crash_is_on(crash) || make_files(log))
        ring = ring_in_file(log);
    if (ring != NULL)
        return ring;
    atomic_store_explicit(&crash->untold, errno, memory_order_relaxed);
    return stepi_ring_new(log->ring_bytes, -1);
}

void stepi_crash_tell(step_log_t *log)
{
    const int error = atomic_exchange_explicit(&log->crash.untold, 0, memory_order_relaxed);
    if (error != 0)
        stepi_crash_tell_no_room(log, "what this thread logs", error);
}

void stepi_crash_ring_gone(step_log_t *log, const stepi_ring_t *ring)
{
    if (ring->file != 0 && stepi_crash_is_on(&log->crash))
        stepi_crash_files_drop_ring(&log->crash.files, ring->file);
}

/* ---- What the reader has to know ---- */

static void note_output(step_log_t *log, const stepi_output_t *output)
{
    stepi_crash_ring_t *crash = &log->crash;
    stepi_owner_output_t *noted = &crash->files.owner->output[output->slot];
    stepi_sink_place_t place;
    if (output->is_direct && output->sink->place != NULL && output->sink->place(output->sink, &place)) {
        const int fd = stepi_crash_files_intent(&crash->files, output->slot, sizeof(stepi_intent_t));
        stepi_intent_t *intent = fd >= 0 ? stepi_pages_map_file(fd, sizeof(*intent)) : NULL;
        if (fd >= 0)
            close(fd);
        if (intent == NULL) {
            stepi_crash_tell_no_room(log, "whether the last lines were written", errno);
        } else {
            intent->mark[0] = STEPI_MARK_INTENT;
            intent->mark[1] = STEPI_MARK_FORM;
        }
        crash->intents[output->slot] = intent;
        noted->is_file = 1;
    }
    noted->level = output->level;
    const uint64_t resolved = log->backend.ledger.resolved[output->slot];
    atomic_store_explicit(&noted->resolved, resolved, memory_order_relaxed);
    atomic_store_explicit(&noted->resolved_not, ~resolved, memory_order_relaxed);
    atomic_store_explicit(&crash->files.owner->outputs, (uint32_t)output->slot + 1, memory_order_release);
}

void stepi_crash_output_added(step_log_t *log, const stepi_output_t *output)
{
    if (stepi_crash_is_on(&log->crash) && !log->crash.is_new)
        note_output(log, output);
}

void stepi_crash_level_changed(step_log_t *log)
{
    if (stepi_crash_is_on(&log->crash))
        log->crash.files.owner->level = stepi_level_of(log);
}

/* The files of a forked child may be made by any thread of its, which knows nothing of outputs. */
static void settle_in(step_log_t *log)
{
    const stepi_backend_t *b = &log->backend;
    for (int i = 0; i < b->output_count; i++)
        note_output(log, b->outputs[i]);
    if (b->bound != NULL)
        stepi_crash_keep_bound(log);
    log->crash.is_new = false;
}

static void keep_time(step_log_t *log)
{
    stepi_owner_t *owner = log->crash.files.owner;
    const uint32_t next = 1 - (atomic_load_explicit(&owner->time_at, memory_order_relaxed) & 1);
    owner->time[next] = log->backend.time;
    atomic_store_explicit(&owner->time_at, next, memory_order_release);
}

void stepi_crash_keep_up(step_log_t *log)
{
    keep_time(log);
    if (log->crash.is_new)
        settle_in(log);
}

void stepi_crash_resolved(step_log_t *log, int slot, uint64_t through)
{
    if (!stepi_crash_is_on(&log->crash))
        return;
    stepi_owner_output_t *output = &log->crash.files.owner->output[slot];
    if (through <= atomic_load_explicit(&output->resolved, memory_order_relaxed))
        return;
    atomic_store_explicit(&output->resolved, through, memory_order_release);
    atomic_store_explicit(&output->resolved_not, ~through, memory_order_release);
}

/* ---- Writing ---- */

/* The path is asked for once for each file. */
static void note_path(stepi_intent_t *intent, const stepi_sink_place_t *place)
{
    char link[32];
    if (intent->path[0] != '\0' && intent->device == place->device && intent->inode == place->inode)
        return;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", place->fd);
    const ssize_t n = readlink(link, intent->path, sizeof(intent->path) - 1);
    intent->path[n > 0 ? n : 0] = '\0';
}

void stepi_crash_write_begins(step_log_t *log, const stepi_output_t *output, const stepi_block_t *block)
{
    stepi_intent_t *intent = stepi_crash_is_on(&log->crash) ? log->crash.intents[output->slot] : NULL;
    stepi_sink_place_t at;
    if (intent == NULL || !output->sink->place(output->sink, &at))
        return;
    const int saved = errno;
    note_path(intent, &at);
    errno = saved;
    const stepi_place_t place = { .device = at.device, .inode = at.inode, .size = at.offset };
    const stepi_block_view_t view = { .bytes = block->bytes,
                                      .used = block->used,
                                      .lines = block->lines,
                                      .base = block->base,
                                      .through = block->through,
                                      .index = block->index };
    stepi_intent_begin(intent, &place, &view);
}

void stepi_crash_write_ended(step_log_t *log, const stepi_output_t *output)
{
    if (stepi_crash_is_on(&log->crash) && log->crash.intents[output->slot] != NULL)
        stepi_intent_end(log->crash.intents[output->slot]);
}

/* ---- Ends ---- */

void stepi_crash_finish(step_log_t *log)
{
    stepi_crash_ring_t *crash = &log->crash;
    const bool is_on = stepi_crash_is_on(crash);
    if (!is_on || stepi_crash_settled(log) < log->backend.processed)
        return; /* what is left is left for whoever recovers */
    stepi_registry_take();
    crash->has_ended = true;
    atomic_store_explicit(&crash->is_on, false, memory_order_release);
    stepi_crash_files_unlink(&crash->files); /* mapped still: a writer's thread may be about to say how far it is */
    stepi_registry_release();
}

void stepi_crash_clear(stepi_crash_ring_t *crash)
{
    if (crash->path == NULL)
        return;
    atomic_store_explicit(&crash->is_on, false, memory_order_release);
    close_parts(crash);
    if (crash->store.base != NULL)
        stepi_store_close(&crash->store);
    stepi_crash_files_close(&crash->files);
    free(crash->path);
    crash->path = NULL;
}

void stepi_crash_reset_in_child(stepi_crash_ring_t *crash)
{
    if (crash->path == NULL || !atomic_exchange_explicit(&crash->is_on, false, memory_order_relaxed))
        return;
    close_parts(crash);
    stepi_store_forget_in_child(&crash->store);
    stepi_crash_files_close(&crash->files);
}
