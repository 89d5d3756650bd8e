/* What a results file holds of a model, written from its layout and read back. */
#include "results_schema.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { PATH = 700, HELD_RANK = 2 };

/* ---- writing ---- */

/* A constant by its name, or once more by its dimension's: its coordinates. */
static int write_constant(struct hdf *f, const char *group, const struct constant *c, const char *name, struct error *e)
{
    char path[PATH];
    int64_t n = c->n;
    snprintf(path, sizeof path, "%s/%s", group, name);
    if (hdf_exists(f, path)) return 0; /* two constants along one dimension */
    hdf_write(f, path, HDF_FLOAT64, 1, &n, c->value, e);
    return hdf_describe(f, path, c->unit, c->meaning, 1, &c->dimension, e);
}

static int write_seeds(struct hdf *f, const char *group, const struct layout *l, struct error *e)
{
    bool any = l->seeds > 1;
    double *seed = memory_array(double, l->seeds, "seeds");
    for (int s = 0; s < l->seeds; s++) seed[s] = s;
    for (int k = 0; k < l->fields; k++) any = any || l->field[k].per_seed;
    if (any)
        write_constant(f, group,
                       &(struct constant){.name = "seed",
                                          .unit = "1",
                                          .meaning = "number of the seed, from 0",
                                          .dimension = "seed",
                                          .n = l->seeds,
                                          .value = seed},
                       "seed", e);
    memory_free(seed);
    return error_is_set(e) ? -1 : 0;
}

int schema_write(struct hdf *f, const char *group, const struct layout *l, int P, const int64_t *dates, struct error *e)
{
    char path[PATH], *names[LAYOUT_FIELDS];
    snprintf(path, sizeof path, "%s/date", group);
    hdf_write_dates(f, path, P, dates, e);
    write_seeds(f, group, l, e);
    for (int i = 0; i < l->constants; i++) {
        const struct constant *c = &l->constant[i];
        if (strcmp(c->name, c->dimension)) write_constant(f, group, c, c->dimension, e);
        write_constant(f, group, c, c->name, e);
        names[i] = (char *)(uintptr_t)c->name;
    }
    if (l->constants) hdf_put_texts(f, group, "constants", l->constants, names, e);
    for (int i = 0; i < l->fields; i++) names[i] = (char *)(uintptr_t)l->field[i].name;
    hdf_put_texts(f, group, "fields", l->fields, names, e);
    return hdf_put_int(f, group, "seeds", l->seeds, e);
}

int schema_write_field(struct hdf *f, const char *group, const struct layout *l, int k, int P, const double *data,
                       struct error *e)
{
    const struct field *field = &l->field[k];
    const char *dimension[HDF_DIMENSIONS] = {"date", "seed"};
    char path[PATH];
    int64_t size[HDF_DIMENSIONS] = {P, l->seeds};
    int rank = 1 + field->per_seed;
    for (int d = 0; d < field_rank(field); d++, rank++)
        dimension[rank] = field->dim[d].name, size[rank] = field->dim[d].size;
    snprintf(path, sizeof path, "%s/%s", group, field->name);
    hdf_write(f, path, HDF_FLOAT64, rank, size, data, e);
    return hdf_describe(f, path, field->unit, field->meaning, rank, dimension, e);
}

/* ---- reading ---- */

/* The dimensions that FORMATS.md gives these names. */
static const struct published {
    const char *name, *dimension[HDF_DIMENSIONS];
} published[] = {
    {"returns", {"date"}},
    {"selected_ridge", {"date"}},
    {"symmetric_returns", {"date"}},
    {"antisymmetric_returns", {"date"}},
    {"loo_loss", {"date", "ridge"}},
    {"returns_by_ridge", {"date", "ridge"}},
    {"returns_by_heads", {"date", "ridge", "head"}},
    {"returns_by_seed", {"date", "seed"}},
    {"restarts", {"date", "seed"}},
    {"training_loss", {"date", "seed", "epoch"}},
    {"lag_weights", {"date", "seed", "lag"}},
    {"sector_attention", {"date", "seed", "sector", "attended_sector"}},
    {"attention", {"date", "seed", "head", "asset", "attended_asset"}},
    {"ridge", {"ridge"}},
    {"heads", {"head"}},
    {"attention_assets", {"asset"}},
};
enum { PUBLISHED = sizeof published / sizeof *published };

static const struct published *find_published(const char *name)
{
    for (int i = 0; i < PUBLISHED; i++)
        if (!strcmp(published[i].name, name)) return &published[i];
    return NULL;
}

/* Names for the dimensions of x: the dataset's own, else FORMATS.md's, which must agree where both are there. */
static int name_dimensions(struct hdf *f, const char *path, bool by_date, struct result_field *x, struct error *e)
{
    const struct published *p = find_published(x->name);
    int n = 0, needed = 0;
    char **own = NULL;
    bool named = hdf_has_attribute(f, path, HDF_DIMENSION_NAMES);
    if (named && hdf_get_texts(f, path, HDF_DIMENSION_NAMES, &n, &own, e)) return -1;
    while (p && needed < HDF_DIMENSIONS && p->dimension[needed]) needed++;
    if (p && needed != x->rank)
        error_set(e, "%s: dataset %s has %d dimensions; %d are needed", hdf_path(f), path, x->rank, needed);
    else if (named && n != x->rank)
        error_set(e, "%s: dataset %s has %d dimensions; %d are named", hdf_path(f), path, x->rank, n);
    for (int d = 0; d < x->rank && !error_is_set(e); d++) {
        const char *name = named ? own[d] : p ? p->dimension[d] : d ? "" : by_date ? "date" : x->name;
        bool misplaced = !strcmp(name, "date") != (by_date && d == 0) || (!strcmp(name, "seed") && !(by_date && d == 1));
        if ((p && strcmp(name, p->dimension[d])) || misplaced || strlen(name) >= RESULTS_NAME)
            error_set(e, "%s: dataset %s: found '%.100s' as dimension %d; needed: %s", hdf_path(f), path, name, d,
                      p               ? p->dimension[d]
                      : by_date && !d ? "date"
                                      : "a name shorter than 32 letters, neither date nor seed");
        else strcpy(x->dim[d].name, name);
    }
    if (own) texts_free(n, own);
    x->per_seed = x->rank > 1 && !strcmp(x->dim[1].name, "seed");
    return error_is_set(e) ? -1 : 0;
}

/* Sizes of x: P dates (none in a skeleton), the model's seeds, and for the others what the fields before it say. */
static int check_sizes(struct hdf *f, const char *path, const struct result_model *m, int P, bool rows,
                       struct result_field *x, const int64_t *size, struct error *e)
{
    int most = 1;
    for (int d = 0; d < x->rank; d++) {
        bool date = !strcmp(x->dim[d].name, "date"), seed = !strcmp(x->dim[d].name, "seed");
        int64_t needed = date ? (rows ? P : 0) : seed && m->seeds ? m->seeds : -1;
        if (needed < 0 && *x->dim[d].name && results_size(m, x->dim[d].name)) needed = results_size(m, x->dim[d].name);
        if (needed >= 0 && size[d] != needed)
            return error_set(e, "%s: dataset %s: found %lld entries along %s; needed: %lld", hdf_path(f), path,
                             (long long)size[d], x->dim[d].name, (long long)needed);
        if (!date && (size[d] > INT_MAX || (!seed && __builtin_mul_overflow(most, (int)size[d], &most))))
            return error_set(e, "%s: dataset %s declares rows of more than %d values; fewer are needed", hdf_path(f), path,
                             INT_MAX);
        x->dim[d].size = date ? P : (int)size[d];
    }
    return 0;
}

static int read_field(struct hdf *f, const char *group, const char *name, bool by_date, int P, bool rows,
                      struct result_model *m, struct error *e)
{
    char path[PATH];
    int64_t size[HDF_DIMENSIONS];
    snprintf(path, sizeof path, "%s/%s", group, name);
    if (results_field(m, name))
        return error_set(e, "%s: attribute fields of %s: found '%s' twice; needed: once", hdf_path(f), group, name);
    struct result_field x = {.name = (char *)(uintptr_t)name};
    if (hdf_shape(f, path, HDF_FLOAT64, &x.rank, size, e)) return -1;
    if (!by_date && x.rank != 1)
        return error_set(e, "%s: dataset %s has %d dimensions; 1 is needed", hdf_path(f), path, x.rank);
    if (x.rank < 1) return error_set(e, "%s: dataset %s has no dimension; date is needed", hdf_path(f), path);
    if (name_dimensions(f, path, by_date, &x, e) || check_sizes(f, path, m, P, rows, &x, size, e)) return -1;
    struct result_field *kept = results_add(m, name);
    x.name = kept->name;
    *kept = x;
    if (by_date && (!rows || x.rank - 1 - x.per_seed > HELD_RANK)) return 0;
    kept->values = memory_array(double, result_field_row(kept) * (by_date ? (size_t)P : 1), name);
    return hdf_read(f, path, HDF_FLOAT64, kept->values, e);
}

/* The names that the group lists, or those of FORMATS.md that it has; *n at most `most`. texts_free. */
static int list_names(struct hdf *f, const char *group, const char *list, bool by_date, int most, int *n, char ***names,
                      struct error *e)
{
    if (hdf_has_attribute(f, group, list)) {
        if (hdf_get_texts(f, group, list, n, names, e)) return -1;
    } else {
        *names = memory_array(char *, PUBLISHED, "names"), *n = 0;
        for (int i = 0; i < PUBLISHED; i++) {
            char path[PATH];
            snprintf(path, sizeof path, "%s/%s", group, published[i].name);
            if (!strcmp(published[i].dimension[0], "date") == by_date && hdf_exists(f, path))
                (*names)[(*n)++] = memory_text(published[i].name);
        }
    }
    if (*n <= most && (!by_date || (*n && !strcmp((*names)[0], "returns")))) return 0;
    error_set(e, "%s: attribute %s of %s: found %d names; needed: %s%d%s", hdf_path(f), list, group, *n,
              by_date ? "1 to " : "at most ", most, by_date ? ", 'returns' first" : "");
    texts_free(*n, *names);
    return -1;
}

int schema_read(struct hdf *f, const char *group, int P, bool rows, struct result_model *m, struct error *e)
{
    for (int k = 0; k < 2 && !error_is_set(e); k++) {
        int n;
        char **names;
        if (list_names(f, group, k ? "fields" : "constants", k, k ? LAYOUT_FIELDS : LAYOUT_CONSTANTS, &n, &names, e))
            return -1;
        for (int i = 0; i < n && !error_is_set(e); i++) read_field(f, group, names[i], k, P, rows, m, e);
        texts_free(n, names);
    }
    return error_is_set(e) ? -1 : 0;
}
