/* Time-series momentum of managed factors, timed by their volatility, and what a return series owes to the factors' returns of each age.
 *   T periods   D factors   F [T, D] their returns over t -> t+1, 0 where a factor is not there */
#ifndef MEASURE_MOMENTUM_H
#define MEASURE_MOMENTUM_H

#include <stdbool.h>

/* out [T]: at t every factor is held in proportion to its mean return m_d over the ages from .. to (age 1: the period before t), divided by
 * its variance v_d over the last `window` periods:
 *     m_d = mean(F[t-to .. t-from, d])   v_d = var(F[t-window .. t-1, d])   out[t] = sum_d m_d / v_d F[t, d].
 * bounded: divided by 1 + sum_d m_d^2 / v_d, as the SDF portfolio of uncorrelated factors with these means would be.
 * NaN for t < max(window, to). from 1, window 2 or more. A factor without variance is not held. */
void momentum_returns(int T, int D, const double *F, int window, int from, int to, bool bounded, double *out);
/* The same, bounded, with means and variances over all periods before t, from t = first on: premia that do not move. */
void momentum_fixed(int T, int D, const double *F, int first, double *out);

/* Least squares of y [n] on a constant and x [k, n], one regressor after the other: slopes and their t values [k], *r2. -1, and all NaN,
 * where the regressors are collinear or n < k + 3. */
int momentum_loadings(int n, const double *y, int k, const double *x, double *slope, double *t, double *r2);

#endif
