/* Grids of ranks and the distributed eigen-solver against LAPACK's.   RANKS: 1 2 3 4 6 */
#include <float.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "linalg/eigen.h"
#include "parallel/grid.h"
#include "parallel/team.h"

static struct team *world;

static double element(double scale, int i, int j)
{
    int a = i < j ? i : j, b = i < j ? j : i;
    return (i == j ? 0.01 * i : 0) + scale * sin(0.37 * a + 1.7 * b) / (1 + b - a);
}
static int filled;
static void fill(void *context, int rows, const int *row, int cols, const int *col, double *out, int ld)
{
    double scale = *(double *)context;
    for (int j = 0; j < cols; j++) /* nothing above the diagonal: it must not be read */
        for (int i = 0; i < rows; i++) out[(size_t)j * ld + i] = row[i] >= col[j] ? element(scale, row[i], col[j]) : NAN;
    filled = rows * cols;
}

static void shapes(void)
{
    for (int ranks = 1; ranks <= 200; ranks++) {
        int p, q;
        grid_shape(ranks, &p, &q);
        CU_ASSERT(p >= 1 && p <= q && q <= 2 * p + 1 && p * q <= ranks);
        CU_ASSERT(4 * p * q >= 3 * ranks); /* few ranks are left over */
    }
    int p, q;
    grid_shape(6, &p, &q);
    CU_ASSERT(p == 2 && q == 3);
    grid_shape(5, &p, &q);
    CU_ASSERT(p == 2 && q == 2);
    grid_shape(16, &p, &q);
    CU_ASSERT(p == 4 && q == 4);
}

/* One solve on a grid of the given shape (0: near square) against eigen_symmetric. */
static void solve_on(int rows, int cols, int n, int nb, enum grid_solver solver)
{
    double scale = 1, worst = 0;
    size_t nn = (size_t)n * (size_t)n;
    struct grid *g = grid_open(world, rows, cols);
    struct grid_matrix *a = grid_matrix_new(g, n, n, nb, "A"), *z = grid_matrix_new(g, n, n, nb, "Z");
    double *value = memory_array(double, n, "values"), *reference = memory_array(double, n, "values"),
           *full = memory_array(double, nn, "A"), *copy = memory_array(double, nn, "A");
    struct grid_note note;
    filled = 0;
    grid_eigen(g, solver, a, fill, &scale, value, z, &note);
    CU_ASSERT_EQUAL(filled, a->rows * a->cols);
    CU_ASSERT_EQUAL(note.code, GRID_FINE);
    CU_ASSERT(note.residual < GRID_TOLERANCE && note.orthogonality < GRID_TOLERANCE && note.residual >= 0);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) full[(size_t)j * n + i] = element(scale, i, j);
    memcpy(copy, full, sizeof(double) * nn);
    int lwork, liwork;
    eigen_workspace(n, &lwork, &liwork);
    double *work = memory_array(double, lwork, "work");
    int *iwork = memory_array(int, liwork, "work");
    eigen_symmetric(n, full, reference, work, lwork, iwork, liwork);
    if (grid_member(g))
        for (int i = 0; i < n; i++) worst = fmax(worst, fabs(value[i] - reference[i]));
    CHECK_CLOSE(worst, 0, 1e-12);

    /* A = Z L Z' from the columns of every rank */
    int first, count;
    double *columns = memory_array(double, (size_t)n *(size_t)grid_slab(n, grid_ranks(g)), "columns"),
           *sum = memory_array(double, nn, "sum");
    grid_columns(g, z, columns, &first, &count);
    for (int k = 0; k < count; k++)
        for (int j = 0; j < n; j++)
            for (int i = 0; i < n; i++)
                sum[(size_t)j * n + i] += columns[(size_t)k * n + i] * value[first + k] * columns[(size_t)k * n + j];
    grid_sum(g, sum, nn);
    worst = 0;
    for (size_t i = 0; i < nn; i++) worst = fmax(worst, fabs(sum[i] - copy[i]));
    CHECK_CLOSE(worst, 0, 1e-12);
    void *all[] = {value, reference, full, copy, work, iwork, columns, sum};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    grid_matrix_free(a);
    grid_matrix_free(z);
    grid_close(g);
}

static void near_square(void)
{
    solve_on(0, 0, 150, 16, GRID_PDSYEVD);
    solve_on(0, 0, 150, 16, GRID_PDSYEVR);
    solve_on(0, 0, 97, 64, GRID_PDSYEVD); /* two blocks: on more ranks some own no block */
}
static void other_shapes(void)
{
    int ranks = team_size(world);
    solve_on(1, ranks, 60, 8, GRID_PDSYEVD);
    solve_on(ranks, 1, 60, 8, GRID_PDSYEVD);
    solve_on(1, 1, 40, 8, GRID_PDSYEVD);  /* all other ranks left over */
    solve_on(0, 0, 20, 64, GRID_PDSYEVD); /* one block: one rank owns everything */
    if (ranks > 2) solve_on(1, 2, 50, 8, GRID_PDSYEVD);
    for (int n = 1; n <= 3; n++) solve_on(0, 0, n, 64, GRID_PDSYEVD);
    solve_on(0, 0, 65, 64, GRID_PDSYEVD); /* wrong, or waiting for ever, with the workspace that pdsyevd asks for */
}

/* The check must notice a wrong answer: the matrix changes between the solve and the check. */
static int calls;
static void fill_changing(void *context, int rows, const int *row, int cols, const int *col, double *out, int ld)
{
    double scale = calls++ ? 1.01 : 1;
    (void)context;
    fill(&scale, rows, row, cols, col, out, ld);
}
static void notices(void)
{
    struct grid *g = grid_open(world, 0, 0);
    struct grid_matrix *a = grid_matrix_new(g, 64, 64, 8, "A"), *z = grid_matrix_new(g, 64, 64, 8, "Z");
    double value[64];
    struct grid_note note;
    calls = 0;
    grid_eigen(g, GRID_PDSYEVD, a, fill_changing, NULL, value, z, &note);
    CU_ASSERT_EQUAL(note.code, GRID_INACCURATE);
    CU_ASSERT(note.residual > GRID_TOLERANCE);
    grid_matrix_free(a);
    grid_matrix_free(z);
    grid_close(g);
}

static void memory(void)
{
    /* 7,920 on one rank: four n x n matrices of doubles and little else */
    double one = grid_bytes(7920, 64, 1, 1), four = grid_bytes(7920, 64, 2, 2);
    CHECK_CLOSE(one / (32.0 * 7920 * 7920), 1, 0.01);
    CHECK_CLOSE(four / one, 0.25, 0.01);
    CU_ASSERT(grid_bytes(80000, 64, 1, 1) < 0); /* 2 n^2 beyond 32 bits */
    CU_ASSERT(grid_bytes(80000, 64, 4, 4) > 0);
    int ranks = grid_ranks_needed(7920, 64, 0.6e9), p, q;
    grid_shape(ranks, &p, &q);
    CU_ASSERT(grid_bytes(7920, 64, p, q) <= 0.6e9);
    grid_shape(ranks - 1, &p, &q);
    CU_ASSERT(grid_bytes(7920, 64, p, q) > 0.6e9);
    struct error e = {""}, none = {""};
    struct grid *g = grid_open(world, 0, 0);
    long blocks = memory_blocks();
    CU_ASSERT_EQUAL(grid_fits(g, 79200, 64, 1e9, "window 0", &e), -1);
    CU_ASSERT(strstr(e.text, "ranks in its team") != NULL && strstr(e.text, "79200") != NULL);
    CU_ASSERT_EQUAL(memory_blocks(), blocks);
    CU_ASSERT_EQUAL(grid_fits(g, 100, 64, 1e9, "window 0", &none), 0);
    grid_close(g);
}

static const struct check tests[] = {
    {"grids are near square and leave few ranks over", shapes},
    {"eigen-solves on near-square grids agree with LAPACK", near_square},
    {"one row, one column, ranks left over, ranks with no block", other_shapes},
    {"a wrong decomposition is noticed", notices},
    {"memory per rank, and how many ranks are needed", memory},
};

int main(int argc, char **argv)
{
    world = world_open(&argc, &argv);
    int failed = check_run("grid", tests, sizeof tests / sizeof *tests);
    if (memory_blocks() != 1) failed = 1, printf("%ld blocks not freed\n", memory_blocks());
    world_close(world);
    return failed;
}
