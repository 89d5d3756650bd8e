/* The long-only portfolio of maximal Sharpe ratio over series scaled to equal volatility.
 *   n common dates   k series */
#ifndef MEASURE_TANGENCY_H
#define MEASURE_TANGENCY_H

#include <stdint.h>

enum tangency_code { TANGENCY_FINE, TANGENCY_TOO_FEW_PERIODS, TANGENCY_NO_POSITIVE_MEAN };

/* Weights >= 0 with sum 1 over the scaled series, w [k]; x [k, n] one series after the other. Exact: an active-set solution of
 * min |1 - X w| over w >= 0, whose direction is that of maximal Sharpe ratio. *sharpe (may be NULL) is per period. Where no
 * series has a positive mean there is no such portfolio: NaN. A series without variation gets weight 0; of identical ones one
 * takes the weight. */
enum tangency_code tangency_weights(int n, int k, const double *x, double *w, double *sharpe);

/* Percentile intervals of the weights over B resamples of dates in blocks (measure/bootstrap.h), every resample scaled and solved
 * anew: low, high [k]. */
void tangency_intervals(int n, int k, const double *x, int B, int block, double level, uint64_t seed, double *low,
                        double *high);
const char *tangency_reason(enum tangency_code code);

/* min_w>=0 w'A w / 2 - b'w for a symmetric positive semi-definite A [k, k] (Lawson and Hanson 1974, ch. 23, in Gram form). */
void nonnegative_least_squares(int k, const double *A, const double *b, double *w);

#endif
