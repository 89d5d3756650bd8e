/* One attention head over a block of rows (queries) of a period, all N assets being keys and values      (13)-(15)
 *     G = softmax_rows(Q Y') Y,      Q = Y_block W,  the head's output is G V
 * and its derivative, without ever holding more than a chosen share of the n x N matrix: queries go in tiles of TILE,
 * keys in blocks that fit the cache, the softmax unnormalised with its row sums beside it.
 * n queries   N keys   D characteristics   ld = padded(D): matrices are [rows, ld], padding zero.
 * Pure; the bits depend on the arguments, not on how many tiles are kept. */
#ifndef LINALG_ATTENTION_H
#define LINALG_ATTENTION_H

#include <stddef.h>

#include "linalg/kernels.h"

static inline int attention_tiles(int n)
{
    return (n + TILE - 1) / TILE;
}
/* Floats of one kept tile of unnormalised attention, and of the workspace of either direction. */
static inline size_t attention_tile_size(int N)
{
    return (size_t)N * TILE;
}
size_t attention_workspace(int D);
/* Floats of the row statistics of n queries: shift and 1/sum per query, by tiles. */
static inline size_t attention_statistics(int n)
{
    return (size_t)attention_tiles(n) * TILE * 2;
}

/* kept: room for the first `keep` tiles' exponentials (attention_tile_size each), which backward will want; the others are
 * recomputed there: one more product of six. g [n, ld] out; statistics out. 4 n N D flops. */
void attention_forward(const struct kernels *k, int n, int N, int D, const float *q, const float *y, int keep, float *kept,
                       float *statistics, float *g, float *work);

/* From dg [n, ld] = dLoss/dG: dq [n, ld] = dLoss/dQ, and dy [N, ld] += the part of dLoss/dY that flows through keys and values
 * (NULL: not wanted). keep, kept and statistics as forward left them. dg is overwritten. 8 n N D flops with dy. */
void attention_backward(const struct kernels *k, int n, int N, int D, const float *q, const float *y, int keep,
                        const float *kept, const float *statistics, const float *g, float *dg, float *dq, float *dy,
                        float *work);

/* Rows first .. first+count-1 (count <= TILE) of the attention matrix softmax_rows(Q Y') itself, into out [count, N]. */
void attention_rows(const struct kernels *k, int first, int count, int N, int D, const float *q, const float *y, float *out,
                    float *work);

#endif
