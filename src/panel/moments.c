/* Managed factors and timing matrices of one period, in double precision from single-precision rows. */
#include "panel/moments.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Rows converted to double at a time: 512 x 132 doubles stay in a core's L2 cache. */
enum { BLOCK = 512 };

double factor_scale_of(enum factor_scale s, int n)
{
    if (n == 0) return 0;
    return s == FACTOR_SUM ? 1 : s == FACTOR_ROOT ? 1 / sqrt(n) : 1.0 / n;
}

size_t moments_workspace(int D)
{
    return (size_t)BLOCK * (D + 1) + (size_t)D * D;
}

void moments_of(int D, const struct rows *r, const int *index, int n, double *workspace, double *out)
{
    double *x = workspace, *returns = x + (size_t)BLOCK * D, *second = returns + BLOCK, *factors = out + 1;
    memset(second, 0, sizeof(double) * (size_t)D * D);
    memset(factors, 0, sizeof(double) * (size_t)D);
    double squares = 0;
    for (int from = 0; from < n; from += BLOCK) {
        int m = n - from < BLOCK ? n - from : BLOCK;
        for (int i = 0; i < m; i++) {
            const float *row = r->characteristics + (size_t)index[from + i] * D;
            for (int j = 0; j < D; j++) x[(size_t)i * D + j] = row[j];
            returns[i] = r->returns[index[from + i]];
        }
        for (int i = 0; i < m; i++) squares += returns[i] * returns[i];
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, D, m, 1, x, D, 1, second, D);
        cblas_dgemv(CblasRowMajor, CblasTrans, m, D, 1, x, D, returns, 1, 1, factors, 1);
    }
    out[0] = n;
    if (n) cblas_dscal(D * D, 1.0 / n, second, 1);
    packed_from_full(D, second, out + 1 + D);
    out[1 + (size_t)D + packed_size(D)] = squares;
}
