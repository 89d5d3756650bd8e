/* Attention between the assets' pooled states: pooling, keys and values shared with all ranks, contexts, and the way back; then the norm of
 * what comes out with the rows it is added to. */
#include "nn/cross_attention.h"

#include <math.h>
#include <string.h>

#include "asset_attention.h"
#include "group_attention.h"
#include "linalg/dense.h"

struct cross_attention {
    struct layer layer;
    struct cross_attention_shape s;
    struct projection p;
    struct asset_attention a;
    struct group_attention group[2];
    int logits, combine, combine_bias; /* tensors */
    float *pooled, *d_pooled;          /* [lags][most, ld] */
    float *out, *asset;                /* [most, ld] what is added to an asset's steps; hierarchical: before combining */
    float *d_out, *d_asset;            /* [most, ld] */
    float *mixed, *d_mixed;            /* [most, dp] */
    float *group_out, *d_group_out;    /* [2][groups, ld] what groups add to their assets' out; of one */
    float *combine_transposed;         /* [3][d, ld] */
    float *sum;                        /* [2 ld] */
    double *weight, *slope;            /* [lags] */
};

static struct cross_attention *of(struct layer *l)
{
    return (struct cross_attention *)l;
}

static bool hierarchical(const struct cross_attention *c)
{
    return c->s.kind == CROSS_HIERARCHICAL;
}

static int most_groups(const struct cross_attention *c)
{
    int a = c->group[0].groups, b = c->group[1].groups;
    return a > b ? a : b;
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct cross_attention *c = of(l);
    size_t most = (size_t)n->rows.most, ld = (size_t)padded(l->out), lags = (size_t)c->a.lags, dp = (size_t)c->a.dp;
    size_t grouped = hierarchical(c) ? 1 : 0;
    projection_memory(&c->p, w);
    asset_attention_memory(&c->a, n, w);
    MEMORY(w, c->pooled, lags * most * ld, "pooled states");
    MEMORY(w, c->d_pooled, lags * most * ld, "derivatives of pooled states");
    MEMORY(w, c->out, most * ld, "outputs of attention between assets");
    MEMORY(w, c->d_out, most * ld, "derivatives of outputs");
    MEMORY(w, c->asset, grouped * most * ld, "outputs of attention between assets");
    MEMORY(w, c->d_asset, grouped * most * ld, "derivatives of outputs");
    MEMORY(w, c->mixed, lags > 1 ? most * dp : 0, "contexts of assets");
    MEMORY(w, c->d_mixed, most * dp, "derivatives of contexts");
    MEMORY(w, c->group_out, grouped * 2 * (size_t)most_groups(c) * ld, "groups");
    MEMORY(w, c->d_group_out, grouped * (size_t)most_groups(c) * ld, "groups");
    MEMORY(w, c->combine_transposed, grouped * 3 * (size_t)l->out * ld, "transposed weights");
    MEMORY(w, c->sum, 2 * ld, "a row");
    MEMORY(w, c->weight, lags, "weights of lags");
    MEMORY(w, c->slope, lags, "weights of lags");
    for (int i = 0; i < 2 && grouped; i++) group_attention_memory(&c->group[i], n, w);
}

static void lag_weights(const struct cross_attention *c, const struct network *n, double *s)
{
    double top = -INFINITY, sum = 0;
    if (c->s.kind != CROSS_LAGGED) {
        s[0] = 1;
        return;
    }
    const float *logit = weights(n, c->logits, c->s.k);
    for (int i = 0; i < c->a.lags; i++) top = fmax(top, (double)logit[i]);
    for (int i = 0; i < c->a.lags; i++) sum += s[i] = exp((double)logit[i] - top);
    for (int i = 0; i < c->a.lags; i++) s[i] /= sum;
}

static const float *combine_of(const struct cross_attention *c, const struct network *n, int part)
{
    return weights(n, c->combine, (3 * c->s.k + part) * c->layer.out);
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    struct cross_attention *c = of(l);
    size_t block = (size_t)l->out * (size_t)padded(l->out);
    projection_prepare(n, &c->p, backward);
    lag_weights(c, n, c->weight);
    if (!backward) asset_attention_plan(&c->a, n);
    if (backward) memset(c->d_out, 0, sizeof(float) * (size_t)n->rows.own * (size_t)padded(l->out));
    for (int i = 0; hierarchical(c) && i < 2; i++) group_attention_plan(&c->group[i], n, backward);
    for (int i = 0; hierarchical(c) && backward && i < 3; i++)
        dense_transpose(l->out, l->out, combine_of(c, n, i), c->combine_transposed + (size_t)i * block);
}

static enum span takes(const struct layer *l, enum span gives)
{
    enum span pools = ((const struct cross_attention *)l)->s.pool_mean ? ALL : LATE;
    return pools < gives ? pools : gives;
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    const struct cross_attention *c = (const struct cross_attention *)l;
    double d = l->out, N = assets, lags = c->a.lags, sum = N * 4 * d * d * (1 + lags) + 4 * lags * N * N * d;
    (void)in, (void)out;
    for (int i = 0; hierarchical(c) && i < 2; i++) sum += N * d * d + group_attention_flops(&c->group[i]);
    return sum;
}

/* ---- pooling ---- */

static float *pooled_of(const struct cross_attention *c, const struct network *n, int lag, float *of_lags)
{
    return of_lags + (size_t)lag * (size_t)n->rows.most * (size_t)padded(c->layer.out);
}

static bool is_masked(const struct cross_attention *c, const struct network *n, int lag, int asset)
{
    return c->a.mask[lag * n->max_assets + n->rows.first + asset];
}

/* How many of an asset's rows lie at step L-1-lag or before. */
static int rows_until(const struct cross_attention *c, const struct network *n, int asset, int lag)
{
    int rows = rows_of(n, c->layer.takes, asset);
    const int *step = steps_of(n, c->layer.takes, asset);
    while (rows && step[rows - 1] > n->L - 1 - lag) rows--;
    return rows;
}

/* Pooled states of an asset at every lag from its rows. */
static void pool(struct cross_attention *c, const struct network *n, int asset, const float *x)
{
    size_t ld = (size_t)padded(c->layer.out);
    int held = 0;
    memset(c->sum, 0, sizeof(float) * ld);
    for (int lag = c->a.lags - 1; lag >= 0; lag--) {
        int rows = rows_until(c, n, asset, lag);
        float *z = pooled_of(c, n, lag, c->pooled) + (size_t)asset * ld;
        if (c->s.pool_mean) n->kernels->column_sum(rows - held, (int)ld, x + (size_t)held * ld, c->sum);
        held = rows;
        if (is_masked(c, n, lag, asset)) memset(z, 0, sizeof(float) * ld);
        else if (!c->s.pool_mean) memcpy(z, x + (size_t)(rows - 1) * ld, sizeof(float) * ld);
        else
            for (size_t i = 0; i < ld; i++) z[i] = c->sum[i] / (float)rows;
    }
}

/* dx [rows, ld] of an asset += what flows from its pooled states. */
static void spread(struct cross_attention *c, const struct network *n, int asset, float *dx)
{
    size_t ld = (size_t)padded(c->layer.out);
    memset(c->sum, 0, sizeof(float) * ld);
    for (int lag = 0; lag < c->a.lags; lag++) {
        int rows = rows_until(c, n, asset, lag), next = lag + 1 < c->a.lags ? rows_until(c, n, asset, lag + 1) : 0;
        const float *dz = pooled_of(c, n, lag, c->d_pooled) + (size_t)asset * ld;
        bool mask = is_masked(c, n, lag, asset);
        if (!c->s.pool_mean) {
            for (size_t i = 0; !mask && i < ld; i++) dx[(size_t)(rows - 1) * ld + i] += dz[i];
            continue;
        }
        for (size_t i = 0; !mask && i < ld; i++) c->sum[i] += dz[i] / (float)rows;
        if (next < rows) n->kernels->row_bias(rows - next, (int)ld, c->sum, false, dx + (size_t)next * ld);
    }
}

/* ---- forward ---- */

/* Keys and values of this rank's assets at every lag go to all ranks; queries are computed while the messages travel. */
static void tell(struct cross_attention *c, const struct network *n)
{
    struct asset_attention *a = &c->a;
    size_t dp = (size_t)a->dp, ld = (size_t)padded(c->layer.out);
    int at, assets;
    for (int s = 0; s < n->shards.own; s++) {
        assets = shard_assets(n, s, &at);
        float *row = a->table + (size_t)(n->rows.first + at) * a->row;
        for (int lag = 0; lag < a->lags; lag++) {
            const float *z = pooled_of(c, n, lag, c->pooled) + (size_t)at * ld;
            project(n, &c->p, KEY, assets, z, ld, row + (size_t)(2 * lag) * dp, a->row);
            project(n, &c->p, VALUE, assets, z, ld, row + (size_t)(2 * lag + 1) * dp, a->row);
        }
        for (int i = 0; hierarchical(c) && i < assets; i++)
            memcpy(row + (size_t)i * a->row + 2 * dp, c->pooled + (size_t)(at + i) * ld, sizeof(float) * ld);
    }
    network_share_begin(n, a->table, a->row);
    for (int s = 0; s < n->shards.own; s++) { /* the rest is under way */
        assets = shard_assets(n, s, &at);
        project(n, &c->p, QUERY, assets, c->pooled + (size_t)at * ld, ld, a->q + (size_t)at * dp, dp);
    }
    network_share_finish(n);
}

/* Contexts weighted by lag, of a shard [assets, dp]. */
static float *mix(struct cross_attention *c, const struct network *n, int at, int assets)
{
    size_t skip = (size_t)at * (size_t)c->a.dp, count = (size_t)assets * (size_t)c->a.dp;
    if (c->a.lags == 1) return c->a.context + skip;
    float *mixed = c->mixed + skip;
    memset(mixed, 0, sizeof(float) * count);
    for (int lag = 0; lag < c->a.lags; lag++) {
        const float *from = asset_context(&c->a, n, lag) + skip, w = (float)c->weight[lag];
        for (size_t i = 0; i < count; i++) mixed[i] += w * from[i];
    }
    return mixed;
}

/* Adds to out [assets, ld] what an asset's groups give. */
static void add_groups(struct cross_attention *c, const struct network *n, int at, int assets, float *out)
{
    int ld = padded(c->layer.out);
    for (int i = 0; i < assets; i++, out += ld)
        for (int g = 0; g < 2; g++)
            n->kernels->row_bias(1, ld, c->group_out + (g * most_groups(c) + c->group[g].label[n->rows.first + at + i]) * ld,
                                 false, out);
}

static void forward(struct layer *l, struct network *n, const float *x, float *y)
{
    struct cross_attention *c = of(l);
    size_t ld = (size_t)padded(l->out), dp = (size_t)c->a.dp;
    (void)y;
    for (int i = 0; i < n->rows.own; i++) pool(c, n, i, x + begin_of(n, l->takes, i) * ld);
    tell(c, n);
    asset_attention_attend(&c->a, n);
    for (int i = 0; hierarchical(c) && i < 2; i++) {
        struct group_attention *g = &c->group[i];
        group_attention_forward(g, n, c->a.table + 2 * dp, c->a.row);
        affine(n, g->groups, l->out, l->out, g->out, ld, combine_of(c, n, 1 + i), NULL,
               c->group_out + (size_t)(i * most_groups(c)) * ld, ld);
    }
    for (int s = 0; s < n->shards.own; s++) {
        int at, assets = shard_assets(n, s, &at);
        float *out = c->out + (size_t)at * ld, *asset = hierarchical(c) ? c->asset + (size_t)at * ld : out;
        project(n, &c->p, OUTPUT, assets, mix(c, n, at, assets), dp, asset, ld);
        if (hierarchical(c)) {
            affine(n, assets, l->out, l->out, asset, ld, combine_of(c, n, 0), weights(n, c->combine_bias, c->s.k), out, ld);
            add_groups(c, n, at, assets, out);
        }
        drop_assets(n, l->stream, at, assets, l->out, out);
    }
}

/* ---- backward ---- */

/* A group level's part of the way back of a shard: from d_out to its gradient and to the states of all assets. */
static void group_back(struct cross_attention *c, const struct network *n, int which, int s, int at, int assets)
{
    struct group_attention *g = &c->group[which];
    const struct kernels *k = n->kernels;
    int d = c->layer.out, ld = padded(d);
    float *gradient = n->gradient[s];
    memset(c->d_group_out, 0, sizeof(float) * (size_t)g->groups * (size_t)ld);
    for (int i = at; i < at + assets; i++)
        k->row_bias(1, ld, c->d_out + i * ld, false, c->d_group_out + g->label[n->rows.first + i] * ld);
    k->product(d, ld, g->groups, g->out, 1, ld, c->d_group_out, ld,
               tensor_at(n, gradient, c->combine, (3 * c->s.k + 1 + which) * d), ld, true);
    k->product(g->groups, ld, d, c->d_group_out, ld, 1, c->combine_transposed + (1 + which) * d * ld, ld, g->d_out, ld,
               false);
    group_attention_backward(g, n, gradient, network_back(n, s) + 2 * (size_t)c->a.dp, c->a.row);
}

/* Given d_out, adds to the gradients of the output layer and of the combining matrix, and writes d_mixed. */
static void output_back(struct cross_attention *c, const struct network *n, int s, int at, int assets)
{
    int d = c->layer.out, ld = padded(d);
    size_t wide = (size_t)ld, dp = (size_t)c->a.dp;
    float *g = n->gradient[s], *d_out = c->d_out + at * ld;
    drop_assets(n, c->layer.stream, at, assets, d, d_out);
    if (hierarchical(c)) {
        for (int j = 0; j < n->rows.N; j++)
            memset(network_back(n, s) + (size_t)j * c->a.row + 2 * dp, 0, sizeof(float) * wide);
        for (int i = 0; i < 2; i++) group_back(c, n, i, s, at, assets);
        n->kernels->product(d, ld, assets, c->asset + at * ld, 1, ld, d_out, ld, tensor_at(n, g, c->combine, 3 * c->s.k * d),
                            ld, true);
        n->kernels->column_sum(assets, ld, d_out, tensor_at(n, g, c->combine_bias, c->s.k));
        n->kernels->product(assets, ld, d, d_out, ld, 1, c->combine_transposed, ld, c->d_asset + at * ld, ld, false);
        d_out = c->d_asset + at * ld;
    }
    project_back(n, &c->p, OUTPUT, g, assets, mix(c, n, at, assets), dp, d_out, wide, c->d_mixed + (size_t)at * dp, false);
}

/* Given d_mixed, adds to the gradients of lag weights and queries, and writes the shard's table and the part of d_pooled at lag 0 that flows
 * through the queries. */
static void contexts_back(struct cross_attention *c, const struct network *n, int s, int at, int assets)
{
    struct asset_attention *t = &c->a;
    size_t dp = (size_t)c->a.dp, skip = (size_t)at * dp, count = (size_t)assets * dp, ld = (size_t)padded(c->layer.out);
    double mean = 0;
    memset(t->d_q + skip, 0, sizeof(float) * count);
    for (int lag = 0; lag < c->a.lags; lag++) {
        const float *context = asset_context(&c->a, n, lag) + skip, *d = c->d_mixed + skip, w = (float)c->weight[lag];
        c->slope[lag] = 0;
        for (size_t i = 0; i < count; i++) {
            c->slope[lag] += (double)d[i] * (double)context[i];
            t->d_context[skip + i] = w * d[i];
        }
        mean += c->weight[lag] * c->slope[lag];
        asset_attention_back(&c->a, n, s, lag, t->d_context);
        for (size_t i = 0; i < count; i++) t->d_q[skip + i] += t->d_q_lag[skip + i];
    }
    for (int lag = 0; c->s.kind == CROSS_LAGGED && lag < c->a.lags; lag++)
        tensor_at(n, n->gradient[s], c->logits, c->s.k)[lag] += (float)(c->weight[lag] * (c->slope[lag] - mean));
    project_back(n, &c->p, QUERY, n->gradient[s], assets, c->pooled + (size_t)at * ld, ld, t->d_q + skip, dp,
                 c->d_pooled + (size_t)at * ld, false);
}

/* Given the derivatives of this rank's keys and values, summed over all shards, adds to their gradients and to d_pooled. */
static void keys_back(struct cross_attention *c, const struct network *n, int s, int at, int assets)
{
    size_t ld = (size_t)padded(c->layer.out), dp = (size_t)c->a.dp, row = c->a.row;
    float *d_row = network_spare(n) + (size_t)at * row;
    for (int lag = 0; lag < c->a.lags; lag++) {
        const float *z = pooled_of(c, n, lag, c->pooled) + (size_t)at * ld;
        float *dz = pooled_of(c, n, lag, c->d_pooled) + (size_t)at * ld, *d = d_row + (size_t)(2 * lag) * dp;
        project_back(n, &c->p, KEY, n->gradient[s], assets, z, ld, d, row, dz, lag == 0);
        project_back(n, &c->p, VALUE, n->gradient[s], assets, z, ld, d + dp, row, dz, true);
    }
    for (int i = 0; hierarchical(c) && i < assets; i++)
        n->kernels->row_bias(1, (int)ld, d_row + (size_t)i * row + 2 * dp, false, c->d_pooled + (size_t)(at + i) * ld);
}

static void backward(struct layer *l, struct network *n, const float *x, float *dy, float *dx)
{
    struct cross_attention *c = of(l);
    int at, assets;
    (void)x, (void)dx;
    for (int s = 0; s < n->shards.own; s++) {
        assets = shard_assets(n, s, &at);
        output_back(c, n, s, at, assets);
        contexts_back(c, n, s, at, assets);
    }
    memset(network_spare(n), 0, sizeof(float) * (size_t)n->rows.own * c->a.row);
    network_sum_begin(n, c->a.row);
    network_sum_finish(n, network_spare(n));
    for (int s = 0; s < n->shards.own; s++) {
        assets = shard_assets(n, s, &at);
        keys_back(c, n, s, at, assets);
    }
    for (int i = 0; i < n->rows.own; i++) spread(c, n, i, dy + begin_of(n, l->takes, i) * (size_t)padded(l->out));
}

/* ---- the norm behind it: y = norm(x + o), one o for all rows of an asset ---- */

struct asset_norm {
    struct layer layer;
    struct cross_attention *cross;
};

static size_t norm_keeps(const struct layer *l, size_t in, size_t out)
{
    (void)in;
    return out * (size_t)padded(l->out) + out;
}

static void norm_forward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct cross_attention *c = ((struct asset_norm *)l)->cross;
    int ld = padded(l->out), rows;
    const float *x = p->x;
    float *y = p->y, *normalised = p->kept, *inverse = p->kept + p->out * ld;
    for (int i = p->batch->asset; i < p->batch->asset + p->batch->assets; i++, x += rows * ld, y += rows * ld) {
        rows = rows_of(n, l->gives, i);
        n->kernels->norm(rows, l->out, x, c->out + i * ld, 0, norm_scale(n, n->parameter, c->s.k, c->s.norm),
                         norm_shift(n, n->parameter, c->s.k, c->s.norm), normalised, inverse, y);
        normalised += rows * ld, inverse += rows;
    }
}

static void norm_backward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct cross_attention *c = ((struct asset_norm *)l)->cross;
    int ld = padded(l->out);
    float *g = p->gradient;
    const float *dx = p->dx;
    n->kernels->norm_back(p->out, l->out, p->kept, p->kept + p->out * ld, norm_scale(n, n->parameter, c->s.k, c->s.norm),
                          p->dy, p->dx, norm_scale(n, g, c->s.k, c->s.norm), norm_shift(n, g, c->s.k, c->s.norm));
    for (int i = p->batch->asset; i < p->batch->asset + p->batch->assets; i++) {
        int rows = rows_of(n, l->gives, i);
        n->kernels->column_sum(rows, ld, dx, c->d_out + i * ld);
        dx += rows * ld;
    }
}

/* ---- making one ---- */

static const struct over over = {.beside = true, .forward = forward, .backward = backward};
static const struct layer_class cross_class = {
    .name = "cross_attention", .takes = takes, .flops = flops, .memory = memory, .prepare = prepare, .over = &over};

static void create_tensors(struct cross_attention *c, struct network *n)
{
    const struct cross_attention_shape *s = &c->s;
    int d = c->layer.out, K = s->of;
    projection_create(n, &c->p, "cross", s->k, K, d, s->heads);
    if (hierarchical(c)) {
        group_attention_create(&c->group[0], n, "sector", s->k, K, d, s->heads / 2, s->column[0], s->labels[0]);
        group_attention_create(&c->group[1], n, "market", s->k, K, d, s->heads / 4, s->column[1], s->labels[1]);
        c->combine = network_matrix(n, "combine", K, 3 * d, d, 1 / sqrt(3 * d));
        c->combine_bias = network_vector(n, "combine_bias", K, d);
    }
    if (s->kind == CROSS_LAGGED) c->logits = network_vector(n, "lag_logits", K, s->lags);
}

void layer_cross_attention(struct network *n, struct cross_attention_shape s)
{
    static const struct layer_class norm_class = {
        .name = "asset_norm", .keeps = norm_keeps, .forward = norm_forward, .backward = norm_backward};
    int d = n->layer[n->layers - 1]->out;
    struct cross_attention *c =
        network_append(n, sizeof *c, (struct layer){.class = &cross_class, .in = d, .out = d, .stream = s.stream});
    c->s = s;
    if (s.lags > n->late) n->late = s.lags;
    create_tensors(c, n);
    c->a = (struct asset_attention){.heads = c->p.heads,
                                    .width = c->p.width,
                                    .dp = c->p.dp,
                                    .lags = s.lags,
                                    .include_self = s.include_self,
                                    .row = 2 * (size_t)s.lags * (size_t)c->p.dp + (hierarchical(c) ? (size_t)padded(d) : 0)};
    network_shares(n, c->a.row);
    struct asset_norm *norm = network_append(n, sizeof *norm, (struct layer){.class = &norm_class, .in = d, .out = d});
    norm->cross = c;
}

/* ---- reading ---- */

static const struct cross_attention *last_of(const struct network *n)
{
    return (const struct cross_attention *)network_last(n, &cross_class);
}

const struct asset_attention *cross_asset_attention(const struct network *n, const double **weight)
{
    const struct cross_attention *c = last_of(n);
    if (!c) return NULL;
    *weight = c->weight;
    return &c->a;
}

void cross_attention_lags(const struct network *n, double *out)
{
    lag_weights(last_of(n), n, out);
}

void cross_attention_sectors(const struct network *n, const struct period *p, double *out)
{
    require(p->n == n->rows.N);
    group_attention_read(&last_of(n)->group[0], n, out);
}
