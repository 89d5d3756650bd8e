/* Where windows come from. What a model sees of a period is either its moments, taken once by the moment pass, or the rows of its universe,
 * read as windows roll over them; the rest of the engine does not know which. */
#ifndef STUDY_WINDOW_SOURCE_H
#define STUDY_WINDOW_SOURCE_H

#include "fit_tasks.h"
#include "row_ring.h"

struct window_source {
    const struct fit_job *job;
    const struct config *config;
    struct panel_file *file; /* NULL until rows are wanted */
    struct row_ring ring;    /* rows of the window, or of now alone where only its portfolio is kept */
    struct window window;
    struct period *period;             /* [T+1] of the window */
    double *factors;                   /* [T+1, D] scaled; row T is what now earns, which no window shows */
    double *factor_gram, *timing_gram; /* [T, T], [T+1, T+1] */
};

/* Bytes that a source of this configuration's windows takes. */
double windows_bytes(const struct fit_job *j, const struct config *c);
/* Turn to a configuration; from a zeroed struct, or from another one, whose rows stay in memory where they serve. */
int windows_open(struct window_source *s, const struct fit_job *j, const struct config *c, struct error *e);
void windows_close(struct window_source *s);
/* s->window: the T periods before panel period `now`, and now without its return. T = 0: now alone, and no period before it is read. -1: bad rows. */
int windows_take(struct window_source *s, int now, int T, struct error *e);
/* Now with what it earned: factors, returns or benchmark, and its rows where portfolios are kept. For the driver, not for models. */
int windows_realised(struct window_source *s, int now, struct period *out, struct error *e);

#endif
