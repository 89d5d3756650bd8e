/* Dense layers and what goes with them. Matrices are [rows, padded(columns)], 64-byte aligned, padding zero, and stay so.
 * Pure; single precision; bits depend on the arguments alone. */
#ifndef LINALG_DENSE_H
#define LINALG_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "linalg/kernels.h"

/* y [n, out] = x [n, in] w [in, out] + b (NULL: none), then relu if asked; with `residual` y's old contents are added. */
struct dense_how {
    bool relu, residual;
};
void dense_forward(const struct kernels *k, int n, int in, int out, const float *x, const float *w, const float *b,
                   struct dense_how how, float *y);

/* dw [in, out] += x' dy;  db [out] += column sums of dy (NULL: not wanted). */
void dense_gradient(const struct kernels *k, int n, int in, int out, const float *x, const float *dy, float *dw, float *db);
/* dx [n, in] = (add ? dx : 0) + dy w', given wt = w' [out, in]. */
void dense_backward(const struct kernels *k, int n, int in, int out, const float *wt, const float *dy, bool add, float *dx);

/* dy <- dy scale where y > 0, else 0: the derivative of relu (and of dropout, which leaves zeros and scales the rest). */
void relu_backward(size_t count, const float *y, float scale, float *dy);

/* out [n, padded(D)] = rows [n, D], which are not padded. */
void rows_pad(int n, int D, const float *rows, float *out);

/* wt [out, padded(in)] = w' of w [in, padded(out)]. */
void dense_transpose(int in, int out, const float *w, float *wt);

/* y [n] = x [n, in] v  and  dx [n, in] = dy v', dv [in] += x' dy: the last layer, one output. */
void dense_column_forward(int n, int in, const float *x, const float *v, float *y);
void dense_column_backward(int n, int in, const float *x, const float *v, const float *dy, float *dx, float *dv);

#endif
