/* Attention between the assets of a period: pooled states, keys and values of all assets on every rank, contexts, and the way back. The
 * derivative of a shard's losses with respect to all assets' keys and values is kept by shard and summed in shard order at their
 * owners, who own the gradient of the layers that made them. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

void cross_attention_memory(struct encoder *e, struct memory_layout *w)
{
    struct cross_attention *b = &e->b;
    size_t K = e->a ? 1 : (size_t)e->s.layers, N = (size_t)e->net.max_assets, cap = (size_t)e->cap, lags = (size_t)b->lags,
           own = (size_t)e->net.own, dp = (size_t)b->dp, ld = (size_t)e->ld;
    MEMORY(w, b->mask, lags * N, "assets that are gone");
    MEMORY(w, b->weight, lags, "weights of lags");
    MEMORY(w, b->slope, lags, "weights of lags");
    if (!b->heads) return;
    MEMORY(w, b->table, K * N * b->row, "keys and values of all assets");
    MEMORY(w, b->q, K * cap * dp, "queries of assets");
    MEMORY(w, b->context, K * lags * cap * dp, "contexts of assets");
    MEMORY(w, b->statistics, K * lags * own * multihead_statistics(b->heads, most_rows(&e->net, 1)), "softmax statistics");
    MEMORY(w, b->d_context, cap * dp, "derivatives of contexts");
    MEMORY(w, b->d_q, cap * dp, "derivatives of queries");
    MEMORY(w, b->d_q_lag, cap * dp, "derivatives of queries");
    MEMORY(w, b->d_row, cap * b->row, "derivatives of keys and values");
    if (w->way == MEMORY_TAKE) b->d_table = memory_array(float *, own, "derivatives of keys and values");
    for (size_t s = 0; s < own; s++) {
        if (w->way == MEMORY_COUNT) w->bytes += (double)(N * b->row * sizeof(float));
        else MEMORY(w, b->d_table[s], N * b->row, "derivatives of keys and values");
    }
    if (w->way == MEMORY_GIVE) memory_free(b->d_table);
    if (e->a) return;
    MEMORY(w, b->pooled, K * lags * cap * ld, "pooled states");
    MEMORY(w, b->d_pooled, lags * cap * ld, "derivatives of pooled states");
    MEMORY(w, b->out, K * cap * ld, "outputs of attention between assets");
    MEMORY(w, b->asset, e->s.cross == CROSS_HIERARCHICAL ? K * cap * ld : 0, "outputs of attention between assets");
    MEMORY(w, b->mixed, cap * dp, "contexts of assets");
    MEMORY(w, b->d_mixed, cap * dp, "derivatives of contexts");
    MEMORY(w, b->d_out, cap * ld, "derivatives of outputs");
    MEMORY(w, b->d_asset, cap * ld, "derivatives of outputs");
}

void cross_attention_plan(struct encoder *e, const struct period *p)
{
    for (int lag = 0; lag < e->b.lags; lag++)
        for (int i = 0; i < p->n; i++)
            e->b.mask[lag * e->net.max_assets + i] =
                p->history->row[(size_t)i * (size_t)e->s.L + (size_t)(e->s.L - 1 - lag)] < 0;
}

static bool is_masked(const struct encoder *e, int lag, int asset)
{
    return e->b.mask[lag * e->net.max_assets + e->row0 + asset];
}

static float *pooled_of(const struct encoder *e, int k, int lag)
{
    return e->b.pooled + (size_t)(k * e->b.lags + lag) * (size_t)e->cap * (size_t)e->ld;
}

/* How many of an asset's rows, among those that the attention of layer k gives, lie at step L-1-lag or before. */
static int rows_until(const struct encoder *e, enum span v, int asset, int lag)
{
    int rows = rows_of(e, v, asset);
    const int *step = e->step + begin_of(e, ALL, asset) + rows_of(e, ALL, asset) - rows;
    while (rows && step[rows - 1] > e->s.L - 1 - lag) rows--;
    return rows;
}

/* Pooled states of a batch's assets at every lag, from the rows that time_forward has just normalised. */
void pool_batch(struct encoder *e, const struct batch *b, int k)
{
    const struct kernels *kernels = e->net.kernels;
    enum span v = after_time(e, k);
    size_t ld = (size_t)e->ld;
    float *sum = e->spare, *mean = e->spare + ld;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        const float *normalised = e->normalised_time + layer_row(e, k, v, i) * ld;
        int held = 0;
        memset(sum, 0, sizeof(float) * ld);
        for (int lag = e->b.lags - 1; lag >= 0; lag--) {
            int rows = rows_until(e, v, i, lag);
            float *z = pooled_of(e, k, lag) + (size_t)i * ld;
            if (e->s.pool_mean) kernels->column_sum(rows - held, (int)ld, normalised + (size_t)held * ld, sum);
            held = rows;
            if (is_masked(e, lag, i)) {
                memset(z, 0, sizeof(float) * ld);
                continue;
            }
            if (e->s.pool_mean)
                for (size_t c = 0; c < ld; c++) mean[c] = sum[c] / (float)rows;
            kernels->row_affine(1, (int)ld, e->s.pool_mean ? mean : normalised + (size_t)(rows - 1) * ld,
                                norm_scale(e, k, 0), norm_shift(e, k, 0), z);
        }
    }
}

/* dy [rows, ld] of an asset += what flows from its pooled states. */
void spread_asset(const struct encoder *e, int asset, int k, float *dy)
{
    enum span v = after_time(e, k);
    size_t ld = (size_t)e->ld;
    float *sum = e->spare;
    memset(sum, 0, sizeof(float) * ld);
    for (int lag = 0; lag < e->b.lags; lag++) {
        int rows = rows_until(e, v, asset, lag), next = lag + 1 < e->b.lags ? rows_until(e, v, asset, lag + 1) : 0;
        const float *dz = e->b.d_pooled + ((size_t)lag * (size_t)e->cap + (size_t)asset) * ld;
        bool mask = is_masked(e, lag, asset);
        if (!e->s.pool_mean) {
            for (size_t c = 0; !mask && c < ld; c++) dy[(size_t)(rows - 1) * ld + c] += dz[c];
            continue;
        }
        for (size_t c = 0; !mask && c < ld; c++) sum[c] += dz[c] / (float)rows;
        if (next < rows) e->net.kernels->row_bias(rows - next, (int)ld, sum, false, dy + (size_t)next * ld);
    }
}

/* ---- contexts ---- */

struct multihead cross_attention_shard(const struct encoder *e, int s, int lag, int *at)
{
    const struct cross_attention *b = &e->b;
    int assets = shard_assets(e, s, at);
    return (struct multihead){.heads = b->heads,
                              .width = b->width,
                              .queries = assets,
                              .keys = e->N,
                              .q_row = b->dp,
                              .k_row = (ptrdiff_t)b->row,
                              .absent = b->mask + lag * e->net.max_assets,
                              .self = e->s.include_self || e->a ? -1 : e->row0 + *at};
}
static float *context_of(const struct encoder *e, int k, int lag)
{
    return e->b.context + (size_t)(k * e->b.lags + lag) * (size_t)e->cap * (size_t)e->b.dp;
}
static float *statistics_of(const struct encoder *e, int k, int lag, int s)
{
    return e->b.statistics +
           (size_t)((k * e->b.lags + lag) * e->net.own + s) * multihead_statistics(e->b.heads, most_rows(&e->net, 1));
}
static float *table_of(const struct encoder *e, int k)
{
    return e->b.table + (size_t)k * (size_t)e->net.max_assets * e->b.row;
}

void cross_attention_attend(struct encoder *e, int k)
{
    struct cross_attention *b = &e->b;
    for (int s = 0; s < e->net.own; s++)
        for (int lag = 0; lag < b->lags; lag++) {
            int at;
            struct multihead m = cross_attention_shard(e, s, lag, &at);
            const float *kv = table_of(e, k) + (size_t)(2 * lag * b->dp);
            size_t skip = (size_t)at * (size_t)b->dp;
            multihead_forward(e->net.kernels, &m, b->q + (size_t)k * (size_t)(e->cap * b->dp) + skip, kv, kv + b->dp,
                              context_of(e, k, lag) + skip, NULL, statistics_of(e, k, lag, s), e->work);
        }
}

/* Writes dLoss/dq of the shard to d_q_lag, and dLoss/d(keys, values) at this lag to the shard's table. */
void cross_attention_attend_back(struct encoder *e, int k, int s, int lag, float *d)
{
    struct cross_attention *b = &e->b;
    int at;
    struct multihead m = cross_attention_shard(e, s, lag, &at);
    size_t kv = (size_t)(2 * lag * b->dp), skip = (size_t)at * (size_t)b->dp;
    const float *table = table_of(e, k) + kv;
    float *d_kv = b->d_table[s] + kv;
    for (int j = 0; j < e->N; j++) memset(d_kv + (size_t)j * b->row, 0, sizeof(float) * 2 * (size_t)b->dp);
    multihead_backward(e->net.kernels, &m, b->q + (size_t)k * (size_t)(e->cap * b->dp) + skip, table, table + b->dp,
                       context_of(e, k, lag) + skip, d + skip, NULL, statistics_of(e, k, lag, s), b->d_q_lag + skip, d_kv,
                       d_kv + b->dp, true, e->work);
}

/* ---- cross-attention of a layer ---- */

void lag_weights(const struct encoder *e, int k, double *s)
{
    int lags = e->b.lags;
    double top = -INFINITY, sum = 0;
    if (e->s.cross != CROSS_LAGGED) {
        s[0] = 1;
        return;
    }
    const float *logit = tensor_at(&e->net, e->net.parameter, e->logits, k);
    for (int i = 0; i < lags; i++) top = fmax(top, (double)logit[i]);
    for (int i = 0; i < lags; i++) sum += s[i] = exp((double)logit[i] - top);
    for (int i = 0; i < lags; i++) s[i] /= sum;
}

/* Compute keys and values of this rank's assets at every lag and share them with all ranks; queries are computed while the
 * messages travel. */
static void tell(struct encoder *e, int k)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct projection *p = &e->cross;
    size_t d = (size_t)e->s.d_model, dp = (size_t)p->dp, ld = (size_t)e->ld;
    float *mine = table_of(e, k) + (size_t)e->row0 * b->row;
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        float *row = mine + (size_t)at * b->row;
        for (int lag = 0; lag < b->lags; lag++)
            encoder_affine(e, assets, (int)d, 2 * p->dp, pooled_of(e, k, lag) + (size_t)at * ld, ld,
                           p->kv + (size_t)k * d * 2 * dp, p->bkv + (size_t)k * 2 * dp, row + (size_t)lag * 2 * dp, b->row);
        for (int i = 0; e->s.cross == CROSS_HIERARCHICAL && i < assets; i++)
            memcpy(row + (size_t)i * b->row + 2 * dp, pooled_of(e, k, 0) + (size_t)(at + i) * ld, sizeof(float) * ld);
    }
    team_share_begin(e->share, table_of(e, k), network_ranges(n, e->N, (int)b->row));
    for (int s = 0; s < n->own; s++) { /* the rest is under way */
        int at, assets = shard_assets(e, s, &at);
        encoder_affine(e, assets, (int)d, p->dp, pooled_of(e, k, 0) + (size_t)at * ld, ld, p->q + (size_t)k * d * dp,
                       p->bq + (size_t)k * dp, b->q + ((size_t)k * (size_t)e->cap + (size_t)at) * dp, dp);
    }
    team_share_finish(e->share);
}

/* mixed [assets, dp] = contexts weighted by lag, of a shard. */
static float *mix(struct encoder *e, int k, int at, int assets)
{
    size_t skip = (size_t)at * (size_t)e->b.dp, count = (size_t)assets * (size_t)e->b.dp;
    if (e->b.lags == 1) return context_of(e, k, 0) + skip;
    float *mixed = e->b.mixed + skip;
    memset(mixed, 0, sizeof(float) * count);
    for (int lag = 0; lag < e->b.lags; lag++) {
        const float *c = context_of(e, k, lag) + skip, w = (float)e->b.weight[lag];
        for (size_t i = 0; i < count; i++) mixed[i] += w * c[i];
    }
    return mixed;
}

void cross_forward(struct encoder *e, int k)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct projection *p = &e->cross;
    size_t d = (size_t)e->s.d_model, ld = (size_t)e->ld;
    bool hierarchical = e->s.cross == CROSS_HIERARCHICAL;
    lag_weights(e, k, b->weight);
    tell(e, k);
    cross_attention_attend(e, k);
    for (int i = 0; hierarchical && i < 2; i++) group_attention_forward(e, i, k);
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        size_t skip = ((size_t)k * (size_t)e->cap + (size_t)at) * ld;
        float *out = b->out + skip, *asset = hierarchical ? b->asset + skip : out;
        encoder_affine(e, assets, p->dp, e->ld, mix(e, k, at, assets), (size_t)p->dp, p->o + (size_t)k * (size_t)p->dp * ld,
                       tensor_at(n, n->parameter, p->bias[3], k), asset, ld);
        if (hierarchical) {
            encoder_affine(e, assets, (int)d, e->ld, asset, ld, tensor_at(n, n->parameter, e->combine, 3 * k * (int)d),
                           tensor_at(n, n->parameter, e->combine + 1, k), out, ld);
            for (int i = 0; i < assets; i++)
                for (int l = 0; l < 2; l++)
                    n->kernels->row_bias(1, (int)ld,
                                         e->by_group[l].group_output + (size_t)e->by_group[l].label[e->row0 + at + i] * ld,
                                         false, out + (size_t)i * ld);
        }
        if (e->dropped) drop_assets(e, DROP_CROSS + DROP_LAYER * k, at, assets, e->s.d_model, out);
    }
}

/* Given b.d_out, adds to the gradients of the output layer and of the combining matrix, and writes d_mixed. */
static void output_back(struct encoder *e, int k, int s, int at, int assets)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct projection *p = &e->cross;
    size_t ld = (size_t)e->ld, dp = (size_t)p->dp;
    int d = e->s.d_model;
    float *g = n->gradient[s], *d_out = b->d_out + (size_t)at * ld;
    if (e->dropped) drop_assets(e, DROP_CROSS + DROP_LAYER * k, at, assets, d, d_out);
    if (e->s.cross == CROSS_HIERARCHICAL) {
        for (int i = 0; i < 2; i++) group_attention_backward(e, i, k, s);
        n->kernels->product(d, (int)ld, assets, b->asset + ((size_t)k * (size_t)e->cap + (size_t)at) * ld, 1, (ptrdiff_t)ld,
                            d_out, (ptrdiff_t)ld, tensor_at(n, g, e->combine, 3 * k * d), (ptrdiff_t)ld, true);
        n->kernels->column_sum(assets, (int)ld, d_out, tensor_at(n, g, e->combine + 1, k));
        n->kernels->product(assets, (int)ld, d, d_out, (ptrdiff_t)ld, 1, e->combine_transposed, (ptrdiff_t)ld,
                            b->d_asset + (size_t)at * ld, (ptrdiff_t)ld, false);
        d_out = b->d_asset + (size_t)at * ld;
    }
    n->kernels->product(p->dp, (int)ld, assets, mix(e, k, at, assets), 1, p->dp, d_out, (ptrdiff_t)ld, p->dout,
                        (ptrdiff_t)ld, true);
    n->kernels->column_sum(assets, (int)ld, d_out, tensor_at(n, g, p->bias[3], k));
    n->kernels->product(assets, p->dp, d, d_out, (ptrdiff_t)ld, 1, p->o_transposed, p->dp, b->d_mixed + (size_t)at * dp,
                        p->dp, false);
}

/* Given d_mixed, adds to the gradients of lag weights and queries, and writes the shard's table and the part of d_pooled at
 * lag 0 that flows through the queries. */
static void contexts_back(struct encoder *e, int k, int s, int at, int assets)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct projection *p = &e->cross;
    size_t dp = (size_t)p->dp, skip = (size_t)at * dp, count = (size_t)assets * dp, ld = (size_t)e->ld;
    double mean = 0;
    memset(b->d_q + skip, 0, sizeof(float) * count);
    for (int lag = 0; lag < b->lags; lag++) {
        const float *c = context_of(e, k, lag) + skip, *d = b->d_mixed + skip, w = (float)e->b.weight[lag];
        b->slope[lag] = 0;
        for (size_t i = 0; i < count; i++) {
            b->slope[lag] += (double)d[i] * (double)c[i];
            b->d_context[skip + i] = w * d[i];
        }
        mean += b->weight[lag] * b->slope[lag];
        cross_attention_attend_back(e, k, s, lag, b->d_context);
        for (size_t i = 0; i < count; i++) b->d_q[skip + i] += b->d_q_lag[skip + i];
    }
    for (int lag = 0; e->s.cross == CROSS_LAGGED && lag < b->lags; lag++)
        tensor_at(n, n->gradient[s], e->logits, k)[lag] += (float)(b->weight[lag] * (b->slope[lag] - mean));
    n->kernels->product(e->s.d_model, p->dp, assets, pooled_of(e, k, 0) + (size_t)at * ld, 1, (ptrdiff_t)ld, b->d_q + skip,
                        p->dp, p->dq, p->dp, true);
    n->kernels->column_sum(assets, p->dp, b->d_q + skip, p->dbq);
    n->kernels->product(assets, (int)ld, p->dp, b->d_q + skip, p->dp, 1, p->q_transposed, (ptrdiff_t)ld,
                        b->d_pooled + (size_t)at * ld, (ptrdiff_t)ld, false);
}

/* Given the derivatives of this rank's keys and values, summed over all shards, adds to their gradients and to d_pooled. */
static void keys_back(struct encoder *e, int k, int at, int assets)
{
    const struct kernels *kernels = e->net.kernels;
    struct cross_attention *b = &e->b;
    struct projection *p = &e->cross;
    size_t ld = (size_t)e->ld;
    for (int lag = 0; lag < b->lags; lag++) {
        float *d_kv = b->d_row + (size_t)at * b->row + (size_t)(2 * lag * p->dp),
              *dz = b->d_pooled + ((size_t)lag * (size_t)e->cap + (size_t)at) * ld;
        kernels->product(e->s.d_model, 2 * p->dp, assets, pooled_of(e, k, lag) + (size_t)at * ld, 1, (ptrdiff_t)ld, d_kv,
                         (ptrdiff_t)b->row, p->dkv, 2 * p->dp, true);
        for (int i = 0; i < assets; i++) kernels->row_bias(1, 2 * p->dp, d_kv + (size_t)i * b->row, false, p->dbkv);
        kernels->product(assets, (int)ld, 2 * p->dp, d_kv, (ptrdiff_t)b->row, 1, p->kv_transposed, (ptrdiff_t)ld, dz,
                         (ptrdiff_t)ld, lag == 0);
    }
    for (int i = 0; e->s.cross == CROSS_HIERARCHICAL && i < assets; i++)
        kernels->row_bias(1, (int)ld, b->d_row + (size_t)(at + i) * b->row + 2 * (size_t)p->dp, false,
                          b->d_pooled + (size_t)(at + i) * ld);
}

void cross_backward(struct encoder *e, int k)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct projection *p = &e->cross;
    lag_weights(e, k, b->weight);
    projection_transpose(e, p, k);
    if (e->s.cross == CROSS_HIERARCHICAL) {
        int d = e->s.d_model;
        for (int i = 0; i < 3; i++)
            dense_transpose(d, d, tensor_at(n, n->parameter, e->combine, (3 * k + i) * d),
                            e->combine_transposed + i * d * e->ld);
        for (int i = 0; i < 2; i++) projection_transpose(e, &e->by_group[i].p, k);
    }
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        for (int j = 0; e->s.cross == CROSS_HIERARCHICAL && j < e->N; j++)
            memset(b->d_table[s] + (size_t)j * b->row + 2 * p->dp, 0, sizeof(float) * (size_t)e->ld);
        projection_clear(e, p);
        output_back(e, k, s, at, assets);
        contexts_back(e, k, s, at, assets);
        projection_add(e, p, k, s);
    }
    memset(b->d_row, 0, sizeof(float) * (size_t)e->own * b->row);
    team_sum_begin(e->sum, network_ranges(n, e->N, (int)b->row), b->d_table);
    team_sum_finish(e->sum, b->d_row);
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        projection_clear(e, p);
        keys_back(e, k, at, assets);
        projection_add(e, p, k, s);
    }
}
