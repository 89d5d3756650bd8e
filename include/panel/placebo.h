/* Rows that are changed as they are read, so that one file serves the study and all that tests it. A period's rows depend on
 * (placebo, period) alone: every model, any number of ranks and saved portfolios see the same.
 *   n assets of a period   D characteristics   T periods
 *
 * Placebos, in which there is nothing to find:
 * returns            the excess returns of a period are shuffled among its assets. Characteristics, the period's mean return and its
 *                    whole distribution stay; who earned what does not. A model of zero net exposure should earn nothing; one that
 *                    is net long still earns the market.
 * signs              all returns of a period change their sign, or none does, by the toss of a coin: links within a period stay, no
 *                    premium does, the market's included.
 * periods            whole periods of returns change places, a permutation of all T: an asset earns at t what it earned in
 *                    another period, drawn once for all assets; one that was not there then takes the return that stands at its
 *                    place in the order of assets. What each asset earns on average stays where assets are the same.
 * iid                normal draws, independent, with the mean and standard deviation of the period's returns.
 * characteristics=K  an asset shows at t its own characteristics of period t-K (default 12 periods), which were known at t: no
 *                    look-ahead. An asset that was not there K periods earlier shows zeros, as missing ones do. What survives is
 *                    what K-period-old characteristics still say: slow ones keep some of it, so raise K to take more away.
 *
 * Less information than the panel has, where what remains may still be found:
 * noise=X            every characteristic x becomes m + ((x - m) + X s z) / sqrt(1 + X^2), cut off at -0.5 and 0.5: m and s its mean and
 *                    standard deviation (divisor n) over the period's assets, z a standard normal draw. Its spread stays, its share of
 *                    signal in it falls to 1 / (1 + X^2).
 * without=A,B,...    the characteristics of these names are zero.
 *
 * Test assets and benchmarks that the panel holds stay as they are; the truth of a synthetic panel is left out of the results. */
#ifndef PANEL_PLACEBO_H
#define PANEL_PLACEBO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum placebo_kind {
    PLACEBO_NONE,
    PLACEBO_RETURNS,
    PLACEBO_SIGNS,
    PLACEBO_PERIODS,
    PLACEBO_IID,
    PLACEBO_CHARACTERISTICS,
    PLACEBO_NOISE,
    PLACEBO_WITHOUT
};
enum { PLACEBO_NAMES = 4000, PLACEBO_TEXT = PLACEBO_NAMES + 96 };
struct placebo {
    enum placebo_kind kind;
    int lag;                     /* K of characteristics */
    double noise;                /* X of noise */
    uint64_t seed;               /* of the draws: the study's */
    char without[PLACEBO_NAMES]; /* names, separated by commas */
};

/* "returns", "signs", "periods", "iid", "characteristics", "characteristics=K" with K from 1, "noise=X" with X above 0 and at most 100, or
 * "without=A,B"; seed is left as it is. */
int placebo_parse(const char *text, struct placebo *p, struct error *e);
/* Whether it can be made of a panel of T periods and D characteristics of these names: if not, fills e, -1. */
int placebo_check(const struct placebo *p, int T, int D, char *const *names, struct error *e);
/* The same text back, K written out; and in words: "returns shuffled within periods". */
char *placebo_option(const struct placebo *p, char out[PLACEBO_TEXT]);
char *placebo_words(const struct placebo *p, char out[PLACEBO_TEXT]);
/* Whether there is nothing to find; and what to call it: "placebo", else "altered". */
bool placebo_empty(const struct placebo *p);
const char *placebo_sort(const struct placebo *p);
/* Whether rows of another period are needed to make a period's. */
bool placebo_looks_elsewhere(const struct placebo *p);

/* Period t's returns [n] in the order that (seed, t) gives: Fisher and Yates with counter-based draws. */
void placebo_shuffle(const struct placebo *p, int t, int n, double *returns);
void placebo_signs(const struct placebo *p, int t, int n, double *returns);
void placebo_iid(const struct placebo *p, int t, int n, double *returns);
/* order [T]: the period whose returns stand at each. */
void placebo_order(const struct placebo *p, int T, int *order);
/* returns [n] of the assets ids [n] become those of the same assets in other_ids [m], other [m], or else of row floor((2 i + 1) m / (2 n));
 * both lists of ids ascend. m = 0: zeros. */
void placebo_exchange(int n, const int64_t *ids, double *returns, int m, const int64_t *other_ids, const double *other);
/* characteristics [n, D] of the assets ids [n] become those of the same assets in past_ids [m], past [m, D] (m may be 0); both lists of
 * ids ascend. */
void placebo_shift(int D, int n, const int64_t *ids, float *characteristics, int m, const int64_t *past_ids,
                   const float *past);
/* characteristics [n, D] of period t; the draw of row i, column j is number i D + j. */
void placebo_blur(const struct placebo *p, int t, int n, int D, float *characteristics);
/* Of `names` [D] those left out get zeros. */
void placebo_leave_out(const struct placebo *p, int n, int D, char *const *names, float *characteristics);

#endif
