/* The table of measures, and those that are one call of what the other files of this room compute. */
#include "measure/measures.h"

#include <math.h>
#include <stddef.h>

#include "measure/alpha.h"
#include "measure/backtest.h"
#include "measure/hjd.h"
#include "measure/series.h"
#include "measure/trading.h"

#define MEASURE(function, name, title, unit, decimals, first, last, sets, meaning)                                          \
    {name, title, unit, meaning, decimals, first, last, sets, measure_##function},
const struct measure measures[] = {
#include "measure/measures.def"
    {0}};
#undef MEASURE

double measure_return_gross(const struct measure_sample *s)
{
    return s->gross ? 100 * s->periods_per_year * series_mean(s->n, s->gross) : NAN;
}

double measure_return_net(const struct measure_sample *s)
{
    return 100 * s->periods_per_year * series_mean(s->n, s->returns);
}

double measure_volatility(const struct measure_sample *s)
{
    return 100 * sqrt(s->periods_per_year) * series_sd(s->n, s->returns);
}

double measure_sharpe(const struct measure_sample *s)
{
    return sharpe_ratio(s->n, s->returns, s->periods_per_year);
}

double measure_sharpe_gross(const struct measure_sample *s)
{
    return s->gross ? sharpe_ratio(s->n, s->gross, s->periods_per_year) : NAN;
}

double measure_sharpe_error(const struct measure_sample *s)
{
    return sharpe_error(s->n, s->returns, s->periods_per_year);
}

double measure_hjd(const struct measure_sample *s)
{
    return s->hjd ? hjd_distance(s->hjd, s->returns, NULL) : NAN;
}

double measure_hjd_scaled(const struct measure_sample *s)
{
    double scaled = NAN;
    if (s->hjd) hjd_distance(s->hjd, s->returns, &scaled);
    return scaled;
}

double measure_test_assets(const struct measure_sample *s)
{
    return s->hjd ? (double)s->hjd->assets : NAN;
}

double measure_sortino(const struct measure_sample *s)
{
    return sortino_ratio(s->n, s->returns, s->periods_per_year);
}

double measure_drawdown(const struct measure_sample *s)
{
    return 100 * drawdown_largest(s->n, s->scaled);
}

double measure_drawdown_of_wealth(const struct measure_sample *s)
{
    return 100 * wealth_drawdown(s->n, s->returns);
}

double measure_final_wealth(const struct measure_sample *s)
{
    double wealth = 1;
    for (int i = 0; i < s->n; i++) wealth *= 1 + s->returns[i];
    return wealth;
}

double measure_hit_rate(const struct measure_sample *s)
{
    return 100 * hit_rate(s->n, s->returns);
}

double measure_turnover(const struct measure_sample *s)
{
    return s->traded ? s->periods_per_year * series_mean(s->n, s->traded) : NAN;
}

double measure_cost_drag(const struct measure_sample *s)
{
    return s->gross ? 100 * s->periods_per_year * (series_mean(s->n, s->gross) - series_mean(s->n, s->returns)) : NAN;
}

double measure_alpha(const struct measure_sample *s)
{
    return s->alpha ? s->alpha->percent : NAN;
}

double measure_alpha_t(const struct measure_sample *s)
{
    return s->alpha ? s->alpha->t : NAN;
}

double measure_alpha_per_year(const struct measure_sample *s)
{
    return s->alpha ? s->alpha->percent_per_year : NAN;
}

double measure_beta(const struct measure_sample *s)
{
    return s->alpha ? s->alpha->beta : NAN;
}
