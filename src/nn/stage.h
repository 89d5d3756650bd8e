/* How a network's layers are run: the stages of a pass and its workspace, shared by network.c (which makes them) and pass.c (which runs
 * them). */
#ifndef NN_STAGE_H
#define NN_STAGE_H

#include "nn/layer.h"

/* Layers that a batch goes through in one go, or one layer over all assets. */
struct stage {
    int first, last;
    const struct over *over;
    enum span span, held; /* rows that the first layer takes; rows that x has: the same or more */
    float *x;             /* [rows held, ld] its input; NULL: the first stage */
};

struct workspace {
    int batch;          /* most rows of a batch */
    int heads;          /* columns of the widest attention head */
    float *tile[TILES]; /* [batch, widest ld] */
    float *attention;
    size_t shared; /* floats of an asset's row, the most that a layer shares; 0: nothing is */
    float **back;  /* [shards here][N, shared] */
    float *spare;  /* [assets, shared] */
    struct team_share *share;
    struct team_sum *sum;
    float *d[2];    /* derivatives of a stage's output and of its input */
    float *out;     /* [assets, padded(outputs)] */
    float *scratch; /* what a batch leaves for the way back, where it is not kept */
    float *arena;   /* what is kept: batches, then what layers over assets were granted */
    size_t arena_size;
    struct pass *pass; /* [layers] of the batch in hand on its way back */
    float **kept;      /* [stages][assets] of batches; NULL: formed again */
};

#endif
