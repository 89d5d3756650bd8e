/* A training window as a model sees it: T periods with returns, then `now`, the period in which the model must hold a
 * portfolio, without its return. A view: it owns nothing. What a class did not ask for (struct model_class.needs) is NULL.
 *
 * period[0..T-1] train; period[T] is now: its returns, factors and benchmark are NULL, so a model cannot look ahead. */
#ifndef PANEL_WINDOW_H
#define PANEL_WINDOW_H

#include "panel/panel.h"

/* What the assets of a period showed before, as views into rows that lie elsewhere: nothing is copied, nothing invented.
 * Steps l = 0 .. L-1 in time order; step L-1 is the period itself, where every asset is. */
struct history {
    int L;                    /* lookback */
    const float *const *rows; /* [L] characteristics [.., D] of the universe at step l; NULL before the panel begins */
    const int32_t *row;       /* [n, L] the asset's row there; -1: it was not there, a step to be masked */
};

struct period {
    int index;                     /* t, counted in the panel */
    int64_t date;                  /* formation date */
    int n;                         /* assets of the universe */
    double scale;                  /* factor_scale of n: what F is multiplied with */
    const double *factors;         /* [D] scaled managed factors F_{t+1}; NULL for now */
    double squares;                /* R'R over the universe, unscaled; 0 for now */
    const double *timing;          /* packed Xi_t (panel/moments.h) */
    const double *benchmark;       /* [k] returns of the benchmark's factors; NULL for now */
    const float *characteristics;  /* [n, D] rows of the universe, in asset order */
    const double *returns;         /* [n] R_{t+1}; NULL for now */
    const int64_t *ids;            /* [n] */
    const struct history *history; /* NEED_HISTORY: characteristics of steps t-L+1 .. t, also those before the window */
    /* NEED_GROUPS: [n] label numbers of the panel's group columns, and last its size groups (-1: unknown); NULL: no such column. */
    const int32_t *group[PANEL_COLUMNS_OF_LABELS];
};

struct window {
    int T, D;
    const struct period *period; /* [T+1] */
    const double *factor_gram;   /* [T, T] row-major, both triangles: F_s'F_t of scaled factors           (63) */
    const double *timing_gram;   /* [T+1, T+1]: <Xi_s, Xi_t>; last row and column belong to now          (48) */
};

#endif
