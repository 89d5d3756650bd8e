/* The dual ridge (linalg/ridge.h) of a long window on a team of ranks: the T x T kernel is eigen-decomposed on their grid. */
#ifndef MODELS_RIDGE_GRID_H
#define MODELS_RIDGE_GRID_H

#include "linalg/ridge.h"
#include "parallel/grid.h"

/* Bytes a fit takes on each of the ranks, beside the outline; INFINITY: more than 32-bit counts can state. */
double ridge_grid_bytes(int T, int nz, int ranks);
/* The fewest ranks that need no more than `bytes` each; 0: none. */
int ridge_grid_needed(int T, int nz, double bytes);
/* p: an outline. K [T, T] symmetric on every rank. Answers on every rank, their bits a matter of the team's size. Returns 0, -1: a NaN in
 * K, or GRID_... as in note. (collective) */
int ridge_grid_fit(struct ridge_path *p, struct team *team, int T, const double *K, const double *z, struct grid_note *note);

#endif
