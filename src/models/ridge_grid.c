/* The T x T kernel of a long window, assembled in blocks on a grid of ranks and solved there. */
#include "models/ridge_grid.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { NB = 64 }; /* block of the grid */

double ridge_grid_bytes(int T, int nz, int ranks)
{
    int rows, cols;
    grid_shape(ranks, &rows, &cols);
    double solve = grid_bytes(T, NB, rows, cols), slab = grid_slab(T, rows * cols);
    return solve < 0 ? INFINITY : solve + 8 * (slab * T + (double)ridge_spectral_work(T, nz, (int)slab) + 3. * nz * T);
}

int ridge_grid_needed(int T, int nz, double bytes)
{
    for (int ranks = 2; ranks <= 1 << 16; ranks += ranks < 64 ? 1 : ranks / 16)
        if (ridge_grid_bytes(T, nz, ranks) <= bytes) return ranks;
    return 0;
}

struct kernel {
    const double *K;
    int T;
};

static void fill(void *context, int rows, const int *row, int cols, const int *col, double *out, int ld)
{
    const struct kernel *k = context;
    for (int j = 0; j < cols; j++)
        for (int i = 0; i < rows; i++) out[(size_t)j * ld + i] = k->K[(size_t)col[j] * k->T + row[i]];
}

int ridge_grid_fit(struct ridge_path *p, struct team *team, int T, const double *K, const double *z, struct grid_note *note)
{
    struct kernel kernel = {K, T};
    size_t TT = (size_t)T * T, nT = (size_t)p->nz * T;
    *note = (struct grid_note){.residual = NAN, .orthogonality = NAN};
    for (size_t i = 0; i < TT; i++)
        if (!isfinite(K[i])) return -1;
    struct grid *g = grid_open(team, 0, 0);
    struct grid_matrix *a = grid_matrix_new(g, T, T, NB, "kernel"), *v = grid_matrix_new(g, T, T, NB, "eigenvectors");
    grid_eigen(g, GRID_PDSYEVD, a, fill, &kernel, p->eigenvalue, v, note);
    grid_matrix_free(a);
    if (!note->code) {
        int first, count, slab = grid_slab(T, grid_ranks(g));
        double *columns = memory_array(double, (size_t)T *(size_t)slab, "eigenvectors"),
               *work = memory_array(double, ridge_spectral_work(T, p->nz, slab), "ridge workspace"),
               *sums = memory_array(double, 3 * nT, "ridge sums");
        memset(sums, 0, sizeof(double) * 3 * nT);
        grid_columns(g, v, columns, &first, &count);
        if (count) {
            ridge_clip(T, p->eigenvalue);
            ridge_spectral(T, p->nz, z, count, columns, p->eigenvalue + first, sums, work);
        }
        grid_sum(g, sums, 3 * nT);
        ridge_finish(p, T, sums);
        memory_free(columns);
        memory_free(work);
        memory_free(sums);
    }
    grid_matrix_free(v);
    grid_close(g);
    return note->code;
}
