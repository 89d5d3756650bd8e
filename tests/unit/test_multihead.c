/* Multi-head attention by tiles and blocks against plain double-precision loops, with every mask; layer norm and the kernels beside
 * it, of every instruction set this processor runs. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "linalg/multihead.h"

static const char *const sets[] = {"portable", "avx2", "avx512"};
#define EACH_SET(k)                                                                                                         \
    for (int set_ = 0; set_ < 3; set_++)                                                                                    \
        for (const struct kernels *k = kernels_named(sets[set_]); k; k = NULL)

/* [rows, heads padded(width)], padding zero. */
static float *matrix(int rows, int heads, int width, uint64_t stream, double scale)
{
    struct random_stream s = random_open(2, stream, 0, 0);
    float *x = memory_array(float, rows *heads *padded(width), "test");
    for (int i = 0; i < rows * heads; i++)
        random_normals_float(&s, (uint64_t)(i * width), (size_t)width, scale, x + i * padded(width));
    return x;
}

static bool sees(const struct multihead *m, int i, int j)
{
    return !(m->causal && j > i + m->keys - m->queries) && !(m->absent && m->absent[j]) &&
           !(m->self >= 0 && j == m->self + i);
}

/* Row by row; P [queries, keys] of the last head is left in P. Everything in double: o, dq [queries, ..], dk, dv [keys, ..]. */
static void plain(const struct multihead *m, const float *q, const float *k, const float *v, const float *d_o, double *o,
                  double *dq, double *dk, double *dv, double *P)
{
    int hp = padded(m->width);
    double *dP = memory_array(double, m->keys, "test");
    for (int h = 0; h < m->heads; h++)
        for (int i = 0; i < m->queries; i++) {
            const float *qi = q + i * m->q_row + h * hp, *di = d_o + i * m->q_row + h * hp;
            double *p = P + i * m->keys, top = -INFINITY, sum = 0, inner = 0;
            for (int j = 0; j < m->keys; j++) {
                p[j] = dP[j] = 0;
                for (int c = 0; c < m->width; c++) {
                    p[j] += (double)qi[c] * (double)k[j * m->k_row + h * hp + c];
                    dP[j] += (double)di[c] * (double)v[j * m->k_row + h * hp + c];
                }
                if (sees(m, i, j)) top = fmax(top, p[j]);
            }
            for (int j = 0; j < m->keys && !m->linear; j++) sum += p[j] = sees(m, i, j) ? exp(p[j] - top) : 0;
            for (int j = 0; j < m->keys && !m->linear; j++) p[j] = sum > 0 ? p[j] / sum : 0, inner += p[j] * dP[j];
            for (int j = 0; j < m->keys && m->linear; j++) p[j] /= m->keys;
            for (int j = 0; j < m->keys; j++)
                for (int c = 0; c < m->width; c++) {
                    ptrdiff_t at = i * m->q_row + h * hp + c, to = j * m->k_row + h * hp + c;
                    double ds = m->linear ? dP[j] / m->keys : p[j] * (dP[j] - inner);
                    o[at] += p[j] * (double)v[to];
                    dq[at] += ds * (double)k[to];
                    dk[to] += ds * (double)q[at];
                    dv[to] += p[j] * (double)d_o[at];
                }
        }
    memory_free(dP);
}

static double distance(size_t n, const float *x, const double *want)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)x[i] - want[i]) / fmax(1, fabs(want[i]));
        worst = off <= worst ? worst : isnan(off) ? INFINITY : off;
    }
    return worst;
}

/* A query of one source could not attend otherwise: its gradient is 0, not the rounding of 0. */
static void lone_queries(const struct multihead *m, const double *P, const float *dq)
{
    for (int i = 0; i < m->queries && m->keys <= 120 && !m->linear; i++) {
        int sources = 0;
        for (int j = 0; j < m->keys; j++) sources += P[i * m->keys + j] != 0;
        const float *last = dq + i * m->q_row + (m->heads - 1) * padded(m->width);
        for (int c = 0; sources == 1 && c < m->width; c++) CU_ASSERT(last[c] == 0);
    }
}

static void attention_case(const struct kernels *k, struct multihead m, double scale)
{
    int hp = padded(m.width);
    m.q_row = m.heads * hp, m.k_row = 2 * m.heads * hp;
    size_t nq = (size_t)(m.queries * m.q_row), nk = (size_t)(m.keys * m.k_row), half = (size_t)(m.heads * hp);
    float *q = matrix(m.queries, m.heads, m.width, 1, scale), *kv = matrix(m.keys, 2 * m.heads, m.width, 2, 1),
          *d_o = matrix(m.queries, m.heads, m.width, 3, 1);
    float *o = memory_array(float, nq, "test"), *dq = memory_array(float, nq, "test"),
          *dkv = memory_array(float, nk, "test"), *dkv2 = memory_array(float, nk, "test"),
          *copy = memory_array(float, nq, "test"), *dq2 = memory_array(float, nq, "test");
    float *kept = memory_array(float, multihead_kept(m.heads, m.queries, m.keys), "test"),
          *statistics = memory_array(float, multihead_statistics(m.heads, m.queries), "test"),
          *work = memory_array(float, multihead_workspace(m.width), "test"),
          *weights = memory_array(float, m.queries *m.keys, "test");
    double *o_ = memory_array(double, nq, "test"), *dq_ = memory_array(double, nq, "test"),
           *dkv_ = memory_array(double, nk, "test"), *P = memory_array(double, m.queries *m.keys, "test");
    plain(&m, q, kv, kv + half, d_o, o_, dq_, dkv_, dkv_ + half, P);
    multihead_forward(k, &m, q, kv, kv + half, o, kept, statistics, work);
    double worst = distance(nq, o, o_);
    memcpy(copy, d_o, nq * sizeof *copy);
    for (size_t i = 0; i < nk; i++) dkv[i] = NAN; /* not added to: whatever was there goes */
    multihead_backward(k, &m, q, kv, kv + half, o, copy, kept, statistics, dq, dkv, dkv + half, false, work);
    worst = fmax(worst, fmax(distance(nq, dq, dq_), distance(nk, dkv, dkv_)));
    lone_queries(&m, P, dq);
    multihead_weights(k, &m, m.heads - 1, q, kv, weights, work);
    worst = fmax(worst, distance((size_t)(m.queries * m.keys), weights, P));
    /* nothing kept: the same bits, on top of what was there */
    multihead_forward(k, &m, q, kv, kv + half, copy, NULL, statistics, work);
    CU_ASSERT(!memcmp(copy, o, nq * sizeof *o));
    memcpy(copy, d_o, nq * sizeof *copy);
    for (size_t i = 0; i < nk; i++) dkv2[i] = 0;
    multihead_backward(k, &m, q, kv, kv + half, o, copy, NULL, statistics, dq2, dkv2, dkv2 + half, true, work);
    CU_ASSERT(!memcmp(dq, dq2, nq * sizeof *dq));
    for (size_t i = 0; i < nk; i++) dkv_[i] = (double)dkv[i];
    worst = fmax(worst, distance(nk, dkv2, dkv_));
    if (!(worst < 4e-5 * fmax(1, scale)))
        fprintf(stderr, "%s: %d heads of %d, %d queries, %d keys%s%s%s: %g\n", k->name, m.heads, m.width, m.queries, m.keys,
                m.causal ? ", causal" : "", m.absent ? ", some absent" : "",
                m.self >= 0 ? ", not itself"
                : m.linear  ? ", linear"
                            : "",
                worst);
    CU_ASSERT(worst < 4e-5 * fmax(1, scale));
    void *const all[] = {q, kv, d_o, o, dq, dkv, dkv2, copy, dq2, kept, statistics, work, weights, o_, dq_, dkv_, P};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static void test_attention(void)
{
    static const int sizes[][2] = {{1, 1},    {60, 60},   {1, 60},    {7, 60},  {64, 64},
                                   {65, 130}, {130, 130}, {100, 250}, {17, 241}};
    unsigned char absent[256] = {0};
    for (int j = 0; j < 250; j++) absent[j] = j % 3 == 1 || (j >= 100 && j < 240);
    EACH_SET(k)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int how = 0; how < 10; how++) {
            struct multihead m = {
                .heads = 1 + how % 3, .width = how % 2 ? 16 : 5, .queries = sizes[i][0], .keys = sizes[i][1], .self = -1};
            m.linear = how >= 8;
            m.causal = !m.linear && how & 1;
            if (how & 2) m.absent = absent;
            if (how & 4) m.self = m.keys - m.queries;
            attention_case(k, m, 0.5);
        }
}

/* Scores of hundreds, the largest in a later block; queries that see nobody, or nobody in the first block. */
static void test_extremes(void)
{
    unsigned char first[256] = {0}, all[256];
    memset(first, 1, 130);
    memset(all, 1, sizeof all);
    EACH_SET(k)
    {
        struct multihead m = {.heads = 2, .width = 8, .queries = 70, .keys = 250, .self = -1};
        attention_case(k, m, 40);
        m.absent = first;
        attention_case(k, m, 40);
        attention_case(k, m, 0.5);
        m.absent = all;
        attention_case(k, m, 0.5);
        m.absent = NULL, m.queries = m.keys = 1, m.self = 0;
        attention_case(k, m, 0.5);
    }
}

/* Keys that are values, with one derivative, in place of outputs the derivative of queries; many assets; scores that rise from block to
 * block. */
static void shared_case(int queries, int keys, int width, double scale, bool rising)
{
    const struct kernels *k = kernels_best();
    int ld = padded(width);
    struct multihead m = {
        .heads = 1, .width = width, .queries = queries, .keys = keys, .q_row = ld, .k_row = ld, .self = -1};
    size_t nq = (size_t)(queries * ld), nk = (size_t)(keys * ld);
    float *q = matrix(queries, 1, width, 1, scale), *y = matrix(keys, 1, width, 2, scale),
          *d_o = matrix(queries, 1, width, 3, 1);
    for (int j = 0; rising && j < keys; j++) y[j * ld] = 0.1f * (float)j;
    for (int i = 0; rising && i < queries; i++) q[i * ld] = 1;
    float *o = memory_array(float, nq, "test"), *dy = memory_array(float, nk, "test"),
          *copy = memory_array(float, nq, "test"),
          *statistics = memory_array(float, multihead_statistics(1, queries), "test"),
          *work = memory_array(float, multihead_workspace(width), "test");
    double *o_ = memory_array(double, nq, "test"), *dq_ = memory_array(double, nq, "test"),
           *dy_ = memory_array(double, nk, "test"), *P = memory_array(double, (size_t)queries *(size_t)keys, "test");
    plain(&m, q, y, y, d_o, o_, dq_, dy_, dy_, P);
    multihead_forward(k, &m, q, y, y, o, NULL, statistics, work);
    double worst = distance(nq, o, o_);
    memcpy(copy, d_o, nq * sizeof *copy);
    multihead_backward(k, &m, q, y, y, o, copy, NULL, statistics, o, dy, dy, true, work);
    worst = fmax(worst, fmax(distance(nq, o, dq_), distance(nk, dy, dy_)));
    double most = rising ? 1e-3 : 1e-4; /* scores of 50 */
    if (!(worst < most)) fprintf(stderr, "%d queries, %d keys, width %d: %g\n", queries, keys, width, worst);
    CU_ASSERT(worst < most);
    memcpy(copy, d_o, nq * sizeof *copy); /* no derivative of the keys is wanted */
    multihead_forward(k, &m, q, y, y, o, NULL, statistics, work);
    multihead_backward(k, &m, q, y, y, o, copy, NULL, statistics, o, NULL, NULL, true, work);
    CU_ASSERT(distance(nq, o, dq_) < most);
    void *const all[] = {q, y, d_o, o, dy, copy, statistics, work, o_, dq_, dy_, P};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static void test_shared(void)
{
    static const int sizes[] = {1, 63, 64, 65, 119, 121, 250};
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++) shared_case(sizes[i], sizes[j], j % 2 ? 13 : 40, 0.4, false);
    shared_case(0, 50, 5, 1, false); /* an empty shard */
    shared_case(70, 130, 132, 0.3, false);
    shared_case(300, 2500, 16, 0.5, false);
    shared_case(3, 500, 2, 1, true);
}

static float *drawn(int rows, int columns, uint64_t stream)
{
    return matrix(rows, 1, columns, stream, 1);
}

/* Layer norm and its derivative, with and without a residual, rows of any width. */
static void norm_case(const struct kernels *k, int columns, int repeated)
{
    enum { ROWS = 5 };
    int ld = padded(columns);
    float *x = drawn(ROWS, columns, 1), *a = drawn(ROWS, columns, 2), *scale = drawn(1, columns, 3),
          *shift = drawn(1, columns, 4), *dy = drawn(ROWS, columns, 5), *normalised = drawn(ROWS, columns, 6),
          *y = drawn(ROWS, columns, 6), *dx = drawn(ROWS, columns, 6), *dscale = memory_array(float, ld, "test"),
          *dshift = memory_array(float, ld, "test"), inverse[ROWS];
    for (int j = 0; j < columns; j++) x[j] += 30; /* a mean far from zero */
    k->norm(ROWS, columns, x, a, repeated ? 0 : ld, scale, shift, normalised, inverse, y);
    k->norm_back(ROWS, columns, normalised, inverse, scale, dy, dx, dscale, dshift);
    double *ds = memory_array(double, ld, "test"), *db = memory_array(double, ld, "test");
    for (int i = 0; i < ROWS; i++) {
        double mean = 0, square = 0, g = 0, inner = 0;
#define V(j) ((double)x[i * ld + j] + (double)a[(repeated ? 0 : i * ld) + j])
        for (int j = 0; j < columns; j++) mean += V(j) / columns;
        for (int j = 0; j < columns; j++) square += (V(j) - mean) * (V(j) - mean) / columns;
        double r = 1 / sqrt(square + 1e-5);
        for (int j = 0; j < columns; j++) {
            double h = (V(j) - mean) * r, d = (double)dy[i * ld + j];
            CHECK_CLOSE((double)normalised[i * ld + j], h, 1e-5);
            CHECK_CLOSE((double)y[i * ld + j], h * (double)scale[j] + (double)shift[j], 1e-5);
            g += d * (double)scale[j] / columns, inner += d * (double)scale[j] * h / columns;
            ds[j] += d * h, db[j] += d;
        }
        for (int j = 0; j < columns; j++)
            CHECK_CLOSE((double)dx[i * ld + j], r * ((double)(dy[i * ld + j] * scale[j]) - g - (V(j) - mean) * r * inner),
                        2e-5);
        for (int j = columns; j < ld; j++)
            CU_ASSERT(normalised[i * ld + j] == 0 && dx[i * ld + j] == 0 && y[i * ld + j] == 0);
    }
    for (int j = 0; j < columns; j++) {
        CHECK_CLOSE((double)dscale[j], ds[j], 2e-5);
        CHECK_CLOSE((double)dshift[j], db[j], 2e-5);
    }
    void *const all[] = {x, a, scale, shift, dy, normalised, y, dx, dscale, dshift, ds, db};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static void test_norm(void)
{
    static const int widths[] = {1, 7, 12, 16, 24, 25, 64, 100, 128};
    EACH_SET(k)
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int repeated = 0; repeated < 2; repeated++) norm_case(k, widths[i], repeated);
}

/* What is left: turning, dots of rows, affine rows, bias and relu with their derivatives. */
static void test_rows(void)
{
    enum { ROWS = 37, COLUMNS = 40, LD = 48 };
    EACH_SET(k)
    {
        float *x = drawn(ROWS, COLUMNS, 1), *y = drawn(ROWS, COLUMNS, 2), *b = drawn(1, COLUMNS, 3),
              *c = drawn(1, COLUMNS, 4), *z = drawn(ROWS, COLUMNS, 5), *was = drawn(ROWS, COLUMNS, 5),
              *transposed = memory_array(float, LD *TILE, "test"), *sum = memory_array(float, LD, "test"), scale[ROWS],
              dot[ROWS];
        for (int i = 0; i < ROWS; i++) scale[i] = 0.1f * (float)i;
        for (int i = 0; i < LD * TILE; i++) transposed[i] = 9;
        k->tile_transpose(ROWS, COLUMNS, x, LD, transposed);
        for (int j = 0; j < COLUMNS; j++)
            for (int i = 0; i < LD; i++) CU_ASSERT(transposed[j * TILE + i] == (i < ROWS ? x[i * LD + j] : 0));
        CU_ASSERT(transposed[LD] == 9);
        k->row_affine(ROWS, LD, x, b, c, z);
        for (int i = 0; i < ROWS * LD; i++)
            CHECK_CLOSE((double)z[i], (double)x[i] * (double)b[i % LD] + (double)c[i % LD], 1e-6);
        k->row_dots(ROWS, LD, scale, z, LD, y, LD, dot);
        for (int i = 0; i < ROWS; i++) {
            double want = 0;
            for (int j = 0; j < LD; j++) want += (double)z[i * LD + j] * (double)y[i * LD + j];
            CHECK_CLOSE((double)dot[i], want, 1e-5);
            CHECK_CLOSE((double)z[i * LD + 3], (double)scale[i] * ((double)x[i * LD + 3] * (double)b[3] + (double)c[3]),
                        1e-6);
        }
        memcpy(z, was, sizeof(float) * ROWS * LD);
        k->row_bias(ROWS, LD, b, true, z);
        for (int i = 0; i < ROWS * LD; i++) CU_ASSERT(z[i] == fmaxf(was[i] + b[i % LD], 0));
        memcpy(x, y, sizeof(float) * ROWS * LD);
        k->relu_back(ROWS, LD, z, 2, x, sum);
        k->column_sum(ROWS, LD, x, sum);
        for (int j = 0; j < LD; j++) {
            double want = 0;
            for (int i = 0; i < ROWS; i++) {
                CU_ASSERT(x[i * LD + j] == (z[i * LD + j] > 0 ? 2 * y[i * LD + j] : 0));
                want += 2 * (double)x[i * LD + j];
            }
            CHECK_CLOSE((double)sum[j], want, 1e-5);
        }
        z[0] = NAN;
        k->row_bias(1, LD, b, true, z);
        CU_ASSERT(isnan(z[0])); /* divergence must not be hidden */
        void *const all[] = {x, y, b, c, z, was, transposed, sum};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    }
}

int main(void)
{
    static const struct check tests[] = {{"attention with every mask", test_attention},
                                         {"extreme scores, nobody to see", test_extremes},
                                         {"keys that are values", test_shared},
                                         {"layer norm", test_norm},
                                         {"rows: transposed, scaled, relu'd", test_rows}};
    return check_run("multihead", tests, sizeof tests / sizeof *tests);
}
