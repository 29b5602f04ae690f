#include "platform/clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

__extension__ typedef unsigned __int128 uint128_t;

bool stepi_ticks_are_tsc;

static int64_t read_clock(clockid_t id)
{
    struct timespec t = { 0 };
    clock_gettime(id, &t); /* a denied clock reads 0: durations of 0, never negative ones */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t stepi_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t stepi_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

#if defined(__x86_64__)
static bool cpu_has_invariant_tsc(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
}

/* The kernel has watched the counters of all cores since boot: if it does not use them, neither do we. */
static bool kernel_uses_tsc(void)
{
    char name[4] = "";
    const int fd =
        open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, name, sizeof(name));
    close(fd);
    return n >= 3 && memcmp(name, "tsc", 3) == 0;
}
#endif

void stepi_clock_init(void)
{
#if defined(__x86_64__)
    stepi_ticks_are_tsc = cpu_has_invariant_tsc() && kernel_uses_tsc();
#endif
}

void stepi_dwell(int64_t ns)
{
    enum { LOOKS_MAX = 1000 };
    const int64_t until = stepi_monotonic_ns() + ns;
    for (int looks = 0; looks < LOOKS_MAX && stepi_monotonic_ns() < until; looks++)
        ;
}

/* One reading of all clocks at the same moment: the tightest of three tries, since a preemption may come between. */
static void read_all(stepi_timebase_t *base)
{
    uint64_t tightest = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        const uint64_t before = stepi_ticks();
        const int64_t ns = stepi_monotonic_ns();
        const int64_t wall = stepi_wall_ns();
        const uint64_t width = stepi_ticks() - before;
        if (width < tightest) {
            tightest = width;
            base->ticks = before + width / 2;
            base->ns = ns;
            base->wall = wall;
        }
    }
}

void stepi_timebase_start(stepi_timebase_t *base)
{
    read_all(base);
    base->first_ticks = base->ticks;
    base->first_ns = base->ns;
    base->ns_per_tick_32 = (uint64_t)1 << 32;
}

void stepi_timebase_refresh(stepi_timebase_t *base)
{
    read_all(base);
    const uint64_t ticks = base->ticks - base->first_ticks;
    const int64_t ns = base->ns - base->first_ns;
    if (!stepi_ticks_are_tsc)
        base->ns_per_tick_32 = (uint64_t)1 << 32;
    else if (ticks > 0 && ns > 0 && base->ticks > base->first_ticks)
        base->ns_per_tick_32 = (uint64_t)(((uint128_t)(uint64_t)ns << 32) / ticks);
}
