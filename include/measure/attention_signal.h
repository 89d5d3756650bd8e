/* A signal from attention over returns, without a model: each asset's recent returns are a key, the target's the query,
 *     w = softmax(K q / sqrt(L)),   output = w' V,   signal = mean of the last five outputs
 * with K = V the assets' returns over the target's last L <= lookback periods. The figures are rounded to the places that users of this
 * tool compare: weights, confidence, concentration and shares to 4 decimals, the signal to 6 (the nearest decimal of the number's
 * exact value, as printf and Python's round give it); what is computed from a rounded figure uses it rounded.
 *   n assets   k other assets   returns decimal, oldest first, finite */
#ifndef MEASURE_ATTENTION_SIGNAL_H
#define MEASURE_ATTENTION_SIGNAL_H

struct return_series {
    const double *x; /* [n] */
    int n;
};

struct attention_signal {
    double signal, confidence; /* confidence: largest weight (unrounded) times min(10 |signal|, 1) */
    int dominant;              /* the first of largest rounded weight; -1: no other asset, or a target without returns */
};

/* weights [k] of the others, rounded. A series shorter than the target's is followed by zeros, a longer one is cut at its length (after
 * the last `lookback` of each were taken). Scores beyond floating point make NaN. lookback >= 1. */
void attention_signal(const struct return_series *target, int k, const struct return_series *other, int lookback,
                      double *weights, struct attention_signal *out);

/* How concentrated attention is: the mean over assets of its largest (rounded) weight. Trending above 0.4, crisis above 0.6. */
enum regime { REGIME_DIVERSIFIED, REGIME_TRENDING, REGIME_CRISIS, REGIME_INSUFFICIENT };
enum regime regime_of(double concentration);
const char *regime_name(enum regime r); /* diversified, trending, crisis_correlated, insufficient_data */
const char *regime_risk(enum regime r); /* low, moderate, high, unknown */

struct attention_regime {
    enum regime regime;   /* of the unrounded concentration; REGIME_INSUFFICIENT: fewer than two assets */
    double concentration; /* rounded; NaN if insufficient */
};
/* Every asset as target against all others over `window`; matrix [n, n] rounded weights, NaN on the diagonal. */
void attention_regime(int n, const struct return_series *asset, int window, double *matrix, struct attention_regime *out);

/* An allocation tilted towards what the target attends to: share (1 - tilt) + tilt w / sum w for the assets in it, then shares
 * that sum to 1, rounded (left as they are where their sum is not positive).
 * weights [k] rounded; place[j]: the weight's asset in base [n], -1: not in it. tilt in [0, 1]. */
void attention_tilt(int k, const double *weights, const int *place, int n, const double *base, double tilt,
                    double *adjusted);

/* The nearest decimal with so many places, ties of the exact binary value to even. */
double round_decimal(double x, int places);

#endif
