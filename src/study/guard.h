/* What stands around a run: the claim on its results path, the watchdog, and the history of its starts. Private to study. */
#ifndef STUDY_GUARD_H
#define STUDY_GUARD_H

#include <time.h>

#include "io/claim.h"
#include "io/parts.h"
#include "parallel/team.h"

struct guard {
    struct team *world;
    const char *output, *parts; /* kept by reference */
    char token[CLAIM_TOKEN];
    bool held, looks; /* rank 0 holds the claim; this rank looks after it for its host */
    char *hosts;      /* rank 0: every host with its ranks, "n[01-12]:64 n13:32" */
    time_t started_at;
    double started;
};

/* Take the results path, start the watchdog (collective). -1 and *e, the same on all ranks, if another run holds it. */
int guard_enter(struct guard *g, struct team *world, const char *output, const char *parts, double watchdog_seconds,
                struct error *e);
/* Rank 0, before finished parts are removed or replaced: is the path still ours? */
int guard_check(const struct guard *g, struct error *e);
/* End both; collective. Safe after a guard_enter that failed. */
void guard_leave(struct guard *g);

/* Rank 0: the newest start in PARTS/history; 0: none. */
int history_last(const struct guard *g);
/* Rank 0: a line in PARTS/history as this start begins, and one as it ends ("stopped on request", "failed"). */
int history_begin(const struct guard *g, int generation, struct error *e);
void history_end(const struct guard *g, int generation, const char *how, long rows);
/* Rank 0: what happened in between. */
int history_note(const struct guard *g, int generation, const char *text, struct error *e);
/* Rank 0: how the results were made, name=value lines for their root attributes (memory_free). peaks: bytes a rank planned, of the
 * program and its libraries, resident at most. */
char *record_text(const struct guard *g, int generation, long rows, long failed, const double *peaks);

#endif
