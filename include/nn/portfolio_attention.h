/* Attention over a period's assets, the portfolio transformer's                                                  (13)-(15)
 *     y = x + A(x),   A(x) = sum_h softmax_rows(x W_h x') x V_h
 * with tensors W, V [K, H, D, D]; and what is left of it when a part is taken away:
 *     linear     A(x)_i = sum_h 1/|S_i| sum_{j in S_i} (x_i W_h x_j') x_j V_h, S_i those that i sees: no exponential, weights of either sign
 *     residual   false: y = A(x)
 *     sees       S_i is every asset; or those with i's label, where assets of unknown label share one; or i alone, so that a
 *                softmax gives sum_h x_i V_h, and W never moves
 * Nobody is compared with those that it does not see: groups cost less than all. */
#ifndef NN_PORTFOLIO_ATTENTION_H
#define NN_PORTFOLIO_ATTENTION_H

#include "nn/layer.h"

enum sees { SEES_ALL, SEES_GROUP, SEES_ITSELF };
struct portfolio_attention_shape {
    int k, of, heads;
    bool linear, residual;
    enum sees sees;
    int column, labels; /* SEES_GROUP: of period.group, and how many labels it has */
};
void layer_portfolio_attention(struct network *, struct portfolio_attention_shape);

/* What the last forward pass attended to, by a team of one: blocks that have attention (0: none, or none that is a softmax), heads, and of one block (from 0), mean
 * over heads (head < 0) or of one head, rows first .. first+count-1 (at most TILE) of the softmax, out [count, N]; scratch [TILE, N]. */
int portfolio_attention_blocks(const struct network *);
int portfolio_attention_heads(const struct network *);
void portfolio_attention_read(struct network *, const struct period *, int block, int head, int first, int count, float *out,
                              float *scratch);

#endif
