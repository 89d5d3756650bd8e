/* Placebos and altered panels of a trial: draws, what the market explains of them, what is left where information is taken away. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "measure/series.h"
#include "trial_report.h"

static const double BEYOND = 1.96;

/* The market as a placebo shows it: the panel's, taken for the only asset of a panel. [P] */
static void placebo_market(const struct trial_report *s, const struct variant *v, double *out)
{
    struct study y;
    struct error ignored = {""};
    struct placebo p = v->placebo;
    int T = s->t->meta.T, *order = memory_array(int, T, "order of periods");
    if (!study_parse(s->t->file, v->text, &y, &ignored)) p.seed = y.seed, study_free(&y);
    placebo_order(&p, T, order);
    for (int q = 0, t = 0; q < s->P; q++) {
        while (t < T - 1 && s->t->meta.dates[t] < s->r[0].dates[q]) t++;
        out[q] = s->market_all[p.kind == PLACEBO_PERIODS ? order[t] : t];
        if (p.kind == PLACEBO_SIGNS) placebo_signs(&p, t, 1, &out[q]);
    }
    memory_free(order);
}

struct draw {
    double sharpe, t, after, beta; /* after: t of the alpha against the market; beta: on it */
};

static struct draw measure(const struct trial_report *s, int v, int i)
{
    double *series = memory_array(double, 3 * (size_t)s->P, "returns"), *market = series + s->P, *x = market + s->P;
    struct draw d;
    trial_series(s, v, i, series);
    placebo_market(s, &s->t->variant[v], market);
    d.sharpe = trial_sharpe(s, trial_common(s, series, 0, NULL, x, NULL), x, NULL);
    d.t = trial_mean_t(s, series);
    struct remainder left = trial_remainder(s, series, 1, (const double *const[]){market});
    d.after = left.t, d.beta = left.beta;
    memory_free(series);
    return d;
}

static struct table *runs_table(void)
{
    struct table *t = table_create("placebo_runs", "Every draw of every placebo");
    table_column(t, "model", NULL, TABLE_TEXT, 0);
    table_column(t, "placebo", NULL, TABLE_TEXT, 0);
    table_column(t, "run", NULL, TABLE_TEXT, 0);
    table_column(t, "sharpe", "Sharpe", TABLE_REAL, 2);
    table_column(t, "t", NULL, TABLE_REAL, 2);
    table_column(t, "t_against_market", "t against market", TABLE_REAL, 2);
    return t;
}

/* A spread takes two draws. */
static struct table *placebos_table(bool spread)
{
    struct table *t = table_create("placebos", "Placebos: what the models find where there is nothing to find");
    table_column(t, "model", NULL, TABLE_TEXT, 0);
    table_column(t, "placebo", NULL, TABLE_TEXT, 0);
    table_column(t, "draws", NULL, TABLE_COUNT, 0);
    table_column(t, "sharpe_mean", "mean Sharpe", TABLE_REAL, 2);
    if (spread) table_column(t, "sharpe_sd", "spread", TABLE_REAL, 2);
    table_column(t, "t_mean", "mean t", TABLE_REAL, 2);
    if (spread) table_column(t, "t_sd", "spread of t", TABLE_REAL, 2);
    table_column(t, "beyond", "share |t| > 1.96", TABLE_REAL, 2);
    table_column(t, "t_against_market", "mean t against market", TABLE_REAL, 2);
    table_column(t, "beyond_against_market", "share |t| > 1.96 against market", TABLE_REAL, 2);
    return t;
}

static double share_beyond(int n, const double *t)
{
    int beyond = 0;
    for (int k = 0; k < n; k++) beyond += fabs(t[k]) > BEYOND;
    return n ? (double)beyond / n : NAN;
}

/* A row over draws [n] of one kind. */
static void put_kind(struct table *table, const struct trial_facts *f, const char *label, int n, const double *sharpe,
                     const double *t, const double *after, const double *beta)
{
    bool spread = table_find(table, "t_sd") >= 0;
    table_row(table);
    table_put_text(table, f->model);
    table_put_text(table, label);
    table_put(table, n);
    table_put(table, series_mean(n, sharpe));
    if (spread) table_put(table, n > 1 ? series_sd(n, sharpe) : NAN);
    table_put(table, series_mean(n, t));
    if (spread) table_put(table, n > 1 ? series_sd(n, t) : NAN);
    table_put(table, share_beyond(n, t));
    table_put(table, series_mean(n, after));
    table_put(table, share_beyond(n, after));
    double before = fabs(series_mean(n, t)), left = fabs(series_mean(n, after));
    if (before > BEYOND && left < BEYOND && left < before / 2)
        table_note(table,
                   "%s, %s: a net-%s position explains the Sharpe ratio; against the equally weighted market the mean t "
                   "goes from %.1f to %.1f.",
                   f->model, label, series_mean(n, beta) > 0 ? "long" : "short", series_mean(n, t), series_mean(n, after));
}

/* Draws of placebos that keep nothing of a premium: what a verdict may rest on. */
static bool keeps_nothing(const struct placebo *p)
{
    return p->kind == PLACEBO_RETURNS || p->kind == PLACEBO_SIGNS || p->kind == PLACEBO_IID;
}

static void model_placebos(struct trial_report *s, int i)
{
    const struct trial *t = s->t;
    struct trial_facts *f = &s->facts[i];
    double *sharpe = memory_array(double, 6 * (size_t)t->n, "draws"), *ts = sharpe + t->n, *after = ts + t->n,
           *beta = after + t->n, *strict = beta + t->n, *strict_after = strict + t->n;
    for (int v = 0, n = 0; v < t->n; v++) {
        const struct variant *a = &t->variant[v];
        if (a->part != TRIAL_PLACEBO) continue;
        struct draw d = measure(s, v, i);
        sharpe[n] = d.sharpe, ts[n] = d.t, beta[n] = d.beta, after[n++] = d.after;
        if (a->placebo.kind == PLACEBO_RETURNS) f->shuffled += d.sharpe, f->shuffles++;
        if (keeps_nothing(&a->placebo)) strict[f->draws] = d.t, strict_after[f->draws++] = d.after;
        table_row(s->table[TRIAL_PLACEBO_RUNS]);
        table_put_text(s->table[TRIAL_PLACEBO_RUNS], f->model);
        table_put_text(s->table[TRIAL_PLACEBO_RUNS], a->label);
        table_put_text(s->table[TRIAL_PLACEBO_RUNS], a->name);
        table_put(s->table[TRIAL_PLACEBO_RUNS], d.sharpe);
        table_put(s->table[TRIAL_PLACEBO_RUNS], d.t);
        table_put(s->table[TRIAL_PLACEBO_RUNS], d.after);
        if (v + 1 < t->n && !strcmp(t->variant[v + 1].label, a->label)) continue; /* the kind has more draws */
        put_kind(s->table[TRIAL_PLACEBOS], f, a->label, n, sharpe, ts, after, beta);
        n = 0;
    }
    f->shuffled = f->shuffles ? f->shuffled / f->shuffles : NAN;
    f->placebo_t = f->draws ? series_mean(f->draws, strict) : NAN;
    f->placebo_after_t = f->draws ? series_mean(f->draws, strict_after) : NAN;
    memory_free(sharpe);
}

void trial_placebos(struct trial_report *s)
{
    struct table *t = s->table[TRIAL_PLACEBOS] = placebos_table(s->t->seeds > 1);
    s->table[TRIAL_PLACEBO_RUNS] = runs_table();
    for (int i = 0; i < s->t->models; i++) model_placebos(s, i);
    table_note(t,
               "%d draw%s of each. t: of the mean return, Newey-West; that of a Sharpe ratio, whose error a single large "
               "loss makes small, "
               "would find too much. The market is the equally weighted mean return that the placebo leaves in the panel.",
               s->t->seeds, s->t->seeds == 1 ? "" : "s");
    table_note(t, "Lagged characteristics keep what slow ones still say, and permuted periods what each asset earns on "
                  "average: neither is a pure placebo, and no verdict rests on them.");
}

/* ---- information taken away ------------------------------------------------------------------------------------------------ */

static struct table *alterations_table(void)
{
    struct table *t = table_create("alterations", "What is left where information is taken away");
    table_column(t, "model", NULL, TABLE_TEXT, 0);
    table_column(t, "panel", NULL, TABLE_TEXT, 0);
    table_column(t, "sharpe", "Sharpe", TABLE_REAL, 2);
    table_column(t, "sharpe_se", "standard error", TABLE_REAL, 2);
    table_column(t, "t", "t of the mean", TABLE_REAL, 2);
    table_column(t, "difference", "less the study's", TABLE_REAL, 2);
    table_column(t, "difference_t", "t of the difference", TABLE_REAL, 1);
    table_column(t, "kept", "share kept", TABLE_REAL, 2);
    return t;
}

static void alteration(struct trial_report *s, int v, int i)
{
    const struct variant *a = &s->t->variant[v];
    struct trial_facts *f = &s->facts[i];
    struct table *table = s->table[TRIAL_ALTERATIONS];
    double *own = memory_array(double, 4 * (size_t)s->P, "returns"), *base = own + s->P, *x = base + s->P, *y = x + s->P;
    double difference, error, sharpe_t;
    trial_series(s, v, i, own);
    trial_series(s, 0, i, base);
    double t = trial_mean_t(s, own);
    int n = trial_common(s, own, 0, NULL, x, NULL);
    double sharpe = trial_sharpe(s, n, x, &sharpe_t);
    n = trial_common(s, own, 1, (const double *const[]){base}, x, y);
    difference = sharpe_difference(n, x, y, s->per_year, -1, &error);
    table_row(table);
    table_put_text(table, f->model);
    table_put_text(table, a->label);
    table_put(table, sharpe);
    table_put(table, sharpe / sharpe_t);
    table_put(table, t);
    table_put(table, v ? difference : NAN);
    table_put(table, v && error > 0 ? difference / error : NAN);
    table_put(table, v ? sharpe / f->sharpe : NAN);
    if (a->part == TRIAL_BASE) f->n = n, f->years = n / s->per_year, f->sharpe = sharpe, f->t = t;
    if (a->part == TRIAL_NOISE && f->noises < TRIAL_NOISES)
        f->noise[f->noises] = a->placebo.noise, f->noise_sharpe[f->noises++] = sharpe;
    if (a->part == TRIAL_FILTER) f->nonmicro = sharpe, f->nonmicro_t = t;
    if (a->part == TRIAL_THEME && (!f->theme || sharpe < f->theme_sharpe))
        f->theme = a->label, f->theme_sharpe = sharpe, f->theme_t = error > 0 ? difference / error : 0;
    memory_free(own);
}

/* Whether k Sharpe ratios are one: squared distances from their mean, each in its own standard error. */
static double chi_square(int k, const double *sharpe, const double *error)
{
    double weights = 0, mean = 0, sum = 0;
    for (int j = 0; j < k; j++) weights += 1 / (error[j] * error[j]), mean += sharpe[j] / (error[j] * error[j]);
    for (int j = 0; j < k; j++) sum += pow((sharpe[j] - mean / weights) / error[j], 2);
    return sum;
}

/* Four parts of the dates that the model has. */
static void eras(struct trial_report *s, int i)
{
    struct trial_facts *f = &s->facts[i];
    struct table *table = s->table[TRIAL_ERA_TABLE];
    double *series = memory_array(double, 2 * (size_t)s->P, "returns"), *x = series + s->P, error[TRIAL_ERAS];
    int *date = memory_array(int, s->P, "dates"), n = 0;
    trial_series(s, 0, i, series);
    for (int p = 0; p < s->P; p++)
        if (isfinite(series[p])) x[n] = series[p], date[n++] = p;
    for (int k = 0; k < TRIAL_ERAS && n >= 12 * TRIAL_ERAS; k++) {
        int first = (int)((int64_t)k * n / TRIAL_ERAS), end = (int)((int64_t)(k + 1) * n / TRIAL_ERAS);
        f->era_sharpe[f->eras++] = trial_sharpe(s, end - first, x + first, NULL);
        error[k] = sharpe_error(end - first, x + first, s->per_year); /* the robust one is too small on samples this short */
        table_row(table);
        table_put_text(table, f->model);
        table_put(table, (double)s->r[0].dates[date[first]]);
        table_put(table, (double)s->r[0].dates[date[end - 1]]);
        table_put(table, end - first);
        table_put(table, f->era_sharpe[k]);
        table_put(table, error[k]);
        table_put(table, trial_t(s, end - first, x + first));
    }
    f->era_chi2 = chi_square(f->eras, f->era_sharpe, error);
    memory_free(date);
    memory_free(series);
}

/* Sharpe ratio of the mean of k of the seeds: over all groups of k neighbours, the first after the last. */
static void seeds(struct trial_report *s, int i)
{
    const struct result_model *m = &s->r[0].model[i];
    struct table *table = s->table[TRIAL_SEED_TABLE];
    const double *by_seed = results_values(m, "returns_by_seed");
    int S = by_seed ? results_size(m, "seed") : 0;
    if (S < 2) return;
    double *x = memory_array(double, s->P, "returns"), *sharpe = memory_array(double, S, "Sharpe ratios");
    for (int k = 1; k <= S; k = k < S && 2 * k > S ? S : 2 * k) {
        int groups = k < S ? S : 1;
        for (int g = 0; g < groups; g++) {
            int n = 0;
            for (int p = 0; p < s->P; p++) {
                double sum = 0;
                for (int j = 0; j < k; j++) sum += by_seed[(size_t)p * (size_t)S + (size_t)((g + j) % S)];
                if (isfinite(sum)) x[n++] = sum / k;
            }
            sharpe[g] = trial_sharpe(s, n, x, NULL);
        }
        table_row(table);
        table_put_text(table, m->name);
        table_put(table, k);
        table_put(table, series_mean(groups, sharpe));
        table_put(table, groups > 1 ? series_sd(groups, sharpe) : NAN);
    }
    memory_free(x);
    memory_free(sharpe);
}

void trial_alterations(struct trial_report *s)
{
    struct table *e = s->table[TRIAL_ERA_TABLE] = table_create("eras", "Eras: four parts of the sample");
    table_column(e, "model", NULL, TABLE_TEXT, 0);
    table_column(e, "from", NULL, TABLE_DATE, 0);
    table_column(e, "to", NULL, TABLE_DATE, 0);
    table_column(e, "periods", NULL, TABLE_COUNT, 0);
    table_column(e, "sharpe", "Sharpe", TABLE_REAL, 2);
    table_column(e, "sharpe_se", "standard error", TABLE_REAL, 2);
    table_column(e, "t", "t of the mean", TABLE_REAL, 2);
    table_note(e, "Standard errors are those of iid returns (Lo 2002); robust ones are too small on samples this short.");
    struct table *k = s->table[TRIAL_SEED_TABLE] = table_create("seeds", "Sharpe ratio by number of seeds averaged");
    table_column(k, "model", NULL, TABLE_TEXT, 0);
    table_column(k, "seeds", NULL, TABLE_COUNT, 0);
    table_column(k, "sharpe", "mean Sharpe", TABLE_REAL, 3);
    table_column(k, "spread", "spread over groups of seeds", TABLE_REAL, 3);
    s->table[TRIAL_ALTERATIONS] = alterations_table();
    for (int i = 0; i < s->t->models; i++) {
        s->facts[i].nonmicro = s->facts[i].nonmicro_t = NAN;
        for (int v = 0; v < s->t->n; v++)
            if (s->t->variant[v].part != TRIAL_PLACEBO && s->t->variant[v].part != TRIAL_SPECIFICATION) alteration(s, v, i);
        eras(s, i);
        seeds(s, i);
    }
    table_note(s->table[TRIAL_ALTERATIONS],
               "Noise of X spreads of a characteristic leaves 1 / (1 + X^2) of its variance to what it said, and its "
               "spread as it was. In a panel of many assets it averages out: what stays under noise is no doubt by itself.");
    if (s->t->themes)
        table_note(s->table[TRIAL_ALTERATIONS], "Themes: %s. A theme that is left out is zero for every asset.",
                   s->t->theme_rule);
}
