/* Attention between the assets of a period (Cong et al. 2020): every asset's steps are pooled into a state z_i (mean over steps or the last
 * step), states attend to each other, and what comes out is added to every step: x_il <- norm(x_il + o_i).
 *   CROSS_FULL          o = MHA(z, z, z) over assets (include_self false: an asset does not see itself, at no lag)
 *   CROSS_LAGGED        o = sum_lag s_lag MHA(z, z^lag, z^lag), z^lag pooled over steps up to L-1-lag (or that step), the same weights for
 *                       all lags, s = softmax of max_lag + 1 learned numbers; an asset that was not there lag periods earlier is masked;
 *                       where no source is left the heads give 0
 *   CROSS_HIERARCHICAL  o = [MHA_a(z), MHA_s(sector means)_s(i), MHA_m(market means)_m(i)] W_c + b_c with H, H/2, H/4 heads (at least 1,
 *                       and a divisor of d); unknown labels form a group of their own; groups see themselves */
#ifndef NN_CROSS_ATTENTION_H
#define NN_CROSS_ATTENTION_H

#include "nn/layer.h"

enum cross { CROSS_NONE, CROSS_FULL, CROSS_LAGGED, CROSS_HIERARCHICAL };

struct cross_attention_shape {
    int k, of, heads, stream, norm;
    enum cross kind;
    bool pool_mean; /* pooled over time; else the last step */
    int lags;       /* CROSS_LAGGED: max_lag + 1; else 1 */
    bool include_self;
    int column[2],
        labels[2]; /* CROSS_HIERARCHICAL: the panel's group columns of sectors and markets, and how many labels each has */
};
/* Two layers: the attention, and the norm of its sum with the rows. Tensors cross_query .. [K, d, d], hierarchical sector_*, market_* too,
 * combine [K, 3 d, d], combine_bias; lag_logits [K, lags]. */
void layer_cross_attention(struct network *, struct cross_attention_shape);
/* AlphaPortfolio's score: r(i) the states flattened over steps [L d], zero where masked; q, k, v = r W + b [a];
 * SATT(i, j) = softmax_j(q_i k_j / sqrt(a)); y_i = tanh(w' sum_j SATT(i, j) v_j + b), j = i included. Tensors asset_query, asset_key,
 * asset_value [L, d, a] with *_bias [a], winner [a], winner_bias. */
void layer_winner_score(struct network *, int attention_size);

/* Reading what the last forward pass attended to, in its last layer, on every rank (collective). out [heads, N, N]: row i is what asset i
 * took from each asset j (lagged: averaged over lags by their weights); the winner score: one head. Meant for few assets. */
int cross_attention_heads(const struct network *); /* 0: there is no attention between assets */
void cross_attention_read(struct network *, const struct period *, float *out);
/* CROSS_LAGGED: softmax of the last layer's lag logits, out [lags]. */
void cross_attention_lags(const struct network *, double *out);
/* CROSS_HIERARCHICAL: mean over heads of the last layer's attention between sectors, out [labels + 1, labels + 1], the last unknown; rows
 * and columns of sectors without an asset are NaN. */
void cross_attention_sectors(const struct network *, const struct period *, double *out);

#endif
