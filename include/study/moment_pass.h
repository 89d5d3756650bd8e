/* One reading of the panel before any fit: every period is read once, by the rank that owns it; its rows are checked and hashed, and the
 * moments of every universe taken (panel/moments.h). Each rank then fetches the moments of the periods that its own windows need.
 *   U universes   T periods */
#ifndef STUDY_MOMENT_PASS_H
#define STUDY_MOMENT_PASS_H

#include "io/panel_file.h"
#include "parallel/team.h"
#include "study/study.h"

struct moment_store {
    int first, periods;  /* held: first .. first+periods-1 */
    double *record;      /* [periods, moments_size(D)] */
    int band;            /* Gram rows reach this many periods back */
    double *factor_gram; /* [periods, band+1]: (t, k) is F_t'F_{t-k}, unscaled */
    double *timing_gram; /* [periods, band+1]: <Xi_t, Xi_{t-k}> */
};

struct moment_pass {
    int D, T, U;
    const struct universe *universe[8]; /* the study's in its order, then `all` where test assets want it */
    int64_t *own_first;                 /* [ranks+1] periods owned */
    double *own[8];                     /* [U] moments of the owned periods; freed by moment_pass_fetch unless kept */
    bool keep;                          /* moments are fetched more than once */
    int *n;                             /* [U, T] assets, on every rank */
    double *factors;              /* rank 0: [T, D] F of the whole universe, unscaled; NULL if the panel has test assets */
    char digest[PANEL_DIGEST];    /* of the whole panel */
    struct moment_store store[8]; /* [U] */
};

/* Bytes this rank will hold for its part: rows of a period, own moments. */
double moment_pass_bytes(const struct study *s, const struct panel_meta *m, int ranks);
/* Choose the universes and who owns which periods. Not collective, nothing large is taken; moment_pass_free. */
void moment_pass_begin(const struct team *world, const struct study *s, const struct panel_meta *m, struct moment_pass *v);
/* Collective. An error (bad rows) is the same on all ranks. Returns 1 if asked to stop. */
int moment_pass_read(struct team *world, const struct panel_meta *m, const char *panel, struct moment_pass *v,
                     struct error *e);
/* need [U][2 ranks]: half-open period ranges of every rank. Fetches records in place of those held, forms Gram bands of width `band`. Collective. */
void moment_pass_fetch(struct team *world, struct moment_pass *v, int64_t *const *need, int band);
/* This rank alone reads `periods` periods and forms their Gram bands, on the clock: what a plan is made from. moment_pass_free. */
struct moment_pass_cost {
    double rows, read_seconds; /* stock rows read, checked, hashed, moments of all universes taken */
    double gram_seconds;       /* Gram bands of all universes */
};
int moment_pass_probe(const struct study *s, const struct panel_meta *m, const char *panel, int first, int periods, int band,
                      struct moment_pass *v, struct moment_pass_cost *cost, struct error *e);
double store_bytes(int D, int64_t periods, int band);
void moment_pass_free(struct moment_pass *v);

static inline const double *store_record(const struct moment_store *s, int D, int t)
{
    return s->record + (size_t)(t - s->first) * moments_size(D);
}

#endif
