/* What a window of the linear portfolio transformer costs: D = 132, T = 60, 14 ridges, 9 head counts, one core, beside the core's own dgemm
 * peak; the same with the stacked fall-back. Timings are medians over consecutive windows, as in a study. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "linalg/eigen.h"
#include "models/model.h"

enum { D = 132, T = 60, NZ = 14, NH = 9, WINDOWS = 24, PERIODS = T + WINDOWS + 1, N = 400 };

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    return v[n / 2];
}

static double dgemm_peak(void)
{
    enum { M = 1500 };
    double *a = memory_array(double, M *M, "a"), *b = memory_array(double, M *M, "b"), *c = memory_array(double, M *M, "c"),
           best = 1e9;
    for (int i = 0; i < M * M; i++) a[i] = b[i] = i % 7 - 3;
    for (int k = 0; k < 5; k++) {
        double t = clock_seconds();
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, M, M, 1, a, M, b, M, 0, c, M);
        t = clock_seconds() - t;
        if (t < best) best = t;
    }
    memory_free(a), memory_free(b), memory_free(c);
    return 2. * M * M * M / best;
}

static struct period *periods_make(double **records, double *gram, double *timing)
{
    struct period *p = memory_array(struct period, PERIODS, "periods");
    double *work = memory_array(double, moments_workspace(D), "work"), *r = memory_array(double, N, "returns");
    float *x = memory_array(float, N *D, "characteristics");
    int index[N];
    for (int t = 0; t < PERIODS; t++) {
        struct random_stream u = random_open(1, 2, (uint64_t)t, 3);
        for (int i = 0; i < N * D; i++) x[i] = (float)(random_uniform(&u, (uint64_t)i) - 0.5);
        for (int i = 0; i < N; i++) r[i] = 0.1 * random_normal(&u, 100000 + (uint64_t)i), index[i] = i;
        struct rows rows = {.n = N, .characteristics = x, .returns = r};
        records[t] = memory_array(double, moments_size(D), "moments");
        moments_of(D, &rows, index, N, work, records[t]);
        p[t] = (struct period){
            .index = t, .n = N, .scale = 1, .factors = moments_factors(records[t]), .timing = moments_timing(records[t], D)};
    }
    for (int a = 0; a < PERIODS; a++)
        for (int b = 0; b < PERIODS; b++) {
            gram[a * PERIODS + b] = cblas_ddot(D, p[a].factors, 1, p[b].factors, 1);
            timing[a * PERIODS + b] = cblas_ddot((int)packed_size(D), p[a].timing, 1, p[b].timing, 1);
        }
    memory_free(work), memory_free(r), memory_free(x);
    return p;
}

static double windows_run(const struct period *p, const double *gram, const double *timing, size_t memory, double *first)
{
    static int heads[NH] = {1, 2, 4, 8, 16, 32, 64, 128, 132};
    const struct model_class *c = model_class_find("linear_transformer");
    double ridge[NZ], seconds[WINDOWS], small[T * T], large[(T + 1) * (T + 1)];
    for (int i = 0; i < NZ; i++) ridge[i] = pow(10, i - 10);
    struct value value[5] = {{.word = (char *)(uintptr_t) "msrr"},
                             {.n = NH, .list = heads},
                             {.number = 0},
                             {.word = (char *)(uintptr_t) "auto"},
                             {.number = 1}};
    struct values v = {.options = c->options, .value = value, .n = 5};
    struct shape shape = {.T = T, .D = D, .nz = NZ, .ridge = ridge, .memory = memory};
    struct layout l;
    struct fit_note note;
    c->layout(&shape, &v, &l);
    struct model *m = c->create(&shape, 1, &v);
    double *theta = memory_array(double, l.variants *D, "positions"), *variant = memory_array(double, l.variants, "returns"),
           *record = memory_array(double, layout_record(&l), "record");
    for (int k = 0; k < WINDOWS; k++) {
        double start = clock_seconds();
        for (int a = 0; a <= T; a++)
            for (int b = 0; b <= T; b++) {
                large[a * (T + 1) + b] = timing[(k + a) * PERIODS + k + b];
                if (a < T && b < T) small[a * T + b] = gram[(k + a) * PERIODS + k + b];
            }
        struct window w = {.T = T, .D = D, .period = p + k, .factor_gram = small, .timing_gram = large};
        if (c->fit(m, &w, NULL, &note)) exit(1);
        c->positions(m, &w, theta);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, l.variants, D, 1, theta, D, p[k + T].factors, 1, 0, variant, 1);
        c->record(m, variant, record);
        seconds[k] = clock_seconds() - start;
    }
    *first = seconds[0];
    memory_free(theta), memory_free(variant), memory_free(record);
    layout_free(&l);
    c->destroy(m);
    return median(seconds + 1, WINDOWS - 1);
}

int main(void)
{
    double *records[PERIODS], first, *gram = memory_array(double, PERIODS *PERIODS, "gram"),
                                     *timing = memory_array(double, PERIODS *PERIODS, "gram");
    blas_one_thread();
    double peak = dgemm_peak();
    struct period *p = periods_make(records, gram, timing);
    printf("linear transformer, D=%d T=%d, %d ridges, %d head counts, one core (%s; dgemm %.1f GF/s)\n", D, T, NZ, NH,
           blas_text(), peak / 1e9);
    double pairs = windows_run(p, gram, timing, (size_t)1 << 30, &first);
    printf("  pair products kept: %.1f ms a window (goal about 40, at most 70); first window of a run %.1f ms\n",
           1e3 * pairs, 1e3 * first);
    double stacked = windows_run(p, gram, timing, 0, &first);
    printf("  stacked per ridge:  %.1f ms a window\n", 1e3 * stacked);
    printf("  659 windows: %.1f core-seconds\n", 659 * pairs);
    return pairs > 0.07;
}
