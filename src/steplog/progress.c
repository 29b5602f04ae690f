#include "steplog/progress.h"

#include "base/number.h"

#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 1000, EACH_MS = 200 };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void show(const stepi_out_t *out, const char *bytes)
{
    const ssize_t ignored = write(STDERR_FILENO, bytes, (size_t)(out->at - bytes));
    (void)ignored;
}

stepi_progress_t stepi_progress_begin(bool wanted)
{
    const bool is_on = wanted && isatty(STDERR_FILENO);
    return (stepi_progress_t){ .is_on = is_on, .next_ns = is_on ? now_ns() + FIRST_MS * INT64_C(1000000) : 0 };
}

void stepi_progress_step(stepi_progress_t *progress, stepi_input_t *input)
{
    uint64_t done, total;
    char bytes[64];
    if (!progress->is_on || now_ns() < progress->next_ns)
        return;
    stepi_input_progress(input, &done, &total);
    progress->next_ns = now_ns() + EACH_MS * INT64_C(1000000);
    if (total == 0)
        return;
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_put_literal(&out, "\rsteplog: ");
    stepi_put_u64(&out, done >= total ? 100 : done * 100 / total);
    stepi_put_literal(&out, " %");
    show(&out, bytes);
    progress->is_shown = true;
}

void stepi_progress_end(stepi_progress_t *progress)
{
    char bytes[32];
    if (!progress->is_shown)
        return;
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_put_literal(&out, "\r\033[K");
    show(&out, bytes);
}
