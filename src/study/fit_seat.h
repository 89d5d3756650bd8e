/* One configuration and seed at work on a rank: its model, the rows of the window in hand, what comes of a fit. */
#ifndef STUDY_FIT_SEAT_H
#define STUDY_FIT_SEAT_H

#include "fits.h"
#include "row_ring.h"

struct seat {
    const struct config *config;
    int seed;
    struct model *model;
    struct row_ring ring;
    struct window window;
    struct period *period; /* [T+1] */
    double *base, *positions, *variant, *record;
    float *weights;
    int chained; /* row whose parameters the model holds; -1: none */
    int fitted;  /* first row of the block whose parameters the model holds; -1: none ... */
    int code;    /* ... and how its fit ended */
};

/* Sit down at a configuration and seed: its model, its room; rows in memory stay where they serve the next, too. */
void seat_take(struct seat *s, const struct rows_job *j, const struct config *c, int seed);
void seat_leave(struct seat *s);
double seat_bytes(const struct rows_job *j, const struct config *c);
/* The window that ends before panel period `now`: everything up to now, no return of now. */
int seat_window(struct seat *s, const struct rows_job *j, struct panel_file *f, int now, struct error *e);
/* What the portfolios of now earn, and the record. Leader. */
void seat_earn(struct seat *s, int now);
/* The chosen portfolio on assets, NaN for a fit that failed. */
void seat_weigh(struct seat *s, int failed);

/* The first row of the block of rows that share row's fit. */
int block_start(const struct study *s, const struct config *c, int row);

#endif
