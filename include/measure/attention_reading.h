/* What a matrix of attention says: how even it is, who is attended to, whether it has collapsed.
 *   A assets   matrix [A, A]: row i is what asset i takes from each asset j, itself included; NaN where either is absent. Rows sum to 1. */
#ifndef MEASURE_ATTENTION_READING_H
#define MEASURE_ATTENTION_READING_H

#include <stdbool.h>
#include <stddef.h>

struct attention_view {
    int assets;     /* present: rows with a weight */
    double entropy; /* mean over rows of entropy / log(assets that the row sees): 1 even, 0 all on one; NaN below two */
    double concentration; /* mean over rows of the largest weight; its regime: measure/attention_signal.h */
    int strongest;        /* the column that takes most of all attention, the first of equals; -1: none */
    double share;         /* what it takes, of all */
};
/* Of a matrix without a weight: 0 assets, NaN, -1. Rows are taken relative to their sums. */
void attention_view(int A, const double *matrix, struct attention_view *out);

/* leader [A]: the mean share that the other assets give to this one. follower [A]: the share that it does not give to
 * itself. NaN where no row says. */
void attention_leaders(int A, const double *matrix, double *leader, double *follower);

/* Attention that no longer tells assets apart: rows that are nearly all on one, or one asset that takes more than half of everything and
 * more than twice its even part (of two assets one takes half in any case). */
#define ATTENTION_LEAST_ENTROPY 0.5
#define ATTENTION_MOST_SHARE    0.5
bool attention_collapsed(const struct attention_view *);
bool attention_taken(const struct attention_view *); /* the latter */

/* Means that leave NaN out: sums and counts [n] of what was added; out [n] NaN where nothing was. */
void means_add(size_t n, const double *x, double *sum, double *count);
void means_take(size_t n, const double *sum, const double *count, double *out);

#endif
