/* The long-only tangency portfolio by nonnegative least squares. */
#include "measure/tangency.h"

#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "measure/bootstrap.h"

const char *tangency_reason(enum tangency_code code)
{
    switch (code) {
    case TANGENCY_FINE: return "";
    case TANGENCY_TOO_FEW_PERIODS: return "not enough common dates";
    case TANGENCY_NO_POSITIVE_MEAN: return "no series has a positive mean";
    }
    return "";
}

/* Solve A_PP z = b_P over the m free series of list; false if that block is singular to rounding. */
static bool solve_free(int k, const double *A, const double *b, int m, const int *list, double *block, double *z)
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < m; j++)
            block[(size_t)i * (size_t)m + (size_t)j] = A[(size_t)list[i] * (size_t)k + (size_t)list[j]];
        z[i] = b[list[i]];
    }
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', m, block, m)) return false;
    for (int i = 0; i < m; i++) {
        double pivot = block[(size_t)i * (size_t)m + (size_t)i];
        if (pivot * pivot < 1e-11 * A[(size_t)list[i] * (size_t)k + (size_t)list[i]]) return false;
    }
    return LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', m, 1, block, m, z, 1) == 0;
}

static int list_free(int k, const bool *is_free, int *list)
{
    int m = 0;
    for (int i = 0; i < k; i++)
        if (is_free[i]) list[m++] = i;
    return m;
}

/* Free weights go from w to z as far as they stay >= 0; those that reach 0 are bound again. Returns whether all of z was taken. */
static bool step_towards(int m, const int *list, const double *z, double *w, bool *is_free)
{
    double step = 1;
    for (int i = 0; i < m; i++)
        if (z[i] <= 0 && w[list[i]] / (w[list[i]] - z[i]) < step) step = w[list[i]] / (w[list[i]] - z[i]);
    bool whole = true;
    for (int i = 0; i < m; i++) {
        int s = list[i];
        bool binds = z[i] <= 0 && w[s] / (w[s] - z[i]) <= step;
        w[s] = binds ? 0 : w[s] + step * (z[i] - w[s]);
        if (binds) is_free[s] = false, whole = false;
    }
    return whole;
}

void nonnegative_least_squares(int k, const double *A, const double *b, double *w)
{
    size_t K = (size_t)k;
    double *block = memory_array(double, K *K + K, "free block"), *z = block + K * K;
    int *list = memory_array(int, K, "free series");
    bool *is_free = memory_array(bool, 2 * K, "active set"), *barred = is_free + K;
    memset(w, 0, K * sizeof *w);
    for (int round = 0; round < 10 * k + 10; round++) {
        int enter = -1;
        double steepest = 1e-12;
        for (int i = 0; i < k; i++) {
            double gradient = b[i], size = fabs(b[i]);
            for (int j = 0; j < k; j++)
                gradient -= A[(size_t)i * K + (size_t)j] * w[j], size += fabs(A[(size_t)i * K + (size_t)j] * w[j]);
            if (!is_free[i] && !barred[i] && gradient > steepest && gradient > 1e-12 * size) enter = i, steepest = gradient;
        }
        if (enter < 0) break;
        is_free[enter] = true;
        int m = list_free(k, is_free, list);
        if (!solve_free(k, A, b, m, list, block, z)) { /* spanned by the free ones: adds nothing */
            is_free[enter] = false, barred[enter] = true;
            continue;
        }
        while (m && !step_towards(m, list, z, w, is_free)) {
            m = list_free(k, is_free, list);
            if (m) solve_free(k, A, b, m, list, block, z);
        }
        /* with another set of free series the barred ones may help again, unless this one bounced straight back */
        if (is_free[enter]) memset(barred, 0, K * sizeof *barred);
        else barred[enter] = true;
    }
    memory_free_all(block, list, is_free);
}

/* From means and uncentred second moments (divisor n) of the series. */
static enum tangency_code from_moments(int k, const double *mean, const double *second, double *w, double *sharpe)
{
    size_t K = (size_t)k;
    double *A = memory_array(double, K *K + 2 * K, "scaled moments"), *b = A + K * K, *inverse = b + K, total = 0;
    enum tangency_code code = TANGENCY_FINE;
    for (int i = 0; i < k; i++) {
        double square = second[(size_t)i * K + (size_t)i], variance = square - mean[i] * mean[i];
        inverse[i] = variance > 1e-13 * square ? 1 / sqrt(variance) : 0;
    }
    for (int i = 0; i < k; i++) {
        b[i] = mean[i] * inverse[i];
        for (int j = 0; j < k; j++)
            A[(size_t)i * K + (size_t)j] = second[(size_t)i * K + (size_t)j] * inverse[i] * inverse[j];
    }
    nonnegative_least_squares(k, A, b, w);
    for (int i = 0; i < k; i++) total += w[i];
    if (!(total > 0)) code = TANGENCY_NO_POSITIVE_MEAN;
    for (int i = 0; i < k; i++) w[i] = code ? NAN : w[i] / total;
    if (sharpe) {
        double m = 0, s = 0;
        for (int i = 0; i < k; i++) {
            m += w[i] * b[i];
            for (int j = 0; j < k; j++) s += w[i] * w[j] * A[(size_t)i * K + (size_t)j];
        }
        *sharpe = m / sqrt(s - m * m);
    }
    memory_free(A);
    return code;
}

/* Moments with date i counted count[i] times (NULL: once). */
static void moments(int n, int k, const double *x, const int *count, double *mean, double *second)
{
    for (int a = 0; a < k; a++) {
        const double *u = x + (size_t)a * (size_t)n;
        mean[a] = 0;
        for (int i = 0; i < n; i++) mean[a] += (count ? count[i] : 1) * u[i] / n;
        for (int b = 0; b <= a; b++) {
            const double *v = x + (size_t)b * (size_t)n;
            double sum = 0;
            for (int i = 0; i < n; i++) sum += (count ? count[i] : 1) * u[i] * v[i];
            second[(size_t)a * (size_t)k + (size_t)b] = second[(size_t)b * (size_t)k + (size_t)a] = sum / n;
        }
    }
}

enum tangency_code tangency_weights(int n, int k, const double *x, double *w, double *sharpe)
{
    if (sharpe) *sharpe = NAN;
    for (int i = 0; i < k; i++) w[i] = NAN;
    if (n < k + 2) return TANGENCY_TOO_FEW_PERIODS;
    double *mean = memory_array(double, (size_t)k *(size_t)(k + 1), "moments");
    moments(n, k, x, NULL, mean, mean + k);
    enum tangency_code code = from_moments(k, mean, mean + k, w, sharpe);
    if (sharpe) *sharpe *= sqrt((n - 1.0) / n); /* standard deviation with divisor n - 1, as sharpe_ratio */
    memory_free(mean);
    return code;
}

void tangency_intervals(int n, int k, const double *x, int B, int block, double level, uint64_t seed, double *low,
                        double *high)
{
    size_t K = (size_t)k;
    double *mean = memory_array(double, K *(K + 1), "moments"), *w = memory_array(double, K, "weights");
    double *draws = memory_array(double, K *(size_t)B, "bootstrap draws"); /* [k, B] */
    int *count = memory_array(int, n, "resample");
    for (int i = 0; i < k; i++) low[i] = high[i] = NAN;
    if (n >= k + 2 && B > 0) {
        for (int d = 0; d < B; d++) {
            bootstrap_counts(seed, d, n, block, count);
            moments(n, k, x, count, mean, mean + k);
            from_moments(k, mean, mean + k, w, NULL);
            for (int i = 0; i < k; i++) draws[(size_t)i * (size_t)B + (size_t)d] = w[i];
        }
        for (int i = 0; i < k; i++) bootstrap_interval(B, draws + (size_t)i * (size_t)B, level, &low[i], &high[i]);
    }
    memory_free_all(mean, w, draws, count);
}
