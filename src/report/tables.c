/* The long tables of a study, a row for every model and universe. */
#include "report/tables.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "date_sample.h"
#include "measure/alpha.h"
#include "measure/series.h"
#include "measure/tangency.h"

const char *hjd_form(const struct table_options *o)
{
    static const char *const form[2][2] = {{"squared, weighted by the inverse second moments of the test assets",
                                            "square root, weighted by the inverse second moments of the test assets"},
                                           {"squared, weighted by the inverse covariance of the test assets",
                                            "square root, weighted by the inverse covariance of the test assets"}};
    return form[o->hjd_covariance][o->hjd_root];
}

void table_key_columns(struct table *t)
{
    table_columns(t, {"universe", NULL, TABLE_TEXT, 0}, {"model", NULL, TABLE_TEXT, 0});
}

void table_key(struct table *t, const char *universe, const char *model)
{
    table_row(t);
    table_set_text(t, "universe", universe);
    table_set_text(t, "model", model);
}

/* How often the selected ridge was the first or last of the grid, among rows with a selection; NaN: no ridge. */
static double edge_share(const struct sample *s, const struct result_model *m)
{
    const double *ridge = results_values(m, "ridge"), *selected = results_values(m, "selected_ridge");
    int rows = 0, edge = 0, nz = results_size(m, "ridge");
    for (int p = s->first; p < s->first + s->n && nz && selected; p++) {
        double z = selected[p];
        if (isnan(z)) continue;
        rows++;
        edge += ridge && (z == ridge[0] || z == ridge[nz - 1]);
    }
    return rows ? (double)edge / rows : NAN;
}

static void performance_row(struct sample *s, struct table *t, const char *universe, const char *model,
                            const double *returns, double edge)
{
    int n = sample_take(s, returns, 1);
    table_key(t, universe, model);
    if (n) table_set(t, "from", (double)sample_date(s, 0)), table_set(t, "to", (double)sample_date(s, n - 1));
    table_set(t, "periods", n);
    measure_values(t, MEASURES_PERFORMANCE, sample_measured(s, n));
    table_set(t, "ridge_edge_share", edge);
    if (n && s->r->M) {
        if (s->hjd.code == HJD_TOO_FEW_PERIODS)
            table_note(t, "%s, %s: no HJD: %s (%d periods, %d test assets).", universe, model, hjd_reason(s->hjd.code), n,
                       s->hjd.assets);
        else if (s->hjd.code) table_note(t, "%s, %s: no HJD: %s.", universe, model, hjd_reason(s->hjd.code));
        else if (s->hjd.rank < s->hjd.assets)
            table_note(t, "%s, %s: the %d test assets span %d directions; HJD is over these.", universe, model,
                       s->hjd.assets, s->hjd.rank);
    }
    if (n == 0) table_note(t, "%s, %s: no return in the sample.", universe, model);
}

static struct table *performance(struct sample *s)
{
    const struct results *r = s->r;
    struct table *t = table_create("performance", "Out-of-sample performance");
    table_key_columns(t);
    table_columns(t, {"from", NULL, TABLE_DATE, 0}, {"to", NULL, TABLE_DATE, 0}, {"periods", NULL, TABLE_COUNT, 0});
    measure_columns(t, MEASURES_PERFORMANCE);
    table_column(t, "ridge_edge_share", "ridge at edge", TABLE_REAL, 2);
    for (int i = 0; i < r->models; i++) {
        const struct result_model *m = &r->model[i];
        performance_row(s, t, m->universe, m->name, m->returns, edge_share(s, m));
    }
    if (r->truth) performance_row(s, t, "all", "truth", r->truth, NAN);
    if (r->under_way)
        table_note(t, "Run under way: %ld of %ld rows are finished; what follows will change the figures.", r->rows_done,
                   r->rows_total);
    table_note(t,
               "Sharpe ratios per year, standard errors for iid returns. HJD: %s%s. HJD scaled: the same at the portfolio's "
               "best scale.",
               hjd_form(s->o),
               r->M == 0                    ? " (there are none)"
               : r->test_assets_are_factors ? " (the managed factors of all assets)"
                                            : "");
    if (r->truth) table_note(t, "truth: the synthetic panel's true conditional SDF portfolio, the ceiling for any model.");
    return t;
}

/* ---- pairs of models of one universe ---- */

static void alpha_row(const struct sample *s, struct table *t, const struct result_model *m, const char *against, int n,
                      const double *y, int k, const double *x)
{
    struct alpha a;
    alpha_regress(n, y, k, x, s->r->periods_per_year, s->o->newey_west, &a);
    table_key(t, m->universe, m->name);
    table_set_text(t, "against", against);
    if (!strcmp(against, "others")) a.beta = NAN; /* a joint regression has no one slope */
    struct measure_sample sample = {.n = n, .periods_per_year = s->r->periods_per_year, .returns = y, .alpha = &a};
    measure_values(t, MEASURES_ALPHAS, sample);
    measure_values(t, MEASURES_PAIR, sample);
    table_set(t, "periods", a.periods);
    if (a.code) table_note(t, "%s, %s against %s: %s.", m->universe, m->name, against, alpha_reason(a.code));
    else if (a.rank < k)
        table_note(t, "%s, %s against %s: %d of %d regressors are collinear and left out.", m->universe, m->name, against,
                   k - a.rank, k);
}

static void alphas_of(struct sample *s, struct table *t, const int *member, int k)
{
    const struct result_model *model = s->r->model;
    const double **series = memory_array(const double *, k + 1, "series");
    double *data = memory_array(double, (size_t)(k + 1) * (size_t)s->n, "common returns");
    for (int i = 0; i < k; i++) {
        const struct result_model *m = &model[member[i]];
        series[0] = m->returns;
        for (int j = 0; j < k; j++) {
            if (j == i) continue;
            series[1] = model[member[j]].returns;
            int n = sample_common(s, 2, series, data);
            alpha_row(s, t, m, model[member[j]].name, n, data, 1, data + n);
        }
        if (k < 2) continue;
        int others = 0;
        for (int j = 0; j < k; j++)
            if (j != i) series[1 + others++] = model[member[j]].returns;
        int n = sample_common(s, 1 + others, series, data);
        alpha_row(s, t, m, "others", n, data, others, data + n);
    }
    memory_free(series);
    memory_free(data);
}

static void correlations_of(struct sample *s, struct table *t, const int *member, int k)
{
    double *data = memory_array(double, 2 * (size_t)s->n, "common returns");
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            const struct result_model *a = &s->r->model[member[i]], *b = &s->r->model[member[j]];
            int n = sample_common(s, 2, (const double *const[]){a->returns, b->returns}, data);
            table_key(t, a->universe, a->name);
            table_set_text(t, "with", b->name);
            table_set(t, "correlation",
                      i == j && n > 1 && series_sd(n, data) > 0 ? 1 : series_correlation(n, data, data + n));
            table_set(t, "periods", n);
        }
    memory_free(data);
}

static void tangency_of(struct sample *s, struct table *t, const int *member, int k)
{
    const char *universe = s->r->model[member[0]].universe;
    const double **series = memory_array(const double *, k, "series");
    double *data = memory_array(double, (size_t)k *(size_t)s->n, "common returns"),
           *w = memory_array(double, 3 * (size_t)k, "weights"), sharpe;
    for (int i = 0; i < k; i++) series[i] = s->r->model[member[i]].returns;
    int n = sample_common(s, k, series, data);
    enum tangency_code code = tangency_weights(n, k, data, w, &sharpe);
    if (code)
        for (int i = 0; i < 2 * k; i++) w[k + i] = NAN;
    else tangency_intervals(n, k, data, s->o->bootstrap, 1, 0.95, s->o->seed, w + k, w + 2 * k);
    for (int i = 0; i < k; i++) {
        table_key(t, universe, s->r->model[member[i]].name);
        table_set(t, "weight", w[i]);
        table_set(t, "low", w[k + i]);
        table_set(t, "high", w[2 * k + i]);
    }
    if (code) table_note(t, "%s: no tangency portfolio: %s (%d).", universe, tangency_reason(code), n);
    else
        table_note(t, "%s: Sharpe ratio of the tangency portfolio %.2f a year, %d common dates.", universe,
                   sqrt(s->r->periods_per_year) * sharpe, n);
    if (!code && isnan(w[k]))
        table_note(t, "%s: no intervals: no series has a positive mean in more than a tenth of the resamples.", universe);
    memory_free_all(series, data, w);
}

static struct table *alphas_table(const struct sample *s)
{
    struct table *t = table_create("alphas", "Alphas, every model against every other");
    table_key_columns(t);
    table_column(t, "against", NULL, TABLE_TEXT, 0);
    measure_columns(t, MEASURES_ALPHAS);
    table_column(t, "periods", NULL, TABLE_COUNT, 0);
    measure_columns(t, MEASURES_PAIR);
    if (s->o->newey_west < 0)
        table_note(t, "Returns scaled to 15%% a year; alpha in percent per period; plain OLS standard errors.");
    else
        table_note(t, "Returns scaled to 15%% a year; alpha in percent per period; Newey-West standard errors, %d lags.",
                   s->o->newey_west);
    return t;
}

static struct table *correlations_table(void)
{
    struct table *t = table_create("correlations", "Correlations of SDF returns, each pair on its common dates");
    table_key_columns(t);
    table_columns(t, {"with", NULL, TABLE_TEXT, 0}, {"correlation", NULL, TABLE_REAL, 2}, {"periods", NULL, TABLE_COUNT, 0});
    return t;
}

static struct table *tangency_table(const struct sample *s)
{
    struct table *t = table_create("tangency", "Tangency portfolio of the models");
    table_key_columns(t);
    table_columns(t, {"weight", NULL, TABLE_REAL, 2}, {"low", "95% from", TABLE_REAL, 2}, {"high", "to", TABLE_REAL, 2});
    table_note(
        t, "Weights >= 0 of sum 1 over returns scaled to equal volatility; intervals from %d resamples of the common dates.",
        s->o->bootstrap);
    return t;
}

/* ---- tables of one model's inside ---- */

int sample_selected(const struct result_model *m, int p)
{
    const double *ridge = results_values(m, "ridge"), *selected = results_values(m, "selected_ridge");
    for (int z = 0, nz = results_size(m, "ridge"); ridge && selected && z < nz; z++)
        if (selected[p] == ridge[z]) return z;
    return -1;
}

static void heads_row(struct sample *s, struct table *t, const struct result_model *m, double ridge, double heads,
                      const double *returns, int stride)
{
    int n = sample_take(s, returns, stride);
    table_key(t, m->universe, m->name);
    table_set(t, "ridge", ridge);
    table_set(t, "heads", heads);
    measure_values(t, MEASURES_HEADS, sample_measured(s, n));
}

static struct table *heads(struct sample *s)
{
    struct table *t = NULL;
    double *chosen = memory_array(double, s->r->P, "returns at the selected ridge");
    for (int i = 0; i < s->r->models; i++) {
        const struct result_model *m = &s->r->model[i];
        const double *returns = results_values(m, "returns_by_heads"), *ridge = results_values(m, "ridge"),
                     *count = results_values(m, "heads");
        int nz = results_size(m, "ridge"), nh = results_size(m, "head"), stride = nz * nh;
        if (!returns || !ridge || !count || !stride) continue;
        if (!t) {
            t = table_create("heads", "Heads and ridge");
            table_key_columns(t);
            table_columns(t, {"ridge", NULL, TABLE_GENERAL, 3}, {"heads", NULL, TABLE_COUNT, 0});
            measure_columns(t, MEASURES_HEADS);
            table_note(t, "No ridge in a row: the ridge selected in each window.");
        }
        for (int h = 0; h < nh; h++) {
            for (int p = 0; p < s->r->P; p++) {
                int z = sample_selected(m, p);
                chosen[p] = z < 0 ? NAN : returns[(size_t)p * (size_t)stride + (size_t)(z * nh + h)];
            }
            heads_row(s, t, m, NAN, count[h], chosen, 1);
        }
        for (int z = 0; z < nz; z++)
            for (int h = 0; h < nh; h++) heads_row(s, t, m, ridge[z], count[h], returns + z * nh + h, stride);
    }
    memory_free(chosen);
    return t;
}

static struct table *ridges(struct sample *s)
{
    struct table *t = NULL;
    for (int i = 0; i < s->r->models; i++) {
        const struct result_model *m = &s->r->model[i];
        const double *returns = results_values(m, "returns_by_ridge"), *ridge = results_values(m, "ridge");
        int nz = results_size(m, "ridge");
        if (!returns || !ridge || !nz) continue;
        if (!t) {
            t = table_create("ridge", "Ridge penalties: how often selected, and what each would have earned");
            table_key_columns(t);
            table_columns(t, {"ridge", NULL, TABLE_GENERAL, 3}, {"selected_share", "selected", TABLE_REAL, 2});
            measure_columns(t, MEASURES_RIDGE);
        }
        for (int z = 0; z < nz; z++) {
            int rows = 0, hits = 0, n = sample_take(s, returns + z, nz);
            for (int p = s->first; p < s->first + s->n; p++) {
                int at = sample_selected(m, p);
                rows += at >= 0;
                hits += at == z;
            }
            table_key(t, m->universe, m->name);
            table_set(t, "ridge", ridge[z]);
            table_set(t, "selected_share", rows ? (double)hits / rows : NAN);
            measure_values(t, MEASURES_RIDGE, sample_measured(s, n));
        }
    }
    return t;
}

static struct table *symmetry(struct sample *s)
{
    struct table *t = NULL;
    double *full = memory_array(double, 2 * (size_t)s->n, "returns of a part");
    for (int i = 0; i < s->r->models; i++) {
        const struct result_model *m = &s->r->model[i];
        const double *const series[] = {m->returns, results_values(m, "symmetric_returns"),
                                        results_values(m, "antisymmetric_returns")};
        if (!series[1] || !series[2]) continue;
        if (!t) {
            t = table_create("symmetry", "Symmetric and antisymmetric parts of linear attention");
            table_key_columns(t);
            table_column(t, "part", NULL, TABLE_TEXT, 0);
            measure_columns(t, MEASURES_SYMMETRY);
            table_columns(t, {"correlation", "correlation with total", TABLE_REAL, 2}, {"periods", NULL, TABLE_COUNT, 0});
        }
        const char *const part[] = {"total", "symmetric", "antisymmetric"};
        for (int j = 0; j < 3; j++) {
            int n = sample_take(s, series[j], 1);
            table_key(t, m->universe, m->name);
            table_set_text(t, "part", part[j]);
            table_set(t, "periods", n);
            measure_values(t, MEASURES_SYMMETRY, sample_measured(s, n));
            int common = sample_common(s, 2, (const double *const[]){series[0], series[j]}, full);
            table_set(t, "correlation", series_correlation(common, full, full + common));
        }
    }
    memory_free(full);
    return t;
}

static struct table *risk(struct sample *s)
{
    struct table *t = table_create("risk", "Risk");
    double *scaled = memory_array(double, s->n, "scaled returns");
    table_key_columns(t);
    table_column(t, "periods", NULL, TABLE_COUNT, 0);
    measure_columns(t, MEASURES_RISK);
    for (int i = 0; i < s->r->models; i++) {
        int n = sample_take(s, s->r->model[i].returns, 1);
        double scale = volatility_scale(n, s->series, s->r->periods_per_year);
        for (int p = 0; p < n; p++) scaled[p] = scale * s->series[p];
        struct measure_sample m = sample_measured(s, n);
        m.scaled = scaled;
        table_key(t, s->r->model[i].universe, s->r->model[i].name);
        table_set(t, "periods", n);
        measure_values(t, MEASURES_RISK, m);
    }
    table_note(t, "Every series scaled by one constant to 15%% volatility a year over the sample.");
    memory_free(scaled);
    return t;
}

int tables_build(const struct results *r, const struct table_options *o, struct tables *t, struct error *e)
{
    int first, n;
    *t = (struct tables){{NULL}};
    if (r->models == 0) return error_set(e, "%s: found no models; needed: at least one", r->path);
    if (tables_range(r, o, &first, &n, e)) return -1;
    if (r->rows_done == 0)
        return error_set(e, "%s: no row is finished yet (0 of %ld): nothing to measure", r->path, r->rows_total);
    struct sample s;
    sample_open(&s, r, o, first, n);
    t->table[TABLES_PERFORMANCE] = performance(&s);
    t->table[TABLES_ALPHAS] = alphas_table(&s);
    t->table[TABLES_CORRELATIONS] = correlations_table();
    t->table[TABLES_TANGENCY] = tangency_table(&s);
    const char **universe = memory_array(const char *, r->models, "universes");
    int *member = memory_array(int, r->models, "models"), universes = sample_universes(r, universe);
    for (int u = 0; u < universes; u++) {
        int k = sample_members(&s, universe[u], member);
        if (k == 0) continue;
        alphas_of(&s, t->table[TABLES_ALPHAS], member, k);
        correlations_of(&s, t->table[TABLES_CORRELATIONS], member, k);
        tangency_of(&s, t->table[TABLES_TANGENCY], member, k);
    }
    t->table[TABLES_HEADS] = heads(&s);
    t->table[TABLES_RIDGE] = ridges(&s);
    t->table[TABLES_SYMMETRY] = symmetry(&s);
    t->table[TABLES_RISK] = risk(&s);
    memory_free(universe);
    memory_free(member);
    sample_close(&s);
    char words[PLACEBO_TEXT];
    if (r->placebo.kind)
        table_note(t->table[TABLES_PERFORMANCE],
                   placebo_empty(&r->placebo)
                       ? "Placebo: %s. What stands here is what the models find where there is nothing."
                       : "Altered rows: %s.",
                   placebo_words(&r->placebo, words));
    tables_qualify(r, TABLES, t->table);
    return 0;
}

void tables_qualify(const struct results *r, int n, struct table *const *t)
{
    char words[PLACEBO_TEXT], qualified[PLACEBO_TEXT + 16];
    if (!r->placebo.kind) return;
    snprintf(qualified, sizeof qualified, "%s: %s", placebo_sort(&r->placebo), placebo_words(&r->placebo, words));
    for (int i = 0; i < n; i++)
        if (t[i]) table_qualify(t[i], qualified);
}

void tables_free(struct tables *t)
{
    for (int i = 0; i < TABLES; i++) table_free(t->table[i]);
    *t = (struct tables){{NULL}};
}
