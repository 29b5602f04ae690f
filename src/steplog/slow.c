/* steplog slow: finished steps, slowest first. A heap keeps the slowest that were seen; the least slow of them is on top, and gives
 * way. Its duration is what a line has to exceed to be read at all: all threads know it. */
#include "steplog/quick.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { TOP_DEFAULT = 20, MS_COLUMNS = 10 };

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
    _Atomic double enough; /* what is below is no answer: --min-ms, or the least of a full heap */
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
    if (s->count == s->top) /* a hint: whoever reads an older one reads a line too many */
        atomic_store_explicit(&s->enough, s->heap[0].ms, memory_order_relaxed);
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
    stepi_print_cell(print, f->ms, 1, MS_COLUMNS);
    stepi_print_literal(print, " ms  ");
    stepi_print_subject(print, &operation, &event);
    if (event.kind == STEPI_STEP_FAILURE) {
        stepi_print_color(print, STEPI_COLOR_BAD);
        stepi_print_literal(print, " FAILED");
        stepi_print_color(print, STEPI_COLOR_NONE);
    }
    stepi_print_literal(print, "  ");
    stepi_print_place(print, log, f->place.line);
    stepi_print_literal(print, "\n");
}

static int by_slowness(const void *a, const void *b)
{
    return is_slower(a, b) ? -1 : 1;
}

/* ---- Without reading all lines ---- */

static bool take_digits_back(stepi_span_t *s)
{
    const char *end = s->end;
    while (s->end > s->at && stepi_is_digit(s->end[-1]))
        s->end--;
    return s->end < end;
}

/* A line of text as it is without colours begins so, and no line of JSON or logfmt does. */
static bool begins_as_text(stepi_span_t line)
{
    return *line.at == '[' || *line.at == ' ' || stepi_is_digit(*line.at);
}

/* The number that the last field of a line of text is. */
static bool last_number(stepi_span_t line, double *number)
{
    stepi_span_t s = line;
    if (!STEPI_TAKE_LAST(&s, ")"))
        return false;
    const char *end = s.end;
    return take_digits_back(&s) && STEPI_TAKE_LAST(&s, ".") && take_digits_back(&s) &&
           stepi_span_double((stepi_span_t){ s.end, end }, number);
}

/* Whether one of the line's durations is long enough, or is not written as a plain number: `duration_ms=1.5`, and
 * `"duration_ms":1.5` in JSON. */
static bool has_long_duration(stepi_span_t line, double enough)
{
    static const char name[] = "duration_ms";
    double ms;
    while ((line.at = memmem(line.at, stepi_span_bytes(line), name, sizeof(name) - 1)) != NULL) {
        line.at += sizeof(name) - 1;
        stepi_take_char(&line, '"');
        if (!stepi_take_char(&line, ':') && !stepi_take_char(&line, '='))
            continue; /* a name that begins so */
        const char *end = line.at;
        while (end < line.end && (stepi_is_digit(*end) || *end == '.'))
            end++;
        const bool is_plain = end == line.end || memchr(",} )", *end, 4) != NULL;
        if (!is_plain || !stepi_span_double((stepi_span_t){ line.at, end }, &ms) || ms >= enough)
            return true;
    }
    return false;
}

/* Whether a line may be of a finished step that is slow enough: quick to say of most that they are not. Durations are the last
 * field of a line of text. */
static bool may_be_slow(stepi_span_t line, double enough)
{
    double ms;
    if (stepi_span_bytes(line) < 16)
        return false;
    if (begins_as_text(line) && line.end[-1] != 'm' && line.end[-1] != '\r') /* colours end with an m */
        return last_number(line, &ms) && ms >= enough;
    return has_long_duration(line, enough);
}

static const char *find(void *context, const char *at, const char *end, uint64_t *lines)
{
    slow_t *s = context;
    const double enough = atomic_load_explicit(&s->enough, memory_order_relaxed);
    while (at < end) {
        const char *start = at;
        const stepi_span_t line = stepi_next_line(&at, end);
        if (may_be_slow(line, enough))
            return start;
        *lines += at > line.end ? 1 : 0; /* its line feed */
    }
    return NULL;
}

static bool is_answer(void *context, const stepi_event_t *event)
{
    slow_t *s = context;
    const bool is_end = event->kind == STEPI_STEP_SUCCESS || event->kind == STEPI_STEP_FAILURE;
    return is_end && event->has_ms && event->ms >= atomic_load_explicit(&s->enough, memory_order_relaxed);
}

static void answer(void *context, const stepi_event_t *event, stepi_place_t place)
{
    see_step(context, NULL, event, place);
}

/* ---- All of it ---- */

static void free_heap(slow_t *s)
{
    for (size_t i = 0; i < s->capacity; i++) {
        stepi_kept_free(&s->heap[i].operation);
        stepi_kept_free(&s->heap[i].description);
    }
    free(s->heap);
    s->heap = NULL;
    s->count = s->capacity = 0;
    s->enough = s->cli->min_ms;
}

static int collect(slow_t *s, size_t *unreadable)
{
    stepi_cli_t *cli = s->cli;
    const stepi_watcher_t watcher = { .context = s, .step = see_step };
    stepi_quick_t quick = { .cli = cli, .context = s, .find = find, .is_answer = is_answer, .answer = answer };
    if (stepi_can_be_quick(cli)) {
        if (stepi_run_quick(&quick, unreadable) < 0)
            return -1;
        if (!quick.is_unsure)
            return 0;
        free_heap(s);
    }
    return stepi_watch_logs(cli, cli->names, cli->name_count, &watcher, unreadable);
}

int64_t stepi_slow(stepi_cli_t *cli, size_t *unreadable)
{
    slow_t s = { .cli = cli, .top = cli->has_top ? cli->top : TOP_DEFAULT, .enough = cli->min_ms };
    int64_t found = collect(&s, unreadable);
    if (found == 0) {
        found = (int64_t)s.count;
        if (s.count > 1)
            qsort(s.heap, s.count, sizeof(*s.heap), by_slowness);
        for (size_t i = 0; i < s.count; i++)
            print_finished(cli, &s.heap[i]);
    }
    if (s.has_no_memory)
        stepi_complain("error", "no memory");
    free_heap(&s);
    return s.has_no_memory ? -1 : found;
}
