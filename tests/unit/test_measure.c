/* Sharpe ratios, pricing errors and alphas against plain textbook algebra. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "measure/alpha.h"
#include "measure/bootstrap.h"
#include "measure/hjd.h"
#include "measure/series.h"
#include "measure/trading.h"

static double normal(int stream, int i)
{
    struct random_stream s = random_open(7, (uint64_t)stream, 0, 0);
    return random_normal(&s, (uint64_t)i);
}

/* Gauss-Jordan with partial pivoting: the inverse of A [k, k]. */
static void invert(int k, const double *A, double *inverse)
{
    double *w = memory_array(double, 2 * k * k, "inverse");
    for (int i = 0; i < k; i++)
        for (int j = 0; j < 2 * k; j++) w[i * 2 * k + j] = j < k ? A[i * k + j] : j - k == i;
    for (int c = 0; c < k; c++) {
        int p = c;
        for (int i = c + 1; i < k; i++)
            if (fabs(w[i * 2 * k + c]) > fabs(w[p * 2 * k + c])) p = i;
        for (int j = 0; j < 2 * k; j++) {
            double keep = w[c * 2 * k + j];
            w[c * 2 * k + j] = w[p * 2 * k + j], w[p * 2 * k + j] = keep;
        }
        for (int j = 2 * k - 1; j >= c; j--) w[c * 2 * k + j] /= w[c * 2 * k + c];
        for (int i = 0; i < k; i++)
            for (int j = 2 * k - 1; j >= c && i != c; j--) w[i * 2 * k + j] -= w[i * 2 * k + c] * w[c * 2 * k + j];
    }
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) inverse[i * k + j] = w[i * 2 * k + k + j];
    memory_free(w);
}

static void sharpe(void)
{
    const double x[] = {0.01, -0.02, 0.03, 0.02, 0.01}; /* mean 0.01, sd sqrt(0.0014 / 4) */
    double sr = 0.01 / sqrt(0.0014 / 4);
    CHECK_CLOSE(sharpe_ratio(5, x, 12), sqrt(12) * sr, 1e-14);
    CHECK_CLOSE(sharpe_error(5, x, 12), sqrt(12 * (1 + sr * sr / 2) / 5), 1e-14);
    const double flat[] = {0.1, 0.1, 0.1};
    CU_ASSERT(isnan(sharpe_ratio(3, flat, 12)) && isnan(sharpe_ratio(1, x, 12)) && isnan(sharpe_ratio(0, x, 12)));
    CU_ASSERT(isnan(sharpe_error(3, flat, 12)) && isnan(sharpe_error_robust(3, flat, 12, 1)));
}

/* Over many samples the standard errors must be the spread of the estimates: iid normal, and an AR(1) where Lo's iid formula is
 * too small and the robust one is not. */
static void sharpe_errors_by_simulation(void)
{
    enum { N = 400, SAMPLES = 600 };
    static double x[N];
    for (int kind = 0; kind < 2; kind++) {
        double rho = kind ? 0.5 : 0, sum = 0, squares = 0, iid = 0, robust = 0;
        for (int s = 0; s < SAMPLES; s++) {
            struct random_stream stream = random_open(3, (uint64_t)kind, (uint64_t)s, 0);
            double e = random_normal(&stream, 0) / sqrt(1 - rho * rho);
            for (int i = 0; i < N; i++) {
                x[i] = 1 + e;
                e = rho * e + random_normal(&stream, (uint64_t)i + 1);
            }
            double sr = sharpe_ratio(N, x, 12);
            sum += sr, squares += sr * sr;
            iid += sharpe_error(N, x, 12) / SAMPLES, robust += sharpe_error_robust(N, x, 12, 12) / SAMPLES;
        }
        double spread = sqrt(squares / SAMPLES - sum * sum / SAMPLES / SAMPLES);
        CU_ASSERT(fabs(robust / spread - 1) < 0.15);
        if (kind) CU_ASSERT(iid < 0.7 * spread) else CU_ASSERT(fabs(iid / spread - 1) < 0.08);
    }
}

static void sharpe_differences(void)
{
    enum { N = 500 };
    static double x[N], y[N];
    for (int i = 0; i < N; i++) x[i] = 0.9 + normal(1, i), y[i] = 0.5 * x[i] + 0.3 * normal(2, i);
    double error, back, difference = sharpe_difference(N, x, y, 12, 3, &error);
    CHECK_CLOSE(difference, sharpe_ratio(N, x, 12) - sharpe_ratio(N, y, 12), 1e-14);
    CHECK_CLOSE(sharpe_difference(N, y, x, 12, 3, &back), -difference, 1e-14);
    CHECK_CLOSE(back, error, 1e-12);
    CU_ASSERT(error > 0 && error < sharpe_error(N, x, 12) + sharpe_error(N, y, 12));
    CU_ASSERT(fabs(sharpe_difference(N, x, x, 12, 3, &error)) < 1e-14 && error < 1e-14); /* itself: no error at all */
    /* Jobson-Korkie with Memmel's correction holds for normal iid returns: lags 0 must be near it */
    double a = sharpe_ratio(N, x, 1), b = sharpe_ratio(N, y, 1), rho = series_correlation(N, x, y);
    double memmel = sqrt((2 - 2 * rho + 0.5 * (a * a + b * b - 2 * a * b * rho * rho)) / N);
    sharpe_difference(N, x, y, 1, 0, &error);
    CU_ASSERT(fabs(error / memmel - 1) < 0.1);
}

/* g'Wg with a dense inverse; F [n, m] of complete assets. */
static double plain_hjd(int n, int m, const double *F, const double *R, double scale, bool covariance)
{
    double *S = memory_array(double, m *m, "S"), *W = memory_array(double, m *m, "W"), *g = memory_array(double, 2 * m, "g"),
           d = 0;
    for (int j = 0; j < m; j++)
        for (int i = 0; i < n; i++) g[j] += (1 - scale * R[i]) * F[i * m + j] / n, g[m + j] += F[i * m + j] / n;
    for (int j = 0; j < m; j++)
        for (int k = 0; k < m; k++) {
            for (int i = 0; i < n; i++) S[j * m + k] += F[i * m + j] * F[i * m + k] / n;
            if (covariance) S[j * m + k] -= g[m + j] * g[m + k];
        }
    invert(m, S, W);
    for (int j = 0; j < m; j++)
        for (int k = 0; k < m; k++) d += g[j] * W[j * m + k] * g[k];
    memory_free(S);
    memory_free(W);
    memory_free(g);
    return d;
}

enum { P = 90, M = 7 };
static double F[P * M], R[P], part[P];
static int all[P];

static void fill_assets(void)
{
    for (int i = 0; i < P; i++) {
        all[i] = i;
        for (int j = 0; j < M; j++) F[i * M + j] = (1 + 100 * (j == 3)) * (0.1 * j + normal(10 + j, i) + 0.5 * normal(9, i));
        R[i] = 0.3 + 0.2 * F[i * M] + 0.1 * F[i * M + 1] + 0.2 * normal(20, i);
    }
}

static void hjd_against_dense_inverse(void)
{
    fill_assets();
    for (int form = 0; form < 4; form++) {
        bool covariance = form & 1, root = form & 2;
        struct hjd h;
        double scaled, best = INFINITY;
        hjd_create(&h, M, F, P, all, covariance, root);
        double d = hjd_distance(&h, R, &scaled), expect = plain_hjd(P, M, F, R, 1, covariance);
        CHECK_CLOSE(d, root ? sqrt(expect) : expect, 1e-10);
        CU_ASSERT(h.code == HJD_FINE && h.assets == M && h.rank == M);
        for (int c = -2000; c <= 20000; c++) best = fmin(best, plain_hjd(P, M, F, R, 0.001 * c, covariance));
        CHECK_CLOSE(root ? scaled * scaled : scaled, best, 1e-6);
        CU_ASSERT((root ? scaled * scaled : scaled) <= best + 1e-12);
        double twice[P], scaled_twice;
        for (int i = 0; i < P; i++) twice[i] = -3.0 * R[i]; /* the direction alone counts */
        hjd_distance(&h, twice, &scaled_twice);
        CHECK_CLOSE(scaled_twice, scaled, 1e-12);
        hjd_free(&h);
    }
}

static void hjd_of_a_perfect_sdf(void)
{
    /* R = F lambda with lambda = E[FF']^-1 E[F] prices all assets: g = 0 */
    fill_assets();
    double S[M * M] = {0}, W[M * M], mean[M] = {0};
    for (int i = 0; i < P; i++)
        for (int j = 0; j < M; j++) {
            mean[j] += F[i * M + j] / P;
            for (int k = 0; k < M; k++) S[j * M + k] += F[i * M + j] * F[i * M + k] / P;
        }
    invert(M, S, W);
    for (int i = 0; i < P; i++) {
        part[i] = 0;
        for (int j = 0; j < M; j++)
            for (int k = 0; k < M; k++) part[i] += F[i * M + j] * W[j * M + k] * mean[k];
    }
    struct hjd h;
    double scaled;
    hjd_create(&h, M, F, P, all, false, false);
    CU_ASSERT(hjd_distance(&h, part, &scaled) < 1e-20 && scaled < 1e-20);
    hjd_free(&h);
}

static void hjd_hard_cases(void)
{
    fill_assets();
    struct hjd h;
    /* an asset missing on one of the dates is dropped, and only then */
    double keep = F[5 * M + 2], reduced[P * (M - 1)];
    F[5 * M + 2] = NAN;
    for (int i = 0; i < P; i++)
        for (int j = 0, k = 0; j < M; j++)
            if (j != 2) reduced[i * (M - 1) + k++] = F[i * M + j];
    hjd_create(&h, M, F, P, all, false, false);
    CU_ASSERT(h.assets == M - 1);
    CHECK_CLOSE(hjd_distance(&h, R, NULL), plain_hjd(P, M - 1, reduced, R, 1, false), 1e-10);
    hjd_free(&h);
    hjd_create(&h, M, F, P - 6, all + 6, false, false);
    CU_ASSERT(h.assets == M && h.code == HJD_FINE);
    hjd_free(&h);
    F[5 * M + 2] = keep;
    /* a repeated asset adds nothing: the same distance as without it */
    double wide[P * (M + 1)];
    for (int i = 0; i < P; i++)
        for (int j = 0; j <= M; j++) wide[i * (M + 1) + j] = j < M ? F[i * M + j] : 2 * F[i * M] - F[i * M + 4];
    hjd_create(&h, M + 1, wide, P, all, false, false);
    CU_ASSERT(h.code == HJD_FINE && h.assets == M + 1 && h.rank == M);
    CHECK_CLOSE(hjd_distance(&h, R, NULL), plain_hjd(P, M, F, R, 1, false), 1e-9);
    hjd_free(&h);
    /* not more periods than assets, no assets, no periods: NaN with the reason */
    hjd_create(&h, M, F, M, all, false, false);
    CU_ASSERT(h.code == HJD_TOO_FEW_PERIODS && isnan(hjd_distance(&h, R, NULL)) && strlen(hjd_reason(h.code)) > 0);
    hjd_free(&h);
    hjd_create(&h, M, F, M + 1, all, false, false);
    CU_ASSERT(h.code == HJD_FINE && isfinite(hjd_distance(&h, R, NULL)));
    hjd_free(&h);
    hjd_create(&h, 0, F, P, all, false, false);
    CU_ASSERT(h.code == HJD_NO_ASSETS && isnan(hjd_distance(&h, R, NULL)));
    hjd_free(&h);
    hjd_create(&h, M, F, 0, all, true, true);
    CU_ASSERT(h.code != HJD_FINE);
    hjd_free(&h);
}

/* An asset that is nearly another one counts as long as double precision can tell them apart: noise of 1e-3 or 1e-4 of its size leaves an
 * eigenvalue of 1e-7 or 1e-9, noise of 1e-8 one of 1e-17. */
static void hjd_cutoff(void)
{
    static const double noise[] = {1e-1, 1e-2, 1e-3, 1e-4, 1e-8};
    static double wide[P * (M + 1)];
    fill_assets();
    for (int k = 0; k < 5; k++)
        for (int covariance = 0; covariance < 2; covariance++) {
            struct hjd h;
            double eigenvalue = noise[k] * noise[k];
            for (int i = 0; i < P; i++)
                for (int j = 0; j <= M; j++)
                    wide[i * (M + 1) + j] = j < M ? F[i * M + j] : F[i * M] + noise[k] * (0.3 + normal(21, i));
            hjd_create(&h, M + 1, wide, P, all, covariance, false);
            CU_ASSERT(h.code == HJD_FINE && h.rank == (k < 4 ? M + 1 : M));
            double apart = plain_hjd(P, M + 1, wide, R, 1, covariance), without = plain_hjd(P, M, F, R, 1, covariance);
            if (k < 4) CHECK_CLOSE(hjd_distance(&h, R, NULL), apart, 1e-13 / eigenvalue + 1e-10);
            else CHECK_CLOSE(hjd_distance(&h, R, NULL), without, 1e-6);
            CU_ASSERT(k == 4 || fabs(apart - without) > 1e-3); /* the direction left out would show */
            hjd_free(&h);
        }
}

/* Contributions: their mean is the distance, and adding a period once more moves the distance by (its own - the mean) / n. */
static void hjd_contributions_by_difference(void)
{
    fill_assets();
    for (int covariance = 0; covariance < 2; covariance++) {
        enum { MANY = 400 }; /* the sample 400 times over: one period more is a small step */
        struct hjd h;
        double phi[P], mean = 0;
        hjd_create(&h, M, F, P, all, covariance, false);
        double d = hjd_distance(&h, R, NULL);
        hjd_contributions(&h, R, phi);
        for (int i = 0; i < P; i++) mean += phi[i] / P;
        CHECK_CLOSE(mean, d, 1e-12);
        hjd_free(&h);
        int n = MANY * P + 1, *index = memory_array(int, n, "rows");
        double *many = memory_array(double, n, "returns");
        for (int t = 0; t < P; t += 11) {
            for (int i = 0; i < n; i++) index[i] = i < n - 1 ? i % P : t, many[i] = R[index[i]];
            hjd_create(&h, M, F, n, index, covariance, false);
            CU_ASSERT(fabs((hjd_distance(&h, many, NULL) - d) * n - (phi[t] - d)) < 0.02 * fmax(1, fabs(phi[t])));
            hjd_free(&h);
        }
        memory_free(index);
        memory_free(many);
    }
}

static void trading_measures(void)
{
    const double r[] = {0.02, -0.01, -0.03, 0.05, -0.02}; /* sums 2 1 -2 3 1 percent */
    double path[5];
    CHECK_CLOSE(drawdown_largest(5, r), 0.04, 1e-14);
    drawdown_path(5, r, path);
    CHECK_CLOSE(path[2], -0.04, 1e-14);
    CHECK_CLOSE(path[4], -0.02, 1e-14);
    CHECK_CLOSE(hit_rate(5, r), 0.4, 1e-14);
    CHECK_CLOSE(sortino_ratio(5, r, 12), sqrt(12) * 0.002 / sqrt(0.0014 / 5), 1e-12);
    const double loss[] = {-0.5};
    CHECK_CLOSE(drawdown_largest(1, loss), 0.5, 1e-14); /* from the start */
    const double gain[] = {0.5};
    CU_ASSERT(isnan(sortino_ratio(1, gain, 12)));
    const int64_t a[] = {1, 3, 5}, b[] = {2, 3, 9};
    const float u[] = {0.5f, -1, 0.25f}, v[] = {1, 2, -0.5f};
    CHECK_CLOSE(turnover_between(3, a, u, 3, b, v), 0.5 + 1 + 3 + 0.25 + 0.5, 1e-6);
    CHECK_CLOSE(turnover_between(0, NULL, NULL, 3, b, v), 3.5, 1e-6);
    CHECK_CLOSE(turnover_between(3, a, u, 0, NULL, NULL), 1.75, 1e-6);
}

enum { N = 80, K = 3 };
static double y[N], x[K * N];

static void fill_regression(void)
{
    for (int i = 0; i < N; i++) {
        y[i] = 0.02 + 0.05 * normal(30, i);
        for (int k = 0; k < K; k++) x[k * N + i] = 0.01 * k + (k + 1) * 0.03 * normal(31 + k, i) + 0.4 * y[i];
    }
}

/* Normal equations on the scaled series; standard errors from (Z'Z)^-1 (Z'Z)^-1 s^2, or the sandwich. */
static void plain_alpha(int k, int lags, double *alpha, double *t, double *slope)
{
    int q = k + 1;
    double Z[N * (K + 1)], ys[N], A[16] = {0}, inverse[16], b[4] = {0}, coef[4] = {0}, e[N], ee = 0, meat[16] = {0},
                                  variance = 0;
    double scale = 0.15 / sqrt(12) / series_sd(N, y);
    for (int i = 0; i < N; i++) {
        ys[i] = scale * y[i], Z[i * q] = 1;
        for (int j = 0; j < k; j++) Z[i * q + j + 1] = x[j * N + i] * 0.15 / sqrt(12) / series_sd(N, x + j * N);
    }
    for (int i = 0; i < N; i++)
        for (int a = 0; a < q; a++) {
            b[a] += Z[i * q + a] * ys[i];
            for (int c = 0; c < q; c++) A[a * q + c] += Z[i * q + a] * Z[i * q + c];
        }
    invert(q, A, inverse);
    for (int a = 0; a < q; a++)
        for (int c = 0; c < q; c++) coef[a] += inverse[a * q + c] * b[c];
    for (int i = 0; i < N; i++) {
        e[i] = ys[i];
        for (int a = 0; a < q; a++) e[i] -= Z[i * q + a] * coef[a];
        ee += e[i] * e[i];
    }
    if (lags < 0) variance = ee / (N - q) * inverse[0];
    else {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                if (abs(i - j) <= lags)
                    for (int a = 0; a < q; a++)
                        for (int c = 0; c < q; c++)
                            meat[a * q + c] += (1 - abs(i - j) / (lags + 1.0)) * e[i] * e[j] * Z[i * q + a] * Z[j * q + c];
        for (int a = 0; a < q; a++)
            for (int c = 0; c < q; c++) variance += inverse[a] * meat[a * q + c] * inverse[c * q];
    }
    *alpha = 100 * coef[0], *t = coef[0] / sqrt(variance), *slope = coef[1];
}

static void alpha_against_normal_equations(void)
{
    fill_regression();
    for (int k = 1; k <= K; k++)
        for (int lags = -1; lags <= 6; lags += 3) {
            struct alpha a;
            double alpha, t, slope;
            plain_alpha(k, lags, &alpha, &t, &slope);
            alpha_regress(N, y, k, x, 12, lags, &a);
            CHECK_CLOSE(a.percent, alpha, 1e-11);
            CHECK_CLOSE(a.percent_per_year, 12 * alpha, 1e-11);
            CHECK_CLOSE(a.t, t, 1e-10);
            CU_ASSERT(a.code == ALPHA_FINE && a.rank == k && a.periods == N);
            if (k == 1) CHECK_CLOSE(a.beta, slope, 1e-11);
            CU_ASSERT(k == 1 || isnan(a.beta));
        }
}

/* Returns of any frequency: 15% a year is 15%/sqrt(periods) a period, and a year's alpha is that of as many periods as it has. The scale
 * cancels in t and beta. */
static void alpha_of_any_frequency(void)
{
    static const int per_year[] = {1, 4, 12, 52, 252, 98280};
    struct alpha monthly, a;
    fill_regression();
    alpha_regress(N, y, 2, x, 12, 3, &monthly);
    for (int i = 0; i < 6; i++) {
        alpha_regress(N, y, 2, x, per_year[i], 3, &a);
        CHECK_CLOSE(a.percent / monthly.percent, sqrt(12.0 / per_year[i]), 1e-11);
        CHECK_CLOSE(a.percent_per_year / a.percent, per_year[i], 1e-11);
        CHECK_CLOSE(a.t, monthly.t, 1e-11);
        alpha_regress(N, y, 0, x, per_year[i], -1, &a); /* against nothing: 15% times the Sharpe ratio of a year */
        CHECK_CLOSE(a.percent_per_year, 15 * sqrt(per_year[i]) * series_mean(N, y) / series_sd(N, y), 1e-11);
    }
}

static void alpha_hard_cases(void)
{
    fill_regression();
    struct alpha without, with, a;
    /* a regressor that is a combination of the others, and a constant one, are left out */
    alpha_regress(N, y, 2, x, 12, -1, &without);
    for (int i = 0; i < N; i++) x[2 * N + i] = 3 * x[i] - 2 * x[N + i];
    alpha_regress(N, y, 3, x, 12, -1, &with);
    CU_ASSERT(with.rank == 2 && with.code == ALPHA_FINE);
    CHECK_CLOSE(with.percent, without.percent, 1e-9);
    CHECK_CLOSE(with.t, without.t, 1e-9);
    for (int i = 0; i < N; i++) x[2 * N + i] = 0.25;
    alpha_regress(N, y, 3, x, 12, -1, &with);
    CU_ASSERT(with.rank == 2);
    CHECK_CLOSE(with.t, without.t, 1e-9);
    /* y is one of them, shifted: alpha stands, t does not */
    for (int i = 0; i < N; i++) x[i] = 2 * y[i] - 0.01;
    alpha_regress(N, y, 2, x, 12, -1, &a);
    CU_ASSERT(a.code == ALPHA_SPANNED && isnan(a.t));
    CHECK_CLOSE(a.percent, 100 * 0.005 * 0.15 / sqrt(12) / series_sd(N, y), 1e-9);
    /* nothing varies; too short; nothing at all */
    for (int i = 0; i < N; i++) part[i] = 0.1;
    alpha_regress(N, part, 1, x, 12, -1, &a);
    CU_ASSERT(a.code == ALPHA_CONSTANT && isnan(a.percent));
    alpha_regress(3, y, 2, x, 12, -1, &a);
    CU_ASSERT(a.code == ALPHA_TOO_FEW_PERIODS && isnan(a.percent));
    alpha_regress(0, y, 1, x, 12, 2, &a);
    CU_ASSERT(a.code == ALPHA_TOO_FEW_PERIODS && a.periods == 0);
}

static void dates(void)
{
    const int64_t d[] = {20200131, 20200228, 20200331, 20200430}, fine[] = {202001310930, 202001311600, 202002030930};
    int first, n;
    date_range(4, d, 20200228, 20200401, &first, &n);
    CU_ASSERT(first == 1 && n == 2);
    date_range(4, d, 0, 0, &first, &n);
    CU_ASSERT(first == 0 && n == 4);
    date_range(4, d, 20210101, 0, &first, &n);
    CU_ASSERT(n == 0);
    date_range(4, d, 0, 20190101, &first, &n);
    CU_ASSERT(n == 0);
    date_range(3, fine, 20200131, 20200131, &first, &n);
    CU_ASSERT(first == 0 && n == 2);
    date_range(3, fine, 202001311600, 0, &first, &n);
    CU_ASSERT(first == 1 && n == 2);
}

static void quantiles_and_rows(void)
{
    double v[] = {4, 1, 3, 2, NAN};
    sort_doubles(4, v);
    CHECK_CLOSE(quantile(4, v, 0.5), 2.5, 1e-15);
    CHECK_CLOSE(quantile(4, v, 0.1), 1.3, 1e-15);
    CHECK_CLOSE(quantile(4, v, 1), 4, 1e-15);
    double low, high, many[20];
    for (int i = 0; i < 20; i++) many[i] = i == 3 ? (double)NAN : 20 - i;
    bootstrap_interval(20, many, 0.9, &low, &high);
    CU_ASSERT(low > 1 && low < 3 && high > 18 && high < 20);
    double even[1001]; /* 0 .. 1000, backwards: 2.5% lie outside on either side */
    for (int i = 0; i < 1001; i++) even[i] = 1000 - i;
    bootstrap_interval(1001, even, 0.95, &low, &high);
    CHECK_CLOSE(low, 25, 1e-12);
    CHECK_CLOSE(high, 975, 1e-12);
    for (int i = 0; i < 20; i++) many[i] = i < 3 ? (double)NAN : i;
    bootstrap_interval(20, many, 0.9, &low, &high);
    CU_ASSERT(isnan(low) && isnan(high));
    const double a[] = {1, NAN, 3, 4}, b[] = {1, 2, INFINITY, 4};
    int index[4];
    CU_ASSERT(common_rows(4, 2, (const double *const[]){a, b}, index) == 2 && index[0] == 0 && index[1] == 3);
}

static void bootstrap_draws(void)
{
    enum { LENGTH = 50 };
    int count[LENGTH], again[LENGTH], runs[LENGTH];
    double mean[LENGTH] = {0};
    for (int d = 0; d < 2000; d++) {
        int sum = 0;
        bootstrap_counts(5, d, LENGTH, 1, count);
        for (int i = 0; i < LENGTH; i++) sum += count[i], mean[i] += count[i] / 2000.0;
        CU_ASSERT(sum == LENGTH);
    }
    for (int i = 0; i < LENGTH; i++) CU_ASSERT(fabs(mean[i] - 1) < 0.12);
    bootstrap_counts(5, 1999, LENGTH, 1, again);
    CU_ASSERT(!memcmp(count, again, sizeof count));
    bootstrap_counts(6, 1999, LENGTH, 1, again);
    CU_ASSERT(memcmp(count, again, sizeof count) != 0);
    bootstrap_counts(5, 3, LENGTH, LENGTH, runs); /* one circular block of all dates is the sample itself */
    for (int i = 0; i < LENGTH; i++) CU_ASSERT(runs[i] == 1);
}

int main(void)
{
    static const struct check tests[] = {
        {"Sharpe ratio and Lo's standard error by hand", sharpe},
        {"standard errors match the spread over simulated samples", sharpe_errors_by_simulation},
        {"differences of Sharpe ratios against Memmel", sharpe_differences},
        {"HJD against a dense inverse, scaled against a grid", hjd_against_dense_inverse},
        {"HJD of an SDF that prices everything is 0", hjd_of_a_perfect_sdf},
        {"HJD: missing, repeated, too many, no test assets", hjd_hard_cases},
        {"HJD: nearly the same asset twice", hjd_cutoff},
        {"HJD contributions against one period more", hjd_contributions_by_difference},
        {"drawdown, Sortino, hits, turnover", trading_measures},
        {"alphas against the normal equations, OLS and Newey-West", alpha_against_normal_equations},
        {"alphas of any frequency", alpha_of_any_frequency},
        {"alphas: collinear, spanned, constant, short", alpha_hard_cases},
        {"date ranges", dates},
        {"quantiles, intervals, common rows", quantiles_and_rows},
        {"bootstrap draws", bootstrap_draws},
    };
    int status = check_run("measure", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
