/* Tells helgrind what C11 atomics mean: it knows the locks of POSIX alone, to it an atomic load is a load like any other. Included
 * before everything else by tests/thorough (-include); no test includes it.
 *
 * An atomic object is not watched itself. A store that releases happens before the load that acquires it, as in the standard; a
 * relaxed one orders nothing, so what relies on too weak an order is still a race. */
#ifndef TESTS_SUPPORT_HELGRIND_H
#define TESTS_SUPPORT_HELGRIND_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <valgrind/helgrind.h>

static inline __attribute__((unused)) void helgrind_before(const volatile void *at, size_t bytes, int order)
{
    VALGRIND_HG_DISABLE_CHECKING((uintptr_t)at, bytes);
    if (order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST)
        ANNOTATE_HAPPENS_BEFORE((uintptr_t)at);
}

static inline __attribute__((unused)) void helgrind_after(const volatile void *at, int order)
{
    if (order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST)
        ANNOTATE_HAPPENS_AFTER((uintptr_t)at);
}

/* `result = call` for an object that is loaded, changed, or both. */
#define HELGRIND_LOAD(pointer, order, call)                                                                            \
    __extension__({                                                                                                    \
        __auto_type helgrind_at = (pointer);                                                                           \
        __typeof__((void)0, *helgrind_at) helgrind_value;                                                              \
        helgrind_before(helgrind_at, sizeof(*helgrind_at), __ATOMIC_RELAXED);                                          \
        call;                                                                                                          \
        helgrind_after(helgrind_at, order);                                                                            \
        helgrind_value;                                                                                                \
    })
#define HELGRIND_CHANGE(pointer, given, order, call)                                                                   \
    __extension__({                                                                                                    \
        __auto_type helgrind_at = (pointer);                                                                           \
        __auto_type helgrind_given = (given);                                                                          \
        helgrind_before(helgrind_at, sizeof(*helgrind_at), order);                                                     \
        __auto_type helgrind_result = call;                                                                            \
        helgrind_after(helgrind_at, order);                                                                            \
        helgrind_result;                                                                                               \
    })

#undef atomic_load_explicit
#undef atomic_load
#define atomic_load_explicit(pointer, order)                                                                           \
    HELGRIND_LOAD(pointer, order, __atomic_load(helgrind_at, &helgrind_value, order))
#define atomic_load(pointer) atomic_load_explicit(pointer, __ATOMIC_SEQ_CST)

#undef atomic_store_explicit
#undef atomic_store
#define atomic_store_explicit(pointer, value, order)                                                                   \
    __extension__({                                                                                                    \
        __auto_type helgrind_at = (pointer);                                                                           \
        __typeof__((void)0, *helgrind_at) helgrind_value = (value);                                                    \
        helgrind_before(helgrind_at, sizeof(*helgrind_at), order);                                                     \
        __atomic_store(helgrind_at, &helgrind_value, order);                                                           \
    })
#define atomic_store(pointer, value) atomic_store_explicit(pointer, value, __ATOMIC_SEQ_CST)

#undef atomic_fetch_add_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_sub
#define atomic_fetch_add_explicit(pointer, value, order)                                                               \
    HELGRIND_CHANGE(pointer, value, order, __atomic_fetch_add(helgrind_at, helgrind_given, order))
#define atomic_fetch_add(pointer, value) atomic_fetch_add_explicit(pointer, value, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub_explicit(pointer, value, order)                                                               \
    HELGRIND_CHANGE(pointer, value, order, __atomic_fetch_sub(helgrind_at, helgrind_given, order))
#define atomic_fetch_sub(pointer, value) atomic_fetch_sub_explicit(pointer, value, __ATOMIC_SEQ_CST)

#undef atomic_exchange_explicit
#undef atomic_exchange
#define atomic_exchange_explicit(pointer, value, order)                                                                \
    __extension__({                                                                                                    \
        __auto_type helgrind_at = (pointer);                                                                           \
        __typeof__((void)0, *helgrind_at) helgrind_given = (value), helgrind_value;                                    \
        helgrind_before(helgrind_at, sizeof(*helgrind_at), order);                                                     \
        __atomic_exchange(helgrind_at, &helgrind_given, &helgrind_value, order);                                       \
        helgrind_after(helgrind_at, order);                                                                            \
        helgrind_value;                                                                                                \
    })
#define atomic_exchange(pointer, value) atomic_exchange_explicit(pointer, value, __ATOMIC_SEQ_CST)

#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak_explicit
#undef atomic_compare_exchange_weak
#define HELGRIND_COMPARE(pointer, expected, value, weak, order, otherwise)                                             \
    __extension__({                                                                                                    \
        __auto_type helgrind_at = (pointer);                                                                           \
        __typeof__((void)0, *helgrind_at) helgrind_value = (value);                                                    \
        helgrind_before(helgrind_at, sizeof(*helgrind_at), order);                                                     \
        const _Bool helgrind_same =                                                                                    \
            __atomic_compare_exchange(helgrind_at, expected, &helgrind_value, weak, order, otherwise);                 \
        helgrind_after(helgrind_at, helgrind_same ? order : otherwise);                                                \
        helgrind_same;                                                                                                 \
    })
#define atomic_compare_exchange_strong_explicit(pointer, expected, value, order, otherwise)                            \
    HELGRIND_COMPARE(pointer, expected, value, 0, order, otherwise)
#define atomic_compare_exchange_strong(pointer, expected, value)                                                       \
    HELGRIND_COMPARE(pointer, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_weak_explicit(pointer, expected, value, order, otherwise)                              \
    HELGRIND_COMPARE(pointer, expected, value, 1, order, otherwise)
#define atomic_compare_exchange_weak(pointer, expected, value)                                                         \
    HELGRIND_COMPARE(pointer, expected, value, 1, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define __atomic_load_n(pointer, order)                                                                                \
    HELGRIND_LOAD(pointer, order, helgrind_value = __atomic_load_n(helgrind_at, order))
#define __atomic_store_n(pointer, value, order)                                                                        \
    __extension__({                                                                                                    \
        __auto_type helgrind_to = (pointer);                                                                           \
        helgrind_before(helgrind_to, sizeof(*helgrind_to), order);                                                     \
        __atomic_store_n(helgrind_to, value, order);                                                                   \
    })

#endif
