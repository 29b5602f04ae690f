/* steplog stats: per operation and step how often, how many failures, and the distribution of the durations. */
#include "steplog/series.h"

#include "base/number.h"

#include <math.h>

/* Operations that only had steps (never an end in this log) have no row of their own. */
static bool has_row(const stepi_series_t *series)
{
    return series->lines > 0;
}

enum { QUANTILES = 3 };
static const double quantiles[QUANTILES] = { 0.5, 0.9, 0.99 };

static void print_object(stepi_print_t *print, stepi_series_t *series)
{
    static const char *const names[QUANTILES] = { "p50_ms", "p90_ms", "p99_ms" };
    const stepi_text_t operation = stepi_series_operation(series), description = stepi_kept_text(&series->description);
    stepi_json_begin(print);
    stepi_json_operation(print, &operation);
    stepi_json_step(print, series->is_step, series->step, series->total, &description);
    stepi_json_number(print, "count", series->ended);
    stepi_json_number(print, "failures", series->failed);
    if (series->durations.count > 0) {
        for (int i = 0; i < QUANTILES; i++)
            stepi_json_number(print, names[i], stepi_sample_quantile(&series->durations, quantiles[i]));
        stepi_json_number(print, "max_ms", series->durations.max_ms);
        stepi_json_number(print, "total_ms", round(series->durations.total_ms * 1e6) / 1e6); /* nanoseconds */
    }
    stepi_json_end(print);
}

enum { COLUMN = 11, NAME_MIN = 24, INDENT = 2 };

static void print_cell(stepi_print_t *print, const char *bytes, size_t length)
{
    stepi_print_spaces(print, length < COLUMN ? COLUMN - length : 1);
    stepi_print_raw(print, bytes, length);
}

static void print_number(stepi_print_t *print, double number, int decimals)
{
    char bytes[512];
    stepi_out_t out = stepi_out_over(bytes, sizeof(bytes));
    stepi_put_fixed(&out, number, decimals);
    print_cell(print, bytes, (size_t)(out.at - bytes));
}

static void print_durations(stepi_print_t *print, stepi_series_t *series)
{
    if (series->durations.count == 0) {
        for (int i = 0; i < QUANTILES + 2; i++)
            print_cell(print, "-", 1);
        return;
    }
    for (int i = 0; i < QUANTILES; i++)
        print_number(print, stepi_sample_quantile(&series->durations, quantiles[i]), 1);
    print_number(print, series->durations.max_ms, 1);
    print_number(print, series->durations.total_ms, 1);
}

/* The columns that its name takes in the first one of the table. */
static size_t name_columns(const stepi_series_t *series)
{
    const stepi_text_t name = series->is_step ? stepi_kept_text(&series->description) : stepi_series_operation(series);
    const size_t before = series->is_step ? INDENT + stepi_tag_columns(series->step, series->total) : 0;
    return before + stepi_print_width(&name);
}

static void print_name(stepi_print_t *print, const stepi_series_t *series)
{
    const stepi_text_t operation = stepi_series_operation(series), description = stepi_kept_text(&series->description);
    if (!series->is_step) {
        stepi_print_color(print, STEPI_COLOR_BOLD);
        stepi_print_text(print, &operation);
        stepi_print_color(print, STEPI_COLOR_NONE);
        return;
    }
    stepi_print_spaces(print, INDENT);
    stepi_print_tag(print, series->step, series->total);
    stepi_print_text(print, &description);
}

static void print_table(stepi_print_t *print, stepi_series_table_t *table)
{
    static const char *const headings[] = { "count", "failures", "p50 ms", "p90 ms", "p99 ms", "max ms", "total ms" };
    size_t width = NAME_MIN;
    for (size_t i = 0; i < table->count; i++)
        if (name_columns(&table->series[i]) > width)
            width = name_columns(&table->series[i]);
    stepi_print_color(print, STEPI_COLOR_DIM);
    stepi_print_spaces(print, width);
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
        print_cell(print, headings[i], strlen(headings[i]));
    stepi_print_color(print, STEPI_COLOR_NONE);
    stepi_print_literal(print, "\n");
    for (size_t i = 0; i < table->count; i++) {
        stepi_series_t *series = &table->series[i];
        print_name(print, series);
        stepi_print_spaces(print, width - name_columns(series));
        if (has_row(series)) {
            print_number(print, series->ended, 0);
            stepi_print_color(print, series->failed > 0 ? STEPI_COLOR_BAD : STEPI_COLOR_NONE);
            print_number(print, series->failed, 0);
            stepi_print_color(print, STEPI_COLOR_NONE);
            print_durations(print, series);
        }
        stepi_print_literal(print, "\n");
    }
}

static void tell_others(const stepi_series_table_t *table)
{
    if (table->others > 0)
        stepi_complain("note", "too many different names: only the first 2048 operations and steps are shown");
}

int64_t stepi_stats(stepi_cli_t *cli, size_t *unreadable)
{
    stepi_series_table_t table;
    int64_t found = stepi_series_read(cli, cli->names, cli->name_count, &table, unreadable);
    if (found == 0) {
        found = (int64_t)table.count;
        stepi_series_sort(&table);
        if (!cli->json && table.count > 0)
            print_table(cli->print, &table);
        for (size_t i = 0; cli->json && i < table.count; i++)
            if (has_row(&table.series[i]))
                print_object(cli->print, &table.series[i]);
        tell_others(&table);
    }
    stepi_series_free(&table);
    return found;
}
