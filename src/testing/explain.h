/* Words for an expectation that is not met. */
#ifndef STEPI_TESTING_EXPLAIN_H
#define STEPI_TESTING_EXPLAIN_H

#include "testing/expectation.h"
#include "testing/run.h"

/* What was found instead. */
typedef struct stepi_finding {
    const char *trouble;            /* why no answer can be relied on; NULL: it can */
    size_t count;                   /* of lines that are as expected */
    const step_captured_t *nearest; /* of the others; NULL: none is near */
    uint32_t differences;           /* of that one */
    int attempts;                   /* step_retried() */
    stepi_run_t run;                /* step_course(), step_is_open() */
} stepi_finding_t;

/* The text, in capture->report. */
const char *stepi_explain(step_capture_t *capture, const step_expectation_t *e, const stepi_finding_t *finding);

#endif
