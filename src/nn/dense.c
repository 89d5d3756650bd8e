/* Dense layers: y = relu?(x W + b), and the one column that ends a network of one output. */
#include <math.h>

#include "linalg/dense.h"
#include "nn/layer.h"

struct dense {
    struct layer layer;
    int weight, bias; /* tensors; bias < 0: none */
    bool relu;
    float *transposed; /* [out, padded(in)] */
};

static struct dense *of(struct layer *l)
{
    return (struct dense *)l;
}

static void memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    (void)n;
    MEMORY(w, of(l)->transposed, l->first ? 0 : (size_t)l->out * (size_t)padded(l->in), "transposed weights");
}

static void prepare(struct layer *l, const struct network *n, bool backward)
{
    if (backward && !l->first) dense_transpose(l->in, l->out, weights(n, of(l)->weight, 0), of(l)->transposed);
}

static double flops(const struct layer *l, double assets, double in, double out)
{
    (void)in;
    return 2 * assets * out * l->in * l->out;
}

static void forward(struct layer *l, const struct network *n, const struct pass *p)
{
    dense_forward(n->kernels, p->out, l->in, l->out, p->x, weights(n, of(l)->weight, 0), weights(n, of(l)->bias, 0),
                  (struct dense_how){.relu = of(l)->relu}, p->y);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, p->y);
}

static void backward(struct layer *l, const struct network *n, const struct pass *p)
{
    const struct dense *d = of(l);
    if (d->relu) relu_backward((size_t)p->out * (size_t)padded(l->out), p->y, l->stream < 0 ? 1 : drop_scale(n), p->dy);
    dense_gradient(n->kernels, p->out, l->in, l->out, p->x, p->dy, tensor_at(n, p->gradient, d->weight, 0),
                   tensor_at(n, p->gradient, d->bias, 0));
    if (p->dx) dense_backward(n->kernels, p->out, l->in, l->out, d->transposed, p->dy, false, p->dx);
}

void layer_dense(struct network *n, const char *weight, const char *bias, int out, bool relu, int stream)
{
    static const struct layer_class class = {
        .name = "dense", .flops = flops, .memory = memory, .prepare = prepare, .forward = forward, .backward = backward};
    struct dense *d = network_append(n, sizeof *d, (struct layer){.class = &class, .out = out, .stream = stream});
    int in = d->layer.in;
    d->relu = relu;
    d->weight = network_matrix(n, weight, 0, in, out, 1 / sqrt(in));
    d->bias = network_vector(n, bias, 0, out);
}

/* ---- one column ---- */

static void column_forward(struct layer *l, const struct network *n, const struct pass *p)
{
    float y[TILE];
    for (int at = 0, rows; at < p->out; at += rows) {
        rows = p->out - at < TILE ? p->out - at : TILE;
        dense_column_forward(rows, l->in, p->x + (size_t)at * (size_t)padded(l->in), weights(n, of(l)->weight, 0), y);
        for (int i = 0; i < rows; i++) p->y[(at + i) * PAD] = of(l)->bias < 0 ? y[i] : y[i] + weights(n, of(l)->bias, 0)[0];
    }
}

static void column_backward(struct layer *l, const struct network *n, const struct pass *p)
{
    float dy[TILE];
    size_t ld = (size_t)padded(l->in);
    for (int at = 0, rows; at < p->out; at += rows) {
        rows = p->out - at < TILE ? p->out - at : TILE;
        for (int i = 0; i < rows; i++) dy[i] = p->dy[(at + i) * PAD];
        dense_column_backward(rows, l->in, p->x + (size_t)at * ld, weights(n, of(l)->weight, 0), dy, p->dx + (size_t)at * ld,
                              tensor_at(n, p->gradient, of(l)->weight, 0));
        for (int i = 0; of(l)->bias >= 0 && i < rows; i++) tensor_at(n, p->gradient, of(l)->bias, 0)[0] += dy[i];
    }
}

void layer_column(struct network *n, const char *weight, const char *bias)
{
    static const struct layer_class class = {
        .name = "column", .flops = flops, .forward = column_forward, .backward = column_backward};
    struct dense *d = network_append(n, sizeof *d, (struct layer){.class = &class, .out = 1, .stream = -1});
    int in = d->layer.in;
    d->weight = network_vector(n, weight, 0, in);
    n->tensor[d->weight].deviation = 1 / sqrt(in);
    if (bias) n->tensor[d->weight].rank = 2, n->tensor[d->weight].size[1] = 1;
    d->bias = bias ? network_vector(n, bias, 0, 1) : -1;
}
