/* Single-precision vector kernels of the neural models: one body (src/linalg/kernels_body.h) compiled for AVX-512 and AVX2,
 * and a portable set on OpenBLAS and plain C, picked once at run time. Every function is pure, allocates nothing, and its
 * bits depend on its arguments alone.
 * A panel is [rows, PANEL] row-major, 64-byte aligned: up to PANEL queries side by side, one row per key or characteristic;
 * of its columns only the first `width` (a multiple of PAD) are in use. */
#ifndef LINALG_KERNELS_H
#define LINALG_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { PANEL = 64, PAD = 16 };

/* Matrices are stored with rows of padded(columns) floats, the padding zero. */
static inline int padded(int columns)
{
    return (columns + PAD - 1) / PAD * PAD;
}

struct kernels {
    const char *name;
    /* C [m, n] = (add ? C : 0) + A B, A(i, l) = a[i * a_row + l * a_col] with a_row or a_col 1, B [k, n] with rows b_row apart,
     * C with rows c_row apart. n, b_row, c_row are multiples of PAD, b and c aligned. 2 m n k flops. */
    void (*product)(int m, int n, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b, ptrdiff_t b_row,
                    float *c, ptrdiff_t c_row, bool add);
    /* top[j] = max(top[j], the largest x[i, j]). */
    void (*panel_max)(int rows, int width, const float *x, float *top);
    /* x <- exp(x - shift[j]); sum[j] += what came out. Arguments below -60 count as -60, where what is added is below the
     * rounding of any sum that holds a 1. Relative error 2e-7. */
    void (*panel_exp)(int rows, int width, float *x, const float *shift, float *sum);
    /* d <- e (d - r[j]): the derivative of a softmax, e its unnormalised exponentials. */
    void (*panel_softmax_back)(int rows, int width, const float *e, const float *r, float *d);
    /* Sums over rows of activations times r[i]: sum[j] += relu(s[i, j]) r[i], or sum += sin(s) r and more[j] += cos(s) r. Rows of s
     * are ld floats apart, width a multiple of PAD. sin and cos to 3e-7 for |s| < 1000. */
    void (*relu_sum)(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum);
    void (*wave_sum)(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum, float *more);
};

/* The fastest set this processor runs; AIPM_KERNELS=portable|avx2|avx512 in the environment overrides. */
const struct kernels *kernels_best(void);
const struct kernels *kernels_named(const char *name); /* NULL: unknown, or this processor cannot run it */

#endif
