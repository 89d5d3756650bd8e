/* Regression of one portfolio on others by a pivoted QR factorisation, plain or with Newey-West standard errors. */
#include "measure/alpha.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stddef.h>

#include "base/memory.h"
#include "measure/series.h"

const char *alpha_reason(enum alpha_code code)
{
    switch (code) {
    case ALPHA_FINE: return "";
    case ALPHA_TOO_FEW_PERIODS: return "not enough common dates for the regression";
    case ALPHA_CONSTANT: return "the returns do not vary";
    case ALPHA_SPANNED: return "the returns are an exact combination of the others";
    }
    return "";
}

/* out = x scaled to 15% a year less its mean, which is returned; a series without variation gives zeros. */
static double scale_and_centre(int n, const double *x, double periods_per_year, double *out)
{
    double scale = volatility_scale(n, x, periods_per_year), s = isnan(scale) ? 0 : scale, mean = series_mean(n, x);
    for (int i = 0; i < n; i++) out[i] = s * (x[i] - mean);
    return s * mean;
}

/* Pivoted QR of the centred regressors leaves collinear ones out. With Q the kept directions and w = R^-T times their means, the
 * intercept is sum_i a_i y_i with a = 1/n - Q w: its standard error follows from a and the residuals alone. */
void alpha_regress(int n, const double *y, int k, const double *x, double periods_per_year, int lags, struct alpha *out)
{
    *out = (struct alpha){.percent = NAN, .percent_per_year = NAN, .t = NAN, .residual = NAN, .beta = NAN, .periods = n};
    if (n < 3) {
        out->code = ALPHA_TOO_FEW_PERIODS;
        return;
    }
    size_t N = (size_t)n, K = (size_t)(k > 0 ? k : 1);
    double *work = memory_array(double, N *K + 3 * N + 4 * K, "regression"), *Q = work, *yc = Q + N * K, *e = yc + N,
           *a = e + N;
    double *mean = a + N, *tau = mean + K, *w = tau + K, *projection = w + K;
    lapack_int *pivot = memory_array(lapack_int, K, "pivots");
    double y_mean = scale_and_centre(n, y, periods_per_year, yc);
    for (int j = 0; j < k; j++) mean[j] = scale_and_centre(n, x + (size_t)j * N, periods_per_year, Q + (size_t)j * N);
    int rank = 0;
    if (k > 0 && !LAPACKE_dgeqp3(LAPACK_COL_MAJOR, n, k, Q, n, pivot, tau))
        while (rank < k && rank < n && fabs(Q[(size_t)rank * N + (size_t)rank]) > 1e-9 * fabs(Q[0])) rank++;
    out->rank = rank;
    if (!(series_sd(n, y) > 0)) out->code = ALPHA_CONSTANT;
    else if (n < rank + 2) out->code = ALPHA_TOO_FEW_PERIODS;
    else {
        for (int j = 0; j < rank; j++) w[j] = mean[pivot[j] - 1];
        double slope_of = rank ? Q[0] : 1;
        if (rank) {
            cblas_dtrsv(CblasColMajor, CblasUpper, CblasTrans, CblasNonUnit, rank, Q, n, w, 1);
            LAPACKE_dorgqr(LAPACK_COL_MAJOR, n, rank, rank, Q, n, tau);
            cblas_dgemv(CblasColMajor, CblasTrans, n, rank, 1, Q, n, yc, 1, 0, projection, 1);
        }
        cblas_dcopy(n, yc, 1, e, 1);
        for (int i = 0; i < n; i++) a[i] = 1.0 / n;
        if (rank) {
            cblas_dgemv(CblasColMajor, CblasNoTrans, n, rank, -1, Q, n, projection, 1, 1, e, 1);
            cblas_dgemv(CblasColMajor, CblasNoTrans, n, rank, -1, Q, n, w, 1, 1, a, 1);
        }
        double alpha = y_mean - cblas_ddot(rank, w, 1, projection, 1), ee = cblas_ddot(n, e, 1, e, 1), variance;
        out->percent = 100 * alpha;
        out->percent_per_year = 100 * alpha * periods_per_year;
        if (k == 1) out->beta = rank ? projection[0] / slope_of : NAN;
        if (ee <= 1e-20 * cblas_ddot(n, yc, 1, yc, 1)) out->code = ALPHA_SPANNED;
        else {
            out->residual = sqrt(ee / (n - rank - 1));
            if (lags < 0) variance = ee / (n - rank - 1) * cblas_ddot(n, a, 1, a, 1);
            else {
                for (int i = 0; i < n; i++) e[i] *= a[i];
                variance = newey_west_sum(n, e, lags);
            }
            out->t = variance > 0 ? alpha / sqrt(variance) : NAN;
        }
    }
    memory_free(work);
    memory_free(pivot);
}
