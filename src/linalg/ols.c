/* The dense solver of the OLS linear transformer: its D T x D T matrix block by block, portfolios from its eigenvectors,
 * and what leaving a period out does to them. */
#include "linalg/ols.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/eigen.h"

/* ---- psi and dual ---- */

size_t ols_basis_bytes(int T)
{
    int lwork, liwork;
    eigen_workspace(T, &lwork, &liwork);
    return sizeof(double) * (3 * (size_t)T * (size_t)T + 2 * (size_t)T + (size_t)lwork) + sizeof(int) * (size_t)liwork;
}

void ols_basis_create(struct ols_basis *b, int T)
{
    size_t TT = (size_t)T * (size_t)T;
    eigen_workspace(T, &b->lwork, &b->liwork);
    b->psi = memory_array(double, TT, "OLS basis");
    b->dual = memory_array(double, TT, "OLS basis");
    b->value = memory_array(double, T, "OLS basis");
    b->leak = memory_array(double, T, "OLS basis");
    b->work = memory_array(double, TT + (size_t)b->lwork, "OLS basis");
    b->iwork = memory_array(int, b->liwork, "OLS basis");
}

void ols_basis_destroy(struct ols_basis *b)
{
    void *const all[] = {b->psi, b->dual, b->value, b->leak, b->work, b->iwork};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

int ols_basis_fit(struct ols_basis *b, int T, const double *sigma, int ld, int rank)
{
    double *U = b->work, *ascending = b->leak;
    for (int t = 0; t < T; t++) memcpy(U + (size_t)t * T, sigma + (size_t)t * ld, sizeof(double) * (size_t)T);
    int info = eigen_symmetric(T, U, ascending, b->work + (size_t)T * T, b->lwork, b->iwork, b->liwork);
    if (info) return info;
    b->T = T;
    int most = rank > 0 && rank < T ? rank : T;
    double floor_value = T * DBL_EPSILON * ascending[T - 1];
    for (b->r = 0; b->r < most && ascending[T - 1 - b->r] > floor_value; b->r++) b->value[b->r] = ascending[T - 1 - b->r];
    for (int t = 0; t < T; t++) b->leak[t] = 1;
    for (int i = 0; i < b->r; i++) {
        const double *u = U + (size_t)(T - 1 - i) * T;
        double root = sqrt(b->value[i]);
        for (int t = 0; t < T; t++) {
            b->psi[(size_t)i * T + t] = u[t] * root;
            b->dual[(size_t)i * T + t] = u[t] / root;
            b->leak[t] -= u[t] * u[t];
        }
    }
    return 0;
}

/* ---- the window ---- */

size_t ols_bytes(int T, int D, int nz)
{
    size_t t = (size_t)T, d = (size_t)D, z = (size_t)nz;
    return ols_basis_bytes(T) + sizeof(double) * (t * d * d + t * d + t + 2 * z * t * d + z + t * z);
}

void ols_create(struct ols *o, int T, int D, int nz)
{
    size_t t = (size_t)T, d = (size_t)D, z = (size_t)nz;
    *o = (struct ols){.T = T, .D = D, .nz = nz};
    ols_basis_create(&o->basis, T);
    o->gamma = memory_array(double, t *d *d, "second moments of the window");
    o->target = memory_array(double, t *d, "factors of the window");
    o->square = memory_array(double, t, "squared returns of the window");
    o->y = memory_array(double, z *d *t, "OLS coefficients");
    o->q = memory_array(double, z *t *d, "OLS coefficients");
    o->loss = memory_array(double, z, "leave-one-out losses");
    o->loss_by_period = memory_array(double, t *z, "leave-one-out losses");
}

void ols_destroy(struct ols *o)
{
    ols_basis_destroy(&o->basis);
    void *const all[] = {o->gamma, o->target, o->square, o->y, o->q, o->loss, o->loss_by_period};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

void ols_select(struct ols *o)
{
    o->selected = 0;
    for (int z = 0; z < o->nz; z++) {
        double sum = 0;
        for (int t = 0; t < o->basis.T; t++) sum += o->loss_by_period[(size_t)t * o->nz + z];
        o->loss[z] = sum / o->basis.T;
        if (o->loss[z] <= o->loss[o->selected]) o->selected = z;
    }
}

int ols_is_nothing(struct ols *o, int T, const double *sigma, int ld)
{
    for (int t = 0; t < T; t++)
        if (sigma[(size_t)t * ld + t] != 0) return 0;
    o->basis.T = T, o->basis.r = 0;
    memset(o->q, 0, sizeof(double) * (size_t)o->nz * o->T * o->D);
    for (int t = 0; t < T; t++)
        for (int z = 0; z < o->nz; z++) o->loss_by_period[(size_t)t * o->nz + z] = o->square[t];
    return 1;
}

/* ---- the dense solver ---- */

size_t ols_block_work(const struct ols *o)
{
    return (size_t)OLS_BLOCK_ROWS * (size_t)o->T;
}

/* For a fixed characteristic b of the columns, B((a,i), (b,j)) = sum_t [psi_ti Gamma_t(a,b)] psi_tj: a product of rows x T by T x cols. */
void ols_block(const struct ols *o, int rows, const int *row, int cols, const int *col, double *out, int ld, double *work)
{
    int T = o->basis.T, r = o->basis.r, D = o->D, first = 0;
    const double *psi = o->basis.psi;
    for (int j = 0, run; j < cols; j += run) {
        int b = col[j] / r;
        for (run = 1; j + run < cols && col[j + run] == col[j] + run && col[j + run] / r == b; run++) continue;
        while (first < rows && row[first] < col[j]) first++; /* the triangle below */
        for (int from = first; from < rows; from += OLS_BLOCK_ROWS) {
            int m = rows - from < OLS_BLOCK_ROWS ? rows - from : OLS_BLOCK_ROWS;
            for (int k = 0; k < m; k++) {
                const double *g = o->gamma + (size_t)b * D + row[from + k] / r, *p = psi + (size_t)(row[from + k] % r) * T;
                for (int t = 0; t < T; t++) work[(size_t)k * T + t] = p[t] * g[(size_t)t * D * D];
            }
            cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, m, run, T, 1, work, T, psi + (size_t)(col[j] % r) * T, T, 0,
                        out + (size_t)j * ld + from, ld);
        }
    }
}

void ols_spectral_solve(const struct ols *o, int count, const double *vector, const double *value, const double *shift,
                        double *y)
{
    int T = o->basis.T, r = o->basis.r, D = o->D, n = r * D;
    double *right = memory_array(double, n, "OLS right-hand side"),
           *part = memory_array(double, (size_t)o->nz *(size_t)(count ? count : 1), "OLS parts"),
           *c = memory_array(double, count, "OLS parts");
    /* F psi: D x r, r contiguous */
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasTrans, D, r, T, 1, o->target, D, o->basis.psi, T, 0, right, r);
    cblas_dgemv(CblasColMajor, CblasTrans, n, count, 1, vector, n, right, 1, 0, c, 1);
    for (int z = 0; z < o->nz; z++)
        for (int k = 0; k < count; k++) part[(size_t)z * count + k] = c[k] / (fmax(value[k], 0) + shift[z]);
    if (count) cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, o->nz, count, 1, vector, n, part, count, 1, y, n);
    memory_free(right);
    memory_free(part);
    memory_free(c);
}

void ols_duals(struct ols *o)
{
    int T = o->basis.T, r = o->basis.r, D = o->D;
    for (int z = 0; z < o->nz; z++) /* q [T, D] = dual y' */
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasTrans, T, D, r, 1, o->basis.dual, T, o->y + (size_t)z * D * r, r, 0,
                    o->q + (size_t)z * o->T * D, D);
}

/* Below this share of the largest eigenvalue, I - M Gamma loses more than four digits. */
static const double cancels = 1e-4, no_leak = 1e-12;

static int needs_j(const struct ols *o, int t, double shift, double most)
{
    return fabs(o->basis.leak[t]) < no_leak && shift < cancels * most;
}

size_t ols_leave_work(const struct ols *o)
{
    size_t slab = (size_t)OLS_LEAVE_VECTORS * (size_t)o->D, D = (size_t)o->D;
    size_t blocks = slab * (2 * OLS_LEAVE_PERIODS + 1), finish = 2 * D * D + 4 * D;
    return blocks > finish ? blocks : finish;
}

void ols_leave_blocks(const struct ols *o, int first, int periods, int count, const double *vector, const double *value,
                      const double *shift, double most, double *M, double *J, double *work)
{
    int T = o->basis.T, r = o->basis.r, D = o->D;
    size_t n = (size_t)r * D, DD = (size_t)D * D;
    memset(M, 0, sizeof(double) * DD * (size_t)(o->nz * periods));
    memset(J, 0, sizeof(double) * DD * (size_t)(o->nz * periods));
    for (int from = 0; from < count; from += OLS_LEAVE_VECTORS) {
        int m = count - from < OLS_LEAVE_VECTORS ? count - from : OLS_LEAVE_VECTORS;
        size_t slab = (size_t)m * D;
        double *w = work, *v = w + slab * (size_t)periods, *scaled = v + slab * (size_t)periods;
        /* w_t = V psi_t, v_t = V dual_t: D x m each */
        cblas_dgemm(CblasColMajor, CblasTrans, CblasTrans, (int)slab, periods, r, 1, vector + (size_t)from * n, r,
                    o->basis.psi + first, T, 0, w, (int)slab);
        cblas_dgemm(CblasColMajor, CblasTrans, CblasTrans, (int)slab, periods, r, 1, vector + (size_t)from * n, r,
                    o->basis.dual + first, T, 0, v, (int)slab);
        for (int t = 0; t < periods; t++)
            for (int z = 0; z < o->nz; z++) {
                const double *wt = w + slab * (size_t)t;
                size_t at = ((size_t)t * (size_t)o->nz + (size_t)z) * DD;
                for (int k = 0; k < m; k++) {
                    double s = 1 / sqrt(fmax(value[from + k], 0) + shift[z]);
                    for (int a = 0; a < D; a++) scaled[(size_t)k * D + a] = s * wt[(size_t)k * D + a];
                }
                cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, D, m, 1, scaled, D, 1, M + at, D);
                if (!needs_j(o, first + t, shift[z], most)) continue;
                for (int k = 0; k < m; k++)
                    cblas_dscal(D, 1 / sqrt(fmax(value[from + k], 0) + shift[z]), scaled + (size_t)k * D, 1);
                cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, D, D, m, 1, v + slab * (size_t)t, D, scaled, D, 1,
                            J + at, D);
            }
    }
}

/* |R - X theta|^2 of period t; scratch [D]. */
static double period_loss(const struct ols *o, int t, const double *theta, double *scratch)
{
    int D = o->D;
    cblas_dsymv(CblasColMajor, CblasLower, D, 1, o->gamma + (size_t)t * D * D, D, theta, 1, 0, scratch, 1);
    return o->square[t] - 2 * cblas_ddot(D, o->target + (size_t)t * D, 1, theta, 1) + cblas_ddot(D, theta, 1, scratch, 1);
}

int ols_leave_period(struct ols *o, int t, const double *shift, double most, const double *M, const double *J, double *work)
{
    int T = o->basis.T, D = o->D, r = o->basis.r;
    size_t DD = (size_t)D * D;
    double *A = work, *square = A + DD, *theta = square + DD, *x = theta + D, *scratch = x + D;
    lapack_int pivot[D];
    for (int z = 0; z < o->nz; z++) {
        const double *Mz = M + (size_t)z * DD, *F = o->target + (size_t)t * D;
        cblas_dgemv(CblasRowMajor, CblasNoTrans, D, r, 1, o->y + (size_t)z * D * r, r, o->basis.psi + t, T, 0, theta, 1);
        if (needs_j(o, t, shift[z], most)) {
            memcpy(A, J + (size_t)z * DD, sizeof(double) * DD);
            memcpy(x, o->q + ((size_t)z * o->T + t) * D, sizeof(double) * (size_t)D);
            if (LAPACKE_dgesv_work(LAPACK_COL_MAJOR, D, 1, A, D, pivot, x, D)) return 1;
            cblas_dsymv(CblasColMajor, CblasLower, D, -1, Mz, D, x, 1, 1, theta, 1);
        } else {
            cblas_dsymm(CblasColMajor, CblasLeft, CblasLower, D, D, -1, Mz, D, o->gamma + (size_t)t * DD, D, 0, A, D);
            for (int a = 0; a < D; a++) A[(size_t)a * D + a] += 1;
            cblas_dsymv(CblasColMajor, CblasLower, D, -1, Mz, D, F, 1, 1, theta, 1);
            if (LAPACKE_dgesv_work(LAPACK_COL_MAJOR, D, 1, A, D, pivot, theta, D)) return 1;
        }
        o->loss_by_period[(size_t)t * o->nz + z] = period_loss(o, t, theta, scratch);
    }
    return 0;
}
