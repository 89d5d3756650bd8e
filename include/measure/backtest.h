/* A portfolio held through time: set to target shares at its rebalances, drifting with returns in between, each trade paid for.
 *
 * Shares are fractions of wealth; what is not in assets is cash, which earns nothing (returns in excess of the riskless rate: it earns
 * that rate). Where a period begins with trades of tau = sum |new share - drifted share|, its returns are
 *     gross R = sum share_i r_i        net (1 - c tau) (1 + R) - 1
 * with c the cost of a unit traded, one way: costs are measured on wealth before them and taken from all holdings and cash alike
 * (DeMiguel, Garlappi and Uppal 2009, eq. 15). Then share_i becomes share_i (1 + r_i) / (1 + R).
 *   n assets of the panel at a date   returns decimal over the period that begins there */
#ifndef MEASURE_BACKTEST_H
#define MEASURE_BACKTEST_H

#include <stdbool.h>
#include <stdint.h>

struct backtest {
    int64_t held, capacity;
    int64_t *id;   /* [held] ascending */
    double *share; /* [held] */
    bool ruined;
};
struct backtest_period {
    double gross, net, traded; /* traded: tau; all NaN after ruin */
};
enum backtest_code {
    BACKTEST_FINE,
    BACKTEST_RUINED, /* wealth is gone in this period (net -1) or before it */
    BACKTEST_UNKNOWN /* a target asset is not in the panel at this date: nothing was done */
};

/* Nothing but cash. capacity: most assets at any date. backtest_close frees. */
void backtest_open(struct backtest *b, int64_t capacity);
void backtest_close(struct backtest *b);

/* One period with the panel's assets ids [n] (ascending) and returns [n]. target_ids, target [targets]: a rebalance to these shares
 * (ids ascend); NULL: no rebalance. A held asset that the panel has no more is sold at its last value, at cost. */
enum backtest_code backtest_step(struct backtest *b, double cost, int64_t n, const int64_t *ids, const double *returns,
                                 int64_t targets, const int64_t *target_ids, const double *target,
                                 struct backtest_period *out);

/* Shares out [n] from weights: their absolute values sum to `gross`, or as they are where gross is 0. False, and out untouched: no weight
 * at all, or one that is not finite. Weights that are all zero stay zero: cash. */
bool backtest_scale(int64_t n, const float *weights, double gross, double *out);

/* Wealth after each period from 1 at the start, out [n]; NaN where the return is. */
void wealth_path(int n, const double *net, double *out);
/* Largest fall of wealth from its highest point so far, the start included, as a share of it: 0 to 1. NaN: no period. */
double wealth_drawdown(int n, const double *net);

#endif
