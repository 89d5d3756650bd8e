/* Momentum portfolios of factors, and regressions of a return series on the factors' returns by age. */
#include "measure/momentum.h"

#include <lapacke.h>
#include <math.h>
#include <stddef.h>

#include "base/memory.h"
#include "measure/series.h"

static double mean_of(int D, const double *F, int d, int first, int end)
{
    double sum = 0;
    for (int t = first; t < end; t++) sum += F[(size_t)t * (size_t)D + (size_t)d];
    return sum / (end - first);
}

static double variance_of(int D, const double *F, int d, int first, int end)
{
    double mean = mean_of(D, F, d, first, end), sum = 0;
    for (int t = first; t < end; t++) {
        double x = F[(size_t)t * (size_t)D + (size_t)d] - mean;
        sum += x * x;
    }
    return sum / (end - first);
}

/* One period's portfolio, held: ages [first, end) for the means, [back, t) for the variances. */
static double held(int D, const double *F, int t, int first, int end, int back, bool bounded)
{
    double sum = 0, square = 0;
    for (int d = 0; d < D; d++) {
        double v = variance_of(D, F, d, back, t), m = mean_of(D, F, d, first, end);
        if (!(v > 0)) continue;
        sum += m / v * F[(size_t)t * (size_t)D + (size_t)d];
        square += m * m / v;
    }
    return bounded ? sum / (1 + square) : sum;
}

void momentum_returns(int T, int D, const double *F, int window, int from, int to, bool bounded, double *out)
{
    int longest = window > to ? window : to;
    for (int t = 0; t < T; t++) out[t] = t < longest ? NAN : held(D, F, t, t - to, t - from + 1, t - window, bounded);
}

void momentum_fixed(int T, int D, const double *F, int first, double *out)
{
    for (int t = 0; t < T; t++) out[t] = t < first || t < 2 ? NAN : held(D, F, t, 0, t, 0, true);
}

int momentum_loadings(int n, const double *y, int k, const double *x, double *slope, double *t, double *r2)
{
    size_t N = (size_t)n, K = (size_t)k;
    *r2 = NAN;
    for (int j = 0; j < k; j++) slope[j] = t[j] = NAN;
    if (n < k + 3) return -1;
    double *z = memory_array(double, K *N + K * K + 2 * K + N, "regression"), *A = z + K * N, *b = A + K * K, *sd = b + K,
           *e = sd + K;
    double mean = series_mean(n, y), total = 0, left = 0;
    for (size_t j = 0; j < K; j++) { /* regressors in units of their standard deviations: comparable pivots */
        double m = series_mean(n, x + j * N);
        sd[j] = series_sd(n, x + j * N);
        for (size_t i = 0; i < N; i++) z[j * N + i] = sd[j] > 0 ? (x[j * N + i] - m) / sd[j] : 0;
    }
    for (size_t i = 0; i < N; i++) e[i] = y[i] - mean, total += e[i] * e[i];
    for (size_t j = 0; j < K; j++) {
        for (size_t i = 0; i < N; i++) b[j] += z[j * N + i] * e[i];
        for (size_t l = 0; l <= j; l++)
            for (size_t i = 0; i < N; i++) A[j * K + l] += z[j * N + i] * z[l * N + i];
    }
    int status = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', k, A, k) ? -1 : 0;
    for (size_t j = 0; j < K && !status; j++)
        if (A[j * K + j] * A[j * K + j] < 1e-10 * n) status = -1;
    if (!status) {
        LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', k, 1, A, k, b, 1);
        LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', k, A, k);
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < K; j++) e[i] -= b[j] * z[j * N + i];
            left += e[i] * e[i];
        }
        for (size_t j = 0; j < K; j++) {
            slope[j] = b[j] / sd[j];
            t[j] = b[j] / sqrt(left / (n - k - 1) * A[j * K + j]);
        }
        *r2 = total > 0 ? 1 - left / total : NAN;
    }
    memory_free(z);
    return status;
}
