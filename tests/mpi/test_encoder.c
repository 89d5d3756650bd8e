/* Networks over sequences of assets. RANKS: 1 2 4
 * Gradients of every tensor of every variant against finite differences over ragged histories; what must not matter (the order of
 * assets, masked steps, assets that were not there, ranks, what is kept) does not. tests/cli/encoder_torch.sh compares with PyTorch. */
#include "check.h"
#include "parallel/sharded.h"
#include "sequences.h"

static struct team *world, *alone;

enum { N = 23, L = 7, D = 5, SECTORS = 3, MARKETS = 2, SHARDS = 4, MOST = 30 };

struct variant {
    const char *name;
    struct encoder_shape s;
    int attention; /* of alpha_portfolio */
};
#pragma GCC diagnostic ignored "-Woverride-init" /* what is stated after BASE counts */
#define BASE                                                                                                                \
    .D = D, .max_assets = MOST, .shards = SHARDS, .L = L, .d_model = 12, .heads = 2, .layers = 2, .feedforward = 20,        \
    .kernel = 1, .outputs = 1, .include_self = true, .sector = 0, .market = 1, .sector_labels = SECTORS,                    \
    .market_labels = MARKETS
static const struct variant variants[] = {
    {"none", {BASE, .cross = CROSS_NONE}, 0},
    {"none, causal, three outputs", {BASE, .cross = CROSS_NONE, .temporal = TEMPORAL_CAUSAL, .outputs = 3}, 0},
    {"full, mean", {BASE, .cross = CROSS_FULL, .pool_mean = true}, 0},
    {"full, last, not itself, convolution", {BASE, .cross = CROSS_FULL, .include_self = false, .kernel = 3}, 0},
    {"full, mean, not itself, causal, three outputs",
     {BASE, .cross = CROSS_FULL, .pool_mean = true, .include_self = false, .temporal = TEMPORAL_CAUSAL, .outputs = 3,
      .heads = 3},
     0},
    {"lagged, mean", {BASE, .cross = CROSS_LAGGED, .max_lag = 3, .pool_mean = true}, 0},
    {"lagged, last", {BASE, .cross = CROSS_LAGGED, .max_lag = 3}, 0},
    {"lagged, last, not itself, causal, wide heads",
     {BASE, .cross = CROSS_LAGGED, .max_lag = 2, .include_self = false, .temporal = TEMPORAL_CAUSAL, .d_model = 40},
     0},
    {"lagged, one layer", {BASE, .cross = CROSS_LAGGED, .max_lag = 6, .layers = 1, .pool_mean = true}, 0},
    {"hierarchical, mean", {BASE, .cross = CROSS_HIERARCHICAL, .pool_mean = true}, 0},
    {"hierarchical, last, four heads, not itself, three outputs",
     {BASE, .cross = CROSS_HIERARCHICAL, .heads = 4, .include_self = false, .outputs = 3},
     0},
    {"long, lagged, mean, causal",
     {BASE, .cross = CROSS_LAGGED, .max_lag = 5, .pool_mean = true, .temporal = TEMPORAL_CAUSAL, .L = 150},
     0},
    {"long, full, last", {BASE, .cross = CROSS_FULL, .L = 130, .layers = 3}, 0},
    {"alpha portfolio", {BASE}, 6},
    {"lstm", {BASE, .temporal = TEMPORAL_LSTM, .cross = CROSS_NONE}, 0},
    {"lstm, full, mean, wide", {BASE, .temporal = TEMPORAL_LSTM, .cross = CROSS_FULL, .pool_mean = true, .d_model = 40}, 0},
    {"lstm, lagged, last", {BASE, .temporal = TEMPORAL_LSTM, .cross = CROSS_LAGGED, .max_lag = 3}, 0},
    {"lstm, long, full, last", {BASE, .temporal = TEMPORAL_LSTM, .cross = CROSS_FULL, .L = 150, .layers = 3}, 0},
    {"lstm, alpha portfolio", {BASE, .temporal = TEMPORAL_LSTM}, 6},
    {"gru, convolution", {BASE, .temporal = TEMPORAL_GRU, .cross = CROSS_NONE, .kernel = 3}, 0},
    {"gru, full, last", {BASE, .temporal = TEMPORAL_GRU, .cross = CROSS_FULL, .d_model = 16}, 0},
    {"gru, lagged, mean", {BASE, .temporal = TEMPORAL_GRU, .cross = CROSS_LAGGED, .max_lag = 3, .pool_mean = true}, 0},
    {"gru, alpha portfolio", {BASE, .temporal = TEMPORAL_GRU, .layers = 1}, 6},
    {"no temporal layer, no attention", {BASE, .temporal = TEMPORAL_NONE, .cross = CROSS_NONE}, 0},
    {"no temporal layer, full, mean", {BASE, .temporal = TEMPORAL_NONE, .cross = CROSS_FULL, .pool_mean = true}, 0},
    {"no temporal layer, lagged, last", {BASE, .temporal = TEMPORAL_NONE, .cross = CROSS_LAGGED, .max_lag = 3}, 0},
    {"alpha portfolio, causal, convolution", {BASE, .temporal = TEMPORAL_CAUSAL, .kernel = 3}, 18},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static struct network *network_of(const struct variant *v, size_t memory)
{
    struct encoder_shape s = v->s;
    s.attention_size = v->attention;
    struct network *n = network_make(encoder_network(&s));
    n->memory = memory;
    network_initialise(n, 3, 20000101);
    for (int i = 0; i < n->tensors; i++) /* biases away from zero, scales from one, hidden units from the kink of relu */
        for (int j = 0; n->tensor[i].deviation <= 0 && j < n->tensor[i].rows; j++)
            for (int c = 0; c < n->tensor[i].columns; c++)
                n->parameter[n->tensor[i].at + tensor_index(&n->tensor[i], j, c)] +=
                    !strcmp(n->tensor[i].name, "b1") ? (c % 2 ? 3.f : -3.f) : 0.1f * (float)((7 * c + 3 * j) % 5 - 2);
    return n;
}

/* Ragged: asset 0 has its last step only, asset 1 misses the step before, the others begin late or have holes. */
static bool ragged(int i, int l, int steps)
{
    return i == 0 ? true : i == 1 ? l == steps - 2 : i % 4 == 2 ? l < i % steps : i % 4 == 3 && (i + 2 * l) % 3 == 0;
}

/* Outputs of all assets on every rank. */
static void outputs_of(struct network *n, const struct period *p, struct team *team, bool training, float *y)
{
    network_bind(n, team);
    memset(y, 0, sizeof(float) * (size_t)(p->n * n->outputs));
    network_forward(n, p, training, y + own_first(n, p->n) * n->outputs);
    team_or_bytes(team, (uint8_t *)y, sizeof(float) * (size_t)(p->n * n->outputs));
}

/* The gradient of sum_i slope_i y_i over all shards, on every rank. */
static void gradient_of(struct network *n, const struct period *p, const float *slope, float *total)
{
    int ranks = team_size(n->shards.team);
    int64_t *range = memory_array(int64_t, ranks + 1, "test");
    for (int r = 0; r <= ranks; r++) range[r] = (int64_t)(n->size * (size_t)r / (size_t)ranks);
    struct team_sum *sum =
        team_sum_create(n->shards.team, n->shards.count, n->shards.part_first, n->size / (size_t)ranks + 1);
    struct team_share *share = team_share_create(n->shards.team);
    for (int s = 0; s < n->shards.own; s++) memset(n->gradient[s], 0, sizeof(float) * n->size);
    network_backward(n, p, slope + own_first(n, p->n) * n->outputs);
    memset(total, 0, sizeof(float) * n->size);
    team_sum_begin(sum, range, n->gradient);
    team_sum_finish(sum, total + range[team_rank(n->shards.team)]);
    team_share_begin(share, total, range);
    team_share_finish(share);
    team_sum_destroy(sum), team_share_destroy(share), memory_free(range);
}

static float *slopes(int count)
{
    struct random_stream s = random_open(4, 5, 0, 0);
    float *x = memory_array(float, count, "test");
    random_normals_float(&s, 0, (size_t)count, 1, x);
    return x;
}

static double projected(struct network *n, const struct period *p, const float *slope, bool training, float *y)
{
    double sum = 0;
    outputs_of(n, p, world, training, y);
    for (int i = 0; i < p->n * n->outputs; i++) sum += (double)slope[i] * (double)y[i];
    return sum;
}

/* Along a random direction in one tensor at a time. */
static void check_gradient(const struct variant *v, double dropout)
{
    struct sequence *q = sequence_create(N, v->s.L, D, 1, ragged, SECTORS, MARKETS);
    struct network *n = network_of(v, 0);
    float *slope = slopes(N * n->outputs), *y = memory_array(float, N * n->outputs, "test"),
          *g = memory_array(float, n->size, "test"), *at = memory_array(float, n->size, "test");
    n->dropout.share = dropout;
    bool training = dropout > 0;
    outputs_of(n, &q->period, world, true, y);
    gradient_of(n, &q->period, slope, g);
    memcpy(at, n->parameter, sizeof(float) * n->size);
    for (int i = 0; i < n->tensors; i++) {
        const struct tensor *x = &n->tensor[i];
        double sum = 0, size = 0, side[2], step = 2e-3;
        struct random_stream s = random_open(9, (uint64_t)i, 0, 0);
        for (int way = 0; way < 2; way++) {
            for (int r = 0; r < x->rows; r++)
                for (int c = 0; c < x->columns; c++) {
                    size_t where = x->at + tensor_index(x, r, c);
                    double z = random_normal(&s, (uint64_t)(r * x->columns + c)) / sqrt(x->rows * x->columns);
                    n->parameter[where] = (float)((double)at[where] + (way ? -step : step) * z);
                    if (!way) sum += (double)g[where] * z, size += (double)g[where] * (double)g[where];
                }
            side[way] = projected(n, &q->period, slope, training, y);
        }
        memcpy(n->parameter, at, sizeof(float) * n->size);
        double want = (side[0] - side[1]) / (2 * step), scale = fmax(fabs(want), sqrt(size / (x->rows * x->columns)));
        bool still = strstr(x->name, "key_bias"); /* a softmax does not see what is added to all its scores */
        if (!(fabs(sum - want) < 5e-3 * scale + 1e-3) || !(size > 0 || still))
            fprintf(stderr, "%s, %s: %g against %g, |g| %g\n", v->name, x->name, sum, want, sqrt(size));
        CU_ASSERT(fabs(sum - want) < 5e-3 * scale + 1e-3);
        CU_ASSERT(size > 0 || still);
    }
    for (int k = 0; k < n->tensors; k++) /* nothing leaks into the padding */
        for (int r = 0; r < n->tensor[k].rows; r++)
            for (int c = 0; c < n->tensor[k].columns; c++) g[n->tensor[k].at + tensor_index(&n->tensor[k], r, c)] = 0;
    for (size_t i = 0; i < n->size; i++) CU_ASSERT(g[i] == 0);
    memory_free(slope), memory_free(y), memory_free(g), memory_free(at);
    network_destroy(n);
    sequence_free(q);
}

static void test_gradient(void)
{
    for (int i = 0; i < VARIANTS; i++) check_gradient(&variants[i], 0);
}

static void test_dropout(void)
{
    for (int i = 0; i < VARIANTS; i++) check_gradient(&variants[i], 0.3);
}

/* Outputs and gradient of a period. */
struct outcome {
    float *y, *g;
    int count;
    size_t size;
};
static struct outcome outcome_of(const struct variant *v, const struct period *p, struct team *team, size_t memory,
                                 double dropout)
{
    struct network *n = network_of(v, memory);
    n->dropout.share = dropout;
    struct outcome o = {.count = p->n * n->outputs, .size = n->size};
    float *slope = slopes(o.count);
    o.y = memory_array(float, o.count, "test"), o.g = memory_array(float, n->size, "test");
    outputs_of(n, p, team, true, o.y);
    gradient_of(n, p, slope, o.g);
    memory_free(slope);
    network_destroy(n);
    return o;
}
static void outcome_free(struct outcome *o)
{
    memory_free(o->y), memory_free(o->g);
}
static bool same(const struct outcome *a, const struct outcome *b)
{
    return !memcmp(a->y, b->y, sizeof(float) * (size_t)a->count) && !memcmp(a->g, b->g, sizeof(float) * a->size);
}

static double bytes_of(const struct variant *v, int ranks, bool least)
{
    struct network *n = network_of(v, 0);
    double bytes = network_bytes(n, ranks, least);
    network_destroy(n);
    return bytes;
}

/* One rank with all shards against all ranks with some; everything kept, some of it, nothing: the same bits. */
static void test_bits(void)
{
    static const int sizes[] = {N, 30, 1, 3};
    for (int i = 0; i < VARIANTS; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int dropped = 0; dropped < 2; dropped++) {
                struct sequence *q = sequence_create(sizes[k], variants[i].s.L, D, 2, ragged, SECTORS, MARKETS);
                size_t all = (size_t)bytes_of(&variants[i], 1, false);
                struct outcome a = outcome_of(&variants[i], &q->period, alone, 0, 0.3 * dropped),
                               b = outcome_of(&variants[i], &q->period, world, all, 0.3 * dropped),
                               c = outcome_of(&variants[i], &q->period, alone, all - all / 8, 0.3 * dropped);
                CU_ASSERT(isfinite(a.y[0]) && same(&a, &b) && same(&a, &c));
                outcome_free(&a), outcome_free(&b), outcome_free(&c);
                sequence_free(q);
            }
}

/* What is taken is what was said, with everything kept and with nothing. */
static void test_bytes(void)
{
    for (int i = 0; i < VARIANTS; i++) {
        struct network *n = network_of(&variants[i], 1 << 30);
        size_t before = memory_held(), vectors = n->size * sizeof(float);
        network_bind(n, world);
        double held = (double)(memory_held() - before + 6 * vectors), said = bytes_of(&variants[i], team_size(world), false);
        if (team_size(world) <= SHARDS) CHECK_CLOSE(held / said, 1, 0.02);
        network_bind(n, alone);
        n->memory = 0;
        network_bind(n, world);
        held = (double)(memory_held() - before + 6 * vectors);
        said = bytes_of(&variants[i], team_size(world), true);
        if (team_size(world) <= SHARDS) CHECK_CLOSE(held / said, 1, 0.02);
        network_destroy(n);
    }
}

/* Assets in another order: outputs in that order (to rounding: sums over assets run in another order). */
static void test_permutation(void)
{
    for (int i = 0; i < VARIANTS; i++) {
        int steps = variants[i].s.L;
        struct sequence *q = sequence_create(N, steps, D, 3, ragged, SECTORS, MARKETS),
                        *p = sequence_create(N, steps, D, 3, NULL, 1, 1);
        struct network *n = network_of(&variants[i], 0);
        float *y = memory_array(float, N * n->outputs, "test"), *z = memory_array(float, N * n->outputs, "test");
        for (int a = 0; a < N; a++) {
            int b = (a * 7 + 3) % N;
            for (int l = 0; l < steps; l++) p->at[b * steps + l] = q->at[a * steps + l];
            for (int g = 0; g < 2; g++) p->group[g][b] = q->group[g][a];
        }
        p->history.rows = q->rows;
        outputs_of(n, &q->period, world, false, y);
        outputs_of(n, &p->period, world, false, z);
        for (int a = 0; a < N * n->outputs; a++)
            CHECK_CLOSE((double)z[(a / n->outputs * 7 + 3) % N * n->outputs + a % n->outputs], (double)y[a], 2e-5);
        CU_ASSERT(fabsf(y[0] - y[n->outputs]) > 1e-4f);
        memory_free(y), memory_free(z);
        network_destroy(n);
        sequence_free(q), sequence_free(p);
    }
}

/* The last asset of a period is there at its last step only. */
static bool newcomer(int i, int l, int steps)
{
    return i == N - 1 || ragged(i, l, steps);
}

/* A masked step has no influence: what its row held (NaN here) cannot show, and an asset that was never there before counts at lag 0
 * only. The lagged network with all weight on lag 1 gives the others the same with and without it. */
static void test_absent(void)
{
    for (int i = 0; i < VARIANTS; i++) {
        struct variant v = variants[i];
        if (v.s.cross != CROSS_LAGGED || v.s.layers != 2) continue;
        struct sequence *q = sequence_create(N, v.s.L, D, 4, newcomer, SECTORS, MARKETS);
        struct network *n = network_of(&v, 0);
        float *y = memory_array(float, N, "test"), *z = memory_array(float, N, "test");
        for (int late = 0; late < 2; late++) {
            for (int k = 0; k < 2; k++)
                for (int lag = 0; lag <= v.s.max_lag; lag++)
                    for (int t = 0; t < n->tensors; t++)
                        if (!strcmp(n->tensor[t].name, "lag_logits"))
                            tensor_at(n, n->parameter, t, k)[lag] = lag == late ? 0 : -1e6f;
            q->period.n = N;
            outputs_of(n, &q->period, world, false, y);
            q->period.n = N - 1;
            outputs_of(n, &q->period, world, false, z);
            double most = 0;
            for (int a = 0; a < N - 1; a++) most = fmax(most, fabs((double)(y[a] - z[a])));
            CU_ASSERT(late ? most < 2e-6 : most > 1e-4);
        }
        memory_free(y), memory_free(z);
        network_destroy(n);
        sequence_free(q);
    }
}

/* A step further back that only others have: another asset's history changes mine through attention between assets, never without it;
 * my own masked steps hold NaN (sequences.h), and everything is finite. */
static void test_influence(void)
{
    for (int i = 0; i < VARIANTS; i++) {
        const struct variant *v = &variants[i];
        struct sequence *q = sequence_create(N, v->s.L, D, 5, ragged, SECTORS, MARKETS);
        struct network *n = network_of(v, 0);
        float *y = memory_array(float, N * n->outputs, "test"), *z = memory_array(float, N * n->outputs, "test");
        outputs_of(n, &q->period, world, false, y);
        int l = v->s.L - 2, row = q->at[4 * v->s.L + l];
        CU_ASSERT(row >= 0);
        q->row[l][row * D] += 0.5f;
        outputs_of(n, &q->period, world, false, z);
        bool others = false;
        for (int a = 0; a < N * n->outputs; a++) {
            CU_ASSERT(isfinite(y[a]));
            if (a / n->outputs != 4) others = others || y[a] != z[a];
        }
        bool pools = v->attention || (v->s.cross != CROSS_NONE && v->s.pool_mean) || v->s.cross == CROSS_LAGGED;
        bool sees = pools || v->s.temporal != TEMPORAL_NONE; /* own history */
        CU_ASSERT((y[4 * n->outputs] != z[4 * n->outputs]) == sees);
        CU_ASSERT(others == (v->attention || v->s.cross != CROSS_NONE));
        q->row[v->s.L - 1][4 * D] += 0.5f; /* and what it shows now is heard, too */
        outputs_of(n, &q->period, world, false, y);
        CU_ASSERT(y[4 * n->outputs] != z[4 * n->outputs]);
        memory_free(y), memory_free(z);
        network_destroy(n);
        sequence_free(q);
    }
}

/* What is read of the attention: rows that sum to one, nobody sees itself where that is left out, lag weights, sectors; on every rank
 * the same. */
static void test_reading(void)
{
    for (int i = 0; i < VARIANTS; i++) {
        const struct variant *v = &variants[i];
        struct sequence *q = sequence_create(N, v->s.L, D, 6, v->s.cross == CROSS_LAGGED ? NULL : ragged, SECTORS, MARKETS);
        struct network *n = network_of(v, 0);
        float *y = memory_array(float, N * n->outputs, "test");
        outputs_of(n, &q->period, world, false, y);
        int heads = cross_attention_heads(n);
        CU_ASSERT(heads == (v->attention ? 1 : v->s.cross == CROSS_NONE ? 0 : v->s.heads));
        float *p = memory_array(float, heads *N *N, "test"), *one = memory_array(float, heads *N *N, "test");
        if (heads) {
            cross_attention_read(n, &q->period, p);
            outputs_of(n, &q->period, alone, false, y);
            cross_attention_read(n, &q->period, one);
            CU_ASSERT(!memcmp(p, one, sizeof(float) * (size_t)(heads * N * N)));
        }
        for (int r = 0; r < heads * N; r++) {
            double sum = 0;
            for (int j = 0; j < N; j++) sum += (double)p[r * N + j];
            CHECK_CLOSE(sum, 1, 1e-5);
            CU_ASSERT((p[r * N + r % N] == 0) == (!v->attention && !v->s.include_self));
        }
        if (v->s.cross == CROSS_LAGGED) {
            double s[16], sum = 0;
            cross_attention_lags(n, s);
            for (int lag = 0; lag <= v->s.max_lag; lag++) sum += s[lag];
            CHECK_CLOSE(sum, 1, 1e-12);
        }
        if (v->s.cross == CROSS_HIERARCHICAL) {
            double s[(SECTORS + 1) * (SECTORS + 1)], sum = 0;
            cross_attention_sectors(n, &q->period, s);
            for (int j = 0; j <= SECTORS; j++) sum += s[j];
            CHECK_CLOSE(sum, 1, 1e-6);
            for (int a = 0; a < N; a++) q->group[0][a] = a % 2;
            outputs_of(n, &q->period, world, false, y);
            cross_attention_sectors(n, &q->period, s);
            CHECK_CLOSE(s[0] + s[1], 1, 1e-6);
            CU_ASSERT(isnan(s[2]) && isnan(s[(SECTORS + 1) * 2]) && isnan(s[(SECTORS + 1) * (SECTORS + 1) - 1]));
        }
        memory_free(y), memory_free(p), memory_free(one);
        network_destroy(n);
        sequence_free(q);
    }
}

/* An initial value of every tensor by its rule. */
static void test_initial(void)
{
    struct network *n = network_make(encoder_network(&variants[5].s));
    network_initialise(n, 1, 20000131);
    for (int t = 0; t < n->tensors; t++) {
        float first = tensor_at(n, n->parameter, t, 0)[0];
        if (!strcmp(n->tensor[t].name, "norm_scale")) CU_ASSERT(first == 1);
        if (!strcmp(n->tensor[t].name, "lag_logits") || strstr(n->tensor[t].name, "bias")) CU_ASSERT(first == 0);
    }
    network_destroy(n);
}

/* For tests/cli/encoder_torch.sh: variant i over a period of `assets`, and its derivative along slope, as raw numbers: the shape as
 * ints, characteristics [assets, L, D] (NaN where masked), groups, slope, y, then every tensor's values and
 * gradient, each with its name and sizes. */
static int dump(const char *path, int i, int assets)
{
    FILE *f = i >= 0 && i < VARIANTS ? fopen(path, "wb") : NULL;
    if (!f) return 1;
    struct variant v = variants[i];
    v.s.max_assets = assets;
    struct encoder_shape *s = &v.s;
    struct sequence *q = sequence_create(assets, s->L, D, 8, ragged, SECTORS, MARKETS);
    struct network *n = network_of(&v, 0);
    int count = assets * n->outputs;
    float *slope = slopes(count), *y = memory_array(float, count, "dump"), *g = memory_array(float, n->size, "dump"),
          *values = memory_array(float, n->size, "dump"), *was = n->parameter;
    outputs_of(n, &q->period, world, true, y);
    gradient_of(n, &q->period, slope, g);
    const int32_t shape[] = {assets,          s->L,         D,
                             s->d_model,      s->heads,     s->layers,
                             s->feedforward,  s->kernel,    (int32_t)s->temporal,
                             s->cross,        s->pool_mean, s->max_lag,
                             s->include_self, SECTORS,      MARKETS,
                             n->outputs,      v.attention,  n->tensors};
    fwrite(shape, sizeof shape, 1, f);
    for (int a = 0; a < assets; a++)
        for (int l = 0; l < s->L; l++) {
            int row = q->at[a * s->L + l];
            float none[D];
            for (int c = 0; c < D; c++) none[c] = NAN;
            fwrite(row < 0 ? none : q->row[l] + row * D, sizeof(float), D, f);
        }
    for (int k = 0; k < 2; k++) fwrite(q->group[k], sizeof(int32_t), (size_t)assets, f);
    fwrite(slope, sizeof(float), (size_t)count, f);
    fwrite(y, sizeof(float), (size_t)count, f);
    for (int t = 0; t < n->tensors; t++) {
        const struct tensor *x = &n->tensor[t];
        fwrite(x->name, 1, sizeof x->name, f);
        fwrite(&x->rank, sizeof(int), 1, f);
        fwrite(x->size, sizeof(int), 4, f);
        for (int which = 0; which < 2; which++) {
            n->parameter = which ? g : was;
            tensor_export(n, t, values);
            fwrite(values, sizeof(float), tensor_size(x), f);
        }
    }
    n->parameter = was;
    printf("%s, %d assets\n", v.name, assets);
    memory_free(slope), memory_free(y), memory_free(g), memory_free(values);
    network_destroy(n);
    sequence_free(q);
    return fclose(f) != 0;
}

int main(int argc, char **argv)
{
    world = world_open(&argc, &argv);
    alone = team_split(world, team_rank(world));
    if (argc == 5 && !strcmp(argv[1], "dump")) {
        int failed = dump(argv[2], atoi(argv[3]), atoi(argv[4]));
        team_close(alone);
        world_close(world);
        return failed;
    }
    static const struct check tests[] = {{"gradients by finite differences", test_gradient},
                                         {"gradients under dropout", test_dropout},
                                         {"ranks and memory: the same bits", test_bits},
                                         {"memory is what was said", test_bytes},
                                         {"assets in another order", test_permutation},
                                         {"assets that were not there", test_absent},
                                         {"who can move whom", test_influence},
                                         {"reading attention", test_reading},
                                         {"initial values", test_initial}};
    int status = check_run("encoder", tests, sizeof tests / sizeof *tests);
    team_close(alone);
    if (memory_blocks() > 1) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    world_close(world);
    return status;
}
