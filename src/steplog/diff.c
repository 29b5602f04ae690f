/* steplog diff BASE NEW: what changed from one log to another.
 *
 *     appeared, vanished   an operation or a step that only one of them has
 *     failed more          Fisher's exact test: p < alpha
 *     slower, faster       Mann-Whitney U over all durations: p < alpha, and the median moved by min-effect per cent or more
 *
 * alpha is shared by all comparisons (Bonferroni), so that a long list of steps does not find differences by chance. */
#include "steplog/compare.h"
#include "steplog/series.h"

/* ---- Findings ---- */

enum { COMPARED_MIN = 5 }; /* fewer durations say nothing about noise */

typedef struct finding {
    const char *change;
    stepi_color_t color;
    const stepi_series_t *about;
    stepi_series_t *base, *new; /* NULL: it is not there */
    double p, superiority;
    bool is_timing, is_failing;
} finding_t;

static double median_of(stepi_series_t *series)
{
    return stepi_sample_quantile(&series->durations, 0.5);
}

/* The names of count, failures and median, of one side. */
typedef struct side_names {
    const char *count, *failures, *median;
} side_names_t;

static void print_side(stepi_print_t *print, const side_names_t *names, stepi_series_t *series)
{
    stepi_json_number(print, names->count, series->ended);
    stepi_json_number(print, names->failures, series->failed);
    if (series->durations.count > 0)
        stepi_json_number(print, names->median, median_of(series));
}

static void print_object(stepi_print_t *print, const finding_t *f)
{
    static const side_names_t of_base = { "base_count", "base_failures", "base_p50_ms" };
    static const side_names_t of_new = { "new_count", "new_failures", "new_p50_ms" };
    const stepi_series_t *series = f->about;
    const stepi_text_t operation = stepi_series_operation(series), description = stepi_kept_text(&series->description);
    stepi_json_begin(print);
    stepi_json_string(print, "change", f->change);
    stepi_json_operation(print, &operation);
    stepi_json_step(print, series->is_step, series->step, series->total, &description);
    if (f->base != NULL)
        print_side(print, &of_base, f->base);
    if (f->new != NULL)
        print_side(print, &of_new, f->new);
    if (f->is_timing || f->is_failing) {
        stepi_json_string(print, "statistic", f->is_timing ? "mann-whitney-u" : "fisher-exact");
        stepi_json_number(print, "p", f->p);
    }
    if (f->is_timing)
        stepi_json_number(print, "superiority", f->superiority);
    stepi_json_end(print);
}

static void print_p(stepi_print_t *print, double p)
{
    if (p < 0.0001) {
        stepi_print_literal(print, "p < 0.0001");
        return;
    }
    stepi_print_literal(print, "p = ");
    stepi_print_fixed(print, p, 4);
}

static void print_numbers(stepi_print_t *print, const finding_t *f)
{
    if (f->is_timing) {
        stepi_print_literal(print, "  p50 ");
        stepi_print_ms(print, median_of(f->base));
        stepi_print_literal(print, " -> ");
        stepi_print_ms(print, median_of(f->new));
        stepi_print_literal(print, " ms  (Mann-Whitney U, ");
    } else {
        stepi_print_literal(print, "  failures ");
        stepi_print_fixed(print, f->base->failed, 0);
        stepi_print_literal(print, " of ");
        stepi_print_fixed(print, f->base->ended, 0);
        stepi_print_literal(print, " -> ");
        stepi_print_fixed(print, f->new->failed, 0);
        stepi_print_literal(print, " of ");
        stepi_print_fixed(print, f->new->ended, 0);
        stepi_print_literal(print, "  (Fisher's exact test, ");
    }
    print_p(print, f->p);
    stepi_print_literal(print, ")");
}

static void print_finding(stepi_cli_t *cli, const finding_t *f)
{
    stepi_print_t *print = cli->print;
    const stepi_series_t *series = f->about;
    const stepi_text_t operation = stepi_series_operation(series);
    const stepi_event_t subject = { .has_step = series->is_step,
                                    .step = series->step,
                                    .total = series->total,
                                    .description = stepi_kept_text(&series->description) };
    if (cli->json) {
        print_object(print, f);
        return;
    }
    const size_t length = strlen(f->change);
    stepi_print_color(print, f->color);
    stepi_print_string(print, f->change);
    stepi_print_color(print, STEPI_COLOR_NONE);
    stepi_print_spaces(print, 13 - length);
    stepi_print_subject(print, &operation, &subject);
    if (f->is_timing || f->is_failing)
        print_numbers(print, f);
    stepi_print_literal(print, "\n");
}

/* ---- Comparing ---- */

static stepi_series_t *counterpart(stepi_series_table_t *table, const stepi_series_t *like)
{
    return (stepi_series_t *)(uintptr_t)stepi_series_find(table, like);
}

static bool can_time(const stepi_series_t *a, const stepi_series_t *b)
{
    return a->durations.count >= COMPARED_MIN && b->durations.count >= COMPARED_MIN;
}

/* How many comparisons share alpha. */
static double count_comparisons(stepi_series_table_t *base, stepi_series_table_t *new)
{
    double count = 0;
    for (size_t i = 0; i < new->count; i++) {
        const stepi_series_t *old = counterpart(base, &new->series[i]);
        count += old != NULL ? 1 : 0;
    }
    return count > 0 ? count : 1;
}

static int compare_failures(stepi_cli_t *cli, stepi_series_t *base, stepi_series_t *new, double alpha)
{
    if (new->failed * base->ended <= base->failed *new->ended)
        return 0;
    const double p = stepi_fisher_more(base->failed, base->ended, new->failed, new->ended);
    if (p >= alpha)
        return 0;
    const finding_t f = { "failed more", STEPI_COLOR_BAD, new, base, new, p, 0, false, true };
    print_finding(cli, &f);
    return 1;
}

static int compare_durations(stepi_cli_t *cli, stepi_series_t *base, stepi_series_t *new, double alpha)
{
    if (!can_time(base, new))
        return 0;
    const double before = median_of(base), after = median_of(new);
    const stepi_shift_t shift = stepi_mann_whitney(&base->durations, &new->durations);
    const double moved = after - before, least = before * cli->min_effect / 100;
    const bool is_slower = moved > 0 && moved >= least && shift.superiority > 0.5;
    const bool is_faster = moved < 0 && -moved >= least && shift.superiority < 0.5;
    if (shift.p >= alpha || (!is_slower && !is_faster))
        return 0;
    const finding_t f = { is_slower ? "slower" : "faster",
                          is_slower ? STEPI_COLOR_BAD : STEPI_COLOR_GOOD,
                          new,
                          base,
                          new,
                          shift.p,
                          shift.superiority,
                          true,
                          false };
    print_finding(cli, &f);
    return is_slower ? 1 : 0;
}

static int64_t compare(stepi_cli_t *cli, stepi_series_table_t *base, stepi_series_table_t *new)
{
    const double alpha = cli->alpha / (2 * count_comparisons(base, new)); /* failures and durations */
    int64_t found = 0;
    for (size_t i = 0; i < base->count; i++)
        if (counterpart(new, &base->series[i]) == NULL) {
            const finding_t f = {
                .change = "vanished", .color = STEPI_COLOR_WARN, .about = &base->series[i], .base = &base->series[i]
            };
            print_finding(cli, &f);
            found++;
        }
    for (size_t i = 0; i < new->count; i++) {
        stepi_series_t *series = &new->series[i], *old = counterpart(base, series);
        if (old == NULL) {
            const finding_t f = { .change = "appeared", .color = STEPI_COLOR_WARN, .about = series, .new = series };
            print_finding(cli, &f);
            found++;
            continue;
        }
        found += compare_failures(cli, old, series, alpha);
        found += compare_durations(cli, old, series, alpha);
    }
    return found;
}

static void tell_what_is_too_few(stepi_cli_t *cli, stepi_series_table_t *base, stepi_series_table_t *new)
{
    size_t few = 0;
    for (size_t i = 0; i < new->count; i++) {
        const stepi_series_t *old = counterpart(base, &new->series[i]);
        few += old != NULL && !can_time(old, &new->series[i]) ? 1 : 0;
    }
    stepi_print_flush(cli->print); /* the note stands behind the answer */
    if (few > 0)
        stepi_complain("note", "steps that ended fewer than 5 times in one of the logs are not compared by duration");
}

int64_t stepi_diff(stepi_cli_t *cli, size_t *unreadable)
{
    stepi_series_table_t base, new = { .series = NULL };
    int64_t found = stepi_series_read(cli, &cli->names[0], 1, &base, unreadable);
    if (found == 0)
        found = stepi_series_read(cli, &cli->names[1], 1, &new, unreadable);
    if (found == 0 && *unreadable == 0) {
        found = compare(cli, &base, &new);
        tell_what_is_too_few(cli, &base, &new);
    }
    stepi_series_free(&base);
    stepi_series_free(&new);
    return found;
}
