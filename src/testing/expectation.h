/* Expectations, taken apart. Most are about lines: one is met by a line that has everything which it asks for. Four are about
 * what several lines say together. */
#ifndef STEPI_TESTING_EXPECTATION_H
#define STEPI_TESTING_EXPECTATION_H

#include <step_logger/testing.h>

typedef enum stepi_expected {
    STEPI_EXPECT_STARTED = 1,
    STEPI_EXPECT_COMPLETED,
    STEPI_EXPECT_LEFT_INCOMPLETE,
    STEPI_EXPECT_BEGAN,
    STEPI_EXPECT_SUCCEEDED,
    STEPI_EXPECT_FAILED,
    STEPI_EXPECT_SKIPPED,
    STEPI_EXPECT_LOGGED,
    STEPI_EXPECT_NOTHING_FROM, /* the last one about lines: those that should not be there */
    STEPI_EXPECT_RETRIED,
    STEPI_EXPECT_COURSE,
    STEPI_EXPECT_IS_OPEN
} stepi_expected_t;

/* What a line may differ in. */
typedef enum stepi_aspect {
    STEPI_ASPECT_EVENT,
    STEPI_ASPECT_OPERATION,
    STEPI_ASPECT_STEP,
    STEPI_ASPECT_LEVEL,
    STEPI_ASPECT_TEXT, /* error, reason or message */
    STEPI_ASPECT_FIELD /* the first of as many as there are */
} stepi_aspect_t;

/* The event of its lines; NULL: it is not about lines of one event. */
const char *stepi_expected_event(const step_expectation_t *e);

/* What the line says where the expectation has a text. */
const char *stepi_line_text(const step_captured_t *line);

/* A bit for each aspect in which the line is not as expected: 0 for a line that is. */
uint32_t stepi_differences(const step_expectation_t *e, const step_captured_t *line);

/* How many fields the expectation has room for and asks for. */
uint32_t stepi_expected_fields(const step_expectation_t *e);

#endif
