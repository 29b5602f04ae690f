/* steplog stats: per operation and step how often, how many failures, and the distribution of the durations. */
#include "steplog/series.h"

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

enum { COLUMN = 11, HEADINGS = 7, NAME_MIN = 24, INDENT = 2 };

static void print_durations(stepi_print_t *print, stepi_series_t *series)
{
    if (series->durations.count == 0) {
        for (int i = 0; i < QUANTILES + 2; i++)
            stepi_print_right(print, "-", 1, COLUMN);
        return;
    }
    for (int i = 0; i < QUANTILES; i++)
        stepi_print_cell(print, stepi_sample_quantile(&series->durations, quantiles[i]), 1, COLUMN);
    stepi_print_cell(print, series->durations.max_ms, 1, COLUMN);
    stepi_print_cell(print, series->durations.total_ms, 1, COLUMN);
}

/* ---- The table ---- */

static stepi_text_t name_of(const stepi_series_t *series)
{
    return series->is_step ? stepi_kept_text(&series->description) : stepi_series_operation(series);
}

/* What stands before the name. */
static size_t columns_before(const stepi_series_t *series)
{
    return series->is_step ? INDENT + stepi_tag_columns(series->step, series->total) : 0;
}

/* The width of the first column: as the longest name wants it, and as the terminal has room beside the others. */
static size_t width_of_names(const stepi_print_t *print, const stepi_series_table_t *table)
{
    size_t width = NAME_MIN;
    for (size_t i = 0; i < table->count; i++) {
        const stepi_text_t name = name_of(&table->series[i]);
        const size_t columns = columns_before(&table->series[i]) + stepi_print_width(&name);
        width = columns > width ? columns : width;
    }
    if (print->width == 0 || print->width >= width + HEADINGS * COLUMN)
        return width;
    return print->width > NAME_MIN + HEADINGS * COLUMN ? print->width - HEADINGS * COLUMN : NAME_MIN;
}

static void print_name(stepi_print_t *print, const stepi_series_t *series, size_t width)
{
    const stepi_text_t name = name_of(series);
    size_t columns = columns_before(series);
    if (series->is_step) {
        stepi_print_spaces(print, INDENT);
        stepi_print_tag(print, series->step, series->total);
    } else {
        stepi_print_color(print, STEPI_COLOR_BOLD);
    }
    columns += stepi_print_fitting(print, &name, width > columns ? width - columns : 0);
    stepi_print_color(print, STEPI_COLOR_NONE);
    stepi_print_spaces(print, width > columns ? width - columns : 0);
}

static void print_table(stepi_print_t *print, stepi_series_table_t *table)
{
    static const char *const headings[HEADINGS] = { "count",  "failures", "p50 ms",  "p90 ms",
                                                    "p99 ms", "max ms",   "total ms" };
    const size_t width = width_of_names(print, table);
    stepi_print_color(print, STEPI_COLOR_DIM);
    stepi_print_spaces(print, width);
    for (size_t i = 0; i < HEADINGS; i++)
        stepi_print_right(print, headings[i], strlen(headings[i]), COLUMN);
    stepi_print_color(print, STEPI_COLOR_NONE);
    stepi_print_literal(print, "\n");
    for (size_t i = 0; i < table->count; i++) {
        stepi_series_t *series = &table->series[i];
        print_name(print, series, width);
        if (has_row(series)) {
            stepi_print_cell(print, series->ended, 0, COLUMN);
            stepi_print_color(print, series->failed > 0 ? STEPI_COLOR_BAD : STEPI_COLOR_NONE);
            stepi_print_cell(print, series->failed, 0, COLUMN);
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
