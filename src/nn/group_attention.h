/* Attention between groups of assets (sectors, markets) on the means of their assets' states. There are few groups: every rank does the
 * same for all of them; the way back is linear in what each shard's assets want of their groups, so it goes by shard. */
#ifndef NN_GROUP_ATTENTION_H
#define NN_GROUP_ATTENTION_H

#include "linalg/multihead.h"
#include "projection.h"

struct group_attention {
    struct projection p;
    int column, groups;               /* of struct period; labels and the unknown */
    int *label, *count;               /* [N] groups of the period's assets, [groups] their assets */
    unsigned char *none;              /* [groups] no assets */
    float *mean, *out;                /* [groups, ld] */
    float *q, *key, *value, *context; /* [groups, dp] */
    float *statistics;
    float *d_mean, *d_out;                    /* [groups, ld] */
    float *d_q, *d_key, *d_value, *d_context; /* [groups, dp] */
};

void group_attention_create(struct group_attention *g, struct network *n, const char *name, int k, int of, int d, int heads,
                            int column, int labels);
void group_attention_memory(struct group_attention *g, const struct network *n, struct memory_layout *w);
void group_attention_plan(struct group_attention *g, const struct network *n, bool backward);
struct multihead group_attention_groups(const struct group_attention *g);
double group_attention_flops(const struct group_attention *g);
/* out [groups, ld] from states [N, ld], `row` floats apart. */
void group_attention_forward(struct group_attention *g, const struct network *n, const float *states, size_t row);
/* From d_out [groups, ld] of a shard: adds to its gradient, and to d_states [N, ld]. */
void group_attention_backward(struct group_attention *g, const struct network *n, float *gradient, float *d_states,
                              size_t row);
/* The last forward pass's attention, mean over heads: out [groups, groups], NaN where a group has no asset. */
void group_attention_read(const struct group_attention *g, const struct network *n, double *out);

#endif
