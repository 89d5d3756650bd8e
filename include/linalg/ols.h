/* The OLS linear transformer of one window, in D x T unknowns instead of D^3:
 *     minimise (1/T) sum_t |R_{t+1} - S_t lambda|^2 + z |lambda|^2,  S_t = X_t (x) vec(Xi_t)                       (67), (68)
 *     lambda = sum_t q_t (x) Xi_t,  Gamma_t (Q Sigma)_t + z T q_t = F_{t+1},  Sigma(s,t) = <Xi_s, Xi_t>            (49), (78)
 * Sigma = U L U'. With psi = U L^{1/2} [T, r] and y_i = sum_t q_t psi_ti (Y: D x r) this is the symmetric system
 *     (B + z T) Y = F psi,   B Y = sum_t Gamma_t Y psi_t psi_t',   Q = Y dual',  dual = U L^{-1/2}                  (59)-(62)
 * in which |lambda| = |Y| and period t's portfolio is theta_t = Y psi_t. r is the numerical rank of Sigma, or Lemma 5's when fewer
 * of its leading eigenpairs are asked for. Two solvers lead to Y for every z:
 *     dense      one eigen-decomposition of B, order r D: ols_block fills any part of it, ols_spectral_* use any slab of eigenvectors
 *     iterative  conjugate gradients (linalg/ols_cg.h)
 * The ridge is selected by leaving each period out of the model's own objective:
 *     loss(z) = mean_t |R_{t+1} - X_t theta_t^-|^2 = mean_t (R'R - 2 F'theta^- + theta^-'Gamma theta^-)
 * with theta_t^- from the other periods. (I - H_tt)^-1 needs only D x D blocks since H_tt = X_t M_t X_t':
 *     M_t = (psi_t (x) I)'(B + zT)^-1 (psi_t (x) I),   (I - M_t Gamma_t) theta_t^- = theta_t - M_t F_t.
 * Where psi spans everything period t can say (no leak), I - M_t Gamma_t = O(z) would cancel; there
 *     theta_t^- = theta_t - M_t J_t^-1 q_t,   J_t = (dual_t (x) I)'(B + zT)^-1 (psi_t (x) I). */
#ifndef LINALG_OLS_H
#define LINALG_OLS_H

#include <stddef.h>

/* psi and dual of a Sigma. */
struct ols_basis {
    int T, r;
    double *psi, *dual; /* [T, r] column-major: entry (t, i) at i T + t */
    double *value;      /* [r] L, descending */
    double *leak;       /* [T] 1 - |U_t|^2: what of period t's own direction is outside */
    double *work;       /* eigen workspace */
    int *iwork, lwork, liwork;
};
size_t ols_basis_bytes(int T);
void ols_basis_create(struct ols_basis *b, int T);
void ols_basis_destroy(struct ols_basis *b);
/* sigma [T, T] with leading dimension ld; T may be below the capacity. rank 0: all eigenvalues above T eps L_1. Returns LAPACK's info. */
int ols_basis_fit(struct ols_basis *b, int T, const double *sigma, int ld, int rank);

struct ols {
    int T, D, nz;   /* capacity in T */
    double *gamma;  /* [T, D, D] Gamma_t, both triangles                      filled by the caller */
    double *target; /* [T, D] F_{t+1}                                         filled by the caller */
    double *square; /* [T] R'R                                                filled by the caller */
    struct ols_basis basis;
    double *y;              /* [nz, D, r]: Y of every penalty, entry (a, i) at a r + i (dense) */
    double *q;              /* [nz, T, D] the answer */
    double *loss;           /* [nz] leave-one-out losses */
    double *loss_by_period; /* [T, nz] their summands */
    int selected;           /* the penalty of smallest loss; ties go to the larger z */
};
size_t ols_bytes(int T, int D, int nz);
void ols_create(struct ols *o, int T, int D, int nz);
void ols_destroy(struct ols *o);

/* loss and selected from loss_by_period of the T periods of the window in place. */
void ols_select(struct ols *o);

/* Where Sigma [T, T] is zero (no period's characteristics say anything) there is no equation to solve: q is 0 and every loss that of
 * holding nothing. Returns 1 then, with q and loss_by_period filled; 0: there is something to fit, and nothing was done. */
int ols_is_nothing(struct ols *o, int T, const double *sigma, int ld);

/* ---- the dense solver. Unknown (a, i), characteristic a and mode i, stands at index a r + i ---- */

/* out[i + j ld] = B(row[i], col[j]) for row[i] >= col[j]; both lists ascending. 2 T flops an entry. work: ols_block_work doubles. */
enum { OLS_BLOCK_ROWS = 512 };
size_t ols_block_work(const struct ols *o);
void ols_block(const struct ols *o, int rows, const int *row, int cols, const int *col, double *out, int ld, double *work);

/* vector [n, count]: some eigenvectors of B (n = r D), value [count] theirs. y [nz, n] += their part of (B + zT)^-1 F psi. */
void ols_spectral_solve(const struct ols *o, int count, const double *vector, const double *value, const double *shift,
                        double *y);
/* q from y. */
void ols_duals(struct ols *o);

/* M and J of periods first .. first+periods-1, the part of these eigenvectors, for every penalty: M, J [periods, nz, D, D]
 * (overwritten). J of a penalty whose shift is large enough, or of a period that leaks, is not needed and left alone.
 * most = the largest eigenvalue of all. work: ols_leave_work doubles. */
enum { OLS_LEAVE_PERIODS = 8, OLS_LEAVE_VECTORS = 256 };
size_t ols_leave_work(const struct ols *o);
void ols_leave_blocks(const struct ols *o, int first, int periods, int count, const double *vector, const double *value,
                      const double *shift, double most, double *M, double *J, double *work);
/* loss_by_period of period t from its summed M, J [nz, D, D]. Returns 0, or 1: a singular block. */
int ols_leave_period(struct ols *o, int t, const double *shift, double most, const double *M, const double *J, double *work);

#endif
