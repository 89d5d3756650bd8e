/* Moments of return series and the Sharpe ratio with its uncertainty. Arrays in, numbers out: this room reads no files.
 *   n observations in time order, none missing (see common_rows)   returns decimal per period
 * A measure that does not exist for its sample (too short, no variation) is NaN. */
#ifndef MEASURE_SERIES_H
#define MEASURE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

double series_mean(int n, const double *x);
double series_sd(int n, const double *x); /* divisor n - 1; 0 for a series without variation but rounding */
double series_correlation(int n, const double *x, const double *y);

/* Rows 0 .. P-1 at which all k series are finite, ascending, into index [P]; returns how many. */
int common_rows(int P, int k, const double *const *series, int *index);
/* out[i] = x[index[i]] */
void series_gather(int n, const int *index, const double *x, double *out);
/* First row dated `from` or later and the number of rows up to `to` inclusive; 0 stands for no bound. Bounds of 8 digits
 * (YYYYMMDD) include the whole day of dates of 12 (YYYYMMDDhhmm). */
void date_range(int P, const int64_t *dates, int64_t from, int64_t to, int *first, int *count);

/* What brings a series to 15% volatility a year; NaN for one without variation. */
double volatility_scale(int n, const double *x, double periods_per_year);

/* Annualised: sqrt(periods per year) mean / sd. */
double sharpe_ratio(int n, const double *x, double periods_per_year);
/* Its standard error for iid returns, sqrt(ppy (1 + SR^2 / 2) / n) with SR per period (Lo 2002, eq. 9). */
double sharpe_error(int n, const double *x, double periods_per_year);
/* The same from the delta method with a Newey-West long-run variance of `lags` (Lo 2002, section "Non-IID returns"): holds under
 * autocorrelation, skewness and fat tails. lags < 0: newey_west_lags(n). */
double sharpe_error_robust(int n, const double *x, double periods_per_year, int lags);
/* Sharpe of x minus Sharpe of y on the same dates, annualised, with its robust standard error (Ledoit and Wolf 2008, eq. 3-5). */
double sharpe_difference(int n, const double *x, const double *y, double periods_per_year, int lags, double *error);

/* 4 (n/100)^(2/9), rounded down: Newey and West (1994). */
int newey_west_lags(int n);
/* Bartlett-weighted sum over lags of the products of v: the variance of sum_i v_i (no demeaning). */
double newey_west_sum(int n, const double *v, int lags);

/* p-quantile of sorted values, linear between order statistics (Hyndman-Fan type 7). n > 0. */
double quantile(int n, const double *sorted, double p);
void sort_doubles(int n, double *x);

#endif
