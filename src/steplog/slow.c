/* steplog slow: finished steps, slowest first. A heap keeps the slowest that were seen; the least slow of them is on top, and gives
 * way. */
#include "steplog/command.h"

#include "base/number.h"

#include <stdlib.h>

enum { TOP_DEFAULT = 20 };

typedef struct finished {
    double ms;
    stepi_event_t event; /* its texts are the kept ones */
    stepi_kept_t operation, description;
    bool has_operation;
    stepi_place_t place;
} finished_t;

typedef struct slow {
    stepi_cli_t *cli;
    finished_t *heap;
    size_t count, capacity, top;
    bool has_no_memory;
} slow_t;

/* What came first stays first among equals. */
static bool is_slower(const finished_t *a, const finished_t *b)
{
    if (a->ms != b->ms)
        return a->ms > b->ms;
    if (a->place.log != b->place.log)
        return a->place.log < b->place.log;
    return a->place.line < b->place.line;
}

static void swap(finished_t *a, finished_t *b)
{
    const finished_t c = *a;
    *a = *b;
    *b = c;
}

static void sift_down(finished_t *heap, size_t count, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (is_slower(&heap[least], &heap[child]))
                least = child;
        if (least == at)
            return;
        swap(&heap[least], &heap[at]);
        at = least;
    }
}

static void sift_up(finished_t *heap, size_t at)
{
    while (at > 0 && is_slower(&heap[(at - 1) / 2], &heap[at])) {
        swap(&heap[(at - 1) / 2], &heap[at]);
        at = (at - 1) / 2;
    }
}

static bool grow(slow_t *s)
{
    const size_t capacity = s->capacity == 0 ? 32 : s->capacity * 2;
    if (s->count < s->capacity)
        return true;
    finished_t *larger = realloc(s->heap, capacity * sizeof(*larger));
    if (larger == NULL) {
        s->has_no_memory = true;
        return false;
    }
    memset(larger + s->capacity, 0, (capacity - s->capacity) * sizeof(*larger));
    s->heap = larger;
    s->capacity = capacity;
    return true;
}

static void fill(finished_t *to, const stepi_text_t *operation, const stepi_event_t *event, stepi_place_t place)
{
    to->ms = event->ms;
    to->event = *event;
    to->place = place;
    to->has_operation = operation->bytes != NULL;
    stepi_keep(&to->operation, operation);
    stepi_keep(&to->description, &event->description);
}

static void see_step(void *context, stepi_op_t *op, const stepi_event_t *event, stepi_place_t place)
{
    slow_t *s = context;
    const bool is_end = event->kind == STEPI_STEP_SUCCESS || event->kind == STEPI_STEP_FAILURE;
    if (!is_end || !event->has_ms || event->ms < s->cli->min_ms || s->top == 0)
        return;
    const finished_t candidate = { .ms = event->ms, .place = place };
    if (s->count == s->top && !is_slower(&candidate, &s->heap[0]))
        return;
    if (!stepi_is_wanted(s->cli, op, event))
        return;
    const stepi_text_t operation = stepi_operation_of(op, event);
    if (s->count == s->top) {
        fill(&s->heap[0], &operation, event, place);
        sift_down(s->heap, s->count, 0);
    } else if (grow(s)) {
        fill(&s->heap[s->count], &operation, event, place);
        sift_up(s->heap, s->count++);
    }
}

static void print_finished(stepi_cli_t *cli, const finished_t *f)
{
    stepi_print_t *print = cli->print;
    const char *log = stepi_log_name(cli->names, cli->name_count, f->place.log);
    const stepi_text_t operation = f->has_operation ? stepi_kept_text(&f->operation) : (stepi_text_t){ .bytes = NULL };
    stepi_event_t event = f->event;
    event.description = stepi_kept_text(&f->description);
    if (cli->json) {
        stepi_json_begin(print);
        stepi_json_operation(print, &operation);
        stepi_json_step(print, event.has_step, event.step, event.total, &event.description);
        stepi_json_number(print, "duration_ms", f->ms);
        stepi_json_string(print, "status", event.kind == STEPI_STEP_FAILURE ? "failed" : "ok");
        stepi_json_place(print, log, f->place.line);
        stepi_json_end(print);
        return;
    }
    char bytes[400];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_print_t *p = print;
    stepi_put_fixed(&out, f->ms, 1);
    const size_t width = (size_t)(out.at - bytes);
    stepi_print_spaces(p, width < 10 ? 10 - width : 0);
    stepi_print_raw(p, bytes, width);
    stepi_print_literal(p, " ms  ");
    stepi_print_subject(p, &operation, &event);
    if (event.kind == STEPI_STEP_FAILURE) {
        stepi_print_color(p, STEPI_COLOR_BAD);
        stepi_print_literal(p, " FAILED");
        stepi_print_color(p, STEPI_COLOR_NONE);
    }
    stepi_print_literal(p, "  ");
    stepi_print_place(p, log, f->place.line);
    stepi_print_literal(p, "\n");
}

static int by_slowness(const void *a, const void *b)
{
    return is_slower(a, b) ? -1 : 1;
}

int64_t stepi_slow(stepi_cli_t *cli, size_t *unreadable)
{
    slow_t s = { .cli = cli, .top = cli->has_top ? cli->top : TOP_DEFAULT };
    const stepi_watcher_t watcher = { .context = &s, .step = see_step };
    int64_t found = stepi_watch_logs(cli, cli->names, cli->name_count, &watcher, unreadable);
    if (found == 0) {
        found = (int64_t)s.count;
        if (s.count > 1)
            qsort(s.heap, s.count, sizeof(*s.heap), by_slowness);
        for (size_t i = 0; i < s.count; i++)
            print_finished(cli, &s.heap[i]);
    }
    for (size_t i = 0; i < s.capacity; i++) {
        stepi_kept_free(&s.heap[i].operation);
        stepi_kept_free(&s.heap[i].description);
    }
    free(s.heap);
    return s.has_no_memory ? -1 : found;
}
