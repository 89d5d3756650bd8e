/* What stands around a run: the lease on its results path, the watchdog, and the history of its starts. Private to study. */
#ifndef STUDY_RUN_LOCK_H
#define STUDY_RUN_LOCK_H

#include <time.h>

#include "io/lease.h"
#include "io/parts.h"
#include "parallel/team.h"

struct run_lock {
    struct team *world;
    const char *output, *folder; /* kept by reference */
    char token[LEASE_TOKEN];
    bool held, looks; /* rank 0 holds the lease; this rank looks after it for its host */
    char *hosts;      /* rank 0: every host with its ranks, "n[01-12]:64 n13:32" */
    time_t started_at;
    double started;
};

/* Take the results path, start the watchdog (collective). `folder` will hold the history, its name may become known later. -1 and *e, the same on all ranks, if another run holds it. */
int run_lock_enter(struct run_lock *g, struct team *world, const char *output, const char *folder, double watchdog_seconds,
                   struct error *e);
/* End both; collective. Safe after a run_lock_enter that failed. */
void run_lock_leave(struct run_lock *g);

/* Rank 0: the newest start in FOLDER/history; 0: none. */
int history_last(const struct run_lock *g);
/* Rank 0: a line in FOLDER/history as this start begins, and one as it ends ("stopped on request", "failed"). */
int history_begin(const struct run_lock *g, int generation, struct error *e);
void history_end(const struct run_lock *g, int generation, const char *how, long rows);
/* Rank 0: what happened in between. */
int history_note(const struct run_lock *g, int generation, const char *text, struct error *e);
/* Rank 0: how the results were made, name=value lines for their root attributes (memory_free). peaks: bytes a rank planned, of the
 * program and its libraries, resident at most. */
char *record_text(const struct run_lock *g, int generation, long rows, long failed, const double *peaks);

#endif
