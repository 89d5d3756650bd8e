/* Moments, Newey-West variances, Sharpe ratios and quantiles of return series. */
#include "measure/series.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

double series_mean(int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return n ? sum / n : NAN;
}

double series_sd(int n, const double *x)
{
    if (n < 2) return NAN;
    double mean = series_mean(n, x), sum = 0, largest = 0;
    for (int i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean), largest = fmax(largest, fabs(x[i]));
    double sd = sqrt(sum / (n - 1));
    return sd > 1e-14 * largest ? sd : 0;
}

double series_correlation(int n, const double *x, const double *y)
{
    if (n < 2 || !(series_sd(n, x) > 0) || !(series_sd(n, y) > 0)) return NAN;
    double mx = series_mean(n, x), my = series_mean(n, y), xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        double a = x[i] - mx, b = y[i] - my;
        xx += a * a, yy += b * b, xy += a * b;
    }
    return fmax(-1, fmin(1, xy / sqrt(xx * yy)));
}

int common_rows(int P, int k, const double *const *series, int *index)
{
    int n = 0;
    for (int p = 0; p < P; p++) {
        bool all = true;
        for (int i = 0; i < k && all; i++) all = isfinite(series[i][p]);
        if (all) index[n++] = p;
    }
    return n;
}

void series_gather(int n, const int *index, const double *x, double *out)
{
    for (int i = 0; i < n; i++) out[i] = x[index[i]];
}

void date_range(int P, const int64_t *dates, int64_t from, int64_t to, int *first, int *count)
{
    int a = 0, b = P;
    const int64_t day = 100000000, minutes = 10000; /* beyond 8 digits: YYYYMMDDhhmm */
    for (int p = 0; p < P; p++) {
        bool fine = dates[p] >= day;
        int64_t low = fine && from < day ? from * minutes : from, high = fine && to && to < day ? to * minutes + 2359 : to;
        if (from && dates[p] < low) a = p + 1;
        if (to && dates[p] > high && p < b) b = p;
    }
    *first = a;
    *count = b > a ? b - a : 0;
}

double volatility_scale(int n, const double *x, double periods_per_year)
{
    double sd = series_sd(n, x);
    return sd > 0 ? 0.15 / (sqrt(periods_per_year) * sd) : NAN;
}

double sharpe_ratio(int n, const double *x, double periods_per_year)
{
    double sd = series_sd(n, x);
    return sd > 0 ? sqrt(periods_per_year) * series_mean(n, x) / sd : NAN;
}

double sharpe_error(int n, const double *x, double periods_per_year)
{
    double sd = series_sd(n, x);
    if (!(sd > 0)) return NAN;
    double sr = series_mean(n, x) / sd;
    return sqrt(periods_per_year * (1 + sr * sr / 2) / n);
}

int newey_west_lags(int n)
{
    return n > 0 ? (int)(4 * pow(n / 100.0, 2.0 / 9)) : 0;
}

double newey_west_sum(int n, const double *v, int lags)
{
    double sum = 0;
    for (int l = 0; l <= lags && l < n; l++) {
        double at = 0;
        for (int i = l; i < n; i++) at += v[i] * v[i - l];
        sum += l ? 2 * (1 - l / (lags + 1.0)) * at : at;
    }
    return sum;
}

/* What observation i moves the per-period Sharpe ratio by, times n: z - SR (z^2 - 1) / 2 with z the standardised return. */
static void influence(int n, const double *x, double *out)
{
    double mean = series_mean(n, x), sd = series_sd(n, x) * sqrt((n - 1.0) / n), sr = mean / sd;
    for (int i = 0; i < n; i++) {
        double z = (x[i] - mean) / sd;
        out[i] = z - sr * (z * z - 1) / 2;
    }
}

static double influence_error(int n, const double *h, double periods_per_year, int lags)
{
    double variance = newey_west_sum(n, h, lags < 0 ? newey_west_lags(n) : lags);
    return variance >= 0 ? sqrt(periods_per_year * variance) / n : NAN;
}

double sharpe_error_robust(int n, const double *x, double periods_per_year, int lags)
{
    if (!(series_sd(n, x) > 0)) return NAN;
    double *h = memory_array(double, n, "influence");
    influence(n, x, h);
    double error = influence_error(n, h, periods_per_year, lags);
    memory_free(h);
    return error;
}

double sharpe_difference(int n, const double *x, const double *y, double periods_per_year, int lags, double *error)
{
    *error = NAN;
    if (!(series_sd(n, x) > 0) || !(series_sd(n, y) > 0)) return NAN;
    double *h = memory_array(double, 2 * (size_t)n, "influence");
    influence(n, x, h);
    influence(n, y, h + n);
    for (int i = 0; i < n; i++) h[i] -= h[n + i];
    *error = influence_error(n, h, periods_per_year, lags);
    memory_free(h);
    return sharpe_ratio(n, x, periods_per_year) - sharpe_ratio(n, y, periods_per_year);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_doubles(int n, double *x)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
}

double quantile(int n, const double *sorted, double p)
{
    double at = p * (n - 1);
    int i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}
