/* Networks over sequences of assets (Vaswani et al. 2017; Cong et al. 2020, "AlphaPortfolio").
 *   N assets of a period   L steps of lookback   D characteristics   d = d_model   H heads of d / H   K layers   f hidden units
 * An asset's steps that it was not there (history.row = -1) are masked: no attention goes to them, they take part in no mean.
 *
 * Embedding    x_l = c_l W + b + p_l,  c_l the characteristics of step l, or of steps l-k+1 .. l side by side, zero where masked (a
 *              convolution over time that looks back only); p_l sinusoidal: sin(l / 10000^(2i/d)), cos of the same in the odd columns
 * K layers, each normalised after its residual (as nn.TransformerEncoderLayer does by default):
 *   1. within each asset over steps, self-attention: x <- norm(x + MHA(x, x, x)) (causal: up to the step itself); or the states of a
 *      recurrent network: x <- norm(x + LSTM(x)), x <- norm(x + GRU(x)); or nothing
 *   2. attention between the assets' pooled states, x_il <- norm(x_il + o_i): nn/cross_attention.h; CROSS_NONE: left out
 *   3. feed-forward: x <- norm(x + relu(x W1 + b1) W2 + b2)
 * Output       y_i = x_i,L-1 W_y + b_y (`outputs` columns); AlphaPortfolio: the winner score.
 * Dropout (training): after the embedding, on what is added in 1. and on o of 2., on the hidden units of 3.; counter-based masks. */
#ifndef MODELS_ENCODER_H
#define MODELS_ENCODER_H

#include "nn/cross_attention.h"

/* What looks over an asset's steps. */
enum temporal { TEMPORAL_FULL, TEMPORAL_CAUSAL, TEMPORAL_LSTM, TEMPORAL_GRU, TEMPORAL_NONE };

struct encoder_shape {
    int D, max_assets, shards;
    int L, d_model, heads, layers, feedforward;
    int kernel; /* steps that the embedding looks at: 1 linear, more a convolution */
    enum temporal temporal;
    enum cross cross;
    bool pool_mean; /* pooled over time; else the last step */
    int max_lag;    /* CROSS_LAGGED: below L */
    bool include_self;
    int sector, market;               /* CROSS_HIERARCHICAL: the panel's group columns, */
    int sector_labels, market_labels; /* and how many labels each has */
    int outputs;
    int attention_size; /* of the winner score, which then takes the place of cross and outputs; 0: none */
};

/* The network, described; network_make gives it parameters. Tensors (files: [in, out] as in x W): input_weight [kernel D, d], input_bias; per
 * layer, stacked along the first dimension [K, ..]: time_query, time_key, time_value, time_output [K, d, d] with *_bias [K, d], or those
 * of layer_recurrent (nn/layer.h); those of
 * nn/cross_attention.h; norm_scale, norm_shift [K, 3, d] (less without 1. or 2.); W1, b1, W2, b2;
 * output_weight [d, outputs], output_bias, or the winner score's. Initial values: N(0, 1/fan_in), biases and lag_logits 0, scales 1. */
struct network *encoder_network(const struct encoder_shape *s);

#endif
