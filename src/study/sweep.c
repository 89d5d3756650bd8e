/* Members of a sweep: values put into the tree of a study file, and the tree written as YAML again. */
#include "study/sweep.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/memory.h"
#include "io/yaml.h"

static char *piece(const char *from, size_t n)
{
    char *text = memory_allocate(n + 1, 1, "a value");
    memcpy(text, from, n);
    return text;
}

int sweep_add(struct sweep *s, const char *argument, struct error *e)
{
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument || !equals[1])
        return error_set(e, "--set: found '%s'; needed: KEY=VALUE[,VALUE...], as models.NAME.KEY=1,2,4 or seed=1", argument);
    if (s->n == SWEEP_KEYS) return error_set(e, "--set: found more than %d keys", SWEEP_KEYS);
    struct sweep_key *k = &s->key[s->n++];
    *k = (struct sweep_key){.path = piece(argument, (size_t)(equals - argument))};
    for (int i = 0; i + 1 < s->n; i++)
        if (!strcmp(s->key[i].path, k->path)) return error_set(e, "--set: found the key '%s' twice", k->path);
    int depth = 0;
    for (const char *from = equals + 1, *at = from;; at++) {
        if (*at == '[' || *at == '{') depth++;
        if (*at == ']' || *at == '}') depth--;
        if (*at && (*at != ',' || depth)) continue;
        if (depth || at == from)
            return error_set(e, "--set: %s: found '%s'; needed: values separated by commas", k->path, equals + 1);
        if (k->n == SWEEP_VALUES) return error_set(e, "--set: %s: found more than %d values", k->path, SWEEP_VALUES);
        k->value[k->n++] = piece(from, (size_t)(at - from));
        if (!*at) return 0;
        from = at + 1;
    }
}

void sweep_free(struct sweep *s)
{
    for (int i = 0; i < s->n; i++) {
        memory_free(s->key[i].path);
        for (int v = 0; v < s->key[i].n; v++) memory_free(s->key[i].value[v]);
    }
    s->n = 0;
}

long sweep_members(const struct sweep *s)
{
    long n = 1;
    for (int i = 0; i < s->n; i++)
        if (__builtin_mul_overflow(n, (long)s->key[i].n, &n)) return -1;
    return n;
}

/* ---- a tree as YAML text, in flow style below the root ---- */

struct out {
    char *text;
    size_t n;
};

static void put(struct out *o, const char *text, size_t n)
{
    o->text = memory_grow(o->text, o->n + n + 1, 1, "a study file");
    memcpy(o->text + o->n, text, n);
    o->n += n;
    o->text[o->n] = '\0';
}
static void say(struct out *o, const char *text)
{
    put(o, text, strlen(text));
}

static void put_scalar(struct out *o, const char *text)
{
    char *yaml = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&yaml, &n);
    if (!f) die("no memory for a study file");
    escape_yaml(f, text);
    fclose(f);
    put(o, yaml, n);
    free(yaml);
}

static void put_node(struct out *o, const struct yaml_node *n)
{
    if (n->kind == YAML_SCALAR) {
        put_scalar(o, n->text);
        return;
    }
    say(o, n->kind == YAML_LIST ? "[" : "{");
    for (int i = 0; i < n->n; i++) {
        if (i) say(o, ", ");
        if (n->kind == YAML_MAP) put_scalar(o, n->key[i]), say(o, ": ");
        put_node(o, n->item[i]);
    }
    say(o, n->kind == YAML_LIST ? "]" : "}");
}

static char *put_study(const struct yaml_node *root)
{
    struct out o = {0};
    say(&o, "# expanded by aipm sweep\n");
    for (int i = 0; i < root->n; i++) {
        put_scalar(&o, root->key[i]);
        say(&o, ":");
        if (strcmp(root->key[i], "models") || root->item[i]->kind != YAML_LIST) {
            say(&o, " ");
            put_node(&o, root->item[i]);
        } else
            for (int k = 0; k < root->item[i]->n; k++) {
                say(&o, "\n  - ");
                put_node(&o, root->item[i]->item[k]);
            }
        say(&o, "\n");
    }
    return o.text;
}

/* ---- setting values ---- */

static void set(struct yaml_node *map, const char *key, struct yaml_node *value)
{
    for (int i = 0; i < map->n; i++)
        if (!strcmp(map->key[i], key)) {
            node_free(map->item[i]);
            map->item[i] = value;
            return;
        }
    node_append(map, key, value);
}

static struct yaml_node *model_named(struct yaml_node *root, const char *name, size_t n)
{
    const struct yaml_node *models = node_find(root, "models");
    for (int i = 0; models && models->kind == YAML_LIST && i < models->n; i++) {
        const struct yaml_node *own = models->item[i]->kind == YAML_MAP ? node_find(models->item[i], "name") : NULL;
        if (own && own->kind == YAML_SCALAR && strlen(own->text) == n && !strncmp(own->text, name, n))
            return models->item[i];
    }
    return NULL;
}

/* The map a path's last part lives in, and that part. */
static struct yaml_node *place_of(struct yaml_node *root, const char *file, const char *path, const char **leaf,
                                  struct error *e)
{
    const char *dot = strchr(path, '.');
    *leaf = path;
    if (!dot) return root;
    if (!strncmp(path, "models.", 7)) {
        const char *end = strrchr(path, '.');
        struct yaml_node *model = end > path + 6 ? model_named(root, path + 7, (size_t)(end - path - 7)) : NULL;
        if (!model) return error_set(e, "%s: --set %s: no model of that name; needed: models.NAME.KEY", file, path), NULL;
        *leaf = end + 1;
        return model;
    }
    char *first = piece(path, (size_t)(dot - path));
    if (!node_find(root, first)) {
        struct error ignored = {""};
        node_append(root, first, node_parse(file, "{}", &ignored));
    }
    struct yaml_node *map = (struct yaml_node *)(uintptr_t)node_find(root, first);
    memory_free(first);
    *leaf = dot + 1;
    if (map->kind != YAML_MAP || strchr(*leaf, '.'))
        return error_set(e, "%s: --set %s: no such key; needed: KEY, ridge.KEY or models.NAME.KEY", file, path), NULL;
    return map;
}

static int set_value(struct yaml_node *root, const char *file, const char *path, const char *yaml, struct error *e)
{
    const char *leaf;
    struct yaml_node *map = place_of(root, file, path, &leaf, e), *value = map ? node_parse(path, yaml, e) : NULL;
    if (!value) return -1;
    set(map, leaf, value);
    return 0;
}

char *sweep_one(const char *file, const char *text, const struct sweep *s, struct error *e)
{
    struct yaml_node *root = node_parse(file, text, e);
    char *result = NULL;
    if (root && root->kind != YAML_MAP) error_set(e, "%s: found no 'key: value' lines; needed: a study file", file);
    for (int i = 0; i < s->n && !error_is_set(e); i++) {
        const struct sweep_key *k = &s->key[i];
        struct out list = {0};
        if (k->n > 1 && strncmp(k->path, "models.", 7) && strcmp(k->path, "window") && strcmp(k->path, "lookback")) {
            error_set(e, "%s: --set %s: found %d values; a study takes one; needed: --array, a study for each", file,
                      k->path, k->n);
            break;
        }
        for (int v = 0; v < k->n; v++) say(&list, v ? ", " : k->n > 1 ? "[" : ""), say(&list, k->value[v]);
        if (k->n > 1) say(&list, "]");
        set_value(root, file, k->path, list.text, e);
        memory_free(list.text);
    }
    if (!error_is_set(e)) result = put_study(root);
    node_free(root);
    return result;
}

/* "results/a.h5" and "x=1" make "results/a.x=1.h5". */
static void mark(struct yaml_node *root, const char *key, const char *name)
{
    const struct yaml_node *n = node_find(root, key);
    char text[4096];
    struct error ignored = {""};
    if (!n || n->kind != YAML_SCALAR) return;
    const char *slash = strrchr(n->text, '/'), *dot = strrchr(n->text, '.');
    size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - n->text) : strlen(n->text);
    snprintf(text, sizeof text, "%.*s.%s%s", (int)stem, n->text, name, n->text + stem);
    struct yaml_node *value = node_parse(key, "x", &ignored);
    memory_free(value->text);
    value->text = memory_text(text);
    set(root, key, value);
}

/* A value as part of a file's name. */
static void plain(const char *value, char *out, size_t size)
{
    size_t n = 0;
    for (; *value && n + 1 < size; value++)
        if (strchr("[] {}\"'", *value) == NULL) out[n++] = strchr(",/", *value) ? '-' : *value;
    out[n] = '\0';
}

char *sweep_member(const char *file, const char *text, const struct sweep *s, long which, char *name, struct error *e)
{
    struct yaml_node *root = node_parse(file, text, e);
    char *result = NULL;
    size_t at = 0;
    name[0] = '\0';
    if (root && root->kind != YAML_MAP) error_set(e, "%s: found no 'key: value' lines; needed: a study file", file);
    long stride = sweep_members(s);
    for (int i = 0; i < s->n && !error_is_set(e); i++) {
        const struct sweep_key *k = &s->key[i];
        stride /= k->n;
        const char *value = k->value[which / stride % k->n], *leaf = strrchr(k->path, '.');
        if (set_value(root, file, k->path, value, e)) break;
        if (k->n == 1) continue;
        char shown[128];
        plain(value, shown, sizeof shown);
        at += (size_t)snprintf(name + at, 256 - at, "%s%s=%s", at ? "." : "", leaf ? leaf + 1 : k->path, shown);
        if (at >= 250) error_set(e, "%s: --set: the values make a name that is too long", file);
    }
    if (!error_is_set(e)) {
        if (*name) mark(root, "study", name), mark(root, "output", name);
        result = put_study(root);
    }
    node_free(root);
    return result;
}

char *sweep_keep(const char *file, const char *text, bool (*keep)(const char *kind), struct error *e)
{
    struct yaml_node *root = node_parse(file, text, e);
    struct yaml_node *models = root ? (struct yaml_node *)(uintptr_t)node_find(root, "models") : NULL;
    int n = 0;
    for (int i = 0; models && models->kind == YAML_LIST && i < models->n; i++) {
        const struct yaml_node *kind = models->item[i]->kind == YAML_MAP ? node_find(models->item[i], "kind") : NULL;
        if (!kind || kind->kind != YAML_SCALAR || keep(kind->text)) models->item[n++] = models->item[i];
        else node_free(models->item[i]);
    }
    if (models && models->kind == YAML_LIST) models->n = n;
    char *result = root ? put_study(root) : NULL;
    node_free(root);
    return result;
}
