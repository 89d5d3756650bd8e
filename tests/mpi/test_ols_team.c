/* The OLS objective on teams: the grid's answers against one rank's, the iterative solver's bits.   RANKS: 1 2 3 4 6 */
#include <cblas.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "models/ols_fit.h"
#include "parallel/team.h"

static struct team *world;
enum { T = 13, D = 9, NZ = 5 };
static const double ridge[NZ] = {1e-8, 1e-5, 1e-3, 1e-1, 10};
static double packed[T + 1][D * (D + 1) / 2], factors[T][D], timing[(T + 1) * (T + 1)];
static struct period period[T + 1];
static struct window window = {.T = T, .D = D, .period = period, .timing_gram = timing};

static void make(void)
{
    struct random_stream s = random_open(3, 1, 4, 1);
    uint64_t at = 0;
    for (int t = 0; t <= T; t++) {
        int n = 30 + t;
        double x[50 * D], gamma[D * D], r[50];
        for (int i = 0; i < n; i++) {
            for (int a = 0; a < D; a++) x[i * D + a] = random_uniform(&s, at++) - 0.5;
            r[i] = 0.1 * random_normal(&s, at++) + 0.1 * x[i * D];
        }
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, D, n, 1.0 / n, x, D, x, D, 0, gamma, D);
        packed_from_full(D, gamma, packed[t]);
        if (t < T) cblas_dgemv(CblasRowMajor, CblasTrans, n, D, 1, x, D, r, 1, 0, factors[t], 1);
        period[t] = (struct period){.index = t,
                                    .n = n,
                                    .scale = 1,
                                    .timing = packed[t],
                                    .factors = t < T ? factors[t] : NULL,
                                    .squares = cblas_ddot(n, r, 1, r, 1)};
    }
    for (int t = 0; t <= T; t++)
        for (int u = 0; u <= T; u++) timing[t * (T + 1) + u] = cblas_ddot(D * (D + 1) / 2, packed[t], 1, packed[u], 1);
}

static struct ols_fit *fitted(enum ols_solver solver, int rank, struct team *team)
{
    struct ols_plan p = {.T = T, .D = D, .nz = NZ, .rank = rank, .solver = solver, .z = ridge, .memory = 1e9};
    struct ols_fit *f = ols_fit_create(&p, team ? team_size(team) : 1);
    struct fit_note note = {0};
    CU_ASSERT_EQUAL(ols_fit_window(f, &window, team, &note), 0);
    return f;
}

/* Saturated and low-rank answers of the whole team on its grid against LAPACK's on one rank. */
static void grid_equals_one(void)
{
    for (int rank = 0; rank <= 4; rank += 4) {
        struct ols_fit *alone = fitted(OLS_DENSE, rank, NULL), *together = fitted(OLS_DENSE, rank, world);
        const struct ols *a = ols_fit_answer(alone), *b = ols_fit_answer(together);
        CU_ASSERT_EQUAL(a->selected, b->selected);
        for (int z = 0; z < NZ; z++) {
            double most = 0, worst = 0;
            CHECK_CLOSE(b->loss[z] / a->loss[z], 1, 1e-9);
            for (int i = z * T * D; i < (z + 1) * T * D; i++)
                most = fmax(most, fabs(a->q[i])), worst = fmax(worst, fabs(a->q[i] - b->q[i]));
            CHECK_CLOSE(worst / most, 0, 1e-8);
        }
        if (team_size(world) > 1)
            CU_ASSERT(ols_fit_grid(together)->residual > 0 && ols_fit_grid(together)->residual < GRID_TOLERANCE);
        ols_fit_destroy(alone);
        ols_fit_destroy(together);
    }
}

static void iterative_bits(void)
{
    struct ols_fit *alone = fitted(OLS_ITERATIVE, 0, NULL), *together = fitted(OLS_ITERATIVE, 0, world);
    const struct ols *a = ols_fit_answer(alone), *b = ols_fit_answer(together);
    CU_ASSERT(!memcmp(a->q, b->q, sizeof(double) * NZ * T * D));
    CU_ASSERT(!memcmp(a->loss, b->loss, sizeof(double) * NZ));
    CU_ASSERT(!memcmp(a->loss_by_period, b->loss_by_period, sizeof(double) * NZ * T));
    CU_ASSERT_EQUAL(a->selected, b->selected);
    ols_fit_destroy(alone);
    ols_fit_destroy(together);
}

static void says_what_it_needs(void)
{
    struct error e = {""};
    struct ols_plan p = {.T = 60, .D = 132, .nz = 14, .solver = OLS_DENSE, .z = ridge, .memory = 1.0e9};
    CU_ASSERT_EQUAL(ols_plan_check(&p, "ols", &e), -1);
    CU_ASSERT(strstr(e.text, "7920") && strstr(e.text, "several ranks (ranks: 3)"));
    p.solver = OLS_AUTO;
    struct error none = {""};
    CU_ASSERT_EQUAL(ols_plan_check(&p, "ols", &none), 0);
    CU_ASSERT_EQUAL(ols_plan_solver(&p), OLS_ITERATIVE);
    p.rank = 5;
    CU_ASSERT_EQUAL(ols_plan_solver(&p), OLS_DENSE);
    p.solver = OLS_ITERATIVE;
    CU_ASSERT_EQUAL(ols_plan_check(&p, "ols", &none), -1);
}

/* Conjugate gradients given up after a step: with the choice open the dense solver answers, asked for they are a recorded code. */
static void falls_back(void)
{
    struct ols_plan p = {.T = T, .D = D, .nz = 1, .solver = OLS_DENSE, .z = ridge + 2, .memory = 1e9, .steps = 1};
    struct fit_note note = {0};
    struct ols_fit *dense = ols_fit_create(&p, team_size(world));
    CU_ASSERT_EQUAL(ols_fit_window(dense, &window, world, &note), 0);
    p.solver = OLS_ITERATIVE;
    struct ols_fit *f = ols_fit_create(&p, team_size(world));
    CU_ASSERT_EQUAL(ols_fit_window(f, &window, world, &note), OLS_NO_CONVERGENCE);
    CU_ASSERT(!ols_plan_falls_back(&p));
    ols_fit_destroy(f);
    p.solver = OLS_AUTO;
    CU_ASSERT_EQUAL(ols_plan_solver(&p), OLS_ITERATIVE);
    CU_ASSERT(ols_plan_falls_back(&p));
    f = ols_fit_create(&p, team_size(world));
    CU_ASSERT_EQUAL(ols_fit_window(f, &window, world, &note), 0);
    CU_ASSERT_EQUAL(ols_fit_solver(f), OLS_DENSE);
    CU_ASSERT(!memcmp(ols_fit_answer(f)->q, ols_fit_answer(dense)->q, sizeof(double) * T * D));
    CU_ASSERT(!memcmp(ols_fit_answer(f)->loss, ols_fit_answer(dense)->loss, sizeof(double)));
    ols_fit_destroy(f);
    ols_fit_destroy(dense);
    p.memory = (double)ols_cg_bytes(T, D, 1) + 1e5;
    CU_ASSERT(!ols_plan_falls_back(&p));
}

static void refuses_in_time(void)
{
    struct ols_plan p = {.T = T, .D = D, .nz = NZ, .solver = OLS_DENSE, .z = ridge, .memory = 2e5};
    struct ols_fit *f = ols_fit_create(&p, team_size(world));
    struct fit_note note = {0};
    if (team_size(world) == 1) SKIP("one rank has no grid");
    else {
        CU_ASSERT_EQUAL(ols_fit_window(f, &window, world, &note), OLS_TOO_LARGE);
        CU_ASSERT(strstr(note.text, "needed: a team of") != NULL);
    }
    ols_fit_destroy(f);
}

static const struct check tests[] = {
    {"a team's grid agrees with one rank", grid_equals_one},
    {"the iterative solver has the same bits on any team", iterative_bits},
    {"a matrix that does not fit says how many ranks it needs", says_what_it_needs},
    {"where conjugate gradients fail the dense solver answers, if the choice is open", falls_back},
    {"on a grid too, as a recorded code", refuses_in_time},
};
int main(int argc, char **argv)
{
    world = world_open(&argc, &argv);
    make();
    int failed = check_run("ols_team", tests, sizeof tests / sizeof *tests);
    if (memory_blocks() != 1) failed = 1, printf("%ld blocks not freed\n", memory_blocks());
    world_close(world);
    return failed;
}
