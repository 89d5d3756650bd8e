/* The multi-layer perceptron: every asset by itself, relu between layers, one output.                              (9) */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/dense.h"
#include "models/network.h"

struct mlp {
    struct network net; /* tensors: weight_0, bias_0, ..., the last a column and a number */
    int layers, *width; /* hidden layers; width[0] = D, width[l] after layer l */
    float **layer;      /* [layers+1][n, padded(width)]: inputs, then what each hidden layer gives */
    float **back;       /* [layers+1] derivatives of the same */
    float *transposed;  /* the largest weight matrix, transposed */
};

static struct mlp *of(struct network *n)
{
    return (struct mlp *)n;
}

double mlp_flops(int D, int layers, const int *hidden, double N)
{
    double f = 0, in = D;
    for (int l = 0; l < layers; in = hidden[l++]) f += 2 * in * hidden[l];
    return N * (f + 2 * in);
}

static void bind(struct network *n)
{
    struct mlp *m = of(n);
    size_t rows = (size_t)most_rows(n, n->own), transposed = 0;
    for (int l = 0; l <= m->layers; l++) {
        size_t ld = (size_t)padded(m->width[l]);
        m->layer[l] = memory_array(float, rows *ld, "activations");
        m->back[l] = memory_array(float, l ? rows *ld : 0, "derivatives of activations");
        if (l && ld * (size_t)padded(m->width[l - 1]) > transposed) transposed = ld * (size_t)padded(m->width[l - 1]);
    }
    m->transposed = memory_array(float, transposed, "transposed weights");
}

static void unbind(struct network *n)
{
    struct mlp *m = of(n);
    for (int l = 0; l <= m->layers; l++) memory_free(m->layer[l]), memory_free(m->back[l]);
    memory_free(m->transposed);
}

/* Rows of shard s: how many, and where they begin among this rank's. */
static int shard_rows(const struct network *n, int N, int s, int *at)
{
    int from = shard_row(n, N, n->first + s);
    *at = from - own_first_row(n, N);
    return shard_row(n, N, n->first + s + 1) - from;
}

static void forward(struct network *n, const struct period *p, bool training, float *w)
{
    struct mlp *m = of(n);
    int D = n->D, at, row0 = own_first_row(n, p->n);
    rows_pad(own_rows(n, p->n), D, p->characteristics + (size_t)row0 * (size_t)D, m->layer[0]);
    for (int s = 0; s < n->own; s++) {
        int rows = shard_rows(n, p->n, s, &at);
        for (int l = 0; l < m->layers; l++) {
            int in = m->width[l], out = m->width[l + 1];
            float *y = m->layer[l + 1] + (size_t)at * (size_t)padded(out);
            dense_forward(n->kernels, rows, in, out, m->layer[l] + (size_t)at * (size_t)padded(in),
                          tensor_at(n, n->parameter, 2 * l, 0), tensor_at(n, n->parameter, 2 * l + 1, 0),
                          (struct dense_how){.relu = true}, y);
            if (training && n->dropout > 0) network_drop(n, l, row0 + at, rows, out, y);
        }
        int last = m->width[m->layers];
        dense_column_forward(rows, last, m->layer[m->layers] + (size_t)at * (size_t)padded(last),
                             tensor_at(n, n->parameter, 2 * m->layers, 0), w + at);
        for (int i = 0; i < rows; i++) w[at + i] += tensor_at(n, n->parameter, 2 * m->layers + 1, 0)[0];
    }
}

static void backward(struct network *n, const struct period *p, const float *dw)
{
    struct mlp *m = of(n);
    int at, L = m->layers, last = m->width[L];
    for (int s = 0; s < n->own; s++) {
        int rows = shard_rows(n, p->n, s, &at);
        float *gradient = n->gradient[s];
        size_t skip = (size_t)at * (size_t)padded(last);
        dense_column_backward(rows, last, m->layer[L] + skip, tensor_at(n, n->parameter, 2 * L, 0), dw + at,
                              m->back[L] + skip, tensor_at(n, gradient, 2 * L, 0));
        for (int i = 0; i < rows; i++) tensor_at(n, gradient, 2 * L + 1, 0)[0] += dw[at + i];
    }
    for (int l = L - 1; l >= 0; l--) {
        int in = m->width[l], out = m->width[l + 1];
        if (l) dense_transpose(in, out, tensor_at(n, n->parameter, 2 * l, 0), m->transposed);
        for (int s = 0; s < n->own; s++) {
            int rows = shard_rows(n, p->n, s, &at);
            size_t lo = (size_t)padded(out), li = (size_t)padded(in);
            float *dy = m->back[l + 1] + (size_t)at * lo;
            relu_backward((size_t)rows * lo, m->layer[l + 1] + (size_t)at * lo, n->dropout > 0 ? network_drop_scale(n) : 1,
                          dy);
            dense_gradient(n->kernels, rows, in, out, m->layer[l] + (size_t)at * li, dy,
                           tensor_at(n, n->gradient[s], 2 * l, 0), tensor_at(n, n->gradient[s], 2 * l + 1, 0));
            if (l) dense_backward(n->kernels, rows, in, out, m->transposed, dy, false, m->back[l] + (size_t)at * li);
        }
    }
}

static void destroy(struct network *n)
{
    struct mlp *m = of(n);
    memory_free(m->width);
    memory_free(m->layer);
    memory_free(m->back);
    memory_free(m);
}

struct network *mlp_network(int D, int max_assets, int shards, int layers, const int *hidden)
{
    static const struct network_class class = {bind, unbind, forward, backward, destroy};
    struct mlp *m = memory_array(struct mlp, 1, "mlp");
    m->net = (struct network){.class = &class, .D = D, .max_assets = max_assets, .shards = shards, .outputs = 1};
    m->net.tensor = memory_array(struct tensor, 2 * layers + 2, "tensors");
    m->layers = layers;
    m->width = memory_array(int, layers + 1, "layers");
    m->layer = memory_array(float *, layers + 1, "layers");
    m->back = memory_array(float *, layers + 1, "layers");
    m->width[0] = D;
    for (int l = 0; l <= layers; l++) {
        int in = m->width[l], out = l < layers ? hidden[l] : 1;
        char name[32];
        if (l < layers) m->width[l + 1] = out;
        snprintf(name, sizeof name, "weight_%d", l);
        network_add(&m->net, name, 2, (int[]){in, out}, l < layers ? in : 1, l < layers ? out : in, 1 / sqrt(in));
        snprintf(name, sizeof name, "bias_%d", l);
        network_add(&m->net, name, 1, (int[]){out}, 1, out, 0);
    }
    network_finish(&m->net);
    return &m->net;
}
