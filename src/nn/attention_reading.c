/* What the last forward pass attended to between assets, in its last layer. */
#include <math.h>
#include <string.h>

#include "asset_attention.h"
#include "base/memory.h"
#include "nn/cross_attention.h"

static const struct asset_attention *attention_of(const struct network *n, const double **weight)
{
    static const double one = 1;
    const struct asset_attention *a = winner_asset_attention(n);
    *weight = &one;
    return a ? a : cross_asset_attention(n, weight);
}

int cross_attention_heads(const struct network *n)
{
    const double *weight;
    const struct asset_attention *a = attention_of(n, &weight);
    return a ? a->heads : 0;
}

/* out [queries, N] of a head: a shard's rows, weighted by lag. */
static void shard_rows(const struct asset_attention *a, const struct network *n, int s, int head, const double *weight,
                       float *out, float *scratch)
{
    for (int lag = 0; lag < a->lags; lag++) {
        int at;
        struct multihead m = asset_attention_shard(a, n, s, lag, &at);
        size_t count = (size_t)m.queries * (size_t)m.keys;
        multihead_weights(n->kernels, &m, head, a->q + (size_t)at * (size_t)a->dp, asset_keys(a, lag), scratch,
                          network_attention_work(n));
        for (size_t i = 0; i < count; i++) out[i] = (lag ? out[i] : 0) + (float)weight[lag] * scratch[i];
    }
}

void cross_attention_read(struct network *n, const struct period *p, float *out)
{
    const double *weight;
    const struct asset_attention *a = attention_of(n, &weight);
    require(a && p->n == n->rows.N);
    size_t N = (size_t)p->n;
    float *scratch = memory_array(float, (size_t)most_assets(n, 1) * N, "attention");
    for (int h = 0; h < a->heads; h++, out += N * N) {
        for (int s = 0; s < n->shards.own; s++)
            shard_rows(a, n, s, h, weight, out + (size_t)shard_first(&n->shards, p->n, n->shards.first + s) * N, scratch);
        network_share_begin(n, out, N);
        network_share_finish(n);
    }
    memory_free(scratch);
}
