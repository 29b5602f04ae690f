#include "testing/normalize.h"

#include <step_logger/testing.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *stepi_placeholder(const char *name, size_t length, uint32_t what)
{
    static const struct {
        const char *name;
        uint32_t kind;
        const char *placeholder;
    } known[] = {
        { "ts", STEP_NORMALIZE_TIMES, "<time>" },
        { "duration_ms", STEP_NORMALIZE_DURATIONS, "<duration>" },
        { "total_duration_ms", STEP_NORMALIZE_DURATIONS, "<duration>" },
        { "trace_id", STEP_NORMALIZE_IDS, "<trace_id>" },
        { "span_id", STEP_NORMALIZE_IDS, "<span_id>" },
        { "parent_span_id", STEP_NORMALIZE_IDS, "<parent_span_id>" },
        { "pid", STEP_NORMALIZE_PROCESS, "<pid>" },
        { "tid", STEP_NORMALIZE_PROCESS, "<tid>" },
        { "seq", STEP_NORMALIZE_PROCESS, "<seq>" },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if ((known[i].kind & what) != 0 && strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return known[i].placeholder;
    const bool is_of_step =
        length > 17 && memcmp(name, "step_", 5) == 0 && memcmp(name + length - 12, "_duration_ms", 12) == 0;
    return is_of_step && (what & STEP_NORMALIZE_DURATIONS) != 0 ? "<duration>" : NULL;
}

/* ---- Colours ---- */

/* The length of the ANSI sequence that begins here: ESC [ ... m. 0: none does. */
static size_t sequence_length(const char *at, size_t left)
{
    size_t i = 2;
    if (left < 3 || at[0] != '\033' || at[1] != '[')
        return 0;
    while (i < left && (at[i] == ';' || (at[i] >= '0' && at[i] <= '9')))
        i++;
    return i < left && at[i] == 'm' ? i + 1 : 0;
}

static size_t without_colours(char *to, const char *line, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length;) {
        const size_t skipped = sequence_length(line + i, length - i);
        if (skipped == 0)
            to[kept++] = line[i];
        i += skipped > 0 ? skipped : 1;
    }
    return kept;
}

static bool normalize_coloured(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what)
{
    if (length == 0 || memchr(line, '\033', length) == NULL)
        return stepi_normalize_text(out, line, length, what);
    char *plain = malloc(length);
    if (plain == NULL) {
        out->failed = true;
        return false;
    }
    const bool was_ours = stepi_normalize_text(out, plain, without_colours(plain, line, length), what);
    free(plain);
    return was_ours;
}

/* ---- Lines ---- */

static void normalize_line(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what)
{
    if (!stepi_normalize_json(out, line, length, what) && !stepi_normalize_logfmt(out, line, length, what) &&
        !normalize_coloured(out, line, length, what))
        stepi_strbuf_put(out, line, length);
}

char *step_normalize(const char *text, uint32_t what)
{
    stepi_strbuf_t out = stepi_strbuf(STEPI_STRBUF_MAX);
    if (text == NULL || (what & ~(uint32_t)STEP_NORMALIZE_ALL) != 0) {
        errno = EINVAL;
        return NULL;
    }
    stepi_strbuf_text(&out, "");
    while (*text != '\0' && !out.failed) {
        const size_t length = strcspn(text, "\n");
        normalize_line(&out, text, length, what);
        text += length;
        if (*text == '\n')
            stepi_strbuf_put(&out, text++, 1);
    }
    if (out.failed) {
        stepi_strbuf_free(&out);
        errno = ENOMEM;
    }
    return out.bytes;
}
