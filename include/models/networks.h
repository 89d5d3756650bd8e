/* The networks of single periods, described; network_make gives them parameters. */
#ifndef MODELS_NETWORKS_H
#define MODELS_NETWORKS_H

#include "nn/portfolio_attention.h"

/* Every asset by itself: relu between layers of so many units, one output. Tensors weight_0, bias_0, ...                 (9) */
struct network *mlp_network(int D, int max_assets, int shards, int layers, const int *hidden);
/* Blocks of attention over the period's assets (`attention`: its heads and what is left of it; heads 0: blocks without attention) and a
 * feed-forward layer of so many units (0: blocks without one); residual as the attention's. Tensors W, V, W1, b1, W2, b2, lambda; what is not
 * there has none                                                                                                     (13)-(21) */
struct network *transformer_network(int D, int max_assets, int shards, int blocks, int feedforward,
                                    struct portfolio_attention_shape attention);

#endif
