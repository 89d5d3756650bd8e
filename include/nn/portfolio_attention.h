/* Attention over a period's assets, the portfolio transformer's                                                  (13)-(15)
 *     y = x + sum_h softmax_rows(x W_h x') x V_h
 * with tensors W, V [K, H, D, D]. */
#ifndef NN_PORTFOLIO_ATTENTION_H
#define NN_PORTFOLIO_ATTENTION_H

#include "nn/layer.h"

struct portfolio_attention_shape {
    int k, of, heads;
};
void layer_portfolio_attention(struct network *, struct portfolio_attention_shape);

/* What the last forward pass attended to, by a team of one: blocks that have attention (0: none), heads, and of one block (from 0), mean
 * over heads (head < 0) or of one head, rows first .. first+count-1 (at most TILE) of the softmax, out [count, N]; scratch [TILE, N]. */
int portfolio_attention_blocks(const struct network *);
int portfolio_attention_heads(const struct network *);
void portfolio_attention_read(struct network *, const struct period *, int block, int head, int first, int count, float *out,
                              float *scratch);

#endif
