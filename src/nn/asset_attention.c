/* Attention of this rank's assets to keys and values of all assets of a period. */
#include "asset_attention.h"

#include <string.h>

static size_t statistics_floats(const struct asset_attention *a, const struct network *n)
{
    return multihead_statistics(a->heads, most_assets(n, 1));
}

void asset_attention_memory(struct asset_attention *a, const struct network *n, struct memory_layout *w)
{
    size_t most = (size_t)n->rows.most, lags = (size_t)a->lags, dp = (size_t)a->dp, N = (size_t)n->max_assets;
    MEMORY(w, a->mask, lags * N, "assets that are gone");
    MEMORY(w, a->table, N * a->row, "keys and values of all assets");
    MEMORY(w, a->q, most * dp, "queries of assets");
    MEMORY(w, a->context, lags * most * dp, "contexts of assets");
    MEMORY(w, a->statistics, lags * (size_t)n->shards.own * statistics_floats(a, n), "softmax statistics");
    MEMORY(w, a->d_context, most * dp, "derivatives of contexts");
    MEMORY(w, a->d_q, most * dp, "derivatives of queries");
    MEMORY(w, a->d_q_lag, most * dp, "derivatives of queries");
}

void asset_attention_plan(struct asset_attention *a, const struct network *n)
{
    const struct history *h = n->rows.period->history;
    for (int lag = 0; lag < a->lags; lag++)
        for (int i = 0; i < n->rows.N; i++)
            a->mask[lag * n->max_assets + i] = h && h->row[(size_t)i * (size_t)n->L + (size_t)(n->L - 1 - lag)] < 0;
}

struct multihead asset_attention_shard(const struct asset_attention *a, const struct network *n, int s, int lag, int *at)
{
    int assets = shard_assets(n, s, at);
    return (struct multihead){.heads = a->heads,
                              .width = a->width,
                              .queries = assets,
                              .keys = n->rows.N,
                              .q_row = a->dp,
                              .k_row = (ptrdiff_t)a->row,
                              .absent = a->mask + lag * n->max_assets,
                              .self = a->include_self ? -1 : n->rows.first + *at};
}

static float *statistics_of(const struct asset_attention *a, const struct network *n, int lag, int s)
{
    return a->statistics + (size_t)(lag * n->shards.own + s) * statistics_floats(a, n);
}

void asset_attention_attend(struct asset_attention *a, const struct network *n)
{
    for (int s = 0; s < n->shards.own; s++)
        for (int lag = 0; lag < a->lags; lag++) {
            int at;
            struct multihead m = asset_attention_shard(a, n, s, lag, &at);
            const float *keys = asset_keys(a, lag);
            size_t skip = (size_t)at * (size_t)a->dp;
            multihead_forward(n->kernels, &m, a->q + skip, keys, keys + a->dp, asset_context(a, n, lag) + skip, NULL,
                              statistics_of(a, n, lag, s), network_attention_work(n));
        }
}

void asset_attention_back(struct asset_attention *a, const struct network *n, int s, int lag, float *d)
{
    int at;
    struct multihead m = asset_attention_shard(a, n, s, lag, &at);
    size_t skip = (size_t)at * (size_t)a->dp;
    const float *keys = asset_keys(a, lag);
    float *d_keys = network_back(n, s) + (size_t)(2 * lag * a->dp);
    for (int j = 0; j < n->rows.N; j++) memset(d_keys + (size_t)j * a->row, 0, sizeof(float) * 2 * (size_t)a->dp);
    multihead_backward(n->kernels, &m, a->q + skip, keys, keys + a->dp, asset_context(a, n, lag) + skip, d + skip, NULL,
                       statistics_of(a, n, lag, s), a->d_q_lag + skip, d_keys, d_keys + a->dp, true,
                       network_attention_work(n));
}
