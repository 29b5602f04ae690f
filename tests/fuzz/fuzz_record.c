/* A record that is damaged: refused, or rendered as one line without anything that must not be in one. */
#include "format_support.h"
#include "json_reader.h"
#include "record/shape.h"

#include "fuzz.h"

static void learn_shapes(void)
{
    static step_site_t sites[2];
    const step_field_t four[] = { step_kv("count", 1), step_kv("text", "a"), step_kv("rate", 0.5), step_kv("more", "b") };
    stepi_shape_learn(&sites[0], four, 4);
    stepi_shape_learn(&sites[1], four + 1, 1);
}

static void check(step_format_t *format, const stepi_line_t *line, bool color)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    MUST(!out.overflow);
    MUST(is_clean_line(scratch, (size_t)(out.at - scratch), color));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static step_format_t *text, *color, *json;
    static json_object_t object;
    stepi_decoded_t decoded;
    if (text == NULL) {
        const step_text_options_t colored = { .size = sizeof(colored), .color = 1, .timestamps = 1 };
        text = step_format_text();
        color = step_format_text_with(&colored);
        json = step_format_json();
        learn_shapes();
    }
    uint8_t *exact = malloc(size > 0 ? size : 1);
    MUST(exact != NULL);
    memcpy(exact, data, size);
    if (stepi_record_decode(exact, size, &decoded)) {
        check(text, &decoded.line, false);
        check(color, &decoded.line, true);
        stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
        json->render(json, &decoded.line, &out);
        MUST(!out.overflow);
        MUST(read_json_line(scratch, (size_t)(out.at - scratch), &object));
    }
    free(exact);
    return 0;
}
