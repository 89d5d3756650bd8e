/* A symmetric D x D matrix A packed as a vector of D(D+1)/2: the lower triangle by rows, A(i,j) at i(i+1)/2 + j,
 * off-diagonal elements times sqrt(2), so that the plain dot product of two packed matrices is <A, B> = trace(A'B). */
#ifndef LINALG_PACKED_H
#define LINALG_PACKED_H

#include <stddef.h>

static inline size_t packed_size(int D)
{
    return (size_t)D * ((size_t)D + 1) / 2;
}

void packed_from_full(int D, const double *full, double *packed); /* full [D, D]; reads its lower triangle */
void packed_to_full(int D, const double *packed, double *full);   /* writes both triangles */
/* packed = A + A' for a full A [D, D] that need not be symmetric. */
void packed_from_sum(int D, const double *full, double *packed);

#endif
