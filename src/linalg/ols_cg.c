/* Everything happens in the eigenbasis P of mean Gamma, where K is diagonal. A block of m columns (one per penalty still
 * running, ascending) is stored (a fastest) as [r][m][D], and as [T][m][D] on the side of the periods. */
#include "linalg/ols_cg.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "linalg/eigen.h"

static const double tolerance = 1e-12, leave_tolerance = 1e-9; /* of the residual in the preconditioner's norm */

struct ols_cg {
    int T, D, nz;
    double *gamma, *target;                          /* [T, D, D], [T, D] in the basis P */
    double *P, *mean;                                /* [D, D] columns, [D] eigenvalues of mean Gamma */
    double *vector, *value;                          /* [T, D, D], [T, D]: Gamma_t's own eigenvectors and -values, for J */
    struct ols_basis left;                           /* basis without the period left out */
    double *sigma, *rest;                            /* [T, T] without it; [T, D] targets without it */
    double *theta;                                   /* [T, nz, D] the whole window's portfolios */
    double *x, *y, *r, *z, *p, *Ap, *period, *other; /* [T, nz, D] */
    double *right;                                   /* [T, D] */
    double *scalar;                                  /* 6 [nz] */
    double *size;                               /* [nz] the whole window's right-hand side in the preconditioner's norm */
    int *column, *steps;                        /* [nz] */
    const double **gammas, **vectors, **values; /* [T] of the periods in play */
    double *work;
    int *iwork, lwork, liwork, limit;
};

enum { MOST = 64 }; /* penalties */

/* One system in play. */
struct play {
    int T, m; /* periods; columns running */
    const struct ols_basis *basis;
    int nj, k0;         /* columns [0, nj) use J, [k0, m) use K */
    double shift[MOST]; /* of the columns running */
};

static size_t block(const struct ols_cg *c)
{
    return (size_t)c->T * (size_t)c->nz * (size_t)c->D;
}

size_t ols_cg_bytes(int T, int D, int nz)
{
    size_t t = (size_t)T, d = (size_t)D, n = (size_t)nz;
    int lwork, liwork;
    eigen_workspace(D, &lwork, &liwork);
    return ols_basis_bytes(T) +
           sizeof(double) * (2 * t * d * d + 4 * t * d + 2 * d * d + d + t * t + 9 * t * n * d + 7 * n + (size_t)lwork) +
           sizeof(int) * ((size_t)liwork + 2 * n) + 3 * sizeof(double *) * t;
}

struct ols_cg *ols_cg_create(int T, int D, int nz)
{
    struct ols_cg *c = memory_array(struct ols_cg, 1, "iterative OLS");
    size_t t = (size_t)T, d = (size_t)D;
    require(nz <= MOST);
    *c = (struct ols_cg){.T = T, .D = D, .nz = nz, .limit = OLS_CG_STEPS};
    ols_basis_create(&c->left, T);
    c->gamma = memory_array(double, t *d *d, "rotated second moments");
    c->vector = memory_array(double, t *d *d, "eigenvectors of second moments");
    c->value = memory_array(double, t *d, "eigenvalues of second moments");
    c->target = memory_array(double, t *d, "rotated factors");
    c->rest = memory_array(double, t *d, "rotated factors");
    c->right = memory_array(double, t *d, "right-hand side");
    c->P = memory_array(double, 2 * d * d, "eigenvectors of the mean second moment");
    c->mean = memory_array(double, d, "eigenvalues of the mean second moment");
    c->sigma = memory_array(double, t *t, "timing Gram matrix");
    double **const blocks[] = {&c->theta, &c->x, &c->y, &c->r, &c->z, &c->p, &c->Ap, &c->period, &c->other};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        *blocks[i] = memory_array(double, block(c), "conjugate gradients");
    c->size = memory_array(double, nz, "conjugate gradients");
    c->scalar = memory_array(double, 6 * (size_t)nz, "conjugate gradients");
    c->column = memory_array(int, nz, "conjugate gradients");
    c->steps = memory_array(int, nz, "conjugate gradients");
    c->gammas = memory_array(const double *, T, "periods in play");
    c->vectors = memory_array(const double *, T, "periods in play");
    c->values = memory_array(const double *, T, "periods in play");
    eigen_workspace(D, &c->lwork, &c->liwork);
    c->work = memory_array(double, c->lwork, "eigen workspace");
    c->iwork = memory_array(int, c->liwork, "eigen workspace");
    return c;
}

void ols_cg_destroy(struct ols_cg *c)
{
    if (!c) return;
    ols_basis_destroy(&c->left);
    void *const all[] = {c->gamma, c->vector, c->value,   c->target, c->rest,   c->right, c->P,
                         c->mean,  c->sigma,  c->theta,   c->x,      c->y,      c->r,     c->z,
                         c->p,     c->Ap,     c->period,  c->other,  c->scalar, c->size,  c->column,
                         c->steps, c->gammas, c->vectors, c->values, c->work,   c->iwork, c};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

const int *ols_cg_steps(const struct ols_cg *c)
{
    return c->steps;
}

/* ---- the operator and the preconditioners ---- */

/* out = B in + shift in. */
static void apply(struct ols_cg *c, const struct play *s, const double *in, double *out)
{
    int D = c->D, T = s->T, r = s->basis->r, rows = s->m * D;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows, T, r, 1, in, rows, s->basis->psi, T, 0, c->period, rows);
    for (int t = 0; t < T; t++)
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, D, s->m, D, 1, c->gammas[t], D, c->period + (size_t)t * rows,
                    D, 0, c->other + (size_t)t * rows, D);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, r, T, 1, c->other, rows, s->basis->psi, T, 0, out, rows);
    for (int i = 0; i < r; i++)
        for (int k = 0; k < s->m; k++) {
            size_t at = ((size_t)i * s->m + k) * D;
            for (int a = 0; a < D; a++) out[at + a] += s->shift[k] * in[at + a];
        }
}

static void precondition(struct ols_cg *c, const struct play *s, const double *in, double *out)
{
    int D = c->D, T = s->T, r = s->basis->r, rows = s->m * D, part = s->nj * D;
    for (int i = 0; i < r; i++) {
        size_t at = (size_t)i * rows;
        for (int k = 0; k < s->m; k++, at += (size_t)D)
            for (int a = 0; a < D; a++)
                out[at + a] = k < s->k0 ? 0 : in[at + a] / (c->mean[a] * s->basis->value[i] + s->shift[k]);
    }
    if (!s->nj) return;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, part, T, r, 1, in, rows, s->basis->dual, T, 0, c->period, part);
    for (int t = 0; t < T; t++) {
        double *mine = c->period + (size_t)t * part, *transposed = c->other + (size_t)t * part, diagonal = 0;
        for (int i = 0; i < r; i++)
            diagonal += s->basis->dual[(size_t)i * T + t] * s->basis->dual[(size_t)i * T + t]; /* [Sigma^-1]_tt */
        cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, D, s->nj, D, 1, c->vectors[t], D, mine, D, 0, transposed, D);
        for (int k = 0; k < s->nj; k++)
            for (int a = 0; a < D; a++) transposed[(size_t)k * D + a] /= fmax(c->values[t][a], 0) + s->shift[k] * diagonal;
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, D, s->nj, D, 1, c->vectors[t], D, transposed, D, 0, mine, D);
    }
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, part, r, T, 1, c->period, part, s->basis->dual, T, 1, out, rows);
}

/* Columnwise dot products, in one order. */
static void dots(const struct ols_cg *c, const struct play *s, const double *a, const double *b, double *out)
{
    memset(out, 0, sizeof(double) * (size_t)s->m);
    for (int i = 0; i < s->basis->r; i++)
        for (int k = 0; k < s->m; k++) {
            size_t at = ((size_t)i * s->m + k) * (size_t)c->D;
            out[k] += cblas_ddot(c->D, a + at, 1, b + at, 1);
        }
}

/* y = a x + b y columnwise. */
static void combine(const struct ols_cg *c, const struct play *s, const double *a, const double *x, const double *b,
                    double *y)
{
    for (int i = 0; i < s->basis->r; i++)
        for (int k = 0; k < s->m; k++) {
            size_t at = ((size_t)i * s->m + k) * (size_t)c->D;
            double by = b ? b[k] : 1, ax = a ? a[k] : 1;
            for (int j = 0; j < c->D; j++) y[at + j] = ax * x[at + j] + by * y[at + j];
        }
}

/* Which preconditioner each penalty uses. J pays until zT [Sigma^-1] reaches the small eigenvalues of Gamma, K beyond that
 * (measured). */
static void choose(const struct ols_cg *c, struct play *s)
{
    double diagonal = 0, smallest = c->mean[c->D - 1];
    int r = s->basis->r;
    s->nj = s->k0 = 0;
    if (r < s->T || s->basis->value[r - 1] < 1e-10 * s->basis->value[0]) return;
    for (int i = 0; i < r; i++) diagonal += 1 / s->basis->value[i] / s->T;
    for (int a = c->D - 1; a >= 0; a--)
        if (c->mean[a] > 1e-8 * c->mean[c->D - 1]) smallest = c->mean[a];
    for (int k = 0; k < s->m; k++) {
        s->k0 += s->shift[k] * diagonal < 1 * smallest;
        s->nj += s->shift[k] * diagonal < 10 * smallest;
    }
}

/* Drops the columns that have converged and closes the gaps, in every block that a step carries over. keep [m]. */
static void compact(struct ols_cg *c, struct play *s, const int *keep)
{
    int D = c->D, m = 0, nj = 0, k0 = 0, old = s->m;
    double *const blocks[] = {c->x, c->r, c->p};
    for (int b = 0; b < 3; b++) {
        double *to = blocks[b];
        for (int i = 0; i < s->basis->r; i++)
            for (int k = 0; k < old; k++)
                if (keep[k]) {
                    memmove(to, blocks[b] + ((size_t)i * old + k) * D, sizeof(double) * (size_t)D);
                    to += D;
                }
    }
    for (int k = 0; k < old; k++) {
        if (!keep[k]) continue;
        nj += k < s->nj;
        k0 += k < s->k0;
        c->column[m] = c->column[k];
        s->shift[m] = s->shift[k];
        for (int v = 0; v < 6; v++) c->scalar[(size_t)v * c->nz + m] = c->scalar[(size_t)v * c->nz + k];
        m++;
    }
    s->m = m, s->nj = nj, s->k0 = k0;
}

/* Conjugate gradients from c->x (any start) for the right-hand side c->right [r, D], the same for every column. y [r, nz, D]: all
 * columns' answers. `first`: the whole window, whose size then scales the residuals of those without a period. Returns 0 or -1. */
static int solve(struct ols_cg *c, struct play *s, const double *shift, int nz, bool first, double *y, int *steps)
{
    int D = c->D, r = s->basis->r, keep[MOST];
    double within = first ? tolerance : leave_tolerance;
    size_t nzs = (size_t)c->nz;
    double *rz = c->scalar, *pAp = rz + nzs, *goal = pAp + nzs, *alpha = goal + nzs, *minus = alpha + nzs,
           *beta = minus + nzs;
    s->m = nz;
    for (int k = 0; k < nz; k++) c->column[k] = k, s->shift[k] = shift[k], steps[k] = 0;
    choose(c, s);
    for (int i = 0; i < r; i++)
        for (int k = 0; k < nz; k++)
            memcpy(c->r + ((size_t)i * nz + k) * D, c->right + (size_t)i * D, sizeof(double) * (size_t)D);
    if (first) {
        precondition(c, s, c->r, c->z);
        dots(c, s, c->r, c->z, c->size);
    }
    memcpy(goal, c->size, sizeof(double) * (size_t)nz);
    apply(c, s, c->x, c->Ap);
    for (size_t i = 0, n = (size_t)r * nz * D; i < n; i++) c->r[i] -= c->Ap[i];
    precondition(c, s, c->r, c->z);
    dots(c, s, c->r, c->z, rz);
    memcpy(c->p, c->z, sizeof(double) * (size_t)r * nz * D);
    for (int step = 0;; step++) {
        int left = 0;
        for (int k = 0; k < s->m; k++) left += keep[k] = !(rz[k] <= within * within * goal[k]);
        if (left < s->m) {
            for (int k = 0; k < s->m; k++)
                if (!keep[k]) {
                    steps[c->column[k]] = step;
                    for (int i = 0; i < r; i++)
                        memcpy(y + ((size_t)i * nz + c->column[k]) * D, c->x + ((size_t)i * s->m + k) * D,
                               sizeof(double) * (size_t)D);
                }
            compact(c, s, keep);
        }
        if (!s->m) return 0;
        if (step == c->limit || !isfinite(rz[0])) return -1;
        apply(c, s, c->p, c->Ap);
        dots(c, s, c->p, c->Ap, pAp);
        for (int k = 0; k < s->m; k++) alpha[k] = rz[k] / pAp[k], minus[k] = -alpha[k];
        combine(c, s, alpha, c->p, NULL, c->x);
        combine(c, s, minus, c->Ap, NULL, c->r);
        precondition(c, s, c->r, c->z);
        memcpy(beta, rz, sizeof(double) * (size_t)s->m);
        dots(c, s, c->r, c->z, rz);
        for (int k = 0; k < s->m; k++) beta[k] = rz[k] / beta[k];
        combine(c, s, NULL, c->z, beta, c->p);
    }
}

/* ---- the window ---- */

/* P' A P. */
static void rotate(const struct ols_cg *c, const double *A, double *scratch, double *out)
{
    int D = c->D;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, D, D, D, 1, A, D, c->P, D, 0, scratch, D);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, D, D, D, 1, c->P, D, scratch, D, 0, out, D);
}

static int window(struct ols_cg *c, const struct ols *o, int T)
{
    int D = c->D;
    size_t DD = (size_t)D * D;
    memset(c->P, 0, sizeof(double) * DD);
    for (int t = 0; t < T; t++) cblas_daxpy((int)DD, 1.0 / T, o->gamma + (size_t)t * DD, 1, c->P, 1);
    int info = eigen_symmetric(D, c->P, c->mean, c->work, c->lwork, c->iwork, c->liwork);
    for (int a = 0; a < D; a++) c->mean[a] = fmax(c->mean[a], 0);
    for (int t = 0; t < T && !info; t++) {
        rotate(c, o->gamma + (size_t)t * DD, c->P + DD, c->gamma + (size_t)t * DD);
        memcpy(c->vector + (size_t)t * DD, c->gamma + (size_t)t * DD, sizeof(double) * DD);
        info =
            eigen_symmetric(D, c->vector + (size_t)t * DD, c->value + (size_t)t * D, c->work, c->lwork, c->iwork, c->liwork);
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, T, D, D, 1, o->target, D, c->P, D, 0, c->target,
                D); /* row-major P = P' */
    return info;
}

void ols_cg_limit(struct ols_cg *c, int steps)
{
    c->limit = steps;
}

int ols_cg_fit(struct ols_cg *c, struct ols *o, int T, const double *sigma, int ld, const double *shift)
{
    int D = c->D, nz = c->nz;
    int info = window(c, o, T);
    if (!info) info = ols_basis_fit(&o->basis, T, sigma, ld, 0);
    if (info) return info > 0 ? info : 1;
    struct play s = {.T = T, .basis = &o->basis};
    int r = o->basis.r, rows = nz * D;
    for (int t = 0; t < T; t++)
        c->gammas[t] = c->gamma + (size_t)t * D * D, c->vectors[t] = c->vector + (size_t)t * D * D,
        c->values[t] = c->value + (size_t)t * D;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, D, r, T, 1, c->target, D, o->basis.psi, T, 0, c->right, D);
    memset(c->x, 0, sizeof(double) * (size_t)r * rows);
    info = solve(c, &s, shift, nz, true, c->y, c->steps);
    if (info) return info;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows, T, r, 1, c->y, rows, o->basis.dual, T, 0, c->period, rows);
    for (int z = 0; z < nz; z++) /* q_t = P [dual_t]: back to the characteristics */
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, D, T, D, 1, c->P, D, c->period + (size_t)z * D, rows, 0,
                    o->q + (size_t)z * o->T * D, D);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows, T, r, 1, c->y, rows, o->basis.psi, T, 0, c->theta, rows);
    return 0;
}

int ols_cg_leave(struct ols_cg *c, struct ols *o, int out, const double *sigma, int ld, const double *shift)
{
    int D = c->D, nz = c->nz, T = o->basis.T, n = 0, rows = nz * D, steps[MOST];
    for (int t = 0; t < T; t++) {
        if (t == out) continue;
        c->gammas[n] = c->gamma + (size_t)t * D * D, c->vectors[n] = c->vector + (size_t)t * D * D,
        c->values[n] = c->value + (size_t)t * D;
        memcpy(c->rest + (size_t)n * D, c->target + (size_t)t * D, sizeof(double) * (size_t)D);
        memcpy(c->period + (size_t)n * rows, c->theta + (size_t)t * rows, sizeof(double) * (size_t)rows);
        for (int k = 0, u = 0; u < T; u++)
            if (u != out) c->sigma[(size_t)n * (T - 1) + k++] = sigma[(size_t)t * ld + u];
        n++;
    }
    if (n) {
        int info = ols_basis_fit(&c->left, n, c->sigma, n, 0);
        if (info) return info > 0 ? info : 1;
        struct play s = {.T = n, .basis = &c->left};
        int r = c->left.r;
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, D, r, n, 1, c->rest, D, c->left.psi, n, 0, c->right, D);
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, r, n, 1, c->period, rows, c->left.dual, n, 0, c->x,
                    rows);
        info = solve(c, &s, shift, nz, false, c->y, steps);
        if (info) return info;
        memset(c->other, 0, sizeof(double) * (size_t)rows);
        /* theta_out^- = Y dual' Sigma(., out) */
        for (int i = 0; i < r; i++) {
            double v = 0;
            for (int t = 0, k = 0; t < T; t++)
                if (t != out) v += c->left.dual[(size_t)i * n + k++] * sigma[(size_t)out * ld + t];
            cblas_daxpy(rows, v, c->y + (size_t)i * rows, 1, c->other, 1);
        }
    }
    if (!n) memset(c->other, 0, sizeof(double) * (size_t)rows);
    const double *G = c->gamma + (size_t)out * D * D, *F = c->target + (size_t)out * D;
    for (int z = 0; z < nz; z++) {
        const double *x = c->other + (size_t)z * D;
        cblas_dsymv(CblasColMajor, CblasLower, D, 1, G, D, x, 1, 0, c->right, 1);
        o->loss_by_period[(size_t)out * nz + z] =
            o->square[out] - 2 * cblas_ddot(D, F, 1, x, 1) + cblas_ddot(D, x, 1, c->right, 1);
    }
    return 0;
}
