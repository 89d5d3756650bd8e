#include "linalg/ridge.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/eigen.h"

/* Scratch, carved from work: vectors [T,T], their squares [T,T], sums u [T], two right-hand sides [nz,T], diagonal
 * [nz,T], then LAPACK's own. */
static size_t scratch(int T, int nz) { return 2 * (size_t)T * T + (size_t)T + 3 * (size_t)nz * T; }

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
    double *V = p->work, *V2 = V + TT, *u = V2 + TT, *right = u + T, *inverse = right + nT, *diagonal = inverse + nT, *lapack = diagonal + nT;
    memcpy(V, K, sizeof(double) * TT);
    for (size_t i = 0; i < TT; i++)
        if (!isfinite(V[i])) return -1;
    int info = eigen_symmetric(T, V, p->eigenvalue, lapack, p->lwork, p->iwork, p->liwork);
    if (info) return info;
    for (int k = 0; k < T; k++) {
        p->eigenvalue[k] = fmax(p->eigenvalue[k], 0);      /* below zero is rounding */
        u[k] = 0;
        for (int t = 0; t < T; t++) u[k] += V[(size_t)k * T + t];
    }
    for (size_t i = 0; i < TT; i++) V2[i] = V[i] * V[i];
    for (int i = 0; i < p->nz; i++)
        for (int k = 0; k < T; k++) {
            inverse[(size_t)i * T + k] = 1 / (p->eigenvalue[k] + z[i] * T);
            right[(size_t)i * T + k] = u[k] * inverse[(size_t)i * T + k];
        }
    /* column-major: alpha' = V right, diag = (V o V) inverse, all penalties at once */
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, p->nz, T, 1, V, T, right, T, 0, p->alpha, T);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, p->nz, T, 1, V2, T, inverse, T, 0, diagonal, T);
    p->selected = 0;
    for (int i = 0; i < p->nz; i++) {
        double sum = 0;
        for (int t = 0; t < T; t++) {
            double left_out = p->alpha[(size_t)i * T + t] / diagonal[(size_t)i * T + t];
            sum += left_out * left_out;
        }
        p->loss[i] = sum / T;
        if (p->loss[i] <= p->loss[p->selected]) p->selected = i;
    }
    return 0;
}
