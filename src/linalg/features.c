/* Random features formed a group of columns and a chunk of rows at a time, for their sums and for their weights. */
#include "linalg/features.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* A tile of columns and a chunk of rows: their products (240 kB) and the columns (132 kB at D = 132) share a second-level cache. */
enum { WIDTH = 256, CHUNK = 240 };

double features_bytes(int D, int P)
{
    return 4. * ((double)D * ((double)P + WIDTH) + CHUNK * WIDTH + CHUNK + 2. * WIDTH);
}

static int width_of(const struct features *f, int column)
{
    return f->columns - column < WIDTH ? f->columns - column : WIDTH;
}

/* Panels are stored WIDTH wide; the last is filled up with zero columns. */
static const float *columns_of(const struct features *f, int column)
{
    return f->g + (size_t)column * (size_t)f->D;
}

void features_create(struct features *f, int D, int P, bool waves, double bandwidth, uint64_t seed)
{
    int columns = waves ? P / 2 : P, groups = (columns + WIDTH - 1) / WIDTH;
    *f = (struct features){
        .kernels = kernels_best(), .D = D, .P = P, .columns = columns, .waves = waves, .scale = (float)(1 / sqrt(P))};
    f->g = memory_array(float, (size_t)groups *WIDTH *(size_t)D, "random features");
    f->work = memory_array(float, CHUNK *WIDTH + CHUNK + 2 * WIDTH, "random features");
    float *column = memory_array(float, D, "random features");
    for (int k = 0; k < columns; k++) {
        struct random_stream s = random_open(seed, 3000, (uint64_t)k, 0);
        random_normals_float(&s, 0, (size_t)D, bandwidth, column);
        float *to = f->g + (size_t)(k / WIDTH) * WIDTH * (size_t)D + k % WIDTH;
        for (int d = 0; d < D; d++) to[d * WIDTH] = column[d];
    }
    memory_free(column);
}

void features_destroy(struct features *f)
{
    memory_free(f->g);
    memory_free(f->work);
    f->g = f->work = NULL;
}

/* X G for a chunk of rows and a tile of columns, into work [rows, WIDTH]. */
static void products(const struct features *f, int rows, const float *x, int column)
{
    f->kernels->product(rows, padded(width_of(f, column)), f->D, x, f->D, 1, columns_of(f, column), WIDTH, f->work, WIDTH,
                        false);
}

void features_sums(const struct features *f, int n, const float *x, const double *r, double *sums)
{
    float *returns = f->work + CHUNK * WIDTH, *sum = returns + CHUNK, *more = sum + WIDTH;
    memset(sums, 0, sizeof(double) * (size_t)f->P);
    for (int column = 0; column < f->columns; column += WIDTH) {
        int width = width_of(f, column);
        for (int at = 0; at < n; at += CHUNK) {
            int rows = n - at < CHUNK ? n - at : CHUNK;
            for (int i = 0; i < rows; i++) returns[i] = (float)r[at + i];
            memset(sum, 0, sizeof(float) * 2 * WIDTH);
            products(f, rows, x + (size_t)at * (size_t)f->D, column);
            if (f->waves) f->kernels->wave_sum(rows, padded(width), f->work, WIDTH, returns, sum, more);
            else f->kernels->relu_sum(rows, padded(width), f->work, WIDTH, returns, sum);
            for (int j = 0; j < width; j++) {
                sums[column + j] += (double)sum[j];
                if (f->waves) sums[f->columns + column + j] += (double)more[j];
            }
        }
    }
    for (int k = 0; k < f->P; k++) sums[k] *= (double)f->scale;
}

void features_weights(const struct features *f, int n, const float *x, const double *theta, float *w)
{
    for (int at = 0; at < n; at += CHUNK) {
        int rows = n - at < CHUNK ? n - at : CHUNK;
        double total[CHUNK] = {0};
        for (int column = 0; column < f->columns; column += WIDTH) {
            int width = width_of(f, column);
            products(f, rows, x + (size_t)at * (size_t)f->D, column);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < width; j++) {
                    float s = f->work[i * WIDTH + j];
                    if (f->waves)
                        total[i] += (double)sinf(s) * theta[column + j] + (double)cosf(s) * theta[f->columns + column + j];
                    else total[i] += (double)(s > 0 ? s : 0) * theta[column + j];
                }
        }
        for (int i = 0; i < rows; i++) w[at + i] = (float)(total[i] * (double)f->scale);
    }
}

void features_rows(const struct features *f, int n, const float *x, float *out)
{
    for (int at = 0; at < n; at += CHUNK)
        for (int column = 0; column < f->columns; column += WIDTH) {
            int rows = n - at < CHUNK ? n - at : CHUNK, width = width_of(f, column);
            products(f, rows, x + (size_t)at * (size_t)f->D, column);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < width; j++) {
                    float s = f->work[i * WIDTH + j], *to = out + (size_t)(at + i) * (size_t)f->P + column + j;
                    *to = f->scale * (f->waves ? sinf(s) : s > 0 ? s : 0);
                    if (f->waves) to[f->columns] = f->scale * cosf(s);
                }
        }
}
