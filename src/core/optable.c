#include "core/optable.h"

#include "core/operation.h"
#include "platform/memory.h"

#include <string.h>

enum { FIRST_CAPACITY = 64, EPOCHS_TO_REST = 2 };

static size_t slot_of(const stepi_optable_t *table, uint64_t id)
{
    return (size_t)((id * 0x9E3779B97F4A7C15u) >> 20) & (table->capacity - 1);
}

stepi_open_operation_t *stepi_optable_find(stepi_optable_t *table, uint64_t id)
{
    if (table->capacity == 0)
        return NULL;
    size_t at = slot_of(table, id);
    while (table->slots[at] != NULL && table->slots[at]->id != id)
        at = (at + 1) & (table->capacity - 1);
    return table->slots[at];
}

static void place(stepi_optable_t *table, stepi_open_operation_t *entry)
{
    size_t at = slot_of(table, entry->id);
    while (table->slots[at] != NULL)
        at = (at + 1) & (table->capacity - 1);
    table->slots[at] = entry;
    table->count++;
}

static void free_names(const stepi_optable_t *table, const stepi_open_operation_t *entry)
{
    for (int i = 0; i < STEPI_KEPT; i++)
        if (entry->kept[i] != NULL && table->store->base != NULL)
            stepi_store_free(table->store, entry->kept[i]);
}

static void free_entry(const stepi_optable_t *table, stepi_open_operation_t *entry)
{
    free_names(table, entry);
    if (entry->parent != NULL)
        entry->parent->children--;
    if (entry->hold != NULL)
        stepi_hold_leave(entry->hold);
    stepi_summary_free(&entry->summary);
    stepi_free(entry->own_bound);
    stepi_free(entry->bound);
    stepi_free(entry->name);
    stepi_free(entry->description);
    stepi_free(entry);
}

static bool is_needed(const stepi_open_operation_t *entry)
{
    return entry->children > 0 || (entry->hold != NULL && !stepi_hold_is_empty(entry->hold));
}

/* Seen dead before an epoch began that is over. */
bool stepi_optable_is_gone(const stepi_optable_t *table, stepi_open_operation_t *entry)
{
    if (table->is_foreign || stepi_operation_is_alive(entry->id))
        return false;
    if (!entry->seen_dead) {
        entry->seen_dead = true;
        entry->dead_epoch = table->epoch;
    }
    return table->epoch - entry->dead_epoch >= EPOCHS_TO_REST;
}

static bool may_go(const stepi_optable_t *table, stepi_open_operation_t *entry)
{
    return stepi_optable_is_gone(table, entry) && !is_needed(entry);
}

/* Moves what lives into a table of `capacity`; false without memory, and nothing has changed. */
static bool rebuild(stepi_optable_t *table, size_t capacity)
{
    stepi_open_operation_t **slots = stepi_alloc_zeroed(capacity * sizeof(stepi_open_operation_t *));
    if (slots == NULL)
        return false;
    const stepi_optable_t old = *table;
    table->slots = slots;
    table->capacity = capacity;
    table->count = 0;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i] != NULL && may_go(&old, old.slots[i]))
            free_entry(table, old.slots[i]);
        else if (old.slots[i] != NULL)
            place(table, old.slots[i]);
    stepi_free(old.slots);
    return true;
}

static bool make_room(stepi_optable_t *table)
{
    if (table->capacity > 0 && table->count < table->capacity / 10 * 7)
        return true;
    if (table->capacity > 0) { /* first see who is dead: often that is room enough */
        if (!rebuild(table, table->capacity))
            return table->count + 1 < table->capacity;
        if (table->count < table->capacity / 2)
            return true;
    }
    return rebuild(table, table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2) ||
           table->count + 1 < table->capacity;
}

stepi_open_operation_t *stepi_optable_get(stepi_optable_t *table, uint64_t id)
{
    stepi_open_operation_t *entry = stepi_optable_find(table, id);
    if (entry != NULL || !make_room(table))
        return entry;
    entry = stepi_alloc_zeroed(sizeof(*entry));
    if (entry != NULL) {
        entry->id = id;
        place(table, entry);
    }
    return entry;
}

void stepi_optable_link(stepi_optable_t *table, stepi_open_operation_t *entry, uint64_t parent)
{
    if (entry->is_linked || parent == 0 || parent == entry->id)
        return;
    entry->is_linked = true;
    entry->parent = stepi_optable_find(table, parent);
    if (entry->parent == NULL && (table->is_foreign || stepi_operation_is_alive(parent)))
        entry->parent = stepi_optable_get(table, parent);
    if (entry->parent != NULL)
        entry->parent->children++;
}

void stepi_optable_remove(stepi_optable_t *table, uint64_t id)
{
    stepi_open_operation_t *entry = stepi_optable_find(table, id);
    if (entry == NULL || is_needed(entry))
        return;
    size_t hole = slot_of(table, id);
    while (table->slots[hole] != entry)
        hole = (hole + 1) & (table->capacity - 1);
    free_entry(table, entry);
    table->slots[hole] = NULL;
    table->count--;
    /* whoever was pushed past the hole moves up */
    for (size_t at = (hole + 1) & (table->capacity - 1); table->slots[at] != NULL;
         at = (at + 1) & (table->capacity - 1)) {
        stepi_open_operation_t *moved = table->slots[at];
        table->slots[at] = NULL;
        table->count--;
        place(table, moved);
    }
}

stepi_open_operation_t *stepi_optable_next(stepi_optable_t *table, size_t *at)
{
    while (*at < table->capacity) {
        stepi_open_operation_t *entry = table->slots[(*at)++];
        if (entry != NULL)
            return entry;
    }
    return NULL;
}

void stepi_optable_clear(stepi_optable_t *table)
{
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i] != NULL)
            table->slots[i]->parent = NULL; /* which may be freed before it */
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i] != NULL)
            free_entry(table, table->slots[i]);
    stepi_free(table->slots);
    *table = (stepi_optable_t){ .store = table->store };
}

void stepi_optable_reset_in_child(stepi_optable_t *table)
{
    *table = (stepi_optable_t){ .store = table->store };
}

static void copy(char **owned, stepi_text_t *to, const stepi_text_t *from)
{
    *to = (stepi_text_t){ 0 };
    if (from->bytes == NULL)
        return;
    char *bytes = stepi_resize(*owned, 0, from->length + 1u);
    if (bytes == NULL)
        return;
    memcpy(bytes, from->bytes, from->length);
    *owned = bytes;
    *to = (stepi_text_t){ .bytes = bytes, .length = from->length, .original = from->original };
}

void stepi_optable_name(stepi_open_operation_t *entry, const stepi_text_t *name)
{
    entry->has_name = true;
    copy(&entry->name, &entry->name_text, name);
}

void stepi_optable_describe(stepi_open_operation_t *entry, int32_t step, int32_t total, const stepi_text_t *description)
{
    entry->step_known = true;
    entry->step = step;
    entry->total = total;
    copy(&entry->description, &entry->description_text, description);
}
