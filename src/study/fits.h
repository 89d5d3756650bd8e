/* Fits that want the rows of a window (networks, DKKM): teams of ranks take tasks as they become free, the longest first, costs
 * being corrected by what was measured. A task is one (configuration, seed, run of rows): one row for most, every row where a window
 * begins at the parameters of the one before, a stretch where consecutive windows share work. */
#ifndef STUDY_FITS_H
#define STUDY_FITS_H

#include "rows.h"

/* Whether a class is served here rather than by rows_run. */
static inline bool fits_serves(const struct model_class *c)
{
    return (c->needs & NEED_ROWS) != 0;
}

struct fits_job {
    struct rows_job *rows;  /* what both share: study, panel, part log, counts */
    const char *folder;     /* RESULTS.parts: checkpoints of fits under way */
    const char *parameters; /* RESULTS.parameters */
    const char *apply;      /* parameters to use in place of training; NULL: train */
    double checkpoint_seconds;
    uint8_t *const *done; /* [configs][P * seeds] */
};

/* Bytes fits_run will hold on a rank: the largest model and its window's rows. */
double fits_bytes(const struct fits_job *j);
/* Ranks of a team: the study's ranks_per_fit, or as many (at most `shards`) as keep all ranks busy with `tasks` tasks. */
int fits_team_size(const struct study *s, int ranks, int64_t tasks);
/* Rows of a task of this configuration. */
int fits_stretch(const struct study *s, const struct config *c, int ranks);
/* The configuration a free team takes its next task from, -1 if none is left. left, rows, measured [configs]: tasks not yet taken, rows
 * of a task, seconds a row so far (0: none known). */
int fits_choose(const struct study *s, const int64_t *left, const int *rows, const double *measured);
/* What a row of c costs here, measured on a fit over few periods and one epoch and scaled by the model's own cost: seconds of a row, and
 * more for the first of a stretch. j: world, study, meta, panel. Collective. */
int fits_probe(const struct rows_job *j, const struct config *c, int row, double *first, double *next, struct error *e);
/* Collective over the world. Returns 1 if stopped; errors in e, not agreed. */
int fits_run(struct fits_job *j, struct error *e);

#endif
