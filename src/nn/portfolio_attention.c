/* Attention over a period's assets                                                                              (13)-(15)
 *     Z = Y + sum_h softmax_rows(Y W_h Y') Y V_h
 * Rows of Y travel to all ranks, the derivatives with respect to them back to their owners. The exponentials of some tiles of queries are
 * kept, those of the others formed again (linalg/multihead.h). */
#include "nn/portfolio_attention.h"

#include <math.h>
#include <string.h>

#include "linalg/dense.h"
#include "linalg/multihead.h"

struct portfolio_attention {
    struct layer layer;
    struct portfolio_attention_shape s;
    int w, v;          /* tensors */
    float *keys;       /* [N, ld] Y of all assets */
    float *q, *g;      /* [H][most, ld] queries and what attention gives of each head; derivatives of queries */
    float *statistics; /* [H][shards here] of the softmax rows */
    int *keep;         /* [H][shards here] tiles whose exponentials are kept ... */
    float **kept;      /* ... and where */
    float *arena;      /* granted for them */
    size_t arena_size;
    float *w_transposed, *v_transposed; /* [H][D, ld] */
};

static struct portfolio_attention *of(struct layer *l)
{
    return (struct portfolio_attention *)l;
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    double d = l->out, H = ((const struct portfolio_attention *)l)->s.heads;
    (void)in, (void)out;
    return H * (4 * assets * assets * d + 4 * assets * d * d);
}

static size_t statistics_floats(const struct network *n)
{
    return multihead_statistics(1, most_assets(n, 1));
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct portfolio_attention *a = of(l);
    size_t ld = (size_t)padded(l->in), most = (size_t)n->rows.most, H = (size_t)a->s.heads, own = (size_t)n->shards.own;
    MEMORY(w, a->keys, (size_t)n->max_assets * ld, "keys of all assets");
    MEMORY(w, a->q, H * most * ld, "queries");
    MEMORY(w, a->g, H * most * ld, "attention outputs");
    MEMORY(w, a->statistics, H * own * statistics_floats(n), "softmax statistics");
    MEMORY(w, a->keep, H * own, "tiles kept");
    MEMORY(w, a->kept, H * own, "tiles kept");
    MEMORY(w, a->w_transposed, l->first ? 0 : H * (size_t)l->in * ld, "transposed weights");
    MEMORY(w, a->v_transposed, H * (size_t)l->in * ld, "transposed weights");
}

static double wants(const struct layer *l, const struct network *n)
{
    return (double)((const struct portfolio_attention *)l)->s.heads * n->shards.own *
           (double)multihead_kept(1, most_assets(n, 1), n->max_assets);
}

static void grant(struct layer *l, float *arena, size_t floats)
{
    of(l)->arena = arena, of(l)->arena_size = floats;
}

/* The tensors' rows of a head. */
static int head_row(const struct portfolio_attention *a, int h)
{
    return (a->s.k * a->s.heads + h) * a->layer.in;
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    struct portfolio_attention *a = of(l);
    size_t block = (size_t)l->in * (size_t)padded(l->in);
    for (int h = 0; backward && h < a->s.heads; h++) {
        dense_transpose(l->in, l->in, weights(n, a->v, head_row(a, h)), a->v_transposed + (size_t)h * block);
        if (!l->first) dense_transpose(l->in, l->in, weights(n, a->w, head_row(a, h)), a->w_transposed + (size_t)h * block);
    }
}

/* Tiles are kept in order until the arena is full. */
static void plan_tiles(struct portfolio_attention *a, const struct network *n)
{
    size_t tile = multihead_kept(1, 1, n->rows.N), used = 0;
    for (int i = 0, at; i < a->s.heads * n->shards.own; i++) {
        size_t tiles = (size_t)multihead_tiles(shard_assets(n, i % n->shards.own, &at)),
               room = n->training && tile ? (a->arena_size - used) / tile : 0;
        a->keep[i] = (int)(tiles < room ? tiles : room);
        a->kept[i] = a->arena + used;
        used += (size_t)a->keep[i] * tile;
    }
}

/* A head's queries of a shard, those whose exponentials are kept (part 0) or the others (part 1). */
struct piece {
    struct multihead m;
    float *q, *g, *kept, *statistics;
    size_t skip; /* floats of [most, ld] before them */
};

static struct piece piece_of(const struct portfolio_attention *a, const struct network *n, int s, int h, int part)
{
    int at, assets = shard_assets(n, s, &at), ld = padded(a->layer.in), i = h * n->shards.own + s, kept = a->keep[i] * TILE;
    if (kept > assets) kept = assets;
    if (part) at += kept;
    struct piece p = {.m = {.heads = 1,
                            .width = a->layer.in,
                            .queries = part ? assets - kept : kept,
                            .keys = n->rows.N,
                            .q_row = ld,
                            .k_row = ld,
                            .self = -1},
                      .kept = part ? NULL : a->kept[i],
                      .skip = (size_t)at * (size_t)ld};
    size_t before = p.skip + (size_t)h * (size_t)n->rows.most * (size_t)ld;
    p.q = a->q + before, p.g = a->g + before;
    p.statistics = a->statistics + (size_t)i * statistics_floats(n) + (part ? multihead_statistics(1, kept) : 0);
    return p;
}

static void forward(struct layer *l, struct network *n, const float *x, float *y)
{
    struct portfolio_attention *a = of(l);
    int D = l->in, ld = padded(D);
    size_t own = (size_t)n->rows.own * (size_t)ld;
    plan_tiles(a, n);
    memcpy(a->keys + (size_t)n->rows.first * (size_t)ld, x, sizeof(float) * own);
    network_share_begin(n, a->keys, (size_t)ld);
    for (int h = 0; h < a->s.heads; h++) /* needs own rows only: the others are under way */
        dense_forward(n->kernels, n->rows.own, D, D, x, weights(n, a->w, head_row(a, h)), NULL, (struct dense_how){0},
                      a->q + (size_t)h * (size_t)n->rows.most * (size_t)ld);
    memcpy(y, x, sizeof(float) * own);
    network_share_finish(n);
    for (int s = 0; s < n->shards.own; s++)
        for (int i = 0; i < 2 * a->s.heads; i++) {
            struct piece p = piece_of(a, n, s, i / 2, i % 2);
            multihead_forward(n->kernels, &p.m, p.q, a->keys, a->keys, p.g, p.kept, p.statistics, network_attention_work(n));
            dense_forward(n->kernels, p.m.queries, D, D, p.g, weights(n, a->v, head_row(a, i / 2)), NULL,
                          (struct dense_how){.residual = true}, y + p.skip);
        }
}

/* Given dy of a shard, the gradient of V, the derivatives of the queries (in place of g), and those of all keys. The keys of the first layer
 * are data and need no derivative. */
static void attend_back(struct portfolio_attention *a, const struct network *n, int s, const float *dy)
{
    int D = a->layer.in, ld = padded(D);
    float *d_keys = a->layer.first ? NULL : network_back(n, s), *dg = network_spare(n);
    if (d_keys) memset(d_keys, 0, sizeof(float) * (size_t)n->rows.N * (size_t)ld);
    for (int i = 0; i < 2 * a->s.heads; i++) {
        struct piece p = piece_of(a, n, s, i / 2, i % 2);
        dense_backward(n->kernels, p.m.queries, D, D, a->v_transposed + i / 2 * D * ld, dy + p.skip, false, dg);
        dense_gradient(n->kernels, p.m.queries, D, D, p.g, dy + p.skip,
                       tensor_at(n, n->gradient[s], a->v, head_row(a, i / 2)), NULL);
        multihead_backward(n->kernels, &p.m, p.q, a->keys, a->keys, p.g, dg, p.kept, p.statistics, p.g, d_keys, d_keys, true,
                           network_attention_work(n));
    }
}

/* Adds to dx what flows through the queries, and to the gradient of W. It needs this rank's rows only. */
static void queries_back(struct portfolio_attention *a, const struct network *n, int s, const float *x, float *dx)
{
    int D = a->layer.in, ld = padded(D), at, assets = shard_assets(n, s, &at);
    size_t skip = (size_t)at * (size_t)ld;
    for (int h = 0; h < a->s.heads; h++) {
        const float *dq = a->g + (size_t)h * (size_t)n->rows.most * (size_t)ld + skip;
        dense_gradient(n->kernels, assets, D, D, x + skip, dq, tensor_at(n, n->gradient[s], a->w, head_row(a, h)), NULL);
        if (dx) dense_backward(n->kernels, assets, D, D, a->w_transposed + h * D * ld, dq, true, dx + skip);
    }
}

static void backward(struct layer *l, struct network *n, const float *x, float *dy, float *dx)
{
    struct portfolio_attention *a = of(l);
    size_t ld = (size_t)padded(l->in);
    for (int s = 0; s < n->shards.own; s++) attend_back(a, n, s, dy);
    if (dx) {
        network_sum_begin(n, ld);
        memcpy(dx, dy, sizeof(float) * (size_t)n->rows.own * ld);
    }
    for (int s = 0; s < n->shards.own; s++) queries_back(a, n, s, x, dx);
    if (dx) network_sum_finish(n, dx);
}

static const struct over over = {.forward = forward, .backward = backward, .wants = wants, .grant = grant};
static const struct layer_class class = {
    .name = "portfolio_attention", .flops = flops, .memory = memory, .prepare = prepare, .over = &over};

void layer_portfolio_attention(struct network *n, struct portfolio_attention_shape s)
{
    int D = n->layer[n->layers - 1]->out, H = s.heads;
    struct portfolio_attention *a = network_append(n, sizeof *a, (struct layer){.class = &class, .out = D, .stream = -1});
    struct tensor t = {
        .name = "W", .rank = 4, .size = {s.of, H, D, D}, .rows = s.of * H * D, .columns = D, .deviation = 1 / sqrt(D)};
    a->s = s;
    a->w = network_add(n, t);
    t.name[0] = 'V';
    a->v = network_add(n, t);
    network_heads(n, D);
    network_shares(n, (size_t)padded(D));
}

/* ---- reading ---- */

/* The attention of a block; NULL: there is none. */
static const struct portfolio_attention *block_of(const struct network *n, int block)
{
    for (int i = 0; i < n->layers; i++)
        if (n->layer[i]->class == &class && of(n->layer[i])->s.k == block) return of(n->layer[i]);
    return NULL;
}

int portfolio_attention_blocks(const struct network *n)
{
    const struct portfolio_attention *a = block_of(n, 0);
    return a ? a->s.of : 0;
}

int portfolio_attention_heads(const struct network *n)
{
    const struct portfolio_attention *a = block_of(n, 0);
    return a ? a->s.heads : 0;
}

void portfolio_attention_read(struct network *n, const struct period *p, int block, int head, int first, int count,
                              float *out, float *scratch)
{
    const struct portfolio_attention *a = block_of(n, block);
    int ld = padded(n->D), H = a->s.heads, from = head < 0 ? 0 : head, to = head < 0 ? H : head + 1;
    size_t size = (size_t)count * (size_t)p->n;
    struct multihead m = {.heads = 1, .width = n->D, .queries = count, .keys = p->n, .q_row = ld, .k_row = ld, .self = -1};
    memset(out, 0, sizeof(float) * size);
    for (int h = from; h < to; h++) {
        multihead_weights(n->kernels, &m, 0, a->q + ((size_t)h * (size_t)n->rows.most + (size_t)first) * (size_t)ld, a->keys,
                          scratch, network_attention_work(n));
        for (size_t i = 0; i < size; i++) out[i] += scratch[i] / (float)(to - from);
    }
}
