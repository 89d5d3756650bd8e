/* Queries, keys, values and outputs of multi-head attention. */
#include "projection.h"

#include <math.h>
#include <stdio.h>

#include "linalg/dense.h"

static const char *const names[] = {"query", "key", "value", "output"};

void projection_create(struct network *n, struct projection *p, const char *name, int k, int of, int d, int heads)
{
    while (d % heads) heads--;
    *p = (struct projection){.d = d, .heads = heads, .width = d / heads, .parts = PARTS, .k = k};
    p->dp = heads * padded(p->width);
    network_heads(n, p->width);
    for (int i = 0; i < PARTS; i++) {
        struct tensor weight = {.rank = 3, .size = {of, d, d}, .rows = of * d, .columns = d, .deviation = 1 / sqrt(d)},
                      bias = {.rank = 2, .size = {of, d}, .rows = of, .columns = d};
        if (i == OUTPUT) weight.row_block = p->width;
        else weight.block = bias.block = p->width;
        snprintf(weight.name, sizeof weight.name, "%s_%s", name, names[i]);
        snprintf(bias.name, sizeof bias.name, "%s_%s_bias", name, names[i]);
        p->weight[i] = network_add(n, weight);
        p->bias[i] = network_add(n, bias);
    }
}

void projection_memory(struct projection *p, struct memory_layout *w)
{
    size_t dp = (size_t)p->dp, d = (size_t)p->d;
    for (int i = 0; i < p->parts; i++)
        MEMORY(w, p->transposed[i], i == OUTPUT ? d * dp : dp * (size_t)padded(p->d), "transposed weights");
    MEMORY(w, p->scale, dp, "scale of queries");
    MEMORY(w, p->shift, dp, "scale of queries");
    MEMORY(w, p->zero, dp, "scale of queries");
}

static const float *weight_of(const struct network *n, const struct projection *p, enum part part)
{
    return weights(n, p->weight[part], p->k * p->d);
}

void projection_prepare(const struct network *n, struct projection *p, bool backward)
{
    float scale = (float)(1 / sqrt(p->width));
    const float *bias = weights(n, p->bias[QUERY], p->k);
    for (int c = 0; c < p->dp; c++) p->scale[c] = scale, p->shift[c] = scale * bias[c];
    if (!backward) return;
    for (int i = 0; i < OUTPUT; i++) dense_transpose(p->d, p->dp, weight_of(n, p, (enum part)i), p->transposed[i]);
    if (p->parts > OUTPUT) dense_transpose(p->dp, p->d, weight_of(n, p, OUTPUT), p->transposed[OUTPUT]);
}

/* Rows of the part are dp columns, those of the states padded(d). */
static int columns_out(const struct projection *p, enum part part)
{
    return part == OUTPUT ? padded(p->d) : p->dp;
}

static void scale_rows(const struct network *n, int rows, int ld, const float *scale, const float *shift, float *x,
                       size_t row)
{
    if (row == (size_t)ld) n->kernels->row_affine(rows, ld, x, scale, shift, x);
    else
        for (int i = 0; i < rows; i++, x += row) n->kernels->row_affine(1, ld, x, scale, shift, x);
}

void project(const struct network *n, const struct projection *p, enum part part, int rows, const float *x, size_t x_row,
             float *y, size_t y_row)
{
    const float *bias = part == QUERY ? NULL : weights(n, p->bias[part], p->k);
    affine(n, rows, part == OUTPUT ? p->dp : p->d, columns_out(p, part), x, x_row, weight_of(n, p, part), bias, y, y_row);
    if (part == QUERY) scale_rows(n, rows, p->dp, p->scale, p->shift, y, y_row);
}

void project_back(const struct network *n, const struct projection *p, enum part part, float *gradient, int rows,
                  const float *x, size_t x_row, float *dy, size_t dy_row, float *dx, bool add)
{
    const struct kernels *k = n->kernels;
    int out = columns_out(p, part), in = part == OUTPUT ? p->dp : p->d, ld = part == OUTPUT ? p->dp : padded(p->d);
    float *db = tensor_at(n, gradient, p->bias[part], p->k);
    if (part == QUERY) scale_rows(n, rows, p->dp, p->scale, p->zero, dy, dy_row);
    k->product(in, out, rows, x, 1, (ptrdiff_t)x_row, dy, (ptrdiff_t)dy_row,
               tensor_at(n, gradient, p->weight[part], p->k * p->d), out, true);
    if (dy_row == (size_t)out) k->column_sum(rows, out, dy, db);
    else
        for (int i = 0; i < rows; i++) k->row_bias(1, out, dy + (size_t)i * dy_row, false, db);
    k->product(rows, ld, part == OUTPUT ? p->d : p->dp, dy, (ptrdiff_t)dy_row, 1, p->transposed[part], ld, dx, ld, add);
}
