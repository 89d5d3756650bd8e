/* Which ridge is selected: the smallest leave-one-out loss of refits with each period left out, and the larger penalty where losses are
 * equal to the last bit, in both of the linear objectives. */
#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "linalg/ols.h"
#include "linalg/ridge.h"

enum { NZ = 6 };
static const double grid[NZ] = {1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 10};

static int selected(int T, const double *K)
{
    struct ridge_path p;
    ridge_create(&p, T, NZ);
    CU_ASSERT_EQUAL(ridge_fit(&p, T, K, grid), 0);
    int best = p.selected;
    ridge_destroy(&p);
    return best;
}

/* Factors that are 0, or of one size and orthogonal, say nothing about a period left out: its loss is 1 at every penalty, exactly. */
static void ties(void)
{
    enum { T = 5 };
    double K[T * T] = {0};
    CU_ASSERT_EQUAL(selected(T, K), NZ - 1);
    for (int t = 0; t < T; t++) K[t * T + t] = 0.25;
    CU_ASSERT_EQUAL(selected(T, K), NZ - 1);
    struct ols o; /* losses given: the same at the second and fourth penalty, larger elsewhere */
    ols_create(&o, 2, 1, NZ);
    o.basis.T = 2;
    for (int z = 0; z < NZ; z++) o.loss_by_period[z] = 2 + (z != 1 && z != 3), o.loss_by_period[NZ + z] = 1;
    ols_select(&o);
    CU_ASSERT_EQUAL(o.selected, 3);
    CU_ASSERT(o.loss[3] == 1.5 && o.loss[0] == 2);
    ols_destroy(&o);
}

/* alpha and losses of one penalty by elimination of K + zT I as it stands, the shift held when a period leaves. */
static double refit(int T, const double *K, double z, double *alpha)
{
    double *A = memory_array(double, T *T, "A"), *b = memory_array(double, T, "b"), loss = 0;
    lapack_int *pivot = memory_array(lapack_int, T, "pivots");
    for (int out = -1; out < T; out++) {
        int n = 0;
        for (int t = 0; t < T; t++) {
            if (t == out) continue;
            int m = 0;
            for (int s = 0; s < T; s++)
                if (s != out) A[n * T + m++] = K[t * T + s] + (s == t) * z * T;
            b[n++] = 1;
        }
        CU_ASSERT_EQUAL(LAPACKE_dgesv(LAPACK_COL_MAJOR, n, 1, A, T, pivot, b, T), 0);
        if (out < 0) memcpy(alpha, b, sizeof(double) * (size_t)T);
        double forecast = 0;
        for (int t = 0, m = 0; t < T && out >= 0; t++)
            if (t != out) forecast += K[out * T + t] * b[m++];
        if (out >= 0) loss += (1 - forecast) * (1 - forecast) / T;
    }
    memory_free(A);
    memory_free(b);
    memory_free(pivot);
    return loss;
}

/* Factors with a mean and noise, so that the best penalty is inside the grid; more of them than periods, and fewer. */
static void losses(void)
{
    enum { T = 18 };
    unsigned seen = 0;
    for (int seed = 0; seed < 12; seed++) {
        struct random_stream s = random_open(5, (uint64_t)seed, 0, 0);
        int D = seed % 2 ? 30 : 6, best = 0;
        double f[T * 30], K[T * T], alpha[T], loss[NZ], mean = 0.02 * (1 + seed);
        for (int i = 0; i < T * D; i++) f[i] = 0.4 * (mean + random_normal(&s, (uint64_t)i));
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, T, T, D, 1, f, D, f, D, 0, K, T);
        struct ridge_path p;
        ridge_create(&p, T, NZ);
        CU_ASSERT_EQUAL(ridge_fit(&p, T, K, grid), 0);
        for (int z = 0; z < NZ; z++) {
            loss[z] = refit(T, K, grid[z], alpha);
            CHECK_CLOSE(p.loss[z] / loss[z], 1, 1e-8);
            if (loss[z] <= loss[best]) best = z;
            for (int d = 0; d < D; d++) { /* alpha up to what earns nothing: the portfolios F'alpha */
                double lambda = 0, want = 0;
                for (int t = 0; t < T; t++) lambda += p.alpha[z * T + t] * f[t * D + d], want += alpha[t] * f[t * D + d];
                CHECK_CLOSE(lambda, want, 1e-8);
            }
        }
        CU_ASSERT_EQUAL(p.selected, best);
        seen |= 1u << best;
        ridge_destroy(&p);
    }
    CU_ASSERT(seen & (seen - 1)); /* not one penalty for all samples */
}

int main(void)
{
    static const struct check tests[] = {{"equal losses go to the larger penalty", ties},
                                         {"losses, coefficients and selection by refitting", losses}};
    int status = check_run("ridge", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
