/* Reading what a trial left: the results of its runs, and the panel for portfolios that need no model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/panel_file.h"
#include "measure/alpha.h"
#include "measure/momentum.h"
#include "measure/series.h"
#include "panel/reference.h"
#include "trial_report.h"

/* Months of age that are told apart; the last reaches to the window's length. */
static const int age_end[TRIAL_AGES] = {1, 3, 6, 12, 24, 0};

static int read_panel(const struct trial *t, struct reference *f, struct error *e)
{
    struct row_buffer buffer;
    struct rows rows;
    struct panel_file *file = panel_open(t->panel, NULL, &t->meta, e);
    if (!file) return -1;
    int most = panel_max_assets(&t->meta), *index = memory_array(int, most, "rows of a universe");
    row_buffer_create(&buffer, &t->meta, most);
    for (int p = 0; p < t->meta.T && !panel_read_period(file, p, &buffer, &rows, e); p++)
        reference_period(f, p, &rows, index, universe_select(t->universe, &rows, index));
    row_buffer_free(&buffer);
    memory_free(index);
    return panel_close(file, e);
}

/* Rows of a series over the panel's periods [T] at the base run's dates. */
static double *at_dates(const struct trial_report *s, const double *x)
{
    double *out = memory_array(double, s->P, "returns");
    const int64_t *dates = s->t->meta.dates;
    for (int p = 0, k = 0; p < s->P; p++) {
        while (k < s->t->meta.T - 1 && dates[k] < s->r[0].dates[p]) k++;
        out[p] = dates[k] == s->r[0].dates[p] ? x[k] : NAN;
    }
    return out;
}

static void build_references(struct trial_report *s, const struct reference *f)
{
    const struct trial *t = s->t;
    int T = t->meta.T, D = t->meta.D, year = panel_year(&t->meta), W = t->window;
    double *x = memory_array(double, T, "returns");
    s->market_all = memory_array(double, T, "market");
    memcpy(s->market_all, f->market, sizeof(double) * (size_t)T);
    s->market = at_dates(s, f->market);
    s->reversal = at_dates(s, f->reversal);
    momentum_fixed(T, D, f->factors, W, x);
    s->fixed = at_dates(s, x);
    momentum_returns(T, D, f->factors, W, 1, year < W ? year : W, true, x);
    s->momentum = at_dates(s, x);
    momentum_returns(T, D, f->factors, W, 1, W, true, x);
    s->longer = at_dates(s, x);
    for (int a = 0, from = 1; a < TRIAL_AGES && from <= W; a++) {
        int to = !age_end[a] || age_end[a] > W ? W : age_end[a];
        momentum_returns(T, D, f->factors, W, from, to, false, x);
        s->age[s->ages] = at_dates(s, x);
        s->age_from[s->ages] = from, s->age_to[s->ages++] = to;
        from = to + 1;
    }
    memory_free(x);
}

int trial_report_read(struct trial_report *s, const struct trial *t, const char *folder, struct error *e)
{
    *s = (struct trial_report){.t = t, .per_year = t->meta.periods_per_year};
    s->r = memory_array(struct results, t->n, "results");
    s->facts = memory_array(struct trial_facts, t->models, "facts");
    for (int v = 0; v < t->n; v++) {
        char path[4200];
        trial_path(&t->variant[v], folder, path, sizeof path);
        if (results_load(path, &s->r[v], e)) return -1;
        if (s->r[v].models != t->models)
            return error_set(e, "%s: found %d models; needed: the %d of the study on trial", path, s->r[v].models,
                             t->models);
    }
    s->P = s->r[0].P;
    for (int i = 0; i < t->models; i++) s->facts[i].model = s->r[0].model[i].name;
    struct reference f;
    reference_create(&f, t->meta.T, t->meta.D, panel_max_assets(&t->meta));
    if (!read_panel(t, &f, e)) build_references(s, &f);
    reference_free(&f);
    return error_is_set(e) ? -1 : 0;
}

void trial_report_free(struct trial_report *s)
{
    for (int v = 0; s->r && v < s->t->n; v++) results_free(&s->r[v]);
    double *const all[] = {s->market_all, s->market, s->reversal, s->fixed, s->momentum, s->longer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    for (int a = 0; a < TRIAL_AGES; a++) memory_free(s->age[a]);
    for (int k = 0; k < TRIAL_TABLES; k++) table_free(s->table[k]);
    figures_free(&s->figures);
    memory_free(s->facts);
    memory_free(s->r);
    *s = (struct trial_report){0};
}

void trial_series(const struct trial_report *s, int v, int i, double *out)
{
    const struct results *r = &s->r[v];
    for (int p = 0, k = 0; p < s->P; p++) {
        while (k < r->P && r->dates[k] < s->r[0].dates[p]) k++;
        out[p] = k < r->P && r->dates[k] == s->r[0].dates[p] ? r->model[i].returns[k] : NAN;
    }
}

int trial_common(const struct trial_report *s, const double *series, int k, const double *const *others, double *x,
                 double *z)
{
    int n = 0;
    for (int p = 0; p < s->P; p++) {
        bool all = isfinite(series[p]);
        for (int j = 0; j < k; j++) all = all && isfinite(others[j][p]);
        if (!all) continue;
        x[n] = series[p];
        for (int j = 0; j < k; j++) z[(size_t)j * (size_t)s->P + (size_t)n] = others[j][p];
        n++;
    }
    for (int j = 1; j < k; j++) memmove(z + (size_t)j * (size_t)n, z + (size_t)j * (size_t)s->P, sizeof(double) * (size_t)n);
    return n;
}

double trial_sharpe(const struct trial_report *s, int n, const double *x, double *t)
{
    double sharpe = sharpe_ratio(n, x, s->per_year);
    if (t) *t = sharpe / sharpe_error_robust(n, x, s->per_year, -1);
    return sharpe;
}

double trial_t(const struct trial_report *s, int n, const double *x)
{
    struct alpha mean;
    alpha_regress(n, x, 0, NULL, s->per_year, newey_west_lags(n), &mean);
    return mean.t;
}

double trial_mean_t(const struct trial_report *s, const double *series)
{
    double *x = memory_array(double, s->P, "returns");
    double t = trial_t(s, trial_common(s, series, 0, NULL, x, NULL), x);
    memory_free(x);
    return t;
}

struct remainder trial_remainder(const struct trial_report *s, const double *series, int k, const double *const *others)
{
    double *x = memory_array(double, (size_t)s->P *(size_t)(k + 1), "regression");
    int n = trial_common(s, series, k, others, x, x + s->P);
    struct alpha mean, left;
    alpha_regress(n, x, 0, NULL, s->per_year, newey_west_lags(n), &mean);
    alpha_regress(n, x, k, x + s->P, s->per_year, newey_west_lags(n), &left);
    memory_free(x);
    return (struct remainder){1 - left.percent / mean.percent, left.code == ALPHA_SPANNED ? 0 : left.t, left.beta};
}
