/* What a trial's returns owe to portfolios that need no model, and how much they depend on choices that others would have made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "measure/momentum.h"
#include "measure/series.h"
#include "trial_report.h"

/* ---- explanations ---------------------------------------------------------------------------------------------------------- */

static void put_remainder(struct table *t, const struct trial_facts *f, const char *what, struct remainder r)
{
    table_row(t);
    table_put_text(t, f->model);
    table_put_text(t, what);
    table_put(t, r.share);
    table_put(t, r.t);
}

/* Slopes on the momentum of each age, per period of age and scaled so that equal weights would be 1 on average. */
static void ages(struct trial_report *s, int i, const double *series)
{
    struct trial_facts *f = &s->facts[i];
    struct table *table = s->table[TRIAL_AGE_TABLE];
    int k = s->ages;
    double *x = memory_array(double, (size_t)s->P *(size_t)(k + 1), "regression"), sum = 0;
    int n = trial_common(s, series, k, (const double *const *)s->age, x, x + s->P), months = s->age_to[k - 1];
    momentum_loadings(n, x, k, x + s->P, f->age_slope, f->age_t, &f->age_r2);
    for (int a = 0; a < k; a++) sum += f->age_slope[a];
    for (int a = 0; a < k; a++) {
        int wide = s->age_to[a] - s->age_from[a] + 1;
        table_row(table);
        table_put_text(table, f->model);
        table_put(table, s->age_from[a]);
        table_put(table, s->age_to[a]);
        table_put(table, f->age_slope[a] / sum / wide * months);
        table_put(table, f->age_t[a]);
        table_put(table, f->age_r2);
    }
    memory_free(x);
}

static void explain(struct trial_report *s, int i)
{
    struct trial_facts *f = &s->facts[i];
    struct table *t = s->table[TRIAL_EXPLANATIONS];
    double *series = memory_array(double, s->P, "returns");
    trial_series(s, 0, i, series);
    f->market = trial_remainder(s, series, 1, (const double *const[]){s->market});
    f->reversal = trial_remainder(s, series, 1, (const double *const[]){s->reversal});
    f->fixed = trial_remainder(s, series, 1, (const double *const[]){s->fixed});
    struct remainder both = trial_remainder(s, series, 3, (const double *const[]){s->fixed, s->momentum, s->longer});
    f->momentum = (struct remainder){1 - (1 - both.share) / (1 - f->fixed.share), both.t, NAN};
    put_remainder(t, f, "market: equal weights", f->market);
    put_remainder(t, f, "reversal: last period's losers less winners", f->reversal);
    put_remainder(t, f, "fixed: factors by their means and variances since the beginning", f->fixed);
    put_remainder(t, f, "fixed, and momentum of factors timed by volatility", both);
    ages(s, i, series);
    memory_free(series);
}

void trial_explanations(struct trial_report *s)
{
    struct table *t = s->table[TRIAL_EXPLANATIONS] =
        table_create("explanations", "What portfolios that need no model explain");
    table_column(t, "model", NULL, TABLE_TEXT, 0);
    table_column(t, "regressors", NULL, TABLE_TEXT, 0);
    table_column(t, "explained", "share of the mean explained", TABLE_REAL, 2);
    table_column(t, "t_left", "t of what is left", TABLE_REAL, 2);
    table_note(t,
               "Momentum: managed factors held by their mean return over the last %d periods, and over the window of %d, "
               "divided by their variance over it. t values are Newey-West's.",
               panel_year(&s->t->meta) < s->t->window ? panel_year(&s->t->meta) : s->t->window, s->t->window);
    struct table *a = s->table[TRIAL_AGE_TABLE] = table_create("ages", "Weight of the past by its age (dual weights)");
    table_column(a, "model", NULL, TABLE_TEXT, 0);
    table_column(a, "age_from", "age from", TABLE_COUNT, 0);
    table_column(a, "age_to", "to", TABLE_COUNT, 0);
    table_column(a, "weight", "weight of a period", TABLE_REAL, 2);
    table_column(a, "t", NULL, TABLE_REAL, 1);
    table_column(a, "r2", "R2 of all", TABLE_REAL, 2);
    table_note(a,
               "The SDF's return regressed on factors held by their returns of each age alone, divided by their variance. "
               "A mean of the whole window gives every age the weight 1; momentum weighs the young ones more.");
    for (int i = 0; i < s->t->models; i++) explain(s, i);
}

/* ---- specifications -------------------------------------------------------------------------------------------------------- */

static const char *const grids[] = {"all", "lower half", "upper half"};
enum { GRIDS = 3 };

/* Returns with the penalty chosen, by the same loss, from a part of the grid only: out [P at the base run's dates]. False: the model has no
 * such record. */
static bool regrid(const struct trial_report *s, int v, int i, int grid, double *out)
{
    const struct results *r = &s->r[v];
    const struct result_model *m = &r->model[i];
    if (!grid) return trial_series(s, v, i, out), true;
    const double *losses = results_values(m, "loo_loss"), *by_ridge = results_values(m, "returns_by_ridge");
    int nz = results_size(m, "ridge");
    if (nz < 4 || !losses || !by_ridge) return false;
    int low = grid == 1 ? 0 : nz / 2, high = grid == 1 ? nz / 2 : nz;
    for (int p = 0, k = 0; p < s->P; p++) {
        while (k < r->P && r->dates[k] < s->r[0].dates[p]) k++;
        out[p] = NAN;
        if (k == r->P || r->dates[k] != s->r[0].dates[p] || !isfinite(m->returns[k])) continue;
        const double *loss = losses + (size_t)k * (size_t)nz;
        int best = -1;
        for (int z = low; z < high; z++)
            if (isfinite(loss[z]) && (best < 0 || loss[z] < loss[best])) best = z;
        if (best >= 0) out[p] = by_ridge[(size_t)k * (size_t)nz + (size_t)best];
    }
    return true;
}

struct specification {
    const struct variant *v;
    int grid;
    double *series; /* [P] */
    double sharpe, error;
};

static int by_sharpe(const void *a, const void *b)
{
    double x = ((const struct specification *)a)->sharpe, y = ((const struct specification *)b)->sharpe;
    return (x > y) - (x < y);
}

static int collect(const struct trial_report *s, int i, struct specification *c)
{
    int n = 0;
    for (int v = 0; v < s->t->n; v++) {
        enum trial_part part = s->t->variant[v].part;
        if (part != TRIAL_BASE && part != TRIAL_FILTER && part != TRIAL_SPECIFICATION) continue;
        for (int g = 0; g < GRIDS; g++) {
            double *series = memory_array(double, s->P, "returns");
            if (regrid(s, v, i, g, series))
                c[n++] = (struct specification){.v = &s->t->variant[v], .grid = g, .series = series};
            else memory_free(series);
        }
    }
    return n;
}

/* Sharpe ratios on the dates that all specifications have. */
static void measure(const struct trial_report *s, int n, struct specification *c)
{
    double *x = memory_array(double, s->P, "returns");
    for (int k = 0; k < n; k++) {
        int count = 0;
        for (int p = 0; p < s->P; p++) {
            bool all = true;
            for (int j = 0; j < n && all; j++) all = isfinite(c[j].series[p]);
            if (all) x[count++] = c[k].series[p];
        }
        double t;
        c[k].sharpe = trial_sharpe(s, count, x, &t);
        c[k].error = c[k].sharpe / t;
    }
    memory_free(x);
}

static void curve(struct trial_report *s, int i)
{
    struct trial_facts *f = &s->facts[i];
    struct table *t = s->table[TRIAL_CURVE], *runs = s->table[TRIAL_CURVE_RUNS];
    struct specification *c = memory_array(struct specification, GRIDS * (size_t)s->t->n, "specifications");
    double *sharpe = memory_array(double, GRIDS *(size_t)s->t->n, "Sharpe ratios");
    int n = f->specifications = collect(s, i, c);
    measure(s, n, c);
    qsort(c, (size_t)n, sizeof *c, by_sharpe);
    f->positive = f->beyond = f->standard = 0;
    for (int k = 0; k < n; k++) {
        sharpe[k] = c[k].sharpe;
        f->positive += (c[k].sharpe > 0) / (double)n;
        f->beyond += (c[k].sharpe > 1.96 * c[k].error) / (double)n;
        f->standard += c[k].error / n;
        table_row(runs);
        table_put_text(runs, f->model);
        table_put(runs, k + 1);
        table_put_text(runs, strcmp(c[k].v->window, "half") ? "the study's" : "half of it");
        table_put_text(runs, c[k].v->scale);
        table_put_text(runs, c[k].v->nonmicro ? "nonmicro" : s->t->universe->name);
        table_put_text(runs, grids[c[k].grid]);
        table_put(runs, c[k].sharpe);
        table_put(runs, c[k].error);
        memory_free(c[k].series);
    }
    f->nonstandard = n > 1 ? series_sd(n, sharpe) : NAN;
    f->median = n ? quantile(n, sharpe, 0.5) : NAN;
    table_row(t);
    table_put_text(t, f->model);
    const double figures[] = {n,           n ? sharpe[0] : NAN, f->median, n ? sharpe[n - 1] : NAN, f->nonstandard,
                              f->standard, f->positive,         f->beyond};
    for (size_t k = 0; k < sizeof figures / sizeof *figures; k++) table_put(t, figures[k]);
    memory_free(sharpe);
    memory_free(c);
}

void trial_specifications(struct trial_report *s)
{
    struct table *t = s->table[TRIAL_CURVE] =
        table_create("specifications", "Specifications: what other choices would have shown");
    table_column(t, "model", NULL, TABLE_TEXT, 0);
    table_column(t, "specifications", NULL, TABLE_COUNT, 0);
    table_column(t, "lowest", "lowest Sharpe", TABLE_REAL, 2);
    table_column(t, "median", NULL, TABLE_REAL, 2);
    table_column(t, "highest", NULL, TABLE_REAL, 2);
    table_column(t, "nonstandard_error", "non-standard error", TABLE_REAL, 2);
    table_column(t, "standard_error", "standard error", TABLE_REAL, 2);
    table_column(t, "positive", "share above 0", TABLE_REAL, 2);
    table_column(t, "beyond", "share with t > 1.96", TABLE_REAL, 2);
    table_note(t,
               "Every combination of window (the study's, half of it), factor scale, filter (all, without microcaps where "
               "the panel has size groups) and penalty grid (the study's: all, its lower, its upper half), on common dates. "
               "Non-standard error: the standard deviation over specifications (Menkveld et al. 2024); standard error: the "
               "mean over "
               "them.");
    struct table *r = s->table[TRIAL_CURVE_RUNS] =
        table_create("specification_runs", "Every specification, by Sharpe ratio");
    table_column(r, "model", NULL, TABLE_TEXT, 0);
    table_column(r, "place", NULL, TABLE_COUNT, 0);
    static const char *const choices[] = {"window", "scale", "filter", "penalties"};
    for (int k = 0; k < 4; k++) table_column(r, choices[k], NULL, TABLE_TEXT, 0);
    table_column(r, "sharpe", "Sharpe", TABLE_REAL, 2);
    table_column(r, "sharpe_se", "standard error", TABLE_REAL, 2);
    for (int i = 0; i < s->t->models; i++) curve(s, i);
}
