#include "io/results_write.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/version.h"
#include "io/results_file.h"
#include "results_rows.h"

static void group_of(const struct results_config *c, const char *leaf, char *out, size_t size)
{
    snprintf(out, size, "models/%s/%s%s%s", c->universe, c->name, leaf ? "/" : "", leaf ? leaf : "");
}

/* Shape of a field's dataset: [P], [P, S], [P, n], [P, S, n], [P, n, m], up to [P, S, n, m, k]. */
static int field_shape(const struct field *f, int P, int S, int64_t size[HDF_DIMENSIONS])
{
    int rank = 1;
    size[0] = P;
    if (f->per_seed) size[rank++] = S;
    for (int d = 0; d < f->rank; d++) size[rank++] = f->size[d];
    return rank;
}

static int field_doubles(const struct field *f)
{
    int n = 1;
    for (int d = 0; d < f->rank; d++) n *= f->size[d];
    return n;
}

/* Root attributes and everything that is known before the first row. */
static int write_header(struct hdf *f, const struct results_plan *p, struct error *e)
{
    int64_t P = p->P, by_asset[2] = {p->P, p->M};
    hdf_put_text(f, "/", "aipm_format", "results", e);
    hdf_put_int(f, "/", "format_version", RESULTS_FORMAT_VERSION, e);
    hdf_put_int(f, "/", "periods_per_year", p->periods_per_year, e);
    hdf_put_text(f, "/", "study", p->study_text, e);
    hdf_put_text(f, "/", "study_name", p->study_name, e);
    hdf_put_text(f, "/", "panel", p->panel, e);
    hdf_put_text(f, "/", "panel_digest", p->panel_digest, e);
    hdf_put_text(f, "/", "program", version_text(), e);
    char placebo[PLACEBO_TEXT];
    if (p->placebo.kind) hdf_put_text(f, "/", "placebo", placebo_option(&p->placebo, placebo), e);
    hdf_put_text(f, "/", "computes", p->fingerprint, e);
    hdf_write(f, "dates", HDF_INT64, 1, &P, p->dates, e);
    hdf_write(f, "test_assets/returns", HDF_FLOAT64, 2, by_asset, p->test_assets, e);
    hdf_write_texts(f, "test_assets/names", p->M, p->test_asset_names, e);
    hdf_put_text(
        f, "test_assets", "source",
        p->test_assets_are_factors ? "managed factors F of the whole universe, unscaled" : "test assets of the panel", e);
    int64_t assets = p->assets;
    if (assets) hdf_write(f, "asset_name_ids", HDF_INT64, 1, &assets, p->asset_name_ids, e);
    if (assets) hdf_write_texts(f, "asset_names", p->assets, p->asset_names, e);
    if (p->truth) hdf_write(f, "truth/sdf_returns", HDF_FLOAT64, 1, &P, p->truth, e);
    return error_is_set(e) ? -1 : 0;
}

/* A model's group: attributes and constants; `order` of models in the study. */
static int write_model(struct hdf *f, const struct results_config *c, int order, struct error *e)
{
    char where[512];
    char *names[16];
    const struct layout *l = c->layout;
    for (int i = 0; i < l->constants; i++) {
        int64_t n = l->constant[i].n;
        group_of(c, l->constant[i].name, where, sizeof where);
        hdf_write(f, where, HDF_FLOAT64, 1, &n, l->constant[i].value, e);
        hdf_put_text(f, where, "unit", l->constant[i].unit, e);
        hdf_put_text(f, where, "meaning", l->constant[i].meaning, e);
    }
    for (int i = 0; i < l->fields; i++) names[i] = (char *)(uintptr_t)l->field[i].name;
    group_of(c, NULL, where, sizeof where);
    hdf_put_text(f, where, "kind", c->kind, e);
    hdf_put_text(f, where, "options", c->options, e);
    hdf_put_int(f, where, "order", order, e);
    hdf_put_int(f, where, "window", c->window, e);
    hdf_put_int(f, where, "first_row", c->first_row, e);
    hdf_put_int(f, where, "seeds", l->seeds, e);
    hdf_put_texts(f, where, "fields", l->fields, names, e);
    return error_is_set(e) ? -1 : 0;
}

static int write_field(struct hdf *f, const struct results_config *c, const struct field *field, int P, const double *data,
                       struct error *e)
{
    char name[512];
    int64_t size[HDF_DIMENSIONS];
    int rank = field_shape(field, P, c->layout->seeds, size);
    double nan = NAN;
    group_of(c, field->name, name, sizeof name);
    if (data) hdf_write(f, name, HDF_FLOAT64, rank, size, data, e);
    else hdf_dataset(f, name, HDF_FLOAT64, rank, size, 0, &nan, e);
    hdf_put_text(f, name, "unit", field->unit, e);
    return hdf_put_text(f, name, "meaning", field->meaning, e);
}

int results_skeleton(const char *parts, const struct results_plan *p, struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/skeleton.h5", parts);
    struct hdf *f = hdf_create(path, NULL, e);
    if (!f) return -1;
    write_header(f, p, e);
    for (int i = 0; i < p->configs; i++) { /* a dataset of no rows declares each field's name, size and unit */
        const struct results_config *c = &p->config[i];
        for (int k = 0; k < c->layout->fields; k++) write_field(f, c, &c->layout->field[k], 0, NULL, e);
        write_model(f, c, i, e);
    }
    return hdf_close(f, e);
}

int results_origin(const char *file, char **fingerprint, char **program, struct error *e)
{
    *fingerprint = *program = NULL;
    struct hdf *f = hdf_open(file, NULL, e);
    if (!f) return -1;
    if (!hdf_check_format(f, "results", RESULTS_FORMAT_VERSION, e) && !hdf_get_text(f, "/", "computes", fingerprint, e))
        hdf_get_text(f, "/", "program", program, e);
    return hdf_close(f, e);
}

static void rows_of(const struct results_config *c, int P, struct row_set *r)
{
    *r = (struct row_set){.P = P, .S = c->layout->seeds, .fields = c->layout->fields};
    for (int i = 0; i < r->fields; i++) {
        const struct field *f = &c->layout->field[i];
        r->field[i] = (struct row_field){.name = f->name, .size = field_doubles(f), .per_seed = f->per_seed};
    }
}

/* The saved portfolios of one model, mean over seeds, row after row. */
static int write_weights(struct hdf *f, const struct results_config *c, int config, int P, const struct part_index *x,
                         struct error *e)
{
    int S = c->layout->seeds;
    const struct part_record **found = rows_records(x, config, P, S, layout_record(c->layout));
    int64_t *offset = memory_array(int64_t, P + 1, "weight offsets");
    uint32_t largest = 0;
    for (int p = 0; p < P; p++) {
        uint32_t n = found[(size_t)p * S] ? found[(size_t)p * S]->assets : 0;
        for (int s = 1; s < S; s++)
            if (found[(size_t)p * S + s] && found[(size_t)p * S + s]->assets != n)
                error_set(e, "%s: %s/%s, row %d: found weights of %u assets of seed 0 and of %u of seed %d; needed: as many",
                          x->folder, c->universe, c->name, p, n, found[(size_t)p * S + s]->assets, s);
        if (n > largest) largest = n;
        offset[p + 1] = offset[p] + n;
    }
    char name[512];
    int64_t rows = offset[P], ends = P + 1;
    float *weights = memory_array(float, 2 * (size_t)largest, "weights of a row"), *one = weights + largest;
    int64_t *ids = memory_array(int64_t, largest, "assets of a row");
    double *values = memory_array(double, layout_record(c->layout), "a record");
    group_of(c, "weight_offsets", name, sizeof name);
    hdf_write(f, name, HDF_INT64, 1, &ends, offset, e);
    char to_weights[512], to_ids[512];
    group_of(c, "weights", to_weights, sizeof to_weights);
    group_of(c, "weight_asset_ids", to_ids, sizeof to_ids);
    hdf_dataset(f, to_weights, HDF_FLOAT32, 1, &rows, 0, NULL, e);
    hdf_put_text(f, to_weights, "unit", "holding per unit of the SDF portfolio", e);
    hdf_dataset(f, to_ids, HDF_INT64, 1, &rows, 0, NULL, e);
    for (int p = 0; p < P && !error_is_set(e); p++) {
        int64_t n = offset[p + 1] - offset[p];
        if (!n) continue;
        memset(weights, 0, sizeof(float) * (size_t)n);
        int good = 0; /* seeds whose fit did not fail */
        for (int s = 0; s < S; s++) good += found[(size_t)p * S + s] && !found[(size_t)p * S + s]->key.code;
        for (int s = 0; s < S; s++) {
            const struct part_record *r = found[(size_t)p * S + s];
            if (!r || parts_read(x, r, values, ids, one, e) || r->key.code) continue;
            for (int64_t i = 0; i < n; i++) weights[i] += one[i] / (float)good;
        }
        for (int64_t i = 0; i < n && !good; i++) weights[i] = NAN;
        hdf_write_part(f, to_weights, HDF_FLOAT32, offset[p], n, weights, e);
        hdf_write_part(f, to_ids, HDF_INT64, offset[p], n, ids, e);
    }
    memory_free(found);
    memory_free(offset);
    memory_free(weights);
    memory_free(ids);
    memory_free(values);
    return error_is_set(e) ? -1 : 0;
}

static int write_rows(struct hdf *f, const struct results_config *c, int config, const struct results_plan *p,
                      const struct part_index *x, struct error *e)
{
    struct row_set r;
    rows_of(c, p->P, &r);
    if (rows_assemble(&r, x, config, c->first_row, e)) return -1;
    if (memchr(r.done, 0, (size_t)p->P)) {
        rows_free(&r);
        return error_set(e, "%s: finished rows of %s/%s have vanished; needed: no other hand on the folder during a run",
                         x->folder, c->universe, c->name);
    }
    char name[512];
    int64_t P = p->P, by_seed[2] = {p->P, r.S};
    for (int i = 0; i < r.fields; i++) write_field(f, c, &c->layout->field[i], p->P, r.field[i].data, e);
    group_of(c, "done", name, sizeof name);
    hdf_write(f, name, HDF_UINT8, 1, &P, r.done, e);
    group_of(c, "fit_code", name, sizeof name);
    hdf_write(f, name, HDF_INT64, r.S > 1 ? 2 : 1, by_seed, r.code, e);
    hdf_put_text(f, name, "meaning",
                 "0 fine; below 1000 the model's own numerical failure, from 1000 on nothing to fit or trade at that date: "
                 "the return is NaN",
                 e);
    rows_free(&r);
    return p->save_weights ? write_weights(f, c, config, p->P, x, e) : 0;
}

/* name=value lines into root attributes. */
static void write_record(struct hdf *f, const char *record, struct error *e)
{
    char *copy = memory_text(record), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *equals = strchr(line, '=');
        if (!equals) continue;
        *equals = '\0';
        hdf_put_text(f, "/", line, equals + 1, e);
    }
    memory_free(copy);
}

int results_finish(const char *path, const struct results_plan *p, const struct part_index *x, const char *record,
                   struct error *e)
{
    struct hdf *f = hdf_create(path, NULL, e);
    if (!f) return -1;
    write_header(f, p, e);
    write_record(f, record, e);
    for (int i = 0; i < p->configs && !error_is_set(e); i++) {
        write_rows(f, &p->config[i], i, p, x, e);
        write_model(f, &p->config[i], i, e);
    }
    return hdf_close(f, e);
}
