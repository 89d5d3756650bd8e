/* This rank's rows: windows from the moment store, fits, realised returns, records. */
#ifndef STUDY_ROWS_H
#define STUDY_ROWS_H

#include "io/parts.h"
#include "study/schedule.h"
#include "study/survey.h"

struct rows_job {
    struct team *world;
    const struct study *study;
    const struct panel_meta *meta;
    const char *panel;
    const struct survey *survey;
    const struct schedule_work *work;
    int64_t first, end; /* units */
    struct part_writer *parts;
    long total, done_before; /* rows of the study, and those found done: for the progress line */
    const char *log;         /* where the minute lines go */
    long finished;           /* out: rows finished here */
};

/* Codes of the driver itself, beside a model's own (struct fit_note). */
enum { CODE_NO_ASSETS = FIT_NO_DATA };

/* Whether a configuration is worked here row by row, each by one rank. Others: rows_run_teams, fits.h. */
static inline bool rows_serves(const struct config *c)
{
    return !(c->class->needs & NEED_ROWS) && config_ranks(c) == 1;
}
static inline bool rows_teams_serve(const struct config *c)
{
    return !(c->class->needs & NEED_ROWS) && config_ranks(c) > 1;
}
/* Fits of several ranks: teams of neighbours, `ranks` over the team's size of them (ranks left over rest), and an equal run of the rows not
 * in done [P] for each: team k works those of first[k] .. first[k+1]-1. first [ranks + 1]. Returns how many teams. */
int rows_teams_cut(const struct study *s, int config, const uint8_t *done, int ranks, int *first);

/* What rows take of their configuration's seconds, for struct schedule_work; NULL if all windows roll. memory_free. */
double *rows_shares(const struct study *s);

/* Bytes rows_run and rows_run_teams will hold: the largest model and its window. */
double rows_bytes(const struct rows_job *j);
/* Work this rank's units until done, stopped or failed (e). Returns 1 if stopped. Not collective. */
int rows_run(struct rows_job *j, struct error *e);
/* Rows that teams share, one configuration after the other; done [configs][P]. Collective over the world. Returns 1 if stopped; errors
 * in e, not agreed. */
int rows_run_teams(struct rows_job *j, uint8_t *const *done, struct error *e);
/* Work rows row .. row+rows-1 of c, fewer where they take seconds, without keeping them: seconds [rows] of each; how many, or -1. j: study, meta, panel, survey. Not collective. */
int rows_probe(const struct rows_job *j, const struct config *c, int row, int rows, double *seconds, struct error *e);
/* Rank 0 while it waits for others: keep the progress line alive. */
void rows_idle(void *job);

#endif
