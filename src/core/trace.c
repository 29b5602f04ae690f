#include "core/trace.h"

#include "core/misuse.h"
#include "platform/system.h"

#include <stdlib.h>
#include <string.h>

/* ---- Ids ---- */

static uint64_t rotate(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

/* xoroshiro128++ (Blackman, Vigna), never 0. */
static uint64_t next_id(stepi_ring_t *ring)
{
    uint64_t id;
    do {
        if ((ring->random[0] | ring->random[1]) == 0)
            stepi_random_seed(ring->random);
        const uint64_t a = ring->random[0];
        const uint64_t b = ring->random[1] ^ a;
        id = rotate(a + ring->random[1], 17) + a;
        ring->random[0] = rotate(a, 49) ^ b ^ b << 21;
        ring->random[1] = rotate(b, 28);
    } while (id == 0);
    return id;
}

/* ---- Operations and steps ---- */

static void set_trace(step_logger_t *op, uint64_t high, uint64_t low, uint8_t flags)
{
    atomic_store_explicit(&op->trace_high, high, memory_order_relaxed);
    atomic_store_explicit(&op->trace_low, low, memory_order_relaxed);
    atomic_store_explicit(&op->trace_flags, flags, memory_order_relaxed);
}

void stepi_trace_start(step_logger_t *op, stepi_ring_t *ring, const stepi_current_t *parent)
{
    const stepi_trace_context_t *given = op->given_trace.span != 0 ? &op->given_trace : NULL;
    if (given == NULL && parent == NULL && op->log->inherited.span != 0)
        given = &op->log->inherited;
    op->parent_operation = parent != NULL ? parent->id : 0;
    if (given != NULL) {
        set_trace(op, given->high, given->low, given->flags);
        op->parent_span = given->span;
    } else if (parent != NULL && parent->span != 0) { /* 0: it was not started */
        set_trace(op, parent->trace_high, parent->trace_low, parent->trace_flags);
        op->parent_span = parent->span;
    } else {
        set_trace(op, next_id(ring), next_id(ring), STEPI_TRACE_SAMPLED | STEPI_TRACE_RANDOM);
        op->parent_span = 0;
    }
    op->span = next_id(ring);
    atomic_store_explicit(&op->span_now, op->span, memory_order_relaxed);
}

void stepi_trace_step(step_logger_t *op, stepi_ring_t *ring)
{
    /* relaxed: a child that starts on another thread meanwhile may belong to either */
    atomic_store_explicit(&op->span_now, next_id(ring), memory_order_relaxed);
}

void stepi_trace_step_end(step_logger_t *op)
{
    atomic_store_explicit(&op->span_now, op->span, memory_order_relaxed);
}

void stepi_trace_set_inherited(step_log_t *log, const stepi_trace_context_t *context)
{
    log->inherited = *context;
}

/* ---- Out of the process ---- */

static bool context_of(const step_logger_t *op, stepi_trace_context_t *context)
{
    if (op == NULL || op == step_logger_no_parent())
        return false;
    const uint32_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    if (state != STEPI_STARTED && state != STEPI_ENDED)
        return false;
    context->high = atomic_load_explicit(&op->trace_high, memory_order_relaxed);
    context->low = atomic_load_explicit(&op->trace_low, memory_order_relaxed);
    context->flags = atomic_load_explicit(&op->trace_flags, memory_order_relaxed);
    context->span = atomic_load_explicit(&op->span_now, memory_order_relaxed);
    return context->span != 0;
}

int step_logger_traceparent(const step_logger_t *op, char out[56])
{
    stepi_trace_context_t context;
    if (out == NULL || !context_of(op, &context))
        return STEP_EINVAL;
    stepi_traceparent_write(&context, out);
    return STEP_OK;
}

int step_logger_traceparent_header(const step_logger_t *op, char out[STEP_TRACEPARENT_HEADER_BYTES])
{
    static const char name[] = "traceparent: ";
    if (out == NULL)
        return STEP_EINVAL;
    char value[STEPI_TRACEPARENT_LENGTH + 1];
    const int result = step_logger_traceparent(op, value);
    if (result != STEP_OK)
        return result;
    memcpy(out, name, sizeof(name) - 1);
    memcpy(out + sizeof(name) - 1, value, sizeof(value));
    return STEP_OK;
}

/* Its value; NULL: it is another variable. */
static const char *value_of(const char *entry, const char *name)
{
    const size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

/* TRACESTATE is about the trace of the TRACEPARENT beside it, and goes on only with that. */
static bool is_of_same_trace(char *const *environment, const stepi_trace_context_t *context)
{
    stepi_trace_context_t before;
    for (; *environment != NULL; environment++) {
        const char *value = value_of(*environment, "TRACEPARENT");
        if (value != NULL)
            return stepi_traceparent_parse(value, &before) && before.high == context->high && before.low == context->low;
    }
    return false;
}

/* One block: the pointers, then the one new text. */
char **step_logger_environment(const step_logger_t *op, char *const environment[])
{
    static const char name[] = "TRACEPARENT";
    static char *const nothing[] = { NULL };
    stepi_trace_context_t context;
    const bool has_context = context_of(op, &context);
    char *const *from = environment != NULL ? environment : nothing;
    size_t count = 0;
    while (from[count] != NULL)
        count++;
    char **to = malloc((count + 2) * sizeof(char *) + sizeof(name) + STEPI_TRACEPARENT_LENGTH + 1);
    if (to == NULL)
        return NULL;
    char *text = (char *)(to + count + 2);
    size_t at = 0;
    const bool keeps_state = !has_context || is_of_same_trace(from, &context);
    for (size_t i = 0; i < count; i++)
        if (!has_context || (value_of(from[i], name) == NULL && (keeps_state || value_of(from[i], "TRACESTATE") == NULL)))
            to[at++] = from[i];
    if (has_context) {
        memcpy(text, name, sizeof(name) - 1);
        text[sizeof(name) - 1] = '=';
        stepi_traceparent_write(&context, text + sizeof(name));
        to[at++] = text;
    }
    to[at] = NULL;
    return to;
}
