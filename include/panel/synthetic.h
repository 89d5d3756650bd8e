/* A synthetic panel with a known SDF. Every value is a pure function of (options, asset, characteristic, period): any rank makes
 * any period, and the panel is the same for any number of ranks.
 *
 *   R_{t+1} = X_t B (pi + f_{t+1})                          factor part: FACTORS factors with premia
 *           + c_o (g(X_t) - mean)                           own-asset part: products and squares of an asset's characteristics
 *           + c_x X_t w (12/P) sum_p Xi_t(j_p, j'_p)        cross-asset part: a linear transformer with P heads
 *           + e_{t+1},   e ~ N(0, volatility^2)
 * with Xi_t = X_t' X_t / n_t. The co-moments Xi_t(j_p, j'_p) follow one persistent state of mean zero that the characteristics
 * themselves carry: the premium of the managed portfolio X_t w changes its sign over time, so that a model that looks at one asset
 * at a time sees nothing of it. Each part's amplitude is set so that it brings its share of the squared Sharpe ratio.
 *   N slots for assets   n_t assets in period t   D characteristics   T periods */
#ifndef PANEL_SYNTHETIC_H
#define PANEL_SYNTHETIC_H

#include <stdint.h>

#include "base/error.h"
#include "panel/panel.h"

enum { SYNTHETIC_FACTORS = 3 };

struct synthetic_options {
    int N, D, T;
    int start; /* YYYYMM of the first formation date */
    uint64_t seed;
    double sharpe;                               /* annual Sharpe ratio of the true SDF portfolio if the shares sum to 1 */
    double factor_share, own_share, cross_share; /* of its square; 0 switches a part off */
    double volatility;                           /* idiosyncratic, a month, decimal */
};
extern const struct synthetic_options synthetic_default;

/* What is wrong with the options: fills e, -1. */
int synthetic_check(const struct synthetic_options *o, struct error *e);

struct synthetic;
/* Draws the life of every asset and sets the amplitudes from sampled periods. Memory: about 450 N bytes, and 4 N D while it does.
 * Options that synthetic_check refuses break the contract. */
struct synthetic *synthetic_create(const struct synthetic_options *o);
void synthetic_destroy(struct synthetic *s);

/* The header of the panel without truth (it is known period by period); the caller frees with panel_meta_free. */
void synthetic_describe(const struct synthetic *s, struct panel_meta *m);
/* Annual Sharpe ratio that the true SDF portfolio is set to have. */
double synthetic_ceiling(const struct synthetic *s);

/* Rows of period t: characteristics [n, D], returns [n], ids [n], size_groups [n] (room for N rows). Returns n; *sdf is the return
 * of the true conditional SDF portfolio w'R_{t+1}, w = (V + mu mu')^-1 mu with the conditional mean mu and covariance V,
 * exactly by Woodbury's identity, O(n). Periods in ascending order are fastest; any order gives the same. */
int synthetic_period(struct synthetic *s, int t, float *characteristics, double *returns, int64_t *ids, int8_t *size_groups,
                     double *sdf);
/* Of the last period made: conditional means mu [n]; loadings U [n, SYNTHETIC_FACTORS], V = U U' + volatility^2 I; the state. */
const double *synthetic_means(const struct synthetic *s);
const double *synthetic_loadings(const struct synthetic *s);
double synthetic_state(const struct synthetic *s, int t);

#endif
