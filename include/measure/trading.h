/* What it would be to hold the portfolio: losses on the way, turnover, costs.
 *   n periods in time order   returns decimal per period, earned on weights per unit of the SDF portfolio */
#ifndef MEASURE_TRADING_H
#define MEASURE_TRADING_H

#include <stdint.h>

/* Annualised mean over the root mean square of the negative returns (target 0); NaN without a loss. */
double sortino_ratio(int n, const double *x, double periods_per_year);
/* Largest fall of the cumulated sum of returns from its highest point so far, the start included: a positive number. Sums, not
 * products: the position is held at constant size. */
double drawdown_largest(int n, const double *x);
void drawdown_path(int n, const double *x, double *out); /* [n] of values <= 0 */
double hit_rate(int n, const double *x);                 /* share of positive returns */

/* What a move from one portfolio to the next trades: the sum of |new - old| over assets, those held before only included.
 * ids ascend in both. Drift of the old weights over the period is left out. */
double turnover_between(int64_t n_old, const int64_t *old_ids, const float *old_weights, int64_t n_new,
                        const int64_t *new_ids, const float *new_weights);

#endif
