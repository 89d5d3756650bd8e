/* Option values of a model entry in a study file. */
#ifndef STUDY_OPTIONS_H
#define STUDY_OPTIONS_H

#include "io/yaml.h"
#include "models/model.h"

/* 0 and *out, or -1: not a number, not whole, out of [low, high]. */
int number_parse(const char *text, bool whole, double low, double high, double *out);
/* How many values a sweep gives this option: 1 where it is no list (or the option itself is a list). node NULL: the default. */
int alternatives(const struct model_option *o, const struct yaml_node *node);
/* The which-th of them. place: "FILE: model 'x'". */
int option_parse(const char *place, const struct model_option *o, const struct yaml_node *node, int which, struct value *v,
                 struct error *e);
/* As text, list items joined by separator. */
void option_text(const struct model_option *o, const struct value *v, char separator, char *out, size_t size);
void values_free(struct values *v);

#endif
