/* Single-precision vector kernels of the neural models: one body (src/linalg/kernels_body.h) compiled for AVX-512 and AVX2,
 * and a portable set on OpenBLAS and plain C, picked once at run time. Every function is pure, allocates nothing, and its
 * bits depend on its arguments alone.
 * A tile is [rows, TILE] row-major, 64-byte aligned: up to TILE queries side by side, one row per key or characteristic;
 * of its columns only the first `width` (a multiple of PAD) are in use. */
#ifndef LINALG_KERNELS_H
#define LINALG_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { TILE = 64, PAD = 16 };

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
    void (*tile_max)(int rows, int width, const float *x, float *top);
    /* x <- exp(x - shift[j]); sum[j] += what came out. Arguments below -60 count as -60, where what is added is below the
     * rounding of any sum that holds a 1. Relative error 2e-7. */
    void (*tile_exp)(int rows, int width, float *x, const float *shift, float *sum);
    /* d <- e (d - r[j]): the derivative of a softmax, e its unnormalised exponentials. */
    void (*tile_softmax_back)(int rows, int width, const float *e, const float *r, float *d);
    /* Sums over rows of activations times r[i]: sum[j] += relu(s[i, j]) r[i], or sum += sin(s) r and more[j] += cos(s) r. Rows of s
     * are ld floats apart, width a multiple of PAD. sin and cos to 3e-7 for |s| < 1000. */
    void (*relu_sum)(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum);
    void (*wave_sum)(int rows, int width, const float *s, ptrdiff_t ld, const float *r, float *sum, float *more);
    /* tile_exp that gives exactly 0 from -60 on: scores of -infinity are no keys at all. A shift is finite. */
    void (*tile_weigh)(int rows, int width, float *x, const float *shift, float *sum);
    /* out [columns, TILE] = the n rows of x, transposed; columns n .. padded(n) are zero. Reads, and writes rows of out, up to
     * padded(columns). */
    void (*tile_transpose)(int n, int columns, const float *x, ptrdiff_t row, float *out);
    /* dot[i] = x_i . y_i after x_i <- scale[i] x_i, over rows of `width` floats, a multiple of PAD. */
    void (*row_dots)(int rows, int width, const float *scale, float *x, ptrdiff_t x_row, const float *y, ptrdiff_t y_row,
                     float *dot);
    /* The following work on matrices [rows, ld], ld = padded(columns), padding zero. Layer norm (Ba, Kiros, Hinton 2016) of
     * v = x + a, rows of a a_row apart (0: one row for all; a NULL: none): normalised n = (v - mean) inverse with
     * inverse = 1 / sqrt(var + 1e-5), and y = n scale + shift (NULL: not wanted). */
    void (*norm)(int rows, int columns, const float *x, const float *a, ptrdiff_t a_row, const float *scale,
                 const float *shift, float *normalised, float *inverse, float *y);
    /* dx (may be dy) = inverse (g - mean(g) - n mean(g n)), g = dy scale;  dscale += dy n, dshift += dy, over rows. */
    void (*norm_back)(int rows, int columns, const float *normalised, const float *inverse, const float *scale,
                      const float *dy, float *dx, float *dscale, float *dshift);
    void (*row_affine)(int rows, int ld, const float *x, const float *scale, const float *shift, float *y);
    /* y <- y + b, relu'd if asked; sum[j] += column sums of x; dy <- dy scale where y > 0, else 0, and its column sums. */
    void (*row_bias)(int rows, int ld, const float *b, bool relu, float *y);
    void (*column_sum)(int rows, int ld, const float *x, float *sum);
    void (*relu_back)(int rows, int ld, const float *y, float scale, float *dy, float *sum);
};

/* The fastest set this processor runs; AIPM_KERNELS=portable|avx2|avx512 in the environment overrides. */
const struct kernels *kernels_best(void);
const struct kernels *kernels_named(const char *name); /* NULL: unknown, or this processor cannot run it */

#endif
