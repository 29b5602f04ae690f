/* A traceparent from the network: what is taken is passed on as what it was, and nothing is read beyond its end. */
#include "base/traceparent.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    stepi_trace_context_t context, again;
    char out[STEPI_TRACEPARENT_LENGTH + 1];
    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (stepi_traceparent_parse(text, &context)) {
        stepi_traceparent_write(&context, out);
        MUST(strlen(out) == STEPI_TRACEPARENT_LENGTH);
        MUST(memcmp(out + 3, text + 3, 49) == 0);
        MUST(stepi_traceparent_parse(out, &again));
        MUST(again.high == context.high && again.low == context.low && again.span == context.span && again.flags == context.flags);
    }
    free(text);
    return 0;
}
