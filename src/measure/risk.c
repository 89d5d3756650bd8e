/* Measures of risk: what a mean and a standard deviation do not say of a series of returns. */
#include <math.h>

#include "measure/alpha.h"
#include "measure/measures.h"
#include "measure/series.h"
#include "measure/trading.h"

double measure_information_ratio(const struct measure_sample *s)
{
    if (!s->alpha) return NAN;
    return s->alpha->percent_per_year / (100 * sqrt(s->periods_per_year) * s->alpha->residual);
}

double measure_skewness(const struct measure_sample *s)
{
    double mean = series_mean(s->n, s->returns), squares = 0, cubes = 0;
    if (!(series_sd(s->n, s->returns) > 0)) return NAN;
    for (int i = 0; i < s->n; i++) {
        double d = s->returns[i] - mean;
        squares += d * d, cubes += d * d * d;
    }
    return cubes / s->n / pow(squares / s->n, 1.5);
}

double measure_worst_period(const struct measure_sample *s)
{
    double worst = NAN;
    for (int i = 0; i < s->n; i++) worst = fmin(worst, s->scaled[i]);
    return 100 * worst;
}

double measure_calmar(const struct measure_sample *s)
{
    double fall = drawdown_largest(s->n, s->scaled);
    return fall > 0 ? s->periods_per_year * series_mean(s->n, s->scaled) / fall : NAN;
}

/* CE per period solves u(1 + CE) = mean u(1 + r), u(c) = c^(1 - g) / (1 - g), log c for g = 1; compounded over the periods of a year. */
double measure_certainty_equivalent(const struct measure_sample *s)
{
    double sum = 0, power = 1 - s->parameter;
    for (int i = 0; i < s->n; i++) {
        double wealth = 1 + s->scaled[i];
        if (!(wealth > 0)) return NAN;
        sum += s->parameter == 1 ? log(wealth) : pow(wealth, power);
    }
    if (s->n == 0) return NAN;
    double growth = s->parameter == 1 ? sum / s->n : log(sum / s->n) / power; /* log of 1 + CE */
    return 100 * expm1(s->periods_per_year * growth);
}
