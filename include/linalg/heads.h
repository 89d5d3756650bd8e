/* Attention heads of the linear portfolio transformer from its dual coefficients. With q_t = alpha_t F_t the H leading
 * eigenvectors b(H) of                                                                             (52)-(57)
 *     M = sum_{s,t} (q_s'q_t) Xi_s Xi_t = sum_{s,t} alpha_s alpha_t Sigma^F(s,t) Xi_s Xi_t           (D x D; Z = X, Xi symmetric)
 * give the heads, and <Xi_now b b', Xi_tau> is all that the H-head portfolio needs beside alpha and F.
 *
 * M is a linear combination of the symmetrised pair products P(s,t) = Xi_s Xi_t + Xi_t Xi_s, which carry over from window to
 * window: T new ones a step. All penalties' matrices are then one product, (nz x pairs) by (pairs x D(D+1)/2). The pairs take
 * T(T+1)/2 * D(D+1)/2 doubles (128 MB at D = 132, T = 60); above the memory budget each penalty's M is formed by stacking
 * instead: with Sigma^F = L L', M = sum_l Y_l'Y_l, Y_l = sum_t L_tl alpha_t Xi_t.
 * The order of summation depends on the window's place in the panel alone, never on which windows came before. */
#ifndef LINALG_HEADS_H
#define LINALG_HEADS_H

#include <stddef.h>

struct heads;

struct heads_plan {
    int D, T, nz, nh; /* T: the longest window */
    int grows;        /* windows of fewer periods come too: pairs are not kept */
    const int *heads; /* [nh] head counts, ascending, in 1..D */
    size_t memory;    /* budget in bytes for everything */
};
/* Bytes heads_create takes, and whether pairs are kept (*pairs, may be NULL). */
size_t heads_bytes(const struct heads_plan *p, int *pairs);
struct heads *heads_create(const struct heads_plan *p);
void heads_destroy(struct heads *h);

/* Bring the window first .. first+T-1, and now = first+T, into place. T: the plan's, or less if windows grow; where a function below
 * says T it is this one. timing[0..T]: packed Xi of each. Products that are
 * still there from earlier windows are kept. */
void heads_window(struct heads *h, int first, int T, const double *const *timing);
/* Eigen-decompose M for every penalty. alpha [nz, T]; factor_gram [T, T]. Returns 0 or LAPACK's info. */
int heads_fit(struct heads *h, const double *alpha, const double *factor_gram);
/* The same for general q: gram [nz, T, T] holds q_s'q_t of every penalty. */
int heads_fit_general(struct heads *h, const double *gram);
/* score [nz, nh, T]: <Xi_now b b', Xi_tau> for the heads of every penalty and count. */
void heads_scores(struct heads *h, double *score);
/* Full matrix Xi [D, D] of period k of the window in place (k = T: now). */
const double *heads_timing(const struct heads *h, int k);
/* For tests: penalty z's eigenvectors [D, D], column-major, in columns by descending eigenvalue. */
void heads_vectors(const struct heads *h, int z, double *out);

#endif
