/* For tests/mpi/test_contract.c: panels made to tell promises apart, every class of models with every option turned once, and the engine's
 * own way from a study to the record of a row. */
#ifndef TESTS_CONTRACT_H
#define TESTS_CONTRACT_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "study/fits.h"

enum { WINDOW = 8, PERIODS = 16, PLANTED = 13, MOST_VARIANTS = 1000, TEXT = 512 };
static struct team *world, *alone;
static char folder[64];

/* ---- panels: the base; another future; other ids for the same assets; more assets; hardly any ---- */

enum panel_kind { BASE, FUTURE, ORDER, LARGE, TINY, PANELS };
static const char *const panel_name[PANELS] = {"base", "future", "order", "large", "tiny"};

static int assets_of(enum panel_kind kind, int t)
{
    if (kind == TINY) return t % 5 ? 1 : 0;
    if (kind == LARGE) return 60 - t % 3;
    if (kind == FUTURE && t > PLANTED) return 11;
    return t == 7 ? 0 : t == 9 ? 1 : 14 - t * 5 % 8;
}

/* The id that stands at place i: another order of the same assets is other ids. */
static int64_t id_of(enum panel_kind kind, int i)
{
    return kind == ORDER ? (5 * i + 3) % 17 : i;
}

static void write_rows(struct panel_writer *w, enum panel_kind kind, int D, int t, int64_t at, struct error *e)
{
    int n = assets_of(kind, t), place = 0;
    uint64_t rows = kind == FUTURE && t > PLANTED, earned = kind == FUTURE && t >= PLANTED;
    struct random_stream u = random_open(9, (uint64_t)t, rows, 0), v = random_open(9, (uint64_t)t, 2 + earned, 0);
    float *x = memory_array(float, n *D, "test");
    double *r = memory_array(double, n, "test");
    int64_t *ids = memory_array(int64_t, n, "test");
    int32_t *group[2] = {memory_array(int32_t, n, "test"), memory_array(int32_t, n, "test")};
    int8_t *sizes = memory_array(int8_t, n, "test");
    for (int64_t id = 0; place < n; id++)
        for (int i = 0; i < n; i++) { /* by ascending ids */
            if (id_of(kind, i) != id) continue;
            for (int d = 0; d < D; d++) x[place * D + d] = (float)(random_uniform(&u, (uint64_t)(i * D + d)) - 0.5);
            r[place] = 0.1 * random_normal(&v, (uint64_t)i) + 0.1 * (double)x[place * D];
            group[0][place] = i % 3 - 1;
            group[1][place] = i % 2;
            sizes[place] = (int8_t)(i % 4 - 1);
            ids[place++] = id;
        }
    panel_write_rows(w, at, n, x, r, ids, sizes, group, e);
    memory_free(x), memory_free(r), memory_free(ids), memory_free(group[0]), memory_free(group[1]), memory_free(sizes);
}

static char *panel_path(enum panel_kind kind)
{
    static char path[PANELS][128];
    snprintf(path[kind], sizeof path[kind], "%s/%s.h5", folder, panel_name[kind]);
    return path[kind];
}

static void write_panel(enum panel_kind kind)
{
    static char *names[] = {"a", "b", "c", "d", "e", "f"}, *labels[] = {"x", "y"}, *factors[] = {"f", "g"};
    struct error e = {""};
    int64_t dates[PERIODS], offsets[PERIODS + 1] = {0};
    double returns[2 * PERIODS];
    struct benchmark benchmark = {.name = "model", .k = 2, .factor_names = factors, .returns = returns};
    struct panel_meta m = {.T = PERIODS,
                           .D = kind == TINY    ? 1
                                : kind == LARGE ? 6
                                                : 4,
                           .periods_per_year = 12,
                           .frequency = "monthly",
                           .characteristic_names = names,
                           .dates = dates,
                           .offsets = offsets,
                           .has_size_groups = true,
                           .G = 2,
                           .group_names = {"market", "sector"},
                           .labels = {2, 2},
                           .label_names = {labels, labels},
                           .benchmarks = 1,
                           .benchmark = &benchmark};
    for (int t = 0; t < PERIODS; t++) {
        struct random_stream s = random_open(11, (uint64_t)t, kind == FUTURE && t >= PLANTED, 0);
        dates[t] = (2000 + t / 12) * 10000 + (t % 12 + 1) * 100 + 28;
        offsets[t + 1] = offsets[t] + assets_of(kind, t);
        for (int k = 0; k < 2; k++) returns[2 * t + k] = 0.05 * random_normal(&s, (uint64_t)k) + 0.01;
    }
    m.rows = offsets[PERIODS];
    struct panel_writer *w = panel_write_begin(panel_path(kind), NULL, &m, &e);
    for (int t = 0; t < PERIODS && w; t++) write_rows(w, kind, m.D, t, offsets[t], &e);
    if (w) panel_write_end(w, &e);
    if (error_is_set(&e)) die("%s", e.text);
}

/* ---- variants of a class ---- */

/* Under a sanitiser, which makes fits many times slower, numbers are left as they are. */
#if defined(__SANITIZE_ADDRESS__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

struct variant {
    const struct model_class *class;
    const struct model_option *transposed; /* the option that has another value; NULL: none */
    char options[TEXT];
};
static struct variant variant[MOST_VARIANTS];
static int variants;

/* Where in its range a number stands in for the default. */
enum place { SMALL, OTHER, LOW, HIGH };

static bool number_at(const struct model_option *o, enum place place, char *out, size_t size)
{
    double x = o->fallback ? atof(o->fallback + (*o->fallback == '[')) : 0, most = o->type == OPTION_REAL ? 0.5 : 2;
    if (place == SMALL) x = x > 8 && o->type != OPTION_REAL ? fmax(o->low, 8) : x;
    else x = place == LOW ? o->low : place == HIGH ? o->high : fmax(o->low, most);
    snprintf(out, size, o->type == OPTION_INTS ? "[%.15g]" : "%.15g", x);
    return strcmp(out, o->fallback ? o->fallback : "") != 0;
}

/* The class's options made small, the one called `key` (NULL: none) set to `text`. */
static void options_with(const struct model_class *class, const char *key, const char *text, char *out)
{
    size_t at = 0;
    out[0] = '\0';
    for (const struct model_option *o = class->options; o->key; o++) {
        char value[64] = "";
        bool numeric = o->type == OPTION_INT || o->type == OPTION_INTS;
        if (key && !strcmp(o->key, key)) snprintf(value, sizeof value, "%s", text);
        else if (!numeric || !o->fallback || !strcmp(o->fallback, "[]") || !number_at(o, SMALL, value, sizeof value))
            continue;
        at += (size_t)snprintf(out + at, TEXT - at, ", %s: %s", o->key, value);
    }
}

static void add(const struct model_class *class, const struct model_option *o, const char *text)
{
    if (variants == MOST_VARIANTS) die("more variants than %d", MOST_VARIANTS);
    variant[variants].class = class;
    variant[variants].transposed = o;
    options_with(class, o ? o->key : NULL, text, variant[variants++].options);
}

static void add_option(const struct model_class *class, const struct model_option *o)
{
    char text[64];
    if (o->type == OPTION_BOOL) add(class, o, strcmp(o->fallback ? o->fallback : "", "true") ? "true" : "false");
    else if (o->type != OPTION_WORD) {
        if (!SLOW && number_at(o, OTHER, text, sizeof text)) add(class, o, text);
    } else
        for (const char *w = o->words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL) {
            snprintf(text, sizeof text, "%.*s", (int)strcspn(w, "|"), w);
            if (!o->fallback || strcmp(text, o->fallback)) add(class, o, text);
        }
}

static void find_variants(void)
{
    for (const struct model_class *const *c = model_classes(); *c; c++) {
        add(*c, NULL, NULL);
        for (const struct model_option *o = (*c)->options; o->key; o++) add_option(*c, o);
    }
}

/* ---- a variant over a panel ---- */

struct setup {
    struct study study;
    struct panel_meta meta;
    struct moment_pass pass;
    struct fit_job job;
    const struct config *config;
};

/* 0, or -1 where the study is refused: with what is needed, or the test fails. */
static int bind(struct setup *u, const struct model_class *class, const char *options, enum panel_kind kind, int window)
{
    char text[TEXT + 256];
    struct error e = {""};
    *u = (struct setup){0};
    snprintf(text, sizeof text,
             "window: %d\nshards: 4\nsave_weights: true\nridge: {from: -3, to: 1}\nmodels: [{name: model, kind: %s%s}]\n",
             window, class->name, options);
    CU_ASSERT_FATAL(!panel_load_meta(panel_path(kind), NULL, &u->meta, &e));
    if (study_parse("contract", text, &u->study, &e)) {
        CU_ASSERT(strstr(e.text, "needed") != NULL);
        if (!strstr(e.text, "needed")) fprintf(stderr, "%s%s: %s\n", class->name, options, e.text);
        panel_meta_free(&u->meta);
        return -1;
    }
    if (study_bind(&u->study, &u->meta, &e)) {
        CU_ASSERT(strstr(e.text, "needed") != NULL);
        if (!strstr(e.text, "needed")) fprintf(stderr, "%s%s: %s\n", class->name, options, e.text);
        study_free(&u->study);
        panel_meta_free(&u->meta);
        return -1;
    }
    u->config = &u->study.config[0];
    return 0;
}

static void release(struct setup *u)
{
    moment_pass_free(&u->pass);
    study_free(&u->study);
    panel_meta_free(&u->meta);
}

static int open_setup(struct setup *u, const struct variant *v, enum panel_kind kind, int window)
{
    struct error e = {""};
    struct moment_pass_cost cost;
    if (bind(u, v->class, v->options, kind, window)) return -1;
    CU_ASSERT_FATAL(
        !moment_pass_probe(&u->study, &u->meta, panel_path(kind), 0, PERIODS, cuts_longest(&u->study), &u->pass, &cost, &e));
    u->job = (struct fit_job){.world = world,
                              .study = &u->study,
                              .meta = &u->meta,
                              .panel = panel_path(kind),
                              .pass = &u->pass,
                              .folder = folder,
                              .checkpoint_seconds = 1e9,
                              .log = "/dev/null"};
    return 0;
}

/* What came of a row, as numbers: the record, then the portfolio where there is one, else the positions of the first variant. */
struct outcome {
    int code, record, n;
    int64_t ids[256];
    double value[1024];
};

static void take(struct fit_context *x, struct outcome *o)
{
    const struct config *c = x->config;
    o->code = x->code;
    o->record = (int)layout_record(&c->layout);
    o->n = context_weighs(x) ? x->now.n : x->code ? 0 : c->shape.benchmark->k;
    CU_ASSERT_FATAL(o->record + o->n <= 1024 && o->n <= 256);
    memcpy(o->value, x->record, sizeof(double) * (size_t)o->record);
    for (int i = 0; i < o->n; i++) {
        o->value[o->record + i] = context_weighs(x) ? (double)x->weights[i] : x->positions[i];
        o->ids[i] = context_weighs(x) ? x->now.ids[i] : i;
    }
}

/* The row that trades at panel period `now`, by a team; the outcome is on its leader. */
static void compute(struct setup *u, struct team *team, int now, struct outcome *o)
{
    struct error e = {""};
    struct fit_context x = {.job = &u->job, .team = team};
    *o = (struct outcome){0};
    CU_ASSERT_FATAL(!context_take(&x, u->config, 0, &e));
    CU_ASSERT_EQUAL(context_compute(&x, now - u->study.min_window, &e), 0);
    CU_ASSERT_STRING_EQUAL(e.text, "");
    if (team_rank(team) == 0) take(&x, o);
    context_leave(&x);
}

static void blame(const struct variant *v, const char *what, bool good)
{
    if (!good) fprintf(stderr, "%s%s: %s\n", v->class->name, v->options, what);
    CU_ASSERT(good);
}

/* Promises that one rank can hold a class to alone are shared out. */
static bool mine(int i)
{
    return i % team_size(world) == team_rank(world);
}

static bool turns_a_real(const struct variant *v)
{
    return v->transposed && v->transposed->type == OPTION_REAL;
}

#endif
