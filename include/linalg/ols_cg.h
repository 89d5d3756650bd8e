/* The iterative solver of the OLS linear transformer (linalg/ols.h): conjugate gradients on (B + zT) Y = F psi, all penalties at once,
 * 4 D r T + 2 T D^2 flops an application and penalty. Two preconditioners, each diagonalised by small eigen-problems:
 *     K = mean Gamma (x) L + zT                                 exact when all Gamma_t are alike; good for large z
 *     J = psi^-1 (Gamma_t + zT [Sigma^-1]_tt)^-1 psi^-T         exact when z = 0 (needs r = T); good for small z
 * Small z use J, large z K, those between K + J. Leave-one-out losses come from solving each window of T - 1 periods, started
 * from the whole window's portfolios: the same number as the dense solver's, since leaving a period out is what both mean. */
#ifndef LINALG_OLS_CG_H
#define LINALG_OLS_CG_H

#include "linalg/ols.h"

struct ols_cg;

size_t ols_cg_bytes(int T, int D, int nz);
struct ols_cg *ols_cg_create(int T, int D, int nz);
void ols_cg_destroy(struct ols_cg *c);

enum { OLS_CG_STEPS = 5000 };
/* Give up after so many steps instead of OLS_CG_STEPS. */
void ols_cg_limit(struct ols_cg *c, int steps);

/* Solve for every penalty: o->basis is fitted here from sigma [T, T] (leading dimension ld), q filled. Reads gamma and target.
 * shift [nz] ascending, > 0. Returns 0, > 0: LAPACK's info, -1: some penalty did not converge within the limit. */
int ols_cg_fit(struct ols_cg *c, struct ols *o, int T, const double *sigma, int ld, const double *shift);
/* Row s of o->loss_by_period, after ols_cg_fit: any order, any subset, each row's bits the same. Returns as above. */
int ols_cg_leave(struct ols_cg *c, struct ols *o, int s, const double *sigma, int ld, const double *shift);
/* Steps that the last ols_cg_fit took, per penalty [nz]. */
const int *ols_cg_steps(const struct ols_cg *c);

#endif
