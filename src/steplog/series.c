#include "steplog/series.h"

#include <stdlib.h>

enum { SLOTS = 2 * STEPI_SERIES_MAX };

static bool begin(stepi_series_table_t *table)
{
    *table = (stepi_series_table_t){ .series = calloc(STEPI_SERIES_MAX, sizeof(*table->series)),
                                     .slots = calloc(SLOTS, sizeof(*table->slots)) };
    return table->series != NULL && table->slots != NULL;
}

void stepi_series_free(stepi_series_table_t *table)
{
    for (size_t i = 0; i < table->count; i++) {
        stepi_kept_free(&table->series[i].operation);
        stepi_kept_free(&table->series[i].description);
        stepi_sample_free(&table->series[i].durations);
    }
    free(table->series);
    free(table->slots);
    *table = (stepi_series_table_t){ .series = NULL };
}

/* ---- Finding ---- */

stepi_text_t stepi_series_operation(const stepi_series_t *series)
{
    return series->has_operation ? stepi_kept_text(&series->operation) : (stepi_text_t){ .bytes = NULL };
}

typedef struct series_name {
    const stepi_text_t *operation, *description; /* description NULL: the operation as a whole */
} series_name_t;

static uint32_t hash_text(uint32_t hash, const stepi_text_t *text)
{
    for (uint32_t i = 0; text->bytes != NULL && i < text->length; i++)
        hash = (hash ^ (unsigned char)text->bytes[i]) * UINT32_C(16777619);
    return hash * UINT32_C(2654435761) + text->length;
}

static uint32_t hash_name(const series_name_t *name)
{
    const uint32_t hash = hash_text(UINT32_C(2166136261), name->operation);
    return name->description != NULL ? hash_text(hash ^ 1, name->description) : hash;
}

static bool is_named(const stepi_series_t *series, const series_name_t *name)
{
    if (series->is_step != (name->description != NULL) || series->has_operation != (name->operation->bytes != NULL))
        return false;
    return (!series->has_operation || stepi_kept_is(&series->operation, name->operation)) &&
           (!series->is_step || stepi_kept_is(&series->description, name->description));
}

static uint32_t *slot_of(const stepi_series_table_t *table, const series_name_t *name, uint32_t hash)
{
    for (uint32_t i = hash % SLOTS;; i = (i + 1) % SLOTS) {
        uint32_t *slot = &table->slots[i];
        if (*slot == 0)
            return slot;
        const stepi_series_t *series = &table->series[*slot - 1];
        if (series->hash == hash && is_named(series, name))
            return slot;
    }
}

const stepi_series_t *stepi_series_find(const stepi_series_table_t *table, const stepi_series_t *like)
{
    const stepi_text_t operation = stepi_series_operation(like), description = stepi_kept_text(&like->description);
    const series_name_t name = { &operation, like->is_step ? &description : NULL };
    const uint32_t *slot = slot_of(table, &name, hash_name(&name));
    return *slot != 0 ? &table->series[*slot - 1] : NULL;
}

/* The series of that name, made when it is not there yet; NULL when there are too many. */
static stepi_series_t *series_of(stepi_series_table_t *table, const series_name_t *name, const stepi_event_t *event)
{
    const uint32_t hash = hash_name(name);
    uint32_t *slot = slot_of(table, name, hash);
    if (*slot != 0)
        return &table->series[*slot - 1];
    if (table->count == STEPI_SERIES_MAX)
        return NULL;
    stepi_series_t *series = &table->series[table->count];
    *series = (stepi_series_t){ .has_operation = name->operation->bytes != NULL,
                                .is_step = name->description != NULL,
                                .order = table->count,
                                .hash = hash };
    if (series->is_step) {
        series->step = event->step;
        series->total = event->total;
        table->has_no_memory |= !stepi_keep(&series->description, name->description);
    }
    if (series->has_operation)
        table->has_no_memory |= !stepi_keep(&series->operation, name->operation);
    *slot = (uint32_t)++table->count;
    return series;
}

/* ---- Lines ---- */

static void add(stepi_series_table_t *table, const series_name_t *name, const stepi_event_t *event, double weight,
                bool has_failed)
{
    stepi_series_t *series = series_of(table, name, event);
    if (series == NULL) {
        table->others += weight;
        return;
    }
    series->lines++;
    series->ended += weight;
    series->failed += has_failed ? weight : 0;
    if (event->has_ms)
        stepi_sample_add(&series->durations, event->ms, weight);
}

static void add_step(stepi_series_table_t *table, const stepi_op_t *op, const stepi_event_t *event)
{
    const bool has_failed = event->kind == STEPI_STEP_FAILURE;
    const stepi_text_t operation = stepi_operation_of(op, event);
    const series_name_t whole = { &operation, NULL };
    const series_name_t name = { &operation, &event->description };
    if (event->kind != STEPI_STEP_SUCCESS && !has_failed)
        return;
    if (operation.bytes != NULL) /* it stands before its steps, though it ends after them */
        series_of(table, &whole, event);
    if (event->has_step)
        add(table, &name, event, stepi_weight_in(op, event), has_failed);
}

static void add_end(stepi_series_table_t *table, const stepi_op_t *op, stepi_ending_t ending,
                    const stepi_event_t *event)
{
    static const stepi_event_t never = { .weight = 1 };
    const bool has_failed = ending != STEPI_ENDED && op != NULL && stepi_op_failed(op);
    const stepi_text_t operation = stepi_operation_of(op, event);
    const series_name_t whole = { &operation, NULL };
    if (ending == STEPI_ENDED || has_failed)
        add(table, &whole, event != NULL ? event : &never, event != NULL ? stepi_weight_in(op, event) : 1, has_failed);
}

/* ---- Logs ---- */

typedef struct reading {
    stepi_cli_t *cli;
    stepi_series_table_t *table;
} reading_t;

static void see_step(void *context, stepi_op_t *op, const stepi_event_t *event, stepi_place_t place)
{
    const reading_t *r = context;
    (void)place;
    if (stepi_is_wanted(r->cli, op, event))
        add_step(r->table, op, event);
}

static void see_end(void *context, stepi_op_t *op, stepi_ending_t ending, const stepi_event_t *event,
                    stepi_place_t place)
{
    const reading_t *r = context;
    const stepi_text_t operation = stepi_operation_of(op, event);
    (void)place;
    if (r->cli->step == NULL && stepi_holds(&operation, r->cli->operation))
        add_end(r->table, op, ending, event);
}

int stepi_series_read(stepi_cli_t *cli, const char *const *names, size_t count, stepi_series_table_t *table,
                      size_t *unreadable)
{
    reading_t r = { .cli = cli, .table = table };
    const stepi_watcher_t watcher = { .context = &r, .step = see_step, .ended = see_end };
    if (!begin(table)) {
        stepi_complain("error", "no memory");
        return -1;
    }
    if (stepi_watch_logs(cli, names, count, &watcher, unreadable) < 0)
        return -1;
    if (table->has_no_memory)
        stepi_complain("error", "no memory");
    return table->has_no_memory ? -1 : 0;
}

/* ---- Order ---- */

static bool is_same_operation(const stepi_series_t *a, const stepi_series_t *b)
{
    const stepi_text_t name = stepi_kept_text(&b->operation);
    return a->has_operation == b->has_operation && (!a->has_operation || stepi_kept_is(&a->operation, &name));
}

static int by_order(const void *a, const void *b)
{
    const stepi_series_t *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order ? 1 : 0;
}

void stepi_series_sort(stepi_series_table_t *table)
{
    for (size_t i = 0; i < table->count; i++)
        table->series[i].order = i << 32;
    for (size_t i = 0; i < table->count; i++) {
        size_t first = i;
        for (size_t k = 0; k < i; k++)
            if (is_same_operation(&table->series[k], &table->series[i])) {
                first = k;
                break;
            }
        table->series[i].order = (uint64_t)first << 32 | (table->series[i].is_step ? i + 1 : 0);
    }
    if (table->count > 1)
        qsort(table->series, table->count, sizeof(*table->series), by_order);
}
