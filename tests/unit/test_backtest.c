/* Portfolios held through time: by hand, and against a ledger kept in money. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "measure/backtest.h"
#include "measure/trading.h"

static double uniform(int stream, int i)
{
    struct random_stream s = random_open(11, (uint64_t)stream, 0, 0);
    return random_uniform(&s, (uint64_t)i);
}

/* Two assets, half each, 1% costs; bought, held, set back to half each. */
static void two_assets_by_hand(void)
{
    const int64_t ids[] = {3, 8};
    const double half[] = {0.5, 0.5}, up[] = {0.10, -0.10}, next[] = {0.20, 0.0};
    struct backtest b;
    struct backtest_period p;
    backtest_open(&b, 2);
    CU_ASSERT(backtest_step(&b, 0.01, 2, ids, up, 2, ids, half, &p) == BACKTEST_FINE);
    CHECK_CLOSE(p.traded, 1, 1e-15); /* the first purchase */
    CHECK_CLOSE(p.gross, 0, 1e-15);
    CHECK_CLOSE(p.net, 0.99 - 1, 1e-15);
    CHECK_CLOSE(b.share[0], 0.55, 1e-15);
    CU_ASSERT(backtest_step(&b, 0.01, 2, ids, next, 0, NULL, NULL, &p) == BACKTEST_FINE); /* drifts: 0.55 * 20% */
    CU_ASSERT(p.traded == 0);
    CHECK_CLOSE(p.gross, 0.11, 1e-15);
    CHECK_CLOSE(p.net, 0.11, 1e-15);
    CHECK_CLOSE(b.share[0], 0.66 / 1.11, 1e-15);
    CU_ASSERT(backtest_step(&b, 0.01, 2, ids, next, 2, ids, half, &p) == BACKTEST_FINE);
    CHECK_CLOSE(p.traded, 2 * (0.66 / 1.11 - 0.5), 1e-15);
    CHECK_CLOSE(p.gross, 0.10, 1e-15);
    CHECK_CLOSE(p.net, (1 - 0.01 * p.traded) * 1.1 - 1, 1e-15);
    backtest_close(&b);
}

static void an_asset_that_leaves(void)
{
    const int64_t both[] = {3, 8}, one[] = {8}, other[] = {5, 8};
    const double shares[] = {-0.4, 0.6}, r[] = {0.5, 0.25}, r1[] = {0.1, 0.1};
    struct backtest b;
    struct backtest_period p;
    backtest_open(&b, 2);
    backtest_step(&b, 0, 2, both, r, 2, both, shares, &p);
    CHECK_CLOSE(p.gross, -0.05, 1e-15); /* then -0.6 and 0.75 of 0.95 */
    backtest_step(&b, 0.1, 1, one, r1, 0, NULL, NULL, &p);
    CHECK_CLOSE(p.traded, 0.6 / 0.95, 1e-15); /* the short is bought back at its last value */
    CHECK_CLOSE(p.gross, 0.075 / 0.95, 1e-15);
    CU_ASSERT(b.held == 1 && b.id[0] == 8);
    double before = b.share[0];
    backtest_step(&b, 0.1, 2, other, r1, 1, other, shares + 1, &p); /* all into 5; 8 is sold in the same trade */
    CHECK_CLOSE(p.traded, 0.6 + before, 1e-15);
    CU_ASSERT(backtest_step(&b, 0.1, 1, one, r1, 2, both, shares, &p) == BACKTEST_UNKNOWN && isnan(p.net) && b.held == 1 &&
              b.id[0] == 5);
    backtest_close(&b);
}

static void ruin(void)
{
    const int64_t id = 1;
    const double three = 3, fall = -0.4, rise = 0.1;
    struct backtest b;
    struct backtest_period p;
    backtest_open(&b, 1);
    CU_ASSERT(backtest_step(&b, 0, 1, &id, &fall, 1, &id, &three, &p) == BACKTEST_RUINED);
    CU_ASSERT(p.net == -1 && p.gross == -1);
    CU_ASSERT(backtest_step(&b, 0, 1, &id, &rise, 1, &id, &three, &p) == BACKTEST_RUINED && isnan(p.net));
    backtest_close(&b);
    backtest_open(&b, 1);
    CU_ASSERT(backtest_step(&b, 0.5, 1, &id, &rise, 1, &id, &three, &p) == BACKTEST_RUINED && p.net == -1); /* costs alone */
    backtest_close(&b);
}

enum { N = 12, T = 60 };

/* Money in each asset and in cash; assets come and go, targets and rebalances are random. */
static void against_a_ledger(void)
{
    double money[N] = {0}, cash = 1, cost = 0.003;
    struct backtest b;
    backtest_open(&b, N);
    for (int t = 0, draw = 0; t < T; t++) {
        int64_t ids[N], target_ids[N], n = 0, targets = 0;
        double r[N], target[N], wealth = cash, traded = 0, full[N] = {0};
        bool there[N], set = t == 0 || uniform(1, t) < 0.4;
        for (int i = 0; i < N; i++) {
            wealth += money[i];
            there[i] = uniform(2, draw) < 0.85;
            if (there[i]) ids[n] = i, r[n++] = 0.3 * (uniform(3, draw) - 0.5);
            if (there[i] && uniform(4, draw) < 0.7)
                target_ids[targets] = i, full[i] = target[targets++] = uniform(5, draw) - 0.4;
            draw++;
        }
        for (int i = 0; i < N; i++)
            if (set || !there[i]) traded += fabs((set ? full[i] * wealth : 0) - money[i]);
        double after = wealth - cost * traded, scale = after / wealth, left = wealth;
        for (int i = 0; i < N; i++) {
            money[i] = set ? full[i] * after : there[i] ? money[i] * scale : 0;
            left -= money[i] / scale;
        }
        cash = left * scale;
        for (int64_t k = 0; k < n; k++) money[ids[k]] *= 1 + r[k];
        double end = cash;
        for (int i = 0; i < N; i++) end += money[i];
        struct backtest_period p;
        CU_ASSERT(backtest_step(&b, cost, n, ids, r, targets, set ? target_ids : NULL, target, &p) == BACKTEST_FINE);
        CHECK_CLOSE(p.traded, traded / wealth, 1e-13);
        CHECK_CLOSE(p.net, end / wealth - 1, 1e-13);
        CHECK_CLOSE(p.gross, end / after - 1, 1e-13);
        for (int64_t k = 0; k < b.held; k++) CHECK_CLOSE(b.share[k], money[b.id[k]] / end, 1e-13);
    }
    backtest_close(&b);
}

/* Set anew every period, weights as they are, no costs: the gross return is w'R, as the model's own series has it. */
static void every_period_is_the_plain_return(void)
{
    struct backtest b;
    backtest_open(&b, N);
    for (int t = 0; t < T; t++) {
        int64_t ids[N];
        float w[N];
        double r[N], target[N], plain = 0;
        for (int i = 0; i < N; i++) {
            ids[i] = i;
            w[i] = (float)(uniform(6, N * t + i) - 0.5);
            r[i] = 0.1 * (uniform(7, N * t + i) - 0.5);
            plain += (double)w[i] * r[i];
        }
        struct backtest_period p;
        CU_ASSERT(backtest_scale(N, w, 0, target));
        backtest_step(&b, 0.001, N, ids, r, N, ids, target, &p);
        CHECK_CLOSE(p.gross, plain, 1e-15);
        if (t == 0) CHECK_CLOSE(p.traded, turnover_between(0, NULL, NULL, N, ids, w), 1e-15);
    }
    backtest_close(&b);
}

static void scaling(void)
{
    const float w[] = {1, -3}, zero[] = {0, 0}, hole[] = {1, NAN};
    double out[2] = {7, 7};
    CU_ASSERT(backtest_scale(2, w, 2, out) && out[0] == 0.5 && out[1] == -1.5);
    CU_ASSERT(backtest_scale(2, w, 0, out) && out[0] == 1 && out[1] == -3);
    CU_ASSERT(!backtest_scale(2, hole, 1, out) && !backtest_scale(0, w, 1, out) && out[0] == 1);
    CU_ASSERT(backtest_scale(2, zero, 1, out) && out[0] == 0 && out[1] == 0);
}

static void wealth(void)
{
    const double net[] = {0.1, -0.5, 0.2, NAN};
    double out[4];
    wealth_path(4, net, out);
    CHECK_CLOSE(out[2], 1.1 * 0.5 * 1.2, 1e-15);
    CU_ASSERT(isnan(out[3]));
    CHECK_CLOSE(wealth_drawdown(4, net), 0.5, 1e-15);
    CHECK_CLOSE(wealth_drawdown(1, net + 1), 0.5, 1e-15); /* the start counts */
    CU_ASSERT(isnan(wealth_drawdown(1, net + 3)) && isnan(wealth_drawdown(0, net)));
}

int main(void)
{
    static const struct check tests[] = {{"two assets by hand", two_assets_by_hand},
                                         {"an asset that leaves", an_asset_that_leaves},
                                         {"ruin", ruin},
                                         {"against a ledger", against_a_ledger},
                                         {"every period is the plain return", every_period_is_the_plain_return},
                                         {"scaling", scaling},
                                         {"wealth", wealth}};
    int status = check_run("backtest", tests, sizeof tests / sizeof *tests);
    if (memory_blocks()) printf("%ld blocks not freed\n", memory_blocks());
    return status || memory_blocks();
}
