/* What is local to an asset in a layer: temporal attention and its norm, then (after attention between assets) the second norm, the
 * feed-forward layer and the third. A batch of assets goes through it in cache; of every layer the normalised rows of both norms
 * stay, what lies between is kept where there is room, else formed again by the same functions. */
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

/* Floats of a batch's activations, given its rows of queries, of keys, and of the feed-forward layer. */
static size_t activations_size(const struct encoder *e, size_t queries, size_t keys, size_t ends, size_t kept,
                               size_t statistics)
{
    return (size_t)e->time.dp * (2 * queries + 2 * keys) + (size_t)e->lf * ends + kept + statistics;
}
static void activations_place(const struct encoder *e, struct activations *t, float *at, size_t queries, size_t keys,
                              size_t kept, size_t statistics)
{
    t->q = at;
    t->o = t->q + queries * (size_t)e->time.dp;
    t->kv = t->o + queries * (size_t)e->time.dp;
    t->e = t->kv + 2 * keys * (size_t)e->time.dp;
    t->statistics = t->e + kept;
    t->hidden = t->statistics + statistics;
}

/* The largest that the batches of ALL can be, and the floats of their exponentials and statistics. */
static size_t most_kept(const struct encoder *e, size_t rows, size_t *statistics)
{
    size_t panels = (size_t)e->time.heads * (size_t)multihead_tiles(e->s.L) * TILE;
    *statistics = 2 * panels * rows;
    return panels * rows;
}

void layers_memory(struct encoder *e, struct memory_layout *w)
{
    size_t most = (size_t)e->most, ld = (size_t)e->ld, lf = (size_t)e->lf, dp = (size_t)e->time.dp, cap = (size_t)e->cap,
           L = (size_t)e->s.L, K = (size_t)e->s.layers, d = (size_t)e->s.d_model, before = (K - 1) * cap * L;
    size_t late = e->late == ALL ? cap * L : cap * (size_t)e->b.lags, ends = e->ends == ALL ? cap * L : cap;
    MEMORY(w, e->normalised_time, (before + late) * ld, "states");
    MEMORY(w, e->inverse_time, before + late, "states");
    MEMORY(w, e->normalised_end, (before + ends) * ld, "states");
    MEMORY(w, e->inverse_end, before + ends, "states");
    MEMORY(w, e->d_rows, (K > 1 || e->ends == ALL ? cap * L : 0) * ld, "derivatives of states");
    MEMORY(w, e->d_last, (e->ends == ALL ? 0 : cap) * ld, "derivatives of states");
    float **const tile[] = {&e->x, &e->y, &e->z, &e->u, &e->v, &e->normalised};
    for (size_t i = 0; i < sizeof tile / sizeof *tile; i++) MEMORY(w, *tile[i], most * ld, "a batch");
    MEMORY(w, e->inverse, most, "a batch");
    MEMORY(w, e->d_q, most * dp, "a batch");
    MEMORY(w, e->d_o, most * dp, "a batch");
    MEMORY(w, e->d_kv, most * 2 * dp, "a batch");
    MEMORY(w, e->d_hidden, most * lf, "a batch");
    size_t statistics, kept = most_kept(e, most, &statistics);
    MEMORY(w, e->scratch.q, activations_size(e, most, most, most, kept, statistics), "a batch");
    if (w->way == MEMORY_TAKE) activations_place(e, &e->scratch, e->scratch.q, most, most, kept, statistics);
    MEMORY(w, e->kept, K * cap, "kept batches");
    MEMORY(w, e->w1_transposed, lf * ld, "transposed weights");
    MEMORY(w, e->w2_transposed, d * lf, "transposed weights");
}

double layers_kept(const struct encoder *e)
{
    double all = 0;
    for (int k = 0; k < e->s.layers; k++) {
        enum span v = after_time(e, k);
        int queries = v == ALL ? e->s.L : v == LATE ? e->b.lags : 1;
        all += (double)activations_size(e, (size_t)queries, (size_t)e->s.L, after_end(e, k) == ALL ? (size_t)e->s.L : 0,
                                        multihead_kept(e->time.heads, queries, e->s.L),
                                        multihead_statistics(e->time.heads, queries));
    }
    return all * e->cap;
}

/* Divide the arena: batches are kept in order, from the first batch of the first layer on, until it is full. */
void layers_plan(struct encoder *e, bool training)
{
    size_t used = 0;
    for (int k = 0; k < e->s.layers; k++)
        for (int i = 0; i < e->batches[ALL]; i++) {
            const struct batch *b = &e->batch[ALL][i];
            size_t queries = (size_t)batch_rows(e, after_time(e, k), b), keys = (size_t)batch_rows(e, ALL, b), kept = 0,
                   statistics = 0;
            for (int a = b->asset; a < b->asset + b->assets; a++) {
                int rows = rows_of(e, after_time(e, k), a);
                kept += multihead_kept(e->time.heads, rows, rows_of(e, ALL, a));
                statistics += multihead_statistics(e->time.heads, rows);
            }
            size_t size = activations_size(e, queries, keys, after_end(e, k) == ALL ? keys : 0, kept, statistics);
            struct activations *t = &e->kept[k * e->cap + i];
            *t = (struct activations){0};
            if (!training || size > e->arena_size - used) continue;
            activations_place(e, t, e->arena + used, queries, keys, kept, statistics);
            used += size;
        }
}

static struct activations *activations_of(struct encoder *e, int batch, int k)
{
    struct activations *t = &e->kept[k * e->cap + batch];
    return t->q ? t : &e->scratch;
}

/* The last rows (span v) of every asset out of all its rows. */
static void gather(const struct encoder *e, const struct batch *b, enum span v, const float *all, float *out)
{
    size_t ld = (size_t)e->ld;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        size_t rows = (size_t)rows_of(e, v, i), of = (size_t)rows_of(e, ALL, i);
        memcpy(out, all + (of - rows) * ld, sizeof(float) * rows * ld);
        all += of * ld, out += rows * ld;
    }
}

static struct multihead sequence(const struct encoder *e, int k, int asset)
{
    const struct projection *p = &e->time;
    return (struct multihead){.heads = p->heads,
                              .width = p->width,
                              .queries = rows_of(e, after_time(e, k), asset),
                              .keys = rows_of(e, ALL, asset),
                              .q_row = p->dp,
                              .k_row = 2 * p->dp,
                              .causal = e->s.causal,
                              .self = -1};
}

/* Contexts o of a batch from its rows x and those among them that ask. */
static void attend(struct encoder *e, const struct batch *b, int k, const float *x, const float *asks, struct activations *t)
{
    const struct kernels *kernels = e->net.kernels;
    struct projection *p = &e->time;
    size_t d = (size_t)e->s.d_model, dp = (size_t)p->dp;
    encoder_affine(e, batch_rows(e, after_time(e, k), b), (int)d, p->dp, asks, (size_t)e->ld, p->q + (size_t)k * d * dp,
                   p->bq + (size_t)k * dp, t->q, dp);
    encoder_affine(e, batch_rows(e, ALL, b), (int)d, 2 * p->dp, x, (size_t)e->ld, p->kv + (size_t)k * d * 2 * dp,
                   p->bkv + (size_t)k * 2 * dp, t->kv, 2 * dp);
    float *q = t->q, *kv = t->kv, *o = t->o, *kept = t->e, *statistics = t->statistics;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        struct multihead m = sequence(e, k, i);
        multihead_forward(kernels, &m, q, kv, kv + dp, o, kept, statistics, e->work);
        q += m.queries * m.q_row, o += m.queries * m.q_row, kv += m.keys * m.k_row;
        kept += multihead_kept(m.heads, m.queries, m.keys), statistics += multihead_statistics(m.heads, m.queries);
    }
}

void time_forward(struct encoder *e, int batch, int k)
{
    const struct batch *b = &e->batch[ALL][batch];
    enum span v = after_time(e, k);
    const struct projection *p = &e->time;
    const struct network *n = &e->net;
    int rows = batch_rows(e, v, b);
    size_t at = layer_row(e, k, v, b->asset);
    struct activations *t = activations_of(e, batch, k);
    float *asks = e->x;
    if (v != ALL) gather(e, b, v, e->x, asks = e->z);
    attend(e, b, k, e->x, asks, t);
    encoder_affine(e, rows, p->dp, e->ld, t->o, (size_t)p->dp, p->o + (size_t)(k * p->dp) * (size_t)e->ld,
                   tensor_at(n, n->parameter, p->bias[3], k), e->y, (size_t)e->ld);
    if (e->dropped) drop_rows(e, DROP_TIME + DROP_LAYER * k, v, b, e->s.d_model, e->y);
    n->kernels->norm(rows, e->s.d_model, asks, e->y, e->ld, NULL, NULL, e->normalised_time + at * (size_t)e->ld,
                     e->inverse_time + at, NULL);
    if (e->s.cross != CROSS_NONE) pool_batch(e, b, k);
}

/* Rows before the feed-forward layer, [rows of after_end, ld]: after the first norm in e->y, and after the second, which is returned. */
static float *before_end(struct encoder *e, const struct batch *b, int k)
{
    const struct kernels *kernels = e->net.kernels;
    enum span v = after_end(e, k), from = after_time(e, k);
    int ld = e->ld;
    float *y = e->y, *z = e->z, *normalised = e->normalised, *inverse = e->inverse;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        int rows = rows_of(e, v, i);
        size_t at = layer_row(e, k, from, i) + (size_t)(rows_of(e, from, i) - rows);
        kernels->row_affine(rows, ld, e->normalised_time + at * (size_t)ld, norm_scale(e, k, 0), norm_shift(e, k, 0), y);
        if (e->s.cross != CROSS_NONE)
            kernels->norm(rows, e->s.d_model, y, e->b.out + (size_t)(k * e->cap + i) * (size_t)ld, 0, norm_scale(e, k, 1),
                          norm_shift(e, k, 1), normalised, inverse, z);
        y += rows * ld, z += rows * ld, normalised += rows * ld, inverse += rows;
    }
    return e->s.cross != CROSS_NONE ? e->z : e->y;
}

static void hide(struct encoder *e, const struct batch *b, int k, const float *x, float *hidden)
{
    const struct network *n = &e->net;
    int rows = batch_rows(e, after_end(e, k), b);
    n->kernels->product(rows, e->lf, e->s.d_model, x, e->ld, 1, tensor_at(n, n->parameter, e->w1, k * e->s.d_model), e->lf,
                        hidden, e->lf, false);
    n->kernels->row_bias(rows, e->lf, tensor_at(n, n->parameter, e->w1 + 1, k), true, hidden);
    if (e->dropped) drop_rows(e, DROP_HIDDEN + DROP_LAYER * k, after_end(e, k), b, e->s.feedforward, hidden);
}

/* Where a batch's hidden units are. Those of a batch of ALL may have been kept. */
static float *hidden_of(struct encoder *e, const struct batch *b, int batch, int k)
{
    return b == &e->batch[ALL][batch] ? activations_of(e, batch, k)->hidden : e->scratch.hidden;
}

void end_forward(struct encoder *e, const struct batch *b, int batch, int k)
{
    const struct network *n = &e->net;
    enum span v = after_end(e, k);
    int rows = batch_rows(e, v, b), last = e->norms - 1;
    size_t at = layer_row(e, k, v, b->asset);
    float *x = before_end(e, b, k), *hidden = hidden_of(e, b, batch, k);
    hide(e, b, k, x, hidden);
    encoder_affine(e, rows, e->s.feedforward, e->ld, hidden, (size_t)e->lf,
                   tensor_at(n, n->parameter, e->w2, k * e->s.feedforward), tensor_at(n, n->parameter, e->w2 + 1, k), e->u,
                   (size_t)e->ld);
    n->kernels->norm(rows, e->s.d_model, x, e->u, e->ld, norm_scale(e, k, last), norm_shift(e, k, last),
                     e->normalised_end + at * (size_t)e->ld, e->inverse_end + at, e->x);
}

/* ---- backward ---- */

/* Collects dLoss/d(rows after the first norm): what came back through the feed-forward layer, plus what comes back through
 * the pooled states. */
static void gather_derivatives(struct encoder *e, const struct batch *b, int k, float *dy)
{
    enum span v = after_time(e, k), from = after_end(e, k);
    size_t ld = (size_t)e->ld;
    const float *d = from == ALL ? e->d_rows : e->d_last;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        size_t rows = (size_t)rows_of(e, v, i), of = (size_t)rows_of(e, from, i);
        memset(dy, 0, sizeof(float) * (rows - of) * ld);
        memcpy(dy + (rows - of) * ld, d + begin_of(e, from, i) * ld, sizeof(float) * of * ld);
        if (e->s.cross != CROSS_NONE) spread_asset(e, i, k, dy);
        dy += rows * ld;
    }
}

/* From dLoss/do: dLoss/dq and dLoss/d(keys, values). */
static void attend_back(struct encoder *e, const struct batch *b, int k, const struct activations *t)
{
    const struct projection *p = &e->time;
    const float *q = t->q, *kv = t->kv, *o = t->o, *kept = t->e, *statistics = t->statistics;
    float *d_o = e->d_o, *dq = e->d_q, *dkv = e->d_kv;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        struct multihead m = sequence(e, k, i);
        multihead_backward(e->net.kernels, &m, q, kv, kv + p->dp, o, d_o, kept, statistics, dq, dkv, dkv + p->dp, false,
                           e->work);
        q += m.queries * m.q_row, o += m.queries * m.q_row, d_o += m.queries * m.q_row, dq += m.queries * m.q_row;
        kv += m.keys * m.k_row, dkv += m.keys * m.k_row;
        kept += multihead_kept(m.heads, m.queries, m.keys), statistics += multihead_statistics(m.heads, m.queries);
    }
}

/* Adds to the gradients of queries, keys and values and returns dLoss/dx. du [rows of span v] holds what bypassed the
 * attention through the residual. */
static float *inputs_back(struct encoder *e, const struct batch *b, enum span v, const float *asks, float *du)
{
    const struct kernels *k = e->net.kernels;
    struct projection *p = &e->time;
    int ld = e->ld, d = e->s.d_model, dp = p->dp, all = batch_rows(e, ALL, b), rows = batch_rows(e, v, b);
    float *dx = v == ALL ? du : e->v;
    k->product(d, dp, rows, asks, 1, ld, e->d_q, dp, p->dq, dp, true);
    k->product(d, 2 * dp, all, e->x, 1, ld, e->d_kv, 2 * dp, p->dkv, 2 * dp, true);
    k->column_sum(rows, dp, e->d_q, p->dbq);
    k->column_sum(all, 2 * dp, e->d_kv, p->dbkv);
    k->product(rows, ld, dp, e->d_q, dp, 1, p->q_transposed, ld, du, ld, true);
    k->product(all, ld, 2 * dp, e->d_kv, 2 * dp, 1, p->kv_transposed, ld, dx, ld, v == ALL);
    if (v == ALL) return dx;
    float *to = dx;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        int of = rows_of(e, ALL, i), late = rows_of(e, v, i);
        for (int c = 0; c < late * ld; c++) to[(of - late) * ld + c] += du[c];
        to += of * ld, du += late * ld;
    }
    return dx;
}

float *time_backward(struct encoder *e, int batch, int k)
{
    const struct network *n = &e->net;
    const struct kernels *kernels = n->kernels;
    const struct batch *b = &e->batch[ALL][batch];
    struct projection *p = &e->time;
    enum span v = after_time(e, k);
    int rows = batch_rows(e, v, b), ld = e->ld, d = e->s.d_model, all = batch_rows(e, ALL, b);
    float *asks = e->x, *g = n->gradient[b->shard], *du = e->u, *dv = e->u;
    size_t at = layer_row(e, k, v, b->asset);
    if (k)
        kernels->row_affine(all, ld, e->normalised_end + layer_row(e, k - 1, ALL, b->asset) * (size_t)ld,
                            norm_scale(e, k - 1, e->norms - 1), norm_shift(e, k - 1, e->norms - 1), e->x);
    else embed_forward(e, b, e->x);
    if (v != ALL) gather(e, b, v, e->x, asks = e->z);
    struct activations *t = activations_of(e, batch, k);
    if (t == &e->scratch) attend(e, b, k, e->x, asks, t);
    gather_derivatives(e, b, k, du);
    kernels->norm_back(rows, d, e->normalised_time + at * (size_t)ld, e->inverse_time + at, norm_scale(e, k, 0), du, du,
                       tensor_at(n, g, e->norm, k * e->norms), tensor_at(n, g, e->norm + 1, k * e->norms));
    if (e->dropped) {
        memcpy(dv = e->v, du, sizeof(float) * (size_t)rows * (size_t)ld);
        drop_rows(e, DROP_TIME + DROP_LAYER * k, v, b, d, dv);
    }
    kernels->product(p->dp, ld, rows, t->o, 1, p->dp, dv, ld, p->dout, ld, true);
    kernels->column_sum(rows, ld, dv, tensor_at(n, g, p->bias[3], k));
    kernels->product(rows, p->dp, d, dv, ld, 1, p->o_transposed, p->dp, e->d_o, p->dp, false);
    attend_back(e, b, k, t);
    return inputs_back(e, b, v, asks, du);
}

void end_transpose(struct encoder *e, int k)
{
    const struct network *n = &e->net;
    dense_transpose(e->s.d_model, e->s.feedforward, tensor_at(n, n->parameter, e->w1, k * e->s.d_model), e->w1_transposed);
    dense_transpose(e->s.feedforward, e->s.d_model, tensor_at(n, n->parameter, e->w2, k * e->s.feedforward),
                    e->w2_transposed);
}

/* dy [rows, ld]: dLoss/d(rows after the third norm), overwritten. Leaves the derivative of the rows after the first norm in d_rows (or
 * d_last), and of what attention between assets added in b.d_out. */
void end_backward(struct encoder *e, const struct batch *b, int batch, int k, float *dy)
{
    const struct network *n = &e->net;
    const struct kernels *kernels = n->kernels;
    enum span v = after_end(e, k);
    int rows = batch_rows(e, v, b), ld = e->ld, lf = e->lf, d = e->s.d_model, df = e->s.feedforward, last = e->norms - 1;
    float *g = n->gradient[b->shard], *x = before_end(e, b, k), *hidden = hidden_of(e, b, batch, k);
    float *to = (v == ALL ? e->d_rows : e->d_last) + begin_of(e, v, b->asset) * (size_t)ld;
    size_t at = layer_row(e, k, v, b->asset);
    if (hidden == e->scratch.hidden) hide(e, b, k, x, hidden);
    kernels->norm_back(rows, d, e->normalised_end + at * (size_t)ld, e->inverse_end + at, norm_scale(e, k, last), dy, dy,
                       tensor_at(n, g, e->norm, k * e->norms + last), tensor_at(n, g, e->norm + 1, k * e->norms + last));
    kernels->product(df, ld, rows, hidden, 1, lf, dy, ld, tensor_at(n, g, e->w2, k * df), ld, true);
    kernels->column_sum(rows, ld, dy, tensor_at(n, g, e->w2 + 1, k));
    kernels->product(rows, lf, d, dy, ld, 1, e->w2_transposed, lf, e->d_hidden, lf, false);
    kernels->relu_back(rows, lf, hidden, e->dropped ? network_drop_scale(n) : 1, e->d_hidden, tensor_at(n, g, e->w1 + 1, k));
    kernels->product(d, lf, rows, x, 1, ld, e->d_hidden, lf, tensor_at(n, g, e->w1, k * d), lf, true);
    kernels->product(rows, ld, df, e->d_hidden, lf, 1, e->w1_transposed, ld, dy, ld, true);
    if (e->s.cross == CROSS_NONE) {
        memmove(to, dy, sizeof(float) * (size_t)rows * (size_t)ld); /* it may be there already */
        return;
    }
    kernels->norm_back(rows, d, e->normalised, e->inverse, norm_scale(e, k, 1), dy, to,
                       tensor_at(n, g, e->norm, k * e->norms + 1), tensor_at(n, g, e->norm + 1, k * e->norms + 1));
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        float *d_out = e->b.d_out + (size_t)i * (size_t)ld;
        memset(d_out, 0, sizeof(float) * (size_t)ld);
        kernels->column_sum(rows_of(e, v, i), ld, to, d_out);
        to += rows_of(e, v, i) * ld;
    }
}
