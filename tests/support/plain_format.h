/* A format that shows what the backend knows of a line, and hardly more: for tests of what is written, in which order and with which
 * marks, whatever the library's own formats make of it.
 *
 *     INFO start Sync
 *     DEBUG message Sync/2 "cache miss" rows=3 | service=catalog recorder slow ~0.1
 *
 * Level, kind, operation and step, text, fields, bound fields behind a bar, marks; ~RATE: it stands for others. */
#ifndef TESTS_SUPPORT_PLAIN_FORMAT_H
#define TESTS_SUPPORT_PLAIN_FORMAT_H

#include "support/capture.h"
#include "support/test_log.h"

enum {
    PLAIN_ELAPSED = 1, /* ms=12 of lines that have it */
    PLAIN_ORDER = 2,   /* seq=3 at=17: number in its thread; milliseconds since TEST_WALL_NS, by the wall clock */
    PLAIN_STEPS = 4    /* the steps of a complete or incomplete line: [1 success x2 5ms "Reading", ... +3] */
};

step_format_t *plain_format(unsigned shown);

/* A test's log anew, with such an output: in memory, for new_text(), or in a capture that outlives the log. */
void plain_log_open(test_log_t *t, const step_log_options_t *options, unsigned shown);
capture_t *plain_log_open_captured(test_log_t *t, const step_log_options_t *options, unsigned shown);

/* The same in a pipe, which forked children share; and what came out of it, when the log is closed. */
enum { PLAIN_PIPED_BYTES = 4096 };
void plain_log_open_piped(test_log_t *t, const step_log_options_t *options, int pipes[2]);
void plain_log_close_piped(test_log_t *t, const int pipes[2], char text[PLAIN_PIPED_BYTES]);

#endif
