/* (Functions are named node_*: libyaml owns yaml_*.)
 * YAML text to a tree of nodes with line numbers (libyaml does the parsing). Aliases and multiple documents are refused. */
#ifndef IO_YAML_H
#define IO_YAML_H

#include <stddef.h>

#include "base/error.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };
struct yaml_node {
    enum yaml_kind kind;
    int line;                /* 1-based */
    char *text;              /* scalar */
    int n;                   /* list or map entries */
    struct yaml_node **item; /* [n] list items or map values */
    char **key;              /* [n] map keys, in file order; duplicates are an error */
    int *key_line;
};

/* Parse text; `file` is for messages. NULL and *e on a syntax error (with line and column). Free with node_free. */
struct yaml_node *node_parse(const char *file, const char *text, struct error *e);
void node_free(struct yaml_node *n);
const struct yaml_node *node_find(const struct yaml_node *map, const char *key); /* NULL: absent */

/* Append to a list or, under a key, to a map; the parent owns item. */
void node_append(struct yaml_node *parent, const char *key, struct yaml_node *item);

/* The whole of a text file (memory_free); files above `limit` bytes or with NUL bytes are refused. */
char *text_file_read(const char *path, size_t limit, struct error *e);

#endif
