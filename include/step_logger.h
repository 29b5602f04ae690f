/* step_logger: multi-step work in C services, made visible.
 *
 * An operation starts, its steps begin, succeed, fail or are skipped, and it completes:
 *
 *     step_logger_t *op = step_logger_new("Database: Fetch All Models", 2);
 *     step_logger_start(op, step_kv("table", "models"));
 *     step_logger_step(op, 1, "Connecting to database");
 *     step_logger_success(op, step_kv("page_size", 1000));
 *     ...
 *     step_logger_complete(op);
 *     step_logger_free(op);
 *
 * This header is the whole contract; what it does not declare is private. It needs C11, or C++11 or later.
 *
 * What holds everywhere, unless a comment says otherwise:
 *
 * Threads    Every function may be called from any thread. One operation is used by one thread at a time.
 * Memory     Text, keys and values are copied before a call returns; nothing of the caller's is kept.
 *            What a function returns belongs to the library unless the comment says who frees it.
 * NULL       An operation that is NULL makes its call do nothing. Text that is NULL prints as `null`. A log that is NULL
 *            is the default log.
 * Errors     Logging calls return nothing, preserve errno, never fail and never wait for I/O, except when this thread's
 *            ring is full in STEP_FULL_BLOCK. What cannot be recorded is counted (step_log_stats()). Functions that
 *            set things up return STEP_OK or a negative STEP_E... and leave output parameters untouched on failure.
 * Signals    A logging call in a signal handler is safe (not in STEP_MODE_SYNC, where it formats on the
 *            spot); one that interrupts another logging call is counted as dropped.
 * Text       UTF-8. Bytes that are not, and control characters, are escaped in the output; one call is one line.
 * Names      `step_` and `STEP_` are public. `stepi_` and `STEPI_` are the macros' own: do not use them. */
#ifndef STEP_LOGGER_H
#define STEP_LOGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEP_LOGGER_VERSION_MAJOR 0
#define STEP_LOGGER_VERSION_MINOR 1
#define STEP_LOGGER_VERSION_PATCH 0
#define STEP_LOGGER_VERSION "0.1.0"

#if defined(STEP_LOGGER_STATIC) || !defined(__GNUC__)
#define STEP_API
#else
#define STEP_API __attribute__((visibility("default")))
#endif

#ifdef __GNUC__
#define STEPI_PRINTF(format_at, first) __attribute__((format(printf, format_at, first)))
#else
#define STEPI_PRINTF(format_at, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Levels -------------------------------------------------------------------------------------------------------
 * OpenTelemetry severity numbers. Numbers in between are allowed and take the name of the level below them. */
typedef int step_level_t;
enum {
    STEP_LEVEL_DEBUG = 5,
    STEP_LEVEL_INFO = 9,
    STEP_LEVEL_WARNING = 13,
    STEP_LEVEL_ERROR = 17,
    STEP_LEVEL_CRITICAL = 21,
    STEP_LEVEL_OFF = 25 /* as a threshold: nothing passes */
};

/* ---- Errors -------------------------------------------------------------------------------------------------------
 * One append-only list: number and text of each. */
#define STEP_ERRORS(X)                                                                             \
    X(STEP_OK, 0, "no error")                                                                      \
    X(STEP_EINVAL, -1, "invalid argument")                                                         \
    X(STEP_ENOMEM, -2, "out of memory")                                                            \
    X(STEP_EIO, -3, "a sink could not write, or a crash ring could not be used")                   \
    X(STEP_ETIMEOUT, -4, "timed out without progress")                                             \
    X(STEP_ESINK, -5, "there is no sink: it could not be made, errno says why")                    \
    X(STEP_ENOTSUP, -6, "not supported by this build")
#define STEPI_ERROR_ENUM(name, value, text) name = value,
enum { STEP_ERRORS(STEPI_ERROR_ENUM) STEPI_ERROR_SENTINEL = 1 };
#undef STEPI_ERROR_ENUM

/* The text for a STEP_E... code; a fixed text for an unknown one. Never NULL. */
STEP_API const char *step_error_text(int code);

/* ---- Fields: step_kv(key, value) and the typed constructors step_i64(), step_str(), ... ----------------------------*/
typedef struct step_field step_field_t;

/* ---- Operations ----------------------------------------------------------------------------------------------------
 * An operation is the unit that starts, has steps and completes. The logging calls on it are macros:
 *
 *     step_logger_start(op, fields...)                          step_logger_step(op, number, description, fields...)
 *     step_logger_success(op, fields...)                        step_logger_failure(op, error, fields...)
 *     step_logger_skip(op, reason, fields...)                   step_logger_complete(op, fields...)
 *     step_logger_progress(op, done, total, fields...)          step_logger_failure_errno(op, errnum, fields...)
 *     step_logger_message(op, level, text, fields...)           step_logger_messagef(op, level, format, ...)
 *     step_logger_bind(op, fields...)
 *
 * start() decides the operation's parent and makes it current on this thread: an operation that starts meanwhile is its
 * child, a message without an operation joins it. Completing or freeing it, on any thread and in any order, removes it
 * from whichever thread holds it. failure() ends the open step; repeating a step is a retry. Calls in the wrong
 * order keep their data, say so in a WARNING line and are counted as misused. */
typedef struct step_logger step_logger_t;
typedef struct step_log step_log_t;

/* Begin with STEP_LOGGER_OPTIONS_INIT, so that members of later versions have their defaults. */
typedef struct step_logger_options {
    size_t size;             /* sizeof(step_logger_options_t) */
    step_log_t *log;         /* NULL: the default log */
    step_logger_t *parent;   /* NULL: the operation that is current on this thread when start() is called, if any */
    const char *traceparent; /* NULL, or a W3C traceparent to continue; a bad one is ignored, diagnosed and counted */
    step_level_t level;      /* of start, step, success, skip and complete lines. Failures are ERROR at least */
    int total_steps;         /* 0: unknown, lines then read [Step 3] */
} step_logger_options_t;

#define STEP_LOGGER_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(step_logger_options_t), NULL, NULL, NULL, STEP_LEVEL_INFO, 0                        \
    }

/* Makes an operation of total_steps steps (0 or less: unknown) that logs to the default log. It is not started yet. Of its
 * name, and of the descriptions of its steps, at most 1 KiB is kept; what is cut is marked.
 * Returns NULL when there is no memory or no default log; every call then does nothing. Free with step_logger_free(). */
STEP_API step_logger_t *step_logger_new(const char *operation, int total_steps);

/* The same with options; NULL options are the defaults. NULL also when options->log is closed, or options->size is not one
 * that this library knows (with a diagnostic). */
STEP_API step_logger_t *step_logger_new_with(const char *operation, const step_logger_options_t *options);

/* Frees an operation; NULL is fine. One that was started, is not completed, and whose latest step did not fail is reported as
 * incomplete. A call on a freed operation does nothing and is counted as misused, until its place is taken by a new one. */
STEP_API void step_logger_free(step_logger_t *op);

/* As options.parent: the operation is a root and does not become current. Never freed; as `op` of a call it is NULL. */
STEP_API step_logger_t *step_logger_no_parent(void);

/* Makes a started operation current on this thread; NULL: none is. An operation that is not started, or has ended, changes
 * nothing. Returns what was current before, to be attached again later; NULL if nothing was. */
STEP_API step_logger_t *step_logger_attach(step_logger_t *op);

/* ---- Trace context: W3C Trace Context level 2 -------------------------------------------------------------------------
 * Every operation is a span, every step a child span of it; an operation that starts during a step is a child of the step. A
 * root starts a new trace, unless options.traceparent or, for the default log, TRACEPARENT in the environment names one to
 * continue. JSON and logfmt lines show the ids. */

/* Writes the traceparent of the open step, else of the operation: 55 characters and a NUL. STEP_EINVAL when op is NULL or was
 * not started, or out is NULL. */
STEP_API int step_logger_traceparent(const step_logger_t *op, char out[56]);

/* The same as an HTTP header line, "traceparent: 00-...", without CR LF. */
#define STEP_TRACEPARENT_HEADER_BYTES 69
STEP_API int step_logger_traceparent_header(const step_logger_t *op, char out[STEP_TRACEPARENT_HEADER_BYTES]);

/* A copy of an environment block for execve() or posix_spawn() of a child that continues the trace: TRACEPARENT is set, all
 * else is as it was, but that TRACESTATE goes when it is of another trace. Only the list is new: its texts are those of `environment`, which must outlive it.
 * Without an operation that was started it is a plain copy. Free it with free(); NULL without memory. */
STEP_API char **step_logger_environment(const step_logger_t *op, char *const environment[]);

/* ---- Logs: a level, outputs, and the one backend thread that writes them --------------------------------------------*/
enum {
    STEP_MODE_ASYNC, /* a backend thread formats and writes */
    STEP_MODE_SYNC   /* the calling thread does: for tools, tests and hosts without threads */
};
enum {
    STEP_FULL_BLOCK, /* a thread whose ring is full waits as long as the backend makes progress */
    STEP_FULL_DROP   /* it drops the record; the stream says how many */
};

/* Time for tests and replay, both in nanoseconds: wall_ns counts from the Unix epoch, monotonic_ns from anywhere. A logging call
 * calls each of them once, on its thread. Whoever tells how long an operation has been running, stuck, incomplete or listed, asks
 * monotonic_ns, too. So both may be called by several threads at once. Neither may be NULL. What they log is dropped. */
typedef struct step_clock {
    int64_t (*wall_ns)(void *ctx);
    int64_t (*monotonic_ns)(void *ctx);
    void *ctx; /* given to both; must outlive the log */
} step_clock_t;

/* Begin with STEP_LOG_OPTIONS_INIT, so that members of later versions have their defaults. */
typedef struct step_log_options {
    size_t size;                    /* sizeof(step_log_options_t) */
    const step_clock_t *clock;      /* NULL: the system's. Copied */
    step_level_t level;             /* lines below it are not written to any output */
    uint32_t mode;                  /* STEP_MODE_ASYNC or STEP_MODE_SYNC */
    uint32_t when_full;             /* STEP_FULL_BLOCK or STEP_FULL_DROP */
    uint32_t ring_bytes;            /* of each logging thread: a power of two, 4 KiB to 1 GiB */
    uint32_t slow_ms;               /* operations that take longer are slow: kept whole, and marked; 0: none is */
    /* Bytes of records below `level` that each open operation keeps: they are written, marked, if it fails, is slow or never
     * ends, and discarded otherwise. When there are more the oldest give way. 0: lines below `level` are not recorded. */
    uint32_t flight_recorder_bytes;
    uint32_t stuck_ms;          /* an operation that has run for so long is reported, and after each doubling; 0: none is */
    uint32_t reserved;          /* 0 */
    double sample_rate;         /* of root operations that end well, which share is written, with their children: 0 to 1 */
    const char *crash_ring_dir; /* rings as files there, for step_log_recover() and `steplog recover`: a directory, made if need be,
                                 * best below /dev/shm. NULL: plain memory. Copied. */
    /* Keys whose values are secret, with commas between them, in any case; `*` is any run of characters, `?` any byte:
     * "password,*_token". Their values are neither copied nor shown. At most 1023 bytes. Copied. */
    const char *redact_keys;
    /* The library's own troubles: a STEP_E... code and one sentence, which is valid during the call. At most one a second of each
     * kind; from any thread, also within a logging call: what it logs to this log may be dropped. NULL: lines on stderr. */
    void (*diagnose)(void *ctx, int code, const char *text);
    void *diagnose_ctx; /* given to diagnose; must outlive the log */
    /* Levels by operation: "Database*=debug,Health check=error", patterns as above but in their exact case. The last rule that
     * matches an operation's name counts for its lines, and for messages and quick functions within it. At most 32 rules. Copied. */
    const char *level_rules;
} step_log_options_t;

/* The default of ring_bytes. */
#define STEP_LOG_RING_BYTES (256u * 1024u)
#define STEP_LOG_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(step_log_options_t), NULL, STEP_LEVEL_INFO, STEP_MODE_ASYNC, STEP_FULL_BLOCK,       \
            STEP_LOG_RING_BYTES, 0, 0, 0, 0, 1.0, NULL, NULL, NULL, NULL, NULL                     \
    }

/* Where lines go, and how they look. Whoever made one gives it to step_log_add_output(), which owns it from then on. */
typedef struct step_sink step_sink_t;
typedef struct step_format step_format_t;

/* Opens a log without outputs. The environment is not read. NULL options are the defaults.
 * STEP_EINVAL for a value out of range, STEP_ENOTSUP for an option that is not built yet (each with a diagnostic),
 * STEP_ENOMEM. Close with step_log_close(). */
STEP_API int step_log_open(const step_log_options_t *options, step_log_t **out);

/* Adds an output: records at `level` or above are rendered by `format` and written to `sink`; what a flight recorder shows counts
 * as being at the log's level. Records made before this call do not reach it, unless they are held back until later. Takes sink and format, even on failure. NULL sink: STEP_ESINK, errno still says why it could not
 * be made. NULL format: STEP_ENOMEM, as its constructor failed. STEP_EINVAL for a level out of range, and for a 33rd
 * output. */
STEP_API int step_log_add_output(step_log_t *log, step_sink_t *sink, step_format_t *format, step_level_t level);

/* The log's level from now on, on all threads. STEP_EINVAL when it is not between 1 and STEP_LEVEL_OFF. With a flight recorder it
 * first waits until the backend has seen what was logged before: STEP_EINVAL from inside a sink of this log, STEP_ETIMEOUT when
 * a sink holds it up for 2 s, and not for signal handlers. */
STEP_API int step_log_set_level(step_log_t *log, step_level_t level);

/* Fields that every later line of the log carries, such as service and host; a key that was bound before gets its new value. At
 * most 4 KiB of keys and values. STEP_EINVAL when it is more, and from inside a sink of this log; STEP_ENOMEM;
 * STEP_ETIMEOUT when a sink holds it up for 2 s. Not for signal handlers. step_log_bind() is a macro over it (call.h). */
STEP_API int step_log_bind_fields(step_log_t *log, const step_field_t *fields, size_t count);

/* Writes what is running now to fd, an operation a line, each below the one that it is part of:
 * `Sync: [2/3] Fetching models (running_ms=1250.3)`. Nothing is running: nothing is written. fd stays open. STEP_EIO when it
 * cannot be written, and errno is kept; STEP_ENOMEM; STEP_ETIMEOUT when a sink holds it up for 2 s; STEP_EINVAL from inside a
 * sink of this log. Not for signal handlers. */
STEP_API int step_log_dump_active(step_log_t *log, int fd);

/* Waits until everything logged before this call has reached every sink, was counted as dropped, or waits for its operation
 * to end (sampling, flight recorder).
 * STEP_ETIMEOUT after timeout_ms; STEP_EIO when a sink lost records since the previous flush; STEP_ENOMEM when the backend
 * could not see all that was logged; STEP_EINVAL from inside a sink of this log. */
STEP_API int step_log_flush(step_log_t *log, uint32_t timeout_ms);

/* Opens files again by their path, after logrotate moved them; what was logged before this call goes to the old ones. A file
 * that cannot be opened keeps its old descriptor: STEP_EIO and a diagnostic. STEP_ETIMEOUT when a sink holds it up for 2 s;
 * STEP_EINVAL from inside a sink of this log. Not for signal handlers. */
STEP_API int step_log_reopen(step_log_t *log);

/* Writes what is pending, reports open operations as incomplete, closes sinks, frees. Operations of this log do nothing
 * from then on but must still be freed. Without progress for 2 s the rest is counted as dropped and the result is
 * STEP_ETIMEOUT. Closing the default log leaves none: calls then do nothing. NULL is fine, and is not the default log.
 * STEP_EINVAL when it is closed already, and from inside a sink of this log. */
STEP_API int step_log_close(step_log_t *log);

/* The default log, made from the environment at first use (docs/configuration.md); NULL once it was closed. One that the
 * environment describes need not be closed: exit writes what is pending. */
STEP_API step_log_t *step_log_default(void);

/* Makes `log` the default; NULL: there is none. The previous default stays open and belongs to whoever opened it. STEP_EINVAL
 * when `log` is closed. */
STEP_API int step_log_set_default(step_log_t *log);

/* From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, on whatever thread, have all open logs write first what is pending,
 * within two seconds, and report open operations as incomplete; then the handler that was there before this call is called, or
 * the signal ends the process as it would have. For the whole process and for good; again does nothing. Threads that log from
 * now on, and the caller, get a signal stack of 128 KiB of address space, so that an overflow of their own is handled, too. Not
 * where such signals are part of normal work. STEP_ENOMEM; STEP_ENOTSUP when the kernel refuses. */
STEP_API int step_log_install_crash_handler(void);

typedef enum step_recover_flags {
    STEP_RECOVER_KEEP = 1,  /* leave the files: the next call finds them again */
    STEP_RECOVER_REPORT = 2 /* say before the records of each process whose they are, and behind them which operations were open, as
                             * incomplete */
} step_recover_flags_t;

typedef struct step_recovery {
    size_t size;        /* sizeof(step_recovery_t); set it before the call */
    uint64_t records;   /* that were written */
    uint64_t damaged;   /* bytes that could not be read */
    uint32_t processes; /* that were dead and left something behind, or nothing */
    uint32_t live;      /* that still run: left alone */
    uint32_t foreign;   /* written by another version or byte order, or unreadable: left alone */
} step_recovery_t;

/* Writes to the outputs of `log` what killed processes left in their crash rings below `directory` (step_log_options_t.crash_ring_dir)
 * and what their log files do not hold: every record whose call had returned, once, in the order of time, with its own pid, tid
 * and time, marked as recovered. Where an output was no regular file of one process alone, a record may come again. Then their files
 * are removed. `flags` are step_recover_flags_t; out may be NULL. Early in main(), after the outputs were added; any number of
 * processes may call it at the same time. STEP_OK, also where there is nothing; STEP_EINVAL; STEP_ENOMEM, STEP_EIO, with errno, or
 * STEP_ETIMEOUT when the directory cannot be read or the outputs did not take everything: the files are still there then. */
STEP_API int step_log_recover(step_log_t *log, const char *directory, uint32_t flags, step_recovery_t *out);

/* What happened to the records of a log. `recorded = written + sampled_out + dropped + held` once all is flushed; the
 * library's own records (drop reports and such) are not counted. */
typedef struct step_stats {
    size_t size;           /* sizeof(step_stats_t); set it before the call */
    uint64_t recorded;     /* records that callers made, dropped ones included */
    uint64_t written;      /* records that every output has taken, or filtered by its level */
    uint64_t dropped;      /* records that some output lost, each once: the sum of the dropped_... members */
    uint64_t misused;      /* calls in the wrong order, a freed operation, a bad traceparent, too much bound */
    uint64_t sampled_out;  /* records of successful operations that sampling left out */
    uint64_t dropped_full; /* the ring was full: STEP_FULL_DROP, or no progress for 2 s */
    uint64_t dropped_nested; /* made in a signal handler on top of another logging call */
    uint64_t dropped_memory; /* there was no memory for a ring */
    uint64_t dropped_sink;   /* some sink could not take them */
    uint64_t held;           /* wait, by sampling or in a flight recorder, until their operations end */
    uint64_t recorder_discarded; /* by flight recorders; they are among `written`: filtered by their level */
} step_stats_t;

/* Counters of a log since it was opened (in a forked child: since the fork). Fills as many members as out->size covers.
 * STEP_EINVAL when out is NULL or out->size smaller than a size_t. */
STEP_API int step_log_stats(step_log_t *log, step_stats_t *out);

/* ---- Formats: NULL when there is no memory ---------------------------------------------------------------------------
 * docs/formats.md has their grammar. */
typedef struct step_text_options { /* all 0, size apart, is step_format_text() */
    size_t size;         /* sizeof(step_text_options_t) */
    uint32_t timestamps; /* 1: RFC 3339 UTC time with microseconds before the level */
    uint32_t ascii;      /* 1: no emoji; START, SUCCESS, FAILED and so on keep the lines greppable */
    uint32_t color;      /* 1: ANSI colours */
    uint32_t ids;        /* 1: trace_id and span_id, in lines of operations */
} step_text_options_t;

/* Lines for people and grep. */
STEP_API step_format_t *step_format_text(void);

/* The same with options; NULL options are the defaults. NULL with EINVAL when options->size is not one that this library
 * knows. */
STEP_API step_format_t *step_format_text_with(const step_text_options_t *options);

typedef struct step_json_options { /* all 0, size apart, is step_format_json() */
    size_t size;        /* sizeof(step_json_options_t) */
    uint32_t source;    /* 1: file and line of the call */
    uint32_t canonical; /* 1: complete and incomplete lines tell what became of each step: step_1, step_1_duration_ms, ... */
} step_json_options_t;

/* One flat JSON object (RFC 8259) a line. With options as above. */
STEP_API step_format_t *step_format_json(void);
STEP_API step_format_t *step_format_json_with(const step_json_options_t *options);

/* The same members as key=value, reversible, with the same options. */
typedef step_json_options_t step_logfmt_options_t;
STEP_API step_format_t *step_format_logfmt(void);
STEP_API step_format_t *step_format_logfmt_with(const step_logfmt_options_t *options);

/* ---- Sinks: NULL and errno when they cannot be made. A sink that reached no log is freed by adding it to one -----------*/

/* A descriptor that stays the caller's: 1, 2, a pipe, a socket. Its flags are not changed, it is not closed, and must stay open
 * until the log is closed. Where it may block (not a regular file) a thread of its own writes to it. EBADF when it is not
 * open for writing. */
STEP_API step_sink_t *step_sink_fd(int fd);

/* Appends to a file, created 0640 (umask applies), a relative path from the directory that is current now. Regular files and
 * character devices (else EINVAL); in a directory that others may write to, only a file that is ours, has one link and is no
 * symbolic link (else EPERM). Several processes may share it: lines stay whole. Not synced to the disk. */
STEP_API step_sink_t *step_sink_file(const char *path);

/* Keeps at most max_bytes of text; lines that do not fit are lost whole and counted. */
STEP_API step_sink_t *step_sink_memory(size_t max_bytes);

/* The text so far, NUL-terminated: all that was flushed before this call. Valid until the next call for this sink, and until its
 * log is closed. Never NULL: empty for a sink that is not one of memory, and without memory for the copy. */
STEP_API const char *step_sink_memory_text(step_sink_t *memory);

/* Your own sink: called by one library thread per sink (in STEP_MODE_SYNC by the logging thread), never two at once. It
 * may log; it may not flush or close its own log. */
typedef struct step_sink_ops {
    size_t size;                                            /* sizeof(step_sink_ops_t) */
    int (*write)(void *ctx, const char *bytes, size_t len); /* whole lines; 0, or -1 and errno: nothing was taken */
    int (*flush)(void *ctx);  /* by step_log_flush() and close; 0, or -1 and errno. May be NULL */
    void (*close)(void *ctx); /* the last call, when the log is closed; ctx is free then. May be NULL */
} step_sink_ops_t;

/* `ops` is copied; what ctx points to stays the caller's until ops->close. EINVAL when ops or its write is NULL, or its size is
 * not one that this library knows. A failed write is not repeated: its lines are lost and counted. */
STEP_API step_sink_t *step_sink_custom(const step_sink_ops_t *ops, void *ctx);

#ifdef __cplusplus
}
#endif

#include <step_logger/field.h>

#include <step_logger/call.h> /* uses the fields: in this order */

#endif
