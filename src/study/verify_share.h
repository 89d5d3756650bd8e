/* How a run's share of verification is spent: which rows of which configurations, by what they were measured to take. */
#ifndef STUDY_VERIFY_SHARE_H
#define STUDY_VERIFY_SHARE_H

#include "fit_tasks.h"
#include "verify.h"

struct verify_share {
    const struct fit_job *job; /* its pace is known */
    double share;
    /* Seconds of a configuration's rows: of one that follows another; more for one that begins a stretch; of all. */
    struct rate {
        double row, first, work;
    } * rate; /* [configs] */
};

/* *v for a share of what the job took, by its pace on average over ranks; where nothing was computed, by the models' own figures. Collective;
 * memory_free v->rate. */
void share_rates(struct verify_share *v, const struct fit_job *j, double share);
/* Whether every row rests on the one before: the share verified is then the first rows. */
bool share_chains(const struct fit_job *j, const struct config *c);
/* Rows of a configuration that only make sense together, as those one fit serves, and the share of them that is verified. */
struct verify_stretch share_stretch(const struct verify_share *v, int c);
/* Whether the k-th of these stretches of a seed is verified. Where they cost more than the share of a seed, those of all seeds are drawn from together. */
bool share_chosen(const struct verify_share *v, int c, int seed, int k, const struct verify_stretch *t);
/* Name what is not verified, and why. */
void share_name_unverified(const struct verify_share *v);

#endif
