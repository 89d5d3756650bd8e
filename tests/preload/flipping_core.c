/* LD_PRELOAD: a core that computes wrong now and then. On rank FLIP_RANK one in ten of the matrix-vector products that every portfolio's
 * return goes through (not transposed, into a fresh vector) comes out with its lowest bit flipped, whatever is computed. Others are exact. */
#define _GNU_SOURCE
#include <cblas.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void cblas_dgemv(OPENBLAS_CONST enum CBLAS_ORDER order, OPENBLAS_CONST enum CBLAS_TRANSPOSE trans, OPENBLAS_CONST blasint m,
                 OPENBLAS_CONST blasint n, OPENBLAS_CONST double alpha, OPENBLAS_CONST double *a, OPENBLAS_CONST blasint lda,
                 OPENBLAS_CONST double *x, OPENBLAS_CONST blasint incx, OPENBLAS_CONST double beta, double *y,
                 OPENBLAS_CONST blasint incy)
{
    static void (*real)(enum CBLAS_ORDER, enum CBLAS_TRANSPOSE, blasint, blasint, double, const double *, blasint,
                        const double *, blasint, double, double *, blasint);
    static long calls;
    const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *chosen = getenv("FLIP_RANK");
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "cblas_dgemv");
    real(order, trans, m, n, alpha, a, lda, x, incx, beta, y, incy);
    if (!chosen || strcmp(rank ? rank : "0", chosen) || trans != CblasNoTrans || beta != 0 || incy != 1 || ++calls % 10)
        return;
    uint64_t bits;
    memcpy(&bits, y, sizeof bits);
    bits ^= 1;
    memcpy(y, &bits, sizeof bits);
}
