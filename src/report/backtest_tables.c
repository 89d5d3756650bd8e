/* The backtest as people look at it. */
#include <math.h>
#include <string.h>

#include "backtest_book.h"
#include "base/escape.h"
#include "base/memory.h"
#include "date_sample.h"
#include "figures_models.h"
#include "io/text_file.h"
#include "measure/series.h"
#include "report/tables.h"

static const char EQUAL[] = "equal_weight";

/* Equal weights that begin at several dates carry theirs in the name. */
static char *name_of(const struct book *b, const struct book_series *s, char out[160])
{
    int same = 0;
    for (int k = 0; k < b->series; k++) same += !b->s[k].model && !strcmp(b->s[k].universe, s->universe);
    if (s->model) snprintf(out, 160, "%.150s", s->model->name);
    else if (same > 1) snprintf(out, 160, "%s.from=%lld", EQUAL, (long long)b->r->dates[b->first + s->begin]);
    else snprintf(out, 160, "%s", EQUAL);
    return out;
}

static void columns(struct table *t, const char *against)
{
    table_key_columns(t);
    table_columns(t, {"from", NULL, TABLE_DATE, 0}, {"to", NULL, TABLE_DATE, 0}, {"periods", NULL, TABLE_COUNT, 0},
                  {"rebalance", NULL, TABLE_COUNT, 0}, {"cost_bp", "cost, bp", TABLE_GENERAL, 4});
    measure_columns(t, MEASURES_BACKTEST);
    table_columns(t, {"sharpe_less_equal_weight", "less equal weight's", TABLE_REAL, 2},
                  {"t_equal_weight", "t", TABLE_REAL, 1});
    if (against) {
        char title[160];
        snprintf(title, sizeof title, "less %.100s's", against);
        table_columns(t, {"sharpe_less_against", title, TABLE_REAL, 2}, {"t_against", "t", TABLE_REAL, 1});
    }
    table_columns(t, {"seeds", NULL, TABLE_COUNT, 0}, {"seed_sharpe_min", "their Sharpe, min", TABLE_REAL, 2},
                  {"seed_sharpe_max", "max", TABLE_REAL, 2}, {"seed_sharpe_sd", "sd", TABLE_REAL, 2});
}

/* Net Sharpe of x minus that of y on the periods both have, and its t, into the columns of these names. */
static void put_difference(const struct book *b, struct table *t, const struct book_series *x, const struct book_series *y,
                           const char *column, const char *t_column)
{
    int *index = memory_array(int, b->n, "common periods");
    double *pair = memory_array(double, 2 * (size_t)b->n, "common returns"), error = NAN;
    int n = x == y ? 0 : common_rows(b->n, 2, (const double *const[]){x->net, y->net}, index);
    series_gather(n, index, x->net, pair);
    series_gather(n, index, y->net, pair + n);
    double difference = sharpe_difference(n, pair, pair + n, b->r->periods_per_year, -1, &error);
    table_set(t, column, difference);
    table_set(t, t_column, error > 0 ? difference / error : NAN);
    memory_free(index);
    memory_free(pair);
}

/* Gross Sharpe ratios of the single seeds' portfolios: how much of the figure is the draw of a seed. */
static void put_seeds(const struct book *b, struct table *t, const struct book_series *s, int n)
{
    const double *by_seed = s->model ? results_values(s->model, "returns_by_seed") : NULL;
    int S = by_seed ? results_size(s->model, "seed") : 0;
    if (S < 2) return;
    double *x = memory_array(double, n, "returns of a seed"), *sharpe = memory_array(double, S, "seeds' Sharpe ratios");
    double low = NAN, high = NAN;
    int seeds = 0;
    for (int k = 0; k < S; k++) {
        int have = 0;
        for (int i = 0; i < n; i++) {
            double r = by_seed[(size_t)(b->first + s->begin + i) * (size_t)S + (size_t)k];
            if (isfinite(r)) x[have++] = r;
        }
        double one = sharpe_ratio(have, x, b->r->periods_per_year);
        if (!isfinite(one)) continue;
        sharpe[seeds++] = one;
        low = fmin(low, one), high = fmax(high, one);
    }
    table_set(t, "seeds", seeds);
    table_set(t, "seed_sharpe_min", low);
    table_set(t, "seed_sharpe_max", high);
    table_set(t, "seed_sharpe_sd", series_sd(seeds, sharpe));
    memory_free(x);
    memory_free(sharpe);
}

static void put_row(const struct book *b, const struct backtest_options *o, struct table *t, const struct book_series *s,
                    const struct book_series *against)
{
    char name[160];
    int n = book_periods(b, s);
    table_key(t, s->universe, name_of(b, s, name));
    if (n == 0) {
        table_note(t, "%s, %s: no weights in the sample.", s->universe, name);
        return;
    }
    table_set(t, "from", (double)b->r->dates[b->first + s->begin]);
    table_set(t, "to", (double)b->r->dates[b->first + s->begin + n - 1]);
    table_set(t, "periods", n);
    table_set(t, "rebalance", o->rebalance);
    table_set(t, "cost_bp", o->cost_bp);
    const double *net = s->net + s->begin;
    measure_values(t, MEASURES_BACKTEST,
                   (struct measure_sample){.n = n,
                                           .periods_per_year = b->r->periods_per_year,
                                           .returns = net,
                                           .scaled = net,
                                           .gross = s->gross + s->begin,
                                           .traded = s->traded + s->begin});
    if (s->model) put_difference(b, t, s, &b->s[s->equal], "sharpe_less_equal_weight", "t_equal_weight");
    if (against) put_difference(b, t, s, against, "sharpe_less_against", "t_against");
    put_seeds(b, t, s, n);
    if (s->ruined >= 0)
        table_note(t, "%s, %s: its wealth was gone on %lld; measured up to then.", s->universe, name,
                   (long long)b->r->dates[b->first + s->ruined]);
    if (s->kept)
        table_note(t, "%s, %s: no weights at %d rebalance%s, where what was held was kept.", s->universe, name, s->kept,
                   s->kept > 1 ? "s" : "");
}

static void notes(struct table *t, const struct backtest_options *o)
{
    char exposure[80], every[40] = "every date";
    if (o->gross > 0) snprintf(exposure, sizeof exposure, "weights scaled to a gross exposure of %g", o->gross);
    else snprintf(exposure, sizeof exposure, "weights as they are");
    if (o->rebalance > 1) snprintf(every, sizeof every, "every %d dates", o->rebalance);
    table_note(t, "The %s, set %s, drift with the panel's returns in between. Cash earns the riskless rate.", exposure,
               every);
    table_note(t,
               "Costs: %g bp one way of what is traded against the drifted holdings, the first purchase and sales of assets "
               "that left the panel included.",
               o->cost_bp);
    table_note(t,
               "Returns a year: mean times periods. Volatility, Sortino, hit rate, drawdown and wealth: net, the last two "
               "compounded. Equal weight: every asset of the universe at each date, under the same rules.");
    table_note(t, "t: Sharpe ratios on the same dates, errors robust to autocorrelation and fat tails (Ledoit and Wolf "
                  "2008). Seeds: Sharpe ratios of single seeds' portfolios as the run recorded them, before costs.");
}

static struct table *paths_table(const struct book *b)
{
    struct table *t = table_create("backtest_paths", "Backtest, period by period");
    table_key_columns(t);
    table_columns(t, {"date", NULL, TABLE_DATE, 0}, {"gross_return", NULL, TABLE_REAL, 5},
                  {"net_return", NULL, TABLE_REAL, 5}, {"traded", NULL, TABLE_REAL, 3}, {"wealth", NULL, TABLE_REAL, 4});
    double *wealth = memory_array(double, b->n, "wealth");
    for (int k = 0; k < b->series; k++) {
        const struct book_series *s = &b->s[k];
        char name[160];
        int n = book_periods(b, s);
        if (n) wealth_path(n, s->net + s->begin, wealth);
        for (int i = 0; i < n; i++) {
            int at = s->begin + i;
            table_key(t, s->universe, name_of(b, s, name));
            table_set(t, "date", (double)b->r->dates[b->first + at]);
            table_set(t, "gross_return", s->gross[at]);
            table_set(t, "net_return", s->net[at]);
            table_set(t, "traded", s->traded[at]);
            table_set(t, "wealth", wealth[i]);
        }
    }
    memory_free(wealth);
    return t;
}

/* The model of a universe that the others are compared with; NULL: it is not there. */
static const struct book_series *find(const struct book *b, const char *universe, const char *name)
{
    for (int k = 0; k < b->series && name; k++)
        if (b->s[k].model && !strcmp(b->s[k].universe, universe) && !strcmp(b->s[k].model->name, name)) return &b->s[k];
    return NULL;
}

int backtest_tables(const struct results *r, const struct backtest_options *o, struct table **backtest, struct table **paths,
                    struct error *e)
{
    struct book b;
    bool found = !o->against;
    *backtest = *paths = NULL;
    if (!book_fill(&b, r, o, e)) {
        struct table *t = *backtest = table_create("backtest", "Backtest");
        columns(t, o->against);
        for (int k = 0; k < b.series; k++) { /* the models of a universe, then its equal weights */
            bool first = b.s[k].model != NULL;
            for (int j = 0; j < k && first; j++) first = strcmp(b.s[j].universe, b.s[k].universe) != 0;
            for (int model = 1; model >= 0 && first; model--)
                for (int j = k; j < b.series; j++) {
                    if (strcmp(b.s[j].universe, b.s[k].universe) || (b.s[j].model != NULL) != model) continue;
                    const struct book_series *against = find(&b, b.s[j].universe, o->against);
                    found = found || against;
                    put_row(&b, o, t, &b.s[j], against);
                }
        }
        notes(t, o);
        *paths = paths_table(&b);
        struct table *both[] = {*backtest, *paths};
        tables_qualify(r, 2, both);
        if (!found) error_set(e, "--against: found no model '%s' with weights in %s; needed: one", o->against, r->path);
    }
    book_free(&b);
    if (!error_is_set(e)) return 0;
    table_free(*backtest);
    table_free(*paths);
    *backtest = *paths = NULL;
    return -1;
}

/* ---- the figure ---- */

enum { LINES = 21 };

static int wealth_figure(struct figures *f, const struct results *r, const struct table *paths, const char *universe,
                         const char *name, const char *title, struct error *e)
{
    const char *line[LINES] = {NULL};
    int lines = 0, first = r->P, last = -1;
    double *wealth = memory_array(double, (size_t)r->P *LINES, "wealth"), low = 1, high = 1;
    for (size_t i = 0; i < (size_t)r->P * LINES; i++) wealth[i] = NAN;
    for (int row = 0, p = 0; row < paths->rows; row++) {
        const char *model = table_at(paths, row, 1)->text;
        if (strcmp(table_at(paths, row, 0)->text, universe)) continue;
        int k = 0;
        while (k < lines && strcmp(line[k], model)) k++;
        if (k == LINES) continue;
        if (k == lines) line[lines++] = model, p = 0;
        int64_t date = (int64_t)table_at(paths, row, 2)->number;
        while (p < r->P && r->dates[p] < date) p++;
        if (p == r->P) continue;
        double w = wealth[(size_t)k * (size_t)r->P + (size_t)p] = table_at(paths, row, 6)->number;
        low = fmin(low, w), high = fmax(high, w);
        first = p < first ? p : first, last = p > last ? p : last;
    }
    struct sample s = {.r = r, .first = first, .n = last - first + 1};
    if (lines &&
        !figure_begin(f, name, title,
                      "Wealth after costs, from 1 at the first purchase: saved weights held over the panel's returns.", 7.6,
                      lines > 12 ? 4.6 : 4.0, 300 + 20 * lines, e)) {
        fputs("date", f->data);
        for (int k = 0; k < lines; k++) fputc('\t', f->data), escape_gnuplot_field(f->data, line[k]);
        for (int p = first; p <= last; p++) {
            fputc('\n', f->data);
            figure_date(f->data, r->dates[p]);
            for (int k = 0; k < lines; k++) figure_number(f->data, wealth[(size_t)k * (size_t)r->P + (size_t)p]);
        }
        fputc('\n', f->data);
        figure_time_axis(f->script, &s);
        figure_names(f->script, "line", lines, line);
        fprintf(f->script,
                "%sset ylabel 'wealth, net'\nplot for [i=2:%d] data using 1:i skip 1 with lines lt i-1 title line[i-1]\n",
                low > 0 && high > 4 * low ? "set logscale y\n" : "", lines + 1);
        figure_end(f, e);
    }
    memory_free(wealth);
    return error_is_set(e) ? -1 : 0;
}

int backtest_figures(struct figures *f, const struct results *r, const struct table *paths, struct error *e)
{
    const char **universe = memory_array(const char *, r->models, "universes");
    int universes = sample_universes(r, universe);
    for (int u = 0; u < universes && f->n < FIGURES && !error_is_set(e); u++) {
        char name[96], title[160];
        snprintf(name, sizeof name, "backtest%s%.40s", universes > 1 ? "-" : "", universes > 1 ? universe[u] : "");
        snprintf(title, sizeof title, "Backtest: wealth%s%.40s", universes > 1 ? ", " : "",
                 universes > 1 ? universe[u] : "");
        wealth_figure(f, r, paths, universe[u], name, title, e);
    }
    memory_free(universe);
    return error_is_set(e) ? -1 : 0;
}

int backtest_write(const struct results *r, const struct backtest_options *o, const char *folder, struct table **backtest,
                   struct error *e)
{
    char path[4200];
    struct table *paths;
    if (backtest_tables(r, o, backtest, &paths, e)) return -1;
    struct figures *f = memory_array(struct figures, 1, "figures");
    snprintf(f->folder, sizeof f->folder, "%.4000s/figures", folder);
    if (!table_write(*backtest, folder, e)) {
        snprintf(path, sizeof path, "%.4000s/%s.csv", folder, paths->name);
        FILE *out = text_file_begin(path, e);
        if (out) table_csv(paths, out);
        if (out) text_file_end(out, path, e);
        if (!error_is_set(e) && !folder_create(f->folder, e)) backtest_figures(f, r, paths, e);
    }
    figures_free(f);
    memory_free(f);
    table_free(paths);
    if (!error_is_set(e)) return 0;
    table_free(*backtest);
    *backtest = NULL;
    return -1;
}
