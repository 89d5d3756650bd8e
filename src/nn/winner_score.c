/* AlphaPortfolio's score (Cong et al. 2020): states flattened over steps, attention over all assets, one number an asset. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "asset_attention.h"
#include "linalg/dense.h"
#include "nn/cross_attention.h"
#include "projection.h"

enum { FLAT = 120 }; /* assets whose flattened states are formed at once */

struct winner_score {
    struct layer layer;
    struct projection p; /* of flattened states: d is L ld */
    struct asset_attention a;
    int score, score_bias; /* tensors */
    float *flat, *d_flat;  /* [FLAT, L ld] */
    float *y, *d;          /* [most] scores, derivatives */
};

static struct winner_score *of(struct layer *l)
{
    return (struct winner_score *)l;
}

static enum span takes(const struct layer *l, enum span gives)
{
    (void)l, (void)gives;
    return ALL;
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    double a = ((const struct winner_score *)l)->a.width;
    (void)out;
    return assets * (6 * in * l->in * a + 4 * assets * a + 2 * a);
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct winner_score *x = of(l);
    projection_memory(&x->p, w);
    asset_attention_memory(&x->a, n, w);
    MEMORY(w, x->flat, FLAT * (size_t)x->p.d, "flattened states");
    MEMORY(w, x->d_flat, FLAT * (size_t)x->p.d, "flattened states");
    MEMORY(w, x->y, n->rows.most, "winner scores");
    MEMORY(w, x->d, n->rows.most, "winner scores");
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    projection_prepare(n, &of(l)->p, backward);
    if (!backward) asset_attention_plan(&of(l)->a, n);
}

/* flat [assets, L ld]: rows of states where their steps are, zero where masked; or (back) the other way. */
static void flatten(struct winner_score *w, const struct network *n, int asset, int assets, const float *x)
{
    size_t ld = (size_t)padded(w->layer.in), flat = (size_t)w->p.d;
    memset(w->flat, 0, sizeof(float) * (size_t)assets * flat);
    for (int i = asset; i < asset + assets; i++) {
        const int *step = steps_of(n, ALL, i);
        const float *from = x + begin_of(n, ALL, i) * ld;
        for (size_t r = 0; r < (size_t)rows_of(n, ALL, i); r++)
            memcpy(w->flat + (size_t)(i - asset) * flat + (size_t)step[r] * ld, from + r * ld, sizeof(float) * ld);
    }
}

static void unflatten(const struct winner_score *w, const struct network *n, int asset, int assets, float *dx)
{
    size_t ld = (size_t)padded(w->layer.in), flat = (size_t)w->p.d;
    for (int i = asset; i < asset + assets; i++) {
        const int *step = steps_of(n, ALL, i);
        float *to = dx + begin_of(n, ALL, i) * ld;
        for (size_t r = 0; r < (size_t)rows_of(n, ALL, i); r++)
            memcpy(to + r * ld, w->d_flat + (size_t)(i - asset) * flat + (size_t)step[r] * ld, sizeof(float) * ld);
    }
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void forward(struct layer *l, struct network *n, const float *x, float *y)
{
    struct winner_score *w = of(l);
    struct asset_attention *a = &w->a;
    size_t flat = (size_t)w->p.d, dp = (size_t)a->dp;
    for (int i = 0, count; i < n->rows.own; i += count) {
        float *row = a->table + (size_t)(n->rows.first + i) * a->row;
        count = smaller(FLAT, n->rows.own - i);
        flatten(w, n, i, count, x);
        project(n, &w->p, QUERY, count, w->flat, flat, a->q + (size_t)i * dp, dp);
        project(n, &w->p, KEY, count, w->flat, flat, row, a->row);
        project(n, &w->p, VALUE, count, w->flat, flat, row + dp, a->row);
    }
    network_share_begin(n, a->table, a->row);
    network_share_finish(n);
    asset_attention_attend(a, n);
    dense_column_forward(n->rows.own, a->width, a->context, weights(n, w->score, 0), w->y);
    for (int i = 0; i < n->rows.own; i++) y[i * PAD] = w->y[i] = tanhf(w->y[i] + weights(n, w->score_bias, 0)[0]);
}

/* From the derivatives of queries, keys and values of a shard's assets to its gradient and to dx. */
static void flattened_back(struct winner_score *w, const struct network *n, int s, const float *x, float *dx)
{
    struct asset_attention *a = &w->a;
    size_t flat = (size_t)w->p.d, dp = (size_t)a->dp;
    int at, assets = shard_assets(n, s, &at);
    for (int i = at, count; i < at + assets; i += count) {
        float *d_row = network_spare(n) + (size_t)i * a->row;
        count = smaller(FLAT, at + assets - i);
        flatten(w, n, i, count, x);
        project_back(n, &w->p, QUERY, n->gradient[s], count, w->flat, flat, a->d_q_lag + (size_t)i * dp, dp, w->d_flat,
                     false);
        project_back(n, &w->p, KEY, n->gradient[s], count, w->flat, flat, d_row, a->row, w->d_flat, true);
        project_back(n, &w->p, VALUE, n->gradient[s], count, w->flat, flat, d_row + dp, a->row, w->d_flat, true);
        unflatten(w, n, i, count, dx);
    }
}

static void backward(struct layer *l, struct network *n, const float *x, float *dy, float *dx)
{
    struct winner_score *w = of(l);
    struct asset_attention *a = &w->a;
    size_t dp = (size_t)a->dp;
    for (int s = 0; s < n->shards.own; s++) {
        int at, assets = shard_assets(n, s, &at);
        float *g = n->gradient[s];
        for (int i = at; i < at + assets; i++) {
            w->d[i] = dy[i * PAD] * (1 - w->y[i] * w->y[i]);
            tensor_at(n, g, w->score_bias, 0)[0] += w->d[i];
        }
        dense_column_backward(assets, a->width, a->context + (size_t)at * dp, weights(n, w->score, 0), w->d + at,
                              a->d_context + (size_t)at * dp, tensor_at(n, g, w->score, 0));
        asset_attention_back(a, n, s, 0, a->d_context);
    }
    memset(network_spare(n), 0, sizeof(float) * (size_t)n->rows.own * a->row);
    network_sum_begin(n, a->row);
    network_sum_finish(n, network_spare(n));
    for (int s = 0; s < n->shards.own; s++) flattened_back(w, n, s, x, dx);
}

static const struct over over = {.forward = forward, .backward = backward};
static const struct layer_class class = {
    .name = "winner_score", .takes = takes, .flops = flops, .memory = memory, .prepare = prepare, .over = &over};

void layer_winner_score(struct network *n, int size)
{
    static const char *const names[] = {"asset_query", "asset_key", "asset_value"};
    int L = n->L, d = n->layer[n->layers - 1]->out;
    struct winner_score *w = network_append(n, sizeof *w, (struct layer){.class = &class, .in = d, .out = 1, .stream = -1});
    w->p = (struct projection){.d = L * padded(d), .heads = 1, .width = size, .dp = padded(size), .parts = OUTPUT};
    network_heads(n, size);
    for (int i = 0; i < OUTPUT; i++) {
        struct tensor weight = {.rank = 3, .size = {L, d, size}, .rows = L * d, .row_block = d, .columns = size},
                      bias = {.rank = 1, .size = {size}, .rows = 1, .columns = size};
        weight.deviation = 1 / sqrt(L * d);
        snprintf(weight.name, sizeof weight.name, "%s", names[i]);
        snprintf(bias.name, sizeof bias.name, "%s_bias", names[i]);
        w->p.weight[i] = network_add(n, weight);
        w->p.bias[i] = network_add(n, bias);
    }
    w->score = network_vector(n, "winner", 0, size);
    n->tensor[w->score].deviation = 1 / sqrt(size);
    w->score_bias = network_vector(n, "winner_bias", 0, 1);
    w->a = (struct asset_attention){
        .heads = 1, .width = size, .dp = w->p.dp, .lags = 1, .include_self = true, .row = 2 * (size_t)w->p.dp};
    network_shares(n, w->a.row);
}

const struct asset_attention *winner_asset_attention(const struct network *n)
{
    const struct layer *l = network_last(n, &class);
    return l ? &((const struct winner_score *)l)->a : NULL;
}
