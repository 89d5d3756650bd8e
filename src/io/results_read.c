/* What results keep in their file, a period at a time. */
#include "io/results_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf.h"

struct results_reader {
    const struct results *r;
    struct hdf *f; /* NULL: a run under way */
};

struct results_reader *results_reader_open(const struct results *r, struct error *e)
{
    struct hdf *f = r->under_way ? NULL : hdf_open(r->path, NULL, e);
    if (!f && !r->under_way) return NULL;
    struct results_reader *reader = memory_array(struct results_reader, 1, "open results");
    *reader = (struct results_reader){r, f};
    return reader;
}

int results_reader_close(struct results_reader *f, struct error *e)
{
    if (f && f->f) hdf_close(f->f, e);
    memory_free(f);
    return error_is_set(e) ? -1 : 0;
}

static void path_of(const struct result_model *m, const char *name, char out[700])
{
    snprintf(out, 700, "models/%.300s/%.300s%s%.60s", m->universe, m->name, *name ? "/" : "", name);
}

int returns_check(const struct results *r, const struct result_model *m, const struct result_field *x, int first, int count,
                  const double *values, struct error *e)
{
    size_t n = result_field_row(x);
    if (!strstr(x->name, "returns")) return 0;
    for (size_t i = 0; i < n * (size_t)count; i++)
        if (fabs(values[i]) > RESULTS_LARGEST_RETURN)
            return error_set(e, "%s: models/%s/%s/%s, date %lld: found %g; needed: at most %g, or NaN where there is none",
                             r->path, m->universe, m->name, x->name, (long long)r->dates[first + (int)(i / n)], values[i],
                             RESULTS_LARGEST_RETURN);
    return 0;
}

int results_row(struct results_reader *f, const struct result_model *m, const struct result_field *x, int p, double *out,
                struct error *e)
{
    char path[700];
    size_t n = result_field_row(x);
    if (x->values) return memcpy(out, x->values + (size_t)p * n, n * sizeof *out), 0;
    path_of(m, x->name, path);
    return hdf_read_part(f->f, path, HDF_FLOAT64, p, 1, out, e) ? -1 : returns_check(f->r, m, x, p, 1, out, e);
}

/* ---- weights ---- */

/* The offsets, checked against the `held` weights that are there; *largest: of a period. */
static int read_offsets(struct weights *w, struct hdf *f, int P, int64_t held, int64_t *largest, struct error *e)
{
    char path[800];
    snprintf(path, sizeof path, "%s/weight_offsets", w->group);
    int64_t entries = (int64_t)P + 1;
    if (!(w->offsets = hdf_load(f, path, HDF_INT64, 1, &entries, NULL, e))) return -1;
    for (int p = 0; p < P; p++) {
        int64_t from = w->offsets[p], to = w->offsets[p + 1];
        if (from < 0 || to < from || to > held)
            return error_set(e, "%s: dataset %s, entry %d: found %lld after %lld; needed: offsets in order, 0 to %lld",
                             hdf_path(f), path, p + 1, (long long)to, (long long)from, (long long)held);
        if (to - from > *largest) *largest = to - from;
    }
    return 0;
}

bool weights_open(struct weights *w, struct results_reader *f, const struct result_model *m, struct error *e)
{
    char path[800];
    int64_t held = -1, largest = 0;
    *w = (struct weights){.offsets = NULL};
    if (!f || !m->has_weights) return false;
    path_of(m, "", w->group);
    snprintf(path, sizeof path, "%s/weights", w->group);
    if (hdf_fits(f->f, path, HDF_FLOAT32, 1, &held, NULL, e)) return false;
    snprintf(path, sizeof path, "%s/weight_asset_ids", w->group);
    if (hdf_fits(f->f, path, HDF_INT64, 1, &held, NULL, e) || read_offsets(w, f->f, f->r->P, held, &largest, e))
        return false;
    for (int i = 0; i < 2; i++) {
        struct held *h = i ? &w->before : &w->now;
        h->w = memory_array(float, largest, "weights of a period");
        h->ids = memory_array(int64_t, largest, "assets of a period");
    }
    return true;
}

void weights_close(struct weights *w)
{
    memory_free(w->offsets);
    for (int i = 0; i < 2; i++) {
        struct held *h = i ? &w->before : &w->now;
        memory_free(h->w);
        memory_free(h->ids);
    }
}

int weights_step(struct weights *w, struct results_reader *f, int p, struct error *e)
{
    char path[800];
    struct held keep = w->before;
    w->before = w->now;
    w->now = keep;
    w->now.n = w->offsets[p + 1] - w->offsets[p];
    if (!w->now.n) return 0;
    snprintf(path, sizeof path, "%s/weights", w->group);
    if (hdf_read_part(f->f, path, HDF_FLOAT32, w->offsets[p], w->now.n, w->now.w, e)) return -1;
    snprintf(path, sizeof path, "%s/weight_asset_ids", w->group);
    return hdf_read_part(f->f, path, HDF_INT64, w->offsets[p], w->now.n, w->now.ids, e);
}
