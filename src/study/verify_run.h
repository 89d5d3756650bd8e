/* `aipm run --verify SHARE`: fits computed once more by other ranks, compared with the records in the part logs byte for byte. Who does
 * what and whom to believe is verify.h's; here it is carried out. A rank that is outvoted loses its logs of this start: its rows are then
 * pending, as after a kill, and are computed again by those that are left.
 *
 * What is seen: faults from the moments on. Moments of a period are formed once, by the rank that reads it, and serve all. */
#ifndef STUDY_VERIFY_RUN_H
#define STUDY_VERIFY_RUN_H

#include "fits.h"
#include "run_lock.h"
#include "verify_share.h"

struct verification {
    struct team *world;
    struct fit_job *job;      /* the run's; its world is all ranks; knows its pace */
    struct moment_pass *pass; /* keeps its moments */
    const struct run_lock *lock;
    double share;
    int start; /* this start's generation, that of its logs */
    /* Compute the rows that are pending on worker [workers] alone, into logs of generation `newest`. Collective over the world; 0 done, 1
     * stopped, -1 error (agreed). */
    int (*again)(void *context, const struct verification *v, struct error *e);
    void *context;
    /* as it goes */
    struct verify_share of;
    int newest,
        checked; /* generation of the newest logs; those of generations below `checked` have been verified, 0: none have */
    int *worker, workers; /* ranks that work, ascending */
    char (*host)[64];     /* [ranks] */
    int64_t fits;         /* verified so far */
};

/* Verify a share of what the logs hold, which nobody writes, and have computed again what is not to be trusted. All up to `context` is set.
 * Collective over the world. 0 all that is left in the logs is by ranks that agree, 1 stopped, -1 error (agreed). */
int verification_run(struct verification *v, struct error *e);

#endif
