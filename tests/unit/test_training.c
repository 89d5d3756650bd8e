/* What a trainer does around the gradient, where nothing but the matter in hand can move a number: at a learning rate of 0 only
 * dropout tells two losses apart, and where fits stop early a plain replay of the rule must stop them there too. Steps are taken again
 * by their formulas. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "models/model.h"
#include "models/networks.h"
#include "nn/trainer.h"

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
    return trainer_create(mlp_network(D, N, 2, 2, (int[]){12, 10}), how, s.T, s.memory, seed);
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

/* What is left of the hidden units is scaled up: over many draws a network of one hidden layer gives on average what it gives in whole. */
static void dropout_keeps_the_mean(void)
{
    enum { DRAWS = 4000 };
    struct training how = {.seeds = 1, .epochs = 1, .rollout = 1, .factor = 0.5, .dropout = 0.3};
    struct shape s = {.T = 1, .D = D, .max_assets = N, .shards = 2, .memory = 1 << 20};
    struct trainer *t = trainer_create(mlp_network(D, N, 2, 1, (int[]){30}), &how, s.T, s.memory, 1);
    make_window(false, 20100131);
    network_initialise(t->net, 3, 20000101);
    double sum = 0, squares = 0;
    for (int k = 0; k < DRAWS; k++) {
        t->net->dropout.key[0] = (uint64_t)k;
        trainer_loss(t, period, 1, world, true);
        sum += t->f[0], squares += t->f[0] * t->f[0];
    }
    double mean = sum / DRAWS, error = sqrt((squares / DRAWS - mean * mean) / DRAWS);
    trainer_loss(t, period, 1, world, false);
    CU_ASSERT(fabs(mean - t->f[0]) < 5 * error && error < 0.03 * fabs(t->f[0]));
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

/* ---- steps by their formulas ---- */

struct own { /* a trainer by hand: double precision, gradients from trainer_loss */
    double *p, *m, *v;
    long step;
};

static double rate_of(const struct training *how, long done, long all, int cuts)
{
    double done_share = (double)done / (double)all;
    return how->rate * (how->schedule == RATE_COSINE    ? (1 + cos(M_PI * done_share)) / 2
                        : how->schedule == RATE_LINEAR  ? 1 - done_share
                        : how->schedule == RATE_PLATEAU ? pow(how->factor, cuts)
                                                        : 1);
}

static void adam_by_hand(struct own *o, const struct training *how, struct trainer *t, double rate)
{
    size_t n = t->net->size;
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)t->total[i] * (double)t->total[i];
    double shrink = how->clip > 0 && sqrt(square) > how->clip ? how->clip / sqrt(square) : 1;
    o->step++;
    for (size_t i = 0; i < n; i++) {
        double g = shrink * (double)t->total[i];
        o->m[i] = 0.9 * o->m[i] + 0.1 * g;
        o->v[i] = 0.999 * o->v[i] + 0.001 * g * g;
        double first = o->m[i] / (1 - pow(0.9, (double)o->step)), second = o->v[i] / (1 - pow(0.999, (double)o->step));
        o->p[i] = o->p[i] * (1 - rate * how->decay) - rate * first / (sqrt(second) + 1e-8);
        t->net->parameter[i] = (float)o->p[i];
    }
}

/* All epochs by hand; the parameters are left in t. Returns how many epochs went at a rate that was cut. */
static int train_by_hand(struct trainer *t, const struct training *how, const struct window *w, double *loss)
{
    size_t n = t->net->size;
    struct own o = {memory_array(double, n, "p"), memory_array(double, n, "m"), memory_array(double, n, "v"), 0};
    int cuts = 0, flat = 0, lower = 0, a_pass = T / how->rollout;
    double lowest = INFINITY;
    network_initialise(t->net, t->seed, w->period[T].date);
    for (size_t i = 0; i < n; i++) o.p[i] = (double)t->net->parameter[i];
    for (int e = 0; e < how->epochs; e++) {
        loss[e] = 0;
        lower += cuts > 0;
        for (int g = 0; g < a_pass; g++) {
            double rate = rate_of(how, o.step, (long)how->epochs * a_pass, cuts);
            loss[e] += trainer_loss(t, w->period + g * how->rollout, how->rollout, world, true) / a_pass;
            adam_by_hand(&o, how, t, rate);
        }
        flat = loss[e] < lowest ? 0 : flat + 1;
        lowest = fmin(lowest, loss[e]);
        if (how->schedule == RATE_PLATEAU && flat == how->plateau) cuts++, flat = 0;
    }
    memory_free(o.p);
    memory_free(o.m);
    memory_free(o.v);
    return lower;
}

static void fit(struct trainer *t, const struct window *w)
{
    struct fit_note note;
    CU_ASSERT_EQUAL(trainer_fit(t, w, world, &note), 0);
}

/* Batches: of one period they are shuffled periods, of all a rollout of all; every period comes once an epoch, in other company each time. */
static void batches(void)
{
    enum { E = 4 };
    const struct training base = {.seeds = 1, .epochs = E, .rate = 0.01, .rollout = 1, .factor = 0.5};
    struct training how[6] = {base, base, base, base, base, base};
    how[0].batch = 1, how[1].shuffle = true;
    how[2].batch = T, how[3].rollout = T;
    how[4].batch = 3, how[4].rate = 0;
    how[5].batch = 3, how[5].rate = 0, how[5].objective.loss = LOSS_SHARPE;
    struct window w = make_window(false, 20100131);
    struct trainer *t[6];
    for (int k = 0; k < 6; k++) fit(t[k] = make(&how[k], T, 1), &w);
    CU_ASSERT(!memcmp(t[0]->net->parameter, t[1]->net->parameter, sizeof(float) * t[0]->net->size));
    for (int e = 0; e < E; e++) {
        CU_ASSERT_EQUAL(t[0]->loss[e], t[1]->loss[e]);
        CHECK_CLOSE(t[2]->loss[e], t[3]->loss[e], 1e-5);
        CHECK_CLOSE(t[4]->loss[e], t[4]->loss[0],
                    1e-6); /* nothing is learnt: the mean over all periods, whatever their order */
        CU_ASSERT(!e || fabs(t[5]->loss[e] - t[5]->loss[0]) > 1e-4);
    }
    for (int k = 0; k < 6; k++) trainer_destroy(t[k]);
}

static void steps_by_formula(void)
{
    enum { E = 12 };
    const struct training base = {.seeds = 1, .epochs = E, .rate = 0.02, .rollout = 1, .factor = 0.5};
    struct training how[] = {base, base, base, base, base, base};
    how[1].clip = 0.5, how[1].rate = 0.01;
    how[2].decay = 2;
    how[3].schedule = RATE_COSINE, how[3].rollout = 2;
    how[4].schedule = RATE_LINEAR;
    how[5].schedule = RATE_PLATEAU, how[5].plateau = 2, how[5].factor = 0.25, how[5].rate = 0.1;
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        struct window w = make_window(false, 20100131);
        struct fit_note note;
        double loss[E];
        struct trainer *t = make(&how[k], T, 1), *mine = make(&how[k], T, 1);
        CU_ASSERT_EQUAL(trainer_fit(t, &w, world, &note), 0);
        int lower = train_by_hand(mine, &how[k], &w, loss);
        CU_ASSERT(k < 5 || (lower > 1 && lower < E)); /* or the plateau was not put to the test */
        for (int e = 0; e < E; e++) CHECK_CLOSE(t->loss[e], loss[e], 2e-4);
        for (size_t i = 0; i < t->net->size; i++)
            CHECK_CLOSE((double)t->net->parameter[i], (double)mine->net->parameter[i], 2e-4);
        trainer_destroy(t);
        trainer_destroy(mine);
    }
}

/* The order of the last epoch of a fit that learns nothing. */
static void order_of(int epochs, uint64_t seed, int64_t now, int *order)
{
    struct training how = {.seeds = 1, .epochs = epochs, .rate = 0, .rollout = 1, .factor = 0.5, .shuffle = true};
    struct window w = make_window(false, now);
    struct fit_note note;
    struct trainer *t = make(&how, T, seed);
    CU_ASSERT_EQUAL(trainer_fit(t, &w, world, &note), 0);
    memcpy(order, t->order, sizeof(int) * T);
    trainer_destroy(t);
}

/* Periods come in an order drawn for every epoch, seed and window; over many epochs every period is first equally often. */
static void shuffled_anew(void)
{
    enum { MANY = 120 };
    int order[T], other[T], first[T] = {0}, same[3] = {0};
    for (int e = 1; e <= MANY; e++) {
        int there = 0;
        order_of(e, 1, 20100131, order);
        for (int i = 0; i < T; i++) there |= 1 << order[i];
        CU_ASSERT(there == (1 << T) - 1);
        first[order[0]]++;
        order_of(e, 2, 20100131, other), same[0] += !memcmp(order, other, sizeof order);
        order_of(e, 1, 20100228, other), same[1] += !memcmp(order, other, sizeof order);
        order_of(e + 1, 1, 20100131, other), same[2] += !memcmp(order, other, sizeof order);
    }
    for (int i = 0; i < T; i++) CU_ASSERT(abs(first[i] - MANY / T) < 5 * sqrt(MANY / T));
    for (int k = 0; k < 3; k++) CU_ASSERT(same[k] < 8); /* of 120 about one in 720 agrees by chance */
}

/* A fit that diverged begins again as one at half the rate does, to the bit. */
static void half_the_rate(void)
{
    struct training how = {.seeds = 1, .epochs = 2, .rate = 30, .rollout = 1, .factor = 0.5}, half = how;
    int seen = 0, hidden[12];
    half.rate /= 2;
    for (int l = 0; l < 12; l++) hidden[l] = 6;
    struct shape s = {.T = T, .D = D, .max_assets = N, .shards = 2, .memory = 1 << 20};
    struct window w = make_window(false, 20100131);
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct fit_note note, again;
        struct trainer *t = trainer_create(mlp_network(D, N, 2, 12, hidden), &how, s.T, s.memory, seed),
                       *fresh = trainer_create(mlp_network(D, N, 2, 12, hidden), &half, s.T, s.memory, seed);
        trainer_fit(t, &w, world, &note);
        trainer_fit(fresh, &w, world, &again);
        if (!note.code && t->restarts == 1) {
            seen++;
            CU_ASSERT(!again.code && fresh->restarts == 0);
            CU_ASSERT(!memcmp(t->net->parameter, fresh->net->parameter, sizeof(float) * t->net->size));
            CU_ASSERT(!memcmp(t->loss, fresh->loss, sizeof(double) * 2));
        }
        trainer_destroy(t);
        trainer_destroy(fresh);
    }
    CU_ASSERT(seen > 0); /* or the rule was not put to the test */
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {{"dropout is drawn anew by seed, window, step and period", dropout_is_drawn_anew},
                                         {"dropout keeps the mean", dropout_keeps_the_mean},
                                         {"patience is counted", patience_is_counted},
                                         {"early stopping follows its rule", stopping_follows_the_rule},
                                         {"steps by their formulas", steps_by_formula},
                                         {"batches", batches},
                                         {"shuffled anew by epoch, seed and window", shuffled_anew},
                                         {"begins again at half the rate", half_the_rate}};
    world = world_open(&argc, &argv);
    int status = check_run("training", tests, sizeof tests / sizeof *tests);
    world_close(world);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return status;
}
