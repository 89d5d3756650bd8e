/* Multi-head scaled dot-product attention (Vaswani et al. 2017), query rows against key rows, head by head:
 *     o_i = sum_j P_ij v_j,   P_ij = exp(q_i k_j) / sum_l exp(q_i k_l)
 * with queries scaled by the caller. Queries go in tiles of TILE, keys in blocks that fit the cache; the exponentials are kept on
 * request or formed again, never more than a tile by a block of them otherwise.
 * Head h lies in columns h padded(width) .. + width of a row, padding zero. A query that sees no key gets 0.
 * Pure; the bits depend on the arguments, not on what is kept. */
#ifndef LINALG_MULTIHEAD_H
#define LINALG_MULTIHEAD_H

#include <stddef.h>

#include "linalg/kernels.h"

struct multihead {
    int heads, width; /* width of one head */
    int queries, keys;
    ptrdiff_t q_row, k_row;      /* floats from row to row: of queries and outputs; of keys and values */
    bool causal;                 /* query i sees keys up to i + keys - queries: queries are the last steps of keys */
    const unsigned char *absent; /* [keys] not 0: nobody sees this key; NULL: all are there */
    int self;                    /* query i does not see key self + i; -1: it does */
    bool linear;                 /* P_ij = q_i k_j / keys instead: no exponential; only without masks */
};

static inline int multihead_tiles(int queries)
{
    return (queries + TILE - 1) / TILE;
}
/* Floats: kept exponentials, statistics (shift and 1/sum of every query), workspace of either direction. */
static inline size_t multihead_kept(int heads, int queries, int keys)
{
    return (size_t)heads * (size_t)multihead_tiles(queries) * TILE * (size_t)keys;
}
static inline size_t multihead_statistics(int heads, int queries)
{
    return (size_t)heads * (size_t)multihead_tiles(queries) * TILE * 2;
}
size_t multihead_workspace(int width);

/* o [queries, heads padded(width)]; kept may be NULL. 4 queries keys width flops a head. */
void multihead_forward(const struct kernels *k, const struct multihead *m, const float *q, const float *key,
                       const float *value, float *o, float *kept, float *statistics, float *work);
/* From d_o = dLoss/do (overwritten): dq (may be o), and dkey, dvalue (add: added to what is there, and they may be one; NULL, both: not
 * wanted). o, kept (or NULL) and statistics as forward
 * left them. 8 queries keys width flops a head, 10 where the exponentials are formed again. */
void multihead_backward(const struct kernels *k, const struct multihead *m, const float *q, const float *key,
                        const float *value, const float *o, float *d_o, const float *kept, const float *statistics,
                        float *dq, float *dkey, float *dvalue, bool add, float *work);
/* The matrix P of one head itself, out [queries, keys]. */
void multihead_weights(const struct kernels *k, const struct multihead *m, int head, const float *q, const float *key,
                       float *out, float *work);

#endif
