/* The dense layers of multi-head attention: queries, keys, values from states, and the output from contexts. Columns are padded head by
 * head: head h lies in columns h padded(width) .. + width. Queries are scaled by 1 / sqrt(width). */
#ifndef NN_PROJECTION_H
#define NN_PROJECTION_H

#include "nn/layer.h"

enum part { QUERY, KEY, VALUE, OUTPUT, PARTS };
struct projection {
    int d, heads, width, dp;           /* stored rows of queries, keys and values; of a head; padded columns of all heads */
    int parts;                         /* PARTS, or without outputs OUTPUT */
    int k, weight[PARTS], bias[PARTS]; /* the k-th of those stacked; tensors */
    float *transposed[PARTS];          /* [dp, padded(d)] of queries, keys, values, [d, dp] of outputs */
    float *scale, *shift, *zero;       /* [dp] of queries: 1 / sqrt(width), times the bias; 0 */
};

/* Tensors NAME_query, NAME_key, NAME_value, NAME_output [of, d, d] with *_bias [of, d]. heads: lowered until it divides d. */
void projection_create(struct network *n, struct projection *p, const char *name, int k, int of, int d, int heads);
void projection_memory(struct projection *p, struct memory_layout *w);
void projection_prepare(const struct network *n, struct projection *p, bool backward);
/* y = the part of x: rows x_row and y_row floats apart. */
void project(const struct network *n, const struct projection *p, enum part part, int rows, const float *x, size_t x_row,
             float *y, size_t y_row);
/* From dy [rows, ..] (scaled in place for queries), adds to a gradient, and dx [rows, ..] = (add ? dx : 0) + what flows to x. */
void project_back(const struct network *n, const struct projection *p, enum part part, float *gradient, int rows,
                  const float *x, size_t x_row, float *dy, size_t dy_row, float *dx, bool add);

#endif
