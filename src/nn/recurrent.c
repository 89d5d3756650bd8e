/* Recurrent networks over each asset's rows in time order: x <- norm(x + h), h the states of a long short-term memory (Hochreiter and
 * Schmidhuber 1997) or of gated recurrent units (Cho et al. 2014), from h = c = 0 before an asset's first row.
 *   LSTM   i, f, o = s(x W + h U + b), g = tanh(..)     c <- f c + i g, h <- o tanh(c)
 *   GRU    r, z = s(x W + b + h U + b'), n = tanh(x W + b + r (h U + b'))     h <- (1 - z) n + z h
 * The rows of a batch are packed by their number in the asset's history: the first rows of all its assets, then the second ones of those
 * that have two, and so on, assets with more rows first. So the assets that go on are always the first of those before, and a step of all
 * of them is one product. The products with x take all rows at once. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linalg/dense.h"
#include "nn/layer.h"

enum { BLOCKS = 4, ASSETS = 12 }; /* of a row of gates, each padded(d) wide; that a batch should hold at least */

/* One step of m assets. Rows of gates are BLOCKS ld wide; of all others ld. before: what the cell remembers of the step before, NULL at
 * the first. The way back turns dh, dLoss/dh, and carry, what the step after hands back, into d_gates and the carry for the step before. */
struct step {
    const struct network *n;
    int m, ld;
    float *gates;
    const float *before;
    float *state, *bounded, *h;
    const float *dh;
    float *carry, *d_gates;
};

struct cell {
    const char *name;
    int gates;   /* blocks of x W */
    int joint;   /* blocks to which h U is added; what U has beyond goes to the last block by itself */
    int states;  /* rows that a step keeps besides gates and h */
    bool biased; /* h U + b' */
    void (*forward)(const struct step *);
    void (*backward)(const struct step *);
};

struct recurrent {
    struct layer layer;
    struct recurrent_shape s;
    const struct cell *cell;
    int input, hidden, input_bias, hidden_bias;  /* tensors; the last -1: none */
    float *input_transposed, *hidden_transposed; /* [gates ld, ld] */
    float *offset;                               /* [BLOCKS ld] the biases */
    int *active, *begin, *next; /* [L+1] of the batch: assets with more than s rows; the first row of step s; scratch */
    int *place;                 /* [assets of the batch] among those of a step */
};

static struct recurrent *of(struct layer *l)
{
    return (struct recurrent *)l;
}

/* ---- the cells ---- */

/* tanh, or 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2, of `columns` of m rows of x that lie `row` apart; tanh(x) = (1 - e) / (1 + e) with
 * e = exp(-2x), of the absolute value. */
static void squash(const struct step *t, int columns, bool logistic, float *x, int row)
{
    enum { SCRATCH = 9 };
    float *e = network_tile(t->n, SCRATCH), zero[TILE] __attribute__((aligned(64))) = {0},
          sum[TILE] __attribute__((aligned(64))) = {0};
    float twice = logistic ? -1.f : -2.f, size = logistic ? 0.5f : 1.f, middle = logistic ? 0.5f : 0.f;
    int count = t->m * columns;
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < columns; j++) e[i * columns + j] = twice * fabsf(x[i * row + j]);
    t->n->kernels->tile_exp(count / TILE, TILE, e, zero, sum);
    if (count % TILE) t->n->kernels->tile_exp(1, count % TILE, e + count / TILE * TILE, zero, sum);
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < columns; j++) {
            float u = e[i * columns + j];
            x[i * row + j] = middle + copysignf(size * (1 - u) / (1 + u), x[i * row + j]);
        }
}

/* Gates: i, f, g, o. States: c, tanh(c). */
static void lstm_forward(const struct step *t)
{
    int ld = t->ld, row = BLOCKS * ld;
    squash(t, 2 * ld, true, t->gates, row);
    squash(t, ld, false, t->gates + 2 * ld, row);
    squash(t, ld, true, t->gates + 3 * ld, row);
    for (int i = 0; i < t->m; i++) {
        const float *g = t->gates + i * row, *before = t->before ? t->before + i * ld : NULL;
        float *c = t->state + i * ld;
        for (int j = 0; j < ld; j++) c[j] = g[j] * g[2 * ld + j];
        for (int j = 0; before && j < ld; j++) c[j] += g[ld + j] * before[j];
    }
    memcpy(t->bounded, t->state, sizeof(float) * (size_t)(t->m * ld));
    squash(t, ld, false, t->bounded, ld);
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < ld; j++) t->h[i * ld + j] = t->gates[i * row + 3 * ld + j] * t->bounded[i * ld + j];
}

static void lstm_backward(const struct step *t)
{
    int ld = t->ld;
    for (int i = 0; i < t->m; i++) {
        const float *g = t->gates + i * BLOCKS * ld, *before = t->before ? t->before + i * ld : NULL,
                    *bounded = t->bounded + i * ld, *dh = t->dh + i * ld;
        float *d = t->d_gates + i * BLOCKS * ld, *carry = t->carry + i * ld;
        for (int j = 0; j < ld; j++) {
            float in = g[j], forget = g[ld + j], new = g[2 * ld + j], out = g[3 * ld + j];
            float dc = carry[j] + dh[j] * out * (1 - bounded[j] * bounded[j]);
            d[j] = dc * new *in *(1 - in);
            d[ld + j] = (before ? dc * before[j] : 0) * forget * (1 - forget);
            d[2 * ld + j] = dc * in * (1 - new *new);
            d[3 * ld + j] = dh[j] * bounded[j] * out * (1 - out);
            carry[j] = dc * forget;
        }
    }
}

/* Gates: r, z, n, and h U + b' of the third. What is remembered is h. */
static void gru_forward(const struct step *t)
{
    int ld = t->ld, row = BLOCKS * ld;
    squash(t, 2 * ld, true, t->gates, row);
    for (int i = 0; i < t->m; i++) {
        float *g = t->gates + i * row;
        for (int j = 0; j < ld; j++) g[2 * ld + j] += g[j] * g[3 * ld + j];
    }
    squash(t, ld, false, t->gates + 2 * ld, row);
    for (int i = 0; i < t->m; i++) {
        const float *g = t->gates + i * row, *before = t->before ? t->before + i * ld : NULL;
        float *h = t->h + i * ld;
        for (int j = 0; j < ld; j++) h[j] = (1 - g[ld + j]) * g[2 * ld + j];
        for (int j = 0; before && j < ld; j++) h[j] += g[ld + j] * before[j];
    }
}

static void gru_backward(const struct step *t)
{
    int ld = t->ld;
    for (int i = 0; i < t->m; i++) {
        const float *g = t->gates + i * BLOCKS * ld, *before = t->before ? t->before + i * ld : NULL, *dh = t->dh + i * ld;
        float *d = t->d_gates + i * BLOCKS * ld, *carry = t->carry + i * ld;
        for (int j = 0; j < ld; j++) {
            float reset = g[j], keep = g[ld + j], new = g[2 * ld + j], whole = dh[j] + carry[j];
            float dn = whole * (1 - keep) * (1 - new *new);
            d[j] = dn * g[3 * ld + j] * reset * (1 - reset);
            d[ld + j] = whole * ((before ? before[j] : 0) - new) * keep * (1 - keep);
            d[2 * ld + j] = dn;
            d[3 * ld + j] = dn * reset;
            carry[j] = whole * keep;
        }
    }
}

static const struct cell cells[] = {
    [RECURRENT_LSTM] = {"lstm", 4, 4, 2, false, lstm_forward, lstm_backward},
    [RECURRENT_GRU] = {"gru", 3, 2, 0, true, gru_forward, gru_backward},
};

/* ---- what the layer says of itself ---- */

static enum span takes(const struct layer *l, enum span gives)
{
    (void)l, (void)gives;
    return ALL;
}

static size_t keeps(const struct layer *l, size_t in, size_t out)
{
    const struct cell *c = ((const struct recurrent *)l)->cell;
    return (size_t)padded(l->out) * (in * (size_t)(BLOCKS + 1 + c->states) + out) + out;
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    (void)out;
    return assets * in * 4 * ((const struct recurrent *)l)->cell->gates * l->out * l->out;
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct recurrent *r = of(l);
    size_t ld = (size_t)padded(l->out), steps = (size_t)n->L + 1;
    MEMORY(w, r->input_transposed, (size_t)r->cell->gates * ld * ld, "transposed weights");
    MEMORY(w, r->hidden_transposed, (size_t)r->cell->gates * ld * ld, "transposed weights");
    MEMORY(w, r->offset, BLOCKS * ld, "biases");
    MEMORY(w, r->active, steps, "assets of steps");
    MEMORY(w, r->begin, steps, "rows of steps");
    MEMORY(w, r->next, steps, "assets of steps");
    MEMORY(w, r->place, network_batch(n), "assets of a batch");
}

static const float *weights_of(const struct recurrent *r, const struct network *n, int tensor)
{
    return weights(n, tensor, r->s.k * r->layer.out);
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    struct recurrent *r = of(l);
    int ld = padded(l->out), wide = r->cell->gates * ld, joint = r->cell->joint * ld;
    if (backward) {
        dense_transpose(l->out, wide, weights_of(r, n, r->input), r->input_transposed);
        dense_transpose(l->out, wide, weights_of(r, n, r->hidden), r->hidden_transposed);
        return;
    }
    memset(r->offset, 0, sizeof(float) * (size_t)(BLOCKS * ld));
    n->kernels->row_bias(1, wide, weights(n, r->input_bias, r->s.k), false, r->offset);
    if (r->hidden_bias < 0) return;
    n->kernels->row_bias(1, joint, weights(n, r->hidden_bias, r->s.k), false, r->offset);
    n->kernels->row_bias(1, ld, weights(n, r->hidden_bias, r->s.k) + joint, false, r->offset + wide);
}

/* ---- packed rows ---- */

static void plan(struct recurrent *r, const struct network *n, const struct batch *b)
{
    memset(r->active, 0, sizeof(int) * (size_t)(n->L + 1));
    for (int i = 0; i < b->assets; i++)
        for (int s = 0; s < rows_of(n, ALL, b->asset + i); s++) r->active[s]++;
    r->begin[0] = 0;
    for (int s = 0; s < n->L; s++) r->begin[s + 1] = r->begin[s] + r->active[s];
    memcpy(r->next, r->active, sizeof(int) * (size_t)(n->L + 1));
    for (int i = 0; i < b->assets; i++) r->place[i] = r->next[rows_of(n, ALL, b->asset + i)]++;
}

/* Rows of span v of a batch to their places, and back. */
static void pack(const struct recurrent *r, const struct network *n, const struct batch *b, enum span v, const float *x,
                 float *packed)
{
    size_t ld = (size_t)padded(r->layer.out), wide = sizeof(float) * ld;
    if (v != ALL) memset(packed, 0, wide * (size_t)batch_rows(n, ALL, b));
    for (int i = 0; i < b->assets; i++) {
        int rows = rows_of(n, ALL, b->asset + i);
        for (int s = rows - rows_of(n, v, b->asset + i); s < rows; s++, x += ld)
            memcpy(packed + (size_t)(r->begin[s] + r->place[i]) * ld, x, wide);
    }
}

static void unpack(const struct recurrent *r, const struct network *n, const struct batch *b, enum span v,
                   const float *packed, float *x)
{
    size_t ld = (size_t)padded(r->layer.out), wide = sizeof(float) * ld;
    for (int i = 0; i < b->assets; i++) {
        int rows = rows_of(n, ALL, b->asset + i);
        for (int s = rows - rows_of(n, v, b->asset + i); s < rows; s++, x += ld)
            memcpy(x, packed + (size_t)(r->begin[s] + r->place[i]) * ld, wide);
    }
}

/* What a batch keeps: packed, but for what the norm leaves. */
struct kept {
    float *gates, *state, *bounded, *h, *normalised, *inverse;
};

static struct kept kept_of(const struct recurrent *r, const struct pass *p)
{
    size_t ld = (size_t)padded(r->layer.out), rows = (size_t)p->in * ld, states = r->cell->states ? rows : 0;
    struct kept t = {.gates = p->kept};
    t.state = t.gates + BLOCKS * rows;
    t.bounded = t.state + states;
    t.h = t.bounded + states;
    t.normalised = t.h + rows;
    t.inverse = t.normalised + (size_t)p->out * ld;
    return t;
}

static struct step step_of(const struct recurrent *r, const struct network *n, const struct kept *t, int s)
{
    int ld = padded(r->layer.out);
    ptrdiff_t at = r->begin[s] * ld;
    const float *memory = r->cell->states ? t->state : t->h;
    return (struct step){.n = n,
                         .m = r->active[s],
                         .ld = ld,
                         .gates = t->gates + BLOCKS * at,
                         .before = s ? memory + r->begin[s - 1] * ld : NULL,
                         .state = t->state + at,
                         .bounded = t->bounded + at,
                         .h = t->h + at};
}

/* ---- forward ---- */

/* All states of a batch from its packed rows. */
static void run(const struct recurrent *r, const struct network *n, int rows, const float *x, const struct kept *t)
{
    const struct kernels *k = n->kernels;
    int d = r->layer.out, ld = padded(d), wide = r->cell->gates * ld, joint = r->cell->joint * ld, all = BLOCKS * ld;
    const float *u = weights_of(r, n, r->hidden);
    k->product(rows, wide, d, x, ld, 1, weights_of(r, n, r->input), wide, t->gates, all, false);
    for (int i = 0; wide < all && i < rows; i++) memset(t->gates + i * all + wide, 0, sizeof(float) * (size_t)(all - wide));
    k->row_bias(rows, all, r->offset, false, t->gates);
    for (int s = 0; s < n->L && r->active[s]; s++) {
        struct step now = step_of(r, n, t, s);
        const float *h = s ? t->h + r->begin[s - 1] * ld : NULL;
        if (h) k->product(now.m, joint, d, h, ld, 1, u, wide, now.gates, all, true);
        if (h && joint < wide) k->product(now.m, ld, d, h, ld, 1, u + joint, wide, now.gates + wide, all, true);
        r->cell->forward(&now);
    }
}

/* The rows that h is added to: those wanted of the input. */
static const float *wanted(const struct recurrent *r, const struct network *n, const struct pass *p, float *tile)
{
    if (r->layer.gives == ALL) return p->x;
    rows_narrow(n, p->batch, ALL, r->layer.gives, padded(r->layer.in), p->x, tile);
    return tile;
}

static void forward(struct layer *l, const struct network *n, const struct pass *p)
{
    struct recurrent *r = of(l);
    struct kept t = kept_of(r, p);
    float *packed = network_tile(n, 3), *h = network_tile(n, 4);
    plan(r, n, p->batch);
    pack(r, n, p->batch, ALL, p->x, packed);
    run(r, n, p->in, packed, &t);
    unpack(r, n, p->batch, l->gives, t.h, h);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, h);
    n->kernels->norm(p->out, l->out, wanted(r, n, p, packed), h, padded(l->out),
                     norm_scale(n, n->parameter, r->s.k, r->s.norm), norm_shift(n, n->parameter, r->s.k, r->s.norm),
                     t.normalised, t.inverse, p->y);
}

/* ---- backward ---- */

/* Derivatives of all gates of a batch from those of its states, which are overwritten. */
static void run_back(const struct recurrent *r, const struct network *n, const struct kept *t, float *dh, float *d_gates)
{
    const struct kernels *k = n->kernels;
    int ld = padded(r->layer.out), wide = r->cell->gates * ld, joint = r->cell->joint * ld, all = BLOCKS * ld, s = n->L - 1;
    float *carry = network_tile(n, 7);
    memset(carry, 0, sizeof(float) * (size_t)(r->active[0] * ld));
    while (!r->active[s]) s--;
    for (; s >= 0; s--) {
        struct step now = step_of(r, n, t, s);
        now.dh = dh + r->begin[s] * ld, now.carry = carry, now.d_gates = d_gates + r->begin[s] * all;
        r->cell->backward(&now);
        if (!s) break;
        float *before = dh + r->begin[s - 1] * ld;
        k->product(now.m, ld, joint, now.d_gates, all, 1, r->hidden_transposed, ld, before, ld, true);
        if (joint < wide)
            k->product(now.m, ld, ld, now.d_gates + wide, all, 1, r->hidden_transposed + joint * ld, ld, before, ld, true);
    }
}

/* Adds to the gradients of the tensors. */
static void learn(const struct recurrent *r, const struct network *n, const struct pass *p, const struct kept *t,
                  const float *x, const float *d_gates)
{
    const struct kernels *k = n->kernels;
    int d = r->layer.out, ld = padded(d), wide = r->cell->gates * ld, joint = r->cell->joint * ld, all = BLOCKS * ld;
    int later = p->in - r->active[0]; /* rows that have one before them, of which these are the states */
    float *before = network_tile(n, 6), *du = tensor_at(n, p->gradient, r->hidden, r->s.k * d), *sum = network_tile(n, 9);
    for (int s = 1; s < n->L && r->active[s]; s++)
        memcpy(before + (r->begin[s] - r->begin[1]) * ld, t->h + r->begin[s - 1] * ld,
               sizeof(float) * (size_t)(r->active[s] * ld));
    const float *after = d_gates + r->active[0] * all;
    k->product(d, wide, p->in, x, 1, ld, d_gates, all, tensor_at(n, p->gradient, r->input, r->s.k * d), wide, true);
    if (later) k->product(d, joint, later, before, 1, ld, after, all, du, wide, true);
    if (later && joint < wide) k->product(d, ld, later, before, 1, ld, after + wide, all, du + joint, wide, true);
    memset(sum, 0, sizeof(float) * (size_t)all);
    k->column_sum(p->in, all, d_gates, sum);
    k->row_bias(1, wide, sum, false, tensor_at(n, p->gradient, r->input_bias, r->s.k));
    if (r->hidden_bias < 0) return;
    k->row_bias(1, joint, sum, false, tensor_at(n, p->gradient, r->hidden_bias, r->s.k));
    k->row_bias(1, ld, sum + wide, false, tensor_at(n, p->gradient, r->hidden_bias, r->s.k) + joint);
}

static void backward(struct layer *l, const struct network *n, const struct pass *p)
{
    struct recurrent *r = of(l);
    int ld = padded(l->out), wide = r->cell->gates * ld;
    struct kept t = kept_of(r, p);
    float *x = network_tile(n, 3), *d_gates = network_tile(n, 4), *dh = network_tile(n, 5), *dx = network_tile(n, 8),
          *g = p->gradient;
    plan(r, n, p->batch);
    n->kernels->norm_back(p->out, l->out, t.normalised, t.inverse, norm_scale(n, n->parameter, r->s.k, r->s.norm), p->dy,
                          p->dy, norm_scale(n, g, r->s.k, r->s.norm), norm_shift(n, g, r->s.k, r->s.norm));
    pack(r, n, p->batch, l->gives, p->dy, dx);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, p->dy);
    pack(r, n, p->batch, l->gives, p->dy, dh);
    run_back(r, n, &t, dh, d_gates);
    pack(r, n, p->batch, ALL, p->x, x);
    learn(r, n, p, &t, x, d_gates);
    n->kernels->product(p->in, ld, wide, d_gates, BLOCKS * ld, 1, r->input_transposed, ld, dx, ld, true);
    unpack(r, n, p->batch, ALL, dx, p->dx);
}

static int add(struct network *n, const struct cell *c, const char *part, struct tensor t)
{
    snprintf(t.name, sizeof t.name, "%s_%s", c->name, part);
    return network_add(n, t);
}

void layer_recurrent(struct network *n, struct recurrent_shape s)
{
    static const struct layer_class class = {.name = "recurrent",
                                             .takes = takes,
                                             .keeps = keeps,
                                             .flops = flops,
                                             .memory = memory,
                                             .prepare = prepare,
                                             .forward = forward,
                                             .backward = backward};
    const struct cell *c = &cells[s.cell];
    int d = n->layer[n->layers - 1]->out, K = s.of, wide = c->gates * d;
    struct recurrent *r = network_append(
        n, sizeof *r,
        (struct layer){
            .class = &class, .in = d, .out = d, .wide = BLOCKS * padded(d), .assets = ASSETS, .stream = s.stream});
    struct tensor matrix = {.rank = 3,
                            .size = {K, d, wide},
                            .rows = K * d,
                            .columns = wide,
                            .block = d,
                            .deviation = 1 / sqrt(d)},
                  bias = {.rank = 2, .size = {K, wide}, .rows = K, .columns = wide, .block = d};
    r->s = s, r->cell = c;
    r->input = add(n, c, "input", matrix);
    r->hidden = add(n, c, "hidden", matrix);
    r->input_bias = add(n, c, "input_bias", bias);
    r->hidden_bias = c->biased ? add(n, c, "hidden_bias", bias) : -1;
}
