/* Attention over a period's assets                                                                              (13)-(15)
 *     Z = Y + sum_h softmax_rows(Y W_h Y') Y V_h
 * Rows of Y travel to all ranks, the derivatives with respect to them back to their owners. Where assets see their group only, everything
 * in between works on rows ordered by group, a run of queries at a time. The exponentials of some tiles of queries are kept, those of the
 * others formed again (linalg/multihead.h). */
#include "nn/portfolio_attention.h"

#include <math.h>
#include <string.h>

#include "asset_runs.h"
#include "linalg/dense.h"
#include "linalg/multihead.h"

struct portfolio_attention {
    struct layer layer;
    struct portfolio_attention_shape s;
    struct asset_runs runs;
    int w, v;          /* tensors */
    float *keys;       /* [N, ld] Y of all assets */
    float *q, *g;      /* [H][most, ld] queries and what attention gives of each head; derivatives of queries */
    float *statistics; /* [H][tiles] of the softmax rows */
    int *keep;         /* [runs][H] tiles whose exponentials are kept ... */
    float **kept;      /* ... and where */
    float *arena;      /* granted for them */
    size_t arena_size;
    float *w_transposed, *v_transposed; /* [H][D, ld] */
    struct {
        float *keys, *d_keys, *x, *dy, *out;
    } ordered; /* by group: [N, ld], of this rank [most, ld]; NULL: as they are */
};

static struct portfolio_attention *of(struct layer *l)
{
    return (struct portfolio_attention *)l;
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    const struct portfolio_attention *a = (const struct portfolio_attention *)l;
    double d = l->out, H = a->s.heads;
    (void)in, (void)out;
    return H * (4 * assets * asset_runs_seen(&a->runs, assets) * d + 4 * assets * d * d);
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct portfolio_attention *a = of(l);
    size_t ld = (size_t)padded(l->in), most = (size_t)n->rows.most, H = (size_t)a->s.heads;
    size_t runs = (size_t)asset_runs_most(&a->runs, n), ordered = asset_runs_reorder(&a->runs) ? ld : 0;
    asset_runs_memory(&a->runs, n, w);
    MEMORY(w, a->keys, (size_t)n->max_assets * ld, "keys of all assets");
    MEMORY(w, a->q, H * most * ld, "queries");
    MEMORY(w, a->g, H * most * ld, "attention outputs");
    MEMORY(w, a->statistics, H * multihead_statistics(1, TILE * asset_runs_tiles(&a->runs, n)), "softmax statistics");
    MEMORY(w, a->keep, H * runs, "tiles kept");
    MEMORY(w, a->kept, H * runs, "tiles kept");
    MEMORY(w, a->w_transposed, l->first ? 0 : H * (size_t)l->in * ld, "transposed weights");
    MEMORY(w, a->v_transposed, H * (size_t)l->in * ld, "transposed weights");
    MEMORY(w, a->ordered.keys, (size_t)n->max_assets * ordered, "keys by group");
    MEMORY(w, a->ordered.d_keys, (size_t)n->max_assets * ordered, "keys by group");
    MEMORY(w, a->ordered.x, most * ordered, "rows by group");
    MEMORY(w, a->ordered.dy, most * ordered, "rows by group");
    MEMORY(w, a->ordered.out, most * ordered, "rows by group");
}

/* Groups need no more than one group of all assets would. */
static double wants(const struct layer *l, const struct network *n)
{
    const struct portfolio_attention *a = (const struct portfolio_attention *)l;
    double all = (double)n->shards.own * (double)multihead_kept(1, most_assets(n, 1), n->max_assets),
           alone = (double)multihead_kept(1, 1, 1) * n->rows.most;
    return a->s.heads * (a->s.sees == SEES_ITSELF && alone < all ? alone : all);
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
    size_t used = 0;
    for (int i = 0; i < a->runs.runs * a->s.heads; i++) {
        const struct asset_run *run = &a->runs.run[i / a->s.heads];
        size_t tile = multihead_kept(1, 1, run->keys), tiles = (size_t)multihead_tiles(run->queries),
               room = n->training ? (a->arena_size - used) / tile : 0;
        a->keep[i] = (int)(tiles < room ? tiles : room);
        a->kept[i] = a->arena + used;
        used += (size_t)a->keep[i] * tile;
    }
}

/* A head's queries of a run, those whose exponentials are kept (part 0) or the others (part 1). */
struct piece {
    struct multihead m;
    float *q, *g, *kept, *statistics;
    const float *keys;
    size_t skip; /* floats of [most, ld] before its queries ... */
    size_t key;  /* ... and of [N, ld] before its keys */
};

static struct piece piece_of(const struct portfolio_attention *a, const struct network *n, int r, int h, int part)
{
    const struct asset_run *run = &a->runs.run[r];
    int ld = padded(a->layer.in), i = r * a->s.heads + h, kept = a->keep[i] * TILE;
    if (kept > run->queries) kept = run->queries;
    struct piece p = {.m = {.heads = 1,
                            .width = a->layer.in,
                            .queries = part ? run->queries - kept : kept,
                            .keys = run->keys,
                            .q_row = ld,
                            .k_row = ld,
                            .self = -1,
                            .linear = a->s.linear},
                      .kept = part ? NULL : a->kept[i],
                      .skip = (size_t)(run->at + (part ? kept : 0)) * (size_t)ld,
                      .key = (size_t)run->key * (size_t)ld};
    size_t before = p.skip + (size_t)h * (size_t)n->rows.most * (size_t)ld;
    p.q = a->q + before, p.g = a->g + before;
    p.keys = (asset_runs_reorder(&a->runs) ? a->ordered.keys : a->keys) + p.key;
    p.statistics = a->statistics + multihead_statistics(1, TILE * (h * asset_runs_tiles(&a->runs, n) + run->tile)) +
                   (part ? multihead_statistics(1, kept) : 0);
    return p;
}

/* out += what every run of queries attends to; without residual, out = that. */
static void attend(struct portfolio_attention *a, const struct network *n, float *out)
{
    int D = a->layer.in;
    for (int r = 0; r < a->runs.runs; r++)
        for (int i = 0; i < 2 * a->s.heads; i++) {
            struct piece p = piece_of(a, n, r, i / 2, i % 2);
            multihead_forward(n->kernels, &p.m, p.q, p.keys, p.keys, p.g, p.kept, p.statistics, network_attention_work(n));
            dense_forward(n->kernels, p.m.queries, D, D, p.g, weights(n, a->v, head_row(a, i / 2)), NULL,
                          (struct dense_how){.residual = a->s.residual || i / 2 > 0}, out + p.skip);
        }
}

static void forward(struct layer *l, struct network *n, const float *x, float *y)
{
    struct portfolio_attention *a = of(l);
    int D = l->in, ld = padded(D);
    size_t wide = (size_t)ld, own = (size_t)n->rows.own * wide;
    bool reorder = asset_runs_reorder(&a->runs);
    asset_runs_plan(&a->runs, n);
    plan_tiles(a, n);
    memcpy(a->keys + (size_t)n->rows.first * wide, x, sizeof(float) * own);
    network_share_begin(n, a->keys, wide);
    if (reorder) rows_gather(n->rows.own, a->runs.own, wide, x, a->ordered.x);
    const float *rows = reorder ? a->ordered.x : x;
    float *out = reorder ? a->ordered.out : y;
    for (int h = 0; h < a->s.heads; h++) /* needs own rows only: the others are under way */
        dense_forward(n->kernels, n->rows.own, D, D, rows, weights(n, a->w, head_row(a, h)), NULL, (struct dense_how){0},
                      a->q + (size_t)h * (size_t)n->rows.most * wide);
    if (a->s.residual) memcpy(out, rows, sizeof(float) * own);
    network_share_finish(n);
    if (reorder) rows_gather(n->rows.N, a->runs.order, wide, a->keys, a->ordered.keys);
    attend(a, n, out);
    if (reorder) rows_scatter(n->rows.own, a->runs.own, wide, out, y);
}

/* Given dy of a shard, the gradient of V, the derivatives of the queries (in place of g), and those of all keys. The keys of the first layer
 * are data and need no derivative. */
static void attend_back(struct portfolio_attention *a, const struct network *n, int s, const float *dy)
{
    int D = a->layer.in, ld = padded(D);
    bool reorder = asset_runs_reorder(&a->runs);
    float *d_keys = a->layer.first ? NULL : reorder ? a->ordered.d_keys : network_back(n, s), *dg = network_spare(n);
    if (d_keys) memset(d_keys, 0, sizeof(float) * (size_t)n->rows.N * (size_t)ld);
    for (int r = 0; r < a->runs.runs; r++)
        for (int i = 0; a->runs.run[r].shard == s && i < 2 * a->s.heads; i++) {
            struct piece p = piece_of(a, n, r, i / 2, i % 2);
            float *d = d_keys ? d_keys + p.key : NULL;
            dense_backward(n->kernels, p.m.queries, D, D, a->v_transposed + i / 2 * D * ld, dy + p.skip, false, dg);
            dense_gradient(n->kernels, p.m.queries, D, D, p.g, dy + p.skip,
                           tensor_at(n, n->gradient[s], a->v, head_row(a, i / 2)), NULL);
            multihead_backward(n->kernels, &p.m, p.q, p.keys, p.keys, p.g, dg, p.kept, p.statistics, p.g, d, d, true,
                               network_attention_work(n));
        }
    if (d_keys && reorder) rows_scatter(n->rows.N, a->runs.order, (size_t)ld, d_keys, network_back(n, s));
}

/* dx += what flows through the queries, or, without residual, = that; and the gradient of W. It needs this rank's rows only. */
static void queries_back(struct portfolio_attention *a, const struct network *n, int s, const float *x, float *dx)
{
    int D = a->layer.in, ld = padded(D), at, assets = shard_assets(n, s, &at);
    size_t skip = (size_t)at * (size_t)ld;
    for (int h = 0; h < a->s.heads; h++) {
        const float *dq = a->g + (size_t)h * (size_t)n->rows.most * (size_t)ld + skip;
        dense_gradient(n->kernels, assets, D, D, x + skip, dq, tensor_at(n, n->gradient[s], a->w, head_row(a, h)), NULL);
        if (dx)
            dense_backward(n->kernels, assets, D, D, a->w_transposed + h * D * ld, dq, a->s.residual || h > 0, dx + skip);
    }
}

static void backward(struct layer *l, struct network *n, const float *x, float *dy, float *dx)
{
    struct portfolio_attention *a = of(l);
    size_t ld = (size_t)padded(l->in), own = (size_t)n->rows.own * ld;
    bool reorder = asset_runs_reorder(&a->runs);
    if (reorder) rows_gather(n->rows.own, a->runs.own, ld, dy, a->ordered.dy);
    const float *rows = reorder ? a->ordered.x : x, *d = reorder ? a->ordered.dy : dy;
    float *out = dx && reorder ? a->ordered.out : dx;
    for (int s = 0; s < n->shards.own; s++) attend_back(a, n, s, d);
    if (dx) network_sum_begin(n, ld);
    if (dx && a->s.residual) memcpy(out, d, sizeof(float) * own);
    for (int s = 0; s < n->shards.own; s++) queries_back(a, n, s, rows, out);
    if (dx && reorder) rows_scatter(n->rows.own, a->runs.own, ld, out, dx);
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
    a->runs = (struct asset_runs){.sees = s.sees, .column = s.column, .labels = s.labels};
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
    return a && !a->s.linear ? a->s.of : 0;
}

int portfolio_attention_heads(const struct network *n)
{
    const struct portfolio_attention *a = block_of(n, 0);
    return a ? a->s.heads : 0;
}

/* Adds one head's weights, divided by `heads`, of `count` queries of a run, from its k-th on, to their rows of out [.., N], the first asset
 * of which is `first`. */
static void read_run(const struct portfolio_attention *a, const struct network *n, int r, int k, int count, int h, int heads,
                     int first, float *out, float *scratch)
{
    const struct asset_run *run = &a->runs.run[r];
    struct piece p = piece_of(a, n, r, h, 0);
    p.m.queries = count;
    multihead_weights(n->kernels, &p.m, 0, p.q + k * p.m.q_row, p.keys, scratch, network_attention_work(n));
    for (int i = 0; i < count; i++) {
        float *row = out + (size_t)(a->runs.own[run->at + k + i] - first) * (size_t)n->rows.N;
        for (int j = 0; j < run->keys; j++) row[a->runs.order[run->key + j]] += scratch[i * run->keys + j] / (float)heads;
    }
}

void portfolio_attention_read(struct network *n, const struct period *p, int block, int head, int first, int count,
                              float *out, float *scratch)
{
    const struct portfolio_attention *a = block_of(n, block);
    int H = a->s.heads, from = head < 0 ? 0 : head, to = head < 0 ? H : head + 1;
    memset(out, 0, sizeof(float) * (size_t)count * (size_t)p->n);
    for (int r = 0; r < a->runs.runs; r++) { /* of a run, those between first and first + count: its assets ascend */
        const struct asset_run *run = &a->runs.run[r];
        const int *asset = a->runs.own + run->at;
        int low = 0, high;
        while (low < run->queries && asset[low] < first) low++;
        for (high = low; high < run->queries && asset[high] < first + count;) high++;
        for (int h = from; low < high && h < to; h++) read_run(a, n, r, low, high - low, h, to - from, first, out, scratch);
    }
}
