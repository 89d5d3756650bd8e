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
    int rank;
    int64_t size[HDF_DIMENSIONS], largest = 0;
    *w = (struct weights){.offsets = NULL};
    snprintf(w->group, sizeof w->group, "models/%.200s/%.200s", m->universe, m->name);
    path_of(w, "weight_offsets", path, sizeof path);
    if (!f || !hdf_exists(f, path) || hdf_shape(f, path, HDF_INT64, &rank, size, e)) return false;
    if (size[0] != P + 1) {
        error_set(e, "%s: %s: found %lld entries; needed: %d, one more than dates", hdf_path(f), path, (long long)size[0],
                  P + 1);
        return false;
    }
    w->offsets = memory_array(int64_t, P + 1, "weight offsets");
    if (hdf_read(f, path, HDF_INT64, w->offsets, e)) return false;
    for (int p = 0; p < P; p++) {
        int64_t n = w->offsets[p + 1] - w->offsets[p];
        if (n < 0) {
            error_set(e, "%s: %s: found a decrease at entry %d; needed: offsets in order", hdf_path(f), path, p + 1);
            return false;
        }
        if (n > largest) largest = n;
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
