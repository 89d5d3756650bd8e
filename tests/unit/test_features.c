/* Random features against plain loops, and the DKKM model against its primal ridge by brute force. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "linalg/features.h"
#include "models/model.h"
#include <lapacke.h>
#include <string.h>

static const char *const sets[] = {"portable", "avx2", "avx512"};

static void compare(const struct kernels *k, int n, int P, bool waves)
{
    enum { D = 9 };
    struct features f;
    struct random_stream s = random_open(1, (uint64_t)n, (uint64_t)P, 0);
    float *x = memory_array(float, n *D, "test"), *w = memory_array(float, n, "test"),
          *rows = memory_array(float, n *P, "test");
    double *r = memory_array(double, n, "test"), *sums = memory_array(double, P, "test"),
           *theta = memory_array(double, P, "test");
    for (int i = 0; i < n * D; i++) x[i] = (float)random_uniform(&s, (uint64_t)i) - 0.5f;
    for (int i = 0; i < n; i++) r[i] = random_normal(&s, (uint64_t)(n * D + i));
    for (int j = 0; j < P; j++) theta[j] = random_normal(&s, (uint64_t)(n * D + n + j));
    features_create(&f, D, P, waves, 3, 5);
    f.kernels = k;
    features_sums(&f, n, x, r, sums);
    features_weights(&f, n, x, theta, w);
    features_rows(&f, n, x, rows);
    double worst = 0, far = 0, off = 0;
    double *want = memory_array(double, P, "test");
    for (int i = 0; i < n; i++) {
        double weight = 0;
        for (int j = 0; j < f.columns; j++) {
            struct random_stream column = random_open(5, 3000, (uint64_t)j, 0);
            double v = 0;
            for (int d = 0; d < D; d++) v += (double)x[i * D + d] * 3 * random_normal(&column, (uint64_t)d);
            for (int half = 0; half <= waves; half++) {
                int at = half * f.columns + j;
                double feature = (waves ? half ? cos(v) : sin(v) : v > 0 ? v : 0) / sqrt(P);
                want[at] += feature * r[i];
                weight += feature * theta[at];
                off = fmax(off, fabs((double)rows[i * P + at] - feature));
            }
        }
        far = fmax(far, fabs((double)w[i] - weight));
    }
    for (int j = 0; j < P; j++) worst = fmax(worst, fabs(sums[j] - want[j]));
    if (!(worst < 2e-5 && far < 2e-5 && off < 2e-6))
        fprintf(stderr, "%s n=%d P=%d: %g %g %g\n", k->name, n, P, worst, far, off);
    CU_ASSERT(worst < 2e-5 && far < 2e-5 && off < 2e-6);
    features_destroy(&f);
    memory_free(x), memory_free(w), memory_free(rows), memory_free(r), memory_free(sums), memory_free(theta),
        memory_free(want);
}

static void test_plain(void)
{
    static const int ns[] = {1, 240, 241, 500}, Ps[] = {2, 30, 256, 258, 700};
    for (int s = 0; s < 3; s++) {
        const struct kernels *k = kernels_named(sets[s]);
        for (int i = 0; k && i < 4; i++)
            for (int j = 0; j < 5; j++) compare(k, ns[i], Ps[j], false), compare(k, ns[i], Ps[j], true);
    }
}

/* sin and cos over a wide range, one row at a time. */
static void test_waves(void)
{
    float s[16] __attribute__((aligned(64))), a[16] __attribute__((aligned(64))), b[16] __attribute__((aligned(64))),
        one = 1;
    for (int set = 0; set < 3; set++) {
        const struct kernels *k = kernels_named(sets[set]);
        double worst = 0;
        for (int i = 0; k && i < 20000; i++) {
            for (int j = 0; j < 16; j++) s[j] = (float)(-900 + 0.00562 * (16 * i + j)), a[j] = b[j] = 0;
            k->wave_sum(1, 16, s, 16, &one, a, b);
            for (int j = 0; j < 16; j++)
                worst = fmax(worst, fmax(fabs((double)a[j] - sin((double)s[j])), fabs((double)b[j] - cos((double)s[j]))));
        }
        if (worst > 3e-7) fprintf(stderr, "%s: %g\n", sets[set], worst);
        CU_ASSERT(worst < 3e-7);
    }
}

/* Windows rolling by one, then a jump back: S'R of every period from features_rows, lambda = (F'F + zT I)^-1 F'1 in the primal. */
static void test_dkkm(void)
{
    enum { T = 5, D = 4, P = 12, PERIODS = 9, MOST = 40 };
    const struct model_class *c = model_class_find("dkkm");
    const double z[2] = {1e-3, 0.1};
    float *x = memory_array(float, PERIODS *MOST *D, "test"), *rows = memory_array(float, MOST *P, "test"),
          *w = memory_array(float, MOST, "test");
    double *r = memory_array(double, PERIODS *MOST, "test"), *F = memory_array(double, PERIODS *P, "test"),
           *theta = memory_array(double, 2 * P, "test"), *base = memory_array(double, P, "test");
    struct random_stream s = random_open(8, 0, 0, 0);
    for (int i = 0; i < PERIODS * MOST * D; i++) x[i] = (float)random_uniform(&s, (uint64_t)i) - 0.5f;
    for (int i = 0; i < PERIODS * MOST; i++) r[i] = 0.1 * random_normal(&s, (uint64_t)(PERIODS * MOST * D + i));
    struct value values[4] = {{.number = P}, {.word = (char[]){"relu"}}, {.number = 1.5}, {.number = 1}};
    struct values v = {.options = c->options, .value = values, .n = 4};
    struct shape shape = {.T = T, .D = D, .max_assets = MOST, .nz = 2, .ridge = z, .factor_scale = FACTOR_ROOT};
    struct model *m = c->create(&shape, 6, &v);
    struct features f;
    features_create(&f, D, P, false, 1.5, 6);
    int n[PERIODS];
    for (int t = 0; t < PERIODS; t++) {
        n[t] = MOST - 3 * t;
        features_rows(&f, n[t], x + t * MOST * D, rows);
        for (int i = 0; i < n[t]; i++)
            for (int k = 0; k < P; k++) F[t * P + k] += (double)rows[i * P + k] * r[t * MOST + i] / sqrt(n[t]);
    }
    static const int nows[] = {5, 6, 7, 8, 5};
    for (int i = 0; i < 5; i++) {
        struct period period[T + 1];
        struct fit_note note;
        for (int k = 0; k <= T; k++) {
            int t = nows[i] - T + k;
            period[k] = (struct period){
                .index = t, .n = n[t], .characteristics = x + t * MOST * D, .returns = k < T ? r + t * MOST : NULL};
        }
        struct window window = {.T = T, .D = D, .period = period};
        CU_ASSERT(c->fit(m, &window, NULL, &note) == 0);
        c->positions(m, &window, theta);
        struct period realised = period[T];
        realised.returns = r + nows[i] * MOST;
        c->own->returns(m, &realised, base);
        c->own->weights(m, &period[T], theta + P, w);
        for (int k = 0; k < P; k++) CHECK_CLOSE(base[k], F[nows[i] * P + k], 1e-6);
        for (int q = 0; q < 2; q++) {
            double A[P * P] = {0}, b[P] = {0}, want = 0, got = 0, earned = 0;
            lapack_int pivot[P];
            for (int a = 0; a < P; a++) {
                A[a * P + a] = z[q] * T;
                for (int t = nows[i] - T; t < nows[i]; t++) {
                    b[a] += F[t * P + a];
                    for (int d = 0; d < P; d++) A[a * P + d] += F[t * P + a] * F[t * P + d];
                }
            }
            CU_ASSERT(LAPACKE_dgesv(LAPACK_ROW_MAJOR, P, 1, A, P, pivot, b, 1) == 0);
            for (int k = 0; k < P; k++) want += b[k] * F[nows[i] * P + k], got += theta[q * P + k] * base[k];
            CHECK_CLOSE(got, want, 1e-6);
            for (int a = 0; a < n[nows[i]]; a++) earned += (double)w[a] * r[nows[i] * MOST + a];
            if (q) CHECK_CLOSE(earned, want, 1e-6);
        }
    }
    c->destroy(m);
    features_destroy(&f);
    memory_free(x), memory_free(rows), memory_free(w), memory_free(r), memory_free(F), memory_free(theta), memory_free(base);
}

/* The embedded linear transformer against its primal ridge: f_t = F_{t+1} (x) vec(Xi_t), px px pz parameters; OLS: stocks on
 * S_t = X~_t (x) vec(Xi_t). */
static void embedded(const char *which, const char *objective, const char *solver)
{
    enum { T = 6, D = 3, P = 4, PERIODS = 8, MOST = 30 };
    const struct model_class *registered = model_class_find("linear_transformer"), *c;
    const double z[1] = {0.01};
    float *x = memory_array(float, PERIODS *MOST *D, "test"), *rows = memory_array(float, MOST *P, "test");
    double *r = memory_array(double, PERIODS *MOST, "test");
    struct random_stream s = random_open(9, 0, 0, 0);
    for (int i = 0; i < PERIODS * MOST * D; i++) x[i] = (float)random_uniform(&s, (uint64_t)i) - 0.5f;
    for (int i = 0; i < PERIODS * MOST; i++) r[i] = random_normal(&s, (uint64_t)(PERIODS * MOST * D + i));
    static char fourier[] = "fourier";
    struct value value[16] = {0};
    int n = 0;
    for (; registered->options[n].key; n++) {
        const char *key = registered->options[n].key;
        if (!strcmp(key, "embedding")) value[n].word = (char *)(uintptr_t)which;
        else if (!strcmp(key, "objective")) value[n].word = (char *)(uintptr_t)objective;
        else if (!strcmp(key, "solver")) value[n].word = (char *)(uintptr_t)solver;
        else if (!strcmp(key, "embedding_features")) value[n].number = P;
        else if (!strcmp(key, "embedding_bandwidth")) value[n].number = 2;
        else if (!strcmp(key, "embedding_activation")) value[n].word = fourier;
    }
    struct values v = {.options = registered->options, .value = value, .n = n};
    struct shape shape = {
        .T = T, .D = D, .max_assets = MOST, .nz = 1, .ridge = z, .factor_scale = FACTOR_SUM, .memory = 1 << 28};
    CU_ASSERT_FATAL((c = registered->serving(&v)) != NULL);
    struct model *m = c->create(&shape, 6, &v);
    struct features f;
    features_create(&f, D, P, true, 2, 6);
    bool ex = strcmp(which, "z"), ez = strcmp(which, "x");
    int px = ex ? P : D, pz = ez ? P : D, all = px * px * pz;
    double *primal = memory_array(double, PERIODS *all, "test"), *A = memory_array(double, all *all, "test"),
           *b = memory_array(double, all, "test");
    struct {
        double Xi[P * P], gamma[P * P];
    } second[PERIODS] = {0};
    for (int t = 0; t < PERIODS; t++) {
        double F[P] = {0}, *Xi = second[t].Xi, *G = second[t].gamma;
        features_rows(&f, MOST, x + t * MOST * D, rows);
        for (int i = 0; i < MOST; i++)
            for (int a = 0; a < px; a++) {
                double xa = (double)(ex ? rows[i * P + a] : x[(t * MOST + i) * D + a]);
                F[a] += xa * r[t * MOST + i];
                for (int q = 0; q < px; q++)
                    G[a * px + q] += xa * (double)(ex ? rows[i * P + q] : x[(t * MOST + i) * D + q]);
                for (int q = 0; q < pz; q++)
                    Xi[a * pz + q] += xa * (double)(ez ? rows[i * P + q] : x[(t * MOST + i) * D + q]) / MOST;
            }
        for (int a = 0; a < px; a++)
            for (int q = 0; q < px * pz; q++) primal[t * all + a * px * pz + q] = F[a] * Xi[q];
    }
    for (int now = T; now < PERIODS; now++) {
        struct period period[T + 1];
        struct fit_note note;
        double theta[P], base[P], want = 0, got = 0;
        lapack_int *pivot = memory_array(lapack_int, all, "test");
        for (int k = 0; k <= T; k++)
            period[k] = (struct period){.index = now - T + k,
                                        .n = MOST,
                                        .characteristics = x + (now - T + k) * MOST * D,
                                        .returns = k < T ? r + (now - T + k) * MOST : NULL};
        struct window window = {.T = T, .D = D, .period = period};
        CU_ASSERT(c->fit(m, &window, NULL, &note) == 0);
        c->positions(m, &window, theta);
        struct period realised = period[T];
        realised.returns = r + now * MOST;
        c->own->returns(m, &realised, base);
        for (int a = 0; a < px; a++) got += theta[a] * base[a];
        memset(A, 0, sizeof(double) * (size_t)(all * all));
        memset(b, 0, sizeof(double) * (size_t)all);
        for (int a = 0; a < all; a++) {
            A[a * all + a] = z[0] * T;
            for (int t = now - T; t < now; t++) {
                b[a] += primal[t * all + a];
                int k = px * pz;
                for (int q = 0; q < all; q++)
                    A[a * all + q] += strcmp(objective, "ols")
                                          ? primal[t * all + a] * primal[t * all + q]
                                          : second[t].gamma[a / k * px + q / k] * second[t].Xi[a % k] * second[t].Xi[q % k];
            }
        }
        CU_ASSERT(LAPACKE_dgesv(LAPACK_ROW_MAJOR, all, 1, A, all, pivot, b, 1) == 0);
        for (int a = 0; a < all; a++) want += b[a] * primal[now * all + a];
        CHECK_CLOSE(got, want, 2e-5);
        memory_free(pivot);
    }
    c->destroy(m);
    features_destroy(&f);
    memory_free(x), memory_free(rows), memory_free(r), memory_free(primal), memory_free(A), memory_free(b);
}

static void test_embedded(void)
{
    static const char *const which[] = {"x", "z", "both"};
    for (int i = 0; i < 3; i++)
        embedded(which[i], "msrr", "auto"), embedded(which[i], "ols", "iterative"), embedded(which[i], "ols", "dense");
}

int main(void)
{
    static const struct check tests[] = {{"sums, weights and rows against plain loops", test_plain},
                                         {"sin and cos", test_waves},
                                         {"DKKM in rolling windows", test_dkkm},
                                         {"the embedded transformer in rolling windows", test_embedded}};
    return check_run("features", tests, sizeof tests / sizeof *tests);
}
