/* Latents between their anchors, the assets that live in each period, and the characteristics mixed from latents. */
#include "panel/latent.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "panel/panel.h"
#include "panel/rank.h"

/* JKP's themes; how many months a latent of the theme needs from one anchor to the next. */
static const struct {
    const char *name;
    int months;
} themes[LATENT_THEMES] = {
    {"value", 36},         {"momentum", 9},       {"size", 96},         {"investment", 24}, {"quality", 36},
    {"reversal", 1},       {"profitability", 24}, {"low_risk", 12},     {"accruals", 18},   {"seasonality", 2},
    {"debt_issuance", 18}, {"profit_growth", 15}, {"low_leverage", 48},
};
enum { SIZE_THEME = 2, STATE_MONTHS = 4 };
/* Shares of a characteristic's variance: its theme's latent, its own latent, noise of the month. */
static const double theme_variance = 0.3, own_variance = 0.6, noise_variance = 0.1;

/* ---- who is there ------------------------------------------------------------------------------------------------------ */

/* The asset in a slot: listed over [from, to), the next one enters at `next`. */
struct life {
    int32_t generation, from, to, next;
};

enum { SHORTEST = 12, MEAN_MORE = 108, LONGEST_GAP = 3, GENERATION_BITS = 20, TIME_BITS = 20 };

static int draw_length(const struct random_stream *s, uint64_t index)
{
    double more = -MEAN_MORE * log(random_uniform(s, index));
    return SHORTEST + (int)fmin(more, 1e6);
}

/* In a slot, lives follow one another with gaps of 0 to LONGEST_GAP months. The first began before the panel does. */
static void life_first(const struct latent *l, int slot, struct life *life)
{
    struct random_stream s = random_open(l->seed, STREAM_LIFE, (uint64_t)slot, 0);
    int length = draw_length(&s, 0), from = -(int)(random_uniform(&s, 2) * length);
    *life = (struct life){
        .from = from, .to = from + length, .next = from + length + (int)(random_uniform(&s, 1) * (LONGEST_GAP + 1))};
}

static void life_next(const struct latent *l, int slot, struct life *life)
{
    struct random_stream s = random_open(l->seed, STREAM_LIFE, (uint64_t)slot, 0);
    uint64_t at = 4 * (uint64_t)++life->generation;
    life->from = life->next;
    life->to = life->from + draw_length(&s, at);
    life->next = life->to + (int)(random_uniform(&s, at + 1) * (LONGEST_GAP + 1));
}

static void count_assets(struct latent *l)
{
    for (int slot = 0; slot < l->N; slot++)
        for (struct life a = l->life[slot]; a.from < l->T; life_next(l, slot, &a))
            for (int t = a.from > 0 ? a.from : 0; t < a.to && t < l->T; t++) l->count[t]++;
}

int latent_move(struct latent *l, int t)
{
    l->n = 0;
    for (int slot = 0; slot < l->N; slot++) {
        struct life *a = &l->life[slot];
        if (t < l->period) life_first(l, slot, a);
        while (t >= a->next) life_next(l, slot, a);
        if (t < a->to) l->asset[l->n++] = (uint64_t)slot << GENERATION_BITS | (uint64_t)a->generation;
    }
    l->period = t;
    require(l->n == l->count[t]);
    return l->n;
}

int64_t latent_id(uint64_t asset)
{
    uint64_t generation = asset & ((1u << GENERATION_BITS) - 1);
    return (int64_t)(10000 + (asset >> GENERATION_BITS) * 1000 + generation);
}

/* ---- latents ----------------------------------------------------------------------------------------------------------- */

/* Where a clock with a period of so many months stands at t: between anchors k and k+1, with these weights. */
struct clock {
    uint64_t k;
    double now, next;
};

static struct clock clock_at(const struct latent *l, int t, int months, uint64_t which)
{
    struct random_stream s = random_open(l->seed, STREAM_PHASE, which, 0);
    double u = (double)t / months + (months > 1 ? random_uniform(&s, 0) : 0), k = floor(u), a = 1.5707963267948966 * (u - k);
    return (struct clock){(uint64_t)k, cos(a), sin(a)};
}

/* A draw of mean 0 and variance 1: uniform, since characteristics end as ranks. */
static const float unit = 3.4641016151377544f * 0x1p-32f;
static inline float draw_of(uint32_t word)
{
    return (float)(int32_t)word * unit;
}

double latent_state(const struct latent *l, int t)
{
    struct clock c = clock_at(l, t, STATE_MONTHS, 1000000);
    struct random_stream s = random_open(l->seed, STREAM_STATE, 0, 0);
    double g = c.now * draw_of(random_word(&s, 4 * c.k)) + c.next * draw_of(random_word(&s, 4 * (c.k + 1)));
    return 0.98 * g / sqrt(0.1 + g * g); /* most of the time near one end or the other */
}

/* Four draws for each asset present at k of a stream: [4, n]. */
static const uint32_t *draw(struct latent *l, int which, uint64_t stream, uint64_t of, uint64_t k)
{
    struct random_stream s = random_open(l->seed, stream, of, 0);
    for (int i = 0; i < l->n; i++) l->index[i] = l->asset[i] << TIME_BITS | k;
    random_blocks(&s, (size_t)l->n, l->index, l->words[which]);
    return l->words[which];
}

static void make_themes(struct latent *l)
{
    for (int m = 0; m < LATENT_THEMES; m++) {
        struct clock c = clock_at(l, l->period, themes[m].months, (uint64_t)m);
        float now = (float)c.now, next = (float)c.next, *out = l->theme + (size_t)m * l->N;
        const uint32_t *a = draw(l, 0, STREAM_THEME, (uint64_t)m, c.k), *b = draw(l, 1, STREAM_THEME, (uint64_t)m, c.k + 1);
        for (int i = 0; i < l->n; i++) out[i] = now * draw_of(a[i]) + next * draw_of(b[i]);
    }
}

/* Theme m's characteristics among first .. last - 1, before ranking. */
static void make_theme_members(struct latent *l, int m, int first, int last)
{
    struct clock c = clock_at(l, l->period, themes[m].months, (uint64_t)(LATENT_THEMES + m));
    uint64_t of = (uint64_t)(first + m);
    const uint32_t *a = draw(l, 0, STREAM_OWN, of, c.k), *b = draw(l, 1, STREAM_OWN, of, c.k + 1);
    const uint32_t *e = draw(l, 2, STREAM_NOISE, of, (uint64_t)l->period);
    const float *theme = l->theme + (size_t)m * l->N;
    float now = (float)(sqrt(own_variance) * c.now), next = (float)(sqrt(own_variance) * c.next),
          noise = (float)sqrt(noise_variance);
    for (int w = 0; w < LATENT_WORDS; w++) {
        int d = first + w * LATENT_THEMES + m, n = l->n;
        if (d >= last) return;
        float common = (float)sqrt(theme_variance), *out = l->value + (size_t)(d - first) * l->N;
        if (w % 2) common = -common; /* some measures of a theme move against the others */
        for (int i = 0; i < n; i++)
            out[i] = common * theme[i] + now * draw_of(a[w * n + i]) + next * draw_of(b[w * n + i]) +
                     noise * draw_of(e[w * n + i]);
    }
}

/* Size groups that persist, cut by the size theme's latent so that each is as common as among US stocks without nano ones. */
static void make_size_groups(struct latent *l, int8_t *out)
{
    static const float micro = -0.10f, small = 0.17f, large = 0.38f;
    float *rank = l->value;
    for (int i = 0; i < l->n; i++) l->column[i] = l->theme[(size_t)SIZE_THEME * l->N + i];
    rank_column(l->n, l->column, 1, rank, 1, l->ranking);
    for (int i = 0; i < l->n; i++)
        out[i] = rank[i] < micro ? SIZE_MICRO : rank[i] < small ? SIZE_SMALL : rank[i] < large ? SIZE_LARGE : SIZE_MEGA;
}

/* Characteristic d = first + at into column, the second of a pair tied to the first by the state; then its ranks. */
static void rank_characteristic(struct latent *l, int first, int at, double state, float *out)
{
    int d = first + at;
    const float *z = l->value + (size_t)at * l->N;
    if (d % 2 && d < 2 * latent_pairs(l->D)) {
        float tie = (float)state, own = (float)sqrt(1 - state * state);
        for (int i = 0; i < l->n; i++) l->column[i] = tie * z[i - l->N] + own * z[i];
    } else {
        for (int i = 0; i < l->n; i++) l->column[i] = z[i];
    }
    rank_column(l->n, l->column, 1, out + d, (size_t)l->D, l->ranking);
}

void latent_characteristics(struct latent *l, float *out, int8_t *size_groups)
{
    double state = latent_state(l, l->period);
    make_themes(l);
    make_size_groups(l, size_groups);
    for (int first = 0; first < l->D; first += LATENT_GROUP) {
        int last = l->D - first < LATENT_GROUP ? l->D : first + LATENT_GROUP;
        for (int m = 0; m < LATENT_THEMES && first + m < last; m++) make_theme_members(l, m, first, last);
        for (int at = 0; at < last - first; at++) rank_characteristic(l, first, at, state, out);
    }
}

char *latent_name(int d, char *out)
{
    snprintf(out, 64, "%s_%d", themes[d % LATENT_THEMES].name, d / LATENT_THEMES + 1);
    return out;
}

void latent_create(struct latent *l, int N, int D, int T, uint64_t seed)
{
    *l = (struct latent){.N = N, .D = D, .T = T, .seed = seed};
    l->life = memory_array(struct life, N, "lives of synthetic assets");
    l->count = memory_array(int, T, "synthetic assets by period");
    l->asset = memory_array(uint64_t, N, "synthetic assets");
    l->index = memory_array(uint64_t, N, "places in a stream");
    for (int w = 0; w < 3; w++) l->words[w] = memory_array(uint32_t, (size_t)LATENT_WORDS * N, "random words");
    l->theme = memory_array(float, (size_t)LATENT_THEMES *N, "latents of themes");
    l->value = memory_array(float, (size_t)(D < LATENT_GROUP ? D : LATENT_GROUP) * N, "latents of characteristics");
    l->column = memory_array(double, N, "latent");
    l->ranking = memory_allocate(rank_workspace(N), 1, "ranking workspace");
    for (int slot = 0; slot < N; slot++) life_first(l, slot, &l->life[slot]);
    count_assets(l);
}

void latent_destroy(struct latent *l)
{
    memory_free_all(l->life, l->count, l->asset, l->index);
    for (int w = 0; w < 3; w++) memory_free(l->words[w]);
    memory_free_all(l->theme, l->value, l->column, l->ranking);
}
