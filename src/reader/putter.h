/* What the two ways of writing an entry share. */
#ifndef STEPI_READER_PUTTER_H
#define STEPI_READER_PUTTER_H

#include "format/format.h"
#include "format/keys.h"
#include "reader/put.h"

struct stepi_putter {
    stepi_put_options_t options;
    step_format_t *text[2]; /* without times and with them */
    stepi_keys_t keys;
    char *names; /* of the line's fields, while it is written: keys.h wants them to stay where they are */
    size_t names_size;
};

void stepi_put_as_text(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out);
void stepi_put_as_members(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out);

#endif
