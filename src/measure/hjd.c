/* The Hansen-Jagannathan distance in the eigenbasis of the test assets' second moments. */
#include "measure/hjd.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stddef.h>

#include "base/memory.h"

static const double CUTOFF = 1e-12;

const char *hjd_reason(enum hjd_code code)
{
    switch (code) {
    case HJD_FINE: return "";
    case HJD_NO_ASSETS: return "no test asset is there on all of the model's dates";
    case HJD_TOO_FEW_PERIODS: return "not more periods than test assets";
    case HJD_FAILED: return "the test assets' second moments have no eigen-decomposition";
    }
    return "";
}

/* The complete columns of F on the dates of index: F [n, assets] and the mean of each. Returns assets. */
static int gather(int M, const double *F, int n, const int *index, double *out, double *mean)
{
    int *keep = memory_array(int, M, "test assets"), m = 0;
    for (int j = 0; j < M; j++) {
        bool complete = n > 0;
        for (int i = 0; i < n && complete; i++) complete = isfinite(F[(size_t)index[i] * (size_t)M + (size_t)j]);
        if (complete) keep[m++] = j;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            out[(size_t)i * (size_t)m + (size_t)j] = F[(size_t)index[i] * (size_t)M + (size_t)keep[j]];
    for (int j = 0; j < m; j++) {
        mean[j] = 0;
        for (int i = 0; i < n; i++) mean[j] += out[(size_t)i * (size_t)m + (size_t)j] / n;
    }
    memory_free(keep);
    return m;
}

/* U [m, rank] with U U' = S^+; S [m, m] is overwritten. Assets are first scaled to a unit diagonal, so that the cutoff does not
 * depend on their units. Returns rank, or -1. */
static int inverse_root(int m, double *S, double *U)
{
    double *scale = memory_array(double, m, "scales"), *eigen = memory_array(double, m, "eigenvalues");
    int rank = 0;
    for (int j = 0; j < m; j++) {
        double d = S[(size_t)j * (size_t)m + (size_t)j];
        scale[j] = d > 0 ? 1 / sqrt(d) : 0;
    }
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) S[(size_t)i * (size_t)m + (size_t)j] *= scale[i] * scale[j];
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', m, S, m, eigen)) rank = -1;
    for (int k = 0; k < m && rank >= 0; k++)
        if (eigen[k] > CUTOFF * eigen[m - 1] && eigen[k] > 0) rank++;
    for (int i = 0; i < m && rank > 0; i++) /* eigenvalues ascend: the last `rank` stay */
        for (int k = 0; k < rank; k++)
            U[(size_t)i * (size_t)rank + (size_t)k] =
                scale[i] * S[(size_t)i * (size_t)m + (size_t)(m - rank + k)] / sqrt(eigen[m - rank + k]);
    memory_free(scale);
    memory_free(eigen);
    return rank;
}

void hjd_create(struct hjd *h, int M, const double *F, int n, const int *index, bool covariance, bool root)
{
    *h = (struct hjd){.n = n, .covariance = covariance, .root = root};
    double *sample = memory_array(double, (size_t)n *(size_t)M, "test assets"), *mean = memory_array(double, M, "means");
    int m = h->assets = gather(M, F, n, index, sample, mean);
    if (m == 0 || n <= m) h->code = m ? HJD_TOO_FEW_PERIODS : HJD_NO_ASSETS;
    else {
        double *S = memory_array(double, (size_t)m *(size_t)m, "second moments"),
               *U = memory_array(double, (size_t)m *(size_t)m, "weighting");
        double *centred = memory_array(double, (size_t)n *(size_t)m, "test assets");
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++)
                centred[(size_t)i * (size_t)m + (size_t)j] =
                    sample[(size_t)i * (size_t)m + (size_t)j] - (covariance ? mean[j] : 0);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, m, n, 1.0 / n, centred, m, centred, m, 0, S, m);
        h->rank = inverse_root(m, S, U);
        if (h->rank <= 0) h->code = HJD_FAILED, h->rank = 0;
        else {
            h->projected = memory_array(double, (size_t)n *(size_t)h->rank, "projected test assets");
            h->mean = memory_array(double, h->rank, "means");
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, h->rank, m, 1, sample, m, U, h->rank, 0, h->projected,
                        h->rank);
            cblas_dgemv(CblasRowMajor, CblasTrans, m, h->rank, 1, U, h->rank, mean, 1, 0, h->mean, 1);
        }
        memory_free_all(S, U, centred);
    }
    memory_free(sample);
    memory_free(mean);
}

void hjd_free(struct hjd *h)
{
    memory_free(h->projected);
    memory_free(h->mean);
    *h = (struct hjd){0};
}

/* With a = E[F U] and b = E[R F U] the distance is |a - b|^2, and |a - c b|^2 is smallest at c = a'b / b'b. */
double hjd_distance(const struct hjd *h, const double *returns, double *scaled)
{
    if (scaled) *scaled = NAN;
    if (h->code != HJD_FINE) return NAN;
    double *b = memory_array(double, h->rank, "priced returns"), ab = 0, bb = 0, plain = 0, best = 0;
    cblas_dgemv(CblasRowMajor, CblasTrans, h->n, h->rank, 1.0 / h->n, h->projected, h->rank, returns, 1, 0, b, 1);
    for (int k = 0; k < h->rank; k++) ab += h->mean[k] * b[k], bb += b[k] * b[k];
    double c = bb > 0 ? ab / bb : 0;
    for (int k = 0; k < h->rank; k++) {
        double d = h->mean[k] - b[k], s = h->mean[k] - c * b[k];
        plain += d * d, best += s * s;
    }
    memory_free(b);
    if (scaled) *scaled = h->root ? sqrt(best) : best;
    return h->root ? sqrt(plain) : plain;
}

/* 2 (1 - R_t) q_t - (q_t - [covariance] mean q)^2 with q_t = lambda'F_t. */
void hjd_contributions(const struct hjd *h, const double *returns, double *out)
{
    if (h->code != HJD_FINE) {
        for (int i = 0; i < h->n; i++) out[i] = NAN;
        return;
    }
    double *d = memory_array(double, h->rank, "pricing errors"), centre = 0;
    cblas_dcopy(h->rank, h->mean, 1, d, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, h->n, h->rank, -1.0 / h->n, h->projected, h->rank, returns, 1, 1, d, 1);
    if (h->covariance) centre = cblas_ddot(h->rank, h->mean, 1, d, 1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, h->n, h->rank, 1, h->projected, h->rank, d, 1, 0, out, 1);
    for (int i = 0; i < h->n; i++) out[i] = 2 * (1 - returns[i]) * out[i] - (out[i] - centre) * (out[i] - centre);
    memory_free(d);
}
