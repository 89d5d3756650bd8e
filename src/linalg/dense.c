/* Gradients, transposes and the backward passes of dense layers, as products by the vector kernels. */
#include "linalg/dense.h"

#include <string.h>

/* Rows taken at a time, so that what a product has just written is still in cache for the bias and relu: a multiple of every
 * tile height. */
enum { CHUNK = 240 };

/* y <- y + b, relu'd if asked. */
static void finish(int n, int ld, const float *b, bool relu, float *y)
{
    for (int i = 0; i < n; i++, y += ld) {
        if (b)
            for (int j = 0; j < ld; j++) y[j] += b[j];
        if (relu)
            for (int j = 0; j < ld; j++) y[j] = y[j] < 0 ? 0 : y[j]; /* NaN stays */
    }
}

void dense_forward(const struct kernels *k, int n, int in, int out, const float *x, const float *w, const float *b,
                   struct dense_how how, float *y)
{
    size_t lx = (size_t)padded(in), ly = (size_t)padded(out);
    for (int at = 0; at < n; at += CHUNK) {
        int rows = n - at < CHUNK ? n - at : CHUNK;
        float *to = y + (size_t)at * ly;
        k->product(rows, (int)ly, in, x + (size_t)at * lx, (ptrdiff_t)lx, 1, w, (ptrdiff_t)ly, to, (ptrdiff_t)ly,
                   how.residual);
        if (b || how.relu) finish(rows, (int)ly, b, how.relu, to);
    }
}

void dense_gradient(const struct kernels *k, int n, int in, int out, const float *x, const float *dy, float *dw, float *db)
{
    int lx = padded(in), ly = padded(out);
    k->product(in, ly, n, x, 1, lx, dy, ly, dw, ly, true);
    if (!db) return;
    for (int i = 0; i < n; i++, dy += ly)
        for (int j = 0; j < ly; j++) db[j] += dy[j];
}

void dense_backward(const struct kernels *k, int n, int in, int out, const float *wt, const float *dy, bool add, float *dx)
{
    int lx = padded(in), ly = padded(out);
    k->product(n, lx, out, dy, ly, 1, wt, lx, dx, lx, add);
}

void relu_backward(size_t count, const float *y, float scale, float *dy)
{
    for (size_t i = 0; i < count; i++) { /* a factor, not a branch: signs are random, and this vectorises */
        float pass = y[i] > 0 ? scale : 0;
        dy[i] *= pass;
    }
}

void rows_pad(int n, int D, const float *rows, float *out)
{
    int ld = padded(D);
    for (int i = 0; i < n; i++, rows += D, out += ld) {
        memcpy(out, rows, sizeof(float) * (size_t)D);
        memset(out + D, 0, sizeof(float) * (size_t)(ld - D));
    }
}

void dense_transpose(int in, int out, const float *w, float *wt)
{
    int lx = padded(in), ly = padded(out);
    for (int j = 0; j < out; j++) {
        for (int i = 0; i < in; i++) wt[j * lx + i] = w[i * ly + j];
        for (int i = in; i < lx; i++) wt[j * lx + i] = 0;
    }
}

void dense_column_forward(int n, int in, const float *x, const float *v, float *y)
{
    int ld = padded(in);
    for (int i = 0; i < n; i++, x += ld) {
        float lane[PAD] = {0}, s = 0;
        for (int j = 0; j < ld; j += PAD)
            for (int l = 0; l < PAD; l++) lane[l] += x[j + l] * v[j + l];
        for (int l = 0; l < PAD; l++) s += lane[l];
        y[i] = s;
    }
}

void dense_column_backward(int n, int in, const float *x, const float *v, const float *dy, float *dx, float *dv)
{
    int ld = padded(in);
    for (int i = 0; i < n; i++, x += ld, dx += ld)
        for (int j = 0; j < ld; j++) {
            dx[j] = dy[i] * v[j];
            dv[j] += dy[i] * x[j];
        }
}
