/* Networks over sequences of assets (Vaswani et al. 2017; Cong et al. 2020, "AlphaPortfolio").
 *   N assets of a period   L steps of lookback   D characteristics   d = d_model   H heads of d / H   K layers   f hidden units
 * An asset's steps that it was not there (history.row = -1) are masked: no attention goes to them, they take part in no mean; there is
 * no row for them at all. Shards cut assets; what is summed over assets is summed in shard order (models/network.h).
 *
 * Embedding    x_l = c_l W + b + p_l,  c_l the characteristics of step l, or of steps l-k+1 .. l side by side, zero where masked (a
 *              convolution over time that looks back only); p_l sinusoidal: sin(l / 10000^(2i/d)), cos of the same in the odd columns
 * K layers, each normalised after its residual (as nn.TransformerEncoderLayer does by default):
 *   1. temporal self-attention within each asset: x <- norm(x + MHA(x, x, x)), over steps (causal: up to the step itself)
 *   2. cross-asset attention between the assets' pooled states z_i (mean over steps or the last step), added to every step:
 *              x_il <- norm(x_il + o_i)
 *        CROSS_FULL          o = MHA(z, z, z) over assets (include_self false: an asset does not see itself, at no lag)
 *        CROSS_LAGGED        o = sum_lag s_lag MHA(z, z^lag, z^lag), z^lag pooled over steps up to L-1-lag (or that step), the same
 *                            weights for all lags, s = softmax of max_lag + 1 learned numbers; an asset that was not there lag
 *                            periods earlier is masked; where no source is left the heads give 0
 *        CROSS_HIERARCHICAL  o = [MHA_a(z), MHA_s(sector means)_s(i), MHA_m(market means)_m(i)] W_c + b_c with H, H/2, H/4 heads
 *                            (at least 1, and a divisor of d); unknown labels form a group of their own; groups see themselves
 *        CROSS_NONE          step 2 is left out
 *   3. feed-forward: x <- norm(x + relu(x W1 + b1) W2 + b2)
 * Output       y_i = x_i,L-1 W_y + b_y (`outputs` columns).
 * Dropout (training): after the embedding, on MHA's outputs of 1. and o of 2., on the hidden units of 3.; counter-based masks.
 * What does not reach the output is not computed: in the last layer queries only for the steps that are pooled, feed-forward only for the
 * last step. */
#ifndef MODELS_ENCODER_H
#define MODELS_ENCODER_H

#include "models/network.h"

enum cross { CROSS_NONE, CROSS_FULL, CROSS_LAGGED, CROSS_HIERARCHICAL };

struct encoder_shape {
    int D, max_assets, shards;
    int L, d_model, heads, layers, feedforward;
    int kernel;  /* steps that the embedding looks at: 1 linear, more a convolution */
    bool causal; /* temporal attention looks back only */
    enum cross cross;
    bool pool_mean; /* pooled over time; else the last step */
    int max_lag;    /* CROSS_LAGGED: below L */
    bool include_self;
    int sector, market;               /* CROSS_HIERARCHICAL: the panel's group columns, */
    int sector_labels, market_labels; /* and how many labels each has */
    int outputs;
};

/* Tensors (files: [in, out] as in x W): input_weight [kernel D, d], input_bias; per layer, stacked along the first dimension [K, ..]:
 * time_query, time_key, time_value, time_output [K, d, d] with *_bias [K, d]; cross_* the same (hierarchical: sector_*, market_* too,
 * combine [K, 3 d, d], combine_bias); lag_logits [K, max_lag + 1]; norm_scale, norm_shift [K, 3, d] (CROSS_NONE: [K, 2, d]); W1, b1, W2,
 * b2; output_weight [d, outputs], output_bias. Initial values: N(0, 1/fan_in), biases and lag_logits 0, scales 1. */
struct network *cross_attention_network(const struct encoder_shape *s);

/* AlphaPortfolio: r(i) the encoder's states (CROSS_NONE) flattened over lags [L d], zero where masked; q, k, v = r W + b [a];
 * SATT(i, j) = softmax_j(q_i k_j / sqrt(a)); y_i = tanh(w' sum_j SATT(i, j) v_j + b), the winner score. Over all assets, j = i included.
 * Tensors: asset_query, asset_key, asset_value [L, d, a] with *_bias [a], winner [a], winner_bias, in place of output_*. s->cross and
 * s->outputs do not matter. */
struct network *alpha_portfolio_network(const struct encoder_shape *s, int attention_size);

/* Floating-point operations of a forward pass over N assets with whole histories (backward takes twice that, and up to two thirds of it
 * more where what it needs is formed again), bytes on a rank that holds 1/ranks of the shards with everything kept; net->memory below
 * that keeps less, of less than encoder_bytes_least nothing. attention_size 0: cross_attention. */
double encoder_flops(const struct encoder_shape *s, int attention_size, double N);
double encoder_bytes(const struct encoder_shape *s, int attention_size, int ranks);
double encoder_bytes_least(const struct encoder_shape *s, int attention_size, int ranks);

/* Reading what the last forward pass attended to, in its last layer, on every rank (collective). out [heads, N, N]: row i is what asset i
 * took from each asset j (lagged: averaged over lags by their weights); alpha_portfolio: one head. Meant for few assets. */
int encoder_attention_heads(const struct network *);
void encoder_attention(struct network *, const struct period *, float *out);
/* CROSS_LAGGED: softmax of the last layer's lag logits, out [max_lag + 1]. */
void encoder_lag_weights(const struct network *, double *out);
/* CROSS_HIERARCHICAL: mean over heads of the last layer's attention between sectors, out [labels + 1, labels + 1], the last unknown;
 * rows and columns of sectors without an asset are NaN. */
void encoder_sector_attention(struct network *, const struct period *, double *out);

#endif
