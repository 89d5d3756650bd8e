/* Placebos: a panel in which there is nothing to find, made from a real one as its rows are read. Every model, any number of ranks
 * and saved portfolios see the same rows, because a period's rows depend on (placebo, period) alone.
 *
 * returns            the excess returns of a period are shuffled among its assets. Characteristics, the period's mean return and its
 *                    whole distribution stay; who earned what does not. A model of zero net exposure should earn nothing; one that
 *                    is net long still earns the market.
 * characteristics=K  an asset shows at t its own characteristics of period t-K (default 12 periods), which were known at t: no
 *                    look-ahead. An asset that was not there K periods earlier shows zeros, as missing ones do. What survives is
 *                    what K-period-old characteristics still say: slow ones keep some of it, so raise K to take more away.
 *
 * Test assets and benchmarks that the panel holds stay as they are; the truth of a synthetic panel is left out of the results. */
#ifndef PANEL_PLACEBO_H
#define PANEL_PLACEBO_H

#include <stdint.h>

#include "base/error.h"

enum placebo_kind { PLACEBO_NONE, PLACEBO_RETURNS, PLACEBO_CHARACTERISTICS };
struct placebo {
    enum placebo_kind kind;
    int lag;       /* K of characteristics */
    uint64_t seed; /* of the shuffle: the study's */
};

/* "returns", "characteristics" or "characteristics=K", K from 1; seed is left as it is. */
int placebo_parse(const char *text, struct placebo *p, struct error *e);
/* The same text back, K written out; and in words: "returns shuffled within periods". */
enum { PLACEBO_TEXT = 96 };
char *placebo_option(const struct placebo *p, char out[PLACEBO_TEXT]);
char *placebo_words(const struct placebo *p, char out[PLACEBO_TEXT]);

/* Period t's returns [n] in the order that (seed, t) gives: Fisher and Yates with counter-based draws. */
void placebo_shuffle(const struct placebo *p, int t, int n, double *returns);
/* characteristics [n, D] of the assets ids [n] become those of the same assets in past_ids [m], past [m, D] (m may be 0); both lists of
 * ids ascend. */
void placebo_shift(int D, int n, const int64_t *ids, float *characteristics, int m, const int64_t *past_ids,
                   const float *past);

#endif
