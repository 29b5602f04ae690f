#include "core/log.h"

#include "platform/clock.h"
#include "platform/io.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 512, ONCE_A_SECOND_NS = 1000000000 };

/* One line on stderr; nothing when it would block: a full terminal must not stop the program. */
static void tell_stderr(const char *text)
{
    static const char prefix[] = "step_logger: ";
    char line[TEXT_MAX + sizeof(prefix) + 1];
    const int n = snprintf(line, sizeof(line), "%s%s\n", prefix, text);
    struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (n <= 0 || poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
        return;
    stepi_signals_t signals; /* a file at its size limit, a reader that goes: no reason to die for */
    stepi_signals_hold(&signals);
    const ssize_t written = write(STDERR_FILENO, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    stepi_signals_release(&signals, written < 0 ? errno : 0); /* there is nobody left to tell */
}

/* One sentence is one line, and none of it steers a terminal: a value from the environment may be anybody's. */
static void compose(char text[TEXT_MAX], const char *format, va_list arguments)
{
    vsnprintf(text, TEXT_MAX, format, arguments);
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == '\177')
            *at = '?';
}

static bool told_lately(step_log_t *log, stepi_trouble_t kind)
{
    const int64_t now = stepi_monotonic_ns();
    int64_t last = atomic_load_explicit(&log->told_at[kind], memory_order_relaxed);
    if (last != 0 && now - last < ONCE_A_SECOND_NS)
        return true;
    return !atomic_compare_exchange_strong_explicit(&log->told_at[kind], &last, now, memory_order_relaxed,
                                                    memory_order_relaxed);
}

/* A logging call may be half way: what is told is no point of cancellation. */
static void tell(void (*diagnose)(void *ctx, int code, const char *text), void *ctx, int code, const char *text)
{
    const int cancellation = stepi_cancellation_hold();
    if (diagnose != NULL)
        diagnose(ctx, code, text);
    else
        tell_stderr(text);
    stepi_cancellation_release(cancellation);
}

void stepi_diagnose(step_log_t *log, stepi_trouble_t kind, int code, const char *format, ...)
{
    const int saved = errno;
    if (!stepi_is_crashing && (log == NULL || !told_lately(log, kind))) {
        char text[TEXT_MAX];
        va_list arguments;
        va_start(arguments, format);
        compose(text, format, arguments);
        va_end(arguments);
        tell(log != NULL ? log->diagnose : NULL, log != NULL ? log->diagnose_ctx : NULL, code, text);
    }
    errno = saved;
}

void stepi_diagnose_options(const step_log_options_t *options, int code, const char *format, ...)
{
    const int saved = errno;
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    compose(text, format, arguments);
    va_end(arguments);
    tell(options->diagnose, options->diagnose_ctx, code, text);
    errno = saved;
}
