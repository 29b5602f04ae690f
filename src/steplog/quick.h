/* Questions about few lines: only lines that may be an answer are read, and their operation is looked up from them
 * (lookback.h). Where that is not sure, the whole log is read after all, through a tracker. */
#ifndef STEPI_STEPLOG_QUICK_H
#define STEPI_STEPLOG_QUICK_H

#include "steplog/command.h"
#include "steplog/lookback.h"

/* Whether that can be tried: lines count whatever their time, and every log can be read twice. */
bool stepi_can_be_quick(const stepi_cli_t *cli);

typedef struct stepi_quick {
    stepi_cli_t *cli;
    void *context;
    /* On any thread: finds the next line from *at on that may be an answer, counting the lines before it in *lines. NULL: there is
     * none, and all lines are counted. Returns where in the line something was found. */
    const char *(*find)(void *context, const char *at, const char *end, uint64_t *lines);
    /* On any thread: whether the line that was read is an answer, if it is of an operation and a step that were asked for. */
    bool (*is_answer)(void *context, const stepi_event_t *event);
    /* On one thread, in order. */
    void (*answer)(void *context, const stepi_event_t *event, stepi_place_t place);

    stepi_input_t *input;
    bool is_unsure;          /* it stopped early */
    stepi_place_t unsure_at; /* all answers before this place were given */
    uint64_t ours;           /* lines that were looked at and are step_logger's */
} stepi_quick_t;

/* -1 without memory, which was said. */
int stepi_run_quick(stepi_quick_t *quick, size_t *unreadable);

#endif
