/* aipm inspect: the attention of a fitted transformer at one date, from its saved parameters. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/panel_file.h"
#include "io/parameters_file.h"
#include "io/results_file.h"
#include "io/table.h"
#include "models/network.h"
#include "study/study.h"

struct arguments {
    const char *results, *panel, *model, *universe, *folder;
    long date;
    int block, head, seed, links;
};

enum { KEY_DATE = 256, KEY_BLOCK, KEY_HEAD, KEY_SEED, KEY_MODEL, KEY_UNIVERSE, KEY_PANEL, KEY_LINKS };

static const struct argp_option options[] = {
    {.name = "date", .key = KEY_DATE, .arg = "YYYYMMDD", .doc = "formation date; needed"},
    {.name = "block", .key = KEY_BLOCK, .arg = "K", .doc = "transformer block, from 1 (1)"},
    {.name = "head", .key = KEY_HEAD, .arg = "H", .doc = "attention head, from 1 (the mean over heads)"},
    {.name = "seed", .key = KEY_SEED, .arg = "S", .doc = "which seed's fit, from 0 (0)"},
    {.name = "model", .key = KEY_MODEL, .arg = "NAME", .doc = "model as the results name it (the first transformer)"},
    {.name = "universe", .key = KEY_UNIVERSE, .arg = "NAME", .doc = "universe (the study's first)"},
    {.name = "panel", .key = KEY_PANEL, .arg = "PANEL", .doc = "panel file, where it is no longer in the study's place"},
    {.name = "links", .key = KEY_LINKS, .arg = "N", .doc = "strongest links listed (100)"},
    {.name = "output", .key = 'o', .arg = "DIR", .doc = "folder for the tables (RESULTS without .h5, .attention)"},
    {0},
};

static int whole(const char *text, long low, long high, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return end == text || *end || *out < low || *out > high ? -1 : 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    long n = 0;
    switch (key) {
    case KEY_MODEL: a->model = arg; return 0;
    case KEY_UNIVERSE: a->universe = arg; return 0;
    case KEY_PANEL: a->panel = arg; return 0;
    case 'o': a->folder = arg; return 0;
    case KEY_DATE:
        if (whole(arg, 10000101, 999912312359, &a->date))
            return arguments_fail(state, "--date: found '%s'; needed: YYYYMMDD", arg);
        return 0;
    case KEY_BLOCK:
    case KEY_HEAD:
    case KEY_LINKS:
        if (whole(arg, 1, 1000000, &n)) return arguments_fail(state, "found '%s'; needed: a whole number from 1", arg);
        *(key == KEY_BLOCK ? &a->block : key == KEY_HEAD ? &a->head : &a->links) = (int)n;
        return 0;
    case KEY_SEED:
        if (whole(arg, 0, 1000000, &n))
            return arguments_fail(state, "--seed: found '%s'; needed: a whole number from 0", arg);
        a->seed = (int)n;
        return 0;
    case ARGP_KEY_ARG:
        if (a->results) return arguments_fail(state, "found two results files, '%s' and '%s'; needed: one", a->results, arg);
        a->results = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->results || !a->date) return arguments_fail(state, "needed: a results file and --date");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

struct link {
    int from, to;
    float weight;
};

/* What one pass over the attention matrix leaves. */
struct reading {
    int n, links;
    struct link *link;      /* [links] strongest first, an asset's weight on itself left out */
    struct link *strongest; /* [n] of every row */
    double *entropy, *self, *received;
};

/* Keep the strongest links in order. */
static void offer(struct reading *r, struct link l)
{
    int at = r->links - 1;
    if (!(l.weight > r->link[at].weight)) return;
    for (; at > 0 && l.weight > r->link[at - 1].weight; at--) r->link[at] = r->link[at - 1];
    r->link[at] = l;
}

static void read_row(struct reading *r, int i, const float *row)
{
    struct link best = {i, -1, -1};
    for (int j = 0; j < r->n; j++) {
        double p = (double)row[j];
        if (p > 0) r->entropy[i] -= p * log(p);
        if (j == i) {
            r->self[i] = p;
            continue;
        }
        r->received[j] += p;
        if (row[j] > best.weight) best = (struct link){i, j, row[j]};
        offer(r, (struct link){i, j, row[j]});
    }
    r->strongest[i] = best;
}

static void reading_take(struct reading *r, struct network *n, const struct period *p, int block, int head, int links)
{
    long most = (long)p->n * (p->n - 1);
    *r = (struct reading){.n = p->n, .links = links < most ? links : (int)(most > 1 ? most : 1)};
    r->link = memory_array(struct link, r->links, "links");
    r->strongest = memory_array(struct link, p->n, "links");
    r->entropy = memory_array(double, p->n, "attention");
    r->self = memory_array(double, p->n, "attention");
    r->received = memory_array(double, p->n, "attention");
    float *rows = memory_array(float, (size_t)PANEL * p->n, "attention"),
          *scratch = memory_array(float, (size_t)PANEL * p->n, "attention");
    for (int at = 0; at < p->n; at += PANEL) {
        int count = p->n - at < PANEL ? p->n - at : PANEL;
        transformer_attention(n, p, block, head, at, count, rows, scratch);
        for (int i = 0; i < count; i++) read_row(r, at + i, rows + (size_t)i * (size_t)p->n);
    }
    memory_free(rows);
    memory_free(scratch);
}

static void reading_free(struct reading *r)
{
    void *const all[] = {r->link, r->strongest, r->entropy, r->self, r->received};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static struct table *links_table(const struct reading *r, const struct period *p)
{
    struct table *t = table_create("links", "Strongest attention links");
    table_column(t, "asset", NULL, TABLE_COUNT, 0);
    table_column(t, "attends_to", NULL, TABLE_COUNT, 0);
    table_column(t, "weight", NULL, TABLE_REAL, 4);
    for (int i = 0; i < r->links && r->link[i].weight > 0; i++) {
        table_row(t);
        table_put_integer(t, p->ids[r->link[i].from]);
        table_put_integer(t, p->ids[r->link[i].to]);
        table_put(t, (double)r->link[i].weight);
    }
    return t;
}

static const double *sort_key;
static int by_received(const void *a, const void *b)
{
    int i = *(const int *)a, j = *(const int *)b;
    return sort_key[i] != sort_key[j] ? (sort_key[i] < sort_key[j] ? 1 : -1) : (i > j) - (i < j);
}

/* Every asset, leaders first: what others give it (column sum), what it gives others (row sum), itself left out of both. */
static struct table *assets_table(const struct reading *r, const struct period *p)
{
    struct table *t = table_create("assets", "Leaders and followers");
    int *order = memory_array(int, r->n, "order");
    for (int i = 0; i < r->n; i++) order[i] = i;
    sort_key = r->received;
    qsort(order, (size_t)r->n, sizeof *order, by_received);
    table_column(t, "asset", NULL, TABLE_COUNT, 0);
    table_column(t, "received", NULL, TABLE_REAL, 3);
    table_column(t, "given", NULL, TABLE_REAL, 3);
    table_column(t, "self", NULL, TABLE_REAL, 3);
    table_column(t, "entropy", NULL, TABLE_REAL, 3);
    table_column(t, "strongest", NULL, TABLE_COUNT, 0);
    table_column(t, "strongest_weight", NULL, TABLE_REAL, 4);
    for (int k = 0; k < r->n; k++) {
        int i = order[k];
        table_row(t);
        table_put_integer(t, p->ids[i]);
        table_put(t, r->received[i]);
        table_put(t, 1 - r->self[i]);
        table_put(t, r->self[i]);
        table_put(t, r->entropy[i]);
        if (r->strongest[i].to < 0) table_skip(t);
        else table_put_integer(t, p->ids[r->strongest[i].to]);
        table_put(t, r->strongest[i].to < 0 ? NAN : (double)r->strongest[i].weight);
    }
    table_note(t, "entropy in nats: log of the number of assets if attention is even, 0 if all on one");
    memory_free(order);
    return t;
}

static void print_summary(const struct reading *r, const struct period *p, const struct table *assets, const char *folder)
{
    double entropy = 0, self = 0;
    for (int i = 0; i < r->n; i++) entropy += r->entropy[i] / r->n, self += r->self[i] / r->n;
    printf("%lld: %d assets; mean entropy %.3f of %.3f if even; mean weight on itself %.4f\n", (long long)p->date, r->n,
           entropy, log(r->n), self);
    for (int k = 0; k < assets->rows && k < 5; k++)
        printf("  leader %d: asset %lld, receives %.3f\n", k + 1, (long long)table_at(assets, k, 0)->number,
               table_at(assets, k, 1)->number);
    printf("links and assets: %s\n", folder);
}

/* The configuration asked for: by name, or the first transformer. */
static const struct config *find_config(const struct study *s, const struct arguments *a, struct error *e)
{
    for (int i = 0; i < s->configs; i++) {
        const struct config *c = &s->config[i];
        if (strcmp(c->class->name, "transformer") || (a->model && strcmp(c->name, a->model)) ||
            (a->universe && strcmp(c->universe->name, a->universe)))
            continue;
        return c;
    }
    error_set(e, "%s: no transformer%s%s%s%s; needed: one of the study's", a->results, a->model ? " named " : "",
              a->model ? a->model : "", a->universe ? " in universe " : "", a->universe ? a->universe : "");
    return NULL;
}

/* Rows of the universe at period t, as a model sees them. */
static void select_rows(const struct universe *u, const struct rows *r, int D, int64_t date, struct period *p)
{
    int *index = memory_array(int, r->n, "rows of a universe"), n = universe_select(u, r, index);
    float *x = memory_array(float, (size_t)n *(size_t)D, "rows of a universe");
    int64_t *ids = memory_array(int64_t, n, "rows of a universe");
    for (int i = 0; i < n; i++) {
        memcpy(x + (size_t)i * (size_t)D, r->characteristics + (size_t)index[i] * (size_t)D, sizeof(float) * (size_t)D);
        ids[i] = r->ids[index[i]];
    }
    *p = (struct period){.date = date, .n = n, .scale = 1, .characteristics = x, .ids = ids};
    memory_free(index);
}

static void show(const struct arguments *a, const struct config *c, struct team *alone, const struct period *p,
                 struct error *e)
{
    char folder[4096], saved[4096];
    struct model *m = c->class->create(&c->shape, 0, &c->values);
    struct network *n = c->class->network(m);
    int64_t found;
    snprintf(saved, sizeof saved, "%s.parameters", a->results);
    char *from = parameters_folder(saved, c->universe->name, c->name, a->seed);
    if (a->block > transformer_blocks(n))
        error_set(e, "--block: found %d; needed: 1 to %d, the blocks of %s", a->block, transformer_blocks(n), c->name);
    else if (a->head > transformer_heads(n))
        error_set(e, "--head: found %d; needed: 1 to %d, the heads of %s", a->head, transformer_heads(n), c->name);
    else if (p->n == 0)
        error_set(e, "%s has no assets on %lld; needed: a date with some", c->universe->name, (long long)p->date);
    else if (!parameters_load(from, p->date, n, &found, e)) {
        if (found != p->date)
            log_warn("no parameters of %lld: those of %lld are used", (long long)p->date, (long long)found);
        struct reading r;
        float *w = memory_array(float, p->n, "weights");
        network_bind(n, alone);
        n->class->forward(n, p, false, w);
        reading_take(&r, n, p, a->block - 1, a->head - 1, a->links);
        struct table *links = links_table(&r, p), *assets = assets_table(&r, p);
        results_folder(a->results, ".attention", a->folder, folder, sizeof folder);
        if (!table_write(links, folder, e) && !table_write(assets, folder, e)) print_summary(&r, p, assets, folder);
        table_free(links);
        table_free(assets);
        reading_free(&r);
        memory_free(w);
    }
    memory_free(from);
    c->class->destroy(m);
}

static void inspect(const struct arguments *a, const struct results *results, struct team *alone, struct error *e)
{
    struct study s;
    struct panel_meta m;
    const char *path = a->panel ? a->panel : results->panel;
    if (study_parse(a->results, results->study, &s, e)) return;
    if (!panel_load_meta(path, NULL, &m, e)) {
        int t = 0;
        while (t < m.T && m.dates[t] != a->date) t++;
        if (t == m.T)
            error_set(e, "%s: found no date %ld; needed: one of the panel's, %lld to %lld", path, a->date,
                      (long long)m.dates[0], (long long)m.dates[m.T - 1]);
        const struct config *c = error_is_set(e) || study_bind(&s, &m, e) ? NULL : find_config(&s, a, e);
        struct panel_file *f = c ? panel_open(path, NULL, &m, e) : NULL;
        if (f) {
            struct row_buffer b;
            struct rows r;
            struct period p = {0};
            row_buffer_create(&b, &m, panel_max_assets(&m));
            if (!panel_read_period(f, t, &b, &r, e)) {
                select_rows(c->universe, &r, m.D, a->date, &p);
                show(a, c, alone, &p, e);
                memory_free((void *)(uintptr_t)p.characteristics);
                memory_free((void *)(uintptr_t)p.ids);
            }
            row_buffer_free(&b);
            panel_close(f, e);
        }
        panel_meta_free(&m);
    }
    study_free(&s);
}

int command_inspect(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "RESULTS",
                                     .doc =
                                         "Read the attention of a transformer at one date, from RESULTS.parameters of a "
                                         "study run with save_parameters: true. "
                                         "Writes links (the strongest, an asset's weight on itself left out) and assets "
                                         "(what each receives from others and gives "
                                         "to them, entropy of its attention), leaders first, as CSV, Markdown and LaTeX.\v"
                                         "Example:\n  aipm inspect results/demo.h5 --date 20151231 --block 2"};
    struct arguments a = {.block = 1, .links = 100};
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct team *alone = team_split(world, team_rank(world));
    if (team_rank(world) == 0) {
        struct results r;
        if (!results_load(a.results, &r, &e)) {
            inspect(&a, &r, alone, &e);
            results_free(&r);
        }
        if (error_is_set(&e)) fprintf(stderr, "aipm: %s\n", e.text);
    }
    team_close(alone);
    return team_agree(world, &e) ? EXIT_INPUT : EXIT_DONE;
}
