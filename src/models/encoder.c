/* The networks over sequences as lists of layers. */
#include "models/encoder.h"

#include <math.h>

/* Dropout's streams. */
enum { DROP_EMBEDDING = 0, DROP_TIME = 1, DROP_CROSS = 2, DROP_HIDDEN = 3, DROP_LAYER = 3 };

/* What looks over an asset's steps. */
static void add_temporal(struct network *n, const struct encoder_shape *s, int k)
{
    int stream = DROP_TIME + DROP_LAYER * k;
    switch (s->temporal) {
    case TEMPORAL_FULL:
    case TEMPORAL_CAUSAL:
        layer_self_attention(
            n, (struct self_attention_shape){
                   .k = k, .of = s->layers, .heads = s->heads, .stream = stream, .causal = s->temporal == TEMPORAL_CAUSAL});
        break;
    case TEMPORAL_LSTM:
    case TEMPORAL_GRU:
        layer_recurrent(n, (struct recurrent_shape){.k = k,
                                                    .of = s->layers,
                                                    .stream = stream,
                                                    .cell = s->temporal == TEMPORAL_GRU ? RECURRENT_GRU : RECURRENT_LSTM});
        break;
    case TEMPORAL_NONE: break;
    }
}

struct network *encoder_network(const struct encoder_shape *s)
{
    int K = s->layers, d = s->d_model;
    int norms = s->temporal != TEMPORAL_NONE; /* before that of the feed-forward part */
    bool crosses = s->cross != CROSS_NONE && !s->attention_size;
    struct network *n = network_open(s->D, s->L, s->max_assets, s->shards);
    layer_embedding(n, d, s->kernel, DROP_EMBEDDING);
    for (int k = 0; k < K; k++) {
        add_temporal(n, s, k);
        if (crosses)
            layer_cross_attention(n, (struct cross_attention_shape){.k = k,
                                                                    .of = K,
                                                                    .heads = s->heads,
                                                                    .stream = DROP_CROSS + DROP_LAYER * k,
                                                                    .norm = norms,
                                                                    .kind = s->cross,
                                                                    .pool_mean = s->pool_mean,
                                                                    .lags = s->cross == CROSS_LAGGED ? s->max_lag + 1 : 1,
                                                                    .include_self = s->include_self,
                                                                    .column = {s->sector, s->market},
                                                                    .labels = {s->sector_labels, s->market_labels}});
        network_norms(n, K, norms + crosses + 1, d);
        layer_feed_forward(n, (struct feed_forward_shape){.k = k,
                                                          .of = K,
                                                          .hidden = s->feedforward,
                                                          .stream = DROP_HIDDEN + DROP_LAYER * k,
                                                          .deviation = {1 / sqrt(d), 1 / sqrt(s->feedforward)},
                                                          .norm = norms + crosses,
                                                          .residual = true});
    }
    if (s->attention_size) layer_winner_score(n, s->attention_size);
    else layer_dense(n, "output_weight", "output_bias", s->outputs, false, -1);
    return network_close(n);
}
