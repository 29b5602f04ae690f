/* Fields of step_logger.h: a key and a typed value. Included by it; do not include it yourself.
 *
 *     step_kv("models", count)      picks the type: bool, every integer, float, double, (const) char *
 *     step_i64(key, v) step_u64 step_f64 step_bool step_str step_strn(key, text, bytes)
 *     step_fixed(key, v, decimals)  a number with so many decimals, as printf's %.*f
 *     step_percent(key, v)          2.752 reads 2.8% in text and is the number 2.752 elsewhere
 *     step_secret(key, v)           *** everywhere; v is not even copied
 *
 * The key of step_kv is a literal, of the others any text. A field is a value without ownership: it is built, passed and
 * copied before the logging call returns. In C, true, comparisons and character literals are ints: use step_bool. A
 * pointer to anything but text, or a struct, does not compile. Bit-fields need a cast. */
#ifndef STEP_LOGGER_FIELD_H
#define STEP_LOGGER_FIELD_H

/* The representation is public for bindings; C and C++ programs use the constructors. */
struct step_field {
    const char *key; /* NULL: `null` */
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        const char *text;
    } value;       /* by type */
    uint32_t bytes; /* of a STEP_FIELD_TEXT_N; decimals of a STEP_FIELD_FIXED */
    uint32_t type;  /* bits 0-7: STEP_FIELD_...; 8-31: which constructor call with a literal key this is, 0: none */
};

#ifdef __cplusplus
#define STEPI_CAST(type, value_) static_cast<type>(value_)
#else
#define STEPI_CAST(type, value_) ((type)(value_))
#endif

enum {
    STEP_FIELD_I64 = 1,
    STEP_FIELD_U64,
    STEP_FIELD_F64,
    STEP_FIELD_BOOL,    /* u64: 0 or 1 */
    STEP_FIELD_TEXT,    /* NUL-terminated; NULL: null */
    STEP_FIELD_TEXT_N,  /* so many bytes */
    STEP_FIELD_FIXED,   /* f64 */
    STEP_FIELD_PERCENT, /* f64 */
    STEP_FIELD_SECRET   /* no value */
};

static inline step_field_t step_i64(const char *key, int64_t v)
{
    step_field_t field;
    field.key = key;
    field.value.i64 = v;
    field.bytes = 0;
    field.type = STEP_FIELD_I64;
    return field;
}

static inline step_field_t step_u64(const char *key, uint64_t v)
{
    step_field_t field;
    field.key = key;
    field.value.u64 = v;
    field.bytes = 0;
    field.type = STEP_FIELD_U64;
    return field;
}

/* Prints as the shortest text that reads back as the same number. */
static inline step_field_t step_f64(const char *key, double v)
{
    step_field_t field;
    field.key = key;
    field.value.f64 = v;
    field.bytes = 0;
    field.type = STEP_FIELD_F64;
    return field;
}

static inline step_field_t step_bool(const char *key, bool v)
{
    step_field_t field = step_u64(key, v ? 1u : 0u);
    field.type = STEP_FIELD_BOOL;
    return field;
}

static inline step_field_t step_str(const char *key, const char *text)
{
    step_field_t field;
    field.key = key;
    field.value.text = text;
    field.bytes = 0;
    field.type = STEP_FIELD_TEXT;
    return field;
}

/* Exactly `bytes` bytes, which may hold NULs and need no NUL behind them. */
static inline step_field_t step_strn(const char *key, const char *text, size_t bytes)
{
    step_field_t field = step_str(key, text);
    field.bytes = bytes < UINT32_MAX ? STEPI_CAST(uint32_t, bytes) : UINT32_MAX;
    field.type = STEP_FIELD_TEXT_N;
    return field;
}

/* As printf's %.*f prints it. decimals: 0 to 17, what is outside is brought inside. */
static inline step_field_t step_fixed(const char *key, double v, int decimals)
{
    step_field_t field = step_f64(key, v);
    field.bytes = decimals < 0 ? 0u : decimals > 17 ? 17u : STEPI_CAST(uint32_t, decimals);
    field.type = STEP_FIELD_FIXED;
    return field;
}

/* v is in percent already: 2.752 reads 2.8% in text, and is the number 2.752 elsewhere. */
static inline step_field_t step_percent(const char *key, double v)
{
    step_field_t field = step_f64(key, v);
    field.type = STEP_FIELD_PERCENT;
    return field;
}

/* Reads *** everywhere; v is neither read nor copied. */
static inline step_field_t step_secret(const char *key, const char *v)
{
    step_field_t field = step_str(key, NULL);
    (void)v;
    field.type = STEP_FIELD_SECRET;
    return field;
}

/* A call site whose keys are literals is remembered, so that later calls pass values alone (call.h). Each constructor call
 * with a literal key has a number of its own in its translation unit: a call site meets the same numbers only if it has
 * the same keys and types before it, however its fields were chosen. */
static inline step_field_t stepi_literal(step_field_t field, uint32_t number)
{
    field.type |= number <= 0xFFFFFF ? number << 8 : 0u;
    return field;
}

#ifdef __COUNTER__
#define STEPI_NUMBER (__COUNTER__ + 1u)
#else
#define STEPI_NUMBER 0u
#endif

#ifndef __cplusplus

/* The conversion is said aloud, for those who compile with -Wdouble-promotion. */
static inline step_field_t stepi_f32(const char *key, float v)
{
    return step_f64(key, (double)v);
}

/* clang-format off */
#define step_kv(key, value_)                                                                       \
    stepi_literal(_Generic((value_),                                                               \
        _Bool: step_bool, char: step_i64, signed char: step_i64, unsigned char: step_u64,          \
        short: step_i64, unsigned short: step_u64, int: step_i64, unsigned int: step_u64,          \
        long: step_i64, unsigned long: step_u64, long long: step_i64, unsigned long long: step_u64,\
        float: stepi_f32, double: step_f64, char *: step_str, const char *: step_str                \
    )("" key "", (value_)), STEPI_NUMBER)
/* clang-format on */

#else

#define step_kv(key, value_) stepi_literal(stepi_field("" key "", (value_)), STEPI_NUMBER)

/* clang-format off */
extern "C++" {
static inline step_field_t stepi_field(const char *key, bool v) { return step_bool(key, v); }
static inline step_field_t stepi_field(const char *key, char v) { return step_i64(key, v); }
static inline step_field_t stepi_field(const char *key, signed char v) { return step_i64(key, v); }
static inline step_field_t stepi_field(const char *key, unsigned char v) { return step_u64(key, v); }
static inline step_field_t stepi_field(const char *key, short v) { return step_i64(key, v); }
static inline step_field_t stepi_field(const char *key, unsigned short v) { return step_u64(key, v); }
static inline step_field_t stepi_field(const char *key, int v) { return step_i64(key, v); }
static inline step_field_t stepi_field(const char *key, unsigned int v) { return step_u64(key, v); }
static inline step_field_t stepi_field(const char *key, long v) { return step_i64(key, v); }
static inline step_field_t stepi_field(const char *key, unsigned long v) { return step_u64(key, v); }
static inline step_field_t stepi_field(const char *key, long long v) { return step_i64(key, v); }
static inline step_field_t stepi_field(const char *key, unsigned long long v) { return step_u64(key, v); }
static inline step_field_t stepi_field(const char *key, float v) { return step_f64(key, static_cast<double>(v)); }
static inline step_field_t stepi_field(const char *key, double v) { return step_f64(key, v); }
static inline step_field_t stepi_field(const char *key, char *v) { return step_str(key, v); }
static inline step_field_t stepi_field(const char *key, const char *v) { return step_str(key, v); }
/* clang-format on */

/* Whatever else would convert to bool or to a number by itself: only enumerations may. */
template <typename T> struct stepi_kind {
    static constexpr bool is_enum = __is_enum(T);
    static constexpr bool is_class = __is_class(T) || __is_union(T);
};
template <typename T, bool yes = stepi_kind<T>::is_enum> struct stepi_if_enum {
};
template <typename T> struct stepi_if_enum<T, true> {
    typedef step_field_t field;
};
template <typename T, bool yes = stepi_kind<T>::is_class> struct stepi_if_class {
};
template <typename T> struct stepi_if_class<T, true> {
    typedef step_field_t field;
};
template <typename T>
static inline typename stepi_if_enum<T>::field stepi_field(const char *key, T v)
{
    return stepi_field(key, static_cast<__underlying_type(T)>(v));
}
template <typename T> typename stepi_if_class<T>::field stepi_field(const char *key, const T &v) = delete;
template <typename T> step_field_t stepi_field(const char *key, T *v) = delete;
template <typename T, typename S> step_field_t stepi_field(const char *key, T S::*v) = delete;
} /* extern "C++" */

#endif

/* The typed constructors, too, where the key is a literal: it begins with a quote and is an array, not a pointer. Decimals
 * that are not one digit may change from call to call. */
#if defined(__GNUC__) && defined(__COUNTER__)
#define STEPI_IS_LITERAL(key) ((#key)[0] == '"' && __alignof__(key) == 1)
#define STEPI_IS_DIGIT(number) (sizeof(#number) == 2 && (#number)[0] >= '0' && (#number)[0] <= '9')
#define step_i64(key, v) stepi_literal(step_i64(key, v), STEPI_IS_LITERAL(key) ? STEPI_NUMBER : 0u)
#define step_u64(key, v) stepi_literal(step_u64(key, v), STEPI_IS_LITERAL(key) ? STEPI_NUMBER : 0u)
#define step_f64(key, v) stepi_literal(step_f64(key, v), STEPI_IS_LITERAL(key) ? STEPI_NUMBER : 0u)
#define step_bool(key, v) stepi_literal(step_bool(key, v), STEPI_IS_LITERAL(key) ? STEPI_NUMBER : 0u)
#define step_str(key, text) stepi_literal(step_str(key, text), STEPI_IS_LITERAL(key) ? STEPI_NUMBER : 0u)
#define step_percent(key, v) stepi_literal(step_percent(key, v), STEPI_IS_LITERAL(key) ? STEPI_NUMBER : 0u)
#define step_fixed(key, v, decimals)                                                               \
    stepi_literal(step_fixed(key, v, decimals),                                                    \
                  STEPI_IS_LITERAL(key) && STEPI_IS_DIGIT(decimals) ? STEPI_NUMBER : 0u)
#endif

/* The fields of a call site with at most four; those that it does not have are zero. */
typedef struct stepi_four {
    step_field_t at[4];
} stepi_four_t;

#endif
