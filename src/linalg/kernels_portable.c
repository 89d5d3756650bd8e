/* Kernels for any processor: OpenBLAS for the product, plain C for the rest. */
#include <cblas.h>
#include <math.h>

#include "linalg/kernels.h"
#include "linalg/kernels_sets.h"

static void product(int m, int n, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b, ptrdiff_t b_row,
                    float *c, ptrdiff_t c_row, bool add)
{
    if (!m || !n) return;
    CBLAS_TRANSPOSE transposed = a_col == 1 ? CblasNoTrans : CblasTrans;
    cblas_sgemm(CblasRowMajor, transposed, CblasNoTrans, m, n, k, 1, a, (int)(a_col == 1 ? a_row : a_col), b, (int)b_row,
                add ? 1 : 0, c, (int)c_row);
}

static void tile_max(int rows, int width, const float *x, float *top)
{
    for (int i = 0; i < rows; i++, x += TILE)
        for (int j = 0; j < width; j++)
            if (!(x[j] <= top[j])) top[j] = x[j];
}

static void tile_exp(int rows, int width, float *x, const float *shift, float *sum)
{
    float block[TILE] = {0};
    for (int i = 0; i < rows; i++, x += TILE)
        for (int j = 0; j < width; j++) {
            float z = x[j] - shift[j];
            x[j] = expf(z < -60 ? -60 : z);
            block[j] += x[j];
        }
    for (int j = 0; j < width; j++) sum[j] += block[j];
}

static void tile_softmax_back(int rows, int width, const float *e, const float *r, float *d)
{
    for (int i = 0; i < rows; i++, e += TILE, d += TILE)
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

static void tile_weigh(int rows, int width, float *x, const float *shift, float *sum)
{
    float block[TILE] = {0};
    for (int i = 0; i < rows; i++, x += TILE)
        for (int j = 0; j < width; j++) {
            float z = x[j] - shift[j];
            x[j] = z <= -60 ? 0 : expf(z);
            block[j] += x[j];
        }
    for (int j = 0; j < width; j++) sum[j] += block[j];
}

static void tile_transpose(int n, int columns, const float *x, ptrdiff_t row, float *out)
{
    for (int j = 0; j < padded(columns); j++)
        for (int i = 0; i < padded(n); i++) out[j * TILE + i] = i < n ? x[i * row + j] : 0;
}

static void row_dots(int rows, int width, const float *scale, float *x, ptrdiff_t x_row, const float *y, ptrdiff_t y_row,
                     float *dot)
{
    for (int i = 0; i < rows; i++, x += x_row, y += y_row) {
        dot[i] = 0;
        for (int j = 0; j < width; j++) {
            x[j] *= scale[i];
            dot[i] += x[j] * y[j];
        }
    }
}

static void norm(int rows, int columns, const float *x, const float *a, ptrdiff_t a_row, const float *scale,
                 const float *shift, float *normalised, float *inverse, float *y)
{
    int ld = padded(columns);
    for (int i = 0; i < rows; i++, x += ld, normalised += ld) {
        float mean = 0, square = 0;
        for (int j = 0; j < ld; j++) {
            normalised[j] = x[j] + (a ? a[j] : 0);
            mean += normalised[j] / (float)columns;
        }
        for (int j = 0; j < ld; j++) {
            normalised[j] = j < columns ? normalised[j] - mean : 0;
            square += normalised[j] * normalised[j];
        }
        inverse[i] = 1 / sqrtf(square / (float)columns + 1e-5f);
        for (int j = 0; j < ld; j++) {
            normalised[j] *= inverse[i];
            if (y) y[j] = normalised[j] * scale[j] + shift[j];
        }
        if (a) a += a_row;
        if (y) y += ld;
    }
}

static void norm_back(int rows, int columns, const float *normalised, const float *inverse, const float *scale,
                      const float *dy, float *dx, float *dscale, float *dshift)
{
    int ld = padded(columns);
    for (int i = 0; i < rows; i++, normalised += ld, dy += ld, dx += ld) {
        float sum = 0, inner = 0;
        for (int j = 0; j < columns; j++) {
            sum += dy[j] * scale[j];
            inner += dy[j] * scale[j] * normalised[j];
            dscale[j] += dy[j] * normalised[j];
            dshift[j] += dy[j];
        }
        sum /= (float)columns, inner /= (float)columns;
        for (int j = 0; j < ld; j++) dx[j] = j < columns ? inverse[i] * (dy[j] * scale[j] - sum - normalised[j] * inner) : 0;
    }
}

static void row_affine(int rows, int ld, const float *x, const float *scale, const float *shift, float *y)
{
    for (int i = 0; i < rows; i++, x += ld, y += ld)
        for (int j = 0; j < ld; j++) y[j] = x[j] * scale[j] + shift[j];
}

static void row_bias(int rows, int ld, const float *b, bool relu, float *y)
{
    for (int i = 0; i < rows; i++, y += ld)
        for (int j = 0; j < ld; j++) {
            y[j] += b[j];
            if (relu && y[j] < 0) y[j] = 0;
        }
}

static void column_sum(int rows, int ld, const float *x, float *sum)
{
    for (int i = 0; i < rows; i++, x += ld)
        for (int j = 0; j < ld; j++) sum[j] += x[j];
}

static void relu_back(int rows, int ld, const float *y, float scale, float *dy, float *sum)
{
    for (int i = 0; i < rows; i++, y += ld, dy += ld)
        for (int j = 0; j < ld; j++) {
            dy[j] = y[j] > 0 ? dy[j] * scale : 0;
            sum[j] += dy[j];
        }
}

const struct kernels kernels_portable = {
    "portable",     product,  tile_max, tile_exp,  tile_softmax_back, relu_sum, wave_sum,   tile_weigh,
    tile_transpose, row_dots, norm,     norm_back, row_affine,        row_bias, column_sum, relu_back};
