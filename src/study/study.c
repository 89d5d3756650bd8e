/* A study from its YAML: root keys, windows, ridges, universes, and models with their swept options. */
#define _GNU_SOURCE /* for tdestroy */
#include "study/study.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/memory.h"
#include "io/yaml.h"
#include "options.h"

enum { MAX_CONFIGS = 10000, MAX_OPTIONS = 64 };

static const char *const root_keys[] = {"study",     "panel",         "output",   "window", "universes",
                                        "ridge",     "factor_scale",  "seed",     "shards", "save_weights",
                                        "memory_mb", "ranks_per_fit", "lookback", "models", NULL};
static const struct model_option root_option[] = {
    {.key = "seed", .type = OPTION_INT, .fallback = "1", .low = 0, .high = 9e15, .help = "keys every random number"},
    {.key = "shards",
     .type = OPTION_INT,
     .fallback = "1",
     .low = 1,
     .high = 65536,
     .help = "row blocks a period is cut into in neural models"},
    {.key = "save_weights", .type = OPTION_BOOL, .fallback = "false", .help = "keep every portfolio"},
    {.key = "memory_mb",
     .type = OPTION_INT,
     .fallback = "1024",
     .low = 16,
     .high = 1e9,
     .help = "workspace of one model, MB, where it can choose"},
    {.key = "factor_scale",
     .type = OPTION_WORD,
     .fallback = "sum",
     .words = "sum|root|mean",
     .help = "scale of the managed factors"},
    {.key = "ranks_per_fit",
     .type = OPTION_INT,
     .fallback = "0",
     .low = 0,
     .high = 65536,
     .help = "ranks that share a network's fit, at most shards; 0: one, or more where there are fewer fits than ranks"},
};
enum { ROOT_SEED, ROOT_SHARDS, ROOT_WEIGHTS, ROOT_MEMORY, ROOT_SCALE, ROOT_TEAM, ROOT_OPTIONS };
static const struct model_option window_option = {.key = "window",
                                                  .type = OPTION_INT,
                                                  .fallback = "60",
                                                  .low = 2,
                                                  .high = 100000,
                                                  .help = "training periods of a rolling window"};

/* "a, b, c" of NULL-terminated keys and a class's options. */
static void join_keys(const char *const *keys, const struct model_option *options, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (; *keys && at < size; keys++) at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", *keys);
    for (; options && options->key && at < size; options++)
        at += (size_t)snprintf(out + at, size - at, ", %s", options->key);
}

static int known(const char *key, const char *const *keys, const struct model_option *options)
{
    for (; *keys; keys++)
        if (!strcmp(key, *keys)) return 1;
    for (; options && options->key; options++)
        if (!strcmp(key, options->key)) return 1;
    return 0;
}

static int check_keys(const char *place, const struct yaml_node *map, const char *const *keys,
                      const struct model_option *options, struct error *e)
{
    for (int i = 0; i < map->n; i++) {
        if (known(map->key[i], keys, options)) continue;
        char list[1024];
        join_keys(keys, options, list, sizeof list);
        return error_set(e, "%s: line %d: found the unknown key '%s'; known: %s", place, map->key_line[i], map->key[i],
                         list);
    }
    return 0;
}

/* A text value: a copy in *out, or an error if it is missing and `needed`, or no plain text. */
static int text_value(const struct study *s, const struct yaml_node *root, const char *key, bool needed, char **out,
                      struct error *e)
{
    const struct yaml_node *n = node_find(root, key);
    if (!n) return needed ? error_set(e, "%s: the key '%s' is missing", s->file, key) : 0;
    if (n->kind != YAML_SCALAR || !*n->text) return error_set(e, "%s: line %d: %s: needed: a text", s->file, n->line, key);
    if (!escape_is_plain(n->text))
        return error_set(
            e,
            "%s: line %d: %s: found a line end, a control character or a byte that is not UTF-8; needed: a text "
            "of one line",
            s->file, n->line, key);
    *out = memory_text(n->text);
    return 0;
}

static int parse_universes(struct study *s, const struct yaml_node *n, struct error *e)
{
    if (!n) return s->universe[s->universes++] = universe_find("all"), 0;
    int count = n->kind == YAML_LIST ? n->n : 1;
    if (n->kind == YAML_MAP || !count)
        return error_set(e, "%s: line %d: universes: needed: a list of %s", s->file, n->line, universe_list());
    for (int i = 0; i < count; i++) {
        const struct yaml_node *item = n->kind == YAML_LIST ? n->item[i] : n;
        const struct universe *u = item->kind == YAML_SCALAR ? universe_find(item->text) : NULL;
        if (!u)
            return error_set(e, "%s: line %d: universes: found %s; needed: one of %s", s->file, item->line,
                             item->kind == YAML_SCALAR ? item->text : "a list", universe_list());
        for (int k = 0; k < s->universes; k++)
            if (s->universe[k] == u)
                return error_set(e, "%s: line %d: universes: found %s twice", s->file, item->line, u->name);
        s->universe[s->universes++] = u;
    }
    return 0;
}

static int parse_ridge(struct study *s, const struct yaml_node *n, struct error *e)
{
    static const char *const keys[] = {"from", "to", NULL};
    double from = -10, to = 3;
    if (n) {
        const struct yaml_node *a = n->kind == YAML_MAP ? node_find(n, "from") : NULL,
                               *b = n->kind == YAML_MAP ? node_find(n, "to") : NULL;
        if (n->kind != YAML_MAP)
            return error_set(e, "%s: line %d: ridge: needed: {from: I, to: J}, exponents of 10", s->file, n->line);
        if (check_keys(s->file, n, keys, NULL, e)) return -1;
        if ((a && (a->kind != YAML_SCALAR || number_parse(a->text, true, -300, 300, &from))) ||
            (b && (b->kind != YAML_SCALAR || number_parse(b->text, true, -300, 300, &to))) || from > to)
            return error_set(
                e, "%s: line %d: ridge: found from %s to %s; needed: whole exponents of 10 from -300 to 300, from <= to",
                s->file, n->line, a && a->text ? a->text : "-10", b && b->text ? b->text : "3");
    }
    s->nz = (int)(to - from) + 1;
    s->ridge = memory_array(double, s->nz, "ridge penalties");
    for (int i = 0; i < s->nz; i++) {
        char power[16];
        snprintf(power, sizeof power, "1e%d", (int)from + i);
        s->ridge[i] = strtod(power, NULL);
    }
    return 0;
}

/* A window's length, below 0 if it grows from there: {from: 60}. */
static int window_parse(const char *place, const struct yaml_node *node, int which, int *out, struct error *e)
{
    static const char *const keys[] = {"from", NULL};
    const struct yaml_node *n = node && node->kind == YAML_LIST ? node->item[which] : node;
    struct value v;
    bool grows = n && n->kind == YAML_MAP;
    if (grows && check_keys(place, n, keys, NULL, e)) return -1;
    if (grows && !node_find(n, "from"))
        return error_set(e, "%s: line %d: window: needed: {from: N}, periods of the first window", place, n->line);
    if (option_parse(place, &window_option, grows ? node_find(n, "from") : n, 0, &v, e)) return -1;
    *out = grows ? -(int)v.number : (int)v.number;
    return 0;
}

static int parse_windows(struct study *s, const struct yaml_node *n, struct error *e)
{
    s->windows = alternatives(&window_option, n);
    if (!s->windows) return error_set(e, "%s: line %d: window: found an empty list", s->file, n->line);
    s->window = memory_array(int, s->windows, "windows");
    for (int i = 0; i < s->windows; i++)
        if (window_parse(s->file, n, i, &s->window[i], e)) return -1;
    return 0;
}

static void add_config(struct study *s, const struct config *c)
{
    s->config = memory_grow(s->config, (size_t)s->configs + 1, sizeof *s->config, "configurations");
    s->config[s->configs++] = *c;
}

/* The text under which a swept value appears in the model's name: as the user wrote it. */
static void swept_text(const struct model_option *o, const struct yaml_node *node, int which, const struct value *v,
                       char *out, size_t size)
{
    if (node && node->kind == YAML_LIST && node->item[which]->kind == YAML_SCALAR)
        snprintf(out, size, "%s", node->item[which]->text);
    else option_text(o, v, '-', out, size);
}

/* What the study says of an option of this entry's model: in the entry, or for all models at its root (lookback). NULL: nothing. */
static const struct yaml_node *option_node(const struct study *s, const struct yaml_node *entry, const char *key)
{
    const struct yaml_node *own = node_find(entry, key);
    return own || strcmp(key, "lookback") ? own : s->lookback;
}

/* Names of one universe's models and configurations so far, in a tree of search.h. */
struct taken {
    int line;
    char name[];
};
static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct taken *)a)->name, ((const struct taken *)b)->name);
}

/* Take a name; the line of who has it already, or 0. */
static int name_taken(void **taken, const char *name, int line)
{
    size_t n = strlen(name) + 1;
    struct taken *new = memory_allocate(sizeof *new + n, 1, "a name"), **place;
    new->line = line;
    memcpy(new->name, name, n);
    place = tsearch(new, taken, by_name);
    if (!place) die("out of memory: the names of models");
    if (*place == new) return 0;
    memory_free(new);
    return (*place)->line;
}

/* One point of a model entry's sweep: choice[0] is the window's, choice[1+i] the i-th option's. */
static int expand(struct study *s, const struct yaml_node *entry, const struct model_class *class, const char *name,
                  const struct universe *u, const int *choice, void **taken, struct error *e)
{
    struct config c = {.class = class, .universe = u, .line = entry->line, .model = memory_text(name)};
    char place[256], full[256], text[256], all[2048];
    int options = 0;
    while (class->options[options].key) options++;
    snprintf(place, sizeof place, "%s: model '%s'", s->file, name);
    c.values = (struct values){
        .options = class->options, .n = options, .value = memory_array(struct value, options, "option values")};
    size_t at = (size_t)snprintf(full, sizeof full, "%s", name);
    const struct yaml_node *own = node_find(entry, "window");
    int status = 0, length = own ? 2 : s->window[choice[0]];
    if (own) status = window_parse(place, own, choice[0], &length, e);
    c.grows = length < 0;
    c.shape.T = c.grows ? -length : length;
    snprintf(text, sizeof text, "%s%d", c.grows ? "from" : "", c.shape.T);
    if ((own ? alternatives(&window_option, own) : s->windows) > 1)
        at += (size_t)snprintf(full + at, sizeof full - at, ".window=%s", text);
    size_t end = (size_t)snprintf(all, sizeof all, "kind=%s window=%s", class->name, text);
    for (int i = 0; i < options && !status; i++) {
        const struct model_option *o = &class->options[i];
        const struct yaml_node *node = option_node(s, entry, o->key);
        status = option_parse(place, o, node, choice[1 + i], &c.values.value[i], e);
        if (status) break;
        if (alternatives(o, node) > 1 && at < sizeof full) {
            swept_text(o, node, choice[1 + i], &c.values.value[i], text, sizeof text);
            at += (size_t)snprintf(full + at, sizeof full - at, ".%s=%s", o->key, text);
        }
        option_text(o, &c.values.value[i], ',', text, sizeof text);
        if (end < sizeof all) end += (size_t)snprintf(all + end, sizeof all - end, " %s=%s", o->key, text);
    }
    if (!status && class->serving && class->serving(&c.values)) c.class = class->serving(&c.values);
    if (!status && c.grows && !c.class->grows)
        status = error_set(e,
                           "%s: line %d: window: found one that grows, {from: %d}; needed: a number, models of this kind "
                           "take rolling windows",
                           place, entry->line, c.shape.T);
    if (!status && (at >= sizeof full || end >= sizeof all))
        status = error_set(e, "%s: the name with its swept values is too long", place);
    if (!status && !escape_is_plain(full))
        status = error_set(e, "%s: line %d: found a control character in '%s'; needed: swept values without", place,
                           entry->line, escape_shown(full));
    if (!status && strcmp(full, name) && name_taken(taken, full, entry->line))
        status = error_set(e, "%s: line %d: found %s twice; needed: each swept value once", place, entry->line, full);
    if (status) {
        values_free(&c.values);
        memory_free(c.model);
        return -1;
    }
    c.name = memory_text(full);
    c.options = memory_text(all);
    add_config(s, &c);
    return 0;
}

/* Every point of one model entry, the last swept key running fastest. */
static int expand_all(struct study *s, const struct yaml_node *entry, const struct model_class *class, const char *name,
                      const struct universe *u, void **taken, struct error *e)
{
    int count[1 + MAX_OPTIONS] = {0}, choice[1 + MAX_OPTIONS] = {0}, keys = 1;
    const struct yaml_node *own = node_find(entry, "window");
    count[0] = own ? alternatives(&window_option, own) : s->windows;
    for (const struct model_option *o = class->options; o->key; o++)
        count[keys++] = alternatives(o, option_node(s, entry, o->key));
    for (int i = 0; i < keys; i++)
        if (!count[i])
            return error_set(e, "%s: line %d: model '%s': found an empty list for %s", s->file, entry->line, name,
                             i ? class->options[i - 1].key : "window");
    for (;;) {
        if (s->configs >= MAX_CONFIGS)
            return error_set(e, "%s: line %d: model '%s': the sweeps make more than %d configurations", s->file, entry->line,
                             name, MAX_CONFIGS);
        if (expand(s, entry, class, name, u, choice, taken, e)) return -1;
        int i = keys - 1;
        while (i >= 0 && ++choice[i] == count[i]) choice[i--] = 0;
        if (i < 0) return 0;
    }
}

static void class_names(char *out, size_t size)
{
    size_t at = 0;
    for (const struct model_class *const *c = model_classes(); *c && at < size; c++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", (*c)->name);
}

static int parse_model(struct study *s, const struct yaml_node *entry, const struct universe *u, void **taken,
                       struct error *e)
{
    static const char *const keys[] = {"name", "kind", "window", NULL};
    char list[512], place[256];
    if (entry->kind != YAML_MAP)
        return error_set(e, "%s: line %d: models: found something else than {name: ..., kind: ...}", s->file, entry->line);
    const struct yaml_node *name = node_find(entry, "name"), *kind = node_find(entry, "kind");
    class_names(list, sizeof list);
    if (!kind || kind->kind != YAML_SCALAR)
        return error_set(e, "%s: line %d: a model's 'kind' is missing; needed: one of %s", s->file, entry->line, list);
    const struct model_class *class = model_class_find(kind->text);
    if (!class) return error_set(e, "%s: line %d: kind: found %s; needed: one of %s", s->file, kind->line, kind->text, list);
    if (!name || name->kind != YAML_SCALAR || !*name->text)
        return error_set(e, "%s: line %d: a model's 'name' is missing", s->file, entry->line);
    if (strpbrk(name->text, "/. \t\n=,|") || strlen(name->text) > 64 || !escape_is_plain(name->text))
        return error_set(e,
                         "%s: line %d: name: found '%s'; needed: at most 64 characters, none of / . = , | or a blank, no "
                         "control characters",
                         s->file, name->line, escape_shown(name->text));
    snprintf(place, sizeof place, "%s: model '%s'", s->file, name->text);
    if (check_keys(place, entry, keys, class->options, e)) return -1;
    int first = name_taken(taken, name->text, entry->line);
    if (first)
        return error_set(e, "%s: line %d: found the model name '%s' twice (first on line %d); needed: each once", s->file,
                         name->line, name->text, first);
    return expand_all(s, entry, class, name->text, u, taken, e);
}

static int parse_models(struct study *s, const struct yaml_node *n, struct error *e)
{
    bool sequences = false;
    if (!n || n->kind != YAML_LIST || !n->n)
        return error_set(e, "%s: line %d: models: found none; needed: a list with at least one - {name: ..., kind: ...}",
                         s->file, n ? n->line : 1);
    for (int u = 0; u < s->universes; u++) {
        void *taken = NULL;
        int status = 0;
        for (int i = 0; i < n->n && !status; i++) status = parse_model(s, n->item[i], s->universe[u], &taken, e);
        tdestroy(taken, memory_free);
        if (status) return -1;
    }
    for (int i = 0; i < s->configs; i++) sequences |= (s->config[i].class->needs & NEED_HISTORY) != 0;
    if (s->lookback && !sequences)
        return error_set(e, "%s: line %d: found lookback, but no model of the study looks back (aipm run --explain)",
                         s->file, s->lookback->line);
    s->lookback = NULL; /* it points into the tree of the file, which the caller frees */
    return 0;
}

static int parse_root(struct study *s, const struct yaml_node *root, struct error *e)
{
    if (root->kind != YAML_MAP)
        return error_set(e, "%s: line %d: found no 'key: value' lines; needed: a study file (see aipm run --help)", s->file,
                         root->line);
    if (check_keys(s->file, root, root_keys, NULL, e)) return -1;
    struct value v[ROOT_OPTIONS] = {0};
    int status = 0;
    for (int i = 0; i < ROOT_OPTIONS && !status; i++) {
        const struct yaml_node *node = node_find(root, root_option[i].key);
        if (node && node->kind != YAML_SCALAR)
            status = error_set(e, "%s: line %d: %s: needed: one value", s->file, node->line, root_option[i].key);
        else status = option_parse(s->file, &root_option[i], node, 0, &v[i], e);
    }
    if (!status) {
        s->seed = (uint64_t)v[ROOT_SEED].number;
        s->shards = (int)v[ROOT_SHARDS].number;
        s->save_weights = v[ROOT_WEIGHTS].number != 0;
        s->memory = v[ROOT_MEMORY].number * 1e6;
        s->ranks_per_fit = (int)v[ROOT_TEAM].number;
        s->factor_scale = !strcmp(v[ROOT_SCALE].word, "sum")    ? FACTOR_SUM
                          : !strcmp(v[ROOT_SCALE].word, "root") ? FACTOR_ROOT
                                                                : FACTOR_MEAN;
    }
    memory_free(v[ROOT_SCALE].word);
    if (status || text_value(s, root, "study", false, &s->name, e) || text_value(s, root, "panel", false, &s->panel, e) ||
        text_value(s, root, "output", false, &s->output, e) || parse_universes(s, node_find(root, "universes"), e) ||
        parse_ridge(s, node_find(root, "ridge"), e) || parse_windows(s, node_find(root, "window"), e))
        return -1;
    if (!s->name) s->name = memory_text("study");
    s->lookback = node_find(root, "lookback");
    return parse_models(s, node_find(root, "models"), e);
}

int study_parse(const char *file, const char *text, struct study *s, struct error *e)
{
    *s = (struct study){.file = memory_text(file), .text = memory_text(text)};
    struct yaml_node *root = node_parse(file, text, e);
    int status = !root || parse_root(s, root, e) ? -1 : 0;
    node_free(root);
    if (status) study_free(s);
    return status;
}

int study_load(struct team *team, const char *file, struct study *s, struct error *e)
{
    enum { LARGEST = 1 << 22 };
    char *text = team_rank(team) == 0 ? text_file_read(file, LARGEST, e) : NULL, *everywhere = NULL;
    if (!team_agree(team, e)) {
        everywhere = team_broadcast_text(team, text, 0);
        study_parse(file, everywhere, s, e);
    }
    memory_free(text);
    memory_free(everywhere);
    return error_is_set(e) ? -1 : 0;
}

void study_free(struct study *s)
{
    for (int i = 0; i < s->configs; i++) {
        struct config *c = &s->config[i];
        values_free(&c->values);
        layout_free(&c->layout);
        memory_free_all(c->name, c->model, c->options);
    }
    memory_free_all(s->file, s->text, s->name, s->panel, s->output, s->window, s->ridge, s->config);
    *s = (struct study){0};
}

int study_longest_window(const struct study *s)
{
    int T = 0;
    for (int i = 0; i < s->configs; i++)
        if (s->config[i].shape.T > T) T = s->config[i].shape.T;
    return T;
}
