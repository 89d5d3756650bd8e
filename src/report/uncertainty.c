/* Bootstrap intervals of the measures, and tests of whether two models differ. */
#include "uncertainty.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "measure/bootstrap.h"
#include "measure/series.h"

static const double LEVEL = 0.95;

/* Resamples of n dates drawn once for all models that share them: count [B, n]. */
struct resamples {
    int B, n, block;
    int *count;
};

static void resamples_draw(struct resamples *d, const struct sample *s, int n)
{
    if (d->n == n && d->count) return;
    memory_free(d->count);
    *d = (struct resamples){.B = s->o->bootstrap, .n = n, .block = bootstrap_block(n)};
    d->count = memory_array(int, (size_t)d->B *(size_t)n, "bootstrap resamples");
    for (int b = 0; b < d->B; b++) bootstrap_counts(s->o->seed, b, n, d->block, d->count + (size_t)b * (size_t)n);
}

static double resampled_mean(int n, const double *x, const int *count)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += count[i] * x[i];
    return sum / n;
}

static double resampled_sharpe(int n, const double *x, const int *count, double periods_per_year)
{
    double mean = resampled_mean(n, x, count), squares = 0;
    for (int i = 0; i < n; i++) squares += count[i] * (x[i] - mean) * (x[i] - mean);
    return squares > 0 ? sqrt(periods_per_year) * mean / sqrt(squares / (n - 1)) : NAN;
}

/* Distances are >= 0: so are the ends of their intervals; under a square root both are taken to the root. */
static double distance_of(double squared, bool root)
{
    return root ? sqrt(fmax(0, squared)) : fmax(0, squared);
}

static void put_intervals(struct sample *s, struct resamples *d, struct table *t, int n, double hjd)
{
    double *draw = memory_array(double, (size_t)d->B + (size_t)n, "draws"), *phi = draw + d->B, low, high;
    for (int b = 0; b < d->B; b++)
        draw[b] = resampled_sharpe(n, s->series, d->count + (size_t)b * (size_t)n, s->r->periods_per_year);
    bootstrap_interval(d->B, draw, LEVEL, &low, &high);
    table_set(t, "sharpe_low", low);
    table_set(t, "sharpe_high", high);
    table_set(t, "hjd", hjd);
    if (isfinite(hjd)) {
        hjd_contributions(&s->hjd, s->series, phi);
        for (int b = 0; b < d->B; b++) draw[b] = resampled_mean(n, phi, d->count + (size_t)b * (size_t)n);
        bootstrap_interval(d->B, draw, LEVEL, &low, &high);
        table_set(t, "hjd_low", distance_of(low, s->o->hjd_root));
        table_set(t, "hjd_high", distance_of(high, s->o->hjd_root));
    }
    memory_free(draw);
}

struct table *uncertainty_table(struct sample *s)
{
    const struct results *r = s->r;
    struct table *t = table_create("uncertainty", "How sure the figures are");
    struct resamples d = {0};
    table_key_columns(t);
    table_columns(t, {"periods", NULL, TABLE_COUNT, 0}, {"sharpe", "Sharpe", TABLE_REAL, 2},
                  {"sharpe_se", "s.e. (iid)", TABLE_REAL, 2}, {"sharpe_se_robust", "s.e. (robust)", TABLE_REAL, 2},
                  {"sharpe_low", "95% from", TABLE_REAL, 2}, {"sharpe_high", "to", TABLE_REAL, 2},
                  {"hjd", "HJD", TABLE_REAL, 3}, {"hjd_low", "95% from", TABLE_REAL, 3}, {"hjd_high", "to", TABLE_REAL, 3});
    for (int i = 0; i < r->models + (r->truth != NULL); i++) {
        bool truth = i == r->models;
        int n = sample_take(s, truth ? r->truth : r->model[i].returns, 1);
        table_key(t, truth ? "all" : r->model[i].universe, truth ? "truth" : r->model[i].name);
        table_set(t, "periods", n);
        table_set(t, "sharpe", sharpe_ratio(n, s->series, r->periods_per_year));
        table_set(t, "sharpe_se", sharpe_error(n, s->series, r->periods_per_year));
        table_set(t, "sharpe_se_robust", sharpe_error_robust(n, s->series, r->periods_per_year, -1));
        if (n < 2) continue;
        resamples_draw(&d, s, n);
        put_intervals(s, &d, t, n, r->M ? sample_hjd(s, n, NULL) : NAN);
    }
    table_note(t,
               "Robust: Newey-West over %d lags for %d periods. Intervals: %d circular-block resamples of the dates, blocks "
               "of about %d; HJD's "
               "with the pricing errors' combination held (Hansen, Heaton and Luttmer 1995).",
               newey_west_lags(s->n), s->n, s->o->bootstrap, bootstrap_block(s->n));
    memory_free(d.count);
    return t;
}

/* Two-sided, from the normal distribution. */
static double p_value(double t)
{
    return erfc(fabs(t) / sqrt(2));
}

/* Difference of the (squared) distances of two series gathered one after the other on the dates in s->index, with its bootstrap
 * interval. */
static void put_hjd_difference(struct sample *s, struct resamples *d, struct table *t, int n, const double *pair)
{
    if (!s->r->M || n < 2) return;
    double *phi = memory_array(double, 3 * (size_t)n + (size_t)s->o->bootstrap, "contributions"),
           *draw = phi + 3 * (size_t)n, low = NAN, high = NAN;
    for (int i = 0; i < n; i++) s->index[i] += s->first;
    for (int k = 0; k < 2; k++) {
        memcpy(s->series, pair + (size_t)k * (size_t)n, (size_t)n * sizeof *pair);
        sample_hjd(s, n, NULL);
        hjd_contributions(&s->hjd, s->series, phi + (size_t)k * (size_t)n);
    }
    double difference = 0;
    for (int i = 0; i < n; i++) phi[2 * n + i] = phi[i] - phi[n + i], difference += phi[2 * n + i] / n;
    if (isfinite(difference)) {
        resamples_draw(d, s, n);
        for (int b = 0; b < d->B; b++) draw[b] = resampled_mean(n, phi + 2 * n, d->count + (size_t)b * (size_t)n);
        bootstrap_interval(d->B, draw, LEVEL, &low, &high);
    }
    table_set(t, "hjd_difference", difference);
    table_set(t, "hjd_low", low);
    table_set(t, "hjd_high", high);
    memory_free(phi);
}

struct table *differences_table(struct sample *s)
{
    const struct results *r = s->r;
    struct table *t = table_create("differences", "Do the models differ?");
    struct resamples d = {0};
    table_key_columns(t);
    table_columns(t, {"against", NULL, TABLE_TEXT, 0}, {"periods", NULL, TABLE_COUNT, 0},
                  {"sharpe_difference", "Sharpe, difference", TABLE_REAL, 2},
                  {"sharpe_difference_se", "s.e.", TABLE_REAL, 2}, {"t", NULL, TABLE_REAL, 1}, {"p", NULL, TABLE_REAL, 3},
                  {"hjd_difference", "HJD squared, difference", TABLE_REAL, 3}, {"hjd_low", "95% from", TABLE_REAL, 3},
                  {"hjd_high", "to", TABLE_REAL, 3});
    double *pair = memory_array(double, 2 * (size_t)s->n, "common returns");
    for (int i = 0; i < r->models; i++)
        for (int j = 0; j < i; j++) {
            const struct result_model *a = &r->model[i], *b = &r->model[j];
            if (strcmp(a->universe, b->universe)) continue;
            double error;
            int n = sample_common(s, 2, (const double *const[]){a->returns, b->returns}, pair);
            double difference = sharpe_difference(n, pair, pair + n, r->periods_per_year, -1, &error);
            table_key(t, a->universe, a->name);
            table_set_text(t, "against", b->name);
            table_set(t, "periods", n);
            table_set(t, "sharpe_difference", difference);
            table_set(t, "sharpe_difference_se", error);
            table_set(t, "t", error > 0 ? difference / error : NAN);
            table_set(t, "p", error > 0 ? p_value(difference / error) : NAN);
            put_hjd_difference(s, &d, t, n, pair);
        }
    table_note(t, "On common dates; Sharpe ratios per year with errors robust to autocorrelation and fat tails (Ledoit and "
                  "Wolf 2008); HJD squared with "
                  "block-bootstrap intervals. One test in twenty has p < 0.05 where nothing differs: with many pairs, read "
                  "p against 0.05 / pairs.");
    memory_free(pair);
    memory_free(d.count);
    return t;
}
