#include "reader/text.h"

#include "reader/text_list.h"

#include <step_logger.h>

/* ---- Before the body ---- */

static void take_indent(stepi_span_t *s, stepi_entry_t *entry)
{
    entry->depth = 0;
    while (STEPI_TAKE(s, "    "))
        entry->depth++;
}

/* A time and the space behind it. */
static bool take_time(stepi_span_t *s, stepi_entry_t *entry)
{
    const char *space = memchr(s->at, ' ', stepi_span_bytes(*s) < 64 ? stepi_span_bytes(*s) : 64);
    int64_t wall_ns;
    if (space == NULL)
        return false;
    const stepi_span_t time = { s->at, space };
    if (!stepi_span_time(time, &wall_ns))
        return false;
    stepi_set_own(entry, STEPI_OWN_TS, stepi_value_of(time, STEPI_VALUE_STRING, STEPI_SPELLED_PLAIN));
    s->at = space + 1;
    return true;
}

static bool take_level(stepi_span_t *s, stepi_entry_t *entry)
{
    const char *start = s->at + 1;
    if (STEPI_TAKE(s, "[INFO] "))
        entry->level = STEP_LEVEL_INFO;
    else if (STEPI_TAKE(s, "[DEBUG] "))
        entry->level = STEP_LEVEL_DEBUG;
    else if (STEPI_TAKE(s, "[ERROR] "))
        entry->level = STEP_LEVEL_ERROR;
    else if (STEPI_TAKE(s, "[WARNING] "))
        entry->level = STEP_LEVEL_WARNING;
    else if (STEPI_TAKE(s, "[CRITICAL] "))
        entry->level = STEP_LEVEL_CRITICAL;
    else
        return false;
    stepi_set_own(entry, STEPI_OWN_LEVEL,
                  stepi_value_of((stepi_span_t){ start, s->at - 2 }, STEPI_VALUE_STRING, STEPI_SPELLED_PLAIN));
    return true;
}

/* The kind that a symbol stands for, 0 if there is none. The symbol goes with its spaces. */
static stepi_kind_t take_symbol(stepi_span_t *s)
{
    if (s->at == s->end || (*s->at != '\xE2' && *s->at != '\xF0'))
        return 0;
    if (STEPI_TAKE(s, "▶️  "))
        return STEPI_STEP_START;
    if (STEPI_TAKE(s, "✅ "))
        return STEPI_STEP_SUCCESS;
    if (STEPI_TAKE(s, "🚀 "))
        return STEPI_OPERATION_START;
    if (STEPI_TAKE(s, "🏁 "))
        return STEPI_OPERATION_COMPLETE;
    if (STEPI_TAKE(s, "❌ "))
        return STEPI_STEP_FAILURE;
    if (STEPI_TAKE(s, "⏭️  "))
        return STEPI_STEP_SKIP;
    if (STEPI_TAKE(s, "⏳ "))
        return STEPI_PROGRESS;
    if (STEPI_TAKE(s, "⚠️  "))
        return STEPI_OPERATION_INCOMPLETE;
    return STEPI_TAKE(s, "⌛ ") ? STEPI_OPERATION_STUCK : 0;
}

/* ---- The body ---- */

static void set_text(stepi_entry_t *entry, stepi_own_t member, stepi_span_t s)
{
    stepi_set_own(entry, member, stepi_value_of(s, STEPI_VALUE_STRING, STEPI_SPELLED_TEXT));
}

static void set_number(stepi_entry_t *entry, stepi_own_t member, stepi_span_t s)
{
    stepi_set_own(entry, member, stepi_value_of(s, STEPI_VALUE_NUMBER, STEPI_SPELLED_PLAIN));
}

static bool take_integer(stepi_span_t *s, stepi_span_t *number)
{
    number->at = s->at;
    stepi_take_char(s, '-');
    stepi_span_t digits;
    const bool found = stepi_take_digits(s, &digits);
    number->end = s->at;
    return found;
}

/* [2/4], [Step 2]; and [Step 2/4], which only stands behind a symbol. */
static bool take_tag(stepi_span_t *s, stepi_entry_t *entry, bool has_symbol)
{
    stepi_span_t t = *s, step, total = { NULL, NULL };
    if (!stepi_take_char(&t, '['))
        return false;
    const bool is_named = STEPI_TAKE(&t, "Step ");
    if (!take_integer(&t, &step))
        return false;
    if ((!is_named || has_symbol) && stepi_take_char(&t, '/')) {
        if (!stepi_take_digits(&t, &total))
            return false;
    } else if (!is_named) {
        return false;
    }
    if (!STEPI_TAKE(&t, "] "))
        return false;
    set_number(entry, STEPI_OWN_STEP, step);
    if (total.at != NULL)
        set_number(entry, STEPI_OWN_TOTAL_STEPS, total);
    *s = t;
    return true;
}

static bool set_progress(stepi_span_t s, stepi_entry_t *entry)
{
    stepi_span_t done, total;
    if (!stepi_take_digits(&s, &done))
        return false;
    set_number(entry, STEPI_OWN_PROGRESS_DONE, done);
    if (stepi_take_char(&s, '/')) {
        if (!stepi_take_digits(&s, &total))
            return false;
        set_number(entry, STEPI_OWN_PROGRESS_TOTAL, total);
    }
    return s.at == s.end;
}

/* Where ` - WORD: ` stands that makes a line of one of three kinds. */
static const char *find_outcome(stepi_span_t s, stepi_kind_t symbol, stepi_kind_t *kind, size_t *bytes)
{
    static const struct {
        const char *text;
        size_t bytes;
        stepi_kind_t kind;
    } outcomes[] = { { " - FAILED: ", 11, STEPI_STEP_FAILURE },
                     { " - SKIPPED: ", 12, STEPI_STEP_SKIP },
                     { " - PROGRESS: ", 13, STEPI_PROGRESS } };
    for (int i = 0; i < 3; i++) {
        if (symbol != 0 && symbol != outcomes[i].kind)
            continue;
        const char *at = memmem(s.at, stepi_span_bytes(s), outcomes[i].text, outcomes[i].bytes);
        if (at == NULL)
            continue;
        *kind = outcomes[i].kind;
        *bytes = outcomes[i].bytes;
        return at;
    }
    return NULL;
}

/* A line of a step, or of an operation that failed or proceeds without one: what stands behind symbol and tag. */
static bool read_step(stepi_span_t s, stepi_kind_t symbol, stepi_entry_t *entry)
{
    const bool has_tag = stepi_own(entry, STEPI_OWN_STEP) != NULL;
    const stepi_own_t subject = has_tag ? STEPI_OWN_DESCRIPTION : STEPI_OWN_OPERATION;
    size_t bytes;
    if ((symbol == 0 || symbol == STEPI_STEP_SUCCESS) && STEPI_TAKE_LAST(&s, " - SUCCESS")) {
        entry->kind = STEPI_STEP_SUCCESS;
        set_text(entry, subject, s);
        return has_tag;
    }
    const char *at = symbol == STEPI_STEP_START ? NULL : find_outcome(s, symbol, &entry->kind, &bytes);
    if (at != NULL) {
        const stepi_span_t rest = { at + bytes, s.end };
        set_text(entry, subject, (stepi_span_t){ s.at, at });
        if (entry->kind == STEPI_PROGRESS)
            return set_progress(rest, entry);
        set_text(entry, entry->kind == STEPI_STEP_FAILURE ? STEPI_OWN_ERROR : STEPI_OWN_REASON, rest);
        return true;
    }
    entry->kind = has_tag ? STEPI_STEP_START : STEPI_MESSAGE;
    set_text(entry, has_tag ? subject : STEPI_OWN_MESSAGE, s);
    return symbol == 0 || symbol == entry->kind;
}

static bool read_loss(stepi_span_t s, stepi_entry_t *entry)
{
    stepi_span_t count;
    if (!stepi_take_digits(&s, &count) ||
        !(STEPI_TAKE(&s, " record dropped: ") || STEPI_TAKE(&s, " records dropped: ")))
        return false;
    entry->kind = STEPI_DROPPED;
    set_number(entry, STEPI_OWN_DROPPED_RECORDS, count);
    set_text(entry, STEPI_OWN_MESSAGE, s);
    return true;
}

static stepi_kind_t take_headline(stepi_span_t *s)
{
    if (STEPI_TAKE(s, "START: "))
        return STEPI_OPERATION_START;
    if (STEPI_TAKE(s, "COMPLETE: "))
        return STEPI_OPERATION_COMPLETE;
    if (STEPI_TAKE(s, "INCOMPLETE: "))
        return STEPI_OPERATION_INCOMPLETE;
    return STEPI_TAKE(s, "STUCK: ") ? STEPI_OPERATION_STUCK : 0;
}

static bool read_body(stepi_span_t s, stepi_entry_t *entry)
{
    const stepi_kind_t symbol = take_symbol(&s);
    const stepi_kind_t headline = take_headline(&s);
    if (headline != 0) {
        entry->kind = headline;
        set_text(entry, STEPI_OWN_OPERATION, s);
        return symbol == 0 || symbol == headline;
    }
    if (symbol == 0 && read_loss(s, entry))
        return true;
    take_tag(&s, entry, symbol != 0);
    return read_step(s, symbol, entry);
}

/* What lines of a kind that the rules refuse are nevertheless: somebody's message. */
static void read_as_message(stepi_span_t s, stepi_entry_t *entry)
{
    entry->kind = STEPI_MESSAGE;
    entry->has &= UINT64_C(1) << STEPI_OWN_TS | UINT64_C(1) << STEPI_OWN_LEVEL;
    set_text(entry, STEPI_OWN_MESSAGE, s);
}

bool stepi_read_text(stepi_span_t line, stepi_entry_t *entry)
{
    stepi_span_t s = line;
    entry->form = STEPI_FORM_FOREIGN;
    entry->has = 0;
    take_indent(&s, entry);
    if (s.at < s.end && stepi_is_digit(*s.at) && !take_time(&s, entry))
        return false;
    if (!take_level(&s, entry))
        return false;
    entry->form = STEPI_FORM_TEXT;
    entry->fields = (stepi_span_t){ s.end, s.end };
    const bool has_list = stepi_take_list(&s, &entry->fields);
    if (!read_body(s, entry) || !stepi_entry_is_sound(entry))
        read_as_message(s, entry);
    if (has_list)
        stepi_take_own_fields(&entry->fields, entry);
    return true;
}
