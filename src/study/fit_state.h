/* What a fit that leaves parameters keeps on disk: its own state while it is under way, the parameters that a chain of windows goes on
 * from, and those saved for good. */
#ifndef STUDY_FIT_STATE_H
#define STUDY_FIT_STATE_H

#include "fit_context.h"

/* The fit over the window in hand, begun at a checkpoint where there is one, and checkpointed while it runs. Collective on the team;
 * errors in e, not agreed. note->code < 0: stopped, the state is saved. */
void state_fit(struct fit_context *x, int row, struct fit_note *note, struct error *e);
/* Leader: the row's fit is over and kept, its checkpoint goes. */
void state_remove(const struct fit_context *x, int row);

/* Leader: keep the parameters in hand as those of `row`, for a chain; or for good, in RESULTS.parameters. */
int state_save_chain(struct fit_context *x, int row, struct error *e);
int state_save(struct fit_context *x, struct error *e);
/* The row whose parameters a chain left behind, which are then in hand; -1: none. Collective on the team. */
int state_load_chain(struct fit_context *x);
/* Saved parameters (struct fit_job.apply) that are to serve the window's now. */
int state_load(struct fit_context *x, const char *from, struct error *e);

#endif
