/* The encoder as a network: its tensors, the memory it takes on a rank, and the order of its forward and backward passes. */
#include "models/encoder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

/* Rows of a batch: enough for products at full speed, few enough for the second-level cache. */
enum { BATCH = 128 };

void encoder_affine(const struct encoder *e, int rows, int in, int columns, const float *x, size_t x_row, const float *w,
                    const float *b, float *y, size_t y_row)
{
    const struct kernels *k = e->net.kernels;
    int ld = padded(columns);
    k->product(rows, ld, in, x, (ptrdiff_t)x_row, 1, w, ld, y, (ptrdiff_t)y_row, false);
    if (!b) return;
    if (y_row == (size_t)ld) k->row_bias(rows, ld, b, false, y);
    else
        for (int i = 0; i < rows; i++) k->row_bias(1, ld, b, false, y + (size_t)i * y_row);
}

void memory_piece(struct memory_layout *w, void *where, size_t count, size_t size, const char *what)
{
    void *p;
    switch (w->way) {
    case MEMORY_COUNT: w->bytes += (double)count * (double)size; return;
    case MEMORY_TAKE: p = memory_allocate(count, size, what); break;
    default: memcpy(&p, where, sizeof p), memory_free(p), p = NULL;
    }
    memcpy(where, &p, sizeof p);
}

static void memory_all(struct encoder *e, struct memory_layout *w)
{
    size_t ld = (size_t)e->ld, cap = (size_t)e->cap, out = (size_t)padded(e->s.outputs);
    int width = e->time.width > e->b.width ? e->time.width : e->b.width;
    for (int i = 0; i < 2; i++) width = e->by_group[i].p.width > width ? e->by_group[i].p.width : width;
    rows_memory(e, w);
    projection_memory(e, &e->time, w);
    layers_memory(e, w);
    cross_attention_memory(e, w);
    if (encoder_attention_heads(&e->net) && !e->a) projection_memory(e, &e->cross, w);
    if (e->s.cross == CROSS_HIERARCHICAL) {
        for (int i = 0; i < 2; i++) group_attention_memory(e, &e->by_group[i], w);
        MEMORY(w, e->combine_transposed, 3 * (size_t)e->s.d_model * ld, "transposed weights");
    }
    if (e->a) {
        winner_memory(e, w);
    } else {
        MEMORY(w, e->y_last, cap * ld, "last states");
        MEMORY(w, e->out, cap * out, "outputs");
        MEMORY(w, e->output_transposed, out * ld, "transposed weights");
    }
    MEMORY(w, e->work, multihead_workspace(width), "attention workspace");
    MEMORY(w, e->spare, 2 * ld, "a row");
}

/* Bytes of all vectors that are as long as the parameters: one gradient for each shard, the parameters, Adam's moments and
 * the like. */
static double vectors(const struct encoder *e)
{
    return 4. * (double)e->net.size * (e->net.own + 6);
}

static void prepare(struct encoder *e, int own)
{
    e->net.own = own;
    e->cap = most_rows(&e->net, own);
    e->most = e->s.L > BATCH ? e->s.L : BATCH;
}

static void positions(struct encoder *e)
{
    int d = e->s.d_model;
    for (int l = 0; l < e->s.L; l++)
        for (int c = 0; c < d; c++) {
            double angle = l / pow(10000, (double)(c - c % 2) / d);
            e->position[l * e->ld + c] = (float)(c % 2 ? cos(angle) : sin(angle));
        }
}

static void bind(struct network *n)
{
    struct encoder *e = encoder_of(n);
    struct memory_layout count = {.way = MEMORY_COUNT}, take = {.way = MEMORY_TAKE};
    int ranks = team_size(n->team), most = 0;
    prepare(e, n->own);
    memory_all(e, &count);
    memory_all(e, &take);
    positions(e);
    for (int r = 0; r < ranks; r++) {
        int m = most_rows(n, n->part_first[r + 1] - n->part_first[r]);
        most = m > most ? m : most;
    }
    double inbox = e->b.heads ? (double)(n->shards - n->own) * most * (double)e->b.row : 0,
           left = ((double)n->memory - count.bytes - vectors(e)) / sizeof(float) - inbox, all = layers_kept(e);
    e->arena_size = left > 0 ? (size_t)(left < all ? left : all) / PAD * PAD : 0;
    e->arena = memory_array(float, e->arena_size, "kept batches");
    if (!e->b.heads) return;
    e->share = team_share_create(n->team);
    e->sum = team_sum_create(n->team, n->shards, n->part_first, (size_t)most * e->b.row);
}

static void unbind(struct network *n)
{
    struct encoder *e = encoder_of(n);
    struct memory_layout give = {.way = MEMORY_GIVE};
    memory_all(e, &give);
    memory_free(e->arena);
    team_share_destroy(e->share);
    team_sum_destroy(e->sum);
    e->share = NULL, e->sum = NULL;
}

/* ---- a pass ---- */

static void pack(struct encoder *e)
{
    const struct network *n = &e->net;
    for (int k = 0; k < e->s.layers; k++) {
        projection_pack(e, &e->time, k);
        if (e->s.cross != CROSS_NONE) projection_pack(e, &e->cross, k);
        for (int i = 0; e->s.cross == CROSS_HIERARCHICAL && i < 2; i++) projection_pack(e, &e->by_group[i].p, k);
    }
    memcpy(e->offset, e->position, sizeof(float) * (size_t)e->s.L * (size_t)e->ld);
    n->kernels->row_bias(e->s.L, e->ld, tensor_at(n, n->parameter, e->input + 1, 0), false, e->offset);
}

/* y [own, outputs] = last states W_y + b_y. */
static void output(struct encoder *e, float *y)
{
    const struct network *n = &e->net;
    int C = e->s.outputs, lc = padded(C), k = e->s.layers - 1, last = e->norms - 1;
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        float *x = e->y_last + (size_t)at * (size_t)e->ld, *out = e->out + (size_t)at * (size_t)lc;
        n->kernels->row_affine(assets, e->ld, e->normalised_end + layer_row(e, k, LAST, at) * (size_t)e->ld,
                               norm_scale(e, k, last), norm_shift(e, k, last), x);
        encoder_affine(e, assets, e->s.d_model, C, x, (size_t)e->ld, tensor_at(n, n->parameter, e->output, 0),
                       tensor_at(n, n->parameter, e->output + 1, 0), out, (size_t)lc);
        for (int i = 0; i < assets; i++) memcpy(y + (at + i) * C, out + i * lc, sizeof(float) * (size_t)C);
    }
}

/* From dy: the gradient of the output layer, and d_last. */
static void output_back(struct encoder *e, const float *dy)
{
    const struct network *n = &e->net;
    int C = e->s.outputs, lc = padded(C), ld = e->ld, d = e->s.d_model;
    dense_transpose(d, C, tensor_at(n, n->parameter, e->output, 0), e->output_transposed);
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        float *out = e->out + (size_t)at * (size_t)lc;
        rows_pad(assets, C, dy + at * C, out);
        n->kernels->product(d, lc, assets, e->y_last + (size_t)at * (size_t)ld, 1, ld, out, lc,
                            tensor_at(n, n->gradient[s], e->output, 0), lc, true);
        n->kernels->column_sum(assets, lc, out, tensor_at(n, n->gradient[s], e->output + 1, 0));
        n->kernels->product(assets, ld, C, out, lc, 1, e->output_transposed, ld, e->d_last + (size_t)at * (size_t)ld, ld,
                            false);
    }
}

static void forward(struct network *n, const struct period *p, bool training, float *y)
{
    struct encoder *e = encoder_of(n);
    int K = e->s.layers;
    e->dropped = training && n->dropout > 0;
    rows_plan(e, p);
    cross_attention_plan(e, p);
    for (int i = 0; e->s.cross == CROSS_HIERARCHICAL && i < 2; i++) group_attention_plan(e, &e->by_group[i], p);
    layers_plan(e, training);
    pack(e);
    for (int k = 0; k < K; k++) {
        for (int i = 0; i < e->batches[ALL]; i++) {
            if (k) end_forward(e, &e->batch[ALL][i], i, k - 1);
            else embed_forward(e, &e->batch[ALL][i], e->x);
            time_forward(e, i, k);
        }
        if (e->s.cross != CROSS_NONE) cross_forward(e, k);
    }
    for (int i = 0; i < e->batches[e->ends]; i++) end_forward(e, &e->batch[e->ends][i], i, K - 1);
    if (e->a) winner_forward(e, y);
    else output(e, y);
}

/* Backward through the temporal attention of layer k and through what comes before it, one shard after the other. */
static void layer_backward(struct encoder *e, int k)
{
    struct network *n = &e->net;
    projection_transpose(e, &e->time, k);
    if (k) end_transpose(e, k - 1);
    for (int s = 0, i = 0; s < n->own; s++) {
        projection_clear(e, &e->time);
        for (; i < e->batches[ALL] && e->batch[ALL][i].shard == s; i++) {
            float *dx = time_backward(e, i, k);
            if (k) end_backward(e, &e->batch[ALL][i], i, k - 1, dx);
            else embed_backward(e, &e->batch[ALL][i], dx);
        }
        projection_add(e, &e->time, k, s);
    }
}

static void backward(struct network *n, const struct period *p, const float *dy)
{
    struct encoder *e = encoder_of(n);
    int K = e->s.layers;
    require(p->n == e->N && p->history == e->history);
    if (e->a) winner_backward(e, dy);
    else output_back(e, dy);
    end_transpose(e, K - 1);
    float *d = e->ends == ALL ? e->d_rows : e->d_last;
    for (int i = 0; i < e->batches[e->ends]; i++) {
        const struct batch *b = &e->batch[e->ends][i];
        end_backward(e, b, i, K - 1, d + begin_of(e, e->ends, b->asset) * (size_t)e->ld);
    }
    for (int k = K - 1; k >= 0; k--) {
        if (e->s.cross != CROSS_NONE) cross_backward(e, k);
        layer_backward(e, k);
    }
}

static void destroy(struct network *n)
{
    memory_free(encoder_of(n));
}

/* ---- making one ---- */

static void cross_attention_create(struct encoder *e, int heads, int width)
{
    struct cross_attention *b = &e->b;
    b->heads = heads, b->width = width, b->hp = padded(width), b->dp = heads * b->hp;
    b->row = 2 * (size_t)b->lags * (size_t)b->dp + (e->s.cross == CROSS_HIERARCHICAL ? (size_t)e->ld : 0);
}

static int dense(struct encoder *e, const char *weight, const char *bias, int in, int out)
{
    struct network *n = &e->net;
    int K = e->s.layers, at = n->tensors;
    network_add(n, weight, 3, (int[]){K, in, out}, K * in, out, 1 / sqrt(in));
    network_add(n, bias, 2, (int[]){K, out}, K, out, 0);
    return at;
}

static void group_attention_create(struct encoder *e)
{
    static const char *const names[] = {"sector", "market"};
    const int column[] = {e->s.sector, e->s.market}, labels[] = {e->s.sector_labels, e->s.market_labels};
    for (int i = 0; i < 2; i++) {
        int heads = e->s.heads >> (i + 1);
        e->by_group[i].column = column[i], e->by_group[i].groups = labels[i] + 1;
        projection_create(e, &e->by_group[i].p, names[i], heads ? heads : 1);
    }
    e->combine = dense(e, "combine", "combine_bias", 3 * e->s.d_model, e->s.d_model);
}

/* Describes a network without allocating its parameters, so that the bytes of one that no machine could hold can be
 * counted. */
static struct network *describe(const struct encoder_shape *s, int a)
{
    static const struct network_class class = {bind, unbind, forward, backward, destroy};
    struct encoder *e = memory_array(struct encoder, 1, "encoder");
    struct network *n = &e->net;
    int K = s->layers, d = s->d_model;
    *n = (struct network){
        .class = &class, .D = s->D, .max_assets = s->max_assets, .shards = s->shards, .outputs = a ? 1 : s->outputs};
    n->tensor = memory_array(struct tensor, 64, "tensors");
    e->s = *s, e->a = a;
    if (a) e->s.cross = CROSS_NONE;
    bool crosses = e->s.cross != CROSS_NONE;
    require(d % s->heads == 0 && s->max_lag < s->L && s->layers > 0);
    e->ld = padded(d), e->lf = padded(s->feedforward), e->in = s->kernel * s->D, e->li = padded(e->in);
    e->norms = crosses ? 3 : 2;
    e->b.lags = e->s.cross == CROSS_LAGGED ? s->max_lag + 1 : 1;
    e->late = a || (crosses && s->pool_mean) ? ALL : LATE;
    e->ends = a ? ALL : LAST;
    e->input = n->tensors;
    network_add(n, "input_weight", 2, (int[]){e->in, d}, e->in, d, 1 / sqrt(e->in));
    network_add(n, "input_bias", 1, (int[]){d}, 1, d, 0);
    projection_create(e, &e->time, "time", s->heads);
    if (crosses) projection_create(e, &e->cross, "cross", s->heads);
    if (e->s.cross == CROSS_HIERARCHICAL) group_attention_create(e);
    if (e->s.cross == CROSS_LAGGED) {
        e->logits = n->tensors;
        network_add(n, "lag_logits", 2, (int[]){K, e->b.lags}, K, e->b.lags, 0);
    }
    e->norm = n->tensors;
    network_add(n, "norm_scale", 3, (int[]){K, e->norms, d}, K * e->norms, d, 0);
    n->tensor[e->norm].start = 1;
    network_add(n, "norm_shift", 3, (int[]){K, e->norms, d}, K * e->norms, d, 0);
    e->w1 = dense(e, "W1", "b1", d, s->feedforward);
    e->w2 = dense(e, "W2", "b2", s->feedforward, d);
    if (crosses) cross_attention_create(e, e->cross.heads, e->cross.width);
    if (a) {
        cross_attention_create(e, 1, a);
        winner_create(e);
    } else {
        e->output = n->tensors;
        network_add(n, "output_weight", 2, (int[]){d, s->outputs}, d, s->outputs, 1 / sqrt(d));
        network_add(n, "output_bias", 1, (int[]){s->outputs}, 1, s->outputs, 0);
    }
    return n;
}

static struct network *create(const struct encoder_shape *s, int a)
{
    struct network *n = describe(s, a);
    network_finish(n);
    return n;
}

struct network *cross_attention_network(const struct encoder_shape *s)
{
    return create(s, 0);
}

struct network *alpha_portfolio_network(const struct encoder_shape *s, int attention_size)
{
    return create(s, attention_size);
}

static double bytes_of(const struct encoder_shape *s, int attention_size, int ranks, bool kept)
{
    struct network *n = describe(s, attention_size);
    struct encoder *e = encoder_of(n);
    struct memory_layout count = {.way = MEMORY_COUNT};
    prepare(e, (s->shards + ranks - 1) / ranks);
    memory_all(e, &count);
    /* what other ranks' shards send: the derivatives of this rank's keys and values */
    double inbox = ranks > 1 ? (double)(s->shards - n->own) * e->cap * (double)e->b.row : 0,
           bytes = count.bytes + vectors(e) + 4 * inbox + (kept ? 4 * layers_kept(e) : 0);
    n->own = 0;
    network_destroy(n);
    return bytes;
}

double encoder_bytes(const struct encoder_shape *s, int attention_size, int ranks)
{
    return bytes_of(s, attention_size, ranks, true);
}

double encoder_bytes_least(const struct encoder_shape *s, int attention_size, int ranks)
{
    return bytes_of(s, attention_size, ranks, false);
}

double encoder_flops(const struct encoder_shape *s, int a, double N)
{
    double d = s->d_model, L = s->L, df = s->feedforward, flops = 2 * N * L * s->kernel * s->D * d;
    bool crosses = !a && s->cross != CROSS_NONE, all = a || (crosses && s->pool_mean);
    double lags = crosses && s->cross == CROSS_LAGGED ? s->max_lag + 1 : 1;
    for (int k = 0; k < s->layers; k++) {
        bool last = k == s->layers - 1;
        double queries = last && !all ? lags : L, ends = last && !a ? 1 : L;
        flops += N * (4 * d * d * (L + queries) + 4 * L * queries * d + 4 * ends * d * df);
        if (crosses) flops += N * 4 * d * d * (1 + lags) + 4 * lags * N * N * d;
        if (crosses && s->cross == CROSS_HIERARCHICAL) {
            flops += 2 * N * d * d;
            for (int i = 0; i < 2; i++) {
                double groups = (i ? s->market_labels : s->sector_labels) + 1;
                flops += groups * (10 * d * d + 4 * groups * d);
            }
        }
    }
    return flops + (a ? N * (6 * L * d * a + 4 * N * a + 2 * a) : 2 * N * d * s->outputs);
}
