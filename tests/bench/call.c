/* One call site, to see what it weighs: compiled once with our call (OURS), once with fprintf's, once with neither (NONE). */
#ifdef OURS
#include <step_logger.h>
#else
#include <stdio.h>
extern FILE *stream;
#endif

void call(int raw_count, int status_code, const char *provider, double duration_ms);
void call(int raw_count, int status_code, const char *provider, double duration_ms)
{
    (void)raw_count, (void)status_code, (void)provider, (void)duration_ms;
#ifdef OURS
    step_quick_success(2, "Fetching models from API", 4, step_kv("raw_count", raw_count), step_kv("status_code", status_code),
                       step_kv("provider", provider), step_fixed("duration_ms", duration_ms, 1));
#elif !defined(NONE)
    fprintf(stream, "[INFO] ✅ [%d/%d] %s - SUCCESS (raw_count=%d, status_code=%d, provider=%s, duration_ms=%.1f)\n", 2, 4,
            "Fetching models from API", raw_count, status_code, provider, duration_ms);
#endif
}
