#include "testing/capture.h"

#include "testing/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 5000, FIRST_LINES = 64, NS_PER_MS = 1000000 };

/* ---- Time ---- */

static int64_t read_wall(void *ctx)
{
    return atomic_load(&((step_capture_t *)ctx)->wall_ns);
}

static int64_t read_monotonic(void *ctx)
{
    return atomic_load(&((step_capture_t *)ctx)->monotonic_ns);
}

void step_capture_advance_ns(step_capture_t *capture, int64_t ns)
{
    if (capture == NULL)
        return;
    atomic_fetch_add(&capture->wall_ns, ns);
    atomic_fetch_add(&capture->monotonic_ns, ns);
}

void step_capture_advance_ms(step_capture_t *capture, int64_t ms)
{
    step_capture_advance_ns(capture, ms * NS_PER_MS);
}

/* ---- What comes out ---- */

static int keep(void *ctx, const char *bytes, size_t len)
{
    stepi_kept_t *kept = ctx;
    pthread_mutex_lock(&kept->lock);
    const bool was_kept = stepi_strbuf_put(&kept->lines, bytes, len);
    const int error = errno;
    kept->has_lost = kept->has_lost || !was_kept;
    pthread_mutex_unlock(&kept->lock);
    errno = error;
    return was_kept ? 0 : -1;
}

static void kept_init(stepi_kept_t *kept, uint64_t max_bytes)
{
    pthread_mutex_init(&kept->lock, NULL);
    kept->lines = stepi_strbuf(max_bytes < STEPI_STRBUF_MAX ? (size_t)max_bytes : STEPI_STRBUF_MAX);
    kept->shown = stepi_strbuf(STEPI_STRBUF_MAX);
}

static void kept_free(stepi_kept_t *kept)
{
    stepi_strbuf_free(&kept->lines);
    stepi_strbuf_free(&kept->shown);
    pthread_mutex_destroy(&kept->lock);
}

static void kept_clear(stepi_kept_t *kept)
{
    pthread_mutex_lock(&kept->lock);
    stepi_strbuf_clear(&kept->lines);
    kept->has_lost = false;
    pthread_mutex_unlock(&kept->lock);
    stepi_strbuf_clear(&kept->shown);
}

static const char *kept_show(stepi_kept_t *kept)
{
    stepi_strbuf_clear(&kept->shown);
    pthread_mutex_lock(&kept->lock);
    stepi_strbuf_put(&kept->shown, stepi_strbuf_get(&kept->lines), kept->lines.used);
    pthread_mutex_unlock(&kept->lock);
    return stepi_strbuf_get(&kept->shown);
}

const char *step_capture_text(step_capture_t *capture)
{
    if (capture == NULL)
        return "";
    step_log_flush(capture->log, FLUSH_MS);
    return kept_show(&capture->text);
}

const char *step_capture_json(step_capture_t *capture)
{
    if (capture == NULL)
        return "";
    step_log_flush(capture->log, FLUSH_MS);
    return kept_show(&capture->json);
}

/* ---- Lines ---- */

static bool add_line(step_capture_t *capture, step_captured_t *line)
{
    if (line != NULL && capture->count == capture->capacity) {
        const size_t capacity = capture->capacity > 0 ? 2 * capture->capacity : FIRST_LINES;
        step_captured_t **lines = realloc(capture->lines, capacity * sizeof(step_captured_t *));
        if (lines == NULL) {
            free(line);
            return false;
        }
        capture->lines = lines;
        capture->capacity = capacity;
    }
    if (line == NULL)
        return false;
    capture->lines[capture->count++] = line;
    return true;
}

/* With the lock held. */
static void read_lines(step_capture_t *capture)
{
    const char *text = stepi_strbuf_get(&capture->json.lines);
    const char *end = text + capture->json.lines.used;
    for (const char *at = text + capture->read_bytes; at < end && !capture->is_unread;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((line_end != NULL ? line_end : end) - at);
        capture->is_unread = !add_line(capture, stepi_captured_read(at, length));
        at += length + 1;
        if (!capture->is_unread)
            capture->read_bytes = (size_t)(at - text);
    }
}

/* Whoever lost them: an output without memory for its lines tells nobody but the log's counters. */
static uint64_t count_lost(const step_capture_t *capture)
{
    step_stats_t stats = { .size = sizeof(stats) };
    return step_log_stats(capture->log, &stats) == STEP_OK ? stats.dropped : capture->lost_before;
}

static bool has_lost(stepi_kept_t *kept)
{
    pthread_mutex_lock(&kept->lock);
    const bool has = kept->has_lost;
    pthread_mutex_unlock(&kept->lock);
    return has;
}

const char *stepi_capture_update(step_capture_t *capture)
{
    const int flushed = step_log_flush(capture->log, FLUSH_MS);
    pthread_mutex_lock(&capture->json.lock);
    capture->is_unread = false; /* there may be memory now */
    read_lines(capture);
    pthread_mutex_unlock(&capture->json.lock);
    if (has_lost(&capture->text) || has_lost(&capture->json) || count_lost(capture) > capture->lost_before)
        return "lines were lost (more than step_capture_options_t.max_bytes, or no memory)";
    if (flushed == STEP_ENOMEM || flushed == STEP_ETIMEOUT)
        return "not all that was logged could be written (no memory?)";
    return capture->is_unread ? "a line could not be read (no memory?)" : NULL;
}

size_t step_capture_count(step_capture_t *capture)
{
    if (capture == NULL)
        return 0;
    stepi_capture_update(capture);
    return capture->count;
}

const step_captured_t *step_capture_at(step_capture_t *capture, size_t index)
{
    return index < step_capture_count(capture) ? capture->lines[index] : NULL;
}

void step_capture_clear(step_capture_t *capture)
{
    if (capture == NULL)
        return;
    step_log_flush(capture->log, FLUSH_MS);
    capture->lost_before = count_lost(capture);
    kept_clear(&capture->text);
    kept_clear(&capture->json);
    for (size_t i = 0; i < capture->count; i++)
        free(capture->lines[i]);
    capture->count = 0;
    capture->read_bytes = 0;
    stepi_strbuf_clear(&capture->report);
}

/* ---- Open and close ---- */

static void release(step_capture_t *capture)
{
    for (size_t i = 0; i < capture->count; i++)
        free(capture->lines[i]);
    free(capture->lines);
    stepi_strbuf_free(&capture->report);
    kept_free(&capture->text);
    kept_free(&capture->json);
    free(capture);
}

static int open_log(step_capture_t *capture, const step_log_options_t *given)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = keep };
    const step_clock_t clock = { .wall_ns = read_wall, .monotonic_ns = read_monotonic, .ctx = capture };
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.level = STEP_LEVEL_DEBUG;
    if (given != NULL)
        options = *given;
    options.clock = &clock;
    options.mode = STEP_MODE_SYNC;
    int error = step_log_open(&options, &capture->log);
    if (error == STEP_OK)
        error = step_log_add_output(capture->log, step_sink_custom(&ops, &capture->text), step_format_text(), 0);
    if (error == STEP_OK)
        error = step_log_add_output(capture->log, step_sink_custom(&ops, &capture->json), step_format_json(), 0);
    return error;
}

static void become_default(step_capture_t *capture)
{
    capture->previous = step_log_default();
    capture->is_default = step_log_set_default(capture->log) == STEP_OK;
}

static bool are_valid(const step_capture_options_t *options)
{
    return options->size == sizeof(*options) && options->keeps_default <= 1 && options->reserved == 0 &&
           options->max_bytes > 0 && (options->log == NULL || options->log->size == sizeof(*options->log));
}

static int errno_of(int error)
{
    if (error == STEP_EINVAL)
        return EINVAL;
    return error == STEP_ENOTSUP ? ENOTSUP : ENOMEM;
}

step_capture_t *step_capture_new(const step_capture_options_t *options)
{
    const step_capture_options_t defaults = STEP_CAPTURE_OPTIONS_INIT;
    if (options == NULL)
        options = &defaults;
    if (!are_valid(options)) {
        errno = EINVAL;
        return NULL;
    }
    step_capture_t *capture = calloc(1, sizeof(*capture));
    if (capture == NULL)
        return NULL;
    atomic_init(&capture->wall_ns, options->wall_ns);
    atomic_init(&capture->monotonic_ns, NS_PER_MS);
    kept_init(&capture->text, options->max_bytes);
    kept_init(&capture->json, options->max_bytes);
    capture->report = stepi_strbuf(STEPI_STRBUF_MAX);
    const int error = open_log(capture, options->log);
    if (error != STEP_OK) {
        step_log_close(capture->log);
        release(capture);
        errno = errno_of(error);
        return NULL;
    }
    if (options->keeps_default == 0)
        become_default(capture);
    return capture;
}

void step_capture_free(step_capture_t *capture)
{
    if (capture == NULL)
        return;
    const int error = errno;
    if (capture->is_default && step_log_default() == capture->log)
        step_log_set_default(capture->previous);
    /* A log that cannot be closed, because it is being written to, may still use what we would free. */
    if (step_log_close(capture->log) != STEP_ETIMEOUT)
        release(capture);
    errno = error;
}

step_log_t *step_capture_log(step_capture_t *capture)
{
    return capture == NULL ? NULL : capture->log;
}
