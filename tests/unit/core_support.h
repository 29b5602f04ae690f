/* What the tests of the core share: a log that is pumped by hand, rings that are filled by hand, a format of one word and a
 * sink that does as it is told. */
#ifndef TESTS_UNIT_CORE_SUPPORT_H
#define TESTS_UNIT_CORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/log.h"
#include "core/registry.h"
#include "format/format.h"
#include "platform/clock.h"
#include "platform/futex.h"
#include "record/ring.h"
#include "sink/sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused)) /* not every test uses everything */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND_NS INT64_C(1000000000)

/* ---- Numbers that look random and are the same in every run ---- */

typedef struct dice {
    uint64_t state;
} dice_t;

UNUSED static uint64_t roll(dice_t *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

UNUSED static uint64_t roll_below(dice_t *dice, uint64_t limit)
{
    return roll(dice) % limit;
}

/* Waits for a condition that another thread brings about; ten seconds are for ever. */
#define wait_until(condition)                                                                                          \
    do {                                                                                                               \
        const int64_t give_up_ = stepi_monotonic_ns() + 10 * SECOND_NS;                                                \
        while (!(condition)) {                                                                                         \
            if (stepi_monotonic_ns() > give_up_)                                                                       \
                fail_msg("in vain: %s", #condition);                                                                   \
            stepi_sleep(100000);                                                                                       \
        }                                                                                                              \
    } while (0)

/* ---- A format: the text of a line, or for what was dropped "dropped N: why" ---- */

static void render_word(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    (void)format;
    if (line->kind == STEPI_DROPPED) {
        char number[32];
        const int n = snprintf(number, sizeof(number), "dropped %llu: ", (unsigned long long)line->done);
        stepi_put(out, number, (size_t)n);
    }
    stepi_put(out, line->text.bytes != NULL ? line->text.bytes : "-", line->text.bytes != NULL ? line->text.length : 1);
    stepi_put_char(out, '\n');
}

static void free_nothing(step_format_t *format)
{
    (void)format;
}

UNUSED static step_format_t word_format = { .render = render_word, .free = free_nothing };

/* ---- A sink that does as it is told ---- */

typedef struct fake_sink {
    step_sink_t sink;
    _Atomic uint32_t hang;     /* 1: writes wait until it is 0 */
    _Atomic uint32_t hanging;  /* a write waits */
    _Atomic uint32_t writes;
    _Atomic uint32_t flushes;
    _Atomic uint32_t reopens;
    _Atomic uint32_t closed;
    _Atomic int error;         /* of the next writes; 0: they take everything */
    _Atomic size_t takes;      /* with an error: so many bytes of each write */
    _Atomic int flush_error, reopen_error;
    stepi_lock_t lock;         /* what follows */
    char text[1 << 16];        /* what was taken, as far as it fits */
    size_t used;
} fake_sink_t;

static int fake_write(step_sink_t *sink, const char *bytes, size_t len, size_t *taken)
{
    fake_sink_t *fake = (fake_sink_t *)sink;
    fake->hanging = 1;
    while (fake->hang != 0)
        stepi_sleep(100000);
    fake->hanging = 0;
    const int error = fake->error;
    *taken = error == 0 || fake->takes > len ? len : fake->takes;
    stepi_lock_take(&fake->lock);
    const size_t room = sizeof(fake->text) - 1 - fake->used;
    const size_t kept = *taken < room ? *taken : room;
    memcpy(fake->text + fake->used, bytes, kept);
    fake->used += kept;
    stepi_lock_release(&fake->lock);
    fake->writes++;
    return *taken < len ? error : 0;
}

static int fake_flush(step_sink_t *sink)
{
    fake_sink_t *fake = (fake_sink_t *)sink;
    fake->flushes++;
    return fake->flush_error;
}

static int fake_reopen(step_sink_t *sink)
{
    fake_sink_t *fake = (fake_sink_t *)sink;
    fake->reopens++;
    return fake->reopen_error;
}

static void fake_close(step_sink_t *sink)
{
    ((fake_sink_t *)sink)->closed++;
}

/* Not freed by the log, so that it can be looked at afterwards. */
UNUSED static void fake_make(fake_sink_t *fake, bool may_block)
{
    memset(fake, 0, sizeof(*fake));
    fake->sink = (step_sink_t){
        .write = fake_write, .flush = fake_flush, .reopen = fake_reopen, .close = fake_close, .may_block = may_block
    };
}

/* What it took so far, NUL-terminated; the caller frees it. */
UNUSED static char *fake_text(fake_sink_t *fake)
{
    stepi_lock_take(&fake->lock);
    char *text = strndup(fake->text, fake->used);
    stepi_lock_release(&fake->lock);
    assert_non_null(text);
    return text;
}

#define assert_took(fake, expected)                                                                                    \
    do {                                                                                                               \
        char *text_ = fake_text(fake);                                                                                 \
        assert_string_equal(text_, expected);                                                                          \
        free(text_);                                                                                                   \
    } while (0)

/* ---- A log that nobody but the test pumps ---- */

UNUSED static void keep_quiet(void *ctx, int code, const char *text)
{
    (void)code;
    (void)text;
    if (ctx != NULL)
        ++*(_Atomic int *)ctx;
}

UNUSED static step_log_t *must_open(uint32_t mode, uint32_t when_full)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.level = 1;
    options.mode = mode;
    options.when_full = when_full;
    options.ring_bytes = 4096;
    options.diagnose = keep_quiet;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    return log;
}

/* A ring in the log's list, as if a thread had made it. Closing the log frees it. */
UNUSED static stepi_ring_t *add_ring(step_log_t *log, size_t bytes)
{
    stepi_ring_t *ring = stepi_ring_new(bytes, -1);
    assert_non_null(ring);
    stepi_registry_take();
    ring->log = log;
    ring->log_serial = log->serial;
    ring->next_in_log = log->rings;
    log->rings = ring;
    log->rings_version++;
    stepi_registry_release();
    return ring;
}

/* Before the log is closed: now it looks as if their threads had ended. */
UNUSED static void release_rings(step_log_t *log)
{
    stepi_registry_take();
    for (stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log) {
        ring->busy = 0;
        ring->released = 1;
    }
    stepi_registry_release();
}

/* A message of that time stamp in the ring; false when it is full. */
UNUSED static bool put_record(stepi_ring_t *ring, uint64_t stamp, const char *text)
{
    stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                            .level = STEP_LEVEL_INFO,
                            .parts = STEPI_PART_TEXT,
                            .stamp = stamp,
                            .ticks = stamp,
                            .seq = ring->seq++,
                            .text = stepi_text_of(text) };
    const size_t bytes = stepi_record_encode_cut(&draft, ring->scratch, ring->scratch_bytes);
    return stepi_ring_push(ring, bytes, &draft, false);
}

UNUSED static stepi_pass_t pass(step_log_t *log)
{
    stepi_lock_take(&log->pump);
    const stepi_pass_t found = stepi_backend_pass(log);
    stepi_lock_release(&log->pump);
    return found;
}

/* Everything that the rings hold to the outputs. */
UNUSED static void pump(step_log_t *log)
{
    assert_true(stepi_backend_pump(log, SECOND_NS, STEPI_PUMP_ON));
}

#endif
