/* Portfolios that need no model, from a panel's rows period by period: what a study's returns are held against. Periods come in order.
 *   T periods   D characteristics   n assets of a universe in a period */
#ifndef PANEL_REFERENCE_H
#define PANEL_REFERENCE_H

#include "panel/panel.h"

struct reference {
    int T, D;
    double *market; /* [T] equal weights: the mean return over t -> t+1; 0 without assets */
    double *
        reversal; /* [T] long the losers of t-1 -> t, short its winners: weights -(r_i(t-1) - mean), their absolute sum 1, over the
                         assets there in both periods; 0 in the first */
    double *factors; /* [T, D] managed factors X_t' R_{t+1} / n_t */
    /* of the period before */
    int past;
    int64_t *past_ids;
    double *past_returns;
};

/* Room for periods of up to `most` assets. reference_free. */
void reference_create(struct reference *f, int T, int D, int most);
void reference_free(struct reference *f);
/* Period t from the rows listed in index [n], ascending. */
void reference_period(struct reference *f, int t, const struct rows *r, const int *index, int n);

#endif
