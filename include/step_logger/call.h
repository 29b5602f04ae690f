/* The logging calls of step_logger.h: plain functions first, then the macros over them. Included by it; do not include it
 * yourself.
 *
 * A macro evaluates its operation, numbers and texts once, always; its fields at most once, before anything is
 * reserved, and only if somebody wants them. It is a statement. At most 60 fields; longer lists pass an array to the
 * function. The functions are the ABI for bindings and for compilers without these macros. */
#ifndef STEP_LOGGER_CALL_H
#define STEP_LOGGER_CALL_H

#ifdef __cplusplus
extern "C" {
#endif

/* One place in the source that logs: static, zero but for the first two members. The macros make one for each call; bindings
 * pass NULL. */
typedef struct step_site {
    const char *file; /* __FILE__ */
    uint32_t line;    /* __LINE__ */
    uint32_t flags;   /* 0 */
    uint64_t state[3]; /* the library's: the field types it has seen here, twice two of them, and where it keeps keys and place */
} step_site_t;

/* Whether a line of this operation at `level` (0: the operation's own level) would be written: for work that is only
 * done to be logged. NULL: false. */
STEP_API bool step_logger_wants(const step_logger_t *op, step_level_t level);

/* Whether a message at `level` would be written to the log; NULL: the default log, which is made if need be. */
STEP_API bool step_log_wants(step_log_t *log, step_level_t level);

/* What the macros of the same names without `_fields` call; what they do is said there. `fields` are `count` fields, read during
 * the call; NULL for none. They look at the level themselves, and leave the fields alone when the line is not wanted. */
STEP_API void step_logger_start_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields, size_t count);
STEP_API void step_logger_step_fields(step_logger_t *op, step_site_t *site, int number, const char *description,
                                      const step_field_t *fields, size_t count);
STEP_API void step_logger_success_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields,
                                         size_t count);
STEP_API void step_logger_failure_fields(step_logger_t *op, step_site_t *site, const char *error,
                                         const step_field_t *fields, size_t count);
STEP_API void step_logger_failure_errno_fields(step_logger_t *op, step_site_t *site, int errnum,
                                               const step_field_t *fields, size_t count);
STEP_API void step_logger_skip_fields(step_logger_t *op, step_site_t *site, const char *reason,
                                      const step_field_t *fields, size_t count);
STEP_API void step_logger_complete_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields,
                                          size_t count);

/* Bound fields are always read. They need memory: not for signal handlers, nor is freeing an operation that has some. */
STEP_API void step_logger_bind_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields, size_t count);

STEP_API void step_logger_progress_fields(step_logger_t *op, step_site_t *site, uint64_t done, uint64_t total,
                                          const step_field_t *fields, size_t count);
STEP_API void step_logger_message_fields(step_logger_t *op, step_site_t *site, step_level_t level, const char *text,
                                         const step_field_t *fields, size_t count);

/* What step_logger_messagef() calls: text as printf makes it, of any length, %m included. */
STEP_API void step_logger_message_format(step_logger_t *op, step_site_t *site, step_level_t level, const char *format,
                                         ...) STEPI_PRINTF(4, 5);

/* A message that joins the operation that is current on this thread, if it is one of the same log. */
STEP_API void step_message_fields(step_site_t *site, step_level_t level, const char *text, const step_field_t *fields,
                                  size_t count);
STEP_API void step_log_message_fields(step_log_t *log, step_site_t *site, step_level_t level, const char *text,
                                      const step_field_t *fields, size_t count);

/* A step without an operation object, in the default log. */
STEP_API void step_quick_step_fields(step_site_t *site, int number, const char *description, const char *operation,
                                     int total_steps, const step_field_t *fields, size_t count);
STEP_API void step_quick_success_fields(step_site_t *site, int number, const char *description, int total_steps,
                                        const step_field_t *fields, size_t count);
STEP_API void step_quick_failure_fields(step_site_t *site, int number, const char *description, const char *error,
                                        int total_steps, const step_field_t *fields, size_t count);

/* Calls from a site that the library has seen: values alone, those of the fields in their order. */
STEP_API void stepi_success_values(step_logger_t *op, step_site_t *site, uint64_t v0, uint64_t v1, uint64_t v2,
                                   uint64_t v3);
STEP_API void stepi_message_values(step_site_t *site, step_level_t level, const char *text, uint64_t v0, uint64_t v1,
                                   uint64_t v2, uint64_t v3);
STEP_API void stepi_quick_success_values(step_site_t *site, int number, const char *description, int total_steps,
                                         uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3);

#ifdef __cplusplus
}
#endif

#include "gate.h"

/* Define it before the include, e.g. as STEP_LEVEL_INFO: messages and quick functions below it vanish from the program. */
#ifndef STEP_LOGGER_COMPILED_LEVEL
#define STEP_LOGGER_COMPILED_LEVEL 0
#endif

/* ---- The macros' machinery: how many arguments are there, and is there a field list? -----------------------------*/
/* clang-format off */
#define STEPI_PICK(                                                                                \
    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25,\
    a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36, a37, a38, a39, a40, a41, a42, a43, a44, a45, a46, a47, a48,\
    a49, a50, a51, a52, a53, a54, a55, a56, a57, a58, a59, a60, a61, a62, a63, a64, a65, a66, picked, ...) picked
/* How many arguments there are beyond so many: N none, 1 to 4, F more */
#define STEPI_EXPAND(call) call
#define STEPI_OVER_1(...)\
    STEPI_EXPAND(STEPI_PICK(__VA_ARGS__, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, F, F, 4, 3, 2, 1, N, ~))
#define STEPI_OVER_2(...)\
    STEPI_EXPAND(STEPI_PICK(__VA_ARGS__, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, F, 4, 3, 2, 1, N, N, ~))
#define STEPI_OVER_3(...)\
    STEPI_EXPAND(STEPI_PICK(__VA_ARGS__, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, 4, 3, 2, 1, N, N, N, ~))
#define STEPI_OVER_4(...)\
    STEPI_EXPAND(STEPI_PICK(__VA_ARGS__, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,\
        F, F, F, F, F, F, F, F, F, F, 4, 3, 2, 1, N, N, N, N, ~))
/* clang-format on */
#define STEPI_JOIN(a, b) STEPI_JOIN_(a, b)
#define STEPI_JOIN_(a, b) a##b

#define STEPI_SITE static step_site_t stepi_site = { __FILE__, __LINE__, 0, { 0, 0, 0 } }
#define STEPI_FIELDS(...) const step_field_t stepi_fields[] = { __VA_ARGS__ }
#define STEPI_LIST stepi_fields, sizeof(stepi_fields) / sizeof(stepi_fields[0])
#define STEPI_NO_LIST NULL, 0

/* Arguments travel in parentheses, each followed by a comma. */
#define STEPI_ARGS(...) __VA_ARGS__

/* A call without fields, and one with: `declared` holds what is evaluated once, `wanted` says whether fields are. */
#define STEPI_CALL_N(function, args)                                                               \
    do {                                                                                           \
        STEPI_SITE;                                                                                \
        function(STEPI_ARGS args STEPI_NO_LIST);                                                   \
    } while (0)
#define STEPI_CALL_F(function, declared, wanted, args, ...)                                        \
    do {                                                                                           \
        STEPI_SITE;                                                                                \
        declared if (wanted)                                                                       \
        {                                                                                          \
            STEPI_FIELDS(__VA_ARGS__);                                                             \
            function(STEPI_ARGS args STEPI_LIST);                                                  \
        }                                                                                          \
        else                                                                                       \
        {                                                                                          \
            function(STEPI_ARGS args STEPI_NO_LIST);                                               \
        }                                                                                          \
    } while (0)

/* The same for up to four fields and a function that takes their values alone, once the site is known. The fields are a
 * local whose address is never taken (only that of its copy, where the call is a slow one anyway), so that the compiler
 * keeps the values in registers and knows the types, if they are always the same, to be constants. */
#define STEPI_CALL_V(count, function, values, declared, wanted, args, ...)                         \
    do {                                                                                           \
        STEPI_SITE;                                                                                \
        declared if (wanted)                                                                       \
        {                                                                                          \
            const stepi_four_t stepi_list = { { __VA_ARGS__ } };                                   \
            if (STEPI_IS_SEEN(stepi_site, stepi_list.at)) {                                        \
                values(STEPI_ARGS args stepi_list.at[0].value.u64, stepi_list.at[1].value.u64,     \
                       stepi_list.at[2].value.u64, stepi_list.at[3].value.u64);                    \
            } else {                                                                               \
                const stepi_four_t stepi_copy = stepi_list;                                        \
                function(STEPI_ARGS args stepi_copy.at, count);                                    \
            }                                                                                      \
        }                                                                                          \
        else                                                                                       \
        {                                                                                          \
            function(STEPI_ARGS args STEPI_NO_LIST);                                               \
        }                                                                                          \
    } while (0)
#define STEPI_TYPES(a, b) ((a).type | STEPI_CAST(uint64_t, (b).type) << 32)
#define STEPI_IS_SEEN(site, at)                                                                    \
    (STEPI_IS_CONSTANT((at)[0].type | (at)[1].type | (at)[2].type | (at)[3].type) &&               \
     STEPI_LOAD_FIRST((site).state[0]) == STEPI_TYPES((at)[0], (at)[1]) &&                         \
     (site).state[1] == STEPI_TYPES((at)[2], (at)[3]))
#define STEPI_OP(op) step_logger_t *const stepi_op = (op);

/* on an operation: no argument more (start, success, complete), one (failure, skip), two (step, progress) */
#define STEPI_OP0_N(function, op) STEPI_CALL_N(function, ((op), &stepi_site, ))
#define STEPI_OP0_F(function, op, ...)                                                             \
    STEPI_CALL_F(function, STEPI_OP(op), stepi_wants(stepi_op, 0),                           \
                 (stepi_op, &stepi_site, ), __VA_ARGS__)
#define STEPI_OP1_N(function, type, level, op, a) STEPI_CALL_N(function, ((op), &stepi_site, (a), ))
#define STEPI_OP1_F(function, type, level, op, a, ...)                                             \
    STEPI_CALL_F(function, STEPI_OP(op) type const stepi_a = (a);                                  \
                 , stepi_wants(stepi_op, level), (stepi_op, &stepi_site, stepi_a, ),         \
                 __VA_ARGS__)
#define STEPI_OP2_N(function, type_a, type_b, op, a, b)                                            \
    STEPI_CALL_N(function, ((op), &stepi_site, (a), (b), ))
#define STEPI_OP2_F(function, type_a, type_b, op, a, b, ...)                                       \
    STEPI_CALL_F(function, STEPI_OP(op) type_a const stepi_a = (a); type_b const stepi_b = (b);    \
                 , stepi_wants(stepi_op, 0), (stepi_op, &stepi_site, stepi_a, stepi_b, ),    \
                 __VA_ARGS__)

/* success() alone of these is so frequent that it has the short way */
#define STEPI_SUCCESS_N(op) STEPI_OP0_N(step_logger_success_fields, op)
#define STEPI_SUCCESS_1(op, ...) STEPI_SUCCESS_V(1, op, __VA_ARGS__)
#define STEPI_SUCCESS_2(op, ...) STEPI_SUCCESS_V(2, op, __VA_ARGS__)
#define STEPI_SUCCESS_3(op, ...) STEPI_SUCCESS_V(3, op, __VA_ARGS__)
#define STEPI_SUCCESS_4(op, ...) STEPI_SUCCESS_V(4, op, __VA_ARGS__)
#define STEPI_SUCCESS_V(count, op, ...)                                                            \
    STEPI_CALL_V(count, step_logger_success_fields, stepi_success_values, STEPI_OP(op),            \
                 stepi_wants(stepi_op, 0), (stepi_op, &stepi_site, ), __VA_ARGS__)
#define STEPI_SUCCESS_F(op, ...) STEPI_OP0_F(step_logger_success_fields, op, __VA_ARGS__)

/* messages: the level decides, and nothing else is evaluated when it is off */
#define STEPI_IF(declared, wanted, ...)                                                            \
    do {                                                                                           \
        declared if (wanted) __VA_ARGS__;                                                          \
    } while (0)
#define STEPI_COMPILED(level) ((level) >= STEP_LOGGER_COMPILED_LEVEL)
#define STEPI_MESSAGE_IF(level, ...)                                                               \
    STEPI_IF(const step_level_t stepi_level = (level);                                             \
             , STEPI_COMPILED(stepi_level) && stepi_wants_default(stepi_level), __VA_ARGS__)
#define STEPI_MESSAGE_N(level, text)                                                               \
    STEPI_MESSAGE_IF(level, STEPI_CALL_N(step_message_fields, (&stepi_site, stepi_level, (text), )))
#define STEPI_MESSAGE_1(level, text, ...) STEPI_MESSAGE_V(1, level, text, __VA_ARGS__)
#define STEPI_MESSAGE_2(level, text, ...) STEPI_MESSAGE_V(2, level, text, __VA_ARGS__)
#define STEPI_MESSAGE_3(level, text, ...) STEPI_MESSAGE_V(3, level, text, __VA_ARGS__)
#define STEPI_MESSAGE_4(level, text, ...) STEPI_MESSAGE_V(4, level, text, __VA_ARGS__)
#define STEPI_MESSAGE_V(count, level, text, ...)                                                   \
    STEPI_MESSAGE_IF(level, STEPI_CALL_V(count, step_message_fields, stepi_message_values,         \
                                         const char *const stepi_text = (text);                    \
                                         , true, (&stepi_site, stepi_level, stepi_text, ), __VA_ARGS__))
#define STEPI_MESSAGE_F(level, text, ...)                                                          \
    STEPI_MESSAGE_IF(level, STEPI_CALL_F(step_message_fields, const char *const stepi_text = (text); \
                                         , true, (&stepi_site, stepi_level, stepi_text, ), __VA_ARGS__))
#define STEPI_LOG_MESSAGE_N(log, level, text)                                                      \
    STEPI_IF(step_log_t *const stepi_log = (log); const step_level_t stepi_level = (level);        \
             , STEPI_COMPILED(stepi_level) && step_log_wants(stepi_log, stepi_level),              \
             STEPI_CALL_N(step_log_message_fields, (stepi_log, &stepi_site, stepi_level, (text), )))
#define STEPI_LOG_MESSAGE_F(log, level, text, ...)                                                 \
    STEPI_IF(step_log_t *const stepi_log = (log); const step_level_t stepi_level = (level);        \
             , STEPI_COMPILED(stepi_level) && step_log_wants(stepi_log, stepi_level),              \
             STEPI_CALL_F(step_log_message_fields, const char *const stepi_text = (text);          \
                          , true, (stepi_log, &stepi_site, stepi_level, stepi_text, ), __VA_ARGS__))
#define STEPI_OP_MESSAGE_N(op, level, text)                                                        \
    STEPI_IF(STEPI_OP(op) const step_level_t stepi_level = (level);                                \
             , STEPI_COMPILED(stepi_level) && stepi_wants_message(stepi_op, stepi_level),          \
             STEPI_CALL_N(step_logger_message_fields, (stepi_op, &stepi_site, stepi_level, (text), )))
#define STEPI_OP_MESSAGE_F(op, level, text, ...)                                                   \
    STEPI_IF(STEPI_OP(op) const step_level_t stepi_level = (level);                                \
             , STEPI_COMPILED(stepi_level) && stepi_wants_message(stepi_op, stepi_level),          \
             STEPI_CALL_F(step_logger_message_fields, const char *const stepi_text = (text);       \
                          , true, (stepi_op, &stepi_site, stepi_level, stepi_text, ), __VA_ARGS__))

/* quick functions: numbers and texts are evaluated always, fields if the default log wants the line */
#define STEPI_QUICK_STEP_N(number, description, operation, total)                                  \
    STEPI_CALL_N(step_quick_step_fields, (&stepi_site, (number), (description), (operation), (total), ))
#define STEPI_QUICK_STEP_F(number, description, operation, total, ...)                             \
    STEPI_CALL_F(step_quick_step_fields, const int stepi_number = (number);                        \
                 const char *const stepi_a = (description); const char *const stepi_b = (operation); \
                 const int stepi_total = (total);                                                  \
                 , stepi_wants_default(STEP_LEVEL_INFO),                                                \
                 (&stepi_site, stepi_number, stepi_a, stepi_b, stepi_total, ), __VA_ARGS__)
#define STEPI_QUICK_SUCCESS_N(number, description, total)                                          \
    STEPI_CALL_N(step_quick_success_fields, (&stepi_site, (number), (description), (total), ))
#define STEPI_QUICK_SUCCESS_1(...) STEPI_QUICK_SUCCESS_V(1, __VA_ARGS__)
#define STEPI_QUICK_SUCCESS_2(...) STEPI_QUICK_SUCCESS_V(2, __VA_ARGS__)
#define STEPI_QUICK_SUCCESS_3(...) STEPI_QUICK_SUCCESS_V(3, __VA_ARGS__)
#define STEPI_QUICK_SUCCESS_4(...) STEPI_QUICK_SUCCESS_V(4, __VA_ARGS__)
#define STEPI_QUICK_SUCCESS_V(count, number, description, total, ...)                              \
    STEPI_CALL_V(count, step_quick_success_fields, stepi_quick_success_values,                     \
                 const int stepi_number = (number); const char *const stepi_a = (description);     \
                 const int stepi_total = (total);                                                  \
                 , stepi_wants_default(STEP_LEVEL_INFO), (&stepi_site, stepi_number, stepi_a, stepi_total, ), \
                 __VA_ARGS__)
#define STEPI_QUICK_SUCCESS_F(number, description, total, ...)                                     \
    STEPI_CALL_F(step_quick_success_fields, const int stepi_number = (number);                     \
                 const char *const stepi_a = (description); const int stepi_total = (total);       \
                 , stepi_wants_default(STEP_LEVEL_INFO), (&stepi_site, stepi_number, stepi_a, stepi_total, ), \
                 __VA_ARGS__)
#define STEPI_QUICK_FAILURE_N(number, description, error, total)                                   \
    STEPI_CALL_N(step_quick_failure_fields, (&stepi_site, (number), (description), (error), (total), ))
#define STEPI_QUICK_FAILURE_F(number, description, error, total, ...)                              \
    STEPI_CALL_F(step_quick_failure_fields, const int stepi_number = (number);                     \
                 const char *const stepi_a = (description); const char *const stepi_b = (error);   \
                 const int stepi_total = (total);                                                  \
                 , stepi_wants_default(STEP_LEVEL_ERROR),                                               \
                 (&stepi_site, stepi_number, stepi_a, stepi_b, stepi_total, ), __VA_ARGS__)

/* those without a short way */
#define STEPI_OP0_1 STEPI_OP0_F
#define STEPI_OP0_2 STEPI_OP0_F
#define STEPI_OP0_3 STEPI_OP0_F
#define STEPI_OP0_4 STEPI_OP0_F
#define STEPI_OP1_1 STEPI_OP1_F
#define STEPI_OP1_2 STEPI_OP1_F
#define STEPI_OP1_3 STEPI_OP1_F
#define STEPI_OP1_4 STEPI_OP1_F
#define STEPI_OP2_1 STEPI_OP2_F
#define STEPI_OP2_2 STEPI_OP2_F
#define STEPI_OP2_3 STEPI_OP2_F
#define STEPI_OP2_4 STEPI_OP2_F
#define STEPI_OP_MESSAGE_1 STEPI_OP_MESSAGE_F
#define STEPI_OP_MESSAGE_2 STEPI_OP_MESSAGE_F
#define STEPI_OP_MESSAGE_3 STEPI_OP_MESSAGE_F
#define STEPI_OP_MESSAGE_4 STEPI_OP_MESSAGE_F
#define STEPI_LOG_MESSAGE_1 STEPI_LOG_MESSAGE_F
#define STEPI_LOG_MESSAGE_2 STEPI_LOG_MESSAGE_F
#define STEPI_LOG_MESSAGE_3 STEPI_LOG_MESSAGE_F
#define STEPI_LOG_MESSAGE_4 STEPI_LOG_MESSAGE_F
#define STEPI_QUICK_STEP_1 STEPI_QUICK_STEP_F
#define STEPI_QUICK_STEP_2 STEPI_QUICK_STEP_F
#define STEPI_QUICK_STEP_3 STEPI_QUICK_STEP_F
#define STEPI_QUICK_STEP_4 STEPI_QUICK_STEP_F
#define STEPI_QUICK_FAILURE_1 STEPI_QUICK_FAILURE_F
#define STEPI_QUICK_FAILURE_2 STEPI_QUICK_FAILURE_F
#define STEPI_QUICK_FAILURE_3 STEPI_QUICK_FAILURE_F
#define STEPI_QUICK_FAILURE_4 STEPI_QUICK_FAILURE_F

/* which, by the number of arguments */
#define STEPI_0(...) STEPI_JOIN(STEPI_OP0_, STEPI_OVER_1(__VA_ARGS__))
#define STEPI_TEXT1(...) STEPI_JOIN(STEPI_OP1_, STEPI_OVER_2(__VA_ARGS__))
#define STEPI_2(...) STEPI_JOIN(STEPI_OP2_, STEPI_OVER_3(__VA_ARGS__))

/* ---- The calls ---------------------------------------------------------------------------------------------------*/

/* (op, fields...): the operation begins, under its parent; 🚀 START */
#define step_logger_start(...) STEPI_EXPAND(STEPI_0(__VA_ARGS__)(step_logger_start_fields, __VA_ARGS__))

/* (op, int number, const char *description, fields...): step `number`, counted from 1, begins; ▶️. A step that is still open ends
 * without a line; the number of the step before means a retry. */
#define step_logger_step(...)                                                                      \
    STEPI_EXPAND(STEPI_2(__VA_ARGS__)(step_logger_step_fields, int, const char *, __VA_ARGS__))

/* (op, fields...): the open step succeeded; ✅, with its duration */
#define step_logger_success(...)                                                                   \
    STEPI_EXPAND(STEPI_JOIN(STEPI_SUCCESS_, STEPI_OVER_1(__VA_ARGS__))(__VA_ARGS__))

/* (op, const char *error, fields...): the open step, or with none the operation, failed; ❌, at ERROR at least */
#define step_logger_failure(...)                                                                   \
    STEPI_EXPAND(STEPI_TEXT1(__VA_ARGS__)(step_logger_failure_fields, const char *, STEP_LEVEL_ERROR, __VA_ARGS__))

/* (op, int errnum, fields...): the same; the text is strerror's */
#define step_logger_failure_errno(...)                                                             \
    STEPI_EXPAND(STEPI_TEXT1(__VA_ARGS__)(step_logger_failure_errno_fields, int, STEP_LEVEL_ERROR, __VA_ARGS__))

/* (op, const char *reason, fields...): the open step was not needed; ⏭️ */
#define step_logger_skip(...)                                                                      \
    STEPI_EXPAND(STEPI_TEXT1(__VA_ARGS__)(step_logger_skip_fields, const char *, 0, __VA_ARGS__))

/* (op, fields...): the operation is done, well or not; 🏁 COMPLETE, with its duration */
#define step_logger_complete(...) STEPI_EXPAND(STEPI_0(__VA_ARGS__)(step_logger_complete_fields, __VA_ARGS__))

/* (op, uint64_t done, uint64_t total, fields...): how far the open step is, or the operation; ⏳. total 0: unknown. At most one
 * line a second, but always a step's first and the one where done >= total; fields are evaluated at every call. */
#define step_logger_progress(...)                                                                  \
    STEPI_EXPAND(STEPI_2(__VA_ARGS__)(step_logger_progress_fields, uint64_t, uint64_t, __VA_ARGS__))

/* (op, step_level_t level, const char *text, fields...): a line of the operation that is no step's beginning or end */
#define step_logger_message(...)                                                                   \
    STEPI_EXPAND(STEPI_JOIN(STEPI_OP_MESSAGE_, STEPI_OVER_3(__VA_ARGS__))(__VA_ARGS__))

/* (op, fields...): fields that every later line of the operation and of its children carries, those before start(), too; a key that
 * was bound before gets its new value. At most 4 KiB of keys and values, and an eighth of the log's ring_bytes. */
#define step_logger_bind(op, ...)                                                                  \
    do {                                                                                           \
        STEPI_SITE;                                                                                \
        STEPI_OP(op) STEPI_FIELDS(__VA_ARGS__);                                                    \
        step_logger_bind_fields(stepi_op, &stepi_site, STEPI_LIST);                                \
    } while (0)

/* (step_log_t *log, fields...): the same for every later line of the log; NULL: the default log */
#define step_log_bind(log, ...)                                                                    \
    do {                                                                                           \
        step_log_t *const stepi_log = (log);                                                       \
        STEPI_FIELDS(__VA_ARGS__);                                                                 \
        step_log_bind_fields(stepi_log, STEPI_LIST);                                               \
    } while (0)

/* (op, step_level_t level, const char *format, ...): as printf; formatted by the caller, which costs what printf does */
#define step_logger_messagef(op, level, ...)                                                       \
    STEPI_IF(STEPI_OP(op) const step_level_t stepi_level = (level);                                \
             , STEPI_COMPILED(stepi_level) && stepi_wants_message(stepi_op, stepi_level), {          \
                 STEPI_SITE;                                                                       \
                 step_logger_message_format(stepi_op, &stepi_site, stepi_level, __VA_ARGS__);      \
             })

/* (const char *text, fields...): a message at that level in the default log */
#define step_debug(...) step_message(STEP_LEVEL_DEBUG, __VA_ARGS__)
#define step_info(...) step_message(STEP_LEVEL_INFO, __VA_ARGS__)
#define step_warning(...) step_message(STEP_LEVEL_WARNING, __VA_ARGS__)
#define step_error(...) step_message(STEP_LEVEL_ERROR, __VA_ARGS__)
#define step_critical(...) step_message(STEP_LEVEL_CRITICAL, __VA_ARGS__)

/* (step_level_t level, const char *text, fields...): in the default log; it joins the operation that is current on this thread */
#define step_message(...) STEPI_EXPAND(STEPI_JOIN(STEPI_MESSAGE_, STEPI_OVER_2(__VA_ARGS__))(__VA_ARGS__))

/* (step_log_t *log, step_level_t level, const char *text, fields...): the same in that log */
#define step_log_message(...)                                                                      \
    STEPI_EXPAND(STEPI_JOIN(STEPI_LOG_MESSAGE_, STEPI_OVER_3(__VA_ARGS__))(__VA_ARGS__))

/* Steps without an operation object and without durations, in the default log.
 * (int number, const char *description, const char *operation, int total_steps, fields...): begins; `operation` is in JSON alone */
#define step_quick_step(...)                                                                       \
    STEPI_IF(, STEPI_COMPILED(STEP_LEVEL_INFO),                                                    \
             STEPI_EXPAND(STEPI_JOIN(STEPI_QUICK_STEP_, STEPI_OVER_4(__VA_ARGS__))(__VA_ARGS__)))

/* (int number, const char *description, int total_steps, fields...): succeeded */
#define step_quick_success(...)                                                                    \
    STEPI_IF(, STEPI_COMPILED(STEP_LEVEL_INFO),                                                    \
             STEPI_EXPAND(STEPI_JOIN(STEPI_QUICK_SUCCESS_, STEPI_OVER_3(__VA_ARGS__))(__VA_ARGS__)))

/* (int number, const char *description, const char *error, int total_steps, fields...): failed */
#define step_quick_failure(...)                                                                    \
    STEPI_IF(, STEPI_COMPILED(STEP_LEVEL_ERROR),                                                   \
             STEPI_EXPAND(STEPI_JOIN(STEPI_QUICK_FAILURE_, STEPI_OVER_4(__VA_ARGS__))(__VA_ARGS__)))

/* The names of the original Python module. */
#ifdef STEP_LOGGER_SHORT_NAMES
#define kv(key, value_) step_kv(key, value_)
#define log_operation_step(...) step_quick_step(__VA_ARGS__)
#define log_step_success(...) step_quick_success(__VA_ARGS__)
#define log_step_failure(...) step_quick_failure(__VA_ARGS__)
#endif

#endif
