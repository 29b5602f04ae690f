/* What all commands share: what the user asked for, and where the answer goes. */
#ifndef STEPI_STEPLOG_COMMAND_H
#define STEPI_STEPLOG_COMMAND_H

#include "steplog/event.h"
#include "steplog/print.h"
#include "steplog/track.h"

/* Options that a command may have, besides --json, --since, --until, --exit-code, --color and --help, which all have. */
enum {
    STEPI_TAKES_TOP = 1,
    STEPI_TAKES_MIN_MS = 2,
    STEPI_TAKES_OPERATION = 4,
    STEPI_TAKES_STEP = 8,
    STEPI_TAKES_TO = 16,      /* and --no-timestamps, --ascii */
    STEPI_TAKES_MARGINS = 32, /* --alpha, --min-effect */
    STEPI_TAKES_KEEP = 64     /* --keep, --report */
};

typedef struct stepi_cli {
    const struct stepi_command *command;
    bool json, exit_code, asks_help;
    bool without_times, ascii, has_top;
    bool keep, report;
    stepi_filter_t filter;
    uint64_t top;
    double min_ms, alpha, min_effect;
    const char *operation, *step; /* parts of names; NULL: all */
    const char *key;              /* of rate; the directory of recover */
    stepi_form_t to;
    const char **names; /* of logs */
    size_t name_count;
    stepi_print_t *print;
} stepi_cli_t;

typedef struct stepi_command {
    const char *name;
    const char *summary;
    const char *usage; /* behind the name */
    const char *help;
    uint32_t takes;
    const char *argument; /* what comes before logs, for complaints; NULL: nothing */
    bool wants_two_logs;
    /* What was found, 0 for nothing; or -1 when it could not be done, which was said. */
    int64_t (*run)(stepi_cli_t *cli, size_t *unreadable);
} stepi_command_t;

int64_t stepi_failures(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_slow(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_incomplete(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_rate(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_stats(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_tree(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_diff(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_convert(stepi_cli_t *cli, size_t *unreadable);
int64_t stepi_recover(stepi_cli_t *cli, size_t *unreadable);

/* ---- The way that most commands go: every event in order, through a tracker */

/* Reads the logs names[0..count) and tells the watcher. -1 without memory, which was said. *unreadable grows. */
int stepi_watch_logs(stepi_cli_t *cli, const char *const *names, size_t count, const stepi_watcher_t *watcher,
                     size_t *unreadable);

/* The name of a log, for answers. */
const char *stepi_log_name(const char *const *names, size_t count, uint32_t log);

/* What was left out: foreign lines, lines without a time; on stderr. */
void stepi_tell_counts(const stepi_counts_t *counts);

/* `1 line was ...`, `2 lines were ...`. */
void stepi_put_lines(stepi_out_t *out, uint64_t lines, const char *of_one, const char *of_many);

/* Runs a job; -1 without memory, which was said. */
int stepi_run_job(const char *const *names, size_t count, stepi_job_t *job, size_t *unreadable);

/* Whether a text holds `part`; NULL is in every text. */
bool stepi_holds(const stepi_text_t *text, const char *part);

/* Whether an event is of an operation and a step that were asked for. `op` may be NULL. */
bool stepi_is_wanted(const stepi_cli_t *cli, const stepi_op_t *op, const stepi_event_t *event);

/* The operation's name: from the line, else from the operation that it belongs to. bytes NULL: unknown. */
stepi_text_t stepi_operation_of(const stepi_op_t *op, const stepi_event_t *event);

/* ---- Parts of answers ---- */

/* `[2/4] ` or `[Step 2] `; and how many columns that takes. */
void stepi_print_tag(stepi_print_t *print, int32_t step, int32_t total);
size_t stepi_tag_columns(int32_t step, int32_t total);

/* `Operation: [2/4] Description`, as far as it is known. */
void stepi_print_subject(stepi_print_t *print, const stepi_text_t *operation, const stepi_event_t *event);

/* `app.log:17`, dimmed. */
void stepi_print_place(stepi_print_t *print, const char *log, uint64_t line);

/* Members operation, step, total_steps, description, as far as they are known; and log, log_line. */
void stepi_json_operation(stepi_print_t *print, const stepi_text_t *operation);
void stepi_json_step(stepi_print_t *print, bool has_step, int32_t step, int32_t total, const stepi_text_t *description);
void stepi_json_place(stepi_print_t *print, const char *log, uint64_t line);

#endif
