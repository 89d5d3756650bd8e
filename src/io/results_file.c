#include "io/results_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf.h"
#include "io/parts.h"
#include "results_rows.h"

/* A dataset of doubles with P rows, if there: its other sizes must multiply to `size` (0: taken from the file into *found). */
static double *load(struct hdf *f, const char *group, const char *name, int P, int *found, struct error *e)
{
    char path[640];
    int rank;
    int64_t size[HDF_DIMENSIONS];
    snprintf(path, sizeof path, "%s/%s", group, name);
    if (!hdf_exists(f, path) || hdf_shape(f, path, HDF_FLOAT64, &rank, size, e)) return NULL;
    if (size[0] != P)
        return error_set(e, "%s: %s: found %lld rows; needed: %d, one per date", hdf_path(f), path, (long long)size[0], P),
               NULL;
    size_t n = (size_t)P;
    *found = 1;
    for (int d = 1; d < rank; d++) n *= (size_t)size[d], *found *= (int)size[d];
    double *data = memory_array(double, n, name);
    if (hdf_read(f, path, HDF_FLOAT64, data, e)) memory_free(data), data = NULL;
    return data;
}

/* Whether dataset `name` has one dimension (of n entries, unless n < 0). */
static int check_line(struct hdf *f, const char *name, enum hdf_type type, int n, struct error *e)
{
    int rank;
    int64_t size[HDF_DIMENSIONS];
    if (hdf_shape(f, name, type, &rank, size, e)) return -1;
    if (rank != 1) return error_set(e, "%s: %s: found %d dimensions; needed: 1", hdf_path(f), name, rank);
    if (n >= 0 && size[0] != n)
        return error_set(e, "%s: %s: found %lld entries; needed: %d", hdf_path(f), name, (long long)size[0], n);
    return 0;
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
    int rank;
    int64_t size[HDF_DIMENSIONS];
    snprintf(path, sizeof path, "%s/%s", group, name);
    *n = 0;
    if (!hdf_exists(f, path) || check_line(f, path, HDF_FLOAT64, -1, e) || hdf_shape(f, path, HDF_FLOAT64, &rank, size, e))
        return NULL;
    double *data = memory_array(double, size[0], name);
    if (hdf_read(f, path, HDF_FLOAT64, data, e)) memory_free(data), data = NULL;
    *n = (int)size[0];
    return data;
}

/* Where a field of struct result_model keeps its data. */
static double **place_of(struct result_model *m, const char *name)
{
    const struct {
        const char *name;
        double **to;
    } places[] = {{"returns", &m->returns},
                  {"selected_ridge", &m->selected_ridge},
                  {"loo_loss", &m->loo_loss},
                  {"returns_by_ridge", &m->returns_by_ridge},
                  {"returns_by_heads", &m->returns_by_heads},
                  {"symmetric_returns", &m->symmetric_returns},
                  {"antisymmetric_returns", &m->antisymmetric_returns},
                  {"returns_by_seed", &m->returns_by_seed},
                  {"training_loss", &m->training_loss}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(places[i].name, name)) return places[i].to;
    return NULL;
}

static int load_finished(struct hdf *f, const char *group, int P, struct result_model *m, struct error *e)
{
    static const char *const names[] = {
        "returns",           "selected_ridge",        "loo_loss",        "returns_by_ridge", "returns_by_heads",
        "symmetric_returns", "antisymmetric_returns", "returns_by_seed", "training_loss"};
    char path[640];
    int size = 0;
    const int needed[] = {1, 1, m->nz, m->nz, m->nz * m->nh, 1, 1, m->S, 0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double *data = *place_of(m, names[i]) = load(f, group, names[i], P, &size, e);
        if (data && needed[i] && check_size(f, group, names[i], size, needed[i], e)) return -1;
        if (m->training_loss && !strcmp(names[i], "training_loss")) m->E = m->S ? size / m->S : 0;
    }
    m->done = memory_array(uint8_t, P, "done flags");
    snprintf(path, sizeof path, "%s/done", group);
    if (!m->returns) return error_set(e, "%s: %s: the dataset 'returns' is missing", hdf_path(f), group);
    return check_line(f, path, HDF_UINT8, P, e) ? -1 : hdf_read(f, path, HDF_UINT8, m->done, e);
}

/* Rows from the part logs; the skeleton's empty datasets declare the fields. */
static int load_under_way(struct hdf *f, const char *group, int order, struct results *r, const struct part_index *x,
                          struct result_model *m, struct error *e)
{
    struct row_set rows = {.P = r->P, .S = m->S ? m->S : 1};
    int n;
    char **names;
    int64_t first_row = 0;
    if (hdf_get_texts(f, group, "fields", &n, &names, e)) return -1;
    hdf_get_int(f, group, "first_row", &first_row, e);
    for (int i = 0; i < n && i < 16; i++) {
        char path[640];
        int rank;
        int64_t size[HDF_DIMENSIONS];
        snprintf(path, sizeof path, "%s/%s", group, names[i]);
        if (hdf_shape(f, path, HDF_FLOAT64, &rank, size, e)) break;
        int seeded = !strcmp(names[i], "returns_by_seed") || !strcmp(names[i], "training_loss");
        int one = 1;
        for (int d = 1 + seeded; d < rank; d++) one *= (int)size[d];
        rows.field[rows.fields++] = (struct row_field){.name = names[i], .size = one, .per_seed = seeded};
        if (!strcmp(names[i], "training_loss")) m->E = one;
    }
    if (!error_is_set(e) && !rows_assemble(&rows, x, order, (int)first_row, e)) {
        for (int i = 0; i < rows.fields; i++) {
            double **to = place_of(m, rows.field[i].name);
            if (!to) continue;
            *to = rows.field[i].data;
            rows.field[i].data = NULL;
        }
        m->done = rows.done;
        rows.done = NULL;
        rows_free(&rows);
    }
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
    int rank;
    int64_t size[HDF_DIMENSIONS], ppy;
    if (hdf_check_format(f, "results", RESULTS_FORMAT_VERSION, e) || hdf_get_int(f, "/", "periods_per_year", &ppy, e) ||
        check_line(f, "dates", HDF_INT64, -1, e) || hdf_shape(f, "dates", HDF_INT64, &rank, size, e))
        return -1;
    if (ppy < 1 || ppy > 1000000)
        return error_set(e, "%s: attribute periods_per_year: found %lld; needed: 1 or more", r->path, (long long)ppy);
    r->periods_per_year = (int)ppy;
    r->P = (int)size[0];
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
