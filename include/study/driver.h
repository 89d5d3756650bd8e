/* The rolling driver: study -> schedule -> every rank's rows -> part logs -> results. */
#ifndef STUDY_DRIVER_H
#define STUDY_DRIVER_H

#include <stdbool.h>

#include "parallel/team.h"
#include "study/study.h"

struct run_options {
    const char *panel, *output; /* override the study's; NULL: the study's own (with a placebo, beside it) */
    struct placebo placebo;     /* kind and lag */
    bool resume;
    const char *apply; /* a RESULTS.parameters folder: networks use these parameters and are not trained; NULL: train */
    double checkpoint_seconds; /* finished rows are forced to disk at least this often */
    double verify;             /* this share of the fits is computed once more on another rank and compared; 0: none */
    double watchdog_seconds;   /* a rank silent for so long, or a file system that does not answer, ends the job; 0: never */
};

/* Run a parsed study to its results file (collective). Returns an exit status: EXIT_DONE; EXIT_INPUT with *e; EXIT_STOPPED after a
 * request to stop, with everything finished so far saved. */
int study_run(struct team *world, struct study *s, const struct run_options *o, struct error *e);

#endif
