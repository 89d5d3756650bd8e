/* Between full symmetric matrices and their packed form. */
#include "linalg/packed.h"

static const double ROOT2 = 1.4142135623730951, INVERSE_ROOT2 = 0.70710678118654752;

void packed_from_full(int D, const double *full, double *packed)
{
    for (int i = 0; i < D; i++) {
        const double *row = full + (size_t)i * D;
        for (int j = 0; j < i; j++) *packed++ = ROOT2 * row[j];
        *packed++ = row[i];
    }
}

void packed_to_full(int D, const double *packed, double *full)
{
    for (int i = 0; i < D; i++) {
        for (int j = 0; j < i; j++) full[(size_t)i * D + j] = full[(size_t)j * D + i] = INVERSE_ROOT2 * *packed++;
        full[(size_t)i * D + i] = *packed++;
    }
}

void packed_from_sum(int D, const double *full, double *packed)
{
    for (int i = 0; i < D; i++) {
        const double *row = full + (size_t)i * D, *column = full + i;
        for (int j = 0; j < i; j++) *packed++ = ROOT2 * (row[j] + column[(size_t)j * D]);
        *packed++ = 2 * row[i];
    }
}
