#include "io/results_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/hdf.h"
#include "io/parts.h"
#include "results_rows.h"

enum { MOST_CONSTANTS = 40000 }; /* ridges, or head counts, of a model: the product of the two is an int */

/* What a row of a dataset holds: the product of its sizes after the first `leading`. */
static int row_size(struct hdf *f, const char *path, int leading, int rank, const int64_t *size, int *out, struct error *e)
{
    *out = 1;
    for (int d = leading; d < rank; d++)
        if (size[d] > INT_MAX || __builtin_mul_overflow(*out, (int)size[d], out))
            return error_set(e, "%s: dataset %s declares rows of more than %d values; fewer are needed", hdf_path(f), path,
                             INT_MAX);
    return 0;
}

/* A dataset of doubles with P rows, if there: what its other sizes multiply to is taken from the file into *found. */
static double *load(struct hdf *f, const char *group, const char *name, int P, int *found, struct error *e)
{
    char path[640];
    int rank;
    int64_t size[HDF_DIMENSIONS];
    *found = 0;
    snprintf(path, sizeof path, "%s/%s", group, name);
    if (!hdf_exists(f, path) || hdf_shape(f, path, HDF_FLOAT64, &rank, size, e)) return NULL;
    if (rank < 1 || size[0] != P)
        return error_set(e, "%s: %s: found %lld rows; needed: %d, one per date", hdf_path(f), path,
                         (long long)(rank ? size[0] : 0), P),
               NULL;
    if (row_size(f, path, 1, rank, size, found, e)) return NULL;
    double *data = memory_array(double, (size_t)P *(size_t)*found, name);
    if (hdf_read(f, path, HDF_FLOAT64, data, e)) memory_free(data), data = NULL;
    return data;
}

/* Whether the other sizes of a dataset multiply to what the model's constants say. */
static int check_size(struct hdf *f, const char *group, const char *name, int found, int needed, struct error *e)
{
    if (found == needed) return 0;
    return error_set(e, "%s: %s/%s: found %d values a row; needed: %d", hdf_path(f), group, name, found, needed);
}

static double *load_constant(struct hdf *f, const char *group, const char *name, int *n, struct error *e)
{
    char path[640];
    int64_t size;
    snprintf(path, sizeof path, "%s/%s", group, name);
    *n = 0;
    if (!hdf_exists(f, path) || hdf_line(f, path, HDF_FLOAT64, -1, &size, e)) return NULL;
    if (size > MOST_CONSTANTS)
        return error_set(e, "%s: dataset %s has %lld entries; at most %d are possible", hdf_path(f), path, (long long)size,
                         MOST_CONSTANTS),
               NULL;
    double *data = memory_array(double, size, name);
    if (hdf_read(f, path, HDF_FLOAT64, data, e)) memory_free(data), data = NULL;
    *n = (int)size;
    return data;
}

/* The fields that struct result_model keeps: where, and how many values a row (a fit, where it is per seed) has. */
enum { KNOWN_FIELDS = 9, ANY = -1 };
struct known_field {
    const char *name;
    double **to;
    int needed; /* ANY: as many as there are */
    bool per_seed;
};
static void known_fields(struct result_model *m, struct known_field out[KNOWN_FIELDS])
{
    const struct known_field all[KNOWN_FIELDS] = {{"returns", &m->returns, 1, false},
                                                  {"selected_ridge", &m->selected_ridge, 1, false},
                                                  {"loo_loss", &m->loo_loss, m->nz, false},
                                                  {"returns_by_ridge", &m->returns_by_ridge, m->nz, false},
                                                  {"returns_by_heads", &m->returns_by_heads, m->nz * m->nh, false},
                                                  {"symmetric_returns", &m->symmetric_returns, 1, false},
                                                  {"antisymmetric_returns", &m->antisymmetric_returns, 1, false},
                                                  {"returns_by_seed", &m->returns_by_seed, 1, true},
                                                  {"training_loss", &m->training_loss, ANY, true}};
    memcpy(out, all, sizeof all);
}

static int load_finished(struct hdf *f, const char *group, int P, struct result_model *m, struct error *e)
{
    struct known_field field[KNOWN_FIELDS];
    char path[640];
    known_fields(m, field);
    for (int i = 0; i < KNOWN_FIELDS; i++) {
        const struct known_field *k = &field[i];
        int size, fits = k->per_seed ? m->S : 1;
        double *data = *k->to = load(f, group, k->name, P, &size, e);
        if (!data) continue;
        if (k->needed == ANY) m->E = fits ? size / fits : 0;
        if (check_size(f, group, k->name, size, fits * (k->needed == ANY ? m->E : k->needed), e)) return -1;
    }
    m->done = memory_array(uint8_t, P, "done flags");
    snprintf(path, sizeof path, "%s/done", group);
    if (!error_is_set(e) && !m->returns) error_set(e, "%s: %s: the dataset 'returns' is missing", hdf_path(f), group);
    if (error_is_set(e) || hdf_line(f, path, HDF_UINT8, P, NULL, e)) return -1;
    return hdf_read(f, path, HDF_UINT8, m->done, e);
}

/* A field that a skeleton declares by an empty dataset: its size, checked against the model's constants. */
static int declared_field(struct hdf *f, const char *group, const char *name, struct result_model *m, struct row_set *rows,
                          struct error *e)
{
    struct known_field field[KNOWN_FIELDS];
    char path[640];
    int rank, size, k = 0;
    int64_t shape[HDF_DIMENSIONS];
    known_fields(m, field);
    while (k < KNOWN_FIELDS && strcmp(field[k].name, name)) k++;
    bool known = k < KNOWN_FIELDS, per_seed = known && field[k].per_seed;
    for (int i = 0; i < rows->fields; i++)
        if (!strcmp(rows->field[i].name, name))
            return error_set(e, "%s: attribute fields of %s: found '%s' twice; needed: once", hdf_path(f), group, name);
    snprintf(path, sizeof path, "%s/%s", group, name);
    if (hdf_shape(f, path, HDF_FLOAT64, &rank, shape, e) || row_size(f, path, 1 + per_seed, rank, shape, &size, e))
        return -1;
    if (known && field[k].needed == ANY) m->E = size;
    else if (known && check_size(f, group, name, size, field[k].needed, e)) return -1;
    rows->field[rows->fields++] = (struct row_field){.name = name, .size = size, .per_seed = per_seed};
    return 0;
}

/* The rows that a skeleton declares take room whether they are finished or not: so much that this machine has. */
static int check_room(struct hdf *f, const char *group, const struct row_set *rows, struct error *e)
{
    double fits = (double)rows->P * rows->S, bytes = 16 * fits;
    char needed[32], found[32];
    const char *limit;
    size_t free_bytes = memory_room(1, &limit);
    for (int i = 0; i < rows->fields; i++) bytes += 16 * fits * rows->field[i].size;
    if (!free_bytes || bytes < (double)free_bytes) return 0;
    return error_set(e, "%s: %s declares %d rows of %d seeds, %s; needed: what fits into the %s that are free", hdf_path(f),
                     group, rows->P, rows->S, format_bytes(bytes, needed), format_bytes((double)free_bytes, found));
}

/* The assembled rows become the model's. */
static void take_rows(struct result_model *m, struct row_set *rows)
{
    struct known_field field[KNOWN_FIELDS];
    known_fields(m, field);
    for (int i = 0; i < rows->fields; i++)
        for (int k = 0; k < KNOWN_FIELDS; k++)
            if (!strcmp(field[k].name, rows->field[i].name)) *field[k].to = rows->field[i].data, rows->field[i].data = NULL;
    m->done = rows->done;
    rows->done = NULL;
    rows_free(rows);
}

/* Rows from the part logs; the skeleton's empty datasets declare the fields. */
static int load_under_way(struct hdf *f, const char *group, int order, struct results *r, const struct part_index *x,
                          struct result_model *m, struct error *e)
{
    struct row_set rows = {.P = r->P, .S = m->S ? m->S : 1};
    int n, most = (int)(sizeof rows.field / sizeof *rows.field);
    char **names;
    int64_t first_row = 0;
    if (hdf_get_texts(f, group, "fields", &n, &names, e)) return -1;
    if (n < 1 || n > most || strcmp(names[0], "returns"))
        error_set(e, "%s: attribute fields of %s: found %d names; needed: 1 to %d, 'returns' first", hdf_path(f), group, n,
                  most);
    if (!error_is_set(e) && !hdf_get_int(f, group, "first_row", &first_row, e) && (first_row < 0 || first_row > r->P))
        error_set(e, "%s: attribute first_row of %s: found %lld; needed: 0 to %d, the number of dates", hdf_path(f), group,
                  (long long)first_row, r->P);
    for (int i = 0; i < n && !error_is_set(e); i++) declared_field(f, group, names[i], m, &rows, e);
    if (!error_is_set(e) && !check_room(f, group, &rows, e) && !rows_assemble(&rows, x, order, (int)first_row, e))
        take_rows(m, &rows);
    texts_free(n, names);
    return error_is_set(e) ? -1 : 0;
}

static int load_model(struct hdf *f, const char *universe, const char *name, struct results *r, const struct part_index *x,
                      struct error *e)
{
    char group[512];
    int64_t order = 0, seeds = 1;
    snprintf(group, sizeof group, "models/%s/%s", universe, name);
    if (hdf_get_int(f, group, "order", &order, e)) return -1;
    if (order < 0 || order >= r->models || r->model[order].name)
        return error_set(e, "%s: %s: found order %lld; needed: each of 0 .. %d once", hdf_path(f), group, (long long)order,
                         r->models - 1);
    struct result_model *m = &r->model[order];
    m->universe = memory_text(universe);
    m->name = memory_text(name);
    hdf_get_text(f, group, "kind", &m->kind, e);
    if (hdf_has_attribute(f, group, "seeds")) hdf_get_int(f, group, "seeds", &seeds, e);
    if (!error_is_set(e) && (seeds < 1 || seeds > 1000000))
        error_set(e, "%s: attribute seeds of %s: found %lld; needed: 1 or more", hdf_path(f), group, (long long)seeds);
    m->ridge = load_constant(f, group, "ridge", &m->nz, e);
    m->heads = load_constant(f, group, "heads", &m->nh, e);
    char by_seed[600];
    snprintf(by_seed, sizeof by_seed, "%s/returns_by_seed", group);
    m->S = hdf_exists(f, by_seed) ? (int)seeds : 0;
    if (error_is_set(e)) return -1;
    return x ? load_under_way(f, group, (int)order, r, x, m, e) : load_finished(f, group, r->P, m, e);
}

static int load_models(struct hdf *f, struct results *r, const struct part_index *x, struct error *e)
{
    int nu, nm;
    char **universe, **name;
    if (hdf_list(f, "models", &nu, &universe, e)) return -1;
    for (int pass = 0; pass < 2 && !error_is_set(e); pass++) {
        if (pass) r->model = memory_array(struct result_model, r->models, "models");
        for (int u = 0; u < nu && !error_is_set(e); u++) {
            char group[256];
            snprintf(group, sizeof group, "models/%s", universe[u]);
            if (hdf_list(f, group, &nm, &name, e)) break;
            if (!pass) r->models += nm;
            for (int i = 0; pass && i < nm && !error_is_set(e); i++) load_model(f, universe[u], name[i], r, x, e);
            texts_free(nm, name);
        }
    }
    texts_free(nu, universe);
    return error_is_set(e) ? -1 : 0;
}

static int load_header(struct hdf *f, struct results *r, struct error *e)
{
    int64_t P, ppy;
    if (hdf_check_format(f, "results", RESULTS_FORMAT_VERSION, e) || hdf_get_int(f, "/", "periods_per_year", &ppy, e) ||
        hdf_line(f, "dates", HDF_INT64, -1, &P, e))
        return -1;
    if (P > INT_MAX / 1000)
        return error_set(e, "%s: dataset dates has %lld entries; at most %d are possible", r->path, (long long)P,
                         INT_MAX / 1000);
    if (ppy < 1 || ppy > 1000000)
        return error_set(e, "%s: attribute periods_per_year: found %lld; needed: 1 or more", r->path, (long long)ppy);
    r->periods_per_year = (int)ppy;
    r->P = (int)P;
    r->dates = memory_array(int64_t, r->P, "dates");
    hdf_read(f, "dates", HDF_INT64, r->dates, e);
    hdf_get_text(f, "/", "study", &r->study, e);
    hdf_get_text(f, "/", "study_name", &r->study_name, e);
    hdf_get_text(f, "/", "panel", &r->panel, e);
    hdf_get_text(f, "/", "panel_digest", &r->panel_digest, e);
    hdf_get_text(f, "/", "program", &r->program, e);
    if (hdf_has_attribute(f, "/", "placebo")) {
        char *placebo = NULL;
        struct error found = {""};
        if (!hdf_get_text(f, "/", "placebo", &placebo, e) && placebo_parse(placebo, &r->placebo, &found))
            error_set(e, "%s: root attribute %s", hdf_path(f), found.text);
        memory_free(placebo);
    }
    if (hdf_exists(f, "truth/sdf_returns")) {
        int n;
        r->truth = load(f, "truth", "sdf_returns", r->P, &n, e);
        if (r->truth) check_size(f, "truth", "sdf_returns", n, 1, e);
    }
    if (hdf_exists(f, "test_assets/returns")) {
        char *source = NULL;
        r->test_assets = load(f, "test_assets", "returns", r->P, &r->M, e);
        int columns = r->M;
        hdf_read_texts(f, "test_assets/names", &r->M, &r->test_asset_names, e);
        if (!error_is_set(e)) check_size(f, "test_assets", "names", r->M, columns, e);
        if (!hdf_get_text(f, "test_assets", "source", &source, e))
            r->test_assets_are_factors = !strncmp(source, "managed", 7);
        memory_free(source);
    }
    return error_is_set(e) ? -1 : 0;
}

/* The root attributes that say how it was made, for info. */
static void load_record(struct hdf *f, struct results *r)
{
    static const char *const names[] = {
        "placebo", "program", "libraries", "blas",    "ranks",       "hosts", "started",      "finished",       "starts",
        "history", "job",     "requeues",  "seconds", "fits_failed", "panel", "panel_digest", "memory_per_rank"};
    size_t n = sizeof names / sizeof *names;
    r->attribute_name = memory_array(char *, n, "record");
    r->attribute_text = memory_array(char *, n, "record");
    for (size_t i = 0; i < n; i++) {
        struct error ignored = {""};
        char *text = NULL;
        if (!hdf_has_attribute(f, "/", names[i]) || hdf_get_text(f, "/", names[i], &text, &ignored)) continue;
        r->attribute_name[r->attributes] = memory_text(names[i]);
        r->attribute_text[r->attributes++] = text;
    }
}

static void count_rows(struct results *r)
{
    for (int i = 0; i < r->models; i++) {
        r->rows_total += r->P;
        for (int p = 0; p < r->P; p++) r->rows_done += r->model[i].done && r->model[i].done[p];
    }
}

int results_load(const char *path, struct results *r, struct error *e)
{
    char parts[4096], skeleton[4200];
    struct part_index x = {0};
    *r = (struct results){.path = memory_text(path)};
    snprintf(parts, sizeof parts, "%s.parts", path);
    snprintf(skeleton, sizeof skeleton, "%s/skeleton.h5", parts);
    r->under_way = access(path, F_OK) != 0 && access(skeleton, F_OK) == 0;
    if (r->under_way && parts_index(parts, 0, 1, &x, e)) goto out;
    struct hdf *f = hdf_open(r->under_way ? skeleton : path, NULL, e);
    if (f) {
        if (!load_header(f, r, e)) load_models(f, r, r->under_way ? &x : NULL, e);
        if (!error_is_set(e)) load_record(f, r), count_rows(r);
        hdf_close(f, e);
    }
    parts_free(&x);
out:
    if (error_is_set(e)) {
        results_free(r);
        return -1;
    }
    return 0;
}

static void model_free(struct result_model *m)
{
    void *const all[] = {m->universe,
                         m->name,
                         m->kind,
                         m->returns,
                         m->done,
                         m->ridge,
                         m->selected_ridge,
                         m->loo_loss,
                         m->returns_by_ridge,
                         m->heads,
                         m->returns_by_heads,
                         m->symmetric_returns,
                         m->antisymmetric_returns,
                         m->returns_by_seed,
                         m->training_loss};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

void results_free(struct results *r)
{
    for (int i = 0; i < r->models && r->model; i++) model_free(&r->model[i]);
    for (int i = 0; i < r->attributes; i++) memory_free(r->attribute_name[i]), memory_free(r->attribute_text[i]);
    if (r->test_asset_names) texts_free(r->M, r->test_asset_names);
    void *const all[] = {r->path,  r->study, r->study_name,  r->panel, r->panel_digest,   r->program,
                         r->dates, r->model, r->test_assets, r->truth, r->attribute_name, r->attribute_text};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    *r = (struct results){0};
}
