/* What the last forward pass attended to, in its last layer. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

int encoder_attention_heads(const struct network *n)
{
    return encoder_of(n)->b.heads;
}

void encoder_lag_weights(const struct network *n, double *out)
{
    const struct encoder *e = encoder_of(n);
    lag_weights(e, e->s.layers - 1, out);
}

/* out [queries, N] of a head: a shard's rows, weighted by lag. */
static void shard_rows(struct encoder *e, int k, int s, int head, const double *weight, float *out, float *scratch)
{
    struct cross_attention *b = &e->b;
    for (int lag = 0; lag < b->lags; lag++) {
        int at;
        struct multihead m = cross_attention_shard(e, s, lag, &at);
        size_t count = (size_t)m.queries * (size_t)m.keys;
        multihead_weights(e->net.kernels, &m, head, b->q + (size_t)(k * e->cap + at) * (size_t)b->dp,
                          b->table + (size_t)k * (size_t)e->net.max_assets * b->row + (size_t)(2 * lag * b->dp), scratch,
                          e->work);
        for (size_t i = 0; i < count; i++) out[i] = (lag ? out[i] : 0) + (float)weight[lag] * scratch[i];
    }
}

void encoder_attention(struct network *n, const struct period *p, float *out)
{
    struct encoder *e = encoder_of(n);
    require(p->n == e->N && e->b.heads);
    int k = e->a ? 0 : e->s.layers - 1;
    size_t N = (size_t)e->N;
    float *scratch = memory_array(float, (size_t)most_rows(n, 1) * N, "attention");
    lag_weights(e, k, e->b.weight);
    for (int h = 0; h < e->b.heads; h++, out += N * N) {
        for (int s = 0; s < n->own; s++)
            shard_rows(e, k, s, h, e->b.weight, out + (size_t)shard_row(n, e->N, n->first + s) * N, scratch);
        team_share_begin(e->share, out, network_ranges(n, e->N, e->N));
        team_share_finish(e->share);
    }
    memory_free(scratch);
}

void encoder_sector_attention(struct network *n, const struct period *p, double *out)
{
    struct encoder *e = encoder_of(n);
    const struct group_attention *l = &e->by_group[0];
    require(e->s.cross == CROSS_HIERARCHICAL && p->n == e->N);
    int G = l->groups, k = e->s.layers - 1, dp = l->p.dp;
    struct multihead m = {.heads = l->p.heads,
                          .width = l->p.width,
                          .queries = G,
                          .keys = G,
                          .q_row = dp,
                          .k_row = 2 * dp,
                          .absent = l->none,
                          .self = -1};
    float *one = memory_array(float, G *G, "attention");
    for (int i = 0; i < G * G; i++) out[i] = l->none[i / G] || l->none[i % G] ? NAN : 0;
    for (int h = 0; h < l->p.heads; h++) {
        multihead_weights(n->kernels, &m, h, l->q + (size_t)(k * G) * (size_t)dp, l->kv + (size_t)(k * G) * 2 * (size_t)dp,
                          one, e->work);
        for (int i = 0; i < G * G; i++) out[i] += (double)one[i] / l->p.heads;
    }
    memory_free(one);
}
