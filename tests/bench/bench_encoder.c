/* A training step (forward and backward) of cross-attention over sequences on one core: 500 assets, L = 60 steps, D = 8, d_model 64,
 * 4 heads, 2 layers, feed-forward 256; against the core's own sgemm rate and PyTorch's step (tests/bench/encoder_torch.py) in the same
 * run. Flops counted are those of the network (three times forward); what is formed again in backward comes on top. */
#include <string.h>

#include "neural.h"
#include "sequences.h"

enum { N = 500, L = 60, D = 8 };

static const struct encoder_shape shape = {.D = D,
                                           .max_assets = N,
                                           .shards = 1,
                                           .L = L,
                                           .d_model = 64,
                                           .heads = 4,
                                           .layers = 2,
                                           .feedforward = 256,
                                           .kernel = 1,
                                           .cross = CROSS_FULL,
                                           .pool_mean = true,
                                           .include_self = true,
                                           .outputs = 1};

/* Seconds of the fastest of several steps; forward's share in *forward. */
static double flops_of(const struct encoder_shape *s, int attention)
{
    struct encoder_shape shaped = *s;
    shaped.attention_size = attention;
    struct network *n = encoder_network(&shaped);
    double flops = network_flops(n, N);
    network_destroy(n);
    return flops;
}

static double encoder_step(const struct encoder_shape *s, int attention, size_t memory, double dropout, struct team *team,
                           double *forward)
{
    struct sequence *q = sequence_create(N, L, D, 1, NULL, 1, 1);
    struct encoder_shape shaped = *s;
    shaped.attention_size = attention;
    struct network *n = network_make(encoder_network(&shaped));
    float *y = memory_array(float, N, "bench"), *dy = memory_array(float, N, "bench");
    for (int i = 0; i < N; i++) dy[i] = 0.1f * (float)(i % 7 - 3);
    n->memory = memory;
    n->dropout.share = dropout;
    network_initialise(n, 1, 20200131);
    network_bind(n, team);
    double best = 1e99;
    for (int i = 0; i < 8; i++) {
        double from = processor_seconds(), middle;
        network_forward(n, &q->period, true, y);
        middle = processor_seconds();
        for (int k = 0; k < n->shards.own; k++) memset(n->gradient[k], 0, sizeof(float) * n->size);
        network_backward(n, &q->period, dy);
        double all = processor_seconds() - from;
        if (all < best) best = all, *forward = middle - from;
    }
    network_destroy(n);
    memory_free(y), memory_free(dy);
    sequence_free(q);
    return best;
}

/* PyTorch's seconds a step: as its layers are, and with the dead work of the last layer left out. 0: not here. */
static void torch_steps(double *plain, double *pruned)
{
    static const char command[] = "for p in python3 /usr/bin/python3; do $p -c 'import torch' 2>/dev/null && exec $p "
                                  "tests/bench/encoder_torch.py; done";
    FILE *f = popen(command, "r");
    *plain = *pruned = 0;
    if (f && fscanf(f, "%lf %lf", plain, pruned) != 2) *plain = *pruned = 0;
    if (f) pclose(f);
}

int main(int argc, char **argv)
{
    struct team *world = world_open(&argc, &argv);
    double peak = sgemm_rate(), flops = 3 * flops_of(&shape, 0), forward, plain, pruned;
    printf("kernels %s; multiply-add loop %.1f GF/s; sgemm 2000x2000x2000 by OpenBLAS (%s): %.1f GF/s\n",
           kernels_best()->name, loop_rate() / 1e9, openblas_get_corename(), peak / 1e9);
    double kept = encoder_step(&shape, 0, (size_t)2 << 30, 0, world, &forward);
    printf("cross-attention step, %d assets, L=%d, d_model %d, %d heads, %d layers: %.4f s (forward %.4f), %.1f GF/s of 3 x "
           "forward (%.2f GF), %.3f of sgemm\n",
           N, L, shape.d_model, shape.heads, shape.layers, kept, forward, flops / kept / 1e9, flops / 1e9,
           flops / kept / peak);
    double again = encoder_step(&shape, 0, 0, 0, world, &forward);
    printf("the same, little kept: %.4f s (forward %.4f), %.3f of sgemm\n", again, forward, flops / again / peak);
    if (argc > 1 && !strcmp(argv[1], "quick")) {
        world_close(world);
        return 0;
    }
    double dropped = encoder_step(&shape, 0, (size_t)2 << 30, 0.1, world, &forward);
    printf("with dropout 0.1: %.4f s\n", dropped);
    struct encoder_shape last = shape, lagged = shape, large = shape;
    large.d_model = 128, large.heads = 8, large.layers = 4, large.feedforward = 512;
    last.pool_mean = false;
    lagged.cross = CROSS_LAGGED, lagged.max_lag = 5;
    double f = 3 * flops_of(&last, 0), s = encoder_step(&last, 0, (size_t)2 << 30, 0, world, &forward);
    printf("pooled at the last step: %.4f s, %.3f of sgemm\n", s, f / s / peak);
    f = 3 * flops_of(&lagged, 0), s = encoder_step(&lagged, 0, (size_t)2 << 30, 0, world, &forward);
    printf("lags 0 to 5: %.4f s, %.3f of sgemm\n", s, f / s / peak);
    f = 3 * flops_of(&shape, 64), s = encoder_step(&shape, 64, (size_t)2 << 30, 0, world, &forward);
    printf("alpha portfolio, attention size 64: %.4f s, %.3f of sgemm\n", s, f / s / peak);
    f = 3 * flops_of(&large, 0), s = encoder_step(&large, 0, (size_t)4 << 30, 0, world, &forward);
    printf("d_model 128, 8 heads, 4 layers, feed-forward 512: %.4f s, %.3f of sgemm\n", s, f / s / peak);
    fflush(stdout);
    torch_steps(&plain, &pruned);
    if (plain > 0)
        printf(
            "PyTorch, one thread, its own layers: %.4f s, %.2f times ours; without the dead work of the last layer: %.4f s, "
            "%.2f times ours\n",
            plain, plain / kept, pruned, pruned / kept);
    else printf("PyTorch (python3-torch) is not here: not compared\n");
    world_close(world);
    return 0;
}
