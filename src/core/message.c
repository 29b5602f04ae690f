/* Messages and quick functions. */
#include "core/misuse.h"
#include "core/operation.h"
#include "record/shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_MAX = 1024 };

static uint8_t stored_level(step_level_t level)
{
    if (level < 1)
        return 1;
    return (uint8_t)(level < STEP_LEVEL_OFF ? level : STEP_LEVEL_OFF - 1); /* OFF is a threshold, not a severity */
}

static bool log_wants(const step_log_t *log, step_level_t level)
{
    return log != NULL && stored_level(level) >= stepi_level_of(log);
}

/* The same for a message, which may join an operation that has a level of its own. */
static bool message_is_wanted(const step_log_t *log, step_level_t level)
{
    if (log == NULL || !stepi_levels_vary(log))
        return log_wants(log, level);
    const stepi_current_t *current = stepi_current();
    if (current == NULL || current->log != log)
        return log_wants(log, level);
    return stored_level(level) >= __atomic_load_n(current->threshold, __ATOMIC_RELAXED);
}

bool step_log_wants(step_log_t *log, step_level_t level)
{
    const int saved = errno;
    log = stepi_log_of(log);
    errno = saved;
    return message_is_wanted(log, level);
}

/* ---- Messages ---- */

static void set_text(stepi_draft_t *draft, const char *text, const step_field_t *fields, size_t count)
{
    draft->parts |= STEPI_PART_TEXT;
    draft->text = stepi_text_of(text);
    draft->fields = fields;
    draft->field_count = fields != NULL ? count : 0;
}

static void message_in_operation(step_logger_t *op, step_site_t *site, step_level_t level, const char *text,
                                 const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_ENDED)
        stepi_check_started(&entry, op, "message()");
    stepi_draft_t draft = stepi_operation_draft(&entry, op, STEPI_MESSAGE, stored_level(level));
    set_text(&draft, text, fields, count);
    stepi_operation_write(&entry, op, &draft);
    stepi_leave(&entry);
}

void step_logger_message_fields(step_logger_t *op, step_site_t *site, step_level_t level, const char *text,
                                const step_field_t *fields, size_t count)
{
    if (step_logger_wants(op, stored_level(level)))
        message_in_operation(op, site, level, text, fields, count);
}

void step_logger_message_format(step_logger_t *op, step_site_t *site, step_level_t level, const char *format, ...)
{
    char text[FORMAT_MAX];
    char *longer = NULL;
    va_list arguments;
    const int saved = errno;
    if (!step_logger_wants(op, stored_level(level)))
        return;
    va_start(arguments, format);
    const int bytes = vsnprintf(text, sizeof(text), format, arguments); /* %m reads errno, as it was */
    va_end(arguments);
    if (bytes >= FORMAT_MAX && (longer = malloc((size_t)bytes + 1)) != NULL) {
        errno = saved;
        va_start(arguments, format);
        vsnprintf(longer, (size_t)bytes + 1, format, arguments);
        va_end(arguments);
    }
    message_in_operation(op, site, level, longer != NULL ? longer : bytes < 0 ? format : text, NULL, 0);
    free(longer);
    errno = saved;
}

void step_log_message_fields(step_log_t *log, step_site_t *site, step_level_t level, const char *text,
                             const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    stepi_shape_learn(site, fields, count);
    const int saved = errno;
    log = stepi_log_of(log);
    errno = saved;
    if (!message_is_wanted(log, level))
        return;
    entry.site = site;
    if (!stepi_enter(&entry, log))
        return;
    const stepi_current_t *current = stepi_current();
    stepi_draft_t draft = { .kind = STEPI_MESSAGE, .level = stored_level(level) };
    if (current != NULL && current->log == log) { /* by number: the backend knows its name and step */
        draft.operation = current->id;
        draft.depth = current->depth;
    }
    set_text(&draft, text, fields, count);
    stepi_write(&entry, &draft);
    stepi_leave(&entry);
}

void step_message_fields(step_site_t *site, step_level_t level, const char *text, const step_field_t *fields,
                         size_t count)
{
    step_log_message_fields(NULL, site, level, text, fields, count);
}

/* ---- Quick functions ---- */

typedef struct quick {
    step_site_t *site;
    stepi_kind_t kind;
    int level;
    int number, total;
    const char *description;
    const char *operation; /* with has_operation */
    const char *error;
    bool has_operation;
} quick_t;

/* As a message: where levels are by operation, that of the one that is current. A recorder holds only what joins it. */
static bool quick_is_wanted(const step_log_t *log, int level)
{
    return log != NULL && stepi_records_all(log) ? log_wants(log, level) : message_is_wanted(log, level);
}

static void write_quick(const quick_t *quick, const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    const int saved = errno;
    step_log_t *log = stepi_log_of(NULL);
    errno = saved;
    entry.site = quick->site;
    if (!quick_is_wanted(log, quick->level) || !stepi_enter(&entry, log))
        return;
    const stepi_current_t *current = stepi_current();
    stepi_draft_t draft = {
        .kind = (uint8_t)quick->kind,
        .level = (uint8_t)quick->level,
        .depth = current != NULL && current->log == log ? current->depth : 0,
        .parts = STEPI_FLAG_DETACHED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
        .step = quick->number,
        .total = quick->total > 0 ? quick->total : 0,
        .description = stepi_text_of(quick->description),
        .fields = fields,
        .field_count = fields != NULL ? count : 0,
    };
    if (quick->has_operation) {
        draft.parts |= STEPI_PART_OPERATION;
        draft.operation_name = stepi_text_of(quick->operation);
    }
    if (quick->kind == STEPI_STEP_FAILURE) {
        draft.parts |= STEPI_PART_TEXT;
        draft.text = stepi_text_of(quick->error);
    }
    stepi_write(&entry, &draft);
    stepi_leave(&entry);
}

void step_quick_step_fields(step_site_t *site, int number, const char *description, const char *operation,
                            int total_steps, const step_field_t *fields, size_t count)
{
    write_quick(&(quick_t){ .site = site,
                            .kind = STEPI_STEP_START,
                            .level = STEP_LEVEL_INFO,
                            .number = number,
                            .total = total_steps,
                            .description = description,
                            .operation = operation,
                            .has_operation = true },
                fields, count);
}

void step_quick_success_fields(step_site_t *site, int number, const char *description, int total_steps,
                               const step_field_t *fields, size_t count)
{
    stepi_shape_learn(site, fields, count);
    write_quick(&(quick_t){ .site = site,
                            .kind = STEPI_STEP_SUCCESS,
                            .level = STEP_LEVEL_INFO,
                            .number = number,
                            .total = total_steps,
                            .description = description },
                fields, count);
}

void step_quick_failure_fields(step_site_t *site, int number, const char *description, const char *error,
                               int total_steps, const step_field_t *fields, size_t count)
{
    write_quick(&(quick_t){ .site = site,
                            .kind = STEPI_STEP_FAILURE,
                            .level = STEP_LEVEL_ERROR,
                            .number = number,
                            .total = total_steps,
                            .description = description,
                            .error = error },
                fields, count);
}
