/* Networks on shards. RANKS: 1 2 4
 * The networks of single periods, the portfolio transformer also without each of its parts. Gradients of every tensor against finite differences, the same bits on one rank and on all, ragged and empty shards, dropout,
 * checkpoints, divergence, early stopping, memory budgets. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "models/model.h"
#include "models/networks.h"
#include "nn/trainer.h"

static struct team *world, *alone;

enum { LABELS = 3 };

static struct period make_period(int n, int D, int index)
{
    struct random_stream s = random_open(5, (uint64_t)index, 0, 0);
    float *x = memory_array(float, n *D, "test");
    double *r = memory_array(double, n, "test");
    int32_t *label = memory_array(int32_t, 2 * n, "test");
    for (int i = 0; i < n; i++) label[i] = 7 * i % (LABELS + 1) - 1, label[n + i] = 5 * i % 6 - 1; /* some unknown */
    for (int i = 0; i < n * D; i++) x[i] = (float)(random_uniform(&s, (uint64_t)i) - 0.5);
    for (int i = 0; i < n; i++) r[i] = 0.3 * random_normal(&s, (uint64_t)(n * D + i));
    return (struct period){.index = index,
                           .date = 20000100 + index,
                           .n = n,
                           .scale = 1,
                           .characteristics = x,
                           .returns = r,
                           .group = {label, [PANEL_SIZE_GROUP] = label + n}};
}

static void free_period(struct period *p)
{
    memory_free((void *)(uintptr_t)p->characteristics);
    memory_free((void *)(uintptr_t)p->returns);
    memory_free((void *)(uintptr_t)p->group[0]);
}

enum {
    MLP,
    ONE_HEAD,
    TWO_HEADS,
    LINEAR,
    NO_ATTENTION,
    NO_FEEDFORWARD,
    NO_RESIDUAL,
    OWN_GROUP,
    SIZE_GROUP,
    ITSELF,
    LINEAR_GROUP,
    KINDS
};
enum { D = 7, MOST = 150 };

/* The transformers by name: whether they have a feed-forward layer, and their attention. */
static const struct {
    const char *name;
    bool feedforward;
    struct portfolio_attention_shape attention;
} kinds[KINDS] = {
    [MLP] = {"mlp", false, {0}},
    [ONE_HEAD] = {"one_head", true, {.heads = 1, .residual = true}},
    [TWO_HEADS] = {"transformer", true, {.heads = 2, .residual = true}},
    [LINEAR] = {"linear", true, {.heads = 2, .residual = true, .linear = true}},
    [NO_ATTENTION] = {"no_attention", true, {.residual = true}},
    [NO_FEEDFORWARD] = {"no_feedforward", false, {.heads = 2, .residual = true}},
    [NO_RESIDUAL] = {"no_residual", true, {.heads = 2}},
    [OWN_GROUP] = {"own_group", true, {.heads = 2, .residual = true, .sees = SEES_GROUP, .labels = LABELS}},
    [SIZE_GROUP] = {"size_group",
                    true,
                    {.heads = 2, .residual = true, .sees = SEES_GROUP, .column = PANEL_SIZE_GROUP, .labels = 5}},
    [ITSELF] = {"itself", true, {.heads = 2, .residual = true, .sees = SEES_ITSELF}},
    [LINEAR_GROUP] = {"linear_group", false, {.heads = 2, .linear = true, .sees = SEES_GROUP, .labels = LABELS}},
};

static struct network *make_network(int kind, int shards)
{
    if (kind == MLP) return mlp_network(D, MOST, shards, 2, (int[]){9, 20});
    return transformer_network(D, MOST, shards, 3, kinds[kind].feedforward ? 21 : 0, kinds[kind].attention);
}

static struct trainer *make_in(int kind, int shards, const struct training *how, int T, size_t memory)
{
    struct shape s = {.T = T, .D = D, .max_assets = MOST, .shards = shards, .memory = memory};
    return trainer_create(make_network(kind, shards), how, s.T, s.memory, 11);
}

static struct trainer *make(int kind, int shards, const struct training *how, int T)
{
    return make_in(kind, shards, how, T, 1 << 24);
}

static const struct training plain = {
    .seeds = 1, .epochs = 3, .rate = 1e-3, .rollout = 1, .factor = 0.5, .policy.refit_every = 1};

/* Directional derivative along a random direction in one tensor at a time. */
static void test_gradient(void)
{
    struct period p = make_period(131, D, 1);
    for (int kind = 0; kind < KINDS; kind++)
        for (int mse = 0; mse < 2; mse++) {
            struct training how = plain;
            how.objective.loss = mse ? LOSS_MSE : LOSS_MSRR;
            struct trainer *t = make(kind, 4, &how, 1);
            struct network *n = t->net;
            network_initialise(n, 3, 20000101);
            for (int i = 0; i < n->tensors; i++) /* biases away from zero */
                for (int j = 0; n->tensor[i].deviation <= 0 && j < n->tensor[i].rows; j++)
                    for (int c = 0; c < n->tensor[i].columns; c++)
                        tensor_at(n, n->parameter, i, j)[c] = 0.05f * (float)(c % 3 - 1);
            trainer_loss(t, &p, 1, world, true);
            float *g = memory_array(float, n->size, "test"), *at = memory_array(float, n->size, "test");
            memcpy(g, t->total, sizeof(float) * n->size);
            memcpy(at, n->parameter, sizeof(float) * n->size);
            for (int i = 0; i < n->tensors; i++) {
                const struct tensor *x = &n->tensor[i];
                double slope = 0, size = 0, up, down, step = 4e-4;
                struct random_stream s = random_open(9, (uint64_t)i, 0, 0);
                for (int way = 1; way >= -1; way -= 2) {
                    for (int r = 0; r < x->rows; r++)
                        for (int c = 0; c < x->columns; c++) {
                            size_t where = x->at + tensor_index(x, r, c);
                            double z = random_normal(&s, (uint64_t)(r * x->columns + c)) / sqrt(x->rows * x->columns);
                            n->parameter[where] = (float)((double)at[where] + way * step * z);
                            if (way == 1) slope += (double)g[where] * z, size += (double)g[where] * (double)g[where];
                        }
                    *(way == 1 ? &up : &down) = trainer_loss(t, &p, 1, world, false);
                }
                memcpy(n->parameter, at, sizeof(float) * n->size);
                double want = (up - down) / (2 * step), scale = fmax(fabs(want), sqrt(size / (x->rows * x->columns)));
                if (!(fabs(slope - want) < 2e-2 * scale + 1e-3))
                    fprintf(stderr, "%s %s: %g against %g\n", kinds[kind].name, x->name, slope, want);
                CU_ASSERT(fabs(slope - want) < 2e-2 * scale + 1e-3);
                CU_ASSERT((size > 0) != (kind == ITSELF && !strcmp(x->name, "W"))); /* one weight of 1 is a softmax's own */
            }
            for (size_t i = 0; i < n->size; i++) /* nothing leaks into the padding */
                for (int k = 0; k < n->tensors && i >= n->tensor[k].at; k++)
                    if (i < n->tensor[k].at + (size_t)(n->tensor[k].rows * padded(n->tensor[k].columns)) &&
                        (int)((i - n->tensor[k].at) % (size_t)padded(n->tensor[k].columns)) >= n->tensor[k].columns)
                        CU_ASSERT(g[i] == 0);
            memory_free(g), memory_free(at);
            trainer_destroy(t);
        }
    free_period(&p);
}

struct outcome {
    float *parameter, *weights;
    double loss[8];
    int code, restarts;
};

static struct window make_window(struct period *p, int T, const int *n)
{
    for (int i = 0; i <= T; i++) p[i] = make_period(n[i], D, i);
    return (struct window){.T = T, .D = D, .period = p};
}

static void fit_to(struct trainer *t, const struct window *w, struct team *team, struct outcome *o)
{
    struct fit_note note;
    trainer_fit(t, w, team, &note);
    *o = (struct outcome){.code = note.code, .restarts = t->restarts};
    o->parameter = memory_array(float, t->net->size, "test");
    o->weights = memory_array(float, MOST, "test");
    memcpy(o->parameter, t->net->parameter, sizeof(float) * t->net->size);
    memcpy(o->weights, t->weights, sizeof(float) * (size_t)w->period[w->T].n);
    memcpy(o->loss, t->loss, sizeof(double) * (size_t)t->how.epochs);
}

static bool same(const struct trainer *t, const struct outcome *a, const struct outcome *b)
{
    return a->code == b->code && a->restarts == b->restarts &&
           !memcmp(a->parameter, b->parameter, sizeof(float) * t->net->size) &&
           !memcmp(a->weights, b->weights, sizeof(float) * MOST) &&
           !memcmp(a->loss, b->loss, sizeof(double) * (size_t)t->how.epochs);
}

static void outcome_free(struct outcome *o)
{
    memory_free(o->parameter), memory_free(o->weights);
}

/* One rank with all shards against all ranks with some: the same bits, with every option on; ragged, tiny and empty periods. */
static void test_ranks(void)
{
    static const int sizes[] = {150, 131, 1, 0, 3, 67};
    struct period p[6];
    struct window w = make_window(p, 5, sizes);
    struct training all = {.seeds = 1,
                           .epochs = 3,
                           .rate = 1e-3,
                           .schedule = RATE_COSINE,
                           .decay = 0.01,
                           .clip = 0.5,
                           .hold_out = 1,
                           .patience = 1,
                           .rollout = 1,
                           .dropout = 0.3,
                           .shuffle = true};
    for (int kind = 0; kind < KINDS; kind++)
        for (int options = 0; options < 3; options++) {
            struct outcome one, many;
            all.batch = options == 2 ? 2 : 0;
            struct trainer *t = make(kind, 4, options ? &all : &plain, 5);
            fit_to(t, &w, alone, &one);
            fit_to(t, &w, world, &many);
            CU_ASSERT(one.code == 0 && isfinite(one.loss[0]) && same(t, &one, &many));
            outcome_free(&one), outcome_free(&many);
            trainer_destroy(t);
        }
    for (int i = 0; i < 6; i++) free_period(&p[i]);
}

static double least_bytes(struct network *n)
{
    double bytes = network_bytes(n, team_size(world), true);
    network_destroy(n);
    return bytes;
}

/* How much is kept does not show in the bits. */
static void test_budget(void)
{
    static const int sizes[] = {150, 131, 67};
    struct period p[3];
    struct window w = make_window(p, 2, sizes);
    struct outcome o[3];
    struct trainer *t = NULL;
    for (int kind = TWO_HEADS; kind < KINDS; kind++) {
        for (int i = 0; i < 3; i++) {
            if (i) trainer_destroy(t);
            size_t fixed = (size_t)least_bytes(make_network(kind, 4));
            t = make_in(kind, 4, &plain, 2, i == 0 ? 0 : i == 1 ? fixed + 200000 : 1 << 26);
            fit_to(t, &w, world, &o[i]);
        }
        CU_ASSERT(same(t, &o[0], &o[1]) && same(t, &o[0], &o[2]));
        for (int i = 0; i < 3; i++) outcome_free(&o[i]);
        trainer_destroy(t);
    }
    for (int i = 0; i < 3; i++) free_period(&p[i]);
}

/* A fit stopped at any step and resumed in a new trainer ends with the bits of an unbroken one. */
struct memory_monitor {
    struct fit_monitor monitor;
    int steps, stop_at;
    char *state;
};
static enum fit_poll poll(void *context)
{
    struct memory_monitor *m = context;
    return ++m->steps == m->stop_at ? FIT_STOP : FIT_CONTINUE;
}
static void save(void *context, const void *state, size_t bytes)
{
    struct memory_monitor *m = context;
    memory_free(m->state);
    m->state = memory_array(char, bytes, "test");
    memcpy(m->state, state, bytes);
    m->monitor.state = m->state;
    m->monitor.state_bytes = bytes;
}

static void test_resume(void)
{
    static const int sizes[] = {50, 31, 22, 40, 67};
    struct period p[5];
    struct window w = make_window(p, 4, sizes);
    struct training how = {.seeds = 1,
                           .epochs = 3,
                           .rate = 1e-3,
                           .hold_out = 1,
                           .patience = 1,
                           .dropout = 0.2,
                           .shuffle = true,
                           .schedule = RATE_LINEAR};
    struct outcome whole, part;
    struct trainer *t = make(ONE_HEAD, 4, &how, 4);
    fit_to(t, &w, world, &whole);
    for (int at = 1; at < 9; at += 3) {
        struct memory_monitor m = {.monitor = {.poll = poll, .save = save, .context = &m}, .stop_at = at};
        struct fit_note note;
        struct trainer *a = make(ONE_HEAD, 4, &how, 4), *b = make(ONE_HEAD, 4, &how, 4);
        a->monitor = b->monitor = &m.monitor;
        CU_ASSERT(trainer_fit(a, &w, world, &note) == CODE_STOPPED);
        trainer_destroy(a);
        m.stop_at = 0;
        fit_to(b, &w, world, &part);
        CU_ASSERT(same(b, &whole, &part));
        outcome_free(&part);
        trainer_destroy(b);
        memory_free(m.state);
    }
    outcome_free(&whole);
    trainer_destroy(t);
    for (int i = 0; i < 5; i++) free_period(&p[i]);
}

/* A rate that blows up is halved once, then the fit is given up with a code. */
static void test_divergence(void)
{
    static const int sizes[] = {50, 31, 67};
    struct period p[3];
    struct window w = make_window(p, 2, sizes);
    struct training how = plain;
    struct outcome o;
    how.rate = 1e30;
    struct trainer *t = make(ONE_HEAD, 4, &how, 2);
    fit_to(t, &w, world, &o);
    CU_ASSERT(o.code == CODE_DIVERGED && o.restarts == 1);
    outcome_free(&o);
    trainer_destroy(t);
    for (int i = 0; i < 3; i++) free_period(&p[i]);
}

/* Training reduces its loss, on the plain path and from a warm start. */
static void test_learns(void)
{
    static const int sizes[] = {90, 80, 70, 60};
    struct period p[4];
    struct window w = make_window(p, 3, sizes);
    struct training how = {.seeds = 1, .epochs = 8, .rate = 2e-3, .policy.warm_start = true};
    for (int kind = 0; kind < KINDS; kind++) {
        struct outcome o, again;
        struct trainer *t = make(kind, 4, &how, 3);
        fit_to(t, &w, world, &o);
        CU_ASSERT(o.loss[7] < (kind == LINEAR_GROUP ? 1 : 0.5) * o.loss[0]); /* that one gives next to nothing at first */
        fit_to(t, &w, world, &again);
        CU_ASSERT(again.loss[0] < o.loss[0]);
        outcome_free(&o), outcome_free(&again);
        trainer_destroy(t);
    }
    for (int i = 0; i < 4; i++) free_period(&p[i]);
}

/* Whether what asset `i` shows moves the output of asset `j`. */
static bool moves(struct network *n, struct period *p, int i, int j, const float *before, float *after)
{
    float *x = (float *)(uintptr_t)p->characteristics + i * D, was = *x;
    *x = 0.4f - was;
    network_forward(n, p, false, after);
    *x = was;
    return before[j] != after[j];
}

/* Assets are moved by those they see and by nobody else, those of unknown label by each other. */
static void test_who_sees_whom(void)
{
    struct period p = make_period(131, D, 1);
    float before[131], after[131];
    for (int kind = TWO_HEADS; kind < KINDS; kind++) {
        const struct portfolio_attention_shape *a = &kinds[kind].attention;
        struct network *n = network_make(make_network(kind, 4));
        network_bind(n, alone);
        network_initialise(n, 3, 20000101);
        network_forward(n, &p, false, before);
        for (int i = 0; i < 131; i += 13)
            for (int j = 0; j < 131; j++) {
                bool sees = a->heads && (a->sees == SEES_ALL ||
                                         (a->sees == SEES_GROUP && p.group[a->column][i] == p.group[a->column][j]));
                CU_ASSERT(moves(n, &p, i, j, before, after) == (sees || i == j));
            }
        network_destroy(n);
    }
    free_period(&p);
}

/* The parameter count of the paper's models and the file form of tensors. */
static void test_tensors(void)
{
    struct network *n = network_make(
        transformer_network(132, 10, 1, 1, 256, (struct portfolio_attention_shape){.heads = 1, .residual = true}));
    CU_ASSERT(network_parameters(n) == 102820 + 132); /* a block, and lambda */
    network_initialise(n, 1, 20000131);
    float *x = memory_array(float, 132 * 256, "test");
    double square = 0;
    tensor_export(n, 2, x);
    for (int i = 0; i < 132 * 256; i++) square += (double)x[i] * (double)x[i];
    CHECK_CLOSE(square / 132, 1, 0.03); /* W1 ~ N(0, 1/d_f) */
    float was = tensor_at(n, n->parameter, 2, 7)[9];
    CU_ASSERT(x[7 * 256 + 9] == was);
    x[7 * 256 + 9] = 3;
    tensor_import(n, 2, x);
    CU_ASSERT(tensor_at(n, n->parameter, 2, 7)[9] == 3);
    network_destroy(n);
    n = network_make(mlp_network(132, 10, 1, 4, (int[]){256, 256, 256, 256}));
    CU_ASSERT(network_parameters(n) == 231681);
    network_destroy(n);
    memory_free(x);
}

/* For tests/cli/networks_torch.sh: a network, a period and the gradient as raw numbers (sizes, X, R, then parameters, gradient, loss). */
static int dump(const char *path, const char *kind)
{
    enum { N = 700, WIDE = 132 };
    FILE *f = fopen(path, "wb");
    struct period p = make_period(N, WIDE, 1);
    struct shape s = {.T = 1, .D = WIDE, .max_assets = N, .shards = 3, .memory = 1 << 20};
    int k = 0;
    while (strcmp(kinds[k].name, kind)) k++;
    struct network *n = k == MLP ? mlp_network(WIDE, N, 3, 2, (int[]){40, 30})
                                 : transformer_network(WIDE, N, 3, 2, kinds[k].feedforward ? 50 : 0, kinds[k].attention);
    struct trainer *t = trainer_create(n, &plain, s.T, s.memory, 1);
    network_initialise(t->net, 3, 20000101);
    double loss = trainer_loss(t, &p, 1, world, true);
    fwrite(p.characteristics, sizeof(float), N * WIDE, f);
    fwrite(p.returns, sizeof(double), N, f);
    fwrite(&loss, sizeof loss, 1, f);
    float *values = memory_array(float, t->net->size, "dump"), *was = t->net->parameter;
    for (int i = 0; i < t->net->tensors; i++)
        for (int which = 0; which < 2; which++) {
            t->net->parameter = which ? t->total : was;
            tensor_export(t->net, i, values);
            fwrite(values, sizeof(float), tensor_size(&t->net->tensor[i]), f);
        }
    t->net->parameter = was;
    memory_free(values);
    trainer_destroy(t);
    free_period(&p);
    return fclose(f) != 0;
}

int main(int argc, char **argv)
{
    world = world_open(&argc, &argv);
    alone = team_split(world, team_rank(world));
    if (argc == 4 && !strcmp(argv[1], "dump")) {
        int failed = dump(argv[2], argv[3]);
        team_close(alone);
        world_close(world);
        return failed;
    }
    static const struct check tests[] = {{"gradients by finite differences", test_gradient},
                                         {"one rank and all, the same bits", test_ranks},
                                         {"kept or recomputed, the same bits", test_budget},
                                         {"stopped and resumed, the same bits", test_resume},
                                         {"divergence is retried, then recorded", test_divergence},
                                         {"training reduces the loss", test_learns},
                                         {"who sees whom", test_who_sees_whom},
                                         {"tensors and their sizes", test_tensors}};
    int status = check_run("networks", tests, sizeof tests / sizeof *tests);
    team_close(alone);
    if (memory_blocks() > 1) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    world_close(world);
    return status;
}
