/* Hansen-Jagannathan distance of an SDF portfolio: how far M = 1 - R prices the test assets,
 *     HJD = g' W g,  g = E[(1 - R) F],  W = E[F F']^-1      (default: squared, second moment; Hansen and Jagannathan 1997)
 * with W = Cov(F)^-1 and the square root as options. Beside it the distance of the best multiple of R, min_c HJD(c R), which
 * depends on the portfolio's direction alone.
 *   n periods   M test assets */
#ifndef MEASURE_HJD_H
#define MEASURE_HJD_H

#include <stdbool.h>

enum hjd_code { HJD_FINE, HJD_NO_ASSETS, HJD_TOO_FEW_PERIODS, HJD_FAILED };

/* Test assets factored once for many portfolios on the same dates. */
struct hjd {
    enum hjd_code code;
    int n, assets, rank; /* periods; test assets without a missing value; directions they span */
    bool covariance, root;
    double *projected; /* [n, rank] F U with W = U U' */
    double *mean;      /* [rank] its mean over periods */
};

/* F [P, M] by rows; index [n] are the portfolio's dates. A test asset with a missing value on any of them is dropped. Moments
 * have divisor n. With n <= assets every measure is NaN (code HJD_TOO_FEW_PERIODS): the sample moments are singular. Directions
 * with less than 1e-12 of the largest eigenvalue, assets scaled alike, are left out (a generalised inverse). */
void hjd_create(struct hjd *h, int M, const double *F, int n, const int *index, bool covariance, bool root);
void hjd_free(struct hjd *h);
/* returns [n] on the same dates. *scaled (may be NULL): the distance of the best multiple. NaN if the code is not HJD_FINE. */
double hjd_distance(const struct hjd *h, const double *returns, double *scaled);
/* What each period adds to the squared distance: out [n], of mean g'Wg. The pricing errors' best combination lambda = W g is an
 * optimum, so resampling these with lambda held gives the distance's sampling error to first order (Hansen, Heaton and Luttmer
 * 1995); solving anew in every resample would add the noise of fitting lambda once more. Not for distances near 0. */
void hjd_contributions(const struct hjd *h, const double *returns, double *out);
const char *hjd_reason(enum hjd_code code);

#endif
