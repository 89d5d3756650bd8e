/* The book of a portfolio between two rebalances: shares drift, trades are paid for, a ruin stays one. */
#include "measure/backtest.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void backtest_open(struct backtest *b, int64_t capacity)
{
    *b = (struct backtest){.capacity = capacity};
    b->id = memory_array(int64_t, capacity, "assets held");
    b->share = memory_array(double, capacity, "shares held");
}

void backtest_close(struct backtest *b)
{
    memory_free(b->id);
    memory_free(b->share);
    *b = (struct backtest){0};
}

static bool all_there(int64_t n, const int64_t *ids, int64_t targets, const int64_t *target_ids)
{
    int64_t i = 0;
    for (int64_t j = 0; j < targets; j++, i++) {
        while (i < n && ids[i] < target_ids[j]) i++;
        if (i == n || ids[i] != target_ids[j]) return false;
    }
    return true;
}

/* From what is held to the targets; returns what is traded. */
static double rebalance(struct backtest *b, int64_t targets, const int64_t *target_ids, const double *target)
{
    double traded = 0;
    for (int64_t i = 0, j = 0; i < b->held || j < targets;) {
        if (j == targets || (i < b->held && b->id[i] < target_ids[j])) traded += fabs(b->share[i++]);
        else if (i == b->held || target_ids[j] < b->id[i]) traded += fabs(target[j++]);
        else traded += fabs(target[j++] - b->share[i++]);
    }
    require(targets <= b->capacity);
    b->held = targets;
    memcpy(b->id, target_ids, (size_t)targets * sizeof *b->id);
    memcpy(b->share, target, (size_t)targets * sizeof *b->share);
    return traded;
}

/* Sell what the panel has no more; returns what is traded. */
static double sell_absent(struct backtest *b, int64_t n, const int64_t *ids)
{
    double traded = 0;
    int64_t kept = 0;
    for (int64_t i = 0, j = 0; i < b->held; i++) {
        while (j < n && ids[j] < b->id[i]) j++;
        if (j == n || ids[j] != b->id[i]) traded += fabs(b->share[i]);
        else b->id[kept] = b->id[i], b->share[kept++] = b->share[i];
    }
    b->held = kept;
    return traded;
}

/* Every held asset is among ids. */
static double drift(struct backtest *b, const int64_t *ids, const double *returns)
{
    double gross = 0;
    for (int64_t i = 0, j = 0; i < b->held; i++, j++) {
        while (ids[j] < b->id[i]) j++;
        gross += b->share[i] * returns[j];
        b->share[i] *= 1 + returns[j];
    }
    for (int64_t i = 0; i < b->held; i++) b->share[i] /= 1 + gross;
    return gross;
}

enum backtest_code backtest_step(struct backtest *b, double cost, int64_t n, const int64_t *ids, const double *returns,
                                 int64_t targets, const int64_t *target_ids, const double *target,
                                 struct backtest_period *out)
{
    *out = (struct backtest_period){NAN, NAN, NAN};
    if (b->ruined) return BACKTEST_RUINED;
    if (target_ids && !all_there(n, ids, targets, target_ids)) return BACKTEST_UNKNOWN;
    out->traded = target_ids ? rebalance(b, targets, target_ids, target) : sell_absent(b, n, ids);
    double kept = 1 - cost * out->traded;
    out->gross = drift(b, ids, returns);
    out->net = kept * (1 + out->gross) - 1;
    if (kept > 0 && 1 + out->gross > 0) return BACKTEST_FINE;
    b->ruined = true;
    out->gross = fmax(-1, out->gross);
    out->net = -1;
    return BACKTEST_RUINED;
}

bool backtest_scale(int64_t n, const float *weights, double gross, double *out)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += fabs((double)weights[i]);
    if (n == 0 || !isfinite(sum)) return false;
    double scale = gross > 0 && sum > 0 ? gross / sum : 1;
    for (int64_t i = 0; i < n; i++) out[i] = scale * (double)weights[i];
    return true;
}

void wealth_path(int n, const double *net, double *out)
{
    double wealth = 1;
    for (int i = 0; i < n; i++) {
        if (!isnan(net[i])) wealth *= 1 + net[i];
        out[i] = isnan(net[i]) ? NAN : wealth;
    }
}

double wealth_drawdown(int n, const double *net)
{
    double wealth = 1, top = 1, largest = 0;
    int seen = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(net[i])) continue;
        seen++;
        wealth *= 1 + net[i];
        top = fmax(top, wealth);
        largest = fmax(largest, 1 - wealth / top);
    }
    return seen ? largest : NAN;
}
