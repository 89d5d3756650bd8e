/* The tensors of a network: one vector of floats, initial values, and their form in files. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "nn/layer.h"

static int stored_rows(const struct tensor *t)
{
    return t->row_block ? t->rows / t->row_block * padded(t->row_block) : t->rows;
}

int network_tensor(const struct network *n, const char *name)
{
    for (int i = 0; i < n->tensors; i++)
        if (!strcmp(n->tensor[i].name, name)) return i;
    return -1;
}

int network_add(struct network *n, struct tensor t)
{
    int there = network_tensor(n, t.name);
    if (there >= 0) return there;
    n->tensor = memory_grow(n->tensor, (size_t)n->tensors + 1, sizeof *n->tensor, "tensors");
    t.at = n->size;
    n->tensor[n->tensors] = t;
    n->size += (size_t)stored_rows(&t) * (size_t)tensor_stride(&t);
    return n->tensors++;
}

static int add(struct network *n, const char *name, struct tensor t)
{
    snprintf(t.name, sizeof t.name, "%s", name);
    return network_add(n, t);
}

int network_matrix(struct network *n, const char *name, int of, int rows, int columns, double deviation)
{
    struct tensor t = {.rank = 2, .size = {rows, columns}, .rows = rows, .columns = columns, .deviation = deviation};
    if (of) t.rank = 3, t.size[0] = of, t.size[1] = rows, t.size[2] = columns, t.rows = of * rows;
    return add(n, name, t);
}

int network_vector(struct network *n, const char *name, int of, int columns)
{
    struct tensor t = {.rank = 1, .size = {columns}, .rows = 1, .columns = columns};
    if (of) t.rank = 2, t.size[0] = of, t.size[1] = columns, t.rows = of;
    return add(n, name, t);
}

void network_norms(struct network *n, int of, int norms, int d)
{
    n->norm = network_matrix(n, "norm_scale", of, norms, d, 0);
    n->tensor[n->norm].start = 1;
    network_matrix(n, "norm_shift", of, norms, d, 0);
}

size_t tensor_size(const struct tensor *t)
{
    return (size_t)t->rows * (size_t)t->columns;
}

size_t network_parameters(const struct network *n)
{
    size_t count = 0;
    for (int i = 0; i < n->tensors; i++) count += tensor_size(&n->tensor[i]);
    return count;
}

/* A row between its file form and where it is stored, block by block. */
static void row_export(const struct network *n, int i, int row, float *out)
{
    const struct tensor *t = &n->tensor[i];
    int block = t->block ? t->block : t->columns;
    const float *from = tensor_at(n, n->parameter, i, row);
    for (int c = 0; c < t->columns; c += block, from += padded(block)) memcpy(out + c, from, sizeof(float) * (size_t)block);
}
static void row_import(struct network *n, int i, int row, const float *in)
{
    const struct tensor *t = &n->tensor[i];
    int block = t->block ? t->block : t->columns;
    float *to = tensor_at(n, n->parameter, i, row);
    for (int c = 0; c < t->columns; c += block, to += padded(block)) memcpy(to, in + c, sizeof(float) * (size_t)block);
}

void tensor_export(const struct network *n, int i, float *out)
{
    const struct tensor *t = &n->tensor[i];
    for (int r = 0; r < t->rows; r++) row_export(n, i, r, out + (size_t)r * (size_t)t->columns);
}

void tensor_import(struct network *n, int i, const float *in)
{
    const struct tensor *t = &n->tensor[i];
    for (int r = 0; r < t->rows; r++) row_import(n, i, r, in + (size_t)r * (size_t)t->columns);
}

void network_initialise(struct network *n, uint64_t seed, int64_t window)
{
    int most = 0;
    for (int i = 0; i < n->tensors; i++) most = n->tensor[i].columns > most ? n->tensor[i].columns : most;
    float *row = memory_array(float, most, "a row of a tensor");
    memset(n->parameter, 0, sizeof(float) * n->size);
    for (int i = 0; i < n->tensors; i++) {
        const struct tensor *t = &n->tensor[i];
        struct random_stream s = random_open(seed, (uint64_t)i, (uint64_t)window, 0);
        size_t columns = (size_t)t->columns;
        for (int r = 0; r < t->rows; r++) {
            for (size_t c = 0; c < columns; c++) row[c] = t->start;
            if (t->deviation > 0) random_normals_float(&s, (size_t)r * columns, columns, t->deviation, row);
            row_import(n, i, r, row);
        }
    }
    memory_free(row);
}
