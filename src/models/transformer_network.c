/* The nonlinear portfolio transformer                                                                          (13)-(21)
 *     A(Y) = sum_h softmax_rows(Y W_h Y') Y V_h;   Z = Y + A(Y);   Y <- Z + relu(Z W1 + 1 b1') W2 + 1 b2';   w = Y lambda
 * Rows are this rank's shards' except where N is said. Between blocks the rows of Y travel to all ranks; in the backward pass
 * each shard's derivative with respect to all keys travels back to the keys' owners and is summed there in shard order. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/attention.h"
#include "linalg/dense.h"
#include "models/network.h"

enum { W, V, W1, B1, W2, B2, LAMBDA, TENSORS };

struct transformer {
    struct network net;
    int K, H, df;
    float **y;          /* [K+1][N, D] input of each block; y[K] the output (own rows) */
    float **q, **g;     /* [K H][n, D] queries and G of each head */
    float **z, **f;     /* [K][n, D], [K][n, df] after attention, inside the feed-forward layer */
    float **statistics; /* [K H own shards] of the softmax rows */
    int *keep;          /* [K H own shards] tiles whose exponentials are kept ... */
    float **kept;       /* ... and where */
    float *arena;
    size_t arena_size;
    float *dy, *dg, *dq, *df_back; /* [n, D], [n, D], [H][n, D], [n, df] */
    float **keys;                  /* [own][N, D] derivative with respect to all keys, by the shard it comes from */
    float *transposed[4];          /* W', V' [H][D, D], W1', W2' of the block in hand */
    float *work;
    struct team_share *share;
    struct team_sum *sum;
};

static struct transformer *of(struct network *n)
{
    return (struct transformer *)n;
}

double transformer_flops(int D, int K, int H, int df, double N)
{
    double d = D;
    return K * (H * (4 * N * N * d + 4 * N * d * d) + 4 * N * d * df) + 2 * N * d;
}

/* Floats of one rank's workspace that must be there whatever is kept. n rows, N assets, `own` shards. */
static double fixed_floats(int D, int K, int H, int df, double N, double n, double own, double ranks)
{
    double ld = padded(D), lf = padded(df);
    double per_block = N * ld + n * (2 * H * ld + ld + lf) + H * 2 * (n + TILE * own);
    return K * per_block + N * ld + n * (2 * ld + H * ld + lf) + own * N * ld + 2 * H * ld * ld + 2 * lf * ld +
           (ranks > 1 ? own * (ranks - 1) * n * ld : 0) + (double)attention_workspace(D);
}

static double parameters_floats(int D, int K, int H, int df)
{
    return K * (2. * H * D * padded(D) + (double)D * padded(df) + padded(df) + (double)df * padded(D) + padded(D)) +
           padded(D);
}

double transformer_bytes(int D, int max_assets, int shards, int ranks, int K, int H, int df)
{
    double own = ceil((double)shards / ranks), n = ceil((double)max_assets * own / shards);
    return 4 * (fixed_floats(D, K, H, df, max_assets, n, own, ranks) + (own + 6) * parameters_floats(D, K, H, df));
}

double transformer_keep_bytes(int max_assets, int shards, int K, int H)
{
    double each = ceil((double)max_assets / shards);
    return 4. * K * H * shards * attention_tiles((int)each) * (double)attention_tile_size(max_assets);
}

static float **matrices(int count, size_t size, const char *what)
{
    float **m = memory_array(float *, count, what);
    for (int i = 0; i < count; i++) m[i] = memory_array(float, size, what);
    return m;
}

static void matrices_free(float **m, int count)
{
    for (int i = 0; i < count; i++) memory_free(m[i]);
    memory_free(m);
}

static void bind(struct network *n)
{
    struct transformer *t = of(n);
    size_t ld = (size_t)padded(n->D), lf = (size_t)padded(t->df), rows = (size_t)most_rows(n, n->own),
           all = (size_t)n->max_assets;
    int heads = t->K * t->H, ranks = team_size(n->team), each = most_rows(n, 1), most = 0;
    t->y = matrices(t->K + 1, all * ld, "block inputs");
    t->q = matrices(heads, rows * ld, "queries");
    t->g = matrices(heads, rows * ld, "attention outputs");
    t->z = matrices(t->K, rows * ld, "residuals");
    t->f = matrices(t->K, rows * lf, "feed-forward activations");
    t->statistics = matrices(heads * n->own, attention_statistics(each), "softmax statistics");
    t->keep = memory_array(int, heads * n->own, "panels kept");
    t->kept = memory_array(float *, heads * n->own, "panels kept");
    t->dy = memory_array(float, rows *ld, "derivatives");
    t->dg = memory_array(float, rows *ld, "derivatives");
    t->dq = memory_array(float, (size_t)t->H *rows *ld, "derivatives");
    t->df_back = memory_array(float, rows *lf, "derivatives");
    t->keys = matrices(n->own, all * ld, "derivatives of keys");
    t->transposed[W] = memory_array(float, (size_t)t->H *ld *ld, "transposed weights");
    t->transposed[V] = memory_array(float, (size_t)t->H *ld *ld, "transposed weights");
    t->transposed[2] = memory_array(float, lf *ld, "transposed weights");
    t->transposed[3] = memory_array(float, lf *ld, "transposed weights");
    t->work = memory_array(float, attention_workspace(n->D), "attention workspace");
    t->share = team_share_create(n->team);
    for (int r = 0; r < ranks; r++) {
        int m = most_rows(n, n->part_first[r + 1] - n->part_first[r]);
        most = m > most ? m : most;
    }
    t->sum = team_sum_create(n->team, n->shards, n->part_first, (size_t)most * ld);
    /* what the budget leaves keeps exponentials, at most all of them */
    double fixed = transformer_bytes(n->D, n->max_assets, n->shards, ranks, t->K, t->H, t->df),
           left = (double)n->memory - fixed;
    double all_tiles = (double)heads * n->own * attention_tiles(each) * (double)attention_tile_size(n->max_assets);
    t->arena_size = left > 0 ? (size_t)(left / 4 < all_tiles ? left / 4 : all_tiles) / PAD * PAD : 0;
    t->arena = memory_array(float, t->arena_size, "kept attention");
}

static void unbind(struct network *n)
{
    struct transformer *t = of(n);
    int heads = t->K * t->H;
    matrices_free(t->y, t->K + 1);
    matrices_free(t->q, heads);
    matrices_free(t->g, heads);
    matrices_free(t->z, t->K);
    matrices_free(t->f, t->K);
    matrices_free(t->statistics, heads * n->own);
    matrices_free(t->keys, n->own);
    memory_free(t->keep), memory_free(t->kept), memory_free(t->arena);
    memory_free(t->dy), memory_free(t->dg), memory_free(t->dq), memory_free(t->df_back), memory_free(t->work);
    for (int i = 0; i < 4; i++) memory_free(t->transposed[i]);
    team_share_destroy(t->share);
    team_sum_destroy(t->sum);
}

/* A shard of this rank within a period of N assets: its rows, where they begin among this rank's, among all. */
struct block {
    int rows, at, row;
    size_t skip, skip_all; /* the same in floats of [.., D] matrices */
};
static struct block block_of(const struct network *n, int N, int s)
{
    struct block b = {.row = shard_row(n, N, n->first + s)};
    b.rows = shard_row(n, N, n->first + s + 1) - b.row;
    b.at = b.row - own_first_row(n, N);
    b.skip = (size_t)b.at * (size_t)padded(n->D);
    b.skip_all = (size_t)b.row * (size_t)padded(n->D);
    return b;
}

/* Divide the arena: tiles are kept in order, from the first block on, until it is full. */
static void plan_keep(struct transformer *t, int N, bool training)
{
    struct network *n = &t->net;
    size_t tile = attention_tile_size(N), used = 0;
    for (int i = 0; i < t->K * t->H * n->own; i++) {
        int tiles = attention_tiles(block_of(n, N, i % n->own).rows);
        size_t room = training && tile ? (t->arena_size - used) / tile : 0;
        t->keep[i] = (size_t)tiles < room ? tiles : (int)room;
        t->kept[i] = t->arena + used;
        used += (size_t)t->keep[i] * tile;
    }
}

static void queries(struct transformer *t, int b, int N)
{
    struct network *n = &t->net;
    for (int h = 0; h < t->H; h++)
        for (int s = 0; s < n->own; s++) {
            struct block r = block_of(n, N, s);
            dense_forward(n->kernels, r.rows, n->D, n->D, t->y[b] + r.skip_all,
                          tensor_at(n, n->parameter, W, (b * t->H + h) * n->D), NULL, (struct dense_how){0},
                          t->q[b * t->H + h] + r.skip);
        }
}

static void attend(struct transformer *t, int b, int N, int s)
{
    struct network *n = &t->net;
    struct block r = block_of(n, N, s);
    size_t ld = (size_t)padded(n->D);
    memcpy(t->z[b] + r.skip, t->y[b] + r.skip_all, sizeof(float) * (size_t)r.rows * ld);
    for (int h = 0; h < t->H; h++) {
        int head = b * t->H + h, i = head * n->own + s;
        attention_forward(n->kernels, r.rows, N, n->D, t->q[head] + r.skip, t->y[b], t->keep[i], t->kept[i],
                          t->statistics[i], t->g[head] + r.skip, t->work);
        dense_forward(n->kernels, r.rows, n->D, n->D, t->g[head] + r.skip, tensor_at(n, n->parameter, V, head * n->D), NULL,
                      (struct dense_how){.residual = true}, t->z[b] + r.skip);
    }
}

static void feed_forward(struct transformer *t, int b, int N, int s, bool training)
{
    struct network *n = &t->net;
    struct block r = block_of(n, N, s);
    float *f = t->f[b] + (size_t)r.at * (size_t)padded(t->df), *out = t->y[b + 1] + r.skip_all;
    dense_forward(n->kernels, r.rows, n->D, t->df, t->z[b] + r.skip, tensor_at(n, n->parameter, W1, b * n->D),
                  tensor_at(n, n->parameter, B1, b), (struct dense_how){.relu = true}, f);
    if (training && n->dropout > 0) network_drop(n, b, r.row, r.rows, t->df, f);
    memcpy(out, t->z[b] + r.skip, sizeof(float) * (size_t)r.rows * (size_t)padded(n->D));
    dense_forward(n->kernels, r.rows, t->df, n->D, f, tensor_at(n, n->parameter, W2, b * t->df),
                  tensor_at(n, n->parameter, B2, b), (struct dense_how){.residual = true}, out);
}

static void forward(struct network *n, const struct period *p, bool training, float *w)
{
    struct transformer *t = of(n);
    int N = p->n;
    plan_keep(t, N, training);
    rows_pad(N, n->D, p->characteristics, t->y[0]);
    for (int b = 0; b < t->K; b++) {
        queries(t, b, N); /* needs own rows only: the others are still under way */
        if (b) team_share_finish(t->share);
        for (int s = 0; s < n->own; s++) {
            attend(t, b, N, s);
            feed_forward(t, b, N, s, training);
        }
        if (b + 1 < t->K) team_share_begin(t->share, t->y[b + 1], network_ranges(n, N, padded(n->D)));
    }
    for (int s = 0; s < n->own; s++) {
        struct block r = block_of(n, N, s);
        dense_column_forward(r.rows, n->D, t->y[t->K] + r.skip_all, tensor_at(n, n->parameter, LAMBDA, 0), w + r.at);
    }
}

/* dy: dLoss/dY after the block -> dLoss/dZ. */
static void feed_forward_back(struct transformer *t, int b, int N, int s)
{
    struct network *n = &t->net;
    struct block r = block_of(n, N, s);
    size_t lf = (size_t)padded(t->df), skip = (size_t)r.at * lf;
    float *dy = t->dy + r.skip, *df = t->df_back + skip, *gradient = n->gradient[s];
    dense_gradient(n->kernels, r.rows, t->df, n->D, t->f[b] + skip, dy, tensor_at(n, gradient, W2, b * t->df),
                   tensor_at(n, gradient, B2, b));
    dense_backward(n->kernels, r.rows, t->df, n->D, t->transposed[3], dy, false, df);
    relu_backward((size_t)r.rows * lf, t->f[b] + skip, n->dropout > 0 ? network_drop_scale(n) : 1, df);
    dense_gradient(n->kernels, r.rows, n->D, t->df, t->z[b] + r.skip, df, tensor_at(n, gradient, W1, b * n->D),
                   tensor_at(n, gradient, B1, b));
    dense_backward(n->kernels, r.rows, n->D, t->df, t->transposed[2], df, true, dy);
}

/* Given dy = dLoss/dZ, computes dLoss/dQ of every head, the gradient of V, and the derivatives with respect to the keys.
 * The keys of the first block are data and need no derivative. */
static void attend_back(struct transformer *t, int b, int N, int s)
{
    struct network *n = &t->net;
    struct block r = block_of(n, N, s);
    size_t ld = (size_t)padded(n->D), per_head = (size_t)most_rows(n, n->own) * ld;
    if (b) memset(t->keys[s], 0, sizeof(float) * (size_t)N * ld);
    for (int h = 0; h < t->H; h++) {
        int head = b * t->H + h, i = head * n->own + s;
        dense_backward(n->kernels, r.rows, n->D, n->D, t->transposed[V] + (size_t)h * ld * ld, t->dy + r.skip, false,
                       t->dg + r.skip);
        dense_gradient(n->kernels, r.rows, n->D, n->D, t->g[head] + r.skip, t->dy + r.skip,
                       tensor_at(n, n->gradient[s], V, head * n->D), NULL);
        attention_backward(n->kernels, r.rows, N, n->D, t->q[head] + r.skip, t->y[b], t->keep[i], t->kept[i],
                           t->statistics[i], t->g[head] + r.skip, t->dg + r.skip, t->dq + (size_t)h * per_head + r.skip,
                           b ? t->keys[s] : NULL, t->work);
    }
}

/* Adds what flows to dLoss/dY through the queries, and to the gradient of W. It needs this rank's rows only. */
static void queries_back(struct transformer *t, int b, int N, int s)
{
    struct network *n = &t->net;
    struct block r = block_of(n, N, s);
    size_t ld = (size_t)padded(n->D), per_head = (size_t)most_rows(n, n->own) * ld;
    for (int h = 0; h < t->H; h++) {
        const float *dq = t->dq + (size_t)h * per_head + r.skip;
        dense_gradient(n->kernels, r.rows, n->D, n->D, t->y[b] + r.skip_all, dq,
                       tensor_at(n, n->gradient[s], W, (b * t->H + h) * n->D), NULL);
        if (b)
            dense_backward(n->kernels, r.rows, n->D, n->D, t->transposed[W] + (size_t)h * ld * ld, dq, true, t->dy + r.skip);
    }
}

static void backward(struct network *n, const struct period *p, const float *dw)
{
    struct transformer *t = of(n);
    int N = p->n;
    size_t ld = (size_t)padded(n->D);
    for (int s = 0; s < n->own; s++) {
        struct block r = block_of(n, N, s);
        dense_column_backward(r.rows, n->D, t->y[t->K] + r.skip_all, tensor_at(n, n->parameter, LAMBDA, 0), dw + r.at,
                              t->dy + r.skip, tensor_at(n, n->gradient[s], LAMBDA, 0));
    }
    for (int b = t->K - 1; b >= 0; b--) {
        dense_transpose(n->D, t->df, tensor_at(n, n->parameter, W1, b * n->D), t->transposed[2]);
        dense_transpose(t->df, n->D, tensor_at(n, n->parameter, W2, b * t->df), t->transposed[3]);
        for (int h = 0; h < t->H; h++) {
            dense_transpose(n->D, n->D, tensor_at(n, n->parameter, W, (b * t->H + h) * n->D),
                            t->transposed[W] + (size_t)h * ld * ld);
            dense_transpose(n->D, n->D, tensor_at(n, n->parameter, V, (b * t->H + h) * n->D),
                            t->transposed[V] + (size_t)h * ld * ld);
        }
        for (int s = 0; s < n->own; s++) {
            feed_forward_back(t, b, N, s);
            attend_back(t, b, N, s);
        }
        if (b) team_sum_begin(t->sum, network_ranges(n, N, padded(n->D)), t->keys);
        for (int s = 0; s < n->own; s++) queries_back(t, b, N, s);
        if (b) team_sum_finish(t->sum, t->dy);
    }
}

static void destroy(struct network *n)
{
    memory_free(of(n));
}

void transformer_attention(struct network *n, const struct period *p, int b, int head, int first, int count, float *out,
                           float *scratch)
{
    struct transformer *t = of(n);
    size_t size = (size_t)count * (size_t)p->n;
    int from = head < 0 ? 0 : head, to = head < 0 ? t->H : head + 1;
    memset(out, 0, sizeof(float) * size);
    for (int h = from; h < to; h++) {
        attention_rows(n->kernels, first, count, p->n, n->D, t->q[b * t->H + h], t->y[b], scratch, t->work);
        for (size_t i = 0; i < size; i++) out[i] += scratch[i] / (float)(to - from);
    }
}

int transformer_blocks(const struct network *n)
{
    return n->class->destroy == destroy ? ((const struct transformer *)n)->K : 0;
}

int transformer_heads(const struct network *n)
{
    return ((const struct transformer *)n)->H;
}

struct network *transformer_network(int D, int max_assets, int shards, int K, int H, int df)
{
    static const struct network_class class = {bind, unbind, forward, backward, destroy};
    struct transformer *t = memory_array(struct transformer, 1, "transformer");
    struct network *n = &t->net;
    *n = (struct network){.class = &class, .D = D, .max_assets = max_assets, .shards = shards, .outputs = 1};
    n->tensor = memory_array(struct tensor, TENSORS, "tensors");
    t->K = K, t->H = H, t->df = df;
    network_add(n, "W", 4, (int[]){K, H, D, D}, K * H * D, D, 1 / sqrt(D));
    network_add(n, "V", 4, (int[]){K, H, D, D}, K * H * D, D, 1 / sqrt(D));
    network_add(n, "W1", 3, (int[]){K, D, df}, K * D, df, 1 / sqrt(df));
    network_add(n, "b1", 2, (int[]){K, df}, K, df, 0);
    network_add(n, "W2", 3, (int[]){K, df, D}, K * df, D, 1 / sqrt(D));
    network_add(n, "b2", 2, (int[]){K, D}, K, D, 0);
    network_add(n, "lambda", 1, (int[]){D}, 1, D, 1 / sqrt(D));
    network_finish(n);
    return n;
}
