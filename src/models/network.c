/* What all networks share: tensors in one vector, initial values, rows cut into shards, dropout masks, parameters in and
 * out. */
#include "models/network.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

void network_add(struct network *n, const char *name, int rank, const int *size, int rows, int columns, double deviation)
{
    struct tensor *t = &n->tensor[n->tensors++];
    *t = (struct tensor){.rank = rank, .rows = rows, .columns = columns, .at = n->size, .deviation = deviation};
    snprintf(t->name, sizeof t->name, "%s", name);
    memcpy(t->size, size, sizeof(int) * (size_t)rank);
    n->size += (size_t)rows * (size_t)padded(columns);
}

void network_finish(struct network *n)
{
    n->kernels = kernels_best();
    n->parameter = memory_array(float, n->size, "parameters");
}

static void unbind(struct network *n)
{
    if (!n->team) return;
    n->class->unbind(n);
    for (int s = 0; s < n->own; s++) memory_free(n->gradient[s]);
    memory_free(n->gradient);
    memory_free(n->part_first);
    memory_free(n->range);
    n->team = NULL;
}

void network_destroy(struct network *n)
{
    if (!n) return;
    unbind(n);
    memory_free(n->tensor);
    memory_free(n->parameter);
    n->class->destroy(n);
}

void network_bind(struct network *n, struct team *team)
{
    if (n->team == team) return;
    unbind(n);
    int ranks = team_size(team), me = team_rank(team);
    n->team = team;
    n->part_first = memory_array(int, ranks + 1, "shards of ranks");
    n->range = memory_array(int64_t, ranks + 1, "rows of ranks");
    for (int r = 0; r <= ranks; r++) n->part_first[r] = (int)((int64_t)n->shards * r / ranks);
    n->first = n->part_first[me];
    n->own = n->part_first[me + 1] - n->first;
    n->gradient = memory_array(float *, n->own, "gradients");
    for (int s = 0; s < n->own; s++) n->gradient[s] = memory_array(float, n->size, "gradient of a shard");
    n->class->bind(n);
}

void network_initialise(struct network *n, uint64_t seed, int64_t window)
{
    for (int i = 0; i < n->tensors; i++) {
        const struct tensor *t = &n->tensor[i];
        struct random_stream s = random_open(seed, (uint64_t)i, (uint64_t)window, 0);
        size_t columns = (size_t)t->columns, ld = (size_t)padded(t->columns);
        float *to = n->parameter + t->at;
        memset(to, 0, sizeof(float) * (size_t)t->rows * ld);
        for (size_t r = 0; r < (size_t)t->rows; r++) {
            if (t->deviation > 0) random_normals_float(&s, r * columns, columns, t->deviation, to + r * ld);
            else
                for (size_t j = 0; j < columns; j++) to[r * ld + j] = t->start;
        }
    }
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

void tensor_export(const struct network *n, int i, float *out)
{
    const struct tensor *t = &n->tensor[i];
    for (int r = 0; r < t->rows; r++)
        memcpy(out + (size_t)r * (size_t)t->columns, tensor_at(n, n->parameter, i, r), sizeof(float) * (size_t)t->columns);
}

void tensor_import(struct network *n, int i, const float *in)
{
    const struct tensor *t = &n->tensor[i];
    for (int r = 0; r < t->rows; r++)
        memcpy(tensor_at(n, n->parameter, i, r), in + (size_t)r * (size_t)t->columns, sizeof(float) * (size_t)t->columns);
}

void rows_pad(int n, int D, const float *rows, float *out)
{
    int ld = padded(D);
    for (int i = 0; i < n; i++, rows += D, out += ld) {
        memcpy(out, rows, sizeof(float) * (size_t)D);
        memset(out + D, 0, sizeof(float) * (size_t)(ld - D));
    }
}

const int64_t *network_ranges(struct network *n, int N, int width)
{
    for (int r = 0; r <= team_size(n->team); r++) n->range[r] = (int64_t)shard_row(n, N, n->part_first[r]) * width;
    return n->range;
}

void network_drop(const struct network *n, int layer, int row, int rows, int columns, float *x)
{
    int ld = padded(columns);
    struct random_stream s = random_open(n->dropout_key[0], 1000 + (uint64_t)layer, n->dropout_key[1], n->dropout_key[2]);
    uint32_t below = (uint32_t)(n->dropout * 4294967296.0);
    float scale = network_drop_scale(n);
    for (int i = 0; i < rows; i++, x += ld)
        for (int j = 0; j < columns; j += 4) {
            uint32_t w[4];
            random_block(&s, ((uint64_t)(row + i) * (uint64_t)ld + (uint64_t)j) / 4, w);
            for (int l = 0; l < 4 && j + l < columns; l++) x[j + l] = w[l] < below ? 0 : x[j + l] * scale;
        }
}
