/* The attention at one date, found by running the saved network forward over the panel's rows, and its tables. */
#include "report/attention_links.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/panel_file.h"
#include "io/parameters_file.h"
#include "nn/network.h"
#include "study/study.h"

/* Keep the strongest links in order. */
static void offer(struct attention *a, struct attention_link l)
{
    int at = a->links - 1;
    if (!(l.weight > a->link[at].weight)) return;
    for (; at > 0 && l.weight > a->link[at - 1].weight; at--) a->link[at] = a->link[at - 1];
    a->link[at] = l;
}

static void read_row(struct attention *a, int i, const float *row)
{
    struct attention_link best = {i, -1, -1};
    for (int j = 0; j < a->n; j++) {
        double p = (double)row[j];
        if (p > 0) a->entropy[i] -= p * log(p);
        if (j == i) {
            a->self[i] = p;
            continue;
        }
        a->received[j] += p;
        if (row[j] > best.weight) best = (struct attention_link){i, j, row[j]};
        offer(a, (struct attention_link){i, j, row[j]});
    }
    a->strongest[i] = best;
}

/* Hands every row of the attention matrix to `take`, in order; TILE rows are computed at a time. */
static void pass_rows(struct attention *a, const struct explanation *x, struct network *n, const struct period *p,
                      const struct attention_options *o, void (*take)(struct attention *, int, const float *))
{
    size_t N = (size_t)p->n;
    float *rows = memory_array(float, TILE *N, "attention"), *scratch = memory_array(float, TILE *N, "attention");
    for (int at = 0; at < p->n; at += TILE) {
        int count = p->n - at < TILE ? p->n - at : TILE;
        x->attention(n, p, o->block - 1, o->head - 1, at, count, rows, scratch);
        for (int i = 0; i < count; i++) take(a, at + i, rows + (size_t)i * N);
    }
    memory_free(rows);
    memory_free(scratch);
}

static const double *sort_key;
static int by_key(const void *a, const void *b)
{
    int i = *(const int *)a, j = *(const int *)b;
    return sort_key[i] != sort_key[j] ? (sort_key[i] < sort_key[j] ? 1 : -1) : (i > j) - (i < j);
}

/* Assets by descending key (memory_free). */
static int *ordered(int n, const double *key)
{
    int *order = memory_array(int, n, "order");
    for (int i = 0; i < n; i++) order[i] = i;
    sort_key = key;
    qsort(order, (size_t)n, sizeof *order, by_key);
    return order;
}

/* What row i gives the leaders; map is [n, leaders] for now. */
static void read_leaders(struct attention *a, int i, const float *row)
{
    for (int k = 0; k < a->leaders; k++)
        a->map[(size_t)i * (size_t)a->leaders + (size_t)k] = a->leader[k] == i ? NAN : row[a->leader[k]];
}

/* The assets that receive most, and those that give them most. */
static void read_map(struct attention *a, const struct explanation *x, struct network *n, const struct period *p,
                     const struct attention_options *o)
{
    a->leaders = a->followers = a->n < o->leaders ? a->n : o->leaders;
    size_t width = (size_t)a->leaders;
    a->leader = ordered(a->n, a->received);
    a->map = memory_array(float, (size_t)a->n *width, "attention map");
    pass_rows(a, x, n, p, o, read_leaders);
    double *given = memory_array(double, a->n, "attention map");
    for (int i = 0; i < a->n; i++)
        for (size_t k = 0; k < width; k++) {
            float w = a->map[(size_t)i * width + k];
            if (isfinite(w)) given[i] += (double)w;
        }
    a->follower = ordered(a->n, given);
    float *map = memory_array(float, width *width, "attention map");
    for (size_t i = 0; i < width; i++) memcpy(map + i * width, a->map + (size_t)a->follower[i] * width, width * sizeof *map);
    memory_free(a->map);
    memory_free(given);
    a->map = map;
}

static void take(struct attention *a, const struct explanation *x, struct network *n, const struct period *p,
                 const struct attention_options *o)
{
    long most = (long)p->n * (p->n - 1);
    a->n = p->n;
    a->links = o->links < most ? o->links : (int)(most > 1 ? most : 1);
    a->ids = memory_array(int64_t, p->n, "assets");
    memcpy(a->ids, p->ids, sizeof *a->ids * (size_t)p->n);
    a->link = memory_array(struct attention_link, a->links, "links");
    a->strongest = memory_array(struct attention_link, p->n, "links");
    a->entropy = memory_array(double, p->n, "attention");
    a->self = memory_array(double, p->n, "attention");
    a->received = memory_array(double, p->n, "attention");
    pass_rows(a, x, n, p, o, read_row);
    if (o->leaders) read_map(a, x, n, p, o);
}

void attention_free(struct attention *a)
{
    memory_free_all(a->universe, a->model, a->ids, a->link, a->strongest, a->entropy, a->self, a->received, a->leader,
                    a->follower, a->map);
    *a = (struct attention){0};
}

struct table *attention_links(const struct attention *a)
{
    struct table *t = table_create("links", "Strongest attention links");
    table_columns(t, {"asset", NULL, TABLE_COUNT, 0}, {"attends_to", NULL, TABLE_COUNT, 0}, {"weight", NULL, TABLE_REAL, 4});
    for (int i = 0; i < a->links && a->link[i].weight > 0; i++) {
        table_row(t);
        table_set(t, "asset", (double)a->ids[a->link[i].from]);
        table_set(t, "attends_to", (double)a->ids[a->link[i].to]);
        table_set(t, "weight", (double)a->link[i].weight);
    }
    return t;
}

struct table *attention_assets(const struct attention *a)
{
    struct table *t = table_create("assets", "Leaders and followers");
    int *order = ordered(a->n, a->received);
    table_columns(t, {"asset", NULL, TABLE_COUNT, 0}, {"received", NULL, TABLE_REAL, 3}, {"given", NULL, TABLE_REAL, 3},
                  {"self", NULL, TABLE_REAL, 3}, {"entropy", NULL, TABLE_REAL, 3}, {"strongest", NULL, TABLE_COUNT, 0},
                  {"strongest_weight", NULL, TABLE_REAL, 4});
    for (int k = 0; k < a->n; k++) {
        int i = order[k];
        table_row(t);
        table_set(t, "asset", (double)a->ids[i]);
        table_set(t, "received", a->received[i]);
        table_set(t, "given", 1 - a->self[i]);
        table_set(t, "self", a->self[i]);
        table_set(t, "entropy", a->entropy[i]);
        if (a->strongest[i].to < 0) continue;
        table_set(t, "strongest", (double)a->ids[a->strongest[i].to]);
        table_set(t, "strongest_weight", (double)a->strongest[i].weight);
    }
    table_note(t, "entropy in nats: log of the number of assets if attention is even, 0 if all on one");
    memory_free(order);
    return t;
}

struct table *attention_map(const struct attention *a)
{
    struct table *t = table_create("map", "Attention of followers to leaders");
    table_columns(t, {"follower", NULL, TABLE_COUNT, 0}, {"leader", NULL, TABLE_COUNT, 0}, {"weight", NULL, TABLE_REAL, 4},
                  {"times_even", NULL, TABLE_REAL, 2});
    for (int i = 0; i < a->followers; i++)
        for (int k = 0; k < a->leaders; k++) {
            double w = (double)a->map[(size_t)i * (size_t)a->leaders + (size_t)k];
            table_row(t);
            table_set(t, "follower", (double)a->ids[a->follower[i]]);
            table_set(t, "leader", (double)a->ids[a->leader[k]]);
            table_set(t, "weight", w);
            table_set(t, "times_even", w * a->n);
        }
    return t;
}

/* How a class's attention follows from its parameters; NULL: it does not. */
static const struct explanation *from_parameters_of(const struct model_class *c)
{
    return c && c->explain && c->explain->attention ? c->explain : NULL;
}

bool attention_possible(const struct result_model *m)
{
    return from_parameters_of(model_class_find(m->kind)) != NULL;
}

/* The configuration asked for: by name, or the first whose attention follows from parameters. */
static const struct config *find_config(const struct study *s, const struct results *r, const struct attention_options *o,
                                        struct error *e)
{
    for (int i = 0; i < s->configs; i++) {
        const struct config *c = &s->config[i];
        if (!from_parameters_of(c->class) || (o->model && strcmp(c->name, o->model)) ||
            (o->universe && strcmp(c->universe->name, o->universe)))
            continue;
        return c;
    }
    error_set(e, "%s: no transformer%s%s%s%s; needed: one of the study's (what sequence models attend to: aipm report)",
              r->path, o->model ? " named " : "", o->model ? o->model : "", o->universe ? " in universe " : "",
              o->universe ? o->universe : "");
    return NULL;
}

/* Rows of the universe at period t, as a model sees them. */
static void select_rows(const struct universe *u, const struct rows *r, const struct panel_meta *m, int64_t date,
                        struct period *p)
{
    float *x = memory_array(float, (size_t)r->n *(size_t)m->D, "rows of a universe");
    int64_t *ids = memory_array(int64_t, r->n, "rows of a universe");
    int32_t *group[PANEL_COLUMNS_OF_LABELS] = {NULL};
    for (int g = 0; g < PANEL_COLUMNS_OF_LABELS; g++)
        if (panel_labels(m, g)) group[g] = memory_array(int32_t, r->n, "rows of a universe");
    int n = universe_gather(u, r, m->D, x, NULL, ids, group);
    *p = (struct period){.date = date, .n = n, .scale = 1, .characteristics = x, .ids = ids};
    for (int g = 0; g < PANEL_COLUMNS_OF_LABELS; g++) p->group[g] = group[g];
}

static void free_rows(struct period *p)
{
    memory_free((void *)(uintptr_t)p->characteristics);
    memory_free((void *)(uintptr_t)p->ids);
    for (int g = 0; g < PANEL_COLUMNS_OF_LABELS; g++) memory_free((void *)(uintptr_t)p->group[g]);
}

static char *folder_of(const struct results *r, const char *universe, const char *model, int seed)
{
    char saved[4096];
    snprintf(saved, sizeof saved, "%.4000s.parameters", r->path);
    return parameters_folder(saved, universe, model, seed);
}

bool attention_saved(const struct results *r, const struct result_model *m, int seed)
{
    char *folder = folder_of(r, m->universe, m->name, seed);
    bool there = access(folder, F_OK) == 0;
    memory_free(folder);
    return there;
}

static void from_parameters(const struct results *r, const struct attention_options *o, const struct config *c,
                            struct team *alone, const struct period *p, struct attention *a, struct error *e)
{
    const struct explanation *x = from_parameters_of(c->class);
    struct model *m = c->class->create(&c->shape, 0, &c->values);
    struct network *n = c->class->trainable->network(m);
    char *folder = folder_of(r, c->universe->name, c->name, o->seed);
    if (!x->blocks(n)) a->n = 0; /* nothing to read */
    else if (o->block > x->blocks(n))
        error_set(e, "--block: found %d; needed: 1 to %d, the blocks of %s", o->block, x->blocks(n), c->name);
    else if (o->head > x->heads(n))
        error_set(e, "--head: found %d; needed: 1 to %d, the heads of %s", o->head, x->heads(n), c->name);
    else if (p->n == 0)
        error_set(e, "%s has no assets on %lld; needed: a date with some", c->universe->name, (long long)p->date);
    else if (!parameters_load(folder, p->date, n, &a->fitted, e)) {
        float *w = memory_array(float, p->n, "weights");
        a->date = p->date;
        a->universe = memory_text(c->universe->name);
        a->model = memory_text(c->name);
        network_bind(n, alone);
        network_forward(n, p, false, w);
        take(a, x, n, p, o);
        memory_free(w);
    }
    memory_free(folder);
    c->class->destroy(m);
}

/* The rows of the date, through the placebo of the results if they are one's. */
static void from_panel(const struct results *r, const struct attention_options *o, struct study *s, struct panel_meta *m,
                       const char *path, struct team *alone, struct attention *a, struct error *e)
{
    int t = 0;
    while (t < m->T && m->dates[t] != o->date) t++;
    if (t == m->T)
        error_set(e, "%s: found no date %lld; needed: one of the panel's, %lld to %lld", path, (long long)o->date,
                  (long long)m->dates[0], (long long)m->dates[m->T - 1]);
    m->placebo = r->placebo;
    m->placebo.seed = s->seed;
    const struct config *c = error_is_set(e) || study_bind(s, m, e) ? NULL : find_config(s, r, o, e);
    struct panel_file *f = c ? panel_open(path, NULL, m, e) : NULL;
    if (!f) return;
    struct row_buffer b;
    struct rows rows;
    struct period p = {0};
    row_buffer_create(&b, m, panel_max_assets(m));
    if (!panel_read_period(f, t, &b, &rows, e)) {
        select_rows(c->universe, &rows, m, o->date, &p);
        from_parameters(r, o, c, alone, &p, a, e);
        free_rows(&p);
    }
    row_buffer_free(&b);
    panel_close(f, e);
}

int attention_read(const struct results *r, const struct attention_options *o, struct team *alone, struct attention *a,
                   struct error *e)
{
    struct study s;
    struct panel_meta m;
    const char *path = o->panel ? o->panel : r->panel;
    *a = (struct attention){0};
    if (study_parse(r->path, r->study, &s, e)) return -1;
    if (!panel_load_meta(path, NULL, &m, e)) {
        from_panel(r, o, &s, &m, path, alone, a, e);
        panel_meta_free(&m);
    }
    study_free(&s);
    if (!error_is_set(e)) return 0;
    attention_free(a);
    return -1;
}
