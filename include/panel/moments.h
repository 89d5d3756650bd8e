/* Moments that every linear model needs, computed once per period and universe, never per window:
 *     F_{t+1} = X_t' R_{t+1}        D      characteristic-managed factors, a sum, unscaled            (45)
 *     Xi_t    = X_t' X_t / n_t      D x D  timing variables (Z = X)                                   (47)
 * Gamma_t = X_t' X_t of the OLS objective is n_t Xi_t and is not stored twice.
 * Xi is stored packed (linalg/packed.h). */
#ifndef PANEL_MOMENTS_H
#define PANEL_MOMENTS_H

#include <stddef.h>

#include "linalg/packed.h"
#include "panel/panel.h"

enum factor_scale { FACTOR_SUM, FACTOR_ROOT, FACTOR_MEAN }; /* F times 1, n^-1/2, 1/n */
double factor_scale_of(enum factor_scale s, int n);         /* 0 for n = 0 */

/* One period's moments of one universe: a record of moments_size(D) doubles:
 *     [0] n_t (assets in the universe)   [1 .. D] F   [1+D ..] Xi packed   last: R'R, the sum of squared returns. n_t = 0 gives zeros. */
static inline size_t moments_size(int D)
{
    return 2 + (size_t)D + packed_size(D);
}
static inline const double *moments_factors(const double *record)
{
    return record + 1;
}
static inline const double *moments_timing(const double *record, int D)
{
    return record + 1 + D;
}
static inline double moments_squares(const double *record, int D)
{
    return record[1 + (size_t)D + packed_size(D)];
}

/* Workspace for moments_of: doubles. */
size_t moments_workspace(int D);
/* out [moments_size(D)] from the rows of r listed in index [n]. Rows are taken in fixed blocks, so the bits depend on the
 * period alone. 2 n D (D+1) / 2 + 2 n D flops. */
void moments_of(int D, const struct rows *r, const int *index, int n, double *workspace, double *out);

#endif
