/* A team as a BLACS process grid, dense matrices spread over it in blocks, and ScaLAPACK's symmetric eigen-solver with the checks
 * that its answer deserves. Ranks left over (5 ranks make a 2 x 2 grid) and ranks that own no block are normal: every rank of
 * the team makes every call marked (collective), those outside the grid return from most of them at once.
 * The bits of a solve depend on the shape of the grid: what must not depend on the number of ranks is solved by a team of
 * fixed size (or by LAPACK on one rank). */
#ifndef PARALLEL_GRID_H
#define PARALLEL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "parallel/team.h"

struct grid;

/* The largest grid of `ranks` or fewer with rows <= cols <= 2 rows + 1; of equals the squarest. */
void grid_shape(int ranks, int *rows, int *cols);
/* rows = 0: grid_shape of the team (collective). */
struct grid *grid_open(struct team *t, int rows, int cols);
void grid_close(struct grid *g);                                                 /* collective */
bool grid_member(const struct grid *g);                                          /* this rank has a place in it */
int grid_ranks(const struct grid *g);                                            /* rows x cols */
void grid_place(const struct grid *g, int *rows, int *cols, int *row, int *col); /* row = -1 outside */

/* An n x m matrix in blocks of nb x nb dealt round-robin over the grid; here: the blocks of this rank, one column-major array
 * of `rows` x `cols` (either may be 0). */
struct grid_matrix {
    int n, m, nb;
    int rows, cols, ld; /* ld = max(1, rows) */
    int *row, *col;     /* [rows], [cols]: index in the whole matrix, ascending */
    double *data;
    int descriptor[9];
};
struct grid_matrix *grid_matrix_new(struct grid *g, int n, int m, int nb, const char *what);
void grid_matrix_free(struct grid_matrix *a);

/* What a solve found about itself; the same on every rank of the team. */
struct grid_note {
    int code;        /* 0 fine, GRID_... below */
    int info;        /* ScaLAPACK's */
    double residual; /* |A Z x - Z L x| / (|A| |x| n eps), the largest of GRID_PROBES random x in every coordinate +-1 */
    double orthogonality; /* |Z'Z x - x| / (|x| n eps), likewise */
    double seconds;       /* in the solver alone */
};
enum { GRID_PROBES = 4 };
enum { GRID_FINE, GRID_NOT_CONVERGED, GRID_WORKSPACE, GRID_INACCURATE };
const char *grid_code_text(int code);
/* Residual and orthogonality above this many n eps are recorded as GRID_INACCURATE. */
#define GRID_TOLERANCE 50.0

enum grid_solver { GRID_PDSYEVD, GRID_PDSYEVR };

/* Eigenvalues (value [n], ascending, on every rank inside) and eigenvectors (columns of z) of the symmetric A whose lower triangle
 * `fill` computes: fill(context, rows, row, cols, col, out, ld) writes out[i + j ld] = A(row[i], col[j]) for every row[i] >= col[j]
 * in place (more is allowed). No rank ever holds the whole. A's place `a` is used up and filled again for the check: 6 n^2 GRID_PROBES
 * flops and a second assembly. (collective over the team) */
typedef void grid_fill(void *context, int rows, const int *row, int cols, const int *col, double *out, int ld);
void grid_eigen(struct grid *g, enum grid_solver solver, struct grid_matrix *a, grid_fill *fill, void *context,
                double *value, struct grid_matrix *z, struct grid_note *note);

/* All of the columns first .. first+count-1 of z on this rank, contiguous [n, count]: rank k of the grid gets the k-th slab of
 * grid_slab(n, ranks) columns (the last ones may get fewer or none). `out` has room for n * grid_slab doubles. (collective) */
int grid_slab(int m, int ranks);
void grid_columns(struct grid *g, const struct grid_matrix *z, double *out, int *first, int *count);

/* The sum over the grid's ranks of values [n], on every rank of the team, ranks left over too (collective). The order of summation is
 * that of the ranks. */
void grid_sum(struct grid *g, double *values, size_t n);
/* sum[n] of the parts, to rank `root` of the grid only; `part` may equal `sum` there. (collective over the grid) */
void grid_sum_to(struct grid *g, const double *part, double *sum, size_t n, int root);

/* Bytes that one rank needs for an eigen-solve of order n with all eigenvectors: the matrix, its eigenvectors and pdsyevd's
 * workspace. -1: a size that ScaLAPACK's 32-bit counts cannot state. */
double grid_bytes(int n, int nb, int rows, int cols);
/* The smallest team whose ranks need no more than `bytes` each (0: none up to 2^20 ranks). */
int grid_ranks_needed(int n, int nb, double bytes);
/* Before anything is allocated: fills e with what is needed, what there is, and how many ranks would do. */
int grid_fits(const struct grid *g, int n, int nb, double bytes, const char *what, struct error *e);

#endif
