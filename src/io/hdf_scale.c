/* What datasets are along their dimensions: HDF5 dimension scales, as netCDF and xarray read them. */
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf_file.h"
#include "panel/calendar.h"

static const char *leaf_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int hdf_describe(struct hdf *f, const char *name, const char *unit, const char *meaning, int rank,
                 const char *const *dimensions, struct error *e)
{
    char *names[HDF_DIMENSIONS], *paths[HDF_DIMENSIONS];
    require(rank >= 1 && rank <= HDF_DIMENSIONS);
    for (int d = 0; d < rank; d++) {
        paths[d] = (char *)(uintptr_t)dimensions[d];
        names[d] = (char *)(uintptr_t)leaf_of(dimensions[d]);
    }
    hdf_put_text(f, name, "unit", unit, e);
    hdf_put_text(f, name, "meaning", meaning, e);
    hdf_put_texts(f, name, HDF_DIMENSION_NAMES, rank, names, e);
    if (f->without_scales) return error_is_set(e) ? -1 : 0;
    return hdf_take_note(
        f, &(struct hdf_note){.kind = NOTE_DIMENSIONS, .where = (char *)(uintptr_t)name, .n = rank, .texts = paths}, e);
}

void hdf_without_scales(struct hdf *f)
{
    f->without_scales = true;
}

static bool is_scale(hid_t id, hsize_t size)
{
    hid_t space = H5Dget_space(id);
    bool fits = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_npoints(space) == (hssize_t)size;
    H5Sclose(space);
    return fits && H5DSis_scale(id) > 0;
}

/* The scale of that name and size in the dataset's group or the nearest above it; negative: none. */
static hid_t find_scale(struct hdf *f, const char *dataset, const char *name, hsize_t size)
{
    char path[1024];
    for (size_t n = strlen(dataset);; n--) {
        while (n && dataset[n - 1] != '/') n--;
        snprintf(path, sizeof path, "%.*s%s", (int)n, dataset, name);
        hid_t id = hdf_exists(f, path) ? H5Dopen2(f->id, path, H5P_DEFAULT) : H5I_INVALID_HID;
        if (id >= 0 && is_scale(id, size)) return id;
        if (id >= 0) H5Dclose(id);
        if (!n) return H5I_INVALID_HID;
    }
}

/* A dimension without coordinates, beside the dataset or at an absolute path, as the netCDF library makes one: a dataset of its size that
 * takes no room, with this name of its scale. */
static hid_t make_scale(struct hdf *f, const char *dataset, const char *name, hsize_t size)
{
    char path[1024], text[80];
    int group = *name == '/' ? 0 : (int)(leaf_of(dataset) - dataset);
    snprintf(path, sizeof path, "%.*s%s", group, dataset, name);
    snprintf(text, sizeof text, "This is a netCDF dimension but not a netCDF variable. %9llu", (unsigned long long)size);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), links = hdf_link_list(), space = H5Screate_simple(1, &size, NULL);
    H5Pset_obj_track_times(list, false);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_LATE);
    hid_t id = H5Dcreate2(f->id, path, H5T_IEEE_F32BE, space, links, list, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(list);
    if (id < 0 || H5DSset_scale(id, text) >= 0) return id;
    H5Dclose(id);
    return H5I_INVALID_HID;
}

int hdf_scales_write(struct hdf *f, const struct hdf_note *n, struct error *e)
{
    hsize_t size[H5S_MAX_RANK];
    hid_t id = H5Dopen2(f->id, n->where, H5P_DEFAULT), space = id < 0 ? id : H5Dget_space(id);
    if (id < 0) return error_set(e, "%s: %s is not a dataset that can be read: %s", f->path, n->where, hdf_reason());
    require(H5Sget_simple_extent_dims(space, size, NULL) == n->n);
    H5Sclose(space);
    for (int d = 0; d < n->n && !error_is_set(e); d++) {
        if (n->n == 1 && !strcmp(leaf_of(n->where), n->texts[0])) { /* the coordinates of its own dimension */
            if (H5DSset_scale(id, n->texts[0]) < 0)
                error_set(e, "%s: %s cannot be made a dimension: %s", f->path, n->where, hdf_reason());
            continue;
        }
        hid_t scale = find_scale(f, n->where, n->texts[d], size[d]);
        if (scale < 0) scale = make_scale(f, n->where, n->texts[d], size[d]);
        if (scale < 0 || H5DSattach_scale(id, scale, (unsigned)d) < 0)
            error_set(e, "%s: dimension %s of %s cannot be written: %s", f->path, n->texts[d], n->where, hdf_reason());
        if (scale >= 0) H5Dclose(scale);
    }
    H5Dclose(id);
    return error_is_set(e) ? -1 : 0;
}

/* Minutes since 1970 of YYYYMMDD or YYYYMMDDhhmm; false: no such day. */
static bool minutes_of(int64_t date, int64_t *minutes)
{
    int64_t day = date > 99999999 ? date / 10000 : date, time = date > 99999999 ? date % 10000 : 0;
    struct date d = {(int)(day / 10000), (int)(day / 100 % 100), (int)(day % 100)};
    if (!date_valid(d) || !d.day || time / 100 > 23 || time % 100 > 59) return false;
    *minutes = (int64_t)(day_of(d) - day_of((struct date){1970, 1, 1})) * 1440 + time / 100 * 60 + time % 100;
    return true;
}

int hdf_write_dates(struct hdf *f, const char *name, int n, const int64_t *dates, struct error *e)
{
    int64_t *time = memory_array(int64_t, n, "dates as time"), size = n;
    bool valid = true, whole = true;
    for (int i = 0; i < n && valid; i++) valid = minutes_of(dates[i], &time[i]), whole = whole && time[i] % 1440 == 0;
    for (int i = 0; i < n; i++) time[i] = !valid ? i : whole ? time[i] / 1440 : time[i];
    const char *unit = !valid ? "1" : whole ? "days since 1970-01-01" : "minutes since 1970-01-01";
    hdf_write(f, name, HDF_INT64, 1, &size, time, e);
    memory_free(time);
    if (valid) {
        hdf_put_text(f, name, "units", unit, e);
        hdf_put_text(f, name, "calendar", "proleptic_gregorian", e);
        hdf_put_text(f, name, "standard_name", "time", e);
    }
    const char *own = leaf_of(name);
    return hdf_describe(f, name, unit, valid ? "formation date" : "row: its dates are in no calendar", 1, &own, e);
}
