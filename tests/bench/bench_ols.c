/* The OLS objective: the dense solver against ScaLAPACK's solver alone, the iterative solver against the dense one, and what a study costs
 * on many ranks.   mpirun -n P bench_ols [quick | small | solver | all]
 * small: n = 1320, 2640, 3960; solver: D = 66 and 132, T = 60; quick (one rank's default; LAPACK in ScaLAPACK's place): the smallest of each */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "models/ols_fit.h"
#include "parallel/team.h"

enum { T = 60, N = 1500, NZ = 14, FACTORS = 6 };
static double ridge[NZ];

struct sample {
    double *packed[T], *factors[T], timing[(T + 1) * (T + 1)];
    struct period period[T + 1];
    struct window window;
};

/* Persistent, correlated characteristics on [-0.5, 0.5], a growing universe: what a month-to-month panel looks like. */
static void make(struct sample *s, int D)
{
    double *latent = memory_array(double, N *(D + FACTORS), "latent"), *x = memory_array(double, N *D, "x"),
           *full = memory_array(double, D *D, "Xi"), *loading = memory_array(double, D *FACTORS, "loadings"),
           *r = memory_array(double, N, "returns");
    struct random_stream seed = random_open(1, 2, 3, 4);
    uint64_t at = 0;
    size_t k = packed_size(D);
    for (int i = 0; i < D * FACTORS; i++) loading[i] = random_normal(&seed, at++) * 0.5;
    for (int i = 0; i < N * (D + FACTORS); i++) latent[i] = random_normal(&seed, at++);
    for (int t = 0; t < T; t++) {
        int n = N * (T + t) / (2 * T);
        for (int i = 0; i < N * (D + FACTORS); i++)
            latent[i] = 0.9 * latent[i] + sqrt(1 - 0.81) * random_normal(&seed, at++);
        for (int i = 0; i < n; i++) {
            for (int a = 0; a < D; a++) {
                double v = latent[i * (D + FACTORS) + a];
                for (int l = 0; l < FACTORS; l++) v += loading[a * FACTORS + l] * latent[i * (D + FACTORS) + D + l];
                x[i * D + a] = 0.5 * erf(v / 2.2);
            }
            r[i] = 0.12 * random_normal(&seed, at++) + 0.02 * x[i * D];
        }
        s->packed[t] = memory_array(double, k, "Xi");
        s->factors[t] = memory_array(double, D, "F");
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, D, n, 1.0 / n, x, D, 0, full, D);
        packed_from_full(D, full, s->packed[t]);
        cblas_dgemv(CblasRowMajor, CblasTrans, n, D, 1, x, D, r, 1, 0, s->factors[t], 1);
        s->period[t] = (struct period){.index = t,
                                       .n = n,
                                       .scale = 1,
                                       .factors = s->factors[t],
                                       .timing = s->packed[t],
                                       .squares = cblas_ddot(n, r, 1, r, 1)};
    }
    for (int t = 0; t < T; t++)
        for (int u = 0; u < T; u++) s->timing[t * (T + 1) + u] = cblas_ddot((int)k, s->packed[t], 1, s->packed[u], 1);
    s->window = (struct window){.T = T, .D = D, .period = s->period, .timing_gram = s->timing};
    memory_free(latent);
    memory_free(x);
    memory_free(full);
    memory_free(loading);
    memory_free(r);
}
static void drop(struct sample *s)
{
    for (int t = 0; t < T; t++) memory_free(s->packed[t]), memory_free(s->factors[t]);
}

static struct ols_fit *fit(const struct sample *s, enum ols_solver solver, struct team *team)
{
    struct ols_plan p = {.T = T, .D = s->window.D, .nz = NZ, .solver = solver, .z = ridge, .memory = 1e12};
    struct ols_fit *f = ols_fit_create(&p, team_size(team));
    struct fit_note note = {0};
    if (ols_fit_window(f, &s->window, team, &note)) die("bench: %s", note.text);
    return f;
}

/* Everything that is not pdsyevd, as a share of it. */
static double small(struct team *world, int D)
{
    static struct sample s;
    make(&s, D);
    struct ols_times best = {1e9, 1e9, 1e9, 1e9};
    double residual = 0, orthogonality = 0, ratio = 1e9;
    for (int repeat = 0; repeat < 3; repeat++) {
        struct ols_fit *f = fit(&s, OLS_DENSE, world);
        const struct ols_times *t = ols_fit_times(f);
        double whole = (t->assembly + t->eigen + t->solve) / t->eigen;
        if (whole < ratio) ratio = whole, best = *t;
        residual = ols_fit_grid(f)->residual, orthogonality = ols_fit_grid(f)->orthogonality;
        ols_fit_destroy(f);
    }
    if (team_rank(world) == 0)
        printf("dense n = %4d (D = %d) on %d ranks: solver alone %6.2f s; assembly, twice for the check %.3f s (%.1f%%); %d "
               "penalties, redistribution and check %.2f s; whole "
               "/ alone %.3f (at most 1.15); leave-one-out %.2f s; residual %.2g, orthogonality %.2g n eps\n",
               D * T, D, team_size(world), best.eigen, best.assembly, 100 * best.assembly / best.eigen, NZ, best.solve,
               ratio, best.leave, residual, orthogonality);
    drop(&s);
    return best.eigen;
}

static void solvers(struct team *world, int D, double *dense_seconds, double *iterative_seconds)
{
    static struct sample s;
    make(&s, D);
    struct ols_fit *d = fit(&s, OLS_DENSE, world), *i = fit(&s, OLS_ITERATIVE, world);
    const struct ols *a = ols_fit_answer(d), *b = ols_fit_answer(i);
    const struct ols_times *td = ols_fit_times(d), *ti = ols_fit_times(i);
    if (team_rank(world) == 0) {
        double dense = td->assembly + td->eigen + td->solve;
        printf("D = %d, T = %d, %d penalties, %d ranks: dense %.2f s, iterative %.3f s: %.0f times; leave-one-out dense "
               "%.2f s, iterative %.2f s; both with it %.1f times\n",
               D, T, NZ, team_size(world), dense, ti->solve, dense / ti->solve, td->leave, ti->leave,
               (dense + td->leave) / (ti->solve + ti->leave));
        printf("  steps by penalty:");
        for (int z = 0; z < NZ; z++) printf(" %d", ols_cg_steps(ols_fit_cg(i))[z]);
        printf("\n  largest difference of q, relative:");
        for (int z = 0; z < NZ; z++) {
            double most = 0, worst = 0;
            for (size_t k = (size_t)z * T * (size_t)D; k < (size_t)(z + 1) * T * (size_t)D; k++)
                most = fmax(most, fabs(a->q[k])), worst = fmax(worst, fabs(a->q[k] - b->q[k]));
            printf(" %.0e", worst / most);
        }
        printf("\n  leave-one-out loss, relative:     ");
        for (int z = 0; z < NZ; z++) printf(" %.0e", fabs(a->loss[z] / b->loss[z] - 1));
        printf("\n  selected z %g and %g\n", ridge[a->selected], ridge[b->selected]);
        *dense_seconds = dense + td->leave, *iterative_seconds = ti->solve + ti->leave;
    }
    ols_fit_destroy(d);
    ols_fit_destroy(i);
    drop(&s);
}

/* Windows are dealt whole, the longest share decides: ceil(windows / teams). Terms measured above, no communication between teams. */
static void model(double dense, double iterative, int team)
{
    printf(
        "strong scaling, modelled: 659 windows, D = 132, T = 60, from the seconds above (teams of %d ranks share nothing)\n",
        team);
    for (int ranks = 64; ranks <= 4096; ranks *= 8) {
        int teams = ranks / team, rounds = (659 + teams - 1) / teams;
        printf("  %4d ranks: dense %7.0f s (efficiency %3.0f%%), iterative %6.1f s\n", ranks, rounds * dense,
               100. * 659 / ((double)rounds * teams), rounds * iterative);
    }
}

int main(int argc, char **argv)
{
    struct team *world = world_open(&argc, &argv);
    const char *what = argc > 1 ? argv[1] : team_size(world) > 1 ? "all" : "quick";
    bool quick = !strcmp(what, "quick");
    for (int i = 0; i < NZ; i++) ridge[i] = pow(10, i - 10);
    if (strcmp(what, "road"))
        for (int D = 22; D <= (quick ? 22 : 66); D += 22) small(world, D);
    if (strcmp(what, "small")) {
        double dense = 0, iterative = 0;
        solvers(world, quick ? 22 : 66, &dense, &iterative);
        if (!quick) {
            solvers(world, 132, &dense, &iterative);
            if (team_rank(world) == 0) model(dense, iterative, team_size(world));
        }
    }
    world_close(world);
    return 0;
}
