/* The skeleton of a results file, and the finished file made from it and the part logs. */
#include "io/results_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/version.h"
#include "io/datasets.h"
#include "io/lease.h"
#include "io/results_file.h"
#include "results_rows.h"
#include "results_schema.h"

/* The path of a model's dataset `leaf`; NULL: of its group. */
static void group_of(const struct results_config *c, const char *leaf, char *out, size_t size)
{
    snprintf(out, size, "models/%s/%s%s%s", c->universe, c->name, leaf ? "/" : "", leaf ? leaf : "");
}

/* Root attributes and everything that is known before the first row. */
static int write_header(struct hdf *f, const struct results_plan *p, struct error *e)
{
    int64_t P = p->P, by_asset[2] = {p->P, p->M}, assets = p->assets;
    hdf_put_text(f, "/", "aipm_format", "results", e);
    hdf_put_int(f, "/", "format_version", RESULTS_FORMAT_VERSION, e);
    periods_per_year_write(f, p->periods_per_year, e);
    hdf_put_text(f, "/", "study", p->study_text, e);
    hdf_put_text(f, "/", "study_name", p->study_name, e);
    hdf_put_text(f, "/", "panel", p->panel, e);
    hdf_put_text(f, "/", "panel_digest", p->panel_digest, e);
    hdf_put_text(f, "/", "program", version_text(), e);
    char placebo[PLACEBO_TEXT];
    if (p->placebo.kind) hdf_put_text(f, "/", "placebo", placebo_option(&p->placebo, placebo), e);
    hdf_put_text(f, "/", "computes", p->fingerprint, e);
    hdf_write_dates(f, "date", p->P, p->dates, e);
    dataset_write(f, "dates", HDF_INT64, &P, p->dates, e);
    dataset_write(f, "test_assets/returns", HDF_FLOAT64, by_asset, p->test_assets, e);
    dataset_write_texts(f, "test_assets/names", p->M, p->test_asset_names, e);
    hdf_put_text(
        f, "test_assets", "source",
        p->test_assets_are_factors ? "managed factors F of the whole universe, unscaled" : "test assets of the panel", e);
    if (assets) dataset_write(f, "asset_name_ids", HDF_INT64, &assets, p->asset_name_ids, e);
    if (assets) dataset_write_texts(f, "asset_names", p->assets, p->asset_names, e);
    if (p->truth) dataset_write(f, "truth/sdf_returns", HDF_FLOAT64, &P, p->truth, e);
    return error_is_set(e) ? -1 : 0;
}

/* A model's group before its rows: attributes and what its layout declares; `order` of models in the study. P 0: no rows yet. */
static int write_model(struct hdf *f, const struct results_config *c, int order, int P, const int64_t *dates,
                       struct error *e)
{
    char where[512];
    group_of(c, NULL, where, sizeof where);
    schema_write(f, where, c->layout, P, dates, e);
    hdf_put_text(f, where, "kind", c->kind, e);
    hdf_put_text(f, where, "options", c->options, e);
    hdf_put_int(f, where, "order", order, e);
    hdf_put_int(f, where, "window", c->window, e);
    return hdf_put_int(f, where, "first_row", c->first_row, e);
}

static int write_skeleton(const char *path, const struct results_plan *p, struct error *e)
{
    struct hdf *f = hdf_create(path, NULL, e);
    if (!f) return -1;
    hdf_without_scales(f);
    write_header(f, p, e);
    for (int i = 0; i < p->configs; i++) { /* a dataset of no rows declares each field's name, size and unit */
        const struct results_config *c = &p->config[i];
        char group[512];
        group_of(c, NULL, group, sizeof group);
        write_model(f, c, i, 0, NULL, e);
        for (int k = 0; k < c->layout->fields; k++) schema_write_field(f, group, c->layout, k, 0, NULL, e);
    }
    return hdf_close(f, e);
}

int results_skeleton(const char *parts, const struct results_plan *p, char folder[PARTS_PATH], struct error *e)
{
    char path[PARTS_PATH + 32];
    struct durable_file beside;
    if (parts_begin(parts, &beside, folder, e)) return -1;
    snprintf(path, sizeof path, "%s/" PARTS_SKELETON, folder);
    write_skeleton(path, p, e);
    return parts_commit(parts, &beside, folder, e);
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
        r->field[i] = (struct row_field){.name = f->name, .size = (int)field_size(f), .per_seed = f->per_seed};
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
    hdf_describe(f, name, "1", "a date's weights are the holdings from its entry up to the next", 1,
                 (const char *const[]){"date_edge"}, e);
    char to_weights[512], to_ids[512];
    group_of(c, "weights", to_weights, sizeof to_weights);
    group_of(c, "weight_asset_ids", to_ids, sizeof to_ids);
    hdf_dataset(f, to_weights, HDF_FLOAT32, 1, &rows, 0, NULL, e);
    hdf_describe(f, to_weights, "holding per unit of the SDF portfolio", "weights, mean over seeds", 1,
                 (const char *const[]){"holding"}, e);
    hdf_dataset(f, to_ids, HDF_INT64, 1, &rows, 0, NULL, e);
    hdf_describe(f, to_ids, "id", "the asset of each weight", 1, (const char *const[]){"holding"}, e);
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
    memory_free_all(found, offset, weights, ids, values);
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
    static const char *const by_fit[] = {"date", "seed"};
    char name[512];
    int64_t P = p->P, by_seed[2] = {p->P, r.S};
    group_of(c, NULL, name, sizeof name);
    for (int i = 0; i < r.fields; i++) schema_write_field(f, name, c->layout, i, p->P, r.field[i].data, e);
    group_of(c, "done", name, sizeof name);
    hdf_write(f, name, HDF_UINT8, 1, &P, r.done, e);
    hdf_describe(f, name, "1", "1 once the row is final", 1, by_fit, e);
    group_of(c, "fit_code", name, sizeof name);
    hdf_write(f, name, HDF_INT64, r.S > 1 ? 2 : 1, by_seed, r.code, e);
    hdf_describe(f, name, "1",
                 "0 fine; below 1000 the model's own numerical failure, from 1000 on nothing to fit or trade at that date: "
                 "the return is NaN",
                 r.S > 1 ? 2 : 1, by_fit, e);
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
        write_model(f, &p->config[i], i, p->P, p->dates, e);
        write_rows(f, &p->config[i], i, p, x, e);
    }
    if (p->lease) lease_check(path, p->lease, e);
    return hdf_close(f, e);
}
