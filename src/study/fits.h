/* The engine: every rank works its part of the cuts, then tasks of the queue, and keeps the records that come of them. */
#ifndef STUDY_FITS_H
#define STUDY_FITS_H

#include "fit_context.h"

/* Work the study's tasks until all are done, one is stopped, or one fails. Collective over the world. Returns 1 if stopped; errors in e, not
 * agreed. */
int fits_run(struct fit_job *j, struct error *e);
/* While waiting for others (job: struct fit_job): rank 0 keeps the progress line alive, and a request to stop is passed on. */
void fits_idle(void *job);

/* What rows of a configuration cost here. */
struct fit_rates {
    double fit, served; /* seconds of a row that takes a fit, and of one that an earlier fit serves */
    double first;       /* more for the first of a stretch */
};
/* Measured on fits over a few rows from `row` on that are not kept, and where fits are long on a smaller one, scaled by the model's own
 * cost. j: world, study, meta, panel, moment pass. Collective. */
int fits_probe(struct fit_job *j, const struct config *c, int row, struct fit_rates *rates, struct error *e);

#endif
