/* A synthetic period and the core's own sgemm rate, for the benchmarks of networks. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "linalg/adam.h"
#include "models/model.h"
#include "models/networks.h"
#include "nn/trainer.h"

/* Processor time of this process: what one core's work takes, whoever else uses the machine. */
static inline double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The best of several 2000^3 products by OpenBLAS, flops per second. */
static inline double sgemm_rate(void)
{
    enum { M = 2000 };
    float *a = memory_array(float, M *M, "bench"), *b = memory_array(float, M *M, "bench"),
          *c = memory_array(float, M *M, "bench");
    struct random_stream s = random_open(1, 1, 0, 0);
    random_normals_float(&s, 0, M * M, 1, a);
    random_normals_float(&s, M * M, M * M, 1, b);
    double best = 1e99;
    for (int i = 0; i < 6; i++) {
        double t = processor_seconds();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, M, M, 1, a, M, b, M, 0, c, M);
        t = processor_seconds() - t;
        if (t < best) best = t;
    }
    memory_free(a), memory_free(b), memory_free(c);
    return 2. * M * M * M / best;
}

/* What the core can do at most: multiply-adds between registers and nothing else, flops per second, over vectors of 512 bits where the
 * processor has them, else of 256. */
enum { LOOP_TURNS = 20000000 };
#define LOOP(name, instructions, lanes)                                                                                     \
    __attribute__((target(instructions), optimize("fp-contract=fast"))) static inline double name(void)                     \
    {                                                                                                                       \
        typedef float vector __attribute__((vector_size(4 * lanes)));                                                       \
        vector x[12], a = (vector){0} + 0.999f, b = (vector){0} + 1e-3f, sum = b;                                           \
        for (int j = 0; j < 12; j++) x[j] = b;                                                                              \
        double t = processor_seconds();                                                                                     \
        for (int i = 0; i < LOOP_TURNS; i++) _Pragma("GCC unroll 12") for (int j = 0; j < 12; j++) x[j] = x[j] * a + b;     \
        t = processor_seconds() - t;                                                                                        \
        for (int j = 0; j < 12; j++) sum += x[j];                                                                           \
        volatile float kept = sum[0];                                                                                       \
        (void)kept;                                                                                                         \
        return 2. * 12 * lanes * LOOP_TURNS / t;                                                                            \
    }
LOOP(loop_wide, "avx512f", 16)
LOOP(loop_narrow, "avx2,fma", 8)
static inline double loop_rate(void)
{
    double best = 0;
    for (int i = 0; i < 5; i++) {
        double rate = __builtin_cpu_supports("avx512f") ? loop_wide() : loop_narrow();
        if (rate > best) best = rate;
    }
    return best;
}

static inline struct period period_create(int n, int D)
{
    struct random_stream s = random_open(1, 2, 0, 0);
    float *x = memory_array(float, (size_t)n *D, "bench");
    double *r = memory_array(double, n, "bench");
    for (size_t i = 0; i < (size_t)n * (size_t)D; i++) x[i] = (float)(random_uniform(&s, i) - 0.5);
    for (int i = 0; i < n; i++) r[i] = 0.1 * random_normal(&s, (uint64_t)n * (uint64_t)D + (uint64_t)i);
    return (struct period){.n = n, .date = 20000131, .scale = 1, .characteristics = x, .returns = r};
}

static inline void period_free(struct period *p)
{
    memory_free((void *)(uintptr_t)p->characteristics);
    memory_free((void *)(uintptr_t)p->returns);
}

/* Seconds of the fastest of `times` training steps: forward, backward, Adam. By the clock given; the
 * slowest rank counts. Collective. */
static inline double step_seconds(struct trainer *t, const struct period *p, struct team *team, int times,
                                  double (*clock)(void))
{
    double best = 1e99;
    for (int i = 1; i <= times; i++) {
        team_barrier(team);
        double at = clock();
        trainer_loss(t, p, 1, team, true);
        adam_step(t->net->size, t->net->parameter, t->total, t->first, t->second, i, 1e-5, 0);
        at = clock() - at;
        team_max_double(team, &at, 1);
        if (at < best) best = at;
    }
    return best;
}
