/* Kernels for any processor: OpenBLAS for the product, plain C for the rest. */
#include <cblas.h>
#include <math.h>

#include "linalg/kernels.h"
#include "linalg/kernels_sets.h"

static void product(int m, int n, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b, ptrdiff_t b_row,
                    float *c, ptrdiff_t c_row, bool add)
{
    if (!m || !n) return;
    CBLAS_TRANSPOSE turned = a_col == 1 ? CblasNoTrans : CblasTrans;
    cblas_sgemm(CblasRowMajor, turned, CblasNoTrans, m, n, k, 1, a, (int)(a_col == 1 ? a_row : a_col), b, (int)b_row,
                add ? 1 : 0, c, (int)c_row);
}

static void panel_max(int rows, int width, const float *x, float *top)
{
    for (int i = 0; i < rows; i++, x += PANEL)
        for (int j = 0; j < width; j++)
            if (!(x[j] <= top[j])) top[j] = x[j];
}

static void panel_exp(int rows, int width, float *x, const float *shift, float *sum)
{
    float block[PANEL] = {0};
    for (int i = 0; i < rows; i++, x += PANEL)
        for (int j = 0; j < width; j++) {
            float z = x[j] - shift[j];
            x[j] = expf(z < -60 ? -60 : z);
            block[j] += x[j];
        }
    for (int j = 0; j < width; j++) sum[j] += block[j];
}

static void panel_softmax_back(int rows, int width, const float *e, const float *r, float *d)
{
    for (int i = 0; i < rows; i++, e += PANEL, d += PANEL)
        for (int j = 0; j < width; j++) d[j] = e[j] * (d[j] - r[j]);
}

static void relu_sum(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum)
{
    for (int i = 0; i < rows; i++, s += ld)
        for (int j = 0; j < width; j++) sum[j] += (s[j] > 0 ? s[j] : 0) * r[i];
}

static void wave_sum(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum, float *more)
{
    for (int i = 0; i < rows; i++, s += ld)
        for (int j = 0; j < width; j++) {
            sum[j] += sinf(s[j]) * r[i];
            more[j] += cosf(s[j]) * r[i];
        }
}

const struct kernels kernels_portable = {"portable", product, panel_max, panel_exp, panel_softmax_back, relu_sum, wave_sum};
