/* Random features of rows of characteristics: S = relu(X G) / sqrt(P), or [sin(X G), cos(X G)] / sqrt(P) with P/2 columns in G,
 * never held whole: columns in tiles that fit the cache.                                                            (24), (29)
 * Column k of G is a function of (seed, k) alone: N(0, bandwidth^2). n rows, D characteristics, P features. */
#ifndef LINALG_FEATURES_H
#define LINALG_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include "linalg/kernels.h"

struct features {
    const struct kernels *kernels;
    int D, P, columns; /* of G: P, or P/2 for waves */
    bool waves;
    float scale; /* 1/sqrt(P) */
    float *g;    /* tiles of columns, each [D, width] */
    float *work;
};
double features_bytes(int D, int P);
/* P even for waves (sin of all columns first, then cos). */
void features_create(struct features *f, int D, int P, bool waves, double bandwidth, uint64_t seed);
void features_destroy(struct features *f);
/* sums [P] = S' r for rows x [n, D]: the feature-managed factors. 2 n D columns flops. */
void features_sums(const struct features *f, int n, const float *x, const double *r, double *sums);
/* w [n] = S theta. */
void features_weights(const struct features *f, int n, const float *x, const double *theta, float *w);
/* S itself, out [n, P]: for few features. */
void features_rows(const struct features *f, int n, const float *x, float *out);

#endif
