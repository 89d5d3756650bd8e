/* Multi-head self-attention within each asset, over its steps: x <- norm(x + MHA(x, x, x)) (Vaswani et al. 2017), where only the rows
 * that are wanted ask. */
#include <string.h>

#include "linalg/multihead.h"
#include "projection.h"

struct self_attention {
    struct layer layer;
    struct self_attention_shape s;
    struct projection p;
};

static struct self_attention *of(struct layer *l)
{
    return (struct self_attention *)l;
}

static enum span takes(const struct layer *l, enum span gives)
{
    (void)l, (void)gives;
    return ALL;
}

static size_t keeps(const struct layer *l, size_t in, size_t out)
{
    const struct projection *p = &((const struct self_attention *)l)->p;
    return (size_t)p->dp * (2 * out + 2 * in) + (size_t)padded(l->out) * out + out +
           multihead_kept(p->heads, (int)out, (int)in) + multihead_statistics(p->heads, (int)out);
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    double d = l->out;
    return assets * (4 * d * d * (in + out) + 4 * in * out * d);
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    (void)n;
    projection_memory(&of(l)->p, w);
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    projection_prepare(n, &of(l)->p, backward);
}

/* What a batch keeps. Exponentials and statistics of its assets follow each other. */
struct kept {
    float *q, *o, *key, *value, *normalised, *e, *statistics, *inverse;
};

static struct kept kept_of(const struct self_attention *a, const struct network *n, const struct pass *p)
{
    size_t dp = (size_t)a->p.dp, in = (size_t)p->in, out = (size_t)p->out, e = 0, statistics = 0;
    for (int i = p->batch->asset; i < p->batch->asset + p->batch->assets; i++) {
        int asks = rows_of(n, a->layer.gives, i);
        e += multihead_kept(a->p.heads, asks, rows_of(n, ALL, i));
        statistics += multihead_statistics(a->p.heads, asks);
    }
    struct kept t = {.q = p->kept};
    t.o = t.q + out * dp;
    t.key = t.o + out * dp;
    t.value = t.key + in * dp;
    t.normalised = t.value + in * dp;
    t.e = t.normalised + out * (size_t)padded(a->layer.out);
    t.statistics = t.e + e;
    t.inverse = t.statistics + statistics;
    return t;
}

static struct multihead sequence(const struct self_attention *a, const struct network *n, int asset)
{
    return (struct multihead){.heads = a->p.heads,
                              .width = a->p.width,
                              .queries = rows_of(n, a->layer.gives, asset),
                              .keys = rows_of(n, ALL, asset),
                              .q_row = a->p.dp,
                              .k_row = a->p.dp,
                              .causal = a->s.causal,
                              .self = -1};
}

/* The rows that ask: those wanted of the input. */
static const float *asking(const struct self_attention *a, const struct network *n, const struct pass *p)
{
    if (a->layer.gives == ALL) return p->x;
    rows_narrow(n, p->batch, ALL, a->layer.gives, padded(a->layer.in), p->x, network_tile(n, 3));
    return network_tile(n, 3);
}

static void forward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct self_attention *a = of(l);
    size_t ld = (size_t)padded(l->in), dp = (size_t)a->p.dp;
    const float *asks = asking(a, n, p);
    struct kept t = kept_of(a, n, p);
    project(n, &a->p, QUERY, p->out, asks, ld, t.q, dp);
    project(n, &a->p, KEY, p->in, p->x, ld, t.key, dp);
    project(n, &a->p, VALUE, p->in, p->x, ld, t.value, dp);
    float *q = t.q, *key = t.key, *value = t.value, *o = t.o, *e = t.e, *statistics = t.statistics, *y = network_tile(n, 4);
    for (int i = p->batch->asset; i < p->batch->asset + p->batch->assets; i++) {
        struct multihead m = sequence(a, n, i);
        multihead_forward(n->kernels, &m, q, key, value, o, e, statistics, network_attention_work(n));
        q += m.queries * m.q_row, o += m.queries * m.q_row, key += m.keys * m.k_row, value += m.keys * m.k_row;
        e += multihead_kept(m.heads, m.queries, m.keys), statistics += multihead_statistics(m.heads, m.queries);
    }
    project(n, &a->p, OUTPUT, p->out, t.o, dp, y, ld);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, y);
    n->kernels->norm(p->out, l->out, asks, y, (ptrdiff_t)ld, norm_scale(n, n->parameter, a->s.k, a->s.norm),
                     norm_shift(n, n->parameter, a->s.k, a->s.norm), t.normalised, t.inverse, p->y);
}

/* Derivatives of queries, keys and values from those of the contexts. */
struct derivatives {
    float *o, *q, *key, *value;
};

static void attend_back(const struct self_attention *a, const struct network *n, const struct batch *b, struct kept t,
                        struct derivatives d)
{
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        struct multihead m = sequence(a, n, i);
        multihead_backward(n->kernels, &m, t.q, t.key, t.value, t.o, d.o, t.e, t.statistics, d.q, d.key, d.value, false,
                           network_attention_work(n));
        ptrdiff_t asked = m.queries * m.q_row, keys = m.keys * m.k_row;
        t.q += asked, t.o += asked, d.o += asked, d.q += asked;
        t.key += keys, t.value += keys, d.key += keys, d.value += keys;
        t.e += multihead_kept(m.heads, m.queries, m.keys), t.statistics += multihead_statistics(m.heads, m.queries);
    }
}

static void backward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct self_attention *a = of(l);
    size_t ld = (size_t)padded(l->in), dp = (size_t)a->p.dp, rows = sizeof(float) * (size_t)p->out * ld;
    const float *asks = asking(a, n, p);
    struct kept t = kept_of(a, n, p);
    struct derivatives d = {network_tile(n, 5), network_tile(n, 6), network_tile(n, 7), network_tile(n, 8)};
    float *du = p->dy, *dv = network_tile(n, 4), *g = p->gradient;
    n->kernels->norm_back(p->out, l->out, t.normalised, t.inverse, norm_scale(n, n->parameter, a->s.k, a->s.norm), du, du,
                          norm_scale(n, g, a->s.k, a->s.norm), norm_shift(n, g, a->s.k, a->s.norm));
    memcpy(dv, du, rows);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, dv);
    project_back(n, &a->p, OUTPUT, g, p->out, t.o, dp, dv, ld, d.o, false);
    attend_back(a, n, p->batch, t, d);
    project_back(n, &a->p, QUERY, g, p->out, asks, ld, d.q, dp, du, true);
    if (l->gives == ALL) memcpy(p->dx, du, rows);
    else rows_widen(n, p->batch, l->gives, ALL, (int)ld, du, p->dx);
    project_back(n, &a->p, KEY, g, p->in, p->x, ld, d.key, dp, p->dx, true);
    project_back(n, &a->p, VALUE, g, p->in, p->x, ld, d.value, dp, p->dx, true);
}

void layer_self_attention(struct network *n, struct self_attention_shape s)
{
    static const struct layer_class class = {.name = "self_attention",
                                             .takes = takes,
                                             .keeps = keeps,
                                             .flops = flops,
                                             .memory = memory,
                                             .prepare = prepare,
                                             .forward = forward,
                                             .backward = backward};
    int d = n->layer[n->layers - 1]->out;
    struct self_attention *a =
        network_append(n, sizeof *a, (struct layer){.class = &class, .in = d, .out = d, .stream = s.stream});
    a->s = s;
    projection_create(n, &a->p, "time", s.k, s.of, d, s.heads);
    a->layer.wide = a->p.dp;
}
