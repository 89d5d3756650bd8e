/* Long-only tangency portfolios against a grid of all portfolios, and intervals against what they promise. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "measure/series.h"
#include "measure/tangency.h"

enum { N = 120 };
static double x[8 * N];

static void fill(int k, int seed, double common)
{
    for (int j = 0; j < k; j++) {
        struct random_stream s = random_open(11, (uint64_t)seed, (uint64_t)j, 0), m = random_open(11, (uint64_t)seed, 99, 0);
        double mean = 0.25 * (random_uniform(&s, 1000) - 0.3), scale = 0.01 * (1 + 5 * random_uniform(&s, 1001));
        for (int i = 0; i < N; i++)
            x[j * N + i] = scale * (mean + random_normal(&s, (uint64_t)i) + common * random_normal(&m, (uint64_t)i));
    }
}

/* Per-period Sharpe of weights on series scaled to equal volatility. */
static double sharpe_of(int k, const double *w)
{
    double r[N] = {0};
    for (int j = 0; j < k; j++) {
        double scaled = w[j] / series_sd(N, x + j * N);
        for (int i = 0; i < N; i++) r[i] += scaled * x[j * N + i];
    }
    return sharpe_ratio(N, r, 1);
}

static void against_grid(void)
{
    int corner = 0, inside = 0;
    for (int seed = 0; seed < 30; seed++) {
        double w[3], best = -INFINITY, sharpe;
        fill(3, seed, seed % 3);
        enum tangency_code code = tangency_weights(N, 3, x, w, &sharpe);
        double top = fmax(series_mean(N, x), fmax(series_mean(N, x + N), series_mean(N, x + 2 * N)));
        CU_ASSERT((code == TANGENCY_NO_POSITIVE_MEAN) == (top <= 0));
        if (code) continue;
        enum { STEPS = 100 };
        for (int a = 0; a <= STEPS; a++)
            for (int b = 0; a + b <= STEPS; b++)
                best =
                    fmax(best, sharpe_of(3, (double[]){a / (double)STEPS, b / (double)STEPS, 1 - (a + b) / (double)STEPS}));
        CHECK_CLOSE(w[0] + w[1] + w[2], 1, 1e-12);
        CU_ASSERT(w[0] >= 0 && w[1] >= 0 && w[2] >= 0);
        CHECK_CLOSE(sharpe, sharpe_of(3, w), 1e-10);
        CU_ASSERT(sharpe >= best - 1e-12 && sharpe <= best + 1e-3);
        corner += w[0] == 0 || w[1] == 0 || w[2] == 0;
        inside += w[0] > 0 && w[1] > 0 && w[2] > 0;
    }
    CU_ASSERT(corner > 3 && inside > 0); /* both kinds were met */
}

/* Kuhn-Tucker conditions of the quadratic problem. */
static void kuhn_tucker(void)
{
    enum { K = 6 };
    for (int seed = 0; seed < 40; seed++) {
        fill(K, 100 + seed, seed % 4);
        double sd[3] = {0, series_sd(N, x + N), series_sd(N, x + 2 * N)};
        /* 0 is nearly 1 and 2 together: it enters first and must leave again. 5 is a combination of 3 and 4. */
        for (int i = 0; i < N && seed % 2; i++) {
            for (int j = 1; j < 3; j++) x[j * N + i] = (0.3 + x[j * N + i] / sd[j]);
            x[i] = x[N + i] + x[2 * N + i] + 0.05 * ((i * 7) % 11 - 5);
            x[5 * N + i] = 0.3 * x[3 * N + i] + 0.7 * x[4 * N + i];
        }
        double A[K * K], b[K], w[K];
        for (int i = 0; i < K; i++) {
            b[i] = series_mean(N, x + i * N) / series_sd(N, x + i * N);
            for (int j = 0; j < K; j++) {
                A[i * K + j] = 0;
                for (int t = 0; t < N; t++)
                    A[i * K + j] += x[i * N + t] * x[j * N + t] / N / series_sd(N, x + i * N) / series_sd(N, x + j * N);
            }
        }
        nonnegative_least_squares(K, A, b, w);
        for (int i = 0; i < K; i++) {
            double gradient = b[i];
            for (int j = 0; j < K; j++) gradient -= A[i * K + j] * w[j];
            CU_ASSERT(w[i] >= 0 && gradient <= 1e-10);
            CU_ASSERT(w[i] == 0 || fabs(gradient) < 1e-10);
        }
    }
}

static void hard_cases(void)
{
    double w[4], sharpe;
    /* identical series: together what one has alone; a constant one: nothing */
    fill(2, 3, 1);
    for (int i = 0; i < N; i++) x[i] += 0.05, x[N + i] += 0.05, x[2 * N + i] = 7 * x[i], x[3 * N + i] = 0.02;
    double two[2];
    CU_ASSERT(tangency_weights(N, 2, x, two, NULL) == TANGENCY_FINE);
    CU_ASSERT(tangency_weights(N, 4, x, w, &sharpe) == TANGENCY_FINE);
    CHECK_CLOSE(w[0] + w[2], two[0], 1e-6);
    CHECK_CLOSE(w[1], two[1], 1e-6);
    CU_ASSERT(w[3] == 0 && w[0] >= 0 && w[2] >= 0);
    /* the scale of a series does not matter */
    for (int i = 0; i < N; i++) x[i] *= 250;
    double again[2];
    tangency_weights(N, 2, x, again, NULL);
    CHECK_CLOSE(again[0], two[0], 1e-10);
    CU_ASSERT(tangency_weights(3, 2, x, w, NULL) == TANGENCY_TOO_FEW_PERIODS && isnan(w[0]));
    for (int i = 0; i < 2 * N; i++) x[i] = -fabs(x[i]);
    CU_ASSERT(tangency_weights(N, 2, x, w, NULL) == TANGENCY_NO_POSITIVE_MEAN && isnan(w[0]));
    CU_ASSERT(strlen(tangency_reason(TANGENCY_NO_POSITIVE_MEAN)) > 0);
}

/* A series that undoes a mixture of two others but for the last digits: Cholesky may pass with a pivot of rounding, and all three
 * together seem to earn something at no risk: weights of any size. It is to be left out: the best of independent ones remains. */
static void nearly_singular(void)
{
    enum { K = 3 };
    for (int seed = 0; seed < 400; seed++) {
        struct random_stream s = random_open(12, (uint64_t)seed, 0, 0);
        double c = -0.5 - random_uniform(&s, 0), d = -0.5 - random_uniform(&s, 1), tilt = 1e-9 * random_uniform(&s, 2);
        /* series 0 and 1 independent, series 2 = c 0 + d 1; its gain b is what that gives, and a little more: it wants to enter */
        double v = 1 + random_uniform(&s, 3), u = 1 + random_uniform(&s, 4), r = 0.5 * random_uniform(&s, 5);
        double A[K * K] = {v, r, c * v + d * r, r, u, c * r + d * u, c * v + d * r, c * r + d * u, 0};
        A[8] = c * A[6] + d * A[7];
        A[8] *= 1 + 4e-16 * (seed % 7);
        double b[K] = {0.1 + random_uniform(&s, 6), 0.1 + random_uniform(&s, 7), 0}, w[K], value = 0, sum = 0;
        b[2] = c * b[0] + d * b[1] + tilt;
        nonnegative_least_squares(K, A, b, w);
        for (int i = 0; i < K; i++) {
            CU_ASSERT(w[i] >= 0);
            sum += w[i];
            value -= b[i] * w[i];
            for (int j = 0; j < K; j++) value += 0.5 * w[i] * A[i * K + j] * w[j];
        }
        /* the best of the pairs and singles, each solved by hand */
        double best = 0;
        for (int i = 0; i < K; i++) {
            best = fmin(best, -0.5 * b[i] * b[i] / A[i * K + i]);
            for (int j = 0; j < i; j++) {
                double det = A[i * K + i] * A[j * K + j] - A[i * K + j] * A[i * K + j];
                double p = (b[i] * A[j * K + j] - b[j] * A[i * K + j]) / det,
                       q = (b[j] * A[i * K + i] - b[i] * A[i * K + j]) / det;
                if (p >= 0 && q >= 0) best = fmin(best, -0.5 * (b[i] * p + b[j] * q));
            }
        }
        CHECK_CLOSE(value, best, 1e-7);
        CU_ASSERT((w[0] > 0) + (w[1] > 0) + (w[2] > 0) <= 2);
        CU_ASSERT(sum < 100);
    }
}

static void intervals(void)
{
    enum { K = 3 };
    double w[K], low[K], high[K], low2[K], high2[K];
    fill(K, 5, 0);
    for (int i = 0; i < N; i++) x[i] += 0.02, x[N + i] += 0.02;
    tangency_weights(N, K, x, w, NULL);
    tangency_intervals(N, K, x, 500, 1, 0.95, 1, low, high);
    tangency_intervals(N, K, x, 500, 1, 0.95, 1, low2, high2);
    CU_ASSERT(!memcmp(low, low2, sizeof low) && !memcmp(high, high2, sizeof high));
    for (int i = 0; i < K; i++)
        CU_ASSERT(low[i] >= 0 && high[i] <= 1 && low[i] <= w[i] && w[i] <= high[i] && high[i] > low[i]);
    tangency_intervals(N, K, x, 500, 1, 0.95, 2, low2, high2);
    CU_ASSERT(memcmp(low, low2, sizeof low) != 0);
    tangency_intervals(N, K, x, 50, N, 0.95, 2, low2, high2); /* one block of all dates: every draw is the sample */
    for (int i = 0; i < K; i++) CHECK_CLOSE(low2[i], w[i], 1e-9);
    for (int i = 0; i < K; i++) CHECK_CLOSE(high2[i], w[i], 1e-9);
}

int main(void)
{
    static const struct check tests[] = {
        {"weights against a grid of portfolios", against_grid},
        {"Kuhn-Tucker conditions of six series", kuhn_tucker},
        {"identical, constant, losing, short series", hard_cases},
        {"series that others span but for rounding", nearly_singular},
        {"bootstrap intervals", intervals},
    };
    int status = check_run("tangency", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
