/* Training steps of the networks against the core's own sgemm rate:   bench_transformer [memory|ranks]
 *   (nothing)  one core, N=3000, D=132, feed-forward 256, K=4, and the 4 x 256 MLP
 *   memory     N=8000, K=10: everything kept against everything recomputed
 *   ranks      under mpirun: one period's shards on all ranks, and separate tasks */
#include <string.h>

#include "neural.h"

enum { D = 132, DF = 256 };
static const struct portfolio_attention_shape attention = {.heads = 1, .residual = true};

static struct trainer *trainer_of(struct network *n, double memory)
{
    struct training how = {.seeds = 1, .epochs = 1, .rate = 1e-5};
    struct trainer *t = trainer_create(n, &how, 1, (size_t)memory, 1);
    network_initialise(n, 1, 1);
    return t;
}

/* Stocks of month t of 1963-2022 (t = 0 .. 719). The paper does not print N_t; assumed here: 1,000 rising evenly to 5,000 at the end
 * of 1997, falling evenly to 2,700 at the end of 2022. */
static double assumed_stocks(int t)
{
    return t < 420 ? 1000 + 4000. * t / 420 : 5000 - 2300. * (t - 420) / 300;
}

/* Core-hours of the paper's study at the measured rate: 659 windows of 60 months, 10 seeds, 20 epochs, K = 10 and K = 1. */
static void project(double rate)
{
    for (int K = 10; K >= 1; K -= 9) {
        struct network *n = transformer_network(D, 5000, 1, K, DF, attention);
        double flops = 0;
        for (int window = 0; window < 659; window++)
            for (int t = window; t < window + 60; t++) flops += 3 * network_flops(n, assumed_stocks(t)) * 10 * 20;
        network_destroy(n);
        printf("projection: 659 windows x 60 months x 20 epochs x 10 seeds, K=%d, N_t from 1,000 to 5,000 (assumed): %.0f "
               "core-hours, %.1f hours on 1,000 cores\n",
               K, flops / rate / 3600, flops / rate / 3600 / 1000);
    }
}

static void one_core(struct team *world)
{
    enum { N = 3000, K = 4 };
    const int hidden[4] = {256, 256, 256, 256};
    struct period p = period_create(N, D);
    double peak = sgemm_rate();
    printf("kernels %s; multiply-add loop %.1f GF/s; sgemm 2000x2000x2000 by OpenBLAS (%s): %.1f GF/s\n",
           kernels_best()->name, loop_rate() / 1e9, openblas_get_corename(), peak / 1e9);
    struct trainer *t = trainer_of(transformer_network(D, N, 1, K, DF, attention), 2e9);
    double s = step_seconds(t, &p, world, 5, processor_seconds), f = 3 * network_flops(t->net, N);
    printf("transformer step N=%d D=%d df=%d K=%d: %.4f s, %.1f GF/s of 3 x forward, %.3f of sgemm\n", N, D, DF, K, s,
           f / s / 1e9, f / s / peak);
    trainer_destroy(t);
    t = trainer_of(transformer_network(D, N, 1, K, DF, attention), 0);
    double r = step_seconds(t, &p, world, 3, processor_seconds);
    printf("the same, all attention recomputed: %.4f s, %.1f%% more\n", r, 100 * (r / s - 1));
    trainer_destroy(t);
    t = trainer_of(mlp_network(D, N, 1, 4, hidden), 2e9);
    double m = step_seconds(t, &p, world, 10, processor_seconds), fm = 3 * network_flops(t->net, N);
    printf("MLP step 4 x 256: %.4f s, %.1f GF/s of 3 x forward, %.3f of sgemm\n", m, fm / m / 1e9, fm / m / peak);
    trainer_destroy(t);
    project(f / s);
    period_free(&p);
}

static void memory_ends(struct team *world)
{
    enum { N = 8000, K = 10 };
    struct period p = period_create(N, D);
    const double budgets[] = {4e9, 1.9e9, 0};
    for (int i = 0; i < 3; i++) {
        char size[32];
        struct trainer *t = trainer_of(transformer_network(D, N, 1, K, DF, attention), budgets[i]);
        double s = step_seconds(t, &p, world, 1, processor_seconds);
        printf("N=%d K=%d memory %.1f GB: %.2f s a step, %s held\n", N, K, budgets[i] / 1e9, s,
               format_bytes((double)memory_held(), size));
        fflush(stdout);
        trainer_destroy(t);
    }
    period_free(&p);
}

static void ranks(struct team *world)
{
    enum { N = 3000, K = 4 };
    int P = team_size(world);
    struct period p = period_create(N, D);
    struct team *alone = team_split(world, team_rank(world));
    double seconds[3];
    for (int how = 0; how < 3; how++) { /* one rank works alone; each its own task; all on one period */
        struct trainer *t = trainer_of(transformer_network(D, N, P, K, DF, attention), 2e9);
        team_barrier(world);
        seconds[how] = how == 0 && team_rank(world) ? 0 : step_seconds(t, &p, how == 2 ? world : alone, 5, clock_seconds);
        team_max_double(world, &seconds[how], 1);
        team_wait_max(world, 0, NULL, NULL);
        trainer_destroy(t);
    }
    if (team_rank(world) == 0) {
        printf("%d ranks: alone %.4f s; separate tasks %.4f s, %.2f times one; one period's shards %.4f s, %.2f times one\n",
               P, seconds[0], seconds[1], P * seconds[0] / seconds[1], seconds[2], seconds[0] / seconds[2]);
    }
    team_close(alone);
    period_free(&p);
}

int main(int argc, char **argv)
{
    struct team *world = world_open(&argc, &argv);
    if (argc > 1 && !strcmp(argv[1], "memory")) memory_ends(world);
    else if (argc > 1 && !strcmp(argv[1], "ranks")) ranks(world);
    else one_core(world);
    world_close(world);
    return 0;
}
