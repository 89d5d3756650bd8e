/* What there is to fit, cut into tasks that teams take as they become free. */
#ifndef STUDY_FIT_TASKS_H
#define STUDY_FIT_TASKS_H

#include "fits.h"
#include "parallel/pick.h"

struct task {
    int config, seed, row, rows;
};

/* Tasks of each configuration in order, the same on all ranks. */
struct tasks {
    int64_t total;
    int64_t *first; /* [configs + 1] */
    struct task *task;
};
void tasks_create(struct tasks *t, const struct fits_job *j);
void tasks_free(struct tasks *t);
/* The next task for a team: of the configuration whose tasks take longest. -1: none is left. */
int64_t tasks_take(struct team_pick *pick, const struct study *s, const struct tasks *t);

/* Whether a row of a configuration and seed is still to be done. */
bool fit_pending(const struct fits_job *j, int c, int seed, int row);
#endif
