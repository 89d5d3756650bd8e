/* Linear combinations of many packed matrices at the speed of memory: out(z) = sum_p c(z,p) P(p), for a handful of z at once. The
 * matrices are stored in tiles of 32 columns, each tile contiguous over p, so that one pass streams them. */
#ifndef LINALG_PAIRS_H
#define LINALG_PAIRS_H

#include <stddef.h>

enum { PAIRS_TILE = 32, PAIRS_GROUP = 7 };

/* Doubles of n matrices of k entries, and of coefficients for nz combinations of them. */
size_t pairs_size(size_t n, size_t k);
size_t pairs_coefficients(size_t n, int nz);
/* Matrix p of n into its place. */
void pairs_store(double *tiles, size_t n, size_t k, size_t p, const double *matrix);
/* Where c(z, p) stands in the coefficients. */
static inline size_t pairs_at(size_t n, int z, size_t p)
{
    return ((size_t)(z / PAIRS_GROUP) * n + p) * PAIRS_GROUP + (size_t)(z % PAIRS_GROUP);
}
/* out [nz, k]. 2 nz n k flops; the order of summation is that of p. */
void pairs_mix(const double *tiles, size_t n, size_t k, const double *coefficient, int nz, double *out);

#endif
