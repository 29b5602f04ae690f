/* steplog rate KEY: how often a field of a step has which value. "Cache hit rate" is the share of HIT. */
#include "steplog/command.h"
#include "steplog/find.h"

#include <math.h>
#include <stdlib.h>

/* As many values are told apart. */
enum { VALUES_MAX = 4096, VALUE_BYTES = 256, SHARE_COLUMNS = 7 };

typedef struct counted {
    stepi_text_t value;
    double count;
    bool is_text; /* not a number, true, false or null: quotes in JSON */
} counted_t;

typedef struct rate {
    stepi_cli_t *cli;
    stepi_finder_t finder; /* for the key, if it is spelled one way alone */
    bool can_find;
    counted_t *values;
    size_t count;
    double all, others;
    bool has_no_memory;
} rate_t;

/* ---- A block ---- */

static bool is_wanted(const rate_t *r, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_counts_t *counts)
{
    const stepi_value_t *description = stepi_own(entry, STEPI_OWN_DESCRIPTION);
    if (!stepi_is_step_kind(entry->kind) || !stepi_filter_takes(&r->cli->filter, entry, counts))
        return false;
    if (r->cli->step == NULL)
        return true;
    const stepi_text_t text = description != NULL ? stepi_decode(reader, description) : (stepi_text_t){ .bytes = NULL };
    return stepi_holds(&text, r->cli->step);
}

static bool find_field(const rate_t *r, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_value_t *value)
{
    stepi_field_walk_t walk = stepi_fields_of(reader, entry);
    stepi_field_t field;
    const size_t length = strlen(r->cli->key);
    while (stepi_next_field(&walk, &field)) {
        const stepi_text_t key = stepi_decode(reader, &field.key);
        if (key.length == length && memcmp(key.bytes, r->cli->key, length) == 0) {
            *value = field.value;
            return true;
        }
    }
    return false;
}

static bool is_same(const counted_t *a, const stepi_text_t *value, bool is_text)
{
    return a->is_text == is_text && a->value.length == value->length &&
           (value->length == 0 || memcmp(a->value.bytes, value->bytes, value->length) == 0);
}

/* Counts it among the last few values of the block; what comes twice is put together when blocks are. */
static void count_in_block(stepi_reader_t *reader, const stepi_value_t *value, double weight, stepi_result_t *result)
{
    enum { LOOK_BACK = 16 };
    static const stepi_text_t null = { .bytes = "null", .length = 4, .original = 4 };
    const bool is_text = value->type == STEPI_VALUE_STRING || value->type == STEPI_VALUE_SECRET;
    stepi_text_t text = stepi_decode(reader, value);
    if (text.bytes == NULL)
        text = null;
    counted_t *values = (counted_t *)(void *)result->room;
    const size_t count = result->used / sizeof(*values);
    for (size_t i = count; i > 0 && count - i < LOOK_BACK; i--)
        if (is_same(&values[i - 1], &text, is_text)) {
            values[i - 1].count += weight;
            return;
        }
    if (text.length > VALUE_BYTES)
        text.length = VALUE_BYTES;
    const char *kept = stepi_result_keep(result, text.bytes, text.length);
    char *room = stepi_result_room(result, sizeof(*values));
    if (kept == NULL || room == NULL)
        return;
    text.bytes = kept;
    *(counted_t *)(void *)room = (counted_t){ .value = text, .count = weight, .is_text = is_text };
    result->used += sizeof(*values);
}

static void scan_line(const rate_t *r, stepi_reader_t *reader, stepi_span_t line, stepi_result_t *result)
{
    stepi_entry_t entry;
    stepi_value_t value;
    if (!stepi_read_line(reader, line, &entry))
        return;
    result->counts.entries++;
    if (is_wanted(r, reader, &entry, &result->counts) && find_field(r, reader, &entry, &value))
        count_in_block(reader, &value, stepi_weight_of(&entry), result);
}

static void scan(void *context, stepi_reader_t *reader, const stepi_block_t *block, stepi_result_t *result)
{
    const rate_t *r = context;
    const char *at = block->bytes + block->start, *end = block->bytes + block->end;
    while (at < end) {
        if (r->can_find) { /* only lines that hold the key at all */
            const char *found = stepi_find(&r->finder, at, end);
            if (found == NULL)
                return;
            const char *feed = memrchr(at, '\n', (size_t)(found - at));
            at = feed != NULL ? feed + 1 : at;
        }
        scan_line(r, reader, stepi_next_line(&at, end), result);
    }
}

/* ---- All of it ---- */

static bool add_value(rate_t *r, const counted_t *value)
{
    char *copy = malloc(value->value.length + 1);
    if (copy == NULL) {
        r->has_no_memory = true;
        return false;
    }
    memcpy(copy, value->value.bytes, value->value.length);
    r->values[r->count] = *value;
    r->values[r->count++].value.bytes = copy;
    return true;
}

static void add(rate_t *r, const counted_t *value)
{
    r->all += value->count;
    for (size_t i = 0; i < r->count; i++)
        if (is_same(&r->values[i], &value->value, value->is_text)) {
            r->values[i].count += value->count;
            return;
        }
    if (r->count == VALUES_MAX || !add_value(r, value))
        r->others += value->count;
}

static bool merge(void *context, const stepi_block_t *block, const stepi_result_t *result, uint64_t first_line)
{
    rate_t *r = context;
    const counted_t *values = (const counted_t *)(const void *)result->room;
    (void)block;
    (void)first_line;
    for (size_t i = 0; i < result->used / sizeof(*values); i++)
        add(r, &values[i]);
    return true;
}

static int by_count(const void *a, const void *b)
{
    const counted_t *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    const uint32_t shorter = x->value.length < y->value.length ? x->value.length : y->value.length;
    const int order = memcmp(x->value.bytes, y->value.bytes, shorter);
    return order != 0 ? order : x->value.length < y->value.length ? -1 : 1;
}

static void print_object(rate_t *r, const counted_t *value)
{
    stepi_print_t *print = r->cli->print;
    stepi_json_begin(print);
    stepi_json_text(print, "value", &value->value);
    stepi_json_number(print, "count", value->count);
    stepi_json_number(print, "share", r->all > 0 ? value->count / r->all : 0);
    stepi_json_end(print);
}

static size_t digits_of(double count)
{
    size_t digits = 1;
    for (; count >= 10; count /= 10)
        digits++;
    return digits;
}

/* As wide as the widest value, and the largest count. */
typedef struct widths {
    size_t value, count;
} widths_t;

static void print_row(rate_t *r, const counted_t *value, const widths_t *widths)
{
    stepi_print_t *print = r->cli->print;
    stepi_print_text(print, &value->value);
    stepi_print_spaces(print, widths->value - stepi_print_width(&value->value) + 1);
    stepi_print_cell(print, value->count, 0, widths->count + 1);
    stepi_print_cell(print, r->all > 0 ? 100 * value->count / r->all : 0, 1, SHARE_COLUMNS);
    stepi_print_literal(print, "%\n");
}

static void print_all(rate_t *r)
{
    widths_t widths = { 0, r->count > 0 ? digits_of(round(r->values[0].count)) : 0 };
    for (size_t i = 0; i < r->count; i++)
        if (stepi_print_width(&r->values[i].value) > widths.value)
            widths.value = stepi_print_width(&r->values[i].value);
    for (size_t i = 0; i < r->count; i++) {
        if (r->cli->json)
            print_object(r, &r->values[i]);
        else
            print_row(r, &r->values[i], &widths);
    }
}

static void tell_about(const rate_t *r)
{
    if (r->has_no_memory)
        stepi_complain("error", "no memory");
    else if (r->others > 0)
        stepi_complain("note", "too many different values: only 4096 of them are shown");
    else if (r->count == 0)
        stepi_complain(r->cli->key, "is no field of the steps that were asked for");
}

/* Whether the key has one spelling in every format: letters, digits and what never needs an escape. */
static bool is_plain(const char *key)
{
    for (const char *at = key; *at != '\0'; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' ||
              *at == '-' || *at == '.'))
            return false;
    return *key != '\0';
}

int64_t stepi_rate(stepi_cli_t *cli, size_t *unreadable)
{
    rate_t r = { .cli = cli, .can_find = is_plain(cli->key), .values = calloc(VALUES_MAX, sizeof(*r.values)) };
    stepi_job_t job = { .context = &r, .scan = scan, .merge = merge };
    int64_t found = -1;
    if (r.can_find)
        r.finder = stepi_finder_of(cli->key, strlen(cli->key));
    if (r.values == NULL)
        stepi_complain("error", "no memory");
    else if (stepi_run_job(cli->names, cli->name_count, &job, unreadable) == 0)
        found = (int64_t)r.count;
    if (found >= 0) {
        if (r.count > 1)
            qsort(r.values, r.count, sizeof(*r.values), by_count);
        print_all(&r);
        tell_about(&r);
    }
    for (size_t i = 0; i < r.count; i++)
        free((void *)(uintptr_t)r.values[i].value.bytes);
    free(r.values);
    return r.has_no_memory ? -1 : found;
}
