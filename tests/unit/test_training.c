/* What a trainer does around the gradient, where nothing but the matter in hand can move a number: at a learning rate of 0 only
 * dropout tells two losses apart, and where fits stop early a plain replay of the rule must stop them there too. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "models/epochs.h"

enum { D = 6, N = 40, T = 6, HELD = 2, EPOCHS = 24 };
static struct team *world;
static struct period period[T + 1];
static float x[T + 1][N * D];
static double r[T + 1][N];

/* T + 1 periods; `twins`: all alike but for their dates. */
static struct window make_window(bool twins, int64_t now)
{
    for (int t = 0; t <= T; t++) {
        struct random_stream s = random_open(31, twins ? 0 : (uint64_t)t, 0, 0);
        for (int i = 0; i < N * D; i++) x[t][i] = (float)(random_uniform(&s, (uint64_t)i) - 0.5);
        for (int i = 0; i < N; i++) r[t][i] = 0.2 * random_normal(&s, (uint64_t)(N * D + i));
        period[t] =
            (struct period){.index = t, .date = now - T + t, .n = N, .scale = 1, .characteristics = x[t], .returns = r[t]};
    }
    return (struct window){.T = T, .D = D, .period = period};
}

static struct trainer *make(const struct training *how, int periods, uint64_t seed)
{
    struct shape s = {.T = periods, .D = D, .max_assets = N, .shards = 2, .memory = 1 << 20};
    return trainer_create(mlp_network(D, N, 2, 2, (int[]){12, 10}), how, &s, seed);
}

/* The losses of the first `epochs` epochs at rate 0, from the parameters that seed 3 draws for 20000101 whatever the trainer's own. */
static void losses_at_rest(const struct training *how, uint64_t seed, int64_t now, double *loss)
{
    struct window w = make_window(true, now);
    struct fit_note note;
    struct trainer *t = make(how, T, seed);
    network_initialise(t->net, 3, 20000101);
    t->warm = true;
    CU_ASSERT_EQUAL(trainer_fit(t, &w, world, &note), 0);
    memcpy(loss, t->loss, sizeof(double) * (size_t)how->epochs);
    trainer_destroy(t);
}

/* Hidden units are silenced anew for every seed, window, epoch, step and period of a step, and in no other way. */
static void dropout_is_drawn_anew(void)
{
    enum { E = 3 };
    struct training how = {.seeds = 1,
                           .epochs = E,
                           .rate = 0,
                           .rollout = 1,
                           .factor = 0.5,
                           .policy.refit_every = 1,
                           .dropout = 0.4,
                           .policy.warm_start = true};
    double loss[E], again[E], window[E], seed[E], pair[E];
    losses_at_rest(&how, 1, 20100131, loss);
    losses_at_rest(&how, 1, 20100131, again);
    losses_at_rest(&how, 1, 20100228, window);
    losses_at_rest(&how, 2, 20100131, seed);
    CU_ASSERT(!memcmp(loss, again, sizeof loss));
    for (int e = 0; e < E; e++) {
        CU_ASSERT(loss[e] != window[e] && loss[e] != seed[e]);
        for (int f = 0; f < e; f++) CU_ASSERT(loss[e] != loss[f]);
    }
    how.dropout = 0;
    losses_at_rest(&how, 1, 20100131, again);
    losses_at_rest(&how, 2, 20100228, seed);
    for (int e = 0; e < E; e++) CU_ASSERT(again[e] == again[0] && seed[e] == again[0] && loss[e] != again[0]);
    /* twin periods of one step earn different returns */
    how.dropout = 0.4, how.rollout = 2;
    losses_at_rest(&how, 1, 20100131, pair);
    struct trainer *t = make(&how, T, 1);
    make_window(true, 20100131);
    network_initialise(t->net, 3, 20000101);
    trainer_loss(t, period, 2, world, true);
    CU_ASSERT(t->f[0] != t->f[1]);
    trainer_loss(t, period, 2, world, false); /* not training: nothing is silenced */
    CU_ASSERT(t->f[0] == t->f[1]);
    trainer_destroy(t);
}

/* A loss that cannot fall (rate 0) is the best in the first epoch and is waited on for as many more as `patience` says. */
static void patience_is_counted(void)
{
    for (int patience = 1; patience <= 4; patience++) {
        struct training how = {.seeds = 1,
                               .epochs = 8,
                               .rate = 0,
                               .rollout = 1,
                               .factor = 0.5,
                               .policy.refit_every = 1,
                               .hold_out = HELD,
                               .patience = patience};
        struct window w = make_window(false, 20100131);
        struct fit_note note;
        struct trainer *t = make(&how, T, 1);
        CU_ASSERT_EQUAL(trainer_fit(t, &w, world, &note), 0);
        for (int e = 0; e < how.epochs; e++) CU_ASSERT(isfinite(t->loss[e]) == (e < 1 + patience));
        trainer_destroy(t);
    }
}

/* Held-out losses by fits of 1, 2, ... epochs on the shorter window, which know nothing of stopping; the rule replayed on them says
 * which epochs run and whose parameters are kept. */
static void stopping_follows_the_rule(void)
{
    struct training plain = {.seeds = 1, .rate = 0.1, .rollout = 1, .factor = 0.5, .policy.refit_every = 1}, how;
    struct window w = make_window(false, 20100131);
    struct period shorter[T - HELD + 1];
    struct fit_note note;
    double held[EPOCHS];
    float *parameter[EPOCHS];
    size_t size = 0;
    memcpy(shorter, period, sizeof *period * (T - HELD));
    shorter[T - HELD] = period[T];
    struct window before = {.T = T - HELD, .D = D, .period = shorter};
    for (int e = 0; e < EPOCHS; e++) {
        plain.epochs = e + 1;
        struct trainer *t = make(&plain, T, 1);
        CU_ASSERT_EQUAL(trainer_fit(t, &before, world, &note), 0);
        held[e] = 0;
        for (int h = 0; h < HELD; h++) held[e] += trainer_loss(t, &period[T - HELD + h], 1, world, false) / HELD;
        size = t->net->size;
        parameter[e] = memory_array(float, size, "parameters");
        memcpy(parameter[e], t->net->parameter, sizeof(float) * size);
        trainer_destroy(t);
    }
    int recoveries = 0, stops = 0;
    for (int patience = 1; patience <= 6; patience++) {
        int best = 0, bad = 0, run = 1;
        for (; run < EPOCHS && bad < patience; run++)
            if (held[run] < held[best]) recoveries += bad > 0, best = run, bad = 0;
            else bad++;
        stops += run < EPOCHS;
        how = plain, how.epochs = EPOCHS, how.hold_out = HELD, how.patience = patience;
        struct trainer *t = make(&how, T, 1);
        CU_ASSERT_EQUAL(trainer_fit(t, &w, world, &note), 0);
        for (int e = 0; e < EPOCHS; e++) CU_ASSERT(isfinite(t->loss[e]) == (e < run));
        CU_ASSERT(!memcmp(t->net->parameter, parameter[best], sizeof(float) * size));
        trainer_destroy(t);
    }
    CU_ASSERT(recoveries > 0 && stops > 0); /* or the rule was not put to the test */
    for (int e = 0; e < EPOCHS; e++) memory_free(parameter[e]);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {{"dropout is drawn anew by seed, window, step and period", dropout_is_drawn_anew},
                                         {"patience is counted", patience_is_counted},
                                         {"early stopping follows its rule", stopping_follows_the_rule}};
    world = world_open(&argc, &argv);
    int status = check_run("training", tests, sizeof tests / sizeof *tests);
    world_close(world);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return status;
}
