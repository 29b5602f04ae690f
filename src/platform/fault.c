#include "platform/fault.h"

#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
    SIGNALS = 5,
    STACK_BYTES = 128 * 1024, /* touched only by a fault; a frame of the kernel's comes on top, twice */
    WORK_MS = 1500,
    WAIT_SLICE_NS = 100000000
};

#define OTHERS_WAIT_NS INT64_C(2500000000)

static const int signals[SIGNALS] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
static struct sigaction before[SIGNALS];
static void (*the_work)(void);
static _Atomic bool are_caught;
static _Atomic uint32_t worker; /* the thread that is at work; 0: none is */

/* Of the worker alone. */
static sigjmp_buf escape;
static int watchdog;
static volatile sig_atomic_t is_watched;

/* ---- The signal stack ---- */

static size_t stack_bytes(void)
{
    const size_t page = stepi_page_bytes();
    const size_t frame = getauxval(AT_MINSIGSTKSZ); /* 0 on older kernels */
    return (STACK_BYTES + 2 * frame + page - 1) / page * page;
}

/* The lowest page is there to be hit. */
static char *make_stack(size_t bytes)
{
    const size_t guard = stepi_page_bytes();
    char *pages = stepi_pages_reserve(guard + bytes);
    if (pages != NULL && mprotect(pages, guard, PROT_NONE) != 0) {
        stepi_pages_unmap(pages, guard + bytes);
        return NULL;
    }
    return pages;
}

bool stepi_fault_stack_enter(stepi_fault_stack_t *stack)
{
    const int saved = errno;
    const size_t bytes = stack_bytes();
    sigaltstack(NULL, &stack->before);
    const bool has_one = (stack->before.ss_flags & SS_DISABLE) == 0 && stack->before.ss_size >= bytes;
    if (!has_one && stack->pages == NULL)
        stack->pages = make_stack(bytes);
    const stack_t ours = { .ss_sp = has_one ? NULL : stack->pages + stepi_page_bytes(), .ss_size = bytes };
    /* refused on a signal stack that is in use: then it stays */
    const bool done = has_one || (stack->pages != NULL && (sigaltstack(&ours, NULL) == 0 || errno == EPERM));
    errno = saved;
    return done;
}

void stepi_fault_stack_leave(stepi_fault_stack_t *stack)
{
    stack_t now;
    if (stack->pages == NULL || sigaltstack(NULL, &now) != 0 || now.ss_sp != stack->pages + stepi_page_bytes())
        return;
    stack->before.ss_flags &= SS_DISABLE; /* what else is in there cannot be set */
    sigaltstack(&stack->before, NULL);
}

/* ---- The watchdog: the signal once more, to the same thread, when the work takes too long ---- */

#if defined(SYS_timer_create) && defined(SYS_timer_settime)
/* The kernel's own call: the C library's allocates. Where there is no timer to be had the work is not watched. */
static void start_watchdog(int signal_number)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal_number };
    const struct {
        long interval[2], value[2]; /* seconds, nanoseconds: as the kernel has it */
    } when = { .value = { WORK_MS / 1000, WORK_MS % 1000 * 1000000L } };
    event.sigev_notify_thread_id = (pid_t)stepi_thread_id();
    event.sigev_value.sival_ptr = &watchdog;
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &watchdog) != 0)
        return;
    is_watched = 1;
    syscall(SYS_timer_settime, watchdog, 0, &when, NULL);
}

static void stop_watchdog(void)
{
    if (is_watched == 0)
        return;
    is_watched = 0; /* first: its signal may come this very moment, and with it we come here again */
    syscall(SYS_timer_delete, watchdog);
}
#else
static void start_watchdog(int signal_number)
{
    (void)signal_number;
}

static void stop_watchdog(void)
{
}
#endif

static bool is_of_watchdog(const siginfo_t *info)
{
    return info->si_code == SI_TIMER && info->si_value.sival_ptr == &watchdog;
}

/* ---- The work ---- */

/* A fault in the work and the watchdog make themselves felt by one of the five, which have to come through. SA_NODEFER says so to the
 * kernel; whoever stands between it and us (sanitizers do) may have made something else of it. */
static void let_them_come(void)
{
    sigset_t five;
    sigemptyset(&five);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&five, signals[i]);
    pthread_sigmask(SIG_UNBLOCK, &five, NULL);
}

static void do_work(int signal_number)
{
    let_them_come();
    if (sigsetjmp(escape, 0) == 0) {
        start_watchdog(signal_number);
        stepi_is_crashing = true;
        the_work();
    }
    stop_watchdog();
    stepi_is_crashing = false;
    /* release: what we wrote comes before whatever others do now */
    atomic_store_explicit(&worker, 0, memory_order_release);
    stepi_futex_wake(&worker, INT_MAX);
}

static void wait_for_worker(void)
{
    const int64_t give_up = stepi_monotonic_ns() + OTHERS_WAIT_NS;
    uint32_t who;
    while ((who = atomic_load_explicit(&worker, memory_order_acquire)) != 0 && stepi_monotonic_ns() < give_up)
        stepi_futex_wait(&worker, who, WAIT_SLICE_NS);
}

/* ---- What comes after ---- */

/* By another process or thread, or by raise() and abort(). */
static bool is_sent(const siginfo_t *info)
{
    return info->si_code <= 0;
}

/* Pending until the handler returns, so that the process ends where it was hit. */
static void end_process(int signal_number, siginfo_t *info)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    sigprocmask(SIG_BLOCK, &one, NULL);
    sigaction(signal_number, &standard, NULL);
    const pid_t process = getpid();
    const long thread = (long)stepi_thread_id();
    if (syscall(SYS_rt_tgsigqueueinfo, process, thread, signal_number, info) != 0)
        syscall(SYS_tgkill, process, thread, signal_number);
}

/* With the mask that the kernel would have set for it. It may jump out. */
static void call_handler(struct sigaction *handler, int signal_number, siginfo_t *info, void *context)
{
    const ucontext_t *interrupted = context;
    const struct sigaction action = *handler;
    sigset_t ours, mask = action.sa_mask;
    for (int i = 1; i < NSIG; i++)
        if (sigismember(&interrupted->uc_sigmask, i) == 1)
            sigaddset(&mask, i);
    if ((action.sa_flags & SA_NODEFER) == 0)
        sigaddset(&mask, signal_number);
    if ((action.sa_flags & (int)SA_RESETHAND) != 0)
        handler->sa_handler = SIG_DFL;
    pthread_sigmask(SIG_SETMASK, &mask, &ours);
    if ((action.sa_flags & SA_SIGINFO) != 0)
        action.sa_sigaction(signal_number, info, context);
    else
        action.sa_handler(signal_number);
    pthread_sigmask(SIG_SETMASK, &ours, NULL);
}

static void pass_on(int signal_number, siginfo_t *info, void *context)
{
    int which = 0;
    while (signals[which] != signal_number)
        which++;
    struct sigaction *handler = &before[which];
    if (handler->sa_handler == SIG_IGN && is_sent(info))
        return;
    if (handler->sa_handler == SIG_DFL || handler->sa_handler == SIG_IGN) /* a fault cannot be ignored */
        end_process(signal_number, info);
    else
        call_handler(handler, signal_number, info, context);
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    const int saved = errno;
    const uint32_t me = stepi_thread_id();
    uint32_t nobody = 0;
    if (atomic_load_explicit(&worker, memory_order_relaxed) == me) {
        if (!is_sent(info) || is_of_watchdog(info) || info->si_code == SI_TKILL) /* abort() raises */
            siglongjmp(escape, 1);
        return; /* somebody is in a hurry: the process is about to end */
    }
    if (is_of_watchdog(info))
        return; /* too late */
    /* acquire: what an earlier worker did */
    if (atomic_compare_exchange_strong_explicit(&worker, &nobody, me, memory_order_acquire, memory_order_relaxed))
        do_work(signal_number);
    else
        wait_for_worker();
    pass_on(signal_number, info, context);
    errno = saved;
}

/* ---- Setting up ---- */

bool stepi_faults_are_caught(void)
{
    return atomic_load_explicit(&are_caught, memory_order_acquire);
}

static struct sigaction our_action(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    action.sa_sigaction = on_fault;
    sigfillset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigdelset(&action.sa_mask, signals[i]);
    return action;
}

bool stepi_faults_catch(void (*work)(void))
{
    const struct sigaction action = our_action();
    if (stepi_faults_are_caught())
        return true;
    the_work = work;
    for (int i = 0; i < SIGNALS; i++) { /* known before it may be needed */
        if (sigaction(signals[i], NULL, &before[i]) == 0 && sigaction(signals[i], &action, NULL) == 0)
            continue;
        while (i-- > 0)
            sigaction(signals[i], &before[i], NULL);
        return false;
    }
    atomic_store_explicit(&are_caught, true, memory_order_release);
    return true;
}

void stepi_faults_reset_in_child(void)
{
    /* a child that came without a fork handler finds out at its work */
    if (atomic_load_explicit(&worker, memory_order_relaxed) != stepi_thread_id())
        atomic_store_explicit(&worker, 0, memory_order_relaxed);
}
