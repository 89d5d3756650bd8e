/* A network: a list of layers (nn/layer.h) that turns a period into outputs for its assets, and outputs' derivatives into a gradient.
 * Its tensors lie in one vector of floats; memory, cost, files and gradients follow from what the layers say of themselves.
 *   N assets of a period   L steps of lookback (1: the period alone)   D characteristics   ld = padded(columns)
 *
 * Rows. An asset has a row for every step that it was there, in time order; rows of assets follow each other. A step that an asset
 * was not there (history.row = -1) has no row, so nothing can flow from it. Layers work on one of three spans of an asset's rows, each
 * of which ends with its last row, the period itself:
 *   ALL   every row   LATE   those of the last `late` steps   LAST   the last one
 * Every layer says which rows it takes to give those that are wanted of it, so that what does not reach the output is not computed.
 *
 * Shards. Assets are cut into fixed runs of which each rank of the team holds some. What is summed over assets is summed within shards
 * first and then in shard order: the bits do not depend on who holds what. A batch is a run of a shard's assets whose rows go through
 * several layers together, in cache. */
#ifndef NN_NETWORK_H
#define NN_NETWORK_H

#include "linalg/kernels.h"
#include "panel/window.h"
#include "parallel/sharded.h"

enum span { ALL, LATE, LAST, SPANS }; /* from the widest to the narrowest */

/* Stored in parameter[at ..] as rows of padded floats, padding zero; in files as [size[0], ...] without padding. The columns of a
 * tensor over attention heads are padded head by head: `block` columns at a time; so are, in blocks, the rows of what follows them. */
struct tensor {
    char name[24];
    int rank, size[4];
    int rows, columns;
    int block, row_block; /* columns, rows that are padded together; 0: all columns of a row; rows are not padded */
    size_t at;
    double deviation; /* of the normal initial values; 0: every entry starts at `start` */
    float start;
};

struct batch {
    int shard, asset, assets; /* the first counted among this rank's */
};

/* The rows of the period in hand, of this rank's assets. */
struct network_rows {
    const struct period *period;
    int N, first, own, most; /* assets of the period; the first of this rank's; how many; the most they can be */
    int *count;              /* [SPANS][most] rows of an asset */
    size_t *begin;           /* [SPANS][most + 1] the first of them */
    int *step;               /* steps of the rows of ALL */
    struct batch *batch[SPANS];
    int batches[SPANS];
};

struct dropout {
    double share;    /* of units silenced in training; 0: none */
    uint64_t key[3]; /* names the step: (seed, window, step) */
    bool on;         /* in the pass in hand */
};

/* Who holds which shards; set by network_bind. */
struct shards {
    int count;
    struct team *team;
    int *part_first; /* [ranks+1] shards of each rank */
    int first, own;  /* mine: first .. first+own-1 */
    int64_t *range;  /* [ranks+1] scratch for row ranges */
};

struct layer;
struct stage;
struct workspace;
struct network {
    const struct kernels *kernels;
    int D, L, max_assets;
    int late;    /* steps of the span LATE */
    int outputs; /* columns of what comes out */
    struct tensor *tensor;
    int tensors, layers, stages;
    int norm; /* tensors norm_scale [K, norms, d], and norm_shift behind it; -1: none */
    struct layer **layer;
    struct stage *stage; /* runs of layers that a batch goes through at once; nn/layer.h */
    size_t size;         /* floats of a vector of all tensors, padding included */
    float *parameter;    /* [size] */
    float **gradient;    /* [own shards][size] */
    bool training;       /* the pass in hand: what backward wants is kept */
    size_t memory;       /* bytes this rank's workspace should stay under where there is a choice */
    struct dropout dropout;
    struct shards shards;
    struct network_rows rows;
    struct workspace *work;
};

/* A network begins as a description, of which flops and bytes can be asked even if no machine could hold it; this allocates its parameters.
 * Returns it. */
struct network *network_make(struct network *);
void network_destroy(struct network *);
/* Attach to a team, allocate what a rank of it needs (again: a no-op for the same team). Collective. */
void network_bind(struct network *, struct team *);
/* Initial values, a pure function of (seed, window, tensor). */
void network_initialise(struct network *, uint64_t seed, int64_t window);
/* y [n, outputs] for this rank's assets; nn/objective.h makes weights of them. training: keep what backward wants, apply dropout.
 * Collective. */
void network_forward(struct network *, const struct period *, bool training, float *y);
/* From dy [n, outputs] = dLoss/dy of the period last passed forward: adds to gradient[own]. Collective. */
void network_backward(struct network *, const struct period *, const float *dy);

/* Floating-point operations of a forward pass over N assets with whole histories; backward takes twice that, and up to once more
 * where what it needs is formed again. */
double network_flops(const struct network *, double N);
/* Bytes on a rank that holds 1/ranks of the shards: vectors as long as the parameters (values, Adam's, gradients) and workspace,
 * with everything kept, or (least) with nothing that can be formed again. */
double network_bytes(const struct network *, int ranks, bool least);
/* What a network takes on one rank under a bound on its memory: everything kept if it fits, else as much as does. */
double network_room(const struct network *, size_t memory);

/* ---- parameters ---- */
size_t network_parameters(const struct network *);            /* without padding */
size_t tensor_size(const struct tensor *);                    /* the same of one tensor */
int network_tensor(const struct network *, const char *name); /* its number; -1: none of that name */
/* To and from tensor t's file form. */
void tensor_export(const struct network *, int t, float *out);
void tensor_import(struct network *, int t, const float *in);

/* Floats from row to row, and where entry (row, column) lies behind `at`. */
static inline int tensor_stride(const struct tensor *t)
{
    return t->block ? t->columns / t->block * padded(t->block) : padded(t->columns);
}
static inline size_t tensor_index(const struct tensor *t, int row, int column)
{
    if (t->row_block) row = row / t->row_block * padded(t->row_block) + row % t->row_block;
    if (t->block) column = column / t->block * padded(t->block) + column % t->block;
    return (size_t)row * (size_t)tensor_stride(t) + (size_t)column;
}
/* A row of tensor t in `vector` (parameters or a gradient). */
static inline float *tensor_at(const struct network *n, float *vector, int t, int row)
{
    return vector + n->tensor[t].at + tensor_index(&n->tensor[t], row, 0);
}

/* ---- shards ---- */

/* First asset of shard s of a period of N. */
static inline int shard_first(const struct shards *p, int N, int s)
{
    return (int)((int64_t)N * s / p->count);
}
static inline int own_first(const struct network *n, int N)
{
    return shard_first(&n->shards, N, n->shards.first);
}
static inline int own_assets(const struct network *n, int N)
{
    return shard_first(&n->shards, N, n->shards.first + n->shards.own) - own_first(n, N);
}

#endif
