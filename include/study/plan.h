/* What a study will cost, before it runs: rates measured here in seconds (and kept in a cache), then the program's own schedule played
 * through for any number of ranks. */
#ifndef STUDY_PLAN_H
#define STUDY_PLAN_H

#include "parallel/team.h"
#include "study/study.h"

/* Seconds on one rank of this machine, others away: processor time but for reading. */
struct calibration {
    double *row, *first;  /* [configs] of a row; more for the first of a stretch */
    double read_row;      /* a stock row read, checked, hashed, its moments taken in every universe */
    double gram_period;   /* a period's Gram bands in every universe */
    int measured, cached; /* configurations */
    double seconds;       /* what measuring took */
};
/* Measures every configuration on a few rows of the study's own panel; what the cache knows for this processor, BLAS and number of busy
 * ranks is taken from there (cache: a file; NULL: none). Under mpirun all ranks measure at once, so that what they share (memory, clock)
 * is in the figures. Collective; calibration_free. */
int calibrate(struct team *world, const struct study *s, const struct panel_meta *m, const char *panel, const char *cache,
              struct calibration *c, struct error *e);
/* $XDG_CACHE_HOME/aipm/calibration, else under ~/.cache; memory_free. NULL: no home. */
char *calibration_cache(void);
void calibration_free(struct calibration *c);

/* A run of the study on `ranks` ranks as the scheduler would have it, played through. */
struct forecast {
    int ranks, team;           /* team: ranks that share a fit of a network */
    double pass, rows, finish; /* seconds: reading and moments; rows and fits; writing the results */
    double verify;             /* seconds: fits verified, 0 until forecast_verify() */
    double seconds;            /* all of it */
    double busy;               /* rank-seconds of work in `rows` */
    double idle;               /* share of the ranks' time in `rows` without work */
    double bytes;              /* a rank, beside the program and its libraries */
};
/* team: ranks that share a fit, taken to share it evenly; 0: the program's own choice. slowness [ranks]: times a rank's time (NULL: all 1),
 * what uneven processors do to the schedule. */
void forecast_run(const struct study *s, const struct panel_meta *m, const struct calibration *c, int ranks, int team,
                  const double *slowness, struct forecast *f);
/* The same with the team, a power of two up to the study's shards, that ends first. */
void forecast_best(const struct study *s, const struct panel_meta *m, const struct calibration *c, int ranks,
                   struct forecast *f);

/* The same run with --verify SHARE: that share of the work done once more, spread over the ranks but for the longest row, and moments kept
 * for it. Adds to a forecast. */
void forecast_verify(const struct study *s, const struct panel_meta *m, const struct calibration *c, double share,
                     struct forecast *f);

/* What a study holds. */
struct workload {
    int64_t rows, fits;    /* rows of all configurations; fits (rows times seeds) */
    double flops, seconds; /* of all fits, on one rank */
};
void workload_of(const struct study *s, const struct calibration *c, struct workload *w);

#endif
