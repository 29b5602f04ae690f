/* What a killed process left, damaged or made by somebody who means harm: it is read and replayed into every format, as the backend does.
 *
 * The input is a list of pieces: what, then how many bytes, then the bytes. Some are laid over a file as they are; others are records and
 * shapes, which get the length and the sum that they need to be believed. */
#include "core/recover.c"

#include "format_support.h"
#include "json_reader.h"

#include "crash/intent.h"
#include "crash/store.h"
#include "record/ring.h"
#include "record/seal.h"

#include "fuzz.h"

enum {
    DATA = 32 * 1024,
    EXTENTS = 2,
    SHAPES_BYTES = 16 * 1024,
    FILE_BYTES = 4096,
    PIECES_MAX = 64,
    SHARED_BYTES = 256
};

typedef enum piece {
    OWNER,
    SHAPES, /* as they are */
    SHAPE,  /* whole */
    RING,   /* over its shared page */
    RING_RECORD,
    STORE_HEAD,
    SLOT_RECORD,
    FLIGHT_RECORD,
    INTENT,
    LOG_FILE, /* what was written of the intent's block */
    ANYWHERE, /* two bytes of place first: over the ring's data or an extent */
    CUT,      /* two bytes each: of the ring, of the store */
    PIECES
} piece_t;

/* The files of one process. */
static stepi_owner_t owner;
static stepi_intent_t intent;
static uint8_t ring[STEPI_RING_DATA + DATA], store[EXTENTS * STEPI_EXTENT_BYTES], shapes[SHAPES_BYTES];
static char log_file[FILE_BYTES];
static size_t shapes_bytes, ring_used, ring_bytes, store_bytes, log_file_bytes, slots_used;

/* ---- The log that gets it ---- */

/* Text, colored text, JSON; logfmt has no reader here. */
static int is_read(void *ctx, const char *bytes, size_t length)
{
    static json_object_t object;
    const char what = *(const char *)ctx;
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        MUST(end != NULL);
        const size_t line = (size_t)(end - bytes) + 1;
        if (what == 'j')
            MUST(read_json_line(bytes, line, &object));
        else
            MUST(is_clean_line(bytes, line, what == 'c'));
        bytes += line;
        length -= line;
    }
    return 0;
}

static void add(step_log_t *log, const char *what, step_format_t *format)
{
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = is_read };
    MUST(step_log_add_output(log, step_sink_custom(&ops, (void *)(uintptr_t)what), format, 0) == STEP_OK);
}

static step_log_t *make_log(void)
{
    static const step_text_options_t colored = { .size = sizeof(colored), .color = 1, .timestamps = 1 };
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log;
    options.mode = STEP_MODE_SYNC;
    MUST(step_log_open(&options, &log) == STEP_OK);
    add(log, "t", step_format_text());
    add(log, "c", step_format_text_with(&colored));
    add(log, "j", step_format_json());
    add(log, "t", step_format_logfmt());
    return log;
}

/* ---- Files that are whole ---- */

static void put_64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void begin_extent(uint8_t *at, stepi_extent_kind_t kind)
{
    stepi_extent_t extent = { .mark = { STEPI_MARK_STORE, STEPI_MARK_FORM }, .kind = kind, .slot_bytes = 1024 };
    memcpy(at, &extent, sizeof(extent));
}

#define SHARED(member) (offsetof(stepi_ring_t, member) - offsetof(stepi_ring_t, mark))

static void begin_files(void)
{
    static const uint64_t shapes_mark[2] = { STEPI_MARK_SHAPES, STEPI_MARK_FORM },
                          ring_mark[2] = { STEPI_MARK_RING, STEPI_MARK_FORM };
    memset(&owner, 0, sizeof(owner));
    memset(&intent, 0, offsetof(stepi_intent_t, bytes));
    memset(ring, 0, sizeof(ring));
    memset(store, 0, sizeof(store));
    owner.mark[0] = STEPI_MARK_OWNER;
    owner.mark[1] = STEPI_MARK_FORM;
    owner.outputs = 1;
    owner.output[0].resolved_not = UINT64_MAX;
    stepi_timebase_start(&owner.time[0]);
    intent.mark[0] = STEPI_MARK_INTENT;
    intent.mark[1] = STEPI_MARK_FORM;
    memcpy(shapes, shapes_mark, sizeof(shapes_mark));
    memcpy(ring, ring_mark, sizeof(ring_mark));
    put_64(ring + SHARED(bytes), DATA);
    put_64(ring + SHARED(identity), 1);
    begin_extent(store, STEPI_EXTENT_SLOTS);
    begin_extent(store + STEPI_EXTENT_BYTES, STEPI_EXTENT_FLIGHT);
    shapes_bytes = sizeof(shapes_mark);
    ring_bytes = sizeof(ring);
    store_bytes = sizeof(store);
    ring_used = slots_used = log_file_bytes = 0;
}

/* ---- Pieces ---- */

static void lay_over(void *file, size_t size, const uint8_t *bytes, size_t n)
{
    memcpy(file, bytes, n < size ? n : size);
}

/* Length and sum in front, zeros behind; its bytes, 0 where there is no room. */
static size_t make_whole(uint8_t *at, size_t room, const uint8_t *bytes, size_t n, size_t least)
{
    const size_t all = ((n < least ? least : n) + 7) / 8 * 8;
    if (all > room)
        return 0;
    memset(at, 0, all);
    memcpy(at, bytes, n);
    const uint32_t length = (uint32_t)all;
    memcpy(at, &length, sizeof(length));
    stepi_record_seal(at, all);
    return all;
}

static size_t keep_whole(uint8_t *at, size_t room, const uint8_t *bytes, size_t n, uint64_t number)
{
    stepi_kept_t kept = { .number = number, .ring = 1, .tid = 2 };
    const size_t all =
        room > sizeof(kept) ? make_whole(at + sizeof(kept), room - sizeof(kept), bytes, n, STEPI_RECORD_MIN) : 0;
    if (all == 0)
        return 0;
    kept.bytes = (uint32_t)all;
    kept.sum = stepi_kept_sum(&kept, (uint32_t)all);
    memcpy(at, &kept, sizeof(kept));
    return sizeof(kept) + all;
}

/* The first byte of a record in the store says what is known of it. */
static uint64_t number_of(const uint8_t **bytes, size_t *n)
{
    const uint8_t what = *n > 0 ? **bytes : 0;
    *bytes += *n > 0;
    *n -= *n > 0;
    return what == 255 ? STEPI_NUMBER_HELD : what == 254 ? STEPI_NUMBER_NAMES : what;
}

static void put_in_ring(const uint8_t *bytes, size_t n)
{
    ring_used += make_whole(ring + STEPI_RING_DATA + ring_used, DATA - ring_used, bytes, n, STEPI_RECORD_MIN);
    put_64(ring + SHARED(head), ring_used);
}

static void put_in_slot(const uint8_t *bytes, size_t n)
{
    const uint64_t number = number_of(&bytes, &n);
    uint8_t *at = store + STEPI_EXTENT_HEAD + 1024 * slots_used;
    if (keep_whole(at, 1024, bytes, n, number) != 0)
        slots_used++;
}

static void put_in_flight(const uint8_t *bytes, size_t n)
{
    uint8_t *extent = store + STEPI_EXTENT_BYTES;
    uint64_t used;
    memcpy(&used, extent + offsetof(stepi_extent_t, used), sizeof(used));
    if (used > STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD || used % 8 != 0)
        return;
    const uint64_t number = number_of(&bytes, &n);
    used +=
        keep_whole(extent + STEPI_EXTENT_HEAD + used, STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD - used, bytes, n, number);
    put_64(extent + offsetof(stepi_extent_t, used), used);
}

static void put_anywhere(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return;
    const size_t at = (size_t)bytes[0] << 8 | bytes[1];
    if (at < DATA)
        lay_over(ring + STEPI_RING_DATA + at, DATA - at, bytes + 2, n - 2);
    else
        lay_over(store + at - DATA, sizeof(store) - (at - DATA), bytes + 2, n - 2);
}

static void cut(const uint8_t *bytes, size_t n)
{
    if (n < 4)
        return;
    ring_bytes = ((size_t)bytes[0] << 8 | bytes[1]) % (sizeof(ring) + 1);
    store_bytes = (((size_t)bytes[2] << 8 | bytes[3]) << 4) % (sizeof(store) + 1);
}

static void put(piece_t piece, const uint8_t *bytes, size_t n)
{
    switch (piece) {
    case OWNER:
        lay_over((uint8_t *)&owner + 16, sizeof(owner) - 16, bytes, n);
        break;
    case SHAPES:
        lay_over(shapes + shapes_bytes, n < sizeof(shapes) - shapes_bytes ? n : 0, bytes, n);
        shapes_bytes += n < sizeof(shapes) - shapes_bytes ? n : 0;
        break;
    case SHAPE:
        shapes_bytes += make_whole(shapes + shapes_bytes, sizeof(shapes) - shapes_bytes, bytes, n, 8);
        break;
    case RING:
        lay_over(ring + SHARED(bytes), SHARED_BYTES, bytes, n);
        break;
    case RING_RECORD:
        put_in_ring(bytes, n);
        break;
    case STORE_HEAD:
        lay_over(store + (n % 2 == 0 ? 0 : STEPI_EXTENT_BYTES) + 16, STEPI_EXTENT_HEAD - 16, bytes, n);
        break;
    case SLOT_RECORD:
        put_in_slot(bytes, n);
        break;
    case FLIGHT_RECORD:
        put_in_flight(bytes, n);
        break;
    case INTENT:
        lay_over((uint8_t *)&intent + 16, 256, bytes, n < 256 ? n : 256);
        lay_over(intent.bytes, sizeof(intent.bytes), bytes, n);
        break;
    case LOG_FILE:
        log_file_bytes = n < FILE_BYTES ? n : FILE_BYTES;
        lay_over(log_file, FILE_BYTES, bytes, n);
        break;
    case ANYWHERE:
        put_anywhere(bytes, n);
        break;
    default:
        cut(bytes, n);
    }
}

static void make_files(const uint8_t *data, size_t size)
{
    input_t in = { .at = data, .left = size };
    begin_files();
    for (int i = 0; i < PIECES_MAX && in.left > 0; i++) {
        const piece_t piece = (piece_t)(input_number(&in, 1) % PIECES);
        size_t n;
        char *bytes = input_copy(&in, input_number(&in, 2), &n);
        put(piece, (const uint8_t *)bytes, n);
        free(bytes);
    }
}

/* ---- The recovery ---- */

static uint8_t *exact(const void *bytes, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    MUST(copy != NULL);
    memcpy(copy, bytes, n);
    return copy;
}

/* As recover_process(), but for the files, which are here. */
static void recover(step_log_t *log, uint32_t flags)
{
    step_recovery_t out = { .size = sizeof(out) };
    recovery_t recovery = { .flags = flags, .out = &out };
    stepi_remains_t *remains = &recovery.remains;
    uint8_t *copies[] = { exact(&owner, sizeof(owner)), exact(shapes, shapes_bytes), exact(log_file, log_file_bytes),
                          exact(store, store_bytes), exact(ring, ring_bytes) };
    MUST(stepi_remains_begin(remains, copies[0], sizeof(owner)) == STEPI_REMAINS_GOOD);
    stepi_remains_shapes(remains, copies[1], shapes_bytes);
    stepi_remains_intent(remains, 0, &intent, (const char *)copies[2], log_file_bytes);
    stepi_remains_store(remains, copies[3], store_bytes);
    stepi_remains_ring(remains, copies[4], ring_bytes);
    stepi_remains_sort(remains);
    MUST(remains->count <= (ring_bytes + store_bytes) / STEPI_RECORD_MIN);
    MUST(write_out(log, &recovery) == STEP_OK);
    MUST(recovery.records <= remains->count);
    stepi_remains_free(remains);
    for (size_t i = 0; i < COUNT(copies); i++)
        free(copies[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static step_log_t *log;
    if (log == NULL)
        log = make_log();
    make_files(data, size);
    recover(log, size % 2 == 0 ? STEP_RECOVER_REPORT : 0);
    return 0;
}
