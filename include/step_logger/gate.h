/* What the macros of call.h ask first: is a line wanted? Two loads and a comparison. Included by it; do not include it yourself. */
#ifndef STEP_LOGGER_GATE_H
#define STEP_LOGGER_GATE_H

#ifdef __cplusplus
extern "C" {
#endif

/* The level of the default log; 0 until it exists, above every level when there is none. */
STEP_API extern int32_t stepi_gate;

/* What every operation begins with: whether its lines are wanted is two loads and a comparison. */
typedef struct stepi_operation_gate {
    const int32_t *threshold; /* the level of its log; above every level once there is none */
    int32_t level;            /* the operation's own */
    uint32_t step;            /* the library's */
} stepi_operation_gate_t;

#ifdef __cplusplus
}
#endif

#ifdef __GNUC__
#define STEPI_LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_RELAXED)
#define STEPI_LOAD_FIRST(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)
#define STEPI_IS_CONSTANT(value) __builtin_constant_p(value)
#define STEPI_RARELY(condition) __builtin_expect(condition, 0)
#else
#define STEPI_LOAD(variable) (*(const volatile int32_t *)&(variable))
#define STEPI_LOAD_FIRST(variable) (variable)
#define STEPI_IS_CONSTANT(value) 0
#define STEPI_RARELY(condition) (condition)
#endif

static inline const stepi_operation_gate_t *stepi_gate_of(const step_logger_t *op)
{
    const void *const any = op;
    return STEPI_CAST(const stepi_operation_gate_t *, any);
}

/* OFF is a threshold, not a severity: nothing reaches it. */
static inline int stepi_below_off(int level)
{
    return level < STEP_LEVEL_OFF ? level : STEP_LEVEL_OFF - 1;
}

/* Whether a message at `level` is wanted; and a line at the operation's own level, or at `level` if that is higher. */
static inline bool stepi_wants_message(const step_logger_t *op, int level)
{
    return op != NULL && stepi_below_off(level) >= STEPI_LOAD(*stepi_gate_of(op)->threshold);
}

static inline bool stepi_wants(const step_logger_t *op, int level)
{
    return op != NULL && stepi_wants_message(op, level > stepi_gate_of(op)->level ? level : stepi_gate_of(op)->level);
}

/* The same for the default log, which is made at the first question. */
static inline bool stepi_wants_default(int level)
{
    const int32_t gate = STEPI_LOAD(stepi_gate);
    return stepi_below_off(level) >= gate && (gate != 0 || step_log_wants(NULL, level));
}

#endif
