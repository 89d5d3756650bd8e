/* Sweeps from the command line: `models.transformer.blocks=1,2,4` over a study file, expanded into one study or many. */
#ifndef STUDY_SWEEP_H
#define STUDY_SWEEP_H

#include <stdbool.h>

#include "base/error.h"

enum { SWEEP_KEYS = 16, SWEEP_VALUES = 256 };
struct sweep_key {
    char *path; /* "models.transformer.blocks", "window", "ridge.to" */
    int n;
    char *value[SWEEP_VALUES]; /* YAML, as written */
};
struct sweep {
    int n;
    struct sweep_key key[SWEEP_KEYS];
};

/* Add PATH=VALUE,VALUE,...; commas inside brackets do not separate. */
int sweep_add(struct sweep *s, const char *argument, struct error *e);
void sweep_free(struct sweep *s);
long sweep_members(const struct sweep *s); /* the product of the values */

/* The study's YAML with every key set to all of its values: a list of several where a model or `window` may be swept (the last one fastest).
 * memory_free. NULL and *e for a path that is not there or a root key that takes one value per study. */
char *sweep_one(const char *file, const char *text, const struct sweep *s, struct error *e);
/* Member `which` (from 0) as a study of its own: its values set, name and output marked with them. name [256]: "blocks=2.seed=1". */
char *sweep_member(const char *file, const char *text, const struct sweep *s, long which, char *name, struct error *e);
/* The study's YAML with the models of the kinds that `keep` says yes to, which may be none. memory_free; NULL and *e if it is no YAML. */
char *sweep_keep(const char *file, const char *text, bool (*keep)(const char *kind), struct error *e);

#endif
