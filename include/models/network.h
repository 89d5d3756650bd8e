/* Trainable networks as the epoch loop sees them: named tensors in one vector of floats, a forward pass that turns a period
 * into portfolio weights, a backward pass that turns dLoss/dw into a gradient.
 * The rows of a period are cut into `shards` fixed blocks of which each rank of the team holds a run. Everything summed over
 * rows is summed within shards first and then in shard order, so the bits do not depend on who holds what.
 *   N assets of a period   n those on this rank   D characteristics */
#ifndef MODELS_NETWORK_H
#define MODELS_NETWORK_H

#include "linalg/kernels.h"
#include "panel/window.h"
#include "parallel/sharded.h"

/* Stored in parameter[at ..] as [rows, padded(columns)], padding zero; in files as [size[0], ...] without padding. */
struct tensor {
    char name[24];
    int rank, size[4];
    int rows, columns;
    size_t at;
    double deviation; /* of the normal initial values; 0: every entry starts at `start` */
    float start;
};

struct network {
    const struct network_class *class;
    const struct kernels *kernels;
    int D, max_assets, shards;
    int outputs; /* columns of forward's y: 1, or 3 scores of direction */
    int tensors;
    struct tensor *tensor;
    size_t size; /* floats of the parameter vector, padding included */
    float *parameter;
    size_t memory;           /* bytes this rank's workspace should stay under where there is a choice */
    double dropout;          /* share of hidden units silenced in training */
    uint64_t dropout_key[3]; /* names the step: (seed, window, step) */
    /* what depends on the team; set by network_bind */
    struct team *team;
    int *part_first;  /* [ranks+1] shards of each rank */
    int first, own;   /* mine: first .. first+own-1 */
    int64_t *range;   /* [ranks+1] scratch for row ranges */
    float **gradient; /* [own] one gradient per shard, each [size] */
};

struct network_class {
    void (*bind)(struct network *);   /* allocate the workspace for team, first, own */
    void (*unbind)(struct network *); /* free it */
    /* y [n, outputs] for this rank's rows; models/objective.h makes weights of them. training: keep what backward wants, apply
     * dropout. Collective. */
    void (*forward)(struct network *, const struct period *, bool training, float *y);
    /* From dy [n, outputs] = dLoss/dy of the period last passed forward: adds to gradient[own]. Collective. */
    void (*backward)(struct network *, const struct period *, const float *dy);
    void (*destroy)(struct network *);
};

/* The multi-layer perceptron and the transformer; network_destroy frees. */
struct network *mlp_network(int D, int max_assets, int shards, int layers, const int *hidden);
struct network *transformer_network(int D, int max_assets, int shards, int blocks, int heads, int feedforward);
void network_destroy(struct network *);

/* Floating-point operations of a forward pass over N assets; backward takes twice that. */
double mlp_flops(int D, int layers, const int *hidden, double N);
double transformer_flops(int D, int blocks, int heads, int feedforward, double N);
/* Bytes of workspace on a rank that holds 1/ranks of the shards, without what is kept by choice. */
double transformer_bytes(int D, int max_assets, int shards, int ranks, int blocks, int heads, int feedforward);
/* Attention of one block (from 0) over a period, mean over heads (head < 0) or of one head: rows first .. first+count-1 (at most
 * TILE) of the softmax, out [count, N]. After a forward pass of that period by a team of one; scratch [TILE, N]. */
void transformer_attention(struct network *, const struct period *, int block, int head, int first, int count, float *out,
                           float *scratch);
int transformer_blocks(const struct network *); /* 0: not a transformer */
int transformer_heads(const struct network *);
/* Bytes that keeping all exponentials of the attention would take, on one rank. */
double transformer_keep_bytes(int max_assets, int shards, int blocks, int heads);

/* Attach to a team (again: a no-op for the same team). Collective. */
void network_bind(struct network *, struct team *);
/* Initial values, a pure function of (seed, window, tensor). */
void network_initialise(struct network *, uint64_t seed, int64_t window);
/* Parameters without padding: the count, and to / from tensor t's file form. */
size_t network_parameters(const struct network *);
size_t tensor_size(const struct tensor *);
void tensor_export(const struct network *, int t, float *out);
void tensor_import(struct network *, int t, const float *in);

/* First row of shard s of a period of N rows. */
static inline int shard_row(const struct network *n, int N, int s)
{
    return (int)((int64_t)N * s / n->shards);
}
static inline int own_first_row(const struct network *n, int N)
{
    return shard_row(n, N, n->first);
}
static inline int own_rows(const struct network *n, int N)
{
    return shard_row(n, N, n->first + n->own) - own_first_row(n, N);
}
/* Most rows that `shards` consecutive shards can have. */
static inline int most_rows(const struct network *n, int shards)
{
    return (int)(((int64_t)n->max_assets * shards + n->shards - 1) / n->shards);
}

/* For the classes: append a tensor while building, finish by allocating; the padded copy of a period's rows; who holds which
 * rows (times `width`) in range; dropout of rows [n, columns] that begin at panel row `row`, layer by layer. */
void network_add(struct network *, const char *name, int rank, const int *size, int rows, int columns, double deviation);
void network_finish(struct network *);
void rows_pad(int n, int D, const float *rows, float *out);
const int64_t *network_ranges(struct network *, int N, int width);
void network_drop(const struct network *, int layer, int row, int rows, int columns, float *x);
static inline float network_drop_scale(const struct network *n)
{
    return (float)(1 / (1 - n->dropout));
}
static inline float *tensor_at(const struct network *n, float *vector, int t, int row)
{
    return vector + n->tensor[t].at + (size_t)row * (size_t)padded(n->tensor[t].columns);
}

#endif
