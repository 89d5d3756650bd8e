/* The ridge path from one eigen-decomposition of the kernel, with every leave-one-out error in closed form. */
#include "linalg/ridge.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/eigen.h"

/* How `work` is divided: vectors [T, T], sums of three products [3, nz, T], the workspace of these sums, then LAPACK's own. */
static size_t scratch(int T, int nz)
{
    return (size_t)T * T + 3 * (size_t)nz * T + ridge_spectral_work(T, nz, T);
}

size_t ridge_spectral_work(int T, int nz, int count)
{
    return (size_t)count * ((size_t)T + 1 + 3 * (size_t)nz);
}

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
    p->alpha = memory_array(double, (size_t)nz *T, "ridge coefficients");
    p->loss = memory_array(double, nz, "ridge losses");
    p->eigenvalue = memory_array(double, T, "eigenvalues");
    p->work = memory_array(double, scratch(T, nz) + (size_t)p->lwork, "ridge workspace");
    p->iwork = memory_array(int, p->liwork, "ridge workspace");
}

size_t ridge_outline_bytes(int T, int nz)
{
    return sizeof(double) * ((size_t)nz * T + nz + T);
}

void ridge_outline(struct ridge_path *p, int T, int nz)
{
    *p = (struct ridge_path){.T = T, .nz = nz};
    p->alpha = memory_array(double, (size_t)nz *T, "ridge coefficients");
    p->loss = memory_array(double, nz, "ridge losses");
    p->eigenvalue = memory_array(double, T, "eigenvalues");
}

void ridge_destroy(struct ridge_path *p)
{
    memory_free(p->alpha);
    memory_free(p->loss);
    memory_free(p->eigenvalue);
    memory_free(p->work);
    memory_free(p->iwork);
}

/* Below this an eigenvalue is rounding of 0 (K has at most D others where D < T). Its part of alpha, u/(zT) v, moves the leave-one-out
 * losses but no portfolio, since sum_t v_t f_t = 0: left in, it would multiply the rounding of that sum by 1/(zT). */
void ridge_clip(int T, double *value)
{
    double nothing = T * DBL_EPSILON * fmax(value[T - 1], 0);
    for (int k = 0; k < T; k++)
        if (value[k] <= nothing) value[k] = 0;
}

void ridge_spectral(int T, int nz, const double *z, int count, const double *vector, const double *value, double *sums,
                    double *work)
{
    size_t n = (size_t)T * (size_t)count, nc = (size_t)nz * (size_t)count, nT = (size_t)nz * T;
    double *V2 = work, *u = V2 + n, *right = u + count, *inverse = right + nc, *span = inverse + nc;
    for (int k = 0; k < count; k++) {
        u[k] = 0;
        for (int t = 0; t < T; t++) u[k] += vector[(size_t)k * T + t];
    }
    for (size_t i = 0; i < n; i++) V2[i] = vector[i] * vector[i];
    for (int i = 0; i < nz; i++)
        for (int k = 0; k < count; k++) {
            size_t at = (size_t)i * count + k;
            inverse[at] = 1 / (value[k] + z[i] * T);
            right[at] = u[k] * inverse[at];
            span[at] = value[k] > 0 ? right[at] : 0;
        }
    /* column-major: alpha' += V span, full += V right, diag += (V o V) inverse, all penalties at once */
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, nz, count, 1, vector, T, span, count, 1, sums, T);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, nz, count, 1, vector, T, right, count, 1, sums + nT, T);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, T, nz, count, 1, V2, T, inverse, count, 1, sums + 2 * nT, T);
}

void ridge_finish(struct ridge_path *p, int T, const double *sums)
{
    size_t nT = (size_t)p->nz * T;
    const double *full = sums + nT, *diagonal = full + nT;
    memcpy(p->alpha, sums, sizeof(double) * nT);
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
}

int ridge_fit(struct ridge_path *p, int T, const double *K, const double *z)
{
    size_t TT = (size_t)T * T, nT = (size_t)p->nz * T;
    double *V = p->work, *sums = V + TT, *work = sums + 3 * nT, *lapack = work + ridge_spectral_work(T, p->nz, T);
    memcpy(V, K, sizeof(double) * TT);
    for (size_t i = 0; i < TT; i++)
        if (!isfinite(V[i])) return -1;
    int info = eigen_symmetric(T, V, p->eigenvalue, lapack, p->lwork, p->iwork, p->liwork);
    if (info) return info;
    ridge_clip(T, p->eigenvalue);
    memset(sums, 0, sizeof(double) * 3 * nT);
    ridge_spectral(T, p->nz, z, T, V, p->eigenvalue, sums, work);
    ridge_finish(p, T, sums);
    return 0;
}
