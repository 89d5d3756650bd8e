/* What there is to fit, and who does it. A task is a run of rows of one configuration and seed. Closed forms are cheap and want
 * neighbouring windows: a static cut gives each rank, or each team of as many ranks as their fits take, one run of them. Fits over rows
 * are long and uneven: teams take them from a queue as they become free. Both work tasks in the same way (fits.h). */
#ifndef STUDY_FIT_TASKS_H
#define STUDY_FIT_TASKS_H

#include "io/parts.h"
#include "parallel/work_queue.h"
#include "study/moment_pass.h"

/* Processor time of a configuration's rows on this rank: of those that go on from the row before, and of those that begin a stretch. */
struct fit_pace {
    double begun, followed; /* seconds */
    long begins, follows;   /* rows */
};

/* A run of the study as those who fit see it. */
struct fit_job {
    struct team *world;
    const struct study *study;
    const struct panel_meta *meta;
    const char *panel;
    const struct moment_pass *pass;
    uint8_t *const *done;    /* [configs][P * seeds] fits found finished */
    const struct cuts *cuts; /* of what was not done */
    struct part_writer *parts;
    const char *folder;     /* RESULTS.parts: checkpoints of fits under way */
    const char *parameters; /* RESULTS.parameters */
    const char *apply;      /* parameters to use in place of training; NULL: train */
    double checkpoint_seconds;
    long total, done_before; /* fits of the study, and those found done: for the progress line */
    const char *log;         /* where the minute lines go */
    bool quiet;              /* no progress is shown: it is not rows of the study that are being finished */
    struct fit_pace *pace;   /* [configs] out, added to; NULL: nobody wants to know */
    int team;                /* out: ranks of the teams that worked the queue; 0: there was nothing in it */
    long planned, finished;  /* out: fits that this rank has taken on; fits it has kept */
};

struct task {
    int config, seed, row, rows;
};

/* Whether the fit of a configuration, seed and row is still to be done. */
bool fit_pending(const struct fit_job *j, int c, int seed, int row);
/* The first of the rows that share this row's fit. */
int fit_start(const struct study *s, const struct config *c, int row);

/* ---- the static cut ---- */

/* The decision how a configuration's rows are spread: the ranks of each of the teams that share them in a static cut; 0: they are tasks of
 * the queue. */
int config_cut(const struct config *c);

/* The cut among teams of one size, and all of them, smallest teams first; one is worked after the other. */
struct cut {
    int ranks, teams; /* team k is ranks k * ranks ..; ranks left over rest */
    int64_t
        *first; /* [teams + 1] team k works the units (config * P + row) first[k] .. first[k+1]-1 of configurations so cut */
};
struct cuts {
    int n;
    struct cut *cut;
};
/* done [configs][P]: left out; NULL: nothing is done. The same on all ranks. cuts_free. */
void cuts_create(struct cuts *k, const struct study *s, int ranks, uint8_t *const *done);
void cuts_free(struct cuts *k);
/* The next task of a team from unit *at (0 at first) on; false: there is none. */
bool cut_next(const struct cut *k, const struct study *s, int team, int64_t *at, struct task *t);
/* need [universes][2 ranks]: the hull of the periods whose moments each rank's windows reach over; empty where it has none. */
void cuts_needs(const struct cuts *k, const struct study *s, int ranks, uint8_t *const *done, int64_t *const *need);
/* Widen need [2], a half-open range of periods (empty: equal), to what the windows of a task's rows reach over. */
void task_needs(const struct study *s, const struct task *t, int64_t *need);
/* The longest window of moments: how far Gram bands reach. */
int cuts_longest(const struct study *s);

/* ---- the queue ---- */

/* Tasks of each configuration in order, the same on all ranks. */
struct tasks {
    int64_t total;
    int64_t *first; /* [configs + 1] */
    struct task *task;
};
void tasks_create(struct tasks *t, const struct fit_job *j);
void tasks_free(struct tasks *t);
/* The next task for a team: of the configuration whose tasks take longest. -1: none is left. */
int64_t tasks_take(struct work_queue *queue, const struct study *s, const struct tasks *t);
/* Rows of a task of this configuration: one for most, every row where a window begins at the parameters of the one before, those that
 * share a fit, or a stretch where consecutive windows share work. */
int tasks_rows(const struct study *s, const struct config *c, int ranks);
/* Ranks of a team: the study's ranks_per_fit, or as many (at most `shards`) as keep all ranks busy with `tasks` tasks. */
int tasks_team(const struct study *s, int ranks, int64_t tasks);
/* The configuration a free team takes its next task from, -1 if none is left. left, rows, measured [configs]: tasks not yet taken, rows
 * of a task, seconds a row so far (0: none known). */
int tasks_choose(const struct study *s, const int64_t *left, const int *rows, const double *measured);

#endif
