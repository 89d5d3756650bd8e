#include "weights.h"

#include <stdio.h>

#include "base/memory.h"

static void path_of(const struct weights *w, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", w->group, name);
}

bool weights_open(struct weights *w, struct hdf *f, const struct result_model *m, int P, struct error *e)
{
    char path[600];
    int64_t held, largest = 0;
    *w = (struct weights){.offsets = NULL};
    snprintf(w->group, sizeof w->group, "models/%.200s/%.200s", m->universe, m->name);
    path_of(w, "weight_offsets", path, sizeof path);
    if (!f || !hdf_exists(f, path) || hdf_line(f, path, HDF_INT64, (int64_t)P + 1, NULL, e)) return false;
    w->offsets = memory_array(int64_t, P + 1, "weight offsets");
    if (hdf_read(f, path, HDF_INT64, w->offsets, e)) return false;
    char data[600];
    path_of(w, "weights", data, sizeof data);
    if (hdf_line(f, data, HDF_FLOAT32, -1, &held, e)) return false;
    path_of(w, "weight_asset_ids", data, sizeof data);
    if (hdf_line(f, data, HDF_INT64, held, NULL, e)) return false;
    for (int p = 0; p < P; p++) {
        int64_t from = w->offsets[p], to = w->offsets[p + 1];
        if (from < 0 || to < from || to > held) {
            error_set(e, "%s: dataset %s, entry %d: found %lld after %lld; needed: offsets in order, 0 to %lld", hdf_path(f),
                      path, p + 1, (long long)to, (long long)from, (long long)held);
            return false;
        }
        if (to - from > largest) largest = to - from;
    }
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

int weights_step(struct weights *w, struct hdf *f, int p, struct error *e)
{
    char path[600];
    struct held keep = w->before;
    w->before = w->now;
    w->now = keep;
    w->now.n = w->offsets[p + 1] - w->offsets[p];
    if (!w->now.n) return 0;
    path_of(w, "weights", path, sizeof path);
    if (hdf_read_part(f, path, HDF_FLOAT32, w->offsets[p], w->now.n, w->now.w, e)) return -1;
    path_of(w, "weight_asset_ids", path, sizeof path);
    return hdf_read_part(f, path, HDF_INT64, w->offsets[p], w->now.n, w->now.ids, e);
}
