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
    int64_t first, end;              /* units */
    struct part_writer *parts;
    long total, done_before;         /* rows of the study, and those found done: for the progress line */
    const char *log;                 /* where the minute lines go */
    long finished, failed;           /* out: rows finished here, fits with a code */
};

/* Codes of the driver itself, beside a model's own (struct fit_note). */
enum { CODE_NO_ASSETS = FIT_NO_DATA };

/* Bytes rows_run will hold: the largest model and its window. */
double rows_bytes(const struct rows_job *j);
/* Work this rank's units until done, stopped or failed (e). Returns 1 if stopped. Not collective. */
int rows_run(struct rows_job *j, struct error *e);
/* Work rows row .. row+rows-1 of c, fewer where they take seconds, without keeping them: seconds [rows] of each; how many, or -1. j: study, meta, panel, survey. Not collective. */
int rows_probe(const struct rows_job *j, const struct config *c, int row, int rows, double *seconds, struct error *e);
/* Rank 0 while it waits for others: keep the progress line alive. */
void rows_idle(void *job);

#endif
