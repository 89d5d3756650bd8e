/* Drawdowns, turnover, hit rates and the Sortino ratio. */
#include "measure/trading.h"

#include <math.h>

#include "measure/series.h"

double sortino_ratio(int n, const double *x, double periods_per_year)
{
    double below = 0;
    for (int i = 0; i < n; i++)
        if (x[i] < 0) below += x[i] * x[i];
    return below > 0 ? sqrt(periods_per_year) * series_mean(n, x) / sqrt(below / n) : NAN;
}

void drawdown_path(int n, const double *x, double *out)
{
    double level = 0, top = 0;
    for (int i = 0; i < n; i++) {
        level += x[i];
        top = fmax(top, level);
        out[i] = level - top;
    }
}

double drawdown_largest(int n, const double *x)
{
    double level = 0, top = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        level += x[i];
        top = fmax(top, level);
        largest = fmax(largest, top - level);
    }
    return n && isfinite(level) ? largest : NAN;
}

double hit_rate(int n, const double *x)
{
    int up = 0;
    for (int i = 0; i < n; i++) up += x[i] > 0;
    return n ? (double)up / n : NAN;
}

double turnover_between(int64_t n_old, const int64_t *old_ids, const float *old_weights, int64_t n_new,
                        const int64_t *new_ids, const float *new_weights)
{
    double sum = 0;
    for (int64_t i = 0, j = 0; i < n_old || j < n_new;) {
        if (j == n_new || (i < n_old && old_ids[i] < new_ids[j])) sum += fabs((double)old_weights[i++]);
        else if (i == n_old || new_ids[j] < old_ids[i]) sum += fabs((double)new_weights[j++]);
        else sum += fabs((double)new_weights[j++] - (double)old_weights[i++]);
    }
    return sum;
}
