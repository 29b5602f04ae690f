/* Tests of code that logs with step_logger: a log that is captured, expectations about it, and lines made comparable.
 * A library of its own: link step_logger::testing, or `pkg-config --libs step_logger_testing`.
 *
 *     step_capture_t *capture = step_capture_new(NULL);     the code under test logs here from now on
 *     fetch_models(&provider);
 *     step_assert(capture, step_failed("Provider Fetch", 2, "HTTP 503*"));
 *     step_assert(capture, step_with(step_completed("Provider Fetch"), step_kv("models", 2756)));
 *     step_assert(capture, step_nothing_from(STEP_LEVEL_CRITICAL));
 *     step_capture_free(capture);
 *
 * When an assertion fails it says what was expected and shows the log. It works with cmocka (include <cmocka.h> before this
 * header), with any other framework (define STEP_TEST_FAIL), and with none.
 *
 * What holds everywhere, unless a comment says otherwise:
 *
 * Threads    Any thread may log into a capture at any time. One thread at a time looks at it.
 * Memory     What a function returns belongs to the capture, until step_capture_clear() or step_capture_free(). Expectations
 *            are values that own nothing: texts given to them must outlive the assertion.
 * NULL       A capture that is NULL holds nothing and meets no expectation. */
#ifndef STEP_LOGGER_TESTING_H
#define STEP_LOGGER_TESTING_H

#include <step_logger.h>

/* What marks a function of this library, which is always a static one. */
#define STEP_TESTING_API

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A captured log -------------------------------------------------------------------------------------------------*/
typedef struct step_capture step_capture_t;

/* Begin with STEP_CAPTURE_OPTIONS_INIT. */
typedef struct step_capture_options {
    size_t size;                   /* sizeof(step_capture_options_t) */
    const step_log_options_t *log; /* NULL: STEP_LOG_OPTIONS_INIT at level DEBUG. Its clock and mode are not used */
    int64_t wall_ns;               /* the time at which the capture begins, since the Unix epoch */
    uint64_t max_bytes;     /* of text, and as many of JSON: lines beyond are lost, and then no expectation is met */
    uint32_t keeps_default; /* 1: the default log stays; the code under test is given step_capture_log() */
    uint32_t reserved;      /* 0 */
} step_capture_options_t;

#define STEP_CAPTURE_WALL_NS INT64_C(946684800000000000) /* 2000-01-01T00:00:00Z */
#define STEP_CAPTURE_BYTES (UINT64_C(64) << 20)
#define STEP_CAPTURE_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        sizeof(step_capture_options_t), NULL, STEP_CAPTURE_WALL_NS, STEP_CAPTURE_BYTES, 0, 0                           \
    }

/* Opens a log in STEP_MODE_SYNC, at level DEBUG, whose time stands still until the test lets it pass, and makes it the default
 * log (that of the environment is made before, as at any first use). NULL options are the defaults. NULL with EINVAL for an option
 * out of range, ENOTSUP as step_log_open(), ENOMEM. Free with step_capture_free(). */
STEP_TESTING_API step_capture_t *step_capture_new(const step_capture_options_t *options);

/* Closes the log, and makes what was the default log before the default again, if this one still is it. NULL is fine. */
STEP_TESTING_API void step_capture_free(step_capture_t *capture);

/* Forgets the lines so far; operations stay open, time stays. What was returned about these lines is no longer valid. */
STEP_TESTING_API void step_capture_clear(step_capture_t *capture);

/* Lets time pass, for the wall clock and for durations. From any thread. Negative: the clocks go back. */
STEP_TESTING_API void step_capture_advance_ms(step_capture_t *capture, int64_t ms);
STEP_TESTING_API void step_capture_advance_ns(step_capture_t *capture, int64_t ns);

/* The log, for step_logger_options_t.log; more outputs may be added to it, as long as they lose nothing. NULL for NULL. */
STEP_TESTING_API step_log_t *step_capture_log(step_capture_t *capture);

/* All lines as step_format_text() and as step_format_json() write them, NUL-terminated. Valid until the next such call, and the
 * next check, of this capture. Never NULL: empty without memory. */
STEP_TESTING_API const char *step_capture_text(step_capture_t *capture);
STEP_TESTING_API const char *step_capture_json(step_capture_t *capture);

/* ---- Its lines, one by one ------------------------------------------------------------------------------------------*/
enum {
    STEP_ANY_STEP = -2147483647 - 1, /* in expectations */
    STEP_NO_STEP = -2147483647       /* a line that is of no step: a failure of the operation as a whole */
};

/* A line. Texts are NUL-terminated, and NULL where the line has none. */
typedef struct step_captured {
    const char *event;       /* "step_failure": the names of JSON lines (docs/formats.md). Never NULL */
    const char *time;        /* RFC 3339, UTC, nanoseconds */
    const char *operation;   /* its name */
    const char *description; /* of the step */
    const char *error;       /* of a failure */
    const char *reason;      /* of a skipped step */
    const char *message;     /* of a message; of "dropped", why */
    const char *trace_id, *span_id, *parent_span_id;
    const step_field_t *fields;  /* the user's, under their own keys, in the order of the call */
    const step_field_t *members; /* the line's own, under the names of JSON lines */
    size_t field_count, member_count;
    double duration_ms; /* of the step, or the total of the operation; below 0: the line has none */
    step_level_t level; /* STEP_LEVEL_DEBUG, _INFO, _WARNING, _ERROR or _CRITICAL */
    int step;           /* or STEP_NO_STEP */
    int total_steps;    /* 0: unknown */
    int attempt;        /* of the step: 1, 2 for the first retry, ... */
    int errnum;         /* of step_logger_failure_errno(); 0: none */
    int depth;          /* of nesting; 0: a root */
} step_captured_t;

/* How many lines there are; line `index` of them, the oldest is 0. NULL beyond the last. Stays valid when more is logged. */
STEP_TESTING_API size_t step_capture_count(step_capture_t *capture);
STEP_TESTING_API const step_captured_t *step_capture_at(step_capture_t *capture, size_t index);

/* The user's field of that key, the first if there are several; else the line's own member of that name ("attempt", "pid"). NULL:
 * neither. Whole numbers are STEP_FIELD_I64, or STEP_FIELD_U64 beyond INT64_MAX, other numbers STEP_FIELD_F64; texts, secrets too,
 * are STEP_FIELD_TEXT_N and NUL-terminated. NULL texts and numbers that are not finite are NULL texts. */
STEP_TESTING_API const step_field_t *step_captured_field(const step_captured_t *line, const char *key);

/* ---- Expectations -----------------------------------------------------------------------------------------------------
 * What a log should hold: at least one such line, in whichever run of the operation, unless step_times() or step_never() is
 * around it. Names, errors, reasons and messages are patterns: `*` stands for any text, `\*` for a star, `\\` for a backslash;
 * everything else is literal. NULL: whatever it is. Steps are numbers, STEP_ANY_STEP or STEP_NO_STEP. */
enum { STEP_EXPECTED_FIELDS = 8 };

/* Made by the functions below alone. */
typedef struct stepi_expectation {
    uint32_t kind;
    uint32_t field_count; /* those that found no room, too */
    uint32_t likes;       /* bit i: fields[i] is a pattern */
    int step;
    int number; /* a level, or how often */
    int times;  /* below 0: at least once */
    const char *operation;
    const char *text;
    step_field_t fields[STEP_EXPECTED_FIELDS];
} step_expectation_t;

/* Lines of these kinds. */
STEP_TESTING_API step_expectation_t step_started(const char *operation);
STEP_TESTING_API step_expectation_t step_completed(const char *operation);
STEP_TESTING_API step_expectation_t step_left_incomplete(const char *operation);
STEP_TESTING_API step_expectation_t step_began(const char *operation, int step);
STEP_TESTING_API step_expectation_t step_succeeded(const char *operation, int step);
STEP_TESTING_API step_expectation_t step_failed(const char *operation, int step, const char *error);
STEP_TESTING_API step_expectation_t step_skipped(const char *operation, int step, const char *reason);

/* A message; level 0: at any level. */
STEP_TESTING_API step_expectation_t step_logged(step_level_t level, const char *message);

/* In the latest run of the operation the step has begun, and was begun again exactly so many times. */
STEP_TESTING_API step_expectation_t step_retried(const char *operation, int step, int times);

/* The latest run of the operation, as a pattern for "1 succeeded, 2 failed, 2 succeeded, 3 skipped, completed": each step in
 * the order of beginning with what became of it (`succeeded`, `failed`, `skipped`, `open`); `failed` alone where the operation
 * failed without a step; then `completed` or `incomplete`, when it has ended so. */
STEP_TESTING_API step_expectation_t step_course(const char *operation, const char *course);

/* The latest run of the operation has started, and neither completed, nor was it reported as incomplete, nor is a failure the
 * last that is known of it (it may have been freed since: nothing tells). */
STEP_TESTING_API step_expectation_t step_is_open(const char *operation);

/* No line is at this level or above. */
STEP_TESTING_API step_expectation_t step_nothing_from(step_level_t level);

/* The same, and the line has this field: step_with(step_started("Export"), step_kv("table", "models")). Also a member of the
 * line's own, where no field of the user's has that key: step_kv("duration_ms", 250), step_kv("errno", ENOENT). Texts are
 * compared byte by byte, numbers by value whatever their type (step_fixed(): within its decimals), 0 and 1 also with booleans;
 * step_secret() is a value that was masked. At most STEP_EXPECTED_FIELDS of them: an expectation with more is never met, and says
 * so. Not for step_retried(), step_course(), step_is_open() and step_nothing_from(), which have no line. */
STEP_TESTING_API step_expectation_t step_with(step_expectation_t expectation, step_field_t field);

/* The same for a field whose text is like a pattern. NULL: for one that is there, whatever its value. */
STEP_TESTING_API step_expectation_t step_with_like(step_expectation_t expectation, const char *key,
                                                   const char *pattern);

/* The same, exactly so many times; and never. */
STEP_TESTING_API step_expectation_t step_times(step_expectation_t expectation, int times);
STEP_TESTING_API step_expectation_t step_never(step_expectation_t expectation);

/* NULL when the capture meets the expectation. Otherwise what was expected, what was found instead, and the lines of the log:
 * text of several lines, valid until the next check of this capture. A capture whose log has lost lines meets none. */
STEP_TESTING_API const char *step_capture_check(step_capture_t *capture, step_expectation_t expectation);

/* Whether the capture meets the expectation. */
STEP_TESTING_API bool step_capture_meets(step_capture_t *capture, step_expectation_t expectation);

/* The first line that the expectation is about; NULL: there is none. Never one of step_retried(), step_course(), step_is_open();
 * of step_nothing_from() the first that should not be there. */
STEP_TESTING_API const step_captured_t *step_capture_find(step_capture_t *capture, step_expectation_t expectation);

/* Fails the test unless the capture meets the expectation, with what step_capture_check() says. */
#define step_assert(capture, expectation)                                                                              \
    do {                                                                                                               \
        const char *const stepi_trouble = step_capture_check((capture), (expectation));                                \
        if (stepi_trouble != NULL)                                                                                     \
            STEP_TEST_FAIL(__FILE__, __LINE__, stepi_trouble);                                                         \
    } while (0)

/* How a test fails: with cmocka as its assertions do; else the text goes to stderr and the process is aborted. Define it before
 * the include for another framework: UNITY_TEST_FAIL(line, text) for Unity, ck_abort_msg("%s", text) for Check. */
#ifndef STEP_TEST_FAIL
#ifdef CMOCKA_H_
#define STEP_TEST_FAIL(file, line, text) stepi_fail_in_cmocka((file), (line), (text))
#else
#define STEP_TEST_FAIL(file, line, text) stepi_fail((file), (line), (text))
#endif
#endif

STEP_TESTING_API void stepi_fail(const char *file, int line, const char *text);

#ifdef CMOCKA_H_
/* Line by line: cmocka cuts what it is given at once after 1 KiB. */
static inline void stepi_fail_in_cmocka(const char *file, int line, const char *text)
{
    while (*text != '\0') {
        int length = 0;
        while (text[length] != '\0' && text[length] != '\n')
            length++;
        print_error("%.*s\n", length, text);
        text += length;
        if (*text == '\n')
            text++;
    }
    _fail(file, line);
}
#endif

/* ---- Lines made comparable, for golden files --------------------------------------------------------------------------
 * What changes from run to run becomes a placeholder: */
enum {
    STEP_NORMALIZE_DURATIONS = 1, /* <duration> */
    STEP_NORMALIZE_TIMES = 2,     /* <time> */
    STEP_NORMALIZE_IDS = 4,       /* <trace_id>, <span_id>, <parent_span_id> */
    STEP_NORMALIZE_PROCESS = 8,   /* <pid>, <tid>, <seq> */
    STEP_NORMALIZE_ALL = 15
};

/* A copy of `text`, lines in any of our formats, in which what the lines say of their own is replaced (`what`: STEP_NORMALIZE_...,
 * or-ed); in JSON by strings. The user's fields and texts stay as they are, and so do lines that are not ours; but a duration_ms
 * at the end of a quick function's line cannot be told from one of its own. Colours are taken off. What was normalised already
 * stays as it is. Free it with free(). NULL with EINVAL when text is NULL or `what` has other bits, or ENOMEM. */
STEP_TESTING_API char *step_normalize(const char *text, uint32_t what);

#ifdef __cplusplus
}
#endif

#endif
