/* Attention of this rank's assets to keys and values of all assets of a period, which every rank gets in a table (nn/layer.h:
 * what ranks share). */
#ifndef NN_ASSET_ATTENTION_H
#define NN_ASSET_ATTENTION_H

#include "linalg/multihead.h"
#include "nn/layer.h"

struct asset_attention {
    int heads, width, dp, lags;
    bool include_self;
    size_t row;          /* floats of an asset in the table: keys and values of every lag, then what else is shared */
    unsigned char *mask; /* [lags][N] was not there so many steps before */
    float *table;        /* [N, row] */
    float *q;            /* [most, dp] */
    float *context;      /* [lags][most, dp] */
    float *statistics;   /* [lags][shards here] */
    float *d_context, *d_q, *d_q_lag; /* [most, dp] */
};

void asset_attention_memory(struct asset_attention *a, const struct network *n, struct memory_layout *w);
void asset_attention_plan(struct asset_attention *a, const struct network *n); /* masks of the period in hand */
/* A shard's queries against everyone's keys at a lag; at: where its assets begin among this rank's. */
struct multihead asset_attention_shard(const struct asset_attention *a, const struct network *n, int s, int lag, int *at);
static inline float *asset_context(const struct asset_attention *a, const struct network *n, int lag)
{
    return a->context + (size_t)lag * (size_t)n->rows.most * (size_t)a->dp;
}
static inline const float *asset_keys(const struct asset_attention *a, int lag)
{
    return a->table + (size_t)(2 * lag * a->dp);
}
/* Contexts from queries and the table. */
void asset_attention_attend(struct asset_attention *a, const struct network *n);
/* From d [most, dp] = dLoss/dcontext of a lag (overwritten): d_q_lag of the shard, and its part of network_back at this lag. */
void asset_attention_back(struct asset_attention *a, const struct network *n, int s, int lag, float *d);
/* Those of a network's last layer between assets, with the weights of its lags; NULL: it has none. */
const struct asset_attention *cross_asset_attention(const struct network *n, const double **weight);
const struct asset_attention *winner_asset_attention(const struct network *n);

#endif
