/* A user's test, compiled as C and as C++ against the installed libraries (contract.sh): what is logged through the one library is
 * captured through the other, so there is one default log. */
#include <step_logger/testing.h>

#include <stdio.h>

static void export_models(void)
{
    step_logger_t *op = step_logger_new("Export", 1);
    step_logger_start(op, step_kv("table", "models"));
    step_logger_step(op, 1, "Writing");
    step_logger_failure(op, "disk full");
    step_logger_complete(op);
    step_logger_free(op);
}

int main(void)
{
    step_capture_t *capture = step_capture_new(NULL);
    export_models();
    step_assert(capture, step_with(step_started("Export"), step_kv("table", "models")));
    step_assert(capture, step_failed("Export", 1, "disk*"));
    step_assert(capture, step_never(step_is_open("Export")));
    fputs(step_capture_text(capture), stdout);
    step_capture_free(capture);
    return 0;
}
