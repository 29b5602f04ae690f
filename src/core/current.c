/* Which operation is current on a thread.
 *
 * Each thread has a stack; only the thread itself touches it. An operation that ends elsewhere, or out of order, or whose log
 * is closed, simply stops being valid: its entry no longer matches and is dropped when it is found on top. So nobody writes to
 * another thread's stack, and no lock is needed. Of the operation itself only what is atomic is read here. */
#include "core/operation.h"

static bool is_valid(const stepi_current_t *entry)
{
    return entry->op != NULL && atomic_load_explicit(&entry->op->id, memory_order_relaxed) == entry->id &&
           atomic_load_explicit(&entry->op->state, memory_order_relaxed) == STEPI_STARTED &&
           stepi_log_is_open(entry->log, entry->serial);
}

const stepi_current_t *stepi_current(void)
{
    stepi_thread_t *self = stepi_self;
    if (self == NULL)
        return NULL;
    while (self->depth > 0) {
        const stepi_current_t *top = &self->current[self->depth - 1];
        if (top->op == NULL)
            return NULL; /* a barrier: step_logger_attach(NULL) */
        if (is_valid(top))
            return top;
        self->depth--;
    }
    return NULL;
}

/* When the stack is full of entries that ended below a live top, they make room. */
static void compact(stepi_thread_t *self)
{
    int kept = 0;
    for (int i = 0; i < self->depth; i++)
        if (self->current[i].op == NULL || is_valid(&self->current[i]))
            self->current[kept++] = self->current[i];
    self->depth = kept;
}

static void push(const stepi_current_t *entry)
{
    stepi_thread_t *self = stepi_thread_self();
    if (self == NULL)
        return;
    if (self->depth == STEPI_THREAD_OPERATIONS)
        compact(self);
    if (self->depth == STEPI_THREAD_OPERATIONS)
        return; /* deeper nesting is not remembered: children then join the deepest that is */
    self->current[self->depth] = *entry;
    /* a signal handler sees either the old depth or a whole entry */
    atomic_signal_fence(memory_order_release);
    self->depth++;
}

stepi_current_t stepi_current_of(step_logger_t *op)
{
    return (stepi_current_t){ .op = op,
                              .id = atomic_load_explicit(&op->id, memory_order_relaxed),
                              .log = op->log,
                              .threshold = op->gate.threshold,
                              .serial = op->serial,
                              .depth = atomic_load_explicit(&op->depth, memory_order_relaxed),
                              .trace_flags = atomic_load_explicit(&op->trace_flags, memory_order_relaxed),
                              .trace_high = atomic_load_explicit(&op->trace_high, memory_order_relaxed),
                              .trace_low = atomic_load_explicit(&op->trace_low, memory_order_relaxed),
                              .span = atomic_load_explicit(&op->span_now, memory_order_relaxed) };
}

void stepi_current_push(step_logger_t *op)
{
    const stepi_current_t entry = stepi_current_of(op);
    push(&entry);
}

static int position_of(const stepi_thread_t *self, const step_logger_t *op)
{
    int at = self->depth - 1;
    while (at >= 0 && (self->current[at].op != op || !is_valid(&self->current[at])))
        at--;
    return at;
}

/* Nothing is current. What lies below must survive, so a barrier goes on top; where only the top would be hidden it is
 * taken off instead, so that attaching and detaching in turn does not grow the stack. */
static void detach(stepi_thread_t *self)
{
    static const stepi_current_t barrier = { .op = NULL };
    if (self->depth > 0 && self->current[self->depth - 1].op == NULL)
        return;
    if (self->depth == 1 || (self->depth > 1 && self->current[self->depth - 2].op == NULL))
        self->depth--;
    else if (self->depth > 0)
        push(&barrier);
}

step_logger_t *step_logger_attach(step_logger_t *op)
{
    stepi_thread_t *self = stepi_thread_self();
    const stepi_current_t *current = stepi_current();
    step_logger_t *const previous = current != NULL ? current->op : NULL;
    if (self == NULL || (op == previous && op != NULL) || op == step_logger_no_parent())
        return previous;
    if (op == NULL) {
        detach(self);
        return previous;
    }
    if (atomic_load_explicit(&op->state, memory_order_relaxed) != STEPI_STARTED)
        return previous;
    const int at = position_of(self, op);
    if (at >= 0)
        self->depth = at + 1; /* coming back to it: what was attached on top goes */
    else
        stepi_current_push(op);
    return previous;
}
