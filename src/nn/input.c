/* What goes into a network: the characteristics of a period, or of an asset's last steps, embedded. */
#include <math.h>
#include <string.h>

#include "linalg/dense.h"
#include "nn/layer.h"

/* ---- the period's characteristics as they are ---- */

static void input_forward(struct layer *l, const struct network *n, const struct pass *p)
{
    size_t first = (size_t)(n->rows.first + p->batch->asset);
    rows_pad(p->out, l->out, n->rows.period->characteristics + first * (size_t)l->out, p->y);
}

void layer_input(struct network *n)
{
    static const struct layer_class class = {.name = "input", .forward = input_forward};
    network_append(n, sizeof(struct layer), (struct layer){.class = &class, .out = n->D, .stream = -1});
}

/* ---- embedding ---- */

struct embedding {
    struct layer layer;
    int D, L, kernel, weight, bias;
    float *position, *offset; /* [L, ld] positions; with the bias */
};

static struct embedding *of(struct layer *l)
{
    return (struct embedding *)l;
}

/* Sinusoidal positions (Vaswani et al. 2017): sin(l / 10000^(2i/d)), cos of the same in the odd columns. */
static void positions(const struct embedding *e, float *out)
{
    int d = e->layer.out;
    for (int l = 0; l < e->L; l++)
        for (int c = 0; c < d; c++) {
            double angle = l / pow(10000, (double)(c - c % 2) / d);
            out[l * padded(d) + c] = (float)(c % 2 ? cos(angle) : sin(angle));
        }
}

static void embedding_memory(struct layer *l, const struct network *n, struct memory_layout *w)
{
    struct embedding *e = of(l);
    size_t floats = (size_t)n->L * (size_t)padded(l->out);
    MEMORY(w, e->position, floats, "positions");
    MEMORY(w, e->offset, floats, "positions");
    if (w->way == MEMORY_TAKE) positions(e, e->position);
}

static void embedding_prepare(struct layer *l, const struct network *n, bool backward)
{
    struct embedding *e = of(l);
    if (backward) return;
    memcpy(e->offset, e->position, sizeof(float) * (size_t)n->L * (size_t)padded(l->out));
    n->kernels->row_bias(n->L, padded(l->out), weights(n, e->bias, 0), false, e->offset);
}

/* [rows, kernel D]: characteristics of the last `kernel` steps side by side, zero where there are none. */
static const float *gather(const struct embedding *e, const struct network *n, const struct batch *b)
{
    const struct history *h = n->rows.period->history;
    size_t D = (size_t)e->D, L = (size_t)e->L;
    enum span v = e->layer.gives;
    float *tile = network_tile(n, 3), *to = tile;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        const int *step = steps_of(n, v, i);
        for (int r = 0; r < rows_of(n, v, i); r++, to += padded(e->layer.in))
            for (int t = 0; t < e->kernel; t++) {
                int at = step[r] - e->kernel + 1 + t;
                const float *from = NULL;
                if (at >= 0 && !h) from = n->rows.period->characteristics + (size_t)(n->rows.first + i) * D;
                if (at >= 0 && h && h->row[(size_t)(n->rows.first + i) * L + (size_t)at] >= 0)
                    from = h->rows[at] + (size_t)h->row[(size_t)(n->rows.first + i) * L + (size_t)at] * D;
                if (from) memcpy(to + t * e->D, from, sizeof(float) * D);
                else memset(to + t * e->D, 0, sizeof(float) * D);
            }
    }
    return tile;
}

static void embedding_forward(struct layer *l, const struct network *n, const struct pass *p)
{
    struct embedding *e = of(l);
    int ld = padded(l->out);
    enum span v = l->gives;
    const float *x = gather(e, n, p->batch);
    float *y = p->y;
    affine(n, p->out, l->in, l->out, x, (size_t)padded(l->in), weights(n, e->weight, 0), NULL, y, (size_t)ld);
    for (int i = p->batch->asset; i < p->batch->asset + p->batch->assets; i++)
        for (int r = 0; r < rows_of(n, v, i); r++, y += ld)
            n->kernels->row_bias(1, ld, e->offset + steps_of(n, v, i)[r] * ld, false, y);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, p->y);
}

static void embedding_backward(struct layer *l, const struct network *n, const struct pass *p)
{
    struct embedding *e = of(l);
    int ld = padded(l->out);
    drop_rows(n, l->stream, l->gives, p->batch, l->out, p->dy);
    n->kernels->product(l->in, ld, p->out, gather(e, n, p->batch), 1, padded(l->in), p->dy, ld,
                        tensor_at(n, p->gradient, e->weight, 0), ld, true);
    n->kernels->column_sum(p->out, ld, p->dy, tensor_at(n, p->gradient, e->bias, 0));
}

static double embedding_flops(const struct layer *l, double assets, double in, double out)
{
    (void)in;
    return 2 * assets * out * l->in * l->out;
}

void layer_embedding(struct network *n, int d, int kernel, int stream)
{
    static const struct layer_class class = {.name = "embedding",
                                             .flops = embedding_flops,
                                             .memory = embedding_memory,
                                             .prepare = embedding_prepare,
                                             .forward = embedding_forward,
                                             .backward = embedding_backward};
    int in = kernel * n->D;
    struct embedding *e =
        network_append(n, sizeof *e, (struct layer){.class = &class, .in = in, .out = d, .wide = in, .stream = stream});
    e->D = n->D, e->L = n->L, e->kernel = kernel;
    e->weight = network_matrix(n, "input_weight", 0, in, d, 1 / sqrt(in));
    e->bias = network_vector(n, "input_bias", 0, d);
}
