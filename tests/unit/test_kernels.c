/* Vector kernels of every instruction set this processor runs, against plain double-precision loops. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "linalg/adam.h"
#include "linalg/dense.h"
#include "linalg/kernels.h"

static const char *const sets[] = {"portable", "avx2", "avx512"};
#define EACH_SET(k)                                                                                                         \
    for (int set_ = 0; set_ < 3; set_++)                                                                                    \
        for (const struct kernels *k = kernels_named(sets[set_]); k; k = NULL)

static float *normals(size_t n, uint64_t stream, double scale)
{
    struct random_stream s = random_open(1, stream, 0, 0);
    float *x = memory_array(float, n, "test");
    random_normals_float(&s, 0, n, scale, x);
    return x;
}

static void product_cases(const struct kernels *k, int m, int n, int depth, bool transposed, bool add)
{
    int lb = n + 16, lc = n + 32, la = (transposed ? m : depth) + 3;
    float *a = normals((size_t)la * (size_t)((transposed ? depth : m) + 1), 1, 1),
          *b = normals((size_t)lb * (size_t)(depth + 1), 2, 1);
    float *c = normals((size_t)lc * (size_t)(m + 1), 3, 1), *was = normals((size_t)lc * (size_t)(m + 1), 3, 1);
    k->product(m, n, depth, a, transposed ? 1 : la, transposed ? la : 1, b, lb, c, lc, add);
    double worst = 0;
    for (int i = 0; i <= m; i++)
        for (int j = 0; j < lc; j++) {
            bool inside = i < m && j < n;
            double s = inside && !add ? 0 : (double)was[i * lc + j], size = 1 + fabs(s);
            for (int l = 0; l < depth && inside; l++) {
                double p = (double)(transposed ? a[l * la + i] : a[i * la + l]) * (double)b[l * lb + j];
                s += p;
                size += fabs(p);
            }
            worst = fmax(worst, fabs((double)c[i * lc + j] - s) / size); /* beyond m and n: untouched */
        }
    if (worst > 1e-6)
        fprintf(stderr, "%s %dx%dx%d%s%s: %g\n", k->name, m, n, depth, transposed ? " transposed" : "", add ? " add" : "",
                worst);
    CU_ASSERT(worst <= 1e-6);
    memory_free(a), memory_free(b), memory_free(c), memory_free(was);
}

static void test_product(void)
{
    static const int ms[] = {0, 1, 2, 5, 6, 11, 25, 61}, ns[] = {16, 32, 48, 64, 80, 96, 144, 160}, ks[] = {1, 7, 132, 385};
    EACH_SET(k)
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
        for (size_t j = 0; j < sizeof ns / sizeof *ns; j++)
            for (size_t l = 0; l < sizeof ks / sizeof *ks; l++)
                for (int how = 0; how < 4; how++) product_cases(k, ms[i], ns[j], ks[l], how & 1, how & 2);
}

/* How the rows of C are cut must not show in the bits: shards and chunks rely on it. */
static void test_product_bits(void)
{
    float *a = normals(100 * 132, 4, 1), *b = normals(132 * 144, 5, 1), *c = normals(100 * 144, 6, 1),
          *d = normals(100 * 144, 6, 1);
    EACH_SET(k)
    {
        if (!strcmp(k->name, "portable")) continue; /* OpenBLAS promises nothing of the kind */
        k->product(100, 144, 132, a, 132, 1, b, 144, c, 144, false);
        for (int at = 0, m = 1; at < 100; at += m, m = m % 9 + 1)
            k->product(at + m > 100 ? 100 - at : m, 144, 132, a + at * 132, 132, 1, b, 144, d + at * 144, 144, false);
        CU_ASSERT(!memcmp(c, d, sizeof(float) * 100 * 144));
    }
    memory_free(a), memory_free(b), memory_free(c), memory_free(d);
}

static void test_exp(void)
{
    enum { ROWS = 300 };
    float *x = memory_array(float, ROWS *TILE, "test"), *e = memory_array(float, ROWS *TILE, "test");
    float *shift = memory_array(float, TILE, "test"), *sum = memory_array(float, TILE, "test");
    EACH_SET(k)
    {
        double worst = 0, total[TILE];
        for (int j = 0; j < TILE; j++) shift[j] = (float)j * 0.25f, sum[j] = 1, total[j] = 1;
        for (int i = 0; i < ROWS * TILE; i++) x[i] = e[i] = -80.f + 110.f * (float)i / (ROWS * TILE) + shift[i % TILE];
        k->tile_exp(ROWS, TILE, e, shift, sum);
        for (int i = 0; i < ROWS * TILE; i++) {
            double z = (double)(x[i] - shift[i % TILE]), want = exp(z < -60 ? -60 : z);
            worst = fmax(worst, fabs((double)e[i] / want - 1));
            total[i % TILE] += (double)e[i];
        }
        CU_ASSERT(worst < 2.5e-7);
        for (int j = 0; j < TILE; j++) CHECK_CLOSE((double)sum[j] / total[j], 1, 3e-5);
        x[3] = NAN, x[4] = INFINITY;
        memcpy(e, x, TILE * sizeof *x);
        k->tile_exp(1, 16, e, shift, sum);
        CU_ASSERT(isnan(e[3]) && !(e[4] < 1e38f)); /* divergence must not be hidden */
    }
    memory_free(x), memory_free(e), memory_free(shift), memory_free(sum);
}

static void test_tiles(void)
{
    float *x = normals(10 * TILE, 7, 3), *e = normals(10 * TILE, 8, 1), *r = normals(TILE, 9, 1);
    float *top = memory_array(float, TILE, "test"), *d = memory_array(float, 10 * TILE, "test");
    EACH_SET(k)
    {
        for (int j = 0; j < TILE; j++) top[j] = j % 2 ? -INFINITY : 2;
        k->tile_max(10, 48, x, top);
        for (int j = 0; j < 48; j++) {
            float want = j % 2 ? -INFINITY : 2;
            for (int i = 0; i < 10; i++) want = fmaxf(want, x[i * TILE + j]);
            CU_ASSERT(top[j] == want);
        }
        CU_ASSERT(top[50] == 2);
        memcpy(d, x, 10 * TILE * sizeof *d);
        k->tile_softmax_back(10, 48, e, r, d);
        for (int i = 0; i < 10 * TILE; i++)
            CU_ASSERT(i % TILE < 48 ? fabsf(d[i] - e[i] * (x[i] - r[i % TILE])) < 1e-5f : d[i] == x[i]);
    }
    memory_free(x), memory_free(e), memory_free(r), memory_free(top), memory_free(d);
}

static float *drawn(int rows, int columns, uint64_t stream)
{
    struct random_stream s = random_open(3, stream, 0, 0);
    float *x = memory_array(float, rows *padded(columns), "test");
    for (int i = 0; i < rows; i++)
        random_normals_float(&s, (uint64_t)(i * columns), (size_t)columns, 1, x + i * padded(columns));
    return x;
}

/* A dense layer with bias and relu, forward and backward, by hand. */
static void test_dense(void)
{
    enum { N = 7, IN = 5, OUT = 20, LI = 16, LO = 32 };
    EACH_SET(k)
    {
        float *x = drawn(N, IN, 1), *w = drawn(IN, OUT, 2), *b = drawn(1, OUT, 3), *c = drawn(N, OUT, 4),
              *y = drawn(N, OUT, 5);
        float *dw = memory_array(float, IN *LO, "test"), *db = memory_array(float, LO, "test");
        float *dx = drawn(N, IN, 6), *wt = drawn(OUT, IN, 7);
        dense_forward(k, N, IN, OUT, x, w, b, (struct dense_how){.relu = true}, y);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < LO; j++) {
                double want = (double)b[j];
                for (int l = 0; l < IN; l++) want += (double)x[i * LI + l] * (double)w[l * LO + j];
                CHECK_CLOSE((double)y[i * LO + j], want > 0 ? want : 0, 1e-6);
            }
        relu_backward(N * LO, y, 1, c);
        dense_gradient(k, N, IN, OUT, x, c, dw, db);
        dense_transpose(IN, OUT, w, wt);
        dense_backward(k, N, IN, OUT, wt, c, false, dx);
        for (int j = 0; j < OUT; j++) {
            double sum = 0;
            for (int i = 0; i < N; i++) sum += (double)c[i * LO + j];
            CHECK_CLOSE((double)db[j], sum, 1e-6);
            for (int i = 0; i < N; i++) CU_ASSERT(y[i * LO + j] > 0 || c[i * LO + j] == 0);
            for (int l = 0; l < IN; l++) {
                double want = 0;
                for (int i = 0; i < N; i++) want += (double)x[i * LI + l] * (double)c[i * LO + j];
                CHECK_CLOSE((double)dw[l * LO + j], want, 1e-6);
            }
        }
        for (int i = 0; i < N; i++)
            for (int l = 0; l < LI; l++) {
                double want = 0;
                for (int j = 0; j < OUT && l < IN; j++) want += (double)c[i * LO + j] * (double)w[l * LO + j];
                CHECK_CLOSE((double)dx[i * LI + l], want, 1e-6);
            }
        memory_free(x), memory_free(w), memory_free(b), memory_free(y), memory_free(c);
        memory_free(dw), memory_free(db), memory_free(dx), memory_free(wt);
    }
}

static void test_column(void)
{
    float *x = drawn(9, 21, 1), *v = drawn(1, 21, 2), *dx = drawn(9, 21, 3), *dv = memory_array(float, 32, "test"), y[9],
          dy[9];
    dense_column_forward(9, 21, x, v, y);
    for (int i = 0; i < 9; i++) {
        double want = 0;
        for (int j = 0; j < 21; j++) want += (double)x[i * 32 + j] * (double)v[j];
        CHECK_CLOSE((double)y[i], want, 1e-6);
        dy[i] = (float)i - 3;
    }
    dense_column_backward(9, 21, x, v, dy, dx, dv);
    for (int j = 0; j < 32; j++) {
        double want = 0;
        for (int i = 0; i < 9; i++) {
            want += (double)dy[i] * (double)x[i * 32 + j];
            CU_ASSERT(dx[i * 32 + j] == dy[i] * v[j]);
        }
        CHECK_CLOSE((double)dv[j], want, 1e-6);
    }
    memory_free(x), memory_free(v), memory_free(dx), memory_free(dv);
}

/* Two steps by the formulas of the paper, in double precision. */
static void test_adam(void)
{
    float p[3] = {1, -2, 0.5f}, m[3] = {0}, v[3] = {0};
    double P[3] = {1, -2, 0.5}, M[3] = {0}, V[3] = {0};
    const float g[2][3] = {{0.3f, -20, 0}, {-0.1f, 1e-4f, 0}};
    for (int t = 1; t <= 2; t++) {
        adam_step(3, p, g[t - 1], m, v, t, 0.01, 0.1);
        for (int i = 0; i < 3; i++) {
            double d = (double)g[t - 1][i];
            M[i] = 0.9 * M[i] + 0.1 * d;
            V[i] = 0.999 * V[i] + 0.001 * d * d;
            P[i] = P[i] * (1 - 0.01 * 0.1) - 0.01 * (M[i] / (1 - pow(0.9, t))) / (sqrt(V[i] / (1 - pow(0.999, t))) + 1e-8);
            CHECK_CLOSE((double)p[i], P[i], 1e-6);
            CHECK_CLOSE((double)m[i], M[i], 1e-7 * (1 + fabs(M[i])));
            CHECK_CLOSE((double)v[i], V[i], 1e-7 * (1 + fabs(V[i])));
        }
    }
}

/* Gradients about as small as epsilon: the first step is rate |g| / (|g| + epsilon), half the rate where g is epsilon itself, and later
 * steps follow the formulas in double precision. */
static void test_adam_epsilon(void)
{
    enum { N = 5 };
    const double g[N] = {1e-8, -3e-8, 2e-9, 1e-7, -1e-10};
    float p[N] = {0}, m[N] = {0}, v[N] = {0}, gradient[N];
    double P[N] = {0}, M[N] = {0}, V[N] = {0}, rate = 0.01;
    for (int i = 0; i < N; i++) gradient[i] = (float)g[i];
    for (int t = 1; t <= 30; t++) {
        adam_step(N, p, gradient, m, v, t, rate, 0);
        for (int i = 0; i < N; i++) {
            M[i] = 0.9 * M[i] + 0.1 * g[i];
            V[i] = 0.999 * V[i] + 0.001 * g[i] * g[i];
            P[i] -= rate * (M[i] / (1 - pow(0.9, t))) / (sqrt(V[i] / (1 - pow(0.999, t))) + 1e-8);
            CHECK_CLOSE((double)p[i] / P[i], 1, 1e-5);
            if (t == 1) CHECK_CLOSE((double)p[i] / rate, -g[i] / (fabs(g[i]) + 1e-8), 1e-6);
        }
    }
}

int main(void)
{
    static const struct check tests[] = {{"products of any shape", test_product},
                                         {"how rows are cut does not show", test_product_bits},
                                         {"exp over its range", test_exp},
                                         {"panel max and softmax derivative", test_tiles},
                                         {"dense layer, forward and backward", test_dense},
                                         {"last layer, forward and backward", test_column},
                                         {"Adam", test_adam},
                                         {"Adam's epsilon", test_adam_epsilon}};
    return check_run("kernels", tests, sizeof tests / sizeof *tests);
}
