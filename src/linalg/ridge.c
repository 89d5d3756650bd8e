#include "linalg/ridge.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/eigen.h"

/* Scratch, carved from work: vectors [T,T], their squares [T,T], sums u [T], right-hand sides [nz,T] of three products, two of their
 * results [nz,T], then LAPACK's own. */
static size_t scratch(int T, int nz) { return 2 * (size_t)T * T + (size_t)T + 5 * (size_t)nz * T; }

size_t ridge_bytes(int T, int nz)
{
    int lwork, liwork;
    eigen_workspace(T, &lwork, &liwork);
    return sizeof(double) * ((size_t)nz * T + nz + T + scratch(T, nz) + (size_t)lwork) + sizeof(int) * (size_t)liwork;
}

void ridge_create(struct ridge_path *p, int T, int nz)
{
    *p = (struct ridge_path){.T = T, .nz = nz};
    eigen_workspace(T, &p->lwork, &p->liwork);
    p->alpha = memory_array(double, (size_t)nz * T, "ridge coefficients");
    p->loss = memory_array(double, nz, "ridge losses");
    p->eigenvalue = memory_array(double, T, "eigenvalues");
    p->work = memory_array(double, scratch(T, nz) + (size_t)p->lwork, "ridge workspace");
    p->iwork = memory_array(int, p->liwork, "ridge workspace");
}

void ridge_destroy(struct ridge_path *p)
{
    memory_free(p->alpha);
    memory_free(p->loss);
    memory_free(p->eigenvalue);
    memory_free(p->work);
    memory_free(p->iwork);
}

int ridge_fit(struct ridge_path *p, int T, const double *K, const double *z)
{
    size_t TT = (size_t)T * T, nT = (size_t)p->nz * T;
    double *V = p->work, *V2 = V + TT, *u = V2 + TT, *right = u + T, *inverse = right + nT, *span = inverse + nT, *full = span + nT,
           *diagonal = full + nT, *lapack = diagonal + nT;
    memcpy(V, K, sizeof(double) * TT);
    for (size_t i = 0; i < TT; i++)
        if (!isfinite(V[i])) return -1;
    int info = eigen_symmetric(T, V, p->eigenvalue, lapack, p->lwork, p->iwork, p->liwork);
    if (info) return info;
    /* Below this an eigenvalue is rounding of 0 (K has at most D others where D < T). Its part of alpha, u/(zT) v, moves the leave-one-out
     * losses but no portfolio, since sum_t v_t f_t = 0: left in, it would multiply the rounding of that sum by 1/(zT). */
    double nothing = T * DBL_EPSILON * fmax(p->eigenvalue[T - 1], 0);
    for (int k = 0; k < T; k++) {
        if (p->eigenvalue[k] <= nothing) p->eigenvalue[k] = 0;
        u[k] = 0;
        for (int t = 0; t < T; t++) u[k] += V[(size_t)k * T + t];
    }
    for (size_t i = 0; i < TT; i++) V2[i] = V[i] * V[i];
    for (int i = 0; i < p->nz; i++)
        for (int k = 0; k < T; k++) {
            inverse[(size_t)i * T + k] = 1 / (p->eigenvalue[k] + z[i] * T);
            right[(size_t)i * T + k] = u[k] * inverse[(size_t)i * T + k];
            span[(size_t)i * T + k] = p->eigenvalue[k] > 0 ? right[(size_t)i * T + k] : 0;
        }
    /* column-major: alpha' = V right, diag = (V o V) inverse, all penalties at once */
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, p->nz, T, 1, V, T, span, T, 0, p->alpha, T);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, p->nz, T, 1, V, T, right, T, 0, full, T);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, p->nz, T, 1, V2, T, inverse, T, 0, diagonal, T);
    p->selected = 0;
    for (int i = 0; i < p->nz; i++) {
        double sum = 0;
        for (int t = 0; t < T; t++) {
            double left_out = full[(size_t)i * T + t] / diagonal[(size_t)i * T + t];
            sum += left_out * left_out;
        }
        p->loss[i] = sum / T;
        if (p->loss[i] <= p->loss[p->selected]) p->selected = i;
    }
    return 0;
}
