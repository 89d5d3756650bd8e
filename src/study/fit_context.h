/* One configuration and seed at work on a team of ranks: its model, where its windows come from, and what came of the row computed last. */
#ifndef STUDY_FIT_CONTEXT_H
#define STUDY_FIT_CONTEXT_H

#include "window_source.h"

struct fit_context {
    struct fit_job *job;
    struct team *team; /* shares the fits; its rank 0 leads: portfolios, returns and records are formed there alone */
    const struct config *config;
    int seed;
    bool applies; /* saved parameters serve every row, nothing is trained */
    bool chains;  /* every fit begins at the parameters of the one before */
    struct model *model;
    struct window_source source;
    double *base, *positions, *variant; /* realised returns of base assets; positions in them; returns of variants */
    int fitted, fit_code;               /* row whose fit the model holds, -1: none; how it ended */
    int last;                           /* row computed last, -1: none */
    bool trained;                       /* a model was fitted for that row or for the block of rows that share its fit */
    /* the row computed last, on the leader */
    int code;          /* struct fit_note's */
    struct period now; /* with its return */
    double *record;    /* layout order; NaN where code is not 0 */
    float *weights;    /* [now.n] the portfolio on assets, where the study keeps it */
};

/* Codes that the driver gives a row, beside those that models give (struct fit_note). */
enum { CODE_NO_ASSETS = FIT_NO_DATA };

/* Bytes that a configuration takes while it is worked: model, window, record. */
double context_bytes(const struct fit_job *j, const struct config *c);
/* Bytes that the largest configuration takes on this rank: of the queue, and of its own part of the cuts. */
double contexts_bytes(const struct fit_job *j, int rank);
/* Turn to a configuration and seed: its model, its room; from a context that is zero but for job and team. */
int context_take(struct fit_context *x, const struct config *c, int seed, struct error *e);
void context_leave(struct fit_context *x);
/* Compute the record of a row, and its portfolio: from this row's window, the study, and in a chain the row before (x->last) alone, so
 * that any team gets the same bits. Nothing of it is kept yet. Collective on the team. 0 done, 1 stopped (the fit's state is saved), -1
 * error (agreed). */
int context_compute(struct fit_context *x, int row, struct error *e);
/* What came of a fit of the row whose window is x->source.window (x->now): portfolio, return, record. Leader. */
int context_settle(struct fit_context *x, int row, int code, struct error *e);
/* Whether portfolios on assets are kept. */
bool context_weighs(const struct fit_context *x);

#endif
