/* A run at work, and its place: what stands there before, and the results file it leaves there. */
#ifndef STUDY_RUN_OUTPUT_H
#define STUDY_RUN_OUTPUT_H

#include "fit_tasks.h"
#include "io/parts.h"
#include "io/results_file.h"
#include "run_lock.h"
#include "study/driver.h"

struct run {
    struct team *world;
    struct study *study;
    const struct run_options *options;
    const char *panel;
    char *output, *parts, *log, *parameters;
    char folder[PARTS_PATH]; /* in parts: of the run under way; "" until it is begun */
    struct panel_meta meta;
    struct moment_pass pass;
    struct results_plan plan;
    uint8_t **fit; /* [configs][P * seeds] fits found finished */
    struct cuts cuts;
    int64_t *need[8]; /* [universe][2 ranks] half-open ranges of periods whose moments each rank needs */
    long total, done_before;
    int generation;
    double planned; /* bytes of this rank, beyond what the libraries hold */
    size_t base;    /* resident before any of it */
    struct run_lock lock;
};

/* The place itself must take a results file: hours later is too late to find out. Rank 0. */
int run_check_place(const struct run *r, struct error *e);
/* What stands at the output's place: a finished file (*complete: of this study, nothing is left to do), parts of a run under way. Rank 0
 * looks, all agree. The lock on the results is held: nobody else changes what is found. -1: error (agreed). */
int run_check_output(struct run *r, bool *complete, struct error *e);
/* r->plan, what the results file is made of. test_assets [P, M]: room that must last as long as it. */
void run_plan_results(struct run *r, double *test_assets);
/* A resumed run must compute what the skeleton says. Rank 0. */
void run_check_parts(struct run *r, struct error *e);
/* All rows are there: one file from the parts, which go. Collective; -1: error (agreed). */
int run_finish(struct run *r, struct error *e);

/* a and b in one; memory_free. */
char *path_joined(const char *a, const char *b);

#endif
