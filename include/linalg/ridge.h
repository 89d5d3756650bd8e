/* Ridge in the dual. The objective (1/T) sum_t (1 - f_t'lambda)^2 + z |lambda|^2 has lambda = sum_t alpha_t f_t with
 *     alpha(z) = (K + z T I)^-1 1,   K(s,t) = f_s'f_t                                               (11), (58), (123)
 * and every z comes from one eigen-decomposition of K. Leave-one-out (the shift z T held fixed when a period is left out):
 *     loss(z) = mean_t ( alpha_t / [(K + z T I)^-1]_tt )^2
 * T periods, nz penalties. */
#ifndef LINALG_RIDGE_H
#define LINALG_RIDGE_H

#include <stddef.h>

struct ridge_path {
    int T, nz;          /* capacity */
    double *alpha;      /* [nz, T] after ridge_fit: its part in the range of K, the only one that portfolios see */
    double *loss;       /* [nz] leave-one-out losses */
    int selected;       /* the penalty of smallest loss; ties go to the larger z */
    double *eigenvalue; /* [T] ascending, clipped at 0 */
    double *work;
    int *iwork;
    int lwork, liwork;
};

size_t ridge_bytes(int T, int nz);
void ridge_create(struct ridge_path *p, int T, int nz);
void ridge_destroy(struct ridge_path *p);
/* K [T, T] symmetric (row- or column-major alike), not changed; z [nz] ascending. T may be below the capacity. Returns
 * 0, or LAPACK's info (> 0: no convergence; < 0: a NaN in K). */
int ridge_fit(struct ridge_path *p, int T, const double *K, const double *z);

/* The same from eigenvectors found elsewhere, any part of them at a time. ridge_outline: a path without workspace for an
 * eigen-decomposition. ridge_clip: set what is rounding of 0 among all T eigenvalues (ascending) to 0. ridge_spectral: add the part of
 * vector [T, count] (columns) with their value [count] to sums [3, nz, T]; work: ridge_spectral_work doubles. ridge_finish: alpha, loss and
 * selected from the sums of all. */
size_t ridge_outline_bytes(int T, int nz);
void ridge_outline(struct ridge_path *p, int T, int nz);
void ridge_clip(int T, double *value);
size_t ridge_spectral_work(int T, int nz, int count);
void ridge_spectral(int T, int nz, const double *z, int count, const double *vector, const double *value, double *sums,
                    double *work);
void ridge_finish(struct ridge_path *p, int T, const double *sums);

#endif
