/* The feed-forward part of a transformer's layer: y = x + relu(x W1 + b1) W2 + b2, with or without a layer norm behind it. */
#include <string.h>

#include "linalg/dense.h"
#include "nn/layer.h"

struct feed_forward {
    struct layer layer;
    struct feed_forward_shape s;
    int w1, b1, w2, b2;
    float *w1_transposed, *w2_transposed; /* [hidden, padded(d)], [d, padded(hidden)] */
};

static struct feed_forward *of(struct layer *l)
{
    return (struct feed_forward *)l;
}

static size_t keeps(const struct layer *l, size_t in, size_t out)
{
    const struct feed_forward *f = (const struct feed_forward *)l;
    (void)in;
    return out * (size_t)padded(f->s.hidden) + (f->s.norm < 0 ? 0 : out * (size_t)padded(l->out) + out);
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct feed_forward *f = of(l);
    (void)n;
    MEMORY(w, f->w1_transposed, (size_t)f->s.hidden * (size_t)padded(l->in), "transposed weights");
    MEMORY(w, f->w2_transposed, (size_t)l->out * (size_t)padded(f->s.hidden), "transposed weights");
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    struct feed_forward *f = of(l);
    if (!backward) return;
    dense_transpose(l->in, f->s.hidden, weights(n, f->w1, f->s.k * l->in), f->w1_transposed);
    dense_transpose(f->s.hidden, l->out, weights(n, f->w2, f->s.k * f->s.hidden), f->w2_transposed);
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    (void)in;
    return 4 * assets * out * l->in * ((const struct feed_forward *)l)->s.hidden;
}

/* What a batch keeps: hidden units, normalised rows, 1/deviations. */
static float *normalised_of(const struct feed_forward *f, const struct pass *p)
{
    return p->kept + (size_t)p->out * (size_t)padded(f->s.hidden);
}
static float *inverse_of(const struct feed_forward *f, const struct pass *p)
{
    return normalised_of(f, p) + (size_t)p->out * (size_t)padded(f->layer.out);
}

static void forward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct feed_forward *f = of(l);
    const struct kernels *k = n->kernels;
    int d = l->out, ld = padded(d), lf = padded(f->s.hidden), rows = p->out;
    float *hidden = p->kept, *u = f->s.norm < 0 ? p->y : network_tile(n, 3);
    k->product(rows, lf, d, p->x, ld, 1, weights(n, f->w1, f->s.k * d), lf, hidden, lf, false);
    k->row_bias(rows, lf, weights(n, f->b1, f->s.k), true, hidden);
    drop_rows(n, l->stream, l->gives, p->batch, f->s.hidden, hidden);
    bool add = f->s.norm < 0 && f->s.residual;
    if (add) memcpy(u, p->x, sizeof(float) * (size_t)rows * (size_t)ld);
    k->product(rows, ld, f->s.hidden, hidden, lf, 1, weights(n, f->w2, f->s.k * f->s.hidden), ld, u, ld, add);
    k->row_bias(rows, ld, weights(n, f->b2, f->s.k), false, u);
    if (f->s.norm < 0) return;
    k->norm(rows, d, f->s.residual ? p->x : u, f->s.residual ? u : NULL, ld, norm_scale(n, n->parameter, f->s.k, f->s.norm),
            norm_shift(n, n->parameter, f->s.k, f->s.norm), normalised_of(f, p), inverse_of(f, p), p->y);
}

static void backward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct feed_forward *f = of(l);
    const struct kernels *k = n->kernels;
    int d = l->out, ld = padded(d), df = f->s.hidden, lf = padded(df), rows = p->out;
    float *hidden = p->kept, *d_hidden = network_tile(n, 3), *dy = p->dy, *g = p->gradient;
    if (f->s.norm >= 0)
        k->norm_back(rows, d, normalised_of(f, p), inverse_of(f, p), norm_scale(n, n->parameter, f->s.k, f->s.norm), dy, dy,
                     norm_scale(n, g, f->s.k, f->s.norm), norm_shift(n, g, f->s.k, f->s.norm));
    k->product(df, ld, rows, hidden, 1, lf, dy, ld, tensor_at(n, g, f->w2, f->s.k * df), ld, true);
    k->column_sum(rows, ld, dy, tensor_at(n, g, f->b2, f->s.k));
    k->product(rows, lf, d, dy, ld, 1, f->w2_transposed, lf, d_hidden, lf, false);
    k->relu_back(rows, lf, hidden, drop_scale(n), d_hidden, tensor_at(n, g, f->b1, f->s.k));
    k->product(d, lf, rows, p->x, 1, ld, d_hidden, lf, tensor_at(n, g, f->w1, f->s.k * d), lf, true);
    if (!p->dx) return;
    if (f->s.residual) memcpy(p->dx, dy, sizeof(float) * (size_t)rows * (size_t)ld);
    k->product(rows, ld, df, d_hidden, lf, 1, f->w1_transposed, ld, p->dx, ld, f->s.residual);
}

void layer_feed_forward(struct network *n, struct feed_forward_shape s)
{
    static const struct layer_class class = {.name = "feed_forward",
                                             .keeps = keeps,
                                             .flops = flops,
                                             .memory = memory,
                                             .prepare = prepare,
                                             .forward = forward,
                                             .backward = backward};
    int d = n->layer[n->layers - 1]->out, h = s.hidden, K = s.of;
    struct feed_forward *f =
        network_append(n, sizeof *f, (struct layer){.class = &class, .in = d, .out = d, .wide = h, .stream = s.stream});
    f->s = s;
    f->w1 = network_matrix(n, "W1", K, d, h, s.deviation[0]);
    f->b1 = network_vector(n, "b1", K, h);
    f->w2 = network_matrix(n, "W2", K, h, d, s.deviation[1]);
    f->b2 = network_vector(n, "b2", K, d);
}
