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

int field_rank(const struct field *f)
{
    int rank = 0;
    while (rank < FIELD_RANK && f->dim[rank].name) rank++;
    return rank;
}

size_t field_size(const struct field *f)
{
    size_t n = 1;
    for (int d = 0; d < field_rank(f); d++) n *= (size_t)f->dim[d].size;
    return n;
}

size_t layout_record(const struct layout *l)
{
    size_t n = 0;
    for (int i = 0; i < l->fields; i++) n += field_size(&l->field[i]);
    return n;
}

void layout_field(struct layout *l, struct field f)
{
    require(l->fields < LAYOUT_FIELDS);
    l->field[l->fields++] = f;
}

void layout_constant(struct layout *l, struct constant c)
{
    require(l->constants < LAYOUT_CONSTANTS);
    double *copy = memory_array(double, c.n, c.name);
    memcpy(copy, c.value, sizeof(double) * (size_t)c.n);
    c.value = copy;
    l->constant[l->constants++] = c;
}

void layout_free(struct layout *l)
{
    for (int i = 0; i < l->constants; i++) memory_free((void *)(uintptr_t)l->constant[i].value);
    l->constants = 0;
}
