/* What all models share: the registry, option values, the layout of a row. */
#include "models/model.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define MODEL(class) extern const struct model_class class;
#include "models/models.def"
#undef MODEL

const struct model_class *const *model_classes(void)
{
    static const struct model_class *const all[] = {
#define MODEL(class) &class,
#include "models/models.def"
#undef MODEL
        NULL,
    };
    return all;
}

const struct model_class *model_class_find(const char *kind)
{
    for (const struct model_class *const *c = model_classes(); *c; c++)
        if (!strcmp((*c)->name, kind)) return *c;
    return NULL;
}

static const struct value *find(const struct values *v, const char *key, enum option_type type)
{
    for (int i = 0; i < v->n; i++)
        if (!strcmp(v->options[i].key, key)) {
            require(v->options[i].type == type);
            return &v->value[i];
        }
    require_failed("the option is in the class's table", key, 0);
}

long values_int(const struct values *v, const char *key)
{
    return (long)find(v, key, OPTION_INT)->number;
}
double values_real(const struct values *v, const char *key)
{
    return find(v, key, OPTION_REAL)->number;
}
bool values_bool(const struct values *v, const char *key)
{
    return find(v, key, OPTION_BOOL)->number != 0;
}
const char *values_word(const struct values *v, const char *key)
{
    return find(v, key, OPTION_WORD)->word;
}

const int *values_list(const struct values *v, const char *key, int *n)
{
    const struct value *x = find(v, key, OPTION_INTS);
    *n = x->n;
    return x->list;
}

void values_set(struct values *v, const char *key, double number)
{
    for (int i = 0; i < v->n; i++)
        if (!strcmp(v->options[i].key, key)) v->value[i].number = number;
}

static size_t field_size(const struct field *f)
{
    size_t n = 1;
    for (int d = 0; d < f->rank; d++) n *= (size_t)f->size[d];
    return n;
}

size_t layout_record(const struct layout *l)
{
    size_t n = 0;
    for (int i = 0; i < l->fields; i++) n += field_size(&l->field[i]);
    return n;
}

void layout_field(struct layout *l, const char *name, int rank, int size0, int size1, bool per_seed, const char *unit,
                  const char *meaning)
{
    require(l->fields < (int)(sizeof l->field / sizeof *l->field));
    l->field[l->fields++] = (struct field){name, unit, meaning, rank, {size0, size1, 1}, per_seed};
}

void layout_cube(struct layout *l, const char *name, int size0, int size1, int size2, bool per_seed, const char *unit,
                 const char *meaning)
{
    layout_field(l, name, 3, size0, size1, per_seed, unit, meaning);
    l->field[l->fields - 1].size[2] = size2;
}

void layout_constant(struct layout *l, const char *name, int n, const double *value, const char *unit, const char *meaning)
{
    require(l->constants < (int)(sizeof l->constant / sizeof *l->constant));
    double *copy = memory_array(double, n, name);
    memcpy(copy, value, sizeof(double) * (size_t)n);
    l->constant[l->constants++] = (struct constant){name, unit, meaning, n, copy};
}

void layout_free(struct layout *l)
{
    for (int i = 0; i < l->constants; i++) memory_free((void *)(uintptr_t)l->constant[i].value);
    l->constants = 0;
}
