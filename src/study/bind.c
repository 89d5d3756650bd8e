/* A study meets its panel: what fits, what each configuration costs, and what it computes in canonical form. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/parameters_file.h"
#include "study/study.h"

/* Saved parameters that fits are to begin at are there, of every seed. */
static int check_start(const struct study *s, const struct config *c, struct error *e)
{
    for (int seed = 0; seed < (int)values_int(&c->values, "seeds"); seed++) {
        char *folder = parameters_folder(c->policy.start_from, c->universe->name, c->name, seed);
        if (access(folder, R_OK | X_OK))
            error_set(e,
                      "%s: line %d: model '%s': start_from: there is no folder %s; needed: RESULTS.parameters of a run with "
                      "save_parameters: true, a model of this name and as many seeds",
                      s->file, c->line, c->name, folder);
        memory_free(folder);
        if (error_is_set(e)) return -1;
    }
    return 0;
}

static int bind_config(struct study *s, struct config *c, const struct panel_meta *meta, struct error *e)
{
    c->shape = (struct shape){.T = c->grows ? meta->T - 1 : c->shape.T,
                              .shortest = c->shape.T,
                              .D = meta->D,
                              .max_assets = panel_max_assets(meta),
                              .panel = meta,
                              .nz = s->nz,
                              .ridge = s->ridge,
                              .factor_scale = s->factor_scale,
                              .shards = s->shards,
                              .memory = (size_t)s->memory,
                              .name = c->name};
    c->shape.lookback = c->class->needs & NEED_HISTORY ? (int)values_int(&c->values, "lookback") : 1;
    c->policy = c->class->trainable ? c->class->trainable->policy(&c->values) : (struct fit_policy){.refit_every = 1};
    if (c->policy.start_from && check_start(s, c, e)) return -1;
    if (c->shape.shortest >= meta->T)
        return error_set(e, "%s: line %d: model '%s': found a window of %d periods; needed: fewer than the panel's %d",
                         s->file, c->line, c->name, c->shape.shortest, meta->T);
    if (c->universe != universe_find("all") && !meta->has_size_groups)
        return error_set(e, "%s: universes: found %s; the panel has no size_groups, so only 'all' is there", s->file,
                         c->universe->name);
    if (c->class->needs & NEED_BENCHMARK) {
        c->shape.benchmark = panel_benchmark(meta, c->model);
        if (!c->shape.benchmark)
            return error_set(
                e,
                "%s: line %d: model '%s' of kind %s: the panel has no benchmark of that name (aipm info PANEL lists them)",
                s->file, c->line, c->model, c->class->name);
    } else if (meta->rows == 0)
        return error_set(e, "%s: line %d: model '%s' of kind %s needs stocks; the panel has none", s->file, c->line, c->name,
                         c->class->name);
    struct error inner = {""};
    if (c->class->check && c->class->check(&c->shape, &c->values, &inner))
        return error_set(e, "%s: line %d: %s", s->file, c->line, inner.text);
    c->class->layout(&c->shape, &c->values, &c->layout);
    c->class->cost(&c->shape, &c->values, &c->cost);
    char choice[64] = "";
    if (c->class->choice) c->class->choice(&c->shape, &c->values, choice, sizeof choice);
    if (*choice) {
        size_t size = strlen(c->options) + sizeof choice + 2;
        char *all = memory_array(char, size, "options");
        snprintf(all, size, "%s %s", c->options, choice);
        memory_free(c->options);
        c->options = all;
    }
    return 0;
}

int config_ranks(const struct config *c)
{
    return c->class->shared ? c->class->shared->ranks(&c->values) : 1;
}

double config_share(const struct study *s, const struct config *c, int row)
{
    struct shape shape = c->shape;
    struct cost cost;
    shape.T = config_window(s, c, row);
    if (shape.T == c->shape.T || shape.T < 1 || c->cost.seconds <= 0) return 1;
    c->class->cost(&shape, &c->values, &cost);
    return cost.seconds / c->cost.seconds;
}

int study_bind(struct study *s, const struct panel_meta *meta, struct error *e)
{
    s->min_window = s->config[0].shape.T;
    for (int i = 0; i < s->configs; i++) {
        if (bind_config(s, &s->config[i], meta, e)) return -1;
        if (s->config[i].shape.shortest < s->min_window) s->min_window = s->config[i].shape.shortest;
    }
    s->P = meta->T - s->min_window;
    return 0;
}

char *study_fingerprint(const struct study *s, const char *panel_digest)
{
    static const char *const scale[] = {"sum", "root", "mean"};
    size_t size = 512, at = 0;
    for (int i = 0; i < s->configs; i++) size += strlen(s->config[i].options) + strlen(s->config[i].name) + 32;
    char *out = memory_array(char, size, "study in canonical form");
    at += (size_t)snprintf(
        out + at, size - at,
        "panel %s\nridge %g to %g\nfactor_scale %s\nseed %llu\nshards %d\nsave_weights %s\nmemory_mb %.0f\n", panel_digest,
        s->ridge[0], s->ridge[s->nz - 1], scale[s->factor_scale], (unsigned long long)s->seed, s->shards,
        s->save_weights ? "true" : "false", s->memory / 1e6);
    char placebo[PLACEBO_TEXT];
    if (s->placebo.kind) at += (size_t)snprintf(out + at, size - at, "placebo %s\n", placebo_option(&s->placebo, placebo));
    for (int i = 0; i < s->configs; i++)
        at += (size_t)snprintf(out + at, size - at, "model %s/%s %s\n", s->config[i].universe->name, s->config[i].name,
                               s->config[i].options);
    return out;
}

/* Whether text has `line` (n characters) as a whole line. */
static int has_line(const char *text, const char *line, size_t n)
{
    for (const char *at = text; *at;) {
        size_t k = strcspn(at, "\n");
        if (k == n && !memcmp(at, line, n)) return 1;
        at += k + (at[k] == '\n');
    }
    return 0;
}

static size_t differing(const char *a, const char *b, const char *what, char *out, size_t size, size_t at)
{
    int shown = 0;
    for (const char *line = a; *line;) {
        size_t n = strcspn(line, "\n");
        if (!has_line(b, line, n) && at < size) {
            if (++shown <= 4) at += (size_t)snprintf(out + at, size - at, "\n  %s: %.*s", what, (int)n, line);
            else if (shown == 5) at += (size_t)snprintf(out + at, size - at, "\n  ...");
        }
        line += n + (line[n] == '\n');
    }
    return at;
}

int fingerprint_compare(const char *before, const char *now, char *out, size_t size)
{
    out[0] = '\0';
    if (!strcmp(before, now)) return 0;
    size_t at = differing(before, now, "before", out, size, 0);
    at = differing(now, before, "now   ", out, size, at);
    if (!at) snprintf(out, size, "\n  the models stand in another order");
    return 1;
}

static void explain_option(void (*print)(const char *), const struct model_option *o)
{
    char line[512];
    snprintf(line, sizeof line, "      %-16s %s%s%s%s%s", o->key, o->help, o->words ? "; " : "", o->words ? o->words : "",
             o->fallback ? "; default " : "; needed", o->fallback ? o->fallback : "");
    print(line);
}

void study_explain(void (*print)(const char *line))
{
    print("A study file (YAML):");
    print("  study: NAME                 panel: FILE                 output: FILE");
    print("  window: 60                  training periods; a list sweeps every model over it; {from: 60}: all periods since "
          "the first, from 60 on");
    print("  universes: [all]            all, micro, small, large, mega, nonmicro (small, large, mega)");
    print("  ridge: {from: -10, to: 3}   penalties z = 10^i");
    print("  factor_scale: sum           sum, root (n^-1/2), mean (1/n)");
    print("  seed: 1                     shards: 1                   save_weights: false");
    print("  lookback: 60                steps of each asset's history, for all models over sequences");
    print("  memory_mb: 1024             workspace of one model where it can choose");
    print("  ranks_per_fit: 0            ranks that share a network's fit (at most shards); 0: one, or more where fits are "
          "few");
    print("  models:");
    for (const struct model_class *const *c = model_classes(); *c; c++) {
        char line[512];
        snprintf(line, sizeof line, "    - {name: ..., kind: %s}   %s", (*c)->name, (*c)->summary);
        print(line);
        for (const struct model_option *o = (*c)->options; o->key; o++) explain_option(print, o);
    }
    print("A list where an option takes one value is a sweep: each value is trained and named NAME.key=value.");
}
