/* Any bytes as a line: the reader neither crashes nor reads beyond it, says where everything stands within the line (or in its own
 * memory), and whatever it takes for a line of ours can be written in all formats, as one clean line that reads as the
 * same kind; what was written once comes back the same by way of every other format. */
#include "format_support.h"
#include "reader/put.h"

#include "fuzz.h"

enum { ROOM = 1 << 20 };

static stepi_reader_t *reader;
static stepi_putter_t *putters[4]; /* by stepi_form_t */
static char *rooms[4];

static void set_up(void)
{
    reader = stepi_reader_new();
    MUST(reader != NULL);
    for (int form = STEPI_FORM_TEXT; form <= STEPI_FORM_LOGFMT; form++) {
        putters[form] = stepi_putter_new(&(stepi_put_options_t){ .form = (stepi_form_t)form });
        rooms[form] = malloc(ROOM);
        MUST(putters[form] != NULL && rooms[form] != NULL);
    }
    rooms[0] = malloc(ROOM);
    MUST(rooms[0] != NULL);
}

static size_t write_as(stepi_form_t form, const stepi_entry_t *entry, char *to)
{
    stepi_out_t out = stepi_out_over(to, ROOM);
    stepi_put_entry(putters[form], reader, entry, &out);
    MUST(!out.overflow);
    const size_t length = (size_t)(out.at - to);
    MUST(length > 0 && to[length - 1] == '\n' && memchr(to, '\n', length - 1) == NULL);
    return length;
}

static bool read_all(const char *line, size_t length, stepi_entry_t *entry)
{
    return stepi_read_line(reader, (stepi_span_t){ line, line + length }, entry);
}

/* All that there is to ask about an entry. */
static void ask_everything(const stepi_entry_t *entry)
{
    stepi_field_walk_t walk = stepi_fields_of(reader, entry);
    stepi_field_t field;
    int64_t integer;
    double number;
    for (int i = 0; i < STEPI_OWN_COUNT; i++) {
        const stepi_value_t *value = stepi_own(entry, (stepi_own_t)i);
        if (value != NULL)
            stepi_decode(reader, value);
        stepi_own_integer(entry, (stepi_own_t)i, &integer);
        stepi_own_double(entry, (stepi_own_t)i, &number);
    }
    stepi_entry_time(entry, &integer);
    while (stepi_next_field(&walk, &field)) {
        stepi_decode(reader, &field.key);
        stepi_decode(reader, &field.value);
    }
}

/* Text, the other format, text: the same once it was our own writing. */
static void check_round(stepi_form_t form, stepi_kind_t kind)
{
    stepi_entry_t entry;
    const size_t text = strlen(rooms[STEPI_FORM_TEXT]);
    MUST(read_all(rooms[STEPI_FORM_TEXT], text, &entry) && entry.kind == kind);
    const size_t between = write_as(form, &entry, rooms[form]);
    MUST(read_all(rooms[form], between, &entry) && entry.kind == kind && entry.form == form);
    const size_t back = write_as(STEPI_FORM_TEXT, &entry, rooms[0]);
    MUST(back == text && memcmp(rooms[0], rooms[STEPI_FORM_TEXT], text) == 0);
}

/* What has no spelling in the other formats (bad bytes, numbers that are none) is gone after a round; what others wrote in our
 * words (ids that are none, members that a line of its kind does not have) after another. */
static void settle(const stepi_entry_t *entry)
{
    stepi_entry_t again = *entry;
    for (int round = 0; round < 3; round++) {
        const size_t json = write_as(STEPI_FORM_JSON, &again, rooms[STEPI_FORM_JSON]);
        MUST(read_all(rooms[STEPI_FORM_JSON], json, &again));
        const size_t text = write_as(STEPI_FORM_TEXT, &again, rooms[STEPI_FORM_TEXT]);
        MUST(read_all(rooms[STEPI_FORM_TEXT], text, &again));
        rooms[STEPI_FORM_TEXT][text] = '\0';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stepi_entry_t entry;
    if (reader == NULL)
        set_up();
    if (size > 4096)
        return 0;
    char *line = malloc(size > 0 ? size : 1); /* of exactly that size: a sanitizer sees what is read beyond it */
    MUST(line != NULL);
    if (size > 0)
        memcpy(line, data, size);
    if (read_all(line, size, &entry)) {
        ask_everything(&entry);
        for (int form = STEPI_FORM_TEXT; form <= STEPI_FORM_LOGFMT; form++) {
            MUST(read_all(line, size, &entry));
            const size_t length = write_as((stepi_form_t)form, &entry, rooms[form]);
            MUST(is_clean_line(rooms[form], length, false));
        }
        MUST(read_all(line, size, &entry));
        settle(&entry);
        stepi_entry_t settled;
        MUST(read_all(rooms[STEPI_FORM_TEXT], strlen(rooms[STEPI_FORM_TEXT]), &settled));
        check_round(STEPI_FORM_JSON, settled.kind);
        check_round(STEPI_FORM_LOGFMT, settled.kind);
    }
    free(line);
    return 0;
}
