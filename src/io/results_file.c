/* Results loaded into memory, finished or under way. */
#include "io/results_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/hdf.h"
#include "io/parts.h"
#include "io/results_read.h"
#include "io/datasets.h"
#include "results_rows.h"
#include "results_schema.h"

/* ---- what a model has ---- */

const struct result_field *results_field(const struct result_model *m, const char *name)
{
    for (int i = 0; i < m->fields; i++)
        if (!strcmp(m->field[i].name, name)) return &m->field[i];
    return NULL;
}

const double *results_values(const struct result_model *m, const char *name)
{
    const struct result_field *x = results_field(m, name);
    return x ? x->values : NULL;
}

int results_size(const struct result_model *m, const char *dimension)
{
    for (int i = 0; i < m->fields; i++)
        for (int d = 0; d < m->field[i].rank; d++)
            if (!strcmp(m->field[i].dim[d].name, dimension)) return m->field[i].dim[d].size;
    return 0;
}

size_t result_field_row(const struct result_field *x)
{
    size_t n = 1;
    for (int d = !strcmp(x->dim[0].name, "date"); d < x->rank; d++) n *= (size_t)x->dim[d].size;
    return n;
}

struct result_field *results_add(struct result_model *m, const char *name)
{
    require(m->fields < (int)(sizeof m->field / sizeof *m->field));
    struct result_field *x = &m->field[m->fields++];
    *x = (struct result_field){.name = memory_text(name)};
    return x;
}

/* ---- loading ---- */

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

/* Rows from the part logs, as the skeleton's fields declare them. */
static int load_rows(struct hdf *f, const char *group, int P, const struct part_index *x, struct result_model *m,
                     struct error *e)
{
    struct row_set rows = {.P = P, .S = m->seeds};
    struct result_field *of[LAYOUT_FIELDS];
    int64_t first_row = 0;
    if (hdf_get_int(f, group, "first_row", &first_row, e)) return -1; /* checked before */
    for (int i = 0; i < m->fields; i++) {
        struct result_field *k = &m->field[i];
        if (k->values) continue; /* a constant */
        int fits = k->per_seed ? m->seeds : 1;
        of[rows.fields] = k;
        rows.field[rows.fields++] =
            (struct row_field){.name = k->name, .size = (int)(result_field_row(k) / (size_t)fits), .per_seed = k->per_seed};
    }
    if (check_room(f, group, &rows, e) || rows_assemble(&rows, x, m->order, (int)first_row, e)) return -1;
    for (int i = 0; i < rows.fields; i++) of[i]->values = rows.field[i].data, rows.field[i].data = NULL;
    m->done = rows.done;
    rows.done = NULL;
    rows_free(&rows);
    return 0;
}

/* Numbers that a model's group carries beside its data: the program's own are in these bounds, in a finished file and under way. */
static int check_attributes(struct hdf *f, const char *group, int P, struct error *e)
{
    const struct {
        const char *name;
        int64_t low, high;
    } known[] = {{"first_row", 0, P}, {"window", 1, INT_MAX}, {"seeds", 1, 1000000}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t found = known[i].low;
        if (!hdf_has_attribute(f, group, known[i].name)) continue;
        if (hdf_get_int(f, group, known[i].name, &found, e)) return -1;
        if (found < known[i].low || found > known[i].high)
            return error_set(e, "%s: attribute %s of %s: found %lld; needed: %lld to %lld", hdf_path(f), known[i].name,
                             group, (long long)found, (long long)known[i].low, (long long)known[i].high);
    }
    return 0;
}

static int load_model(struct hdf *f, const char *universe, const char *name, struct results *r, const struct part_index *x,
                      struct error *e)
{
    char group[512], path[640];
    int64_t order = 0, seeds = 0, P = r->P;
    snprintf(group, sizeof group, "models/%s/%s", universe, name);
    if (hdf_get_int(f, group, "order", &order, e)) return -1;
    if (order < 0 || order >= r->models || r->model[order].name)
        return error_set(e, "%s: %s: found order %lld; needed: each of 0 .. %d once", hdf_path(f), group, (long long)order,
                         r->models - 1);
    struct result_model *m = &r->model[order];
    m->universe = memory_text(universe);
    m->name = memory_text(name);
    m->order = (int)order;
    hdf_get_text(f, group, "kind", &m->kind, e);
    if (!check_attributes(f, group, r->P, e) && hdf_has_attribute(f, group, "seeds"))
        hdf_get_int(f, group, "seeds", &seeds, e);
    m->seeds = (int)seeds;
    if (error_is_set(e) || schema_read(f, group, r->P, !x, m, e)) return -1;
    if (!m->seeds) m->seeds = results_size(m, "seed") ? results_size(m, "seed") : 1;
    snprintf(path, sizeof path, "%s/done", group);
    if (x ? load_rows(f, group, r->P, x, m, e) : !(m->done = hdf_load(f, path, HDF_UINT8, 1, &P, NULL, e))) return -1;
    m->returns = results_values(m, "returns");
    for (int i = 0; i < m->fields; i++)
        if (m->field[i].values && returns_check(r, m, &m->field[i], 0, r->P, m->field[i].values, e)) return -1;
    snprintf(path, sizeof path, "%s/weights", group);
    m->has_weights = !x && hdf_exists(f, path);
    return 0;
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

/* What comes from the panel: test assets, names of assets, the truth of a synthetic one. */
static int load_panel_side(struct hdf *f, struct results *r, struct error *e)
{
    int64_t size[] = {r->P, -1};
    if (hdf_exists(f, "truth/sdf_returns")) r->truth = hdf_load(f, "truth/sdf_returns", HDF_FLOAT64, 1, size, NULL, e);
    if (hdf_exists(f, "asset_names") && !hdf_read_texts(f, "asset_names", &r->assets, &r->asset_names, e)) {
        int64_t n = r->assets;
        r->asset_name_ids = hdf_load(f, "asset_name_ids", HDF_INT64, 1, &n, NULL, e);
    }
    if (!hdf_exists(f, "test_assets/returns") || error_is_set(e)) return error_is_set(e) ? -1 : 0;
    char *source = NULL;
    r->test_assets = hdf_load(f, "test_assets/returns", HDF_FLOAT64, 2, size, NULL, e);
    if (!hdf_read_texts(f, "test_assets/names", &r->M, &r->test_asset_names, e) && r->M != size[1])
        error_set(e, "%s: dataset test_assets/names has %d entries; %lld are needed", r->path, r->M, (long long)size[1]);
    if (!hdf_get_text(f, "test_assets", "source", &source, e)) r->test_assets_are_factors = !strncmp(source, "managed", 7);
    memory_free(source);
    return error_is_set(e) ? -1 : 0;
}

static int load_header(struct hdf *f, struct results *r, struct error *e)
{
    int64_t P = -1;
    if (hdf_check_format(f, "results", RESULTS_FORMAT_VERSION, e) || periods_per_year_read(f, &r->periods_per_year, e) ||
        !(r->dates = hdf_load(f, "dates", HDF_INT64, 1, &P, NULL, e)))
        return -1;
    if (P < 1 || P > INT_MAX / 1000)
        return error_set(e, "%s: dataset dates has %lld entries; 1 to %d are needed", r->path, (long long)P, INT_MAX / 1000);
    r->P = (int)P;
    if (dates_check(f, r->P, r->dates, e)) return -1;
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
    return error_is_set(e) ? -1 : load_panel_side(f, r, e);
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
    char parts[4096], folder[PARTS_PATH], skeleton[PARTS_PATH + 32];
    struct part_index x = {0};
    *r = (struct results){.path = memory_text(path)};
    snprintf(parts, sizeof parts, "%s.parts", path);
    r->under_way = access(path, F_OK) != 0 && parts_find(parts, folder);
    if (r->under_way && parts_index(folder, 0, 1, &x, e)) goto out;
    if (r->under_way) snprintf(skeleton, sizeof skeleton, "%s/" PARTS_SKELETON, folder);
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
    for (int i = 0; i < m->fields; i++) memory_free(m->field[i].name), memory_free(m->field[i].values);
    memory_free_all(m->universe, m->name, m->kind, m->done);
}

void results_free(struct results *r)
{
    for (int i = 0; i < r->models && r->model; i++) model_free(&r->model[i]);
    for (int i = 0; i < r->attributes; i++) memory_free(r->attribute_name[i]), memory_free(r->attribute_text[i]);
    texts_free(r->M, r->test_asset_names);
    texts_free(r->assets, r->asset_names);
    memory_free_all(r->path, r->study, r->study_name, r->panel, r->panel_digest, r->program, r->dates, r->model,
                    r->test_assets, r->truth, r->asset_name_ids, r->attribute_name, r->attribute_text);
    *r = (struct results){0};
}
