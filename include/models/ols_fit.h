/* The OLS objective of the linear transformer, fitted: which solver (linalg/ols.h) a window takes, on how many ranks, and that it fits. */
#ifndef MODELS_OLS_FIT_H
#define MODELS_OLS_FIT_H

#include "linalg/ols.h"
#include "linalg/ols_cg.h"
#include "models/model.h"
#include "parallel/grid.h"

enum ols_solver { OLS_AUTO, OLS_DENSE, OLS_ITERATIVE };

struct ols_plan {
    int T, D, nz, rank; /* rank 0: exact */
    int ranks;          /* that share a fit; 0 or 1: LAPACK */
    enum ols_solver solver;
    const double *z; /* [nz] ascending, z, not zT */
    double memory;   /* bytes the dense solver may take on a rank */
    int steps;       /* of conjugate gradients at most; 0: OLS_CG_STEPS */
};
/* From the options of linear_transformer, with D managed factors. */
struct ols_plan ols_plan_of(const struct shape *s, const struct values *v, int D);
bool ols_asked(const struct values *v); /* whether the objective is OLS */
/* The solver that will be taken (never OLS_AUTO): the cheaper by measured rates of those that fit. */
enum ols_solver ols_plan_solver(const struct ols_plan *p);
/* "road=dense" or "road=iterative" where the choice is open. */
void ols_plan_choice(const struct ols_plan *p, char *out, size_t size);
/* Whether a window on which conjugate gradients fail takes the dense solver: the choice is open and both fit in memory together. */
bool ols_plan_falls_back(const struct ols_plan *p);
double ols_plan_seconds(const struct ols_plan *p, enum ols_solver solver); /* of one window on its ranks */
double ols_plan_flops(const struct ols_plan *p, enum ols_solver solver);
double ols_plan_bytes(const struct ols_plan *p); /* that a fit takes on a rank */
/* Fills e if the dense solver is asked for and does not fit on its ranks: with how many it would. */
int ols_plan_check(const struct ols_plan *p, const char *model, struct error *e);

struct ols_fit;
/* team_ranks: of the teams that will fit; 1: LAPACK. */
struct ols_fit *ols_fit_create(const struct ols_plan *p, int team_ranks);
void ols_fit_destroy(struct ols_fit *f);

/* Fit the window for every penalty and leave every period out. A team of several ranks takes the dense solver on its grid, and
 * shares the periods left out on the iterative one (collective; team NULL: this rank alone). Iterative answers and those of one
 * rank have the same bits whatever the team; the grid's depend on its shape. A matrix that needs more than plan.memory on a rank of the
 * grid is refused before anything is allocated (OLS_TOO_LARGE), saying how many ranks would do. Returns 0 or a code, with its text. */
enum ols_code { OLS_FINE, OLS_NO_BASIS = 3, OLS_NO_EIGEN, OLS_NO_CONVERGENCE, OLS_SINGULAR, OLS_TOO_LARGE, OLS_GRID = 10 };
int ols_fit_window(struct ols_fit *f, const struct window *w, struct team *team, struct fit_note *note);
const struct ols *ols_fit_answer(const struct ols_fit *f);
/* Seconds of the last fit on this rank: filling the matrix (twice on a grid: the check fills it again); the eigen-solver alone; every
 * penalty's coefficients with the redistribution and the check (iterative: all of the fit); leaving periods out. */
struct ols_times {
    double assembly, eigen, solve, leave;
};
/* The solver that the last fit took in the end. */
enum ols_solver ols_fit_solver(const struct ols_fit *f);
const struct ols_times *ols_fit_times(const struct ols_fit *f);
const struct ols_cg *ols_fit_cg(const struct ols_fit *f); /* NULL on the dense solver */
/* What the last fit found about itself if it took a grid; NaN if not. */
const struct grid_note *ols_fit_grid(const struct ols_fit *f);

#endif
