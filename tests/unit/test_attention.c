/* Attention by tiles and blocks against plain double-precision loops over the whole matrix. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "linalg/attention.h"

struct head {
    int n, N, D, ld;
    float *q, *y, *g, *dg, *dq, *dy, *statistics, *kept, *work;
    double *P, *G, *dQ, *dY; /* the plain answer */
};

static float *matrix(int rows, int D, uint64_t stream, double scale)
{
    struct random_stream s = random_open(2, stream, 0, 0);
    float *x = memory_array(float, rows *padded(D), "test");
    for (int i = 0; i < rows; i++) random_normals_float(&s, (uint64_t)(i * D), (size_t)D, scale, x + i * padded(D));
    return x;
}

static void head_create(struct head *h, int n, int N, int D, double scale)
{
    *h = (struct head){.n = n, .N = N, .D = D, .ld = padded(D)};
    h->q = matrix(n, D, 1, scale), h->y = matrix(N, D, 2, 1), h->dg = matrix(n, D, 3, 1);
    h->g = matrix(n, D, 4, 1), h->dq = matrix(n, D, 4, 1), h->dy = matrix(N, D, 5, 1);
    h->statistics = memory_array(float, attention_statistics(n), "test");
    h->kept = memory_array(float, attention_tile_size(N) * (size_t)attention_tiles(n), "test");
    h->work = memory_array(float, attention_workspace(D), "test");
    h->P = memory_array(double, N, "test"), h->G = memory_array(double, n *D, "test");
    h->dQ = memory_array(double, n *D, "test"), h->dY = memory_array(double, N *D, "test");
}

static void head_free(struct head *h)
{
    memory_free(h->q), memory_free(h->y), memory_free(h->g), memory_free(h->dg), memory_free(h->dq), memory_free(h->dy);
    memory_free(h->statistics), memory_free(h->kept), memory_free(h->work);
    memory_free(h->P), memory_free(h->G), memory_free(h->dQ), memory_free(h->dY);
}

/* Row by row: softmax with its maximum taken off, its derivative by the textbook. */
static void plain(struct head *h)
{
    int D = h->D, ld = h->ld;
    for (int j = 0; j < h->N; j++)
        for (int d = 0; d < D; d++) h->dY[j * D + d] = (double)h->dy[j * ld + d];
    double *dP = memory_array(double, h->N, "test");
    for (int i = 0; i < h->n; i++) {
        const float *q = h->q + i * ld, *dg = h->dg + i * ld;
        double top = -INFINITY, sum = 0, inner = 0, *G = h->G + i * D, *dQ = h->dQ + i * D;
        for (int j = 0; j < h->N; j++) {
            const float *y = h->y + j * ld;
            h->P[j] = dP[j] = 0;
            for (int d = 0; d < D; d++) h->P[j] += (double)q[d] * (double)y[d], dP[j] += (double)dg[d] * (double)y[d];
            top = fmax(top, h->P[j]);
        }
        for (int j = 0; j < h->N; j++) sum += h->P[j] = exp(h->P[j] - top);
        for (int d = 0; d < D; d++) G[d] = dQ[d] = 0;
        for (int j = 0; j < h->N; j++) h->P[j] /= sum, inner += h->P[j] * dP[j];
        for (int j = 0; j < h->N; j++) {
            const float *y = h->y + j * ld;
            double dS = h->P[j] * (dP[j] - inner);
            for (int d = 0; d < D; d++) {
                G[d] += h->P[j] * (double)y[d];
                dQ[d] += dS * (double)y[d];
                h->dY[j * D + d] += h->P[j] * (double)dg[d] + dS * (double)q[d];
            }
        }
    }
    memory_free(dP);
}

/* Largest difference relative to the largest entry (padding counts: it must be zero). */
static double distance(int rows, int D, const float *x, const double *want)
{
    double worst = 0, size = 0;
    for (int i = 0; i < rows; i++)
        for (int d = 0; d < padded(D); d++) {
            double w = d < D ? want[i * D + d] : 0, g = (double)x[i * padded(D) + d];
            worst = fmax(worst, fabs(g - w)), size = fmax(size, fabs(w));
            if (isnan(g)) return INFINITY;
        }
    return size > 0 ? worst / size : worst;
}

static void compare(const struct kernels *k, int n, int N, int D, double scale, int keep)
{
    struct head h;
    head_create(&h, n, N, D, scale);
    plain(&h);
    attention_forward(k, n, N, D, h.q, h.y, keep, h.kept, h.statistics, h.g, h.work);
    double g = distance(n, D, h.g, h.G);
    attention_backward(k, n, N, D, h.q, h.y, keep, h.kept, h.statistics, h.g, h.dg, h.dq, h.dy, h.work);
    double dq = distance(n, D, h.dq, h.dQ), dy = distance(N, D, h.dy, h.dY), loose = scale > 1 ? 30 : 1;
    if (N == 1) dq = 0; /* a softmax of one key: its derivative is zero, and rounding here */
    bool fine = g < 2e-6 * loose && dq < 2e-5 * loose && dy < 5e-6 * loose;
    if (!fine) fprintf(stderr, "%s n=%d N=%d D=%d scale %g: %g %g %g\n", k->name, n, N, D, scale, g, dq, dy);
    CU_ASSERT(fine);
    head_free(&h);
}

static void test_awkward(void)
{
    static const char *const sets[] = {"portable", "avx2", "avx512"};
    static const int sizes[] = {1, 2, 63, 64, 65, 119, 120, 121, 250};
    for (int s = 0; s < 3; s++) {
        const struct kernels *k = kernels_named(sets[s]);
        if (!k) continue;
        for (int i = 0; i < 9; i++)
            for (int j = 0; j < 9; j++) compare(k, sizes[i], sizes[j], j % 2 ? 13 : 40, 0.4, i % 2);
        compare(k, 0, 50, 5, 1, 0); /* an empty shard */
        compare(k, 70, 130, 132, 0.1, 2);
    }
}

static void test_large(void)
{
    compare(kernels_best(), 4999, 4999, 16, 0.5, 40);
}

/* Scores in the hundreds, and rising from block to block: the first block's shift must be given up. */
static void test_shift(void)
{
    compare(kernels_best(), 100, 700, 20, 10, 1);
    struct head h;
    head_create(&h, 3, 500, 2, 1);
    for (int j = 0; j < 500; j++) h.y[j * h.ld] = (float)j, h.y[j * h.ld + 1] = 1;
    for (int i = 0; i < 3; i++) h.q[i * h.ld] = 1, h.q[i * h.ld + 1] = 0;
    plain(&h);
    attention_forward(kernels_best(), 3, 500, 2, h.q, h.y, 0, NULL, h.statistics, h.g, h.work);
    CU_ASSERT(distance(3, 2, h.g, h.G) < 1e-6);
    head_free(&h);
}

/* Kept or recomputed: the same bits. */
static void test_keep(void)
{
    const struct kernels *k = kernels_best();
    float *saved[3] = {0};
    for (int keep = 0; keep <= 4; keep += 2) {
        struct head h;
        head_create(&h, 230, 321, 24, 3);
        attention_forward(k, 230, 321, 24, h.q, h.y, keep, h.kept, h.statistics, h.g, h.work);
        attention_backward(k, 230, 321, 24, h.q, h.y, keep, h.kept, h.statistics, h.g, h.dg, h.dq, h.dy, h.work);
        float **mine[3] = {&h.g, &h.dq, &h.dy};
        for (int i = 0; i < 3; i++) {
            size_t bytes = sizeof(float) * (size_t)((i == 2 ? 321 : 230) * h.ld);
            if (keep) CU_ASSERT(!memcmp(saved[i], *mine[i], bytes));
            memory_free(saved[i]);
            saved[i] = *mine[i];
            *mine[i] = NULL;
        }
        head_free(&h);
    }
    for (int i = 0; i < 3; i++) memory_free(saved[i]);
}

static void test_rows(void)
{
    struct head h;
    head_create(&h, 90, 333, 10, 1);
    float *rows = memory_array(float, 20 * 333, "test");
    attention_rows(kernels_best(), 70, 20, 333, 10, h.q, h.y, rows, h.work);
    for (int i = 0; i < 20; i++) {
        double sum = 0, P[333];
        for (int j = 0; j < 333; j++) {
            P[j] = 0;
            for (int d = 0; d < 10; d++) P[j] += (double)h.q[(70 + i) * h.ld + d] * (double)h.y[j * h.ld + d];
            sum += P[j] = exp(P[j]);
        }
        for (int j = 0; j < 333; j++) CHECK_CLOSE((double)rows[i * 333 + j], P[j] / sum, 1e-6);
    }
    memory_free(rows);
    head_free(&h);
}

int main(void)
{
    static const struct check tests[] = {{"awkward sizes, every instruction set", test_awkward},
                                         {"4,999 assets", test_large},
                                         {"large and rising scores", test_shift},
                                         {"kept or recomputed, the same bits", test_keep},
                                         {"rows of the attention matrix", test_rows}};
    int status = check_run("attention", tests, sizeof tests / sizeof *tests);
    return status ? status : memory_blocks() != 0;
}
