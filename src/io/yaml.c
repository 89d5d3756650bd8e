/* Events of libyaml to a tree of nodes; what YAML allows and a study does not is refused here. */
#define _GNU_SOURCE /* for tdestroy */
#include "io/yaml.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/memory.h"

enum { DEPTH = 16 };

struct yaml_reader {
    const char *file;
    yaml_parser_t parser;
    struct error *e;
};

static struct yaml_node *read_node(struct yaml_reader *r, const yaml_event_t *start, int depth);

static int next(struct yaml_reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event)) return 0;
    const yaml_parser_t *p = &r->parser;
    return error_set(r->e, "%s: line %zu, column %zu: not YAML: %s%s%s", r->file, p->problem_mark.line + 1,
                     p->problem_mark.column + 1, p->problem ? p->problem : "unreadable", p->context ? " " : "",
                     p->context ? p->context : "");
}

static struct yaml_node *new_node(enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml_node *n = memory_array(struct yaml_node, 1, "YAML");
    n->kind = kind;
    n->line = (int)event->start_mark.line + 1;
    return n;
}

static void append(struct yaml_node *n, struct yaml_node *item, char *key, int line)
{
    size_t count = (size_t)n->n + 1;
    n->item = memory_grow(n->item, count, sizeof *n->item, "YAML");
    n->item[n->n] = item;
    if (n->kind == YAML_MAP) {
        n->key = memory_grow(n->key, count, sizeof *n->key, "YAML");
        n->key_line = memory_grow(n->key_line, count, sizeof *n->key_line, "YAML");
        n->key[n->n] = key, n->key_line[n->n] = line;
    }
    n->n++;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}
static void leave(void *key)
{
    (void)key; /* the tree of keys owns none of them */
}

/* The key of a map's next entry (the caller's to free), and the event of its value. NULL: an error, after which `seen` may hold keys that
 * are gone and is only good for tdestroy. */
static char *read_key(struct yaml_reader *r, yaml_event_t *event, void **seen)
{
    int line = (int)event->start_mark.line + 1;
    if (event->type != YAML_SCALAR_EVENT) {
        yaml_event_delete(event);
        return error_set(r->e, "%s: line %d: found a key that is not plain text", r->file, line), NULL;
    }
    char *key = memory_text((const char *)event->data.scalar.value);
    yaml_event_delete(event);
    char **place = tsearch(key, seen, by_text);
    if (!place) error_set(r->e, "%s: no memory for its keys", r->file);
    else if (*place != key) error_set(r->e, "%s: line %d: found the key '%s' twice; needed: once", r->file, line, key);
    if (!error_is_set(r->e) && !next(r, event)) return key;
    memory_free(key);
    return NULL;
}

/* Items of a list or entries of a map up to its end; `seen`: the keys of the map so far. */
static int read_items(struct yaml_reader *r, struct yaml_node *n, yaml_event_type_t end, int depth, void **seen)
{
    yaml_event_t event;
    for (;;) {
        if (next(r, &event)) return -1;
        if (event.type == end) return yaml_event_delete(&event), 0;
        int line = (int)event.start_mark.line + 1;
        char *key = n->kind == YAML_MAP ? read_key(r, &event, seen) : NULL;
        if (n->kind == YAML_MAP && !key) return -1;
        struct yaml_node *item = read_node(r, &event, depth + 1);
        yaml_event_delete(&event);
        if (!item) {
            memory_free(key);
            return -1;
        }
        append(n, item, key, line);
    }
}

static struct yaml_node *read_node(struct yaml_reader *r, const yaml_event_t *start, int depth)
{
    int line = (int)start->start_mark.line + 1, bad = 0;
    struct yaml_node *n = NULL;
    void *seen = NULL;
    if (depth > DEPTH) return error_set(r->e, "%s: line %d: nested more than %d deep", r->file, line, DEPTH), NULL;
    switch (start->type) {
    case YAML_SCALAR_EVENT:
        n = new_node(YAML_SCALAR, start);
        n->text = memory_text((const char *)start->data.scalar.value);
        return n;
    case YAML_SEQUENCE_START_EVENT:
        n = new_node(YAML_LIST, start);
        bad = read_items(r, n, YAML_SEQUENCE_END_EVENT, depth, &seen);
        break;
    case YAML_MAPPING_START_EVENT:
        n = new_node(YAML_MAP, start);
        bad = read_items(r, n, YAML_MAPPING_END_EVENT, depth, &seen);
        break;
    case YAML_ALIAS_EVENT:
        return error_set(r->e, "%s: line %d: YAML aliases are not used here: write the value out", r->file, line), NULL;
    default: return error_set(r->e, "%s: line %d: found no value", r->file, line), NULL;
    }
    tdestroy(seen, leave);
    if (bad) node_free(n), n = NULL;
    return n;
}

void node_append(struct yaml_node *parent, const char *key, struct yaml_node *item)
{
    append(parent, item, parent->kind == YAML_MAP ? memory_text(key) : NULL, item->line);
}

struct yaml_node *node_parse(const char *file, const char *text, struct error *e)
{
    struct yaml_reader r = {.file = file, .e = e};
    struct yaml_node *root = NULL;
    if (!yaml_parser_initialize(&r.parser)) return error_set(e, "%s: no memory for the YAML parser", file), NULL;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, strlen(text));
    for (int done = 0; !done;) {
        yaml_event_t event;
        if (next(&r, &event)) break;
        yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_END_EVENT) done = 1;
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT) {
            if (root) error_set(e, "%s: line %zu: found a second document; needed: one", file, event.start_mark.line + 1);
            else root = read_node(&r, &event, 0);
            if (!root || error_is_set(e)) done = 1;
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&r.parser);
    if (!root) error_set(e, "%s: is empty; needed: a study in YAML", file);
    if (error_is_set(e)) {
        node_free(root);
        return NULL;
    }
    return root;
}

void node_free(struct yaml_node *n)
{
    if (!n) return;
    for (int i = 0; i < n->n; i++) {
        node_free(n->item[i]);
        if (n->key) memory_free(n->key[i]);
    }
    memory_free_all(n->text, n->item, n->key, n->key_line, n);
}

const struct yaml_node *node_find(const struct yaml_node *map, const char *key)
{
    for (int i = 0; i < map->n; i++)
        if (map->kind == YAML_MAP && !strcmp(map->key[i], key)) return map->item[i];
    return NULL;
}

char *text_file_read(const char *path, size_t limit, struct error *e)
{
    struct stat s;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &s)) {
        error_set(e, "%s: cannot be read: %s", path, strerror(errno));
        if (f) fclose(f);
        return NULL;
    }
    if (!S_ISREG(s.st_mode) || (size_t)s.st_size > limit) {
        fclose(f);
        return error_set(e, "%s: found %s; needed: a text file of at most %zu bytes", path,
                         S_ISREG(s.st_mode) ? "a larger file" : "no regular file", limit),
               NULL;
    }
    char *text = memory_allocate((size_t)s.st_size + 1, 1, "text file");
    size_t n = fread(text, 1, (size_t)s.st_size, f);
    fclose(f);
    if (n != (size_t)s.st_size || memchr(text, '\0', n)) {
        memory_free(text);
        return error_set(e, "%s: is not a text file (byte 0 found)", path), NULL;
    }
    return text;
}
