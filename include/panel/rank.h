/* Cross-sectional rank standardisation (JKP, Kelly et al.): within a period each characteristic's rank is mapped to
 * [-0.5, 0.5], ties share their mean rank, missing values become 0. */
#ifndef PANEL_RANK_H
#define PANEL_RANK_H

#include <stddef.h>

/* The m non-missing (not NaN) values of column values[i * stride], i < n: mean ranks 1..m mapped linearly,
 * (rank - 1) / (m - 1) - 0.5 computed in double and rounded to float; m = 1 gives 0. Missing gives 0. The result goes to
 * out[i * out_stride]. scratch: rank_workspace(n) bytes. */
size_t rank_workspace(int n);
void rank_column(int n, const double *values, size_t stride, float *out, size_t out_stride, void *scratch);

#endif
