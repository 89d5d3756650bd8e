/* The changes that make a placebo of a period: shuffles, signs, other periods, noise, columns left out. */
#include "panel/placebo.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/memory.h"
#include "base/random.h"

enum { DEFAULT_LAG = 12, LONGEST_LAG = 100000 };
static const double MOST_NOISE = 100;
/* "placebo" and its like: no model's streams have these names. */
static const uint64_t STREAM = 0x706c616365626f, SIGNS = 0x7369676e73, PERIODS = 0x706572696f6473, IID = 0x696964,
                      NOISE = 0x6e6f697365;

/* ---- words ----------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *option;
    enum placebo_kind kind;
    const char *words; /* of kinds without a number */
} kinds[] = {
    {"returns", PLACEBO_RETURNS, "returns shuffled within periods"},
    {"signs", PLACEBO_SIGNS, "signs of all returns flipped by period"},
    {"periods", PLACEBO_PERIODS, "whole periods of returns permuted"},
    {"iid", PLACEBO_IID, "iid normal returns of each period's mean and standard deviation"},
    {"characteristics", PLACEBO_CHARACTERISTICS, NULL},
    {"noise", PLACEBO_NOISE, NULL},
    {"without", PLACEBO_WITHOUT, NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* What stands behind the `=` of a kind that takes something; NULL: nothing does. */
static int parse_value(enum placebo_kind kind, const char *value, struct placebo *p)
{
    long long lag = DEFAULT_LAG;
    switch (kind) {
    case PLACEBO_CHARACTERISTICS:
        if (value && !number_whole(value, 1, LONGEST_LAG, &lag)) return -1;
        p->lag = (int)lag;
        return 0;
    case PLACEBO_NOISE: return value && number_real(value, 0, MOST_NOISE, &p->noise) && p->noise > 0 ? 0 : -1;
    case PLACEBO_WITHOUT:
        if (!value || strlen(value) >= sizeof p->without) return -1;
        strcpy(p->without, value);
        return *value && *value != ',' && value[strlen(value) - 1] != ',' && !strstr(value, ",,") ? 0 : -1;
    default: return value ? -1 : 0;
    }
}

int placebo_parse(const char *text, struct placebo *p, struct error *e)
{
    size_t n = strcspn(text, "=");
    for (size_t k = 0; k < KINDS; k++) {
        if (strlen(kinds[k].option) != n || strncmp(text, kinds[k].option, n)) continue;
        *p = (struct placebo){.kind = kinds[k].kind, .seed = p->seed};
        if (!parse_value(p->kind, text[n] ? text + n + 1 : NULL, p)) return 0;
    }
    p->kind = PLACEBO_NONE;
    return error_set(e,
                     "placebo: found '%s'; needed: returns, signs, periods, iid, characteristics, characteristics=K with K "
                     "from 1, noise=X with X above 0 and at most %g, or without=NAME,NAME... (at most %d characters)",
                     text, MOST_NOISE, PLACEBO_NAMES - 1);
}

int placebo_check(const struct placebo *p, int T, int D, char *const *names, struct error *e)
{
    if (p->kind == PLACEBO_CHARACTERISTICS && p->lag >= T)
        return error_set(e,
                         "--placebo: found characteristics of %d periods earlier; needed: fewer than the panel's %d periods",
                         p->lag, T);
    for (const char *at = p->without; *at;) {
        size_t n = strcspn(at, ",");
        int j = 0;
        while (j < D && (strlen(names[j]) != n || strncmp(names[j], at, n))) j++;
        if (j == D)
            return error_set(e,
                             "--placebo: without: found '%.*s'; needed: names of the panel's characteristics (aipm info "
                             "PANEL lists them)",
                             (int)n, at);
        at += n + (at[n] == ',');
    }
    return 0;
}

static int kind_of(const struct placebo *p)
{
    for (int k = 0; k < KINDS; k++)
        if (kinds[k].kind == p->kind) return k;
    return -1;
}

char *placebo_option(const struct placebo *p, char out[PLACEBO_TEXT])
{
    int k = kind_of(p);
    snprintf(out, PLACEBO_TEXT, "%s", k < 0 ? "" : kinds[k].option);
    size_t n = strlen(out);
    if (p->kind == PLACEBO_CHARACTERISTICS) snprintf(out + n, PLACEBO_TEXT - n, "=%d", p->lag);
    if (p->kind == PLACEBO_NOISE) snprintf(out + n, PLACEBO_TEXT - n, "=%.15g", p->noise);
    if (p->kind == PLACEBO_WITHOUT) snprintf(out + n, PLACEBO_TEXT - n, "=%s", p->without);
    return out;
}

char *placebo_words(const struct placebo *p, char out[PLACEBO_TEXT])
{
    int k = kind_of(p);
    snprintf(out, PLACEBO_TEXT, "%s", k < 0 || !kinds[k].words ? "" : kinds[k].words);
    if (p->kind == PLACEBO_CHARACTERISTICS)
        snprintf(out, PLACEBO_TEXT, "characteristics of %d period%s earlier", p->lag, p->lag == 1 ? "" : "s");
    if (p->kind == PLACEBO_NOISE)
        snprintf(out, PLACEBO_TEXT, "characteristics with noise of %g times their spread", p->noise);
    if (p->kind == PLACEBO_WITHOUT) snprintf(out, PLACEBO_TEXT, "without the characteristics %s", p->without);
    return out;
}

bool placebo_empty(const struct placebo *p)
{
    return p->kind != PLACEBO_NOISE && p->kind != PLACEBO_WITHOUT;
}

const char *placebo_sort(const struct placebo *p)
{
    return placebo_empty(p) ? "placebo" : "altered";
}

bool placebo_looks_elsewhere(const struct placebo *p)
{
    return p->kind == PLACEBO_CHARACTERISTICS || p->kind == PLACEBO_PERIODS;
}

/* ---- returns --------------------------------------------------------------------------------------------------------------- */

/* Uniform on 0 .. i to within i / 2^64: 64 bits times i + 1, the upper half. */
static int draw_below(const struct random_stream *s, int i)
{
    uint32_t w[4];
    random_block(s, (uint64_t)i, w);
    uint64_t wide = (uint64_t)w[0] << 32 | w[1], count = (uint64_t)i + 1;
    return (int)(((wide >> 32) * count + ((wide & 0xffffffff) * count >> 32)) >> 32);
}

void placebo_shuffle(const struct placebo *p, int t, int n, double *returns)
{
    struct random_stream s = random_open(p->seed, STREAM, (uint64_t)t, 0);
    for (int i = n - 1; i > 0; i--) {
        int j = draw_below(&s, i);
        double kept = returns[i];
        returns[i] = returns[j];
        returns[j] = kept;
    }
}

void placebo_signs(const struct placebo *p, int t, int n, double *returns)
{
    struct random_stream s = random_open(p->seed, SIGNS, 0, 0);
    if (random_word(&s, (uint64_t)t) >> 31)
        for (int i = 0; i < n; i++) returns[i] = -returns[i];
}

void placebo_iid(const struct placebo *p, int t, int n, double *returns)
{
    struct random_stream s = random_open(p->seed, IID, (uint64_t)t, 0);
    double mean = 0, squares = 0;
    for (int i = 0; i < n; i++) mean += returns[i];
    mean /= n > 0 ? n : 1;
    for (int i = 0; i < n; i++) squares += (returns[i] - mean) * (returns[i] - mean);
    double sd = sqrt(squares / (n > 0 ? n : 1));
    random_normals(&s, 0, (size_t)n, sd, returns);
    for (int i = 0; i < n; i++) returns[i] += mean;
}

void placebo_order(const struct placebo *p, int T, int *order)
{
    struct random_stream s = random_open(p->seed, PERIODS, 0, 0);
    for (int t = 0; t < T; t++) order[t] = t;
    for (int t = T - 1; t > 0; t--) {
        int j = draw_below(&s, t), kept = order[t];
        order[t] = order[j];
        order[j] = kept;
    }
}

void placebo_exchange(int n, const int64_t *ids, double *returns, int m, const int64_t *other_ids, const double *other)
{
    for (int i = 0, j = 0; i < n; i++) {
        while (j < m && other_ids[j] < ids[i]) j++;
        if (j < m && other_ids[j] == ids[i]) returns[i] = other[j];
        else returns[i] = m ? other[(2 * (int64_t)i + 1) * m / (2 * (int64_t)n)] : 0;
    }
}

/* ---- characteristics ------------------------------------------------------------------------------------------------------- */

void placebo_shift(int D, int n, const int64_t *ids, float *characteristics, int m, const int64_t *past_ids,
                   const float *past)
{
    for (int i = 0, j = 0; i < n; i++) {
        float *x = characteristics + (size_t)i * (size_t)D;
        while (j < m && past_ids[j] < ids[i]) j++;
        if (j < m && past_ids[j] == ids[i]) memcpy(x, past + (size_t)j * (size_t)D, sizeof(float) * (size_t)D);
        else memset(x, 0, sizeof(float) * (size_t)D);
    }
}

/* Means and standard deviations (divisor n) of D columns of x [n, D]. */
static void columns(int n, int D, const float *x, double *mean, double *sd)
{
    for (int j = 0; j < D; j++) mean[j] = sd[j] = 0;
    for (size_t i = 0; i < (size_t)n; i++)
        for (int j = 0; j < D; j++) mean[j] += x[i * (size_t)D + (size_t)j];
    for (int j = 0; j < D; j++) mean[j] /= n > 0 ? n : 1;
    for (size_t i = 0; i < (size_t)n; i++)
        for (int j = 0; j < D; j++) {
            double off = x[i * (size_t)D + (size_t)j] - mean[j];
            sd[j] += off * off;
        }
    for (int j = 0; j < D; j++) sd[j] = sqrt(sd[j] / (n > 0 ? n : 1));
}

void placebo_blur(const struct placebo *p, int t, int n, int D, float *characteristics)
{
    struct random_stream s = random_open(p->seed, NOISE, (uint64_t)t, 0);
    double shrink = 1 / sqrt(1 + p->noise * p->noise);
    double *mean = memory_array(double, 3 * (size_t)D, "noise"), *sd = mean + D, *z = sd + D;
    columns(n, D, characteristics, mean, sd);
    for (int i = 0; i < n; i++) {
        float *x = characteristics + (size_t)i * (size_t)D;
        random_normals(&s, (uint64_t)i * (uint64_t)D, (size_t)D, 1, z); /* in twos, which share their work */
        for (int j = 0; j < D; j++) {
            double y = mean[j] + (x[j] - mean[j] + p->noise * sd[j] * z[j]) * shrink;
            x[j] = (float)fmin(0.5, fmax(-0.5, y));
        }
    }
    memory_free(mean);
}

/* Whether `name` is in the list of those left out. */
static bool left_out(const struct placebo *p, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = p->without; n && (at = strstr(at, name)); at++)
        if ((at == p->without || at[-1] == ',') && (!at[n] || at[n] == ',')) return true;
    return false;
}

void placebo_leave_out(const struct placebo *p, int n, int D, char *const *names, float *characteristics)
{
    for (int j = 0; j < D; j++) {
        if (!left_out(p, names[j])) continue;
        for (int i = 0; i < n; i++) characteristics[(size_t)i * (size_t)D + (size_t)j] = 0;
    }
}
