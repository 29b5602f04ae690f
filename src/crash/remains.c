#include "crash/remains.h"

#include "crash/store.h"
#include "record/record.h"
#include "record/ring.h"
#include "record/seal.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 8, MARK_BYTES = 16, FIRST_CAPACITY = 256 };

/* ---- Files ---- */

/* Its process was killed before it had written anything there. */
static bool is_newborn(const uint8_t *bytes, size_t size)
{
    static const uint8_t none[MARK_BYTES];
    return size < MARK_BYTES || memcmp(bytes, none, MARK_BYTES) == 0;
}

static bool has_mark(const uint8_t *bytes, size_t size, uint64_t kind)
{
    uint64_t mark[2];
    if (size < sizeof(mark))
        return false;
    memcpy(mark, bytes, sizeof(mark));
    return mark[0] == kind && mark[1] == STEPI_MARK_FORM;
}

/* Both copies agree, or half a change was made: then the lower one is true. */
static uint64_t resolved_of(const stepi_owner_output_t *output)
{
    const uint64_t resolved = output->resolved;
    const uint64_t other = ~output->resolved_not;
    return resolved < other ? resolved : other;
}

stepi_remains_state_t stepi_remains_begin(stepi_remains_t *remains, const uint8_t *owner, size_t size)
{
    memset(remains, 0, sizeof(*remains));
    if (size < sizeof(remains->owner))
        return STEPI_REMAINS_UNREADABLE;
    memcpy(&remains->owner, owner, sizeof(remains->owner));
    if (remains->owner.mark[0] == __builtin_bswap64(STEPI_MARK_OWNER))
        return STEPI_REMAINS_FOREIGN;
    if (remains->owner.mark[0] != STEPI_MARK_OWNER)
        return STEPI_REMAINS_UNREADABLE;
    if (remains->owner.mark[1] != STEPI_MARK_FORM)
        return STEPI_REMAINS_FOREIGN;
    if (remains->owner.outputs > STEPI_CRASH_OUTPUTS)
        remains->owner.outputs = STEPI_CRASH_OUTPUTS;
    for (uint32_t i = 0; i < remains->owner.outputs; i++)
        remains->has[i] = resolved_of(&remains->owner.output[i]);
    return STEPI_REMAINS_GOOD;
}

void stepi_remains_shapes(stepi_remains_t *remains, const uint8_t *bytes, size_t size)
{
    if (is_newborn(bytes, size))
        return;
    if (!has_mark(bytes, size, STEPI_MARK_SHAPES))
        remains->damaged += size;
    else if (!stepi_shapes_load(&remains->shapes, bytes + MARK_BYTES, size - MARK_BYTES, &remains->damaged))
        remains->lacks_memory = true;
}

/* ---- What is in the file ---- */

/* How much of the block stands in the file, from its beginning on. A line of which only the end is missing counts as whole: whoever
 * writes next ends it. Where the block is longer than what was noted of it, a file that goes on is trusted to go on with the block. */
static size_t common_bytes(const stepi_intent_t *intent, const char *file, size_t file_bytes)
{
    const size_t length = intent->length < SIZE_MAX ? (size_t)intent->length : SIZE_MAX;
    const size_t noted = length < STEPI_INTENT_BYTES ? length : STEPI_INTENT_BYTES;
    const size_t most = noted < file_bytes ? noted : file_bytes;
    size_t common = 0;
    while (common < most && file[common] == intent->bytes[common])
        common++;
    if (common == STEPI_INTENT_BYTES)
        return length < file_bytes ? length : file_bytes;
    const bool lacks_end = common == file_bytes && common > 0 && common < noted && intent->bytes[common] == '\n';
    return lacks_end ? common + 1 : common;
}

static bool ends_line(const stepi_intent_t *intent, const char *file, size_t at)
{
    return (at < STEPI_INTENT_BYTES ? intent->bytes[at] : file[at]) == '\n';
}

void stepi_remains_intent(stepi_remains_t *remains, uint32_t output, const stepi_intent_t *intent, const char *file,
                          size_t file_bytes)
{
    if (output >= remains->owner.outputs || intent->mark[0] != STEPI_MARK_INTENT || intent->mark[1] != STEPI_MARK_FORM ||
        intent->active != 1 || intent->lines > STEPI_INTENT_LINES)
        return;
    if (file_bytes > 0 && file[0] == '\n' && intent->bytes[0] != '\n') {
        file++; /* the end of a line that was torn before */
        file_bytes--;
    }
    const size_t common = common_bytes(intent, file, file_bytes);
    uint32_t line = 0;
    for (size_t i = 0; i < common && line < intent->lines; i++) {
        if (!ends_line(intent, file, i))
            continue;
        const uint64_t next = intent->base + intent->index[line] + 1;
        if (intent->index[line] != UINT32_MAX && next <= intent->through && next > remains->has[output])
            remains->has[output] = next;
        line++;
    }
}

/* Which outputs want a record. A file of this process alone is where it has to be; where no file wants it, all others count. */
static bool is_missing(const stepi_remains_t *remains, uint8_t level, uint64_t number)
{
    const stepi_owner_t *owner = &remains->owner;
    const int shown_as = owner->records_all != 0 && level < owner->level ? owner->level : level;
    bool in_files = true, in_others = true, has_file = false, is_wanted = owner->outputs == 0;
    for (uint32_t i = 0; i < owner->outputs; i++) {
        if (owner->output[i].level > shown_as)
            continue;
        const bool has = number < remains->has[i];
        is_wanted = true;
        has_file |= owner->output[i].is_file != 0;
        if (owner->output[i].is_file != 0)
            in_files &= has;
        else
            in_others &= has;
    }
    return is_wanted && (owner->outputs == 0 || !(has_file ? in_files : in_others));
}

/* ---- Records ---- */

/* A whole record at the beginning of [bytes, bytes + room): its length, else 0. */
static uint32_t whole_record(const uint8_t *bytes, size_t room)
{
    uint32_t n;
    if (room < STEPI_RECORD_MIN)
        return 0;
    memcpy(&n, bytes, sizeof(n));
    return n >= STEPI_RECORD_MIN && n % STEP == 0 && n <= room && stepi_record_is_whole(bytes, n) ? n : 0;
}

static bool grow(stepi_remains_t *remains)
{
    const size_t capacity = remains->capacity == 0 ? FIRST_CAPACITY : remains->capacity * 2;
    stepi_remain_t *records = realloc(remains->records, capacity * sizeof(*records));
    remains->lacks_memory |= records == NULL;
    if (records == NULL)
        return false;
    remains->records = records;
    remains->capacity = capacity;
    return true;
}

static void add(stepi_remains_t *remains, stepi_remain_t remain, uint64_t number)
{
    if (remains->count == remains->capacity && !grow(remains))
        return;
    stepi_record_t header;
    memcpy(&header, remain.record, sizeof(header));
    remain.stamp = remain.ticks = header.stamp;
    if ((header.parts & STEPI_PART_CLOCK) != 0 && remain.bytes >= sizeof(header) + 16)
        memcpy(&remain.ticks, remain.record + sizeof(header) + 8, sizeof(remain.ticks));
    remain.seq = header.seq;
    remain.is_missing = number != STEPI_NUMBER_NAMES && (header.parts & STEPI_FLAG_QUIET) == 0 &&
                        is_missing(remains, header.level, number);
    remains->records[remains->count++] = remain;
}

/* ---- Rings ---- */

typedef struct ring_reader {
    const uint8_t *data;
    uint64_t bytes; /* a power of two */
    uint64_t there; /* of them; fewer where the file was cut off */
    uint64_t identity, head;
    uint32_t tid;
    uint64_t next_seq; /* what is left of an earlier lap has a lower one */
} ring_reader_t;

/* The record at a position; how far to go on. */
static uint64_t read_one(stepi_remains_t *remains, ring_reader_t *r, uint64_t position)
{
    const uint64_t offset = position & (r->bytes - 1);
    const uint64_t to_end = r->bytes - offset;
    const uint64_t left = r->head - position < to_end ? r->head - position : to_end;
    if (r->there < STEP || offset > r->there - STEP) {
        remains->damaged += left;
        return to_end;
    }
    const uint64_t room = left < r->there - offset ? left : r->there - offset;
    uint32_t mark;
    memcpy(&mark, r->data + offset, sizeof(mark));
    if (mark == STEPI_WRAP_MARK)
        return to_end;
    const uint32_t n = whole_record(r->data + offset, (size_t)room);
    stepi_record_t header = { .seq = 0 };
    if (n > 0)
        memcpy(&header, r->data + offset, sizeof(header));
    if (n == 0 || header.seq < r->next_seq) {
        remains->damaged += STEP;
        return STEP;
    }
    r->next_seq = header.seq + 1;
    const stepi_remain_t remain = {
        .ring = r->identity, .record = r->data + offset, .bytes = n, .tid = r->tid, .source = STEPI_FROM_ELSEWHERE
    };
    add(remains, remain, UINT64_MAX);
    return n;
}

#define SHARED(member) (offsetof(stepi_ring_t, member) - offsetof(stepi_ring_t, mark))

static bool is_plausible(const ring_reader_t *r, uint64_t position)
{
    return r->bytes > 0 && r->bytes <= STEPI_RING_BYTES_MAX && (r->bytes & (r->bytes - 1)) == 0 && r->there <= r->bytes && position % STEP == 0 && r->head % STEP == 0 &&
           r->head - position <= r->bytes;
}

void stepi_remains_ring(stepi_remains_t *remains, const uint8_t *bytes, size_t size)
{
    uint64_t position;
    if (is_newborn(bytes, size))
        return;
    if (size < STEPI_RING_DATA || !has_mark(bytes, size, STEPI_MARK_RING)) {
        remains->damaged += size;
        return;
    }
    ring_reader_t r = { .data = bytes + STEPI_RING_DATA, .there = size - STEPI_RING_DATA };
    memcpy(&r.bytes, bytes + SHARED(bytes), sizeof(r.bytes));
    memcpy(&r.identity, bytes + SHARED(identity), sizeof(r.identity));
    memcpy(&r.tid, bytes + SHARED(tid), sizeof(r.tid));
    memcpy(&r.head, bytes + SHARED(head), sizeof(r.head));
    memcpy(&position, bytes + SHARED(read), sizeof(position));
    if (!is_plausible(&r, position)) {
        remains->damaged += size;
        return;
    }
    while (position != r.head) {
        const uint64_t step = read_one(remains, &r, position);
        position = step < r.head - position ? position + step : r.head;
    }
}

/* ---- The store ---- */

/* The record that is kept there: what it takes with its head, else 0. */
static size_t read_kept(stepi_remains_t *remains, const uint8_t *at, size_t room, stepi_source_kind_t source)
{
    stepi_kept_t kept;
    if (room < sizeof(kept))
        return 0;
    memcpy(&kept, at, sizeof(kept));
    const uint32_t bytes = kept.bytes;
    if (bytes == 0 || kept.sum != stepi_kept_sum(&kept, bytes) || whole_record(at + sizeof(kept), room - sizeof(kept)) != bytes)
        return 0;
    const stepi_remain_t remain = {
        .ring = kept.ring, .record = at + sizeof(kept), .bytes = bytes, .tid = kept.tid, .source = source
    };
    add(remains, remain, kept.number);
    return sizeof(kept) + bytes;
}

/* Extents may be cut off, too: `size` is what is there. */
static void read_slots(stepi_remains_t *remains, const uint8_t *extent, size_t size, size_t slot_bytes)
{
    if (slot_bytes < sizeof(stepi_kept_t) || slot_bytes > STEPI_EXTENT_BYTES || (slot_bytes & (slot_bytes - 1)) != 0) {
        remains->damaged += size;
        return;
    }
    for (size_t at = STEPI_EXTENT_HEAD; at + slot_bytes <= STEPI_EXTENT_BYTES && at + sizeof(stepi_kept_t) <= size; at += slot_bytes) {
        const size_t room = slot_bytes < size - at ? slot_bytes : size - at;
        uint32_t bytes;
        memcpy(&bytes, extent + at, sizeof(bytes));
        if (bytes != 0 && read_kept(remains, extent + at, room, STEPI_FROM_ELSEWHERE) == 0)
            remains->damaged += bytes < room ? bytes : room;
    }
}

static void read_flight(stepi_remains_t *remains, const uint8_t *extent, size_t size, uint64_t used)
{
    const size_t most = size - STEPI_EXTENT_HEAD;
    const size_t end = STEPI_EXTENT_HEAD + (used < most ? (size_t)used : most);
    size_t at = STEPI_EXTENT_HEAD;
    while (at < end) {
        size_t step = read_kept(remains, extent + at, end - at, STEPI_FROM_FLIGHT);
        if (step == 0) {
            step = STEP < end - at ? STEP : end - at;
            remains->damaged += step;
        }
        at += step;
    }
}

static void read_extent(stepi_remains_t *remains, const uint8_t *bytes, size_t size)
{
    stepi_extent_t extent;
    memcpy(&extent, bytes, sizeof(extent));
    if (extent.kind == STEPI_EXTENT_FREE)
        return;
    if (has_mark(bytes, size, STEPI_MARK_STORE) && extent.kind == STEPI_EXTENT_SLOTS)
        read_slots(remains, bytes, size, extent.slot_bytes);
    else if (has_mark(bytes, size, STEPI_MARK_STORE) && extent.kind == STEPI_EXTENT_FLIGHT)
        read_flight(remains, bytes, size, extent.used);
    else
        remains->damaged += size;
}

void stepi_remains_store(stepi_remains_t *remains, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += STEPI_EXTENT_BYTES) {
        const size_t there = size - at < STEPI_EXTENT_BYTES ? size - at : STEPI_EXTENT_BYTES;
        if (there < STEPI_EXTENT_HEAD)
            remains->damaged += there;
        else
            read_extent(remains, bytes + at, there);
    }
}

/* ---- The order of time ---- */

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
    const stepi_remain_t *a = left, *b = right;
    int result = order(a->stamp, b->stamp);
    result = result != 0 ? result : order(a->ticks, b->ticks);
    result = result != 0 ? result : order(a->ring, b->ring);
    result = result != 0 ? result : order(a->seq, b->seq);
    return result != 0 ? result : (int)a->source - (int)b->source;
}

static bool is_same(const stepi_remain_t *a, const stepi_remain_t *b)
{
    return a->ring != 0 && a->ring == b->ring && a->seq == b->seq && a->stamp == b->stamp;
}

void stepi_remains_sort(stepi_remains_t *remains)
{
    size_t kept = 0;
    if (remains->count > 1)
        qsort(remains->records, remains->count, sizeof(*remains->records), compare);
    for (size_t i = 0; i < remains->count; i++) {
        const stepi_remain_t *remain = &remains->records[i];
        stepi_remain_t *last = kept > 0 ? &remains->records[kept - 1] : NULL;
        if (last == NULL || !is_same(last, remain))
            remains->records[kept++] = *remain;
        else if (last->source != STEPI_FROM_FLIGHT) /* in flight it has a number, and that decides */
            last->is_missing |= remain->is_missing;
    }
    remains->count = kept;
}

void stepi_remains_free(stepi_remains_t *remains)
{
    stepi_shapes_free(&remains->shapes);
    free(remains->records);
    memset(remains, 0, sizeof(*remains));
}
