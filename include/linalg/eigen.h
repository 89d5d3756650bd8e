/* Symmetric eigen-problems of one core's size (LAPACKE dsyevd). */
#ifndef LINALG_EIGEN_H
#define LINALG_EIGEN_H

#include <stddef.h>

#include "base/error.h"

/* Workspace of eigen_symmetric for order n: *lwork doubles, *liwork ints. */
void eigen_workspace(int n, int *lwork, int *liwork);
/* A [n, n] column-major, its lower triangle read; on return its columns are the eigenvectors, value [n] ascending.
 * Returns LAPACK's info: 0 fine, > 0 no convergence. */
int eigen_symmetric(int n, double *A, double *value, double *work, int lwork, int *iwork, int liwork);

/* The BLAS in use, for the record: "OpenBLAS 0.3.21 SkylakeX, 1 thread". */
const char *blas_text(void);
/* NULL, or a warning if the BLAS runs kernels of an older processor than this one (OPENBLAS_CORETYPE preset). */
const char *blas_warning(void);
/* Ranks are the parallelism: one BLAS thread each unless the user's environment says otherwise. */
void blas_one_thread(void);
/* OpenBLAS takes 128 MB of addresses a thread, some as the program is loaded, some at its first call, and tries again for ever where
 * they are refused. This makes it take them now, or says in *e that they do not fit under the process's limits together with `others`
 * bytes; then nothing of OpenBLAS may be called, nor exit(), which waits for its threads: end with _exit. */
int blas_open(size_t others, struct error *e);

#endif
