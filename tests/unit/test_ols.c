/* The OLS linear transformer: both solvers against the dense D^3 regression, a plain D T solve and refitting. */
#include <cblas.h>
#include <lapacke.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "linalg/eigen.h"
#include "linalg/ols.h"
#include "linalg/ols_cg.h"

enum { NZ = 4, MOST = 40000 };

/* A small panel: T periods of n_t assets, characteristics in [-0.5, 0.5], one of them absent in the first period but where complete. */
static struct {
    int T, D, n[64];
    double *X[64], *R[64], *Xi[64], sigma[64 * 64];
    bool complete;
} panel;
static struct ols o;
static double shift[NZ];

static void make(int T, int D, uint64_t seed)
{
    struct random_stream s = random_open(seed, 1, 2, 3);
    uint64_t at = 0;
    panel.T = T, panel.D = D;
    ols_create(&o, T, D, NZ);
    for (int t = 0; t < T; t++) {
        int n = panel.n[t] = 3 * D + 5 * (t % 4);
        panel.X[t] = memory_array(double, n *D, "X");
        panel.R[t] = memory_array(double, n, "R");
        panel.Xi[t] = memory_array(double, D *D, "Xi");
        for (int i = 0; i < n; i++) {
            double common = random_uniform(&s, at++) - 0.5;
            for (int a = 0; a < D; a++)
                panel.X[t][i * D + a] =
                    t == 0 && a == 0 && !panel.complete ? 0 : 0.3 * common + 0.7 * (random_uniform(&s, at++) - 0.5);
            panel.R[t][i] = 0.1 * random_normal(&s, at++) + 0.05 * panel.X[t][i * D];
        }
        double *G = o.gamma + (size_t)(t * D * D);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, D, n, 1, panel.X[t], D, panel.X[t], D, 0, G, D);
        cblas_dgemv(CblasRowMajor, CblasTrans, n, D, 1, panel.X[t], D, panel.R[t], 1, 0, o.target + t * D, 1);
        o.square[t] = cblas_ddot(n, panel.R[t], 1, panel.R[t], 1);
        for (int i = 0; i < D * D; i++) panel.Xi[t][i] = G[i] / n;
    }
    for (int s1 = 0; s1 < T; s1++)
        for (int t = 0; t < T; t++) panel.sigma[s1 * T + t] = cblas_ddot(D * D, panel.Xi[s1], 1, panel.Xi[t], 1);
    const double z[NZ] = {1e-8, 1e-4, 1e-2, 1};
    for (int i = 0; i < NZ; i++) shift[i] = z[i] * T;
}
static void drop(void)
{
    for (int t = 0; t < panel.T; t++) memory_free(panel.X[t]), memory_free(panel.R[t]), memory_free(panel.Xi[t]);
    ols_destroy(&o);
}

/* The dense solver, alone. */
static void dense(int rank)
{
    CU_ASSERT_EQUAL(ols_basis_fit(&o.basis, panel.T, panel.sigma, panel.T, rank), 0);
    int n = o.basis.r * o.D, lwork, liwork, DD = o.D * o.D;
    eigen_workspace(n, &lwork, &liwork);
    double *B = memory_array(double, n *n, "B"), *value = memory_array(double, n, "v"),
           *work = memory_array(double, lwork, "w"), *block = memory_array(double, ols_block_work(&o), "w"),
           *leave = memory_array(double, ols_leave_work(&o), "w"), *M = memory_array(double, OLS_LEAVE_PERIODS *NZ *DD, "M"),
           *J = memory_array(double, OLS_LEAVE_PERIODS *NZ *DD, "J");
    int *iwork = memory_array(int, liwork, "w"), *index = memory_array(int, n, "i");
    for (int i = 0; i < n; i++) index[i] = i;
    ols_block(&o, n, index, n, index, B, n, block);
    CU_ASSERT_EQUAL(eigen_symmetric(n, B, value, work, lwork, iwork, liwork), 0);
    memset(o.y, 0, sizeof(double) * (size_t)(NZ * n));
    int half = n / 3; /* in two slabs, as two ranks would */
    ols_spectral_solve(&o, half, B, value, shift, o.y);
    ols_spectral_solve(&o, n - half, B + (size_t)half * n, value + half, shift, o.y);
    ols_duals(&o);
    for (int t = 0; t < panel.T; t += OLS_LEAVE_PERIODS) {
        int k = panel.T - t < OLS_LEAVE_PERIODS ? panel.T - t : OLS_LEAVE_PERIODS;
        ols_leave_blocks(&o, t, k, n, B, value, shift, value[n - 1], M, J, leave);
        for (int i = 0; i < k; i++)
            CU_ASSERT_EQUAL(ols_leave_period(&o, t + i, shift, value[n - 1], M + i * NZ * DD, J + i * NZ * DD, leave), 0);
    }
    ols_select(&o);
    void *all[] = {B, value, work, block, leave, M, J, iwork, index};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static void iterative(void)
{
    struct ols_cg *c = ols_cg_create(o.T, o.D, NZ);
    CU_ASSERT_EQUAL(ols_cg_fit(c, &o, panel.T, panel.sigma, panel.T, shift), 0);
    for (int t = panel.T - 1; t >= 0; t--) CU_ASSERT_EQUAL(ols_cg_leave(c, &o, t, panel.sigma, panel.T, shift), 0);
    ols_select(&o);
    ols_cg_destroy(c);
}

/* theta_t of penalty z by the answer's own formula: sum_s q_s sigma_st. */
static void portfolio(int z, int t, double *theta)
{
    memset(theta, 0, sizeof(double) * (size_t)o.D);
    for (int s = 0; s < panel.T; s++)
        cblas_daxpy(o.D, panel.sigma[s * panel.T + t], o.q + ((size_t)z * o.T + s) * o.D, 1, theta, 1);
}

/* The primal regression with S_t = X_t (x) vec(Xi_t), D^3 coefficients, without period `out` (-1: all). */
static void primal(double shift_z, int out, double *lambda)
{
    int D = panel.D, p = D * D * D;
    double *A = memory_array(double, p *p, "A"), *S = memory_array(double, 100 * p, "S");
    memset(lambda, 0, sizeof(double) * (size_t)p);
    for (int i = 0; i < p; i++) A[i * p + i] = shift_z;
    for (int t = 0; t < panel.T; t++) {
        if (t == out) continue;
        for (int i = 0; i < panel.n[t]; i++)
            for (int a = 0; a < D; a++)
                for (int k = 0; k < D * D; k++) S[i * p + a * D * D + k] = panel.X[t][i * D + a] * panel.Xi[t][k];
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, p, panel.n[t], 1, S, p, 1, A, p);
        cblas_dgemv(CblasRowMajor, CblasTrans, panel.n[t], p, 1, S, p, panel.R[t], 1, 1, lambda, 1);
    }
    CU_ASSERT_EQUAL(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', p, 1, A, p, lambda, 1), 0);
    memory_free(A);
    memory_free(S);
}
static void primal_portfolio(const double *lambda, int t, double *theta)
{
    int D = panel.D;
    for (int a = 0; a < D; a++) theta[a] = cblas_ddot(D * D, lambda + a * D * D, 1, panel.Xi[t], 1);
}

static void against_primal(void)
{
    double lambda[125], theta[8], mine[8];
    for (int solver = 0; solver < 2; solver++)
        for (int D = 2; D <= 5; D++) {
            make(D == 3 ? 9 : 12, D, 7); /* D = 2, 3: Sigma has not full rank */
            solver ? iterative() : dense(0);
            for (int z = 1; z < NZ; z++) {
                primal(shift[z], -1, lambda);
                for (int t = 0; t < panel.T; t++) {
                    primal_portfolio(lambda, t, theta), portfolio(z, t, mine);
                    for (int a = 0; a < D; a++) CHECK_CLOSE(mine[a], theta[a], 1e-9);
                }
            }
            drop();
        }
}

static void leave_one_out(void)
{
    double lambda[125], theta[8];
    for (int solver = 0; solver < 2; solver++)
        for (int D = 2; D <= 5; D++) {
            make(D == 3 ? 9 : 12, D, 8);
            solver ? iterative() : dense(0);
            for (int z = 1; z < NZ; z++) {
                double sum = 0;
                for (int t = 0; t < panel.T; t++) {
                    double squares = 0;
                    primal(shift[z], t, lambda);
                    primal_portfolio(lambda, t, theta);
                    for (int i = 0; i < panel.n[t]; i++) {
                        double e = panel.R[t][i] - cblas_ddot(D, panel.X[t] + i * D, 1, theta, 1);
                        squares += e * e;
                    }
                    CHECK_CLOSE(o.loss_by_period[t * NZ + z], squares, 1e-8);
                    sum += squares;
                }
                CHECK_CLOSE(o.loss[z], sum / panel.T, 1e-8);
            }
            drop();
        }
}

/* Gamma_t (Q Sigma)_t + zT q_t = F as one D T x D T system. */
static void against_plain(void)
{
    for (int solver = 0; solver < 2; solver++)
        for (int D = 6; D <= 12; D += 3) {
            int T = 20, n = D * T;
            make(T, D, 9);
            solver ? iterative() : dense(0);
            double *A = memory_array(double, n *n, "A"), *x = memory_array(double, n, "x"), theta[16], mine[16];
            lapack_int *pivot = memory_array(lapack_int, n, "pivot");
            for (int z = 0; z < NZ; z++) {
                for (int t = 0; t < T; t++)
                    for (int s = 0; s < T; s++)
                        for (int a = 0; a < D; a++)
                            for (int b = 0; b < D; b++)
                                A[(t * D + a) * n + s * D + b] = o.gamma[(t * D + a) * D + b] * panel.sigma[t * T + s] +
                                                                 (t == s && a == b ? shift[z] : 0);
                memcpy(x, o.target, sizeof(double) * (size_t)n);
                CU_ASSERT_EQUAL(LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, 1, A, n, pivot, x, 1), 0);
                for (int t = 0; t < T; t++) {
                    memset(theta, 0, sizeof theta);
                    for (int s = 0; s < T; s++) cblas_daxpy(D, panel.sigma[t * T + s], x + s * D, 1, theta, 1);
                    portfolio(z, t, mine);
                    for (int a = 0; a < D; a++) CHECK_CLOSE(mine[a], theta[a], 1e-8);
                }
            }
            memory_free(A);
            memory_free(x);
            memory_free(pivot);
            drop();
        }
}

/* Penalties so small that I - M Gamma keeps no digit: leave-one-out losses against the D (T - 1) system of the other periods, which a tiny
 * penalty does not trouble. */
static void leave_one_out_without_penalty(void)
{
    int T = 10, D = 6, n = D * (T - 1);
    panel.complete = true; /* else B is singular, and its null vector costs digits on any way */
    make(T, D, 12);
    for (int z = 0; z < NZ; z++) shift[z] = pow(10, 2 * z - 16);
    dense(0);
    CU_ASSERT_EQUAL(o.basis.r, T);
    double *A = memory_array(double, n *n, "A"), *x = memory_array(double, n, "x"), theta[8];
    lapack_int *pivot = memory_array(lapack_int, n, "pivot");
    for (int z = 0; z < NZ; z++)
        for (int out = 0; out < T; out++) {
            double loss = 0;
            for (int i = 0; i < n; i++) {
                int t = i / D + (i / D >= out), a = i % D;
                x[i] = o.target[t * D + a];
                for (int j = 0; j < n; j++) {
                    int s = j / D + (j / D >= out);
                    A[i * n + j] = o.gamma[(t * D + a) * D + j % D] * panel.sigma[t * T + s] + (i == j ? shift[z] : 0);
                }
            }
            CU_ASSERT_EQUAL(LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, 1, A, n, pivot, x, 1), 0);
            memset(theta, 0, sizeof theta);
            for (int j = 0; j < n; j++) theta[j % D] += panel.sigma[out * T + j / D + (j / D >= out)] * x[j];
            for (int i = 0; i < panel.n[out]; i++)
                loss += pow(panel.R[out][i] - cblas_ddot(D, panel.X[out] + i * D, 1, theta, 1), 2);
            CHECK_CLOSE(o.loss_by_period[out * NZ + z] / loss, 1, 1e-9);
        }
    memory_free(A);
    memory_free(x);
    memory_free(pivot);
    drop();
    panel.complete = false;
}

/* Both solvers, tiny penalties too: portfolios, losses, choice. */
static void solvers_agree(void)
{
    int D = 10, T = 24;
    make(T, D, 10);
    dense(0);
    double *q = memory_array(double, NZ *T *D, "q"), loss[NZ];
    memcpy(q, o.q, sizeof(double) * (size_t)(NZ * T * D));
    memcpy(loss, o.loss, sizeof loss);
    int selected = o.selected;
    iterative();
    CU_ASSERT_EQUAL(o.selected, selected);
    for (int z = 0; z < NZ; z++) CHECK_CLOSE(o.loss[z] / loss[z], 1, 1e-8);
    for (int z = 0; z < NZ; z++) {
        double most = 0, worst = 0;
        for (int i = 0; i < T * D; i++) {
            most = fmax(most, fabs(q[z * T * D + i]));
            worst = fmax(worst, fabs(q[z * T * D + i] - o.q[z * T * D + i]));
        }
        CHECK_CLOSE(worst / most, 0, 1e-8);
    }
    memory_free(q);
    drop();
}

/* Lemma 5: the error falls with r and is gone at r = T; its leave-one-out is that of the regression on the r leading directions. */
static void low_rank(void)
{
    int D = 6, T = 16;
    make(T, D, 11);
    dense(0);
    double exact[64], mine[64], before = INFINITY, norm = 0;
    portfolio(2, T - 1, exact);
    for (int a = 0; a < D; a++) norm += exact[a] * exact[a];
    for (int r = 1; r <= T; r *= 2) {
        dense(r);
        CU_ASSERT_EQUAL(o.basis.r, r);
        double error = 0;
        /* theta = Y psi: with fewer directions Q Sigma is not it */
        for (int a = 0; a < D; a++) {
            double s = 0;
            for (int i = 0; i < r; i++)
                s += o.y[(size_t)2 * (size_t)(D * r) + (size_t)(a * r + i)] * o.basis.psi[i * T + T - 1];
            mine[a] = s;
            error += (s - exact[a]) * (s - exact[a]);
        }
        error = sqrt(error / norm);
        fprintf(stderr, "Lemma 5, D = %d, T = %d: r = %2d  relative error %.2e\n", D, T, r, error);
        CU_ASSERT(error <= before * 1.5);
        before = error;
        portfolio(2, T - 1, exact + 32); /* Q has no component outside: the two agree */
        for (int a = 0; a < D; a++) CHECK_CLOSE(exact[32 + a], mine[a], 1e-9);
    }
    CU_ASSERT(before < 1e-10);

    /* refit with r = 2: features X_t (x) psi_t */
    int r = 2, p = D * r;
    dense(r);
    for (int z = 0; z < NZ; z++)
        for (int out = 0; out < T; out += 5) {
            double A[144] = {0}, b[12] = {0}, S[12], loss = 0;
            for (int i = 0; i < p; i++) A[i * p + i] = shift[z];
            for (int pass = 0; pass < 2; pass++) {
                for (int t = 0; t < T; t++)
                    for (int i = 0; i < panel.n[t] && (t == out) == pass; i++) {
                        for (int a = 0; a < D; a++)
                            for (int k = 0; k < r; k++) S[a * r + k] = panel.X[t][i * D + a] * o.basis.psi[k * T + t];
                        if (pass) loss += pow(panel.R[t][i] - cblas_ddot(p, S, 1, b, 1), 2);
                        else cblas_dger(CblasRowMajor, p, p, 1, S, 1, S, 1, A, p), cblas_daxpy(p, panel.R[t][i], S, 1, b, 1);
                    }
                if (!pass) CU_ASSERT_EQUAL(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', p, 1, A, p, b, 1), 0);
            }
            CHECK_CLOSE(o.loss_by_period[out * NZ + z], loss, 1e-9);
        }
    drop();
}

static const struct check tests[] = {
    {"portfolios against the D^3 regression, both solvers", against_primal},
    {"leave-one-out against refitting the D^3 regression, both solvers", leave_one_out},
    {"portfolios against a plain D T solve, both solvers", against_plain},
    {"leave-one-out losses almost without a penalty", leave_one_out_without_penalty},
    {"the two solvers agree to 1e-8", solvers_agree},
    {"Lemma 5", low_rank},
};
int main(void)
{
    int failed = check_run("ols", tests, sizeof tests / sizeof *tests);
    if (memory_blocks()) failed = 1, printf("%ld blocks not freed\n", memory_blocks());
    return failed;
}
