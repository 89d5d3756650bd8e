/* What a fit is told and what it tells: when to fit again, whom to ask whether to go on, and how it ended. */
#ifndef NN_FIT_H
#define NN_FIT_H

#include <stdbool.h>
#include <stddef.h>

/* A fit's numerical outcome. Codes from FIT_NO_DATA on are no failures: at that date there is nothing to fit or to trade. */
enum { FIT_NO_DATA = 1000 };
struct fit_note {
    int code; /* 0 fine; > 0: the model's own code, kept in the results; its return is NaN */
    char text[160];
};

/* Which rows are fitted, where fits begin, what is kept of them. */
struct fit_policy {
    int refit_every; /* consecutive rows that share the fit of the first of them; 1: every row is fitted */
    bool warm_start; /* a fit begins at the parameters of the one before */
    const char *
        start_from; /* a RESULTS.parameters folder: a fit (of a chain of warm starts the first) begins there; NULL: at its own values */
    bool save_parameters; /* the parameters of every fit go to files */
};

/* A long fit is monitored: between two steps it polls, on the team's leader, whether to go on. */
enum fit_poll { FIT_CONTINUE, FIT_CHECKPOINT, FIT_STOP };
struct fit_monitor {
    void *context;
    enum fit_poll (*poll)(void *context);                         /* called on the team's rank 0; stop: save first */
    void (*save)(void *context, const void *state, size_t bytes); /* rank 0 again: what `state` will be on resume */
    const void *state; /* rank 0: resume from here with the same bits; NULL: from the start */
    size_t state_bytes;
};

#endif
