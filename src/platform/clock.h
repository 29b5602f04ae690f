/* Time stamps: the invariant TSC where the kernel itself trusts it, else CLOCK_MONOTONIC.
 *
 * A stamp is a number of ticks. What a tick is worth in nanoseconds is measured, by comparing two far apart readings of both
 * clocks, by whoever formats; the call site only reads the counter. */
#ifndef STEPI_PLATFORM_CLOCK_H
#define STEPI_PLATFORM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

extern bool stepi_ticks_are_tsc; /* set by stepi_clock_init(), before the first stamp */

void stepi_clock_init(void);
int64_t stepi_monotonic_ns(void);
int64_t stepi_wall_ns(void);

/* Lets some microseconds pass without giving up the processor. A clock may stand still: then it is over after a while, too. */
void stepi_dwell(int64_t ns);

/* The stamp where stepi_ticks_are_tsc. */
static inline uint64_t stepi_tsc(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

static inline uint64_t stepi_ticks(void)
{
#if defined(__x86_64__)
    if (__builtin_expect(stepi_ticks_are_tsc, true))
        return __builtin_ia32_rdtsc();
#endif
    return (uint64_t)stepi_monotonic_ns();
}

/* From ticks to nanoseconds and to wall time. Not thread-safe. */
typedef struct stepi_timebase {
    uint64_t first_ticks;
    int64_t first_ns;
    uint64_t ticks; /* the latest reading, and what the other clocks said */
    int64_t ns;
    int64_t wall;
    uint64_t ns_per_tick_32; /* 32.32 fixed point */
} stepi_timebase_t;

void stepi_timebase_start(stepi_timebase_t *base);

/* Reads the clocks again: the longer ago the start, the better the ratio. Cheap enough for once per batch of records. */
void stepi_timebase_refresh(stepi_timebase_t *base);

__extension__ typedef __int128 stepi_int128_t;

static inline int64_t stepi_timebase_span_ns(const stepi_timebase_t *base, int64_t ticks)
{
    return (int64_t)(((stepi_int128_t)ticks * (stepi_int128_t)base->ns_per_tick_32) >> 32);
}

static inline int64_t stepi_timebase_wall_ns(const stepi_timebase_t *base, uint64_t ticks)
{
    const int64_t span = stepi_timebase_span_ns(base, (int64_t)(ticks - base->ticks));
    return (int64_t)((uint64_t)base->wall + (uint64_t)span); /* another process's times may be anything */
}

#endif
