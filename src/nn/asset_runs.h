/* Who attends to whom among a period's assets, as an order of them. Ordered by group, those who attend to each other lie side by side:
 * keys of a group are one stretch of the period's assets, and its queries one stretch, a run, of every shard's. Within a group assets keep
 * their order; so a shard's runs do not depend on who holds the shard. */
#ifndef NN_ASSET_RUNS_H
#define NN_ASSET_RUNS_H

#include "nn/layer.h"
#include "nn/portfolio_attention.h"

struct asset_run {
    int shard;       /* counted among this rank's */
    int at, queries; /* places in own */
    int key, keys;   /* places in order */
    int tile;        /* tiles of queries of the runs before it */
};
struct asset_runs {
    enum sees sees;
    int column, labels; /* SEES_GROUP: of period.group */
    int runs;
    struct asset_run *run; /* of all shards here, in order */
    int *order;            /* [N] assets of the period by group */
    int *own;              /* [own assets] assets of this rank, counted from its first, by shard and within it by group */
    int *group, *first;    /* [N] of an asset; [groups + 1] where each begins in `order` */
};

/* Whether `order` and `own` are other than 0, 1, 2 .. */
static inline bool asset_runs_reorder(const struct asset_runs *r)
{
    return r->sees == SEES_GROUP;
}
/* The most runs and tiles that there can be on this rank, and the other assets that one sees, about. */
int asset_runs_most(const struct asset_runs *, const struct network *);
int asset_runs_tiles(const struct asset_runs *, const struct network *);
double asset_runs_seen(const struct asset_runs *, double assets);
void asset_runs_memory(struct asset_runs *, const struct network *, struct memory_layout *);
/* For the period in hand. */
void asset_runs_plan(struct asset_runs *, const struct network *);

/* Rows of `row` floats: out_i = x_order[i]; and back, out_order[i] = x_i. */
void rows_gather(int n, const int *order, size_t row, const float *x, float *out);
void rows_scatter(int n, const int *order, size_t row, const float *x, float *out);

#endif
