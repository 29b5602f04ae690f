#include "reader/put.h"

#include "reader/putter.h"

#include <step_logger.h>

#include <stdlib.h>

static bool make_text_formats(stepi_putter_t *putter)
{
    step_text_options_t options = { .size = sizeof(options),
                                    .ascii = putter->options.ascii,
                                    .color = putter->options.color };
    putter->text[0] = step_format_text_with(&options);
    options.timestamps = 1;
    putter->text[1] = step_format_text_with(&options);
    return putter->text[0] != NULL && putter->text[1] != NULL;
}

stepi_putter_t *stepi_putter_new(const stepi_put_options_t *options)
{
    stepi_putter_t *putter = calloc(1, sizeof(*putter));
    if (putter == NULL)
        return NULL;
    putter->options = *options;
    if (options->form == STEPI_FORM_TEXT && !make_text_formats(putter)) {
        stepi_putter_free(putter);
        return NULL;
    }
    return putter;
}

void stepi_putter_free(stepi_putter_t *putter)
{
    if (putter == NULL)
        return;
    for (int i = 0; i < 2; i++)
        if (putter->text[i] != NULL)
            putter->text[i]->free(putter->text[i]);
    stepi_keys_free(&putter->keys);
    free(putter->names);
    free(putter);
}

void stepi_put_entry(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out)
{
    if (putter->options.form == STEPI_FORM_TEXT)
        stepi_put_as_text(putter, reader, entry, out);
    else
        stepi_put_as_members(putter, reader, entry, out);
}
