/* The battery: which variants of a study a trial runs, and what they cost. */
#include "study/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/panel_file.h"
#include "io/yaml.h"
#include "study/plan.h"
#include "study/sweep.h"
#include "themes.h"

enum { MOST_VARIANTS = 1000, MOST_SEEDS = 20, MOST_LAGS = 5, THEMES_FILE = 1 << 22 };

static const char *const drawn[] = {"returns", "signs", "periods", "iid"};
static const char *const noises[] = {"1", "2", "4"};
static const char *const scales[] = {"sum", "root", "mean"};
enum { DRAWN = 4, NOISES = 3, SCALES = 3 };

/* ---- texts ----------------------------------------------------------------------------------------------------------------- */

static bool closed_form(const char *kind)
{
    const struct model_class *c = model_class_find(kind);
    return !c || (!c->trainable && c->trades != TRADE_BENCHMARK); /* what is no model stays for the parser to refuse */
}
static bool trained(const char *kind)
{
    const struct model_class *c = model_class_find(kind);
    return !c || c->trades != TRADE_BENCHMARK;
}

/* text with KEY=VALUE set for each of `keys`, NULL-terminated. memory_free. */
static char *with(const char *file, const char *text, char *const *keys, struct error *e)
{
    struct sweep s = {0};
    char *out = NULL;
    for (; *keys && !error_is_set(e); keys++) sweep_add(&s, *keys, e);
    if (!error_is_set(e)) out = sweep_one(file, text, &s, e);
    sweep_free(&s);
    return out;
}

/* The same windows at half their length, as sweep keys: for the root, and for the models that have their own. */
static char *half_windows(const char *file, const char *text, struct error *e)
{
    struct study s;
    if (study_parse(file, text, &s, e)) return NULL;
    struct yaml_node *root = node_parse(file, text, e);
    const struct yaml_node *models = node_find(root, "models");
    struct sweep all = {0};
    char key[512], value[64];
    for (int i = -1; i < models->n && !error_is_set(e); i++) {
        const struct yaml_node *own = i < 0 ? NULL : node_find(models->item[i], "window");
        if (i >= 0 && !own) continue;
        size_t at = (size_t)snprintf(
            key, sizeof key, i < 0 ? "window=" : "models.%s.window=", i < 0 ? "" : node_find(models->item[i], "name")->text);
        const char *last = "";
        for (int c = 0, w = 0; i < 0 ? w < s.windows : c < s.configs; c++, w++) {
            const struct config *k = &s.config[c];
            if (i >= 0 && strcmp(k->model, node_find(models->item[i], "name")->text)) continue;
            int length = i < 0 ? s.window[w] : k->grows ? -k->shape.T : k->shape.T;
            int half = length < 0 ? (1 - length) / 2 : (length + 1) / 2;
            snprintf(value, sizeof value, length < 0 ? "{from: %d}" : "%d", half < 2 ? 2 : half);
            if (!strcmp(value, last)) continue; /* other swept values of the same window */
            if (at < sizeof key) at += (size_t)snprintf(key + at, sizeof key - at, "%s%s", *last ? "," : "", value);
            last = value;
        }
        if (at >= sizeof key) error_set(e, "%s: too many windows for a trial; needed: fewer", file);
        else sweep_add(&all, key, e);
    }
    char *out = error_is_set(e) ? NULL : sweep_one(file, text, &all, e);
    sweep_free(&all);
    node_free(root);
    study_free(&s);
    return out;
}

/* ---- cost ------------------------------------------------------------------------------------------------------------------ */

/* Seconds that a characteristic of an asset-period takes: unpacked, and multiplied into moments, a fused pair of operations. Noise:
 * a normal draw. Of one core of 2021; what counts is how they compare with the fits' own counts. */
static const double UNPACKED = 1e-8, MULTIPLIED = 4e-10, DRAWN_NORMAL = 4e-8;

/* Reading rows and their moments, then all fits, in seconds by operation counts: units that rest on no clock. */
static double counted(const struct study *s, const struct panel_meta *m)
{
    double seconds = (double)m->rows * m->D * (UNPACKED + MULTIPLIED * (m->D + 3.0));
    for (int i = 0; i < s->configs; i++) {
        const struct config *c = &s->config[i];
        for (int row = config_first_row(s, c); row < s->P; row++)
            seconds += config_share(s, c, row) * c->layout.seeds * c->cost.seconds;
    }
    return seconds;
}

static int count_text(const struct trial *t, const char *text, double *seconds, struct study *keep, struct error *e)
{
    struct study s;
    if (study_parse(t->file, text, &s, e)) return -1;
    int status = study_bind(&s, &t->meta, e);
    if (!status) *seconds = counted(&s, &t->meta);
    if (keep && !status) *keep = s;
    else study_free(&s);
    return status;
}

/* ---- the list -------------------------------------------------------------------------------------------------------------- */

static struct variant *add(struct trial *t, enum trial_part part, const char *label)
{
    require(t->n < MOST_VARIANTS);
    struct variant *v = &t->variant[t->n++];
    *v = (struct variant){.part = part, .window = "own"};
    snprintf(v->label, sizeof v->label, "%s", label);
    return v;
}

static void add_base(struct trial *t)
{
    struct variant *v = add(t, TRIAL_BASE, "the study");
    strcpy(v->name, "base");
    v->text = memory_text(t->base);
}

static void add_alterations(struct trial *t, const struct themes *themes, struct error *e)
{
    char option[PLACEBO_TEXT], words[PLACEBO_NAMES];
    for (int i = 0; i < NOISES; i++) {
        struct variant *v = add(t, TRIAL_NOISE, "");
        snprintf(v->name, sizeof v->name, "noise-%s", noises[i]);
        snprintf(v->label, sizeof v->label, "noise of %s spread%s added", noises[i], strcmp(noises[i], "1") ? "s" : "");
        snprintf(option, sizeof option, "noise=%s", noises[i]);
        placebo_parse(option, &v->placebo, e);
        v->text = memory_text(t->base);
    }
    if (t->universe->group == SIZE_UNKNOWN && t->meta.has_size_groups) {
        struct variant *v = add(t, TRIAL_FILTER, "without micro and nano caps");
        strcpy(v->name, "nonmicro");
        v->nonmicro = true;
        v->text = with(t->file, t->base, (char *const[]){"universes=[nonmicro]", NULL}, e);
    }
    for (int k = 0; k < themes->n && themes->n > 1 && !error_is_set(e); k++) {
        struct variant *v = add(t, TRIAL_THEME, "");
        snprintf(v->name, sizeof v->name, "without-%s", themes->name[k]);
        snprintf(v->label, sizeof v->label, "without %s", themes->name[k]);
        if (themes_members(themes, k, t->meta.characteristic_names, words, sizeof words))
            error_set(e, "theme %s: the names of its characteristics take more than %d characters; needed: smaller themes",
                      themes->name[k], PLACEBO_NAMES);
        snprintf(option, sizeof option, "without=%s", words);
        if (!error_is_set(e)) placebo_parse(option, &v->placebo, e);
        v->text = memory_text(t->base);
        t->themes++;
    }
}

/* Every combination of window, scale and filter that is not there yet as base or nonmicro. */
static void add_specifications(struct trial *t, enum factor_scale own, struct error *e)
{
    bool filter = t->universe->group == SIZE_UNKNOWN && t->meta.has_size_groups;
    char *half = half_windows(t->file, t->base, e);
    for (int i = 0; i < t->n; i++) t->variant[i].scale = scales[own];
    for (int i = 0; i < 2 * SCALES * (1 + filter) && !error_is_set(e); i++) {
        int scale = i / 2 % SCALES, micro = i / (2 * SCALES);
        if (i % 2 == 0 && scale == (int)own) continue;
        struct variant *v = add(t, TRIAL_SPECIFICATION, "");
        v->window = i % 2 ? "half" : "own", v->scale = scales[scale], v->nonmicro = micro;
        snprintf(v->name, sizeof v->name, "spec-%s-%s%s", v->window, v->scale, micro ? "-nonmicro" : "");
        snprintf(v->label, sizeof v->label, "window %s, scale %s, %s", v->window, v->scale, micro ? "nonmicro" : "all");
        char key[32];
        snprintf(key, sizeof key, "factor_scale=%s", scales[scale]);
        v->text =
            with(t->file, i % 2 ? half : t->base, (char *const[]){key, micro ? "universes=[nonmicro]" : NULL, NULL}, e);
    }
    memory_free(half);
}

static char *seeded(const struct trial *t, uint64_t seed, struct error *e)
{
    char key[64];
    snprintf(key, sizeof key, "seed=%llu", (unsigned long long)seed);
    return with(t->file, t->base, (char *const[]){key, NULL}, e);
}

static void add_placebos(struct trial *t, uint64_t seed, int draws, struct error *e)
{
    char words[PLACEBO_TEXT], option[PLACEBO_TEXT];
    for (int k = 0; k < DRAWN; k++)
        for (int i = 1; i <= draws && !error_is_set(e); i++) {
            struct variant *v = add(t, TRIAL_PLACEBO, "");
            snprintf(v->name, sizeof v->name, "placebo-%s-%d", drawn[k], i);
            placebo_parse(drawn[k], &v->placebo, e);
            snprintf(v->label, sizeof v->label, "%.90s", placebo_words(&v->placebo, words));
            v->text = seeded(t, seed + (uint64_t)i, e);
        }
    int year = panel_year(&t->meta), room = (t->meta.T - t->window) / 2;
    for (int i = 1; i <= draws && i <= MOST_LAGS && (i == 1 || i * year <= room) && !error_is_set(e); i++) {
        int lag = i * year <= room ? i * year : room > 1 ? room : 1;
        struct variant *v = add(t, TRIAL_PLACEBO, "characteristics lagged");
        snprintf(v->name, sizeof v->name, "placebo-lag-%d", lag);
        snprintf(option, sizeof option, "characteristics=%d", lag);
        placebo_parse(option, &v->placebo, e);
        v->text = memory_text(t->base);
    }
}

/* Drops the variants from `first` on. */
static void cut(struct trial *t, int first)
{
    while (t->n > first) memory_free(t->variant[--t->n].text);
}

static void weigh(struct trial *t, int first, double own, struct error *e)
{
    for (int i = first; i < t->n && !error_is_set(e); i++) {
        struct variant *v = &t->variant[i];
        double seconds = 0, cells = (double)t->meta.rows * t->meta.D;
        count_text(t, v->text, &seconds, NULL, e);
        if (placebo_looks_elsewhere(&v->placebo)) seconds += UNPACKED * cells;
        if (v->placebo.kind == PLACEBO_NOISE) seconds += DRAWN_NORMAL * cells;
        v->cost = seconds / own;
    }
    t->cost = 0;
    for (int i = 0; i < t->n; i++) t->cost += t->variant[i].cost;
}

/* Placebos come last: as many draws as the budget has room for, where nobody said how many. */
static void build(struct trial *t, const struct study *base, const struct themes *themes, const struct trial_options *o,
                  double own, struct error *e)
{
    add_base(t);
    add_alterations(t, themes, e);
    if (!error_is_set(e)) add_specifications(t, base->factor_scale, e);
    weigh(t, 0, own, e);
    int first = t->n;
    for (t->seeds = o->seeds ? o->seeds : MOST_SEEDS; !error_is_set(e); t->seeds--) {
        add_placebos(t, base->seed, t->seeds, e);
        weigh(t, first, own, e);
        if (o->seeds || t->cost <= o->budget || t->seeds == 1) break;
        cut(t, first);
    }
    if (!error_is_set(e) && t->cost > o->budget)
        error_set(e,
                  "%s: the trial's %d runs cost %.1f times what the study does; needed: at most %g (--budget), so fewer "
                  "--seeds, fewer themes, or a larger budget",
                  t->file, t->n, t->cost, o->budget);
}

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

/* Names of the models of `all` that `base` does not have. */
static char *names_left_out(const struct study *all, const struct study *base)
{
    size_t size = 1, at = 0;
    for (int i = 0; i < all->configs; i++) size += strlen(all->config[i].model) + 2;
    char *out = memory_allocate(size, 1, "names");
    for (int i = 0; i < all->configs; i++) {
        bool there = i && !strcmp(all->config[i].model, all->config[i - 1].model);
        there |= all->config[i].universe != all->universe[0];
        for (int k = 0; k < base->configs && !there; k++) there = !strcmp(all->config[i].model, base->config[k].model);
        if (!there) at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", all->config[i].model);
    }
    return out;
}

/* The study that is tried: closed-form models, first universe, no weights kept. */
static int take_base(struct trial *t, const struct study *all, const char *text, bool networks, struct error *e)
{
    char universe[64];
    bool any = false;
    for (int i = 0; i < all->configs; i++) any |= (networks ? trained : closed_form)(all->config[i].class->name);
    if (!any) return error_set(e, "%s: found no closed-form model of a panel's assets; needed: one, or --networks", t->file);
    char *kept = sweep_keep(t->file, text, networks ? trained : closed_form, e);
    t->universe = all->universe[0];
    snprintf(universe, sizeof universe, "universes=[%s]", t->universe->name);
    if (kept) t->base = with(t->file, kept, (char *const[]){universe, "save_weights=false", NULL}, e);
    memory_free(kept);
    return t->base ? 0 : -1;
}

static int take_themes(struct team *world, const struct trial *t, const char *path, struct themes *themes, struct error *e)
{
    if (!path) return themes_guess(t->meta.D, t->meta.characteristic_names, themes), 0;
    char *text = team_rank(world) == 0 ? text_file_read(path, THEMES_FILE, e) : NULL;
    if (!team_agree(world, e)) {
        char *everywhere = team_broadcast_text(world, text, 0);
        themes_parse(path, everywhere, t->meta.D, t->meta.characteristic_names, themes, e);
        memory_free(everywhere);
    }
    memory_free(text);
    return error_is_set(e) ? -1 : 0;
}

int trial_open(struct team *world, const char *file, const char *text, const struct trial_options *o, struct trial *t,
               struct error *e)
{
    struct study all, base = {0};
    struct themes themes = {0};
    double own, ignored;
    *t = (struct trial){.file = memory_text(file),
                        .variant = memory_array(struct variant, MOST_VARIANTS, "variants of a trial")};
    if (study_parse(file, text, &all, e)) return -1;
    const char *panel = o->panel ? o->panel : all.panel;
    if (!panel) error_set(e, "%s: the key 'panel' is missing; needed there or as --panel FILE", file);
    else if (!panel_load_meta(t->panel = memory_text(panel), world, &t->meta, e) && !study_bind(&all, &t->meta, e) &&
             !take_base(t, &all, text, o->networks, e) && !count_text(t, t->base, &ignored, &base, e) &&
             !take_themes(world, t, o->themes, &themes, e)) {
        own = counted(&all, &t->meta);
        t->models = base.configs;
        t->window = base.min_window;
        t->left_out = names_left_out(&all, &base);
        t->theme_rule = themes.rule;
        build(t, &base, &themes, o, own, e);
    }
    themes_free(&themes);
    if (base.config) study_free(&base);
    study_free(&all);
    return error_is_set(e) ? -1 : 0;
}

void trial_free(struct trial *t)
{
    cut(t, 0);
    panel_meta_free(&t->meta);
    memory_free(t->variant);
    memory_free(t->left_out);
    memory_free(t->panel);
    memory_free(t->base);
    memory_free(t->file);
    *t = (struct trial){0};
}
