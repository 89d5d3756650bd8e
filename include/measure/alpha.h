/* Alpha of one SDF portfolio against others: every series scaled to 15% annual volatility, OLS with intercept         (25)
 *   n common periods   k regressors */
#ifndef MEASURE_ALPHA_H
#define MEASURE_ALPHA_H

enum alpha_code { ALPHA_FINE, ALPHA_TOO_FEW_PERIODS, ALPHA_CONSTANT, ALPHA_SPANNED };
struct alpha {
    double percent; /* per period */
    double percent_per_year;
    double t;             /* alpha / standard error */
    double residual;      /* standard deviation of the residuals per period, the series at 15% a year */
    double beta;          /* k = 1: the slope; otherwise NaN */
    int periods, rank;    /* regressors that are linearly independent: collinear ones are left out */
    enum alpha_code code; /* ALPHA_SPANNED: no residual is left, alpha stands and t is NaN; others: all NaN */
};

/* y [n], x [k, n] one regressor after the other. lags < 0: OLS standard errors; >= 0: Newey-West of that many lags (0: White),
 * without small-sample correction. */
void alpha_regress(int n, const double *y, int k, const double *x, double periods_per_year, int lags, struct alpha *out);
const char *alpha_reason(enum alpha_code code);

#endif
