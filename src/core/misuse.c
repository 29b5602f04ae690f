#include "core/misuse.h"

#include "base/utf8.h"
#include "platform/memory.h"

#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = 1024,
    NAME_SHOWN = 200
};

void stepi_count_misuse(step_log_t *log)
{
    if (log != NULL)
        atomic_fetch_add_explicit(&log->misused, 1, memory_order_relaxed);
}

void stepi_misuse_freed(const step_logger_t *op)
{
    step_log_t *log = stepi_log_of(op->log);
    stepi_count_misuse(log);
    if (log != NULL)
        stepi_diagnose(log, STEPI_TROUBLE_MISUSE, STEP_EINVAL,
                       "an operation was used after it was freed: such a call does nothing");
}

/* A WARNING message in the operation's place, with its fields. */
static void say(stepi_entry_t *entry, step_logger_t *op, const stepi_text_t *text, const step_field_t *fields,
                size_t count)
{
    stepi_draft_t draft = stepi_operation_draft(entry, op, STEPI_MESSAGE, STEP_LEVEL_WARNING);
    draft.parts |= STEPI_PART_TEXT;
    draft.text = *text;
    draft.fields = fields;
    draft.field_count = fields != NULL ? count : 0;
    stepi_operation_write(entry, op, &draft);
}

void stepi_misuse_text(stepi_entry_t *entry, step_logger_t *op, const char *what, const char *text,
                       const step_field_t *fields, size_t count)
{
    char line[LINE_MAX_BYTES];
    const stepi_text_t name = op->name.bytes != NULL ? stepi_name_text(&op->name) : stepi_text_of("null");
    const size_t shown = name.length <= NAME_SHOWN ? name.length : stepi_utf8_cut(name.bytes, name.length, NAME_SHOWN);
    stepi_count_misuse(entry->log);
    const int bytes = snprintf(line, sizeof(line), "%s in operation \"%.*s%s\"%s%s", what, (int)shown, name.bytes,
                               shown < name.original ? "…" : "", text != NULL ? ": " : "", text != NULL ? text : "");
    stepi_text_t said = { .bytes = line, .original = bytes > 0 ? (uint64_t)bytes : 0 };
    said.length = (uint32_t)said.original;
    if (said.original >= sizeof(line)) /* cut, and marked as such */
        said.length = (uint32_t)stepi_utf8_cut(line, sizeof(line) - 1, sizeof(line) - 4);
    say(entry, op, &said, fields, count);
}

void stepi_misuse(stepi_entry_t *entry, step_logger_t *op, const char *what, const step_field_t *fields, size_t count)
{
    stepi_misuse_text(entry, op, what, NULL, fields, count);
}

void stepi_misuse_number(stepi_entry_t *entry, step_logger_t *op)
{
    char what[64];
    if (op->total > 0)
        snprintf(what, sizeof(what), "step %d of %d is out of range", op->step, op->total);
    else
        snprintf(what, sizeof(what), "step %d is out of range", op->step);
    stepi_misuse(entry, op, what, NULL, 0);
}

void stepi_check_started(stepi_entry_t *entry, step_logger_t *op, const char *call)
{
    char what[64];
    const uint32_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    if (state == STEPI_STARTED)
        return;
    if (state == STEPI_ENDED && (op->said & STEPI_SAID_AFTER_COMPLETE) != 0) {
        stepi_count_misuse(entry->log);
        return;
    }
    if (state == STEPI_ENDED)
        op->said |= STEPI_SAID_AFTER_COMPLETE;
    snprintf(what, sizeof(what), "%s %s", call, state == STEPI_ENDED ? "after complete()" : "before start()");
    stepi_misuse(entry, op, what, NULL, 0);
}

void stepi_refuse_traceparent(step_log_t *log)
{
    stepi_count_misuse(log);
    stepi_diagnose(log, STEPI_TROUBLE_TRACE, STEP_EINVAL,
                   "step_logger_options_t.traceparent is not a W3C traceparent (00-<32 hex>-<16 hex>-<2 hex>, lower case): "
                   "the operation is made without it");
}

const char *stepi_error_text(int errnum, char *buffer, size_t bytes)
{
    buffer[0] = '\0';
    if (stepi_is_crashing) /* the text may have to be translated first */
        return "the sink could not write";
#if defined(__GLIBC__)
    return strerror_r(errnum, buffer, bytes); /* the GNU one */
#else
    return strerror_r(errnum, buffer, bytes) == 0 ? buffer : "unknown error";
#endif
}
