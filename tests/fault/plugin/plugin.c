#include "plugin.h"

#include <step_logger.h>

static char name[] = "Plugin: Work"; /* goes with the plugin, as its literals do */

static int open_default(const char *path)
{
    step_log_t *log;
    const step_json_options_t with_source = { .size = sizeof(with_source), .source = 1 };
    int failed = step_log_open(NULL, &log);
    if (failed != STEP_OK)
        return failed;
    failed = step_log_add_output(log, step_sink_file(path), step_format_logfmt_with(&with_source), 0);
    return failed != STEP_OK ? failed : step_log_set_default(log);
}

static void say(int writer, long number)
{
    step_info("w", step_kv("t", writer), step_kv("n", number));
    step_log_message(NULL, STEP_LEVEL_INFO, "w", step_kv("t", writer), step_kv("n", number));
}

static void tell(void)
{
    step_logger_t *op = step_logger_new(name, 1);
    step_logger_start(op, step_kv("of", "the plugin"));
    step_logger_step(op, 1, "a step of the plugin");
    step_logger_success(op, step_kv("key_of_the_plugin", "a value of the plugin"));
    step_logger_complete(op);
    step_logger_free(op);
}

static int flush(void)
{
    return step_log_flush(NULL, 30000);
}

static int is_balanced(void)
{
    step_stats_t stats = { .size = sizeof(stats) };
    return step_log_stats(NULL, &stats) == STEP_OK && stats.recorded == stats.written && stats.dropped + stats.held == 0;
}

static int close_default(void)
{
    return step_log_close(step_log_default());
}

__attribute__((visibility("default"))) const plugin_t plugin = {
    .open = open_default, .say = say, .tell = tell, .flush = flush, .is_balanced = is_balanced, .close = close_default
};
