/* One window of the OLS linear transformer: the choice of its solver, the dense one on a rank or on a grid, and the
 * iterative one. */
#include "models/ols_fit.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "linalg/eigen.h"
#include "linalg/packed.h"
#include "parallel/team.h"

enum { NB = 64 }; /* block of the grid */

struct ols_fit {
    struct ols_plan plan;
    enum ols_solver solver, taken; /* planned; of the last fit */
    int ranks;
    bool warned;
    struct ols ols;
    struct ols_cg *cg;
    double *shift; /* [nz] zT */
    /* dense */
    double *vector, *value; /* [n, n], [n]; on one rank only */
    double *M, *J;          /* [OLS_LEAVE_PERIODS, nz, D, D] */
    double *block, *leave, *work;
    int *index, *iwork, lwork, liwork;
    struct grid_note note;
    struct ols_times times;
};

/* ---- which solver ---- */

struct ols_plan ols_plan_of(const struct shape *s, const struct values *v, int D)
{
    const char *solver = values_word(v, "solver");
    return (struct ols_plan){.T = s->T,
                             .D = D,
                             .nz = s->nz,
                             .rank = (int)values_int(v, "rank"),
                             .ranks = (int)values_int(v, "ranks"),
                             .z = s->ridge,
                             .memory = (double)s->memory,
                             .solver = !strcmp(solver, "dense")       ? OLS_DENSE
                                       : !strcmp(solver, "iterative") ? OLS_ITERATIVE
                                                                      : OLS_AUTO};
}

bool ols_asked(const struct values *v)
{
    return !strcmp(values_word(v, "objective"), "ols");
}

void ols_plan_choice(const struct ols_plan *p, char *out, size_t size)
{
    if (p->solver == OLS_AUTO) snprintf(out, size, "road=%s", ols_plan_solver(p) == OLS_DENSE ? "dense" : "iterative");
}

static double order_of(const struct ols_plan *p)
{
    return (double)(p->rank > 0 && p->rank < p->T ? p->rank : p->T) * p->D;
}

/* LAPACK's divide and conquer takes (4/3 + 4/3 + 2) n^3 operations, and more where little deflates. Leaving periods out
 * takes 3 D^2 n operations for every period and penalty. */
static const double dense_rate = 48e9, iterative_rate = 30e9;

/* Steps of conjugate gradients, averaged over penalties and over the whole window and the windows with a period left out.
 * Measured on stocks: with 35 well filled characteristics 12 at T = 60 and 18 at T = 120; with 39 characteristics, some
 * mostly missing, 32 and 58. The function gives the latter, the careful ones. */
static double careful_steps(int T)
{
    return T > 30 ? T / 2.0 : 15;
}

double ols_plan_flops(const struct ols_plan *p, enum ols_solver solver)
{
    double n = order_of(p), D = p->D, T = p->T;
    if (solver == OLS_DENSE) return 9 * n * n * n + 3 * D * D * n * T * p->nz;
    return 2 * (T + 1) * p->nz * careful_steps(p->T) * (4 * D * T * T + 2 * T * D * D) + 13 * T * D * D * D;
}

double ols_plan_seconds(const struct ols_plan *p, enum ols_solver solver)
{
    double flops = ols_plan_flops(p, solver), ranks = p->ranks > 1 ? p->ranks : 1, T = p->T;
    if (solver == OLS_DENSE) return flops / dense_rate / ranks;
    return flops / iterative_rate * (1 + T / ranks) / (1 + T); /* periods left out are shared, the fit of all is not */
}

static double dense_bytes(const struct ols_plan *p)
{
    double n = order_of(p), blocks = 16. * OLS_LEAVE_PERIODS * p->nz * p->D * p->D;
    if (p->ranks > 1) {
        int rows, cols;
        grid_shape(p->ranks, &rows, &cols);
        double bytes = n <= INT_MAX ? grid_bytes((int)n, NB, rows, cols) : -1;
        return bytes < 0 ? INFINITY : bytes + 8 * n + blocks;
    }
    return 8 * (n * n + 1 + 6 * n + 2 * n * n) + 4 * (3 + 6 * n) + blocks;
}

/* LAPACK's own counts are of 32 bits. */
static int dense_fits(const struct ols_plan *p)
{
    return dense_bytes(p) <= p->memory && (p->ranks > 1 || order_of(p) <= 30000);
}

enum ols_solver ols_plan_solver(const struct ols_plan *p)
{
    if (p->solver != OLS_AUTO) return p->solver;
    if (p->rank > 0) return OLS_DENSE;
    if (!dense_fits(p)) return OLS_ITERATIVE;
    return ols_plan_seconds(p, OLS_DENSE) <= ols_plan_seconds(p, OLS_ITERATIVE) ? OLS_DENSE : OLS_ITERATIVE;
}

bool ols_plan_falls_back(const struct ols_plan *p)
{
    struct ols_plan rest = *p;
    rest.memory -= (double)ols_cg_bytes(p->T, p->D, p->nz);
    return p->solver == OLS_AUTO && ols_plan_solver(p) == OLS_ITERATIVE && dense_fits(&rest);
}

double ols_plan_bytes(const struct ols_plan *p)
{
    struct ols o = {.T = p->T, .D = p->D};
    double own = (double)ols_bytes(p->T, p->D, p->nz),
           dense = dense_bytes(p) + 8. * (double)(ols_block_work(&o) + ols_leave_work(&o));
    if (ols_plan_solver(p) == OLS_DENSE) return own + dense;
    return own + (double)ols_cg_bytes(p->T, p->D, p->nz) + (ols_plan_falls_back(p) ? dense : 0);
}

int ols_plan_check(const struct ols_plan *p, const char *model, struct error *e)
{
    char need[32], have[32], more[64], on[32] = "";
    if (p->solver == OLS_ITERATIVE && p->rank > 0)
        return error_set(
            e, "model %s: solver iterative with rank %d; needed: rank 0 (the iterative road is exact), or solver dense",
            model, p->rank);
    if (p->nz > 64)
        return error_set(e, "model %s: found %d ridge penalties; needed: at most 64 with the OLS objective", model, p->nz);
    if (ols_plan_solver(p) != OLS_DENSE || dense_fits(p)) return 0;
    double order = order_of(p), bytes = dense_bytes(p), blocks = 16. * OLS_LEAVE_PERIODS * p->nz * p->D * p->D;
    int n = (int)fmin(order, INT_MAX), ranks = grid_ranks_needed(n, NB, p->memory - blocks - 8 * order);
    snprintf(more, sizeof more, ranks ? "ranks: %d" : "more than %d ranks", ranks ? ranks : 1 << 20);
    if (p->ranks > 1) snprintf(on, sizeof on, " on each of %d ranks", p->ranks);
    return error_set(e,
                     "model %s: the matrix of order %d = D T does not fit: its eigen-decomposition needs %s%s, found "
                     "memory_mb: %s; needed: a larger memory_mb, "
                     "solver: iterative, a smaller rank, or a team of several ranks (%s)",
                     model, n, isfinite(bytes) ? format_bytes(bytes, need) : "more than 32-bit counts can state", on,
                     format_bytes(p->memory, have), more);
}

/* ---- create ---- */

static void dense_create(struct ols_fit *f)
{
    const struct ols_plan *p = &f->plan;
    size_t n = (size_t)order_of(p), blocks = (size_t)OLS_LEAVE_PERIODS * (size_t)p->nz * (size_t)p->D * (size_t)p->D;
    f->value = memory_array(double, n, "eigenvalues");
    f->M = memory_array(double, blocks, "leave-one-out blocks");
    f->J = memory_array(double, blocks, "leave-one-out blocks");
    f->block = memory_array(double, ols_block_work(&f->ols), "assembly");
    f->leave = memory_array(double, ols_leave_work(&f->ols), "leave-one-out");
    if (f->ranks > 1) return;
    eigen_workspace((int)n, &f->lwork, &f->liwork);
    f->vector = memory_array(double, n *n, "OLS matrix");
    f->work = memory_array(double, f->lwork, "eigen workspace");
    f->iwork = memory_array(int, f->liwork, "eigen workspace");
    f->index = memory_array(int, n, "indices");
    for (size_t i = 0; i < n; i++) f->index[i] = (int)i;
}

struct ols_fit *ols_fit_create(const struct ols_plan *p, int team_ranks)
{
    struct ols_fit *f = memory_array(struct ols_fit, 1, "OLS fit");
    f->plan = *p;
    f->solver = f->taken = ols_plan_solver(p);
    f->ranks = team_ranks;
    ols_create(&f->ols, p->T, p->D, p->nz);
    f->shift = memory_array(double, p->nz, "shifts");
    if (f->solver == OLS_DENSE) dense_create(f);
    else {
        f->cg = ols_cg_create(p->T, p->D, p->nz);
        if (p->steps) ols_cg_limit(f->cg, p->steps);
    }
    return f;
}

void ols_fit_destroy(struct ols_fit *f)
{
    if (!f) return;
    ols_cg_destroy(f->cg);
    ols_destroy(&f->ols);
    void *const all[] = {f->shift, f->vector, f->value, f->M, f->J, f->block, f->leave, f->work, f->index, f->iwork, f};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

const struct ols *ols_fit_answer(const struct ols_fit *f)
{
    return &f->ols;
}
enum ols_solver ols_fit_solver(const struct ols_fit *f)
{
    return f->taken;
}
const struct ols_times *ols_fit_times(const struct ols_fit *f)
{
    return &f->times;
}
const struct ols_cg *ols_fit_cg(const struct ols_fit *f)
{
    return f->cg;
}
const struct grid_note *ols_fit_grid(const struct ols_fit *f)
{
    return &f->note;
}

/* ---- the solvers ---- */

static void fill(void *context, int rows, const int *row, int cols, const int *col, double *out, int ld)
{
    struct ols_fit *f = context;
    double start = clock_seconds();
    ols_block(&f->ols, rows, row, cols, col, out, ld, f->block);
    f->times.assembly += clock_seconds() - start;
}

static int dense_alone(struct ols_fit *f)
{
    struct ols *o = &f->ols;
    int T = o->basis.T, D = o->D, n = o->basis.r * D;
    size_t per_period = (size_t)o->nz * (size_t)D * (size_t)D;
    memset(o->y, 0, sizeof(double) * (size_t)o->nz * (size_t)n);
    if (n) {
        fill(f, n, f->index, n, f->index, f->vector, n);
        double start = clock_seconds();
        if (eigen_symmetric(n, f->vector, f->value, f->work, f->lwork, f->iwork, f->liwork)) return OLS_NO_EIGEN;
        f->times.eigen = clock_seconds() - start;
        start = clock_seconds();
        ols_spectral_solve(o, n, f->vector, f->value, f->shift, o->y);
        f->times.solve = clock_seconds() - start;
    }
    ols_duals(o);
    double start = clock_seconds();
    double most = n ? f->value[n - 1] : 0;
    for (int t = 0; t < T; t += OLS_LEAVE_PERIODS) {
        int count = T - t < OLS_LEAVE_PERIODS ? T - t : OLS_LEAVE_PERIODS;
        ols_leave_blocks(o, t, count, n, f->vector, f->value, f->shift, most, f->M, f->J, f->leave);
        for (int k = 0; k < count; k++)
            if (ols_leave_period(o, t + k, f->shift, most, f->M + (size_t)k * per_period, f->J + (size_t)k * per_period,
                                 f->leave))
                return OLS_SINGULAR;
    }
    f->times.leave = clock_seconds() - start;
    return 0;
}

/* Every rank of the grid works on its slab of eigenvectors; the blocks of a group of periods are summed at one rank, which leaves
 * those periods out. */
static int leave_on_grid(struct ols_fit *f, struct grid *g, int count, const double *columns, const double *value,
                         double most)
{
    struct ols *o = &f->ols;
    int T = o->basis.T, D = o->D, ranks = grid_ranks(g), rows, cols, row, col, code = 0;
    size_t per_period = (size_t)o->nz * (size_t)D * (size_t)D;
    grid_place(g, &rows, &cols, &row, &col);
    memset(o->loss_by_period, 0, sizeof(double) * (size_t)T * (size_t)o->nz);
    for (int t = 0, group = 0; t < T && grid_member(g); t += OLS_LEAVE_PERIODS, group++) {
        int periods = T - t < OLS_LEAVE_PERIODS ? T - t : OLS_LEAVE_PERIODS, at = group % ranks;
        ols_leave_blocks(o, t, periods, count, columns, value, f->shift, most, f->M, f->J, f->leave);
        grid_sum_to(g, f->M, f->M, (size_t)periods * per_period, at);
        grid_sum_to(g, f->J, f->J, (size_t)periods * per_period, at);
        for (int k = 0; k < periods && row * cols + col == at; k++)
            if (ols_leave_period(o, t + k, f->shift, most, f->M + (size_t)k * per_period, f->J + (size_t)k * per_period,
                                 f->leave))
                code = OLS_SINGULAR;
    }
    grid_sum(g, o->loss_by_period, (size_t)T * (size_t)o->nz);
    return code;
}

static int dense_on_grid(struct ols_fit *f, struct team *team, struct fit_note *note)
{
    struct ols *o = &f->ols;
    int n = o->basis.r * o->D, first, count;
    double *value = f->value, code, start = clock_seconds();
    struct grid *g = grid_open(team, 0, 0);
    struct error large = {""};
    if (grid_fits(g, n, NB, f->plan.memory, "OLS", &large)) {
        snprintf(note->text, sizeof note->text, "order %d on %d ranks does not fit in memory_mb; needed: a team of %d ranks",
                 n, grid_ranks(g), grid_ranks_needed(n, NB, f->plan.memory));
        grid_close(g);
        return OLS_TOO_LARGE;
    }
    struct grid_matrix *a = grid_matrix_new(g, n, n, NB, "OLS matrix"), *z = grid_matrix_new(g, n, n, NB, "eigenvectors");
    grid_eigen(g, GRID_PDSYEVD, a, fill, f, value, z, &f->note);
    grid_matrix_free(a);
    code = f->note.code ? OLS_GRID + f->note.code : 0;
    memset(o->y, 0, sizeof(double) * (size_t)o->nz * (size_t)n);
    if (!f->note.code) {
        double *columns = memory_array(double, (size_t)n *(size_t)grid_slab(n, grid_ranks(g)), "eigenvectors");
        grid_columns(g, z, columns, &first, &count);
        if (count) ols_spectral_solve(o, count, columns, value + first, f->shift, o->y);
        grid_sum(g, o->y, (size_t)o->nz * (size_t)n);
        ols_duals(o);
        f->times.eigen = f->note.seconds;
        f->times.solve = clock_seconds() - start - f->times.assembly - f->times.eigen;
        start = clock_seconds();
        code = leave_on_grid(f, g, count, columns, value + first, value[n - 1]);
        memory_free(columns);
        team_max_double(team, &code, 1);
        f->times.leave = clock_seconds() - start;
    }
    grid_matrix_free(z);
    grid_close(g);
    return (int)code;
}

static int iterative(struct ols_fit *f, const struct window *w, struct team *team)
{
    struct ols *o = &f->ols;
    int T = w->T, me = team ? team_rank(team) : 0, ranks = team ? team_size(team) : 1, info;
    double start = clock_seconds();
    size_t all = (size_t)T * (size_t)o->nz;
    info = ols_cg_fit(f->cg, o, T, w->timing_gram, T + 1, f->shift);
    if (info) return info > 0 ? OLS_NO_EIGEN : OLS_NO_CONVERGENCE;
    f->times.solve = clock_seconds() - start;
    start = clock_seconds();
    for (int t = me; t < T; t += ranks) {
        int left = ols_cg_leave(f->cg, o, t, w->timing_gram, T + 1, f->shift);
        if (left && !info) info = left > 0 ? OLS_NO_EIGEN : OLS_NO_CONVERGENCE;
    }
    if (ranks > 1) { /* row t from its rank */
        double code = info, *every = memory_array(double, all *(size_t)ranks, "leave-one-out losses");
        team_all_gather(team, o->loss_by_period, all * sizeof(double), every);
        for (int t = 0; t < T; t++)
            memcpy(o->loss_by_period + (size_t)t * (size_t)o->nz,
                   every + (size_t)(t % ranks) * all + (size_t)t * (size_t)o->nz, sizeof(double) * (size_t)o->nz);
        memory_free(every);
        team_max_double(team, &code, 1);
        info = (int)code;
    }
    f->times.leave = clock_seconds() - start;
    return info;
}

static int dense(struct ols_fit *f, const struct window *w, struct team *team, struct fit_note *note)
{
    if (!f->value) dense_create(f);
    f->taken = OLS_DENSE;
    if (ols_basis_fit(&f->ols.basis, w->T, w->timing_gram, w->T + 1, f->plan.rank)) return OLS_NO_BASIS;
    return team && team_size(team) > 1 ? dense_on_grid(f, team, note) : dense_alone(f);
}

int ols_fit_window(struct ols_fit *f, const struct window *w, struct team *team, struct fit_note *note)
{
    struct ols *o = &f->ols;
    int T = w->T, D = w->D, code;
    f->times = (struct ols_times){0};
    f->note = (struct grid_note){.residual = NAN, .orthogonality = NAN};
    f->taken = f->solver;
    for (int t = 0; t < T; t++) {
        const struct period *p = &w->period[t];
        double *G = o->gamma + (size_t)t * (size_t)(D * D), scale = p->scale * p->scale * p->n;
        packed_to_full(D, p->timing, G); /* with X scaled by factor_scale: Gamma = scale^2 n Xi, F = scale X'R, R unscaled */
        for (int i = 0; i < D * D; i++) G[i] *= scale;
        memcpy(o->target + (size_t)t * (size_t)D, p->factors, sizeof(double) * (size_t)D);
        o->square[t] = p->squares;
    }
    for (int z = 0; z < f->plan.nz; z++) f->shift[z] = f->plan.z[z] * T;
    if (ols_is_nothing(o, T, w->timing_gram, T + 1)) code = 0;
    else code = f->solver == OLS_ITERATIVE ? iterative(f, w, team) : dense(f, w, team, note);
    if (code == OLS_NO_CONVERGENCE && ols_plan_falls_back(&f->plan)) {
        if (!f->warned)
            log_warn(
                "conjugate gradients did not converge on a window: it takes the dense road, and so will others like it");
        f->warned = true;
        code = dense(f, w, team, note);
    }
    if (!code) ols_select(o);
    static const char *const text[] = {[OLS_NO_BASIS] = "the timing Gram matrix has no eigen-decomposition",
                                       [OLS_NO_EIGEN] = "an eigen-decomposition did not converge",
                                       [OLS_NO_CONVERGENCE] = "conjugate gradients did not converge",
                                       [OLS_SINGULAR] = "a leave-one-out block is singular"};
    if (code && code != OLS_TOO_LARGE)
        snprintf(note->text, sizeof note->text, "%s", code >= OLS_GRID ? grid_code_text(code - OLS_GRID) : text[code]);
    return note->code = code;
}
