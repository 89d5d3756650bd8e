/* BLACS grids and ScaLAPACK behind a few calls, with checks of what a solve returned. */
#include "parallel/grid.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "parallel/blacs.h"
#include "parallel/comm.h"

struct grid {
    struct team *team;
    MPI_Comm comm;     /* the ranks inside, in grid order; MPI_COMM_NULL outside */
    int handle;        /* BLACS' name for comm */
    int context, line; /* rows x cols, and the same ranks as 1 x (rows cols) */
    int rows, cols, row, col;
};

static const int zero = 0, one = 1;
static const double d_zero = 0, d_one = 1;

/* ---- grids ---- */

void grid_shape(int ranks, int *rows, int *cols)
{
    *rows = *cols = 1;
    for (int p = 1; p * p <= ranks; p++) {
        int q = ranks / p < 2 * p + 1 ? ranks / p : 2 * p + 1;
        if (p * q >= *rows * *cols) *rows = p, *cols = q;
    }
}

static int context_of(struct grid *g, int rows, int cols)
{
    int context = g->handle, *map = memory_array(int, rows *cols, "grid map");
    for (int k = 0; k < rows * cols; k++) map[k % cols * rows + k / cols] = k; /* column-major map, ranks along the rows */
    Cblacs_gridmap(&context, map, rows, rows, cols);
    memory_free(map);
    return context;
}

struct grid *grid_open(struct team *t, int rows, int cols)
{
    struct grid *g = memory_array(struct grid, 1, "grid");
    if (!rows) grid_shape(team_size(t), &rows, &cols);
    require(rows * cols <= team_size(t));
    bool inside = team_rank(t) < rows * cols;
    *g = (struct grid){.team = t, .rows = rows, .cols = cols, .row = -1, .col = -1};
    MPI_Comm_split(team_comm(t), inside ? 0 : MPI_UNDEFINED, team_rank(t), &g->comm);
    if (!inside) return g;
    g->handle = Csys2blacs_handle(g->comm);
    g->context = context_of(g, rows, cols);
    g->line = context_of(g, 1, rows * cols);
    Cblacs_gridinfo(g->context, &rows, &cols, &g->row, &g->col);
    return g;
}

void grid_close(struct grid *g)
{
    if (!g) return;
    if (grid_member(g)) {
        Cblacs_gridexit(g->line);
        Cblacs_gridexit(g->context);
        Cfree_blacs_system_handle(g->handle);
        MPI_Comm_free(&g->comm);
    }
    memory_free(g);
}

bool grid_member(const struct grid *g)
{
    return g->comm != MPI_COMM_NULL;
}
int grid_ranks(const struct grid *g)
{
    return g->rows * g->cols;
}

void grid_place(const struct grid *g, int *rows, int *cols, int *row, int *col)
{
    *rows = g->rows;
    *cols = g->cols;
    *row = g->row;
    *col = g->col;
}

/* ---- matrices ---- */

/* The indices that place `me` of `places` owns when 0 .. n-1 are dealt out in blocks of nb, round and round. */
static int *indices(int n, int nb, int me, int places, int count)
{
    int *index = memory_array(int, count, "grid indices");
    for (int i = 0; i < count; i++) index[i] = (i / nb * places + me) * nb + i % nb;
    require(count == 0 || index[count - 1] < n);
    return index;
}

struct grid_matrix *grid_matrix_new(struct grid *g, int n, int m, int nb, const char *what)
{
    struct grid_matrix *a = memory_array(struct grid_matrix, 1, "grid matrix");
    *a = (struct grid_matrix){.n = n, .m = m, .nb = nb, .ld = 1};
    if (!grid_member(g)) return a;
    int info;
    a->rows = numroc_(&n, &nb, &g->row, &zero, &g->rows);
    a->cols = numroc_(&m, &nb, &g->col, &zero, &g->cols);
    a->ld = a->rows > 1 ? a->rows : 1;
    descinit_(a->descriptor, &n, &m, &nb, &nb, &zero, &zero, &g->context, &a->ld, &info);
    require(info == 0);
    a->row = indices(n, nb, g->row, g->rows, a->rows);
    a->col = indices(m, nb, g->col, g->cols, a->cols);
    a->data = memory_array(double, (size_t)a->ld *((size_t)a->cols + 1), what);
    return a;
}

void grid_matrix_free(struct grid_matrix *a)
{
    if (!a) return;
    memory_free_all(a->row, a->col, a->data, a);
}

int grid_slab(int m, int ranks)
{
    return (m + ranks - 1) / ranks;
}

void grid_columns(struct grid *g, const struct grid_matrix *z, double *out, int *first, int *count)
{
    *first = *count = 0;
    if (!grid_member(g)) return;
    int slab = grid_slab(z->m, grid_ranks(g)), descriptor[9], info, ld = z->n > 1 ? z->n : 1;
    descinit_(descriptor, &z->n, &z->m, &z->n, &slab, &zero, &zero, &g->line, &ld, &info);
    require(info == 0);
    Cpdgemr2d(z->n, z->m, z->data, 1, 1, z->descriptor, out, 1, 1, descriptor, g->context);
    int me = g->row * g->cols + g->col;
    *first = me * slab < z->m ? me * slab : z->m;
    *count = z->m - *first < slab ? z->m - *first : slab;
}

/* ---- sums ---- */

enum { PIECE = 1 << 20 };

/* Contributions are added in the order of the ranks: MPI's own reductions may choose an order by message size. */
void grid_sum_to(struct grid *g, const double *part, double *sum, size_t n, int root)
{
    int ranks = grid_ranks(g), me = g->row * g->cols + g->col;
    enum { TAG = 21 };
    if (!grid_member(g)) return;
    if (me != root) {
        for (size_t at = 0; at < n; at += PIECE)
            MPI_Send(part + at, (int)(n - at < PIECE ? n - at : PIECE), MPI_DOUBLE, root, TAG, g->comm);
        return;
    }
    double *piece = memory_array(double, n < PIECE ? n : PIECE, "sum over a grid"),
           *own = memory_array(double, n < PIECE ? n : PIECE, "sum over a grid");
    for (size_t at = 0; at < n; at += PIECE) {
        int count = (int)(n - at < PIECE ? n - at : PIECE);
        memcpy(own, part + at, sizeof(double) * (size_t)count);
        memset(sum + at, 0, sizeof(double) * (size_t)count);
        for (int r = 0; r < ranks; r++) {
            const double *from = own;
            if (r != root) {
                MPI_Recv(piece, count, MPI_DOUBLE, r, TAG, g->comm, MPI_STATUS_IGNORE);
                from = piece;
            }
            for (int i = 0; i < count; i++) sum[at + (size_t)i] += from[i];
        }
    }
    memory_free(own);
    memory_free(piece);
}

void grid_sum(struct grid *g, double *values, size_t n)
{
    grid_sum_to(g, values, values, n, 0);
    team_broadcast(g->team, values, n * sizeof(double), 0);
}

/* ---- eigen-solves ---- */

const char *grid_code_text(int code)
{
    static const char *const text[] = {
        "fine", "the distributed eigen-solver did not converge",
        "the distributed eigen-solver's workspace is beyond 32-bit counts: more ranks are needed",
        "the distributed eigen-decomposition failed its residual or orthogonality check"};
    return text[code >= 0 && code <= GRID_INACCURATE ? code : 0];
}

/* Largest local extent of n in blocks of nb over `places`. */
static double extent(int n, int nb, int places)
{
    int first = 0;
    return numroc_(&n, &nb, &first, &zero, &places);
}

/* pdsyevd's workspace in doubles, in arithmetic that cannot overflow: its documented minimum, which its own query returns, and what the
 * routines it calls ask for beyond that when blocks are few. Without this ScaLAPACK 2.2 answers wrongly (n = 65, nb = 64 on one rank),
 * or leaves one rank waiting for ever, and says nothing in info. */
static double pdsyevd_doubles(int n, int nb, int rows, int cols)
{
    double np = extent(n, nb, rows), nq = extent(n, nb, cols), tri = 3.0 * n + fmax(nb * (np + 1), 3.0 * nb);
    double documented = fmax(1 + 6.0 * n + 2 * np * nq, tri) + 2.0 * n;
    return documented + 3.0 * n + nb * (2 * np + nq + 2 * nb);
}

double grid_bytes(int n, int nb, int rows, int cols)
{
    double np = extent(n, nb, rows), nq = extent(n, nb, cols), work = pdsyevd_doubles(n, nb, rows, cols);
    if (work > INT_MAX || np * nq > INT_MAX || 8.0 * n + 8.0 * cols + 2 > INT_MAX) return -1;
    return 8 * (2 * np * (nq + 1) + work) + 4 * (7.0 * n + 8.0 * cols + 2);
}

int grid_ranks_needed(int n, int nb, double bytes)
{
    for (int ranks = 1; ranks <= 1 << 20; ranks += ranks < 64 ? 1 : ranks / 16) {
        int rows, cols;
        grid_shape(ranks, &rows, &cols);
        double need = grid_bytes(n, nb, rows, cols);
        if (need >= 0 && need <= bytes) return ranks;
    }
    return 0;
}

int grid_fits(const struct grid *g, int n, int nb, double bytes, const char *what, struct error *e)
{
    char need_text[32], have_text[32];
    double need = grid_bytes(n, nb, g->rows, g->cols);
    if (need >= 0 && need <= bytes) return 0;
    int ranks = grid_ranks_needed(n, nb, bytes);
    return error_set(
        e,
        "%s: an eigen-decomposition of order %d on %d rank%s needs %s per rank; found: %s; needed: %s%d ranks in its team",
        what, n, grid_ranks(g), grid_ranks(g) == 1 ? "" : "s",
        need < 0 ? "more than 32-bit counts can state" : format_bytes(need, need_text), format_bytes(bytes, have_text),
        ranks ? "" : "more than ", ranks ? ranks : 1 << 20);
}

/* The solver with the workspace it asks for. Returns GRID_... */
static int solve(struct grid *g, enum grid_solver solver, struct grid_matrix *a, double *value, struct grid_matrix *z,
                 struct grid_note *note)
{
    int n = a->n, lwork = -1, liwork = -1, ilow = 1, ihigh = n, found, vectors;
    double ask = 0, vlow = 0, vhigh = 0;
    int iask = 0;
#define SOLVE(w, lw, iw, liw)                                                                                               \
    (solver == GRID_PDSYEVD                                                                                                 \
         ? pdsyevd_("V", "L", &n, a->data, &one, &one, a->descriptor, value, z->data, &one, &one, z->descriptor, w, lw, iw, \
                    liw, &note->info)                                                                                       \
         : pdsyevr_("V", "A", "L", &n, a->data, &one, &one, a->descriptor, &vlow, &vhigh, &ilow, &ihigh, &found, &vectors,  \
                    value, z->data, &one, &one, z->descriptor, w, lw, iw, liw, &note->info))
    if (pdsyevd_doubles(n, a->nb, g->rows, g->cols) > INT_MAX) return GRID_WORKSPACE; /* the query itself would overflow */
    SOLVE(&ask, &lwork, &iask, &liwork);
    if (note->info || ask > INT_MAX || ask < 0) return GRID_WORKSPACE;
    lwork = (int)fmax(ask, pdsyevd_doubles(n, a->nb, g->rows, g->cols));
    liwork = iask > 7 * n + 8 * g->cols + 2 ? iask : 7 * n + 8 * g->cols + 2; /* the query has been seen to understate it */
    double *work = memory_array(double, lwork, "eigen-solver workspace");
    int *iwork = memory_array(int, liwork, "eigen-solver workspace");
    MPI_Barrier(g->comm);
    double start = clock_seconds();
    SOLVE(work, &lwork, iwork, &liwork);
    note->seconds = clock_seconds() - start;
#undef SOLVE
    memory_free(work);
    memory_free(iwork);
    return note->info ? GRID_NOT_CONVERGED : GRID_FINE;
}

/* The sign of entry (i, k) of the probes. It is a hash of i and k, so that every place fills its own blocks without a
 * message. */
static double probe_sign(int i, int k)
{
    unsigned long long h = ((unsigned long long)i * GRID_PROBES + (unsigned)k + 1) * 0x9E3779B97F4A7C15ull;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9ull;
    return h >> 63 ? 1 : -1;
}

/* Euclidean norms of the columns of p over the grid, the largest of them. */
static double largest_column(struct grid *g, const struct grid_matrix *p)
{
    double sum[GRID_PROBES] = {0}, most = 0;
    for (int j = 0; j < p->cols; j++)
        for (int i = 0; i < p->rows; i++) sum[p->col[j]] += p->data[(size_t)j * p->ld + i] * p->data[(size_t)j * p->ld + i];
    MPI_Allreduce(MPI_IN_PLACE, sum, GRID_PROBES, MPI_DOUBLE, MPI_SUM, g->comm);
    for (int k = 0; k < GRID_PROBES; k++) most = fmax(most, sqrt(sum[k]));
    return isfinite(sum[0]) ? most : INFINITY;
}

/* The norms of A Z x - Z L x and of Z'Z x - x for a few random x. Afterwards A holds its lower triangle again. */
static void check(struct grid *g, const struct grid_matrix *a, const double *value, const struct grid_matrix *z,
                  struct grid_note *note)
{
    int n = a->n, s = GRID_PROBES;
    double minus = -1;
    struct grid_matrix *x = grid_matrix_new(g, n, s, a->nb, "check vectors"),
                       *y = grid_matrix_new(g, n, s, a->nb, "check vectors"),
                       *r = grid_matrix_new(g, n, s, a->nb, "check vectors");
#define ALL(m) (m)->data, &one, &one, (m)->descriptor
    for (int j = 0; j < x->cols; j++)
        for (int i = 0; i < x->rows; i++) x->data[(size_t)j * x->ld + i] = probe_sign(x->row[i], x->col[j]);
    double norm_x = sqrt(n),
           *row_sums = memory_array(double, 2 * (size_t)n + 2 * (size_t)(a->rows + a->cols + 2 * a->nb), "norm workspace");
    double norm_a = pdlansy_("1", "L", &n, a->data, &one, &one, a->descriptor, row_sums);
    memory_free(row_sums);
    pdgemm_("N", "N", &n, &s, &n, &d_one, ALL(z), ALL(x), &d_zero, ALL(y)); /* y = Z x */
    pdsymm_("L", "L", &n, &s, &d_one, ALL(a), ALL(y), &d_zero, ALL(r));     /* r = A Z x */
    for (int j = 0; j < x->cols; j++)
        for (int i = 0; i < x->rows; i++) x->data[(size_t)j * x->ld + i] *= value[x->row[i]];
    pdgemm_("N", "N", &n, &s, &n, &minus, ALL(z), ALL(x), &d_one, ALL(r)); /* r -= Z L x */
    note->residual = largest_column(g, r) / (fmax(norm_a, DBL_MIN) * norm_x * n * DBL_EPSILON);
    for (int j = 0; j < x->cols; j++)
        for (int i = 0; i < x->rows; i++) x->data[(size_t)j * x->ld + i] = probe_sign(x->row[i], x->col[j]);
    pdgemm_("T", "N", &n, &s, &n, &d_one, ALL(z), ALL(y), &minus, ALL(x)); /* x = Z'Z x - x */
    note->orthogonality = largest_column(g, x) / (norm_x * n * DBL_EPSILON);
#undef ALL
    grid_matrix_free(x);
    grid_matrix_free(y);
    grid_matrix_free(r);
}

void grid_eigen(struct grid *g, enum grid_solver solver, struct grid_matrix *a, grid_fill *fill, void *context,
                double *value, struct grid_matrix *z, struct grid_note *note)
{
    *note = (struct grid_note){0};
    if (grid_member(g)) {
        fill(context, a->rows, a->row, a->cols, a->col, a->data, a->ld);
        note->code = solve(g, solver, a, value, z, note);
        MPI_Bcast(value, a->n, MPI_DOUBLE, 0, g->comm); /* a matrix of one block leaves them on its owner alone */
        if (!note->code) {
            fill(context, a->rows, a->row, a->cols, a->col, a->data, a->ld);
            check(g, a, value, z, note);
            if (!(note->residual <= GRID_TOLERANCE && note->orthogonality <= GRID_TOLERANCE)) note->code = GRID_INACCURATE;
        }
        MPI_Allreduce(MPI_IN_PLACE, &note->code, 1, MPI_INT, MPI_MAX, g->comm);
    }
    team_broadcast(g->team, note, sizeof *note, 0);
}
