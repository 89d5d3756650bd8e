/* Option values of a model entry: text to number, range checks, sweeps. */
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

static int word_allowed(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (!strncmp(w, word, n) && (w[n] == '|' || !w[n])) return 1;
    return 0;
}

int number_parse(const char *text, bool whole, double low, double high, double *out)
{
    return number_real(text, low, high, out) && (!whole || *out == floor(*out)) ? 0 : -1;
}

static int bool_parse(const char *text, double *out)
{
    if (!strcmp(text, "true") || !strcmp(text, "yes")) return *out = 1, 0;
    if (!strcmp(text, "false") || !strcmp(text, "no")) return *out = 0, 0;
    return -1;
}

/* What an option takes, in words. */
static void needs(const struct model_option *o, char *out, size_t size)
{
    if (o->type == OPTION_BOOL) snprintf(out, size, "true or false");
    else if (o->type == OPTION_WORD) snprintf(out, size, "%s%s", o->words ? "one of " : "text", o->words ? o->words : "");
    else
        snprintf(out, size, "%s from %g to %g",
                 o->type == OPTION_REAL  ? "a number"
                 : o->type == OPTION_INT ? "a whole number"
                                         : "whole numbers",
                 o->low, o->high);
}

static int scalar_parse(const struct model_option *o, const char *text, struct value *v)
{
    switch (o->type) {
    case OPTION_INT:
    case OPTION_REAL: return number_parse(text, o->type == OPTION_INT, o->low, o->high, &v->number);
    case OPTION_BOOL: return bool_parse(text, &v->number);
    case OPTION_WORD:
        if (o->words && !word_allowed(o->words, text)) return -1;
        v->word = memory_text(text);
        return 0;
    default: return -1;
    }
}

static int list_parse(const struct model_option *o, const struct yaml_node *n, struct value *v)
{
    v->n = n->n;
    v->list = memory_array(int, n->n, o->key);
    for (int i = 0; i < n->n; i++) {
        double x;
        if (n->item[i]->kind != YAML_SCALAR || number_parse(n->item[i]->text, true, o->low, o->high, &x)) return -1;
        v->list[i] = (int)x;
    }
    return 0;
}

int alternatives(const struct model_option *o, const struct yaml_node *n)
{
    if (!n || n->kind != YAML_LIST) return 1;
    if (o->type != OPTION_INTS) return n->n;
    for (int i = 0; i < n->n; i++)
        if (n->item[i]->kind == YAML_LIST) return n->n;
    return 1;
}

int option_parse(const char *place, const struct model_option *o, const struct yaml_node *node, int which, struct value *v,
                 struct error *e)
{
    const struct yaml_node *n =
        node && node->kind == YAML_LIST && (o->type != OPTION_INTS || alternatives(o, node) > 1) ? node->item[which] : node;
    char need[160];
    *v = (struct value){0};
    needs(o, need, sizeof need);
    if (!n) {
        if (!o->fallback) return error_set(e, "%s: '%s' is missing; needed: %s (%s)", place, o->key, need, o->help);
        if (o->type == OPTION_INTS) { /* "[]" or "[1, 2]" */
            struct error ignored = {""};
            struct yaml_node *list = node_parse("default", o->fallback, &ignored);
            int bad = !list || list_parse(o, list, v);
            node_free(list);
            return bad ? error_set(e, "%s: default of '%s' is not a list", place, o->key) : 0;
        }
        return scalar_parse(o, o->fallback, v) ? error_set(e, "%s: default of '%s' is out of its range", place, o->key) : 0;
    }
    int bad = o->type == OPTION_INTS ? n->kind != YAML_LIST || list_parse(o, n, v)
                                     : n->kind != YAML_SCALAR || scalar_parse(o, n->text, v);
    if (!bad) return 0;
    return error_set(e, "%s: line %d: %s: found %s; needed: %s", place, n->line, o->key,
                     n->kind == YAML_SCALAR ? n->text
                     : n->kind == YAML_LIST ? "a list with something else in it"
                                            : "a map",
                     need);
}

void option_text(const struct model_option *o, const struct value *v, char separator, char *out, size_t size)
{
    size_t at = 0;
    switch (o->type) {
    case OPTION_INT: snprintf(out, size, "%.0f", v->number); break;
    case OPTION_REAL: snprintf(out, size, "%.15g", v->number); break;
    case OPTION_BOOL: snprintf(out, size, "%s", v->number != 0 ? "true" : "false"); break;
    case OPTION_WORD: snprintf(out, size, "%s", v->word); break;
    case OPTION_INTS:
        snprintf(out, size, "%s", "");
        for (int i = 0; i < v->n && at < size; i++) {
            at += (size_t)snprintf(out + at, size - at, "%s%d", i ? (char[]){separator, 0} : "", v->list[i]);
        }
        break;
    }
}

void values_free(struct values *v)
{
    for (int i = 0; i < v->n && v->value; i++) {
        memory_free(v->value[i].word);
        memory_free(v->value[i].list);
    }
    memory_free(v->value);
    v->value = NULL;
}
