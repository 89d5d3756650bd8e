/* same A B [PATH]: exit 0 if two HDF5 files hold the same names and the same bits under PATH (a group or a dataset; default: all that
 * the models computed, /models, with the dates and test assets); otherwise say where they differ. Floats are compared as float64 bits,
 * so NaN equals NaN. Coordinates of dimensions (date, ridge, seed) are compared where both files have them. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf.h"

static int differ(const char *path, const char *how)
{
    printf("%s: %s\n", path, how);
    return 1;
}

/* The whole of a dataset as 8-byte numbers; NULL if path is none. */
static void *load(struct hdf *f, const char *path, int *rank, int64_t size[HDF_DIMENSIONS], size_t *bytes)
{
    for (int k = 0; k < 2; k++) {
        enum hdf_type type = k ? HDF_INT64 : HDF_FLOAT64;
        struct error e = {""};
        if (hdf_shape(f, path, type, rank, size, &e)) continue;
        size_t n = 1;
        for (int d = 0; d < *rank; d++) n *= (size_t)size[d];
        void *data = memory_allocate(n, 8, path);
        *bytes = n * 8;
        if (!hdf_read(f, path, type, data, &e)) return data;
        memory_free(data);
    }
    return NULL;
}

static int compare_texts(struct hdf *a, struct hdf *b, const char *path)
{
    struct error e = {""};
    char **x = NULL, **y = NULL;
    int n = 0, m = 0, bad = hdf_read_texts(a, path, &n, &x, &e) || hdf_read_texts(b, path, &m, &y, &e) || n != m;
    for (int i = 0; i < n && !bad; i++) bad = strcmp(x[i], y[i]) != 0;
    if (x) texts_free(n, x);
    if (y) texts_free(m, y);
    return bad ? differ(path, error_is_set(&e) ? e.text : "texts differ") : 0;
}

static int compare_data(struct hdf *a, struct hdf *b, const char *path)
{
    int ra = 0, rb = 0, bad = 0;
    int64_t sa[HDF_DIMENSIONS] = {0}, sb[HDF_DIMENSIONS] = {0};
    size_t na = 0, nb = 0;
    void *x = load(a, path, &ra, sa, &na), *y = load(b, path, &rb, sb, &nb);
    if (!x && !y) bad = compare_texts(a, b, path);
    else if (!x || !y) bad = differ(path, "is there, or a number, in one of them only");
    else if (ra != rb || memcmp(sa, sb, sizeof sa)) bad = differ(path, "shapes differ");
    else if (memcmp(x, y, na)) bad = differ(path, "bits differ");
    memory_free(x);
    memory_free(y);
    return bad;
}

/* Whether a dataset is the scale of a dimension; `bare`: one without coordinates, which holds nothing. */
static bool is_scale(struct hdf *f, const char *path, bool bare)
{
    char *text = NULL;
    struct error e = {""};
    bool scale = hdf_has_attribute(f, path, "CLASS") && !hdf_get_text(f, path, bare ? "NAME" : "CLASS", &text, &e) &&
                 !strncmp(text, bare ? "This is a netCDF dimension" : "DIMENSION_SCALE", bare ? 26 : 16);
    memory_free(text);
    return scale;
}

static int compare(struct hdf *a, struct hdf *b, const char *path)
{
    struct error e = {""}, f = {""};
    char **x = NULL, **y = NULL;
    int n = 0, m = 0, bad = 0;
    if (!hdf_exists(a, path) || !hdf_exists(b, path)) return differ(path, "is missing");
    if (hdf_list(a, path, &n, &x, &e)) return compare_data(a, b, path);
    if (hdf_list(b, path, &m, &y, &f)) bad = differ(path, "is a group in one of them only");
    for (int i = 0, j = 0; (i < n || j < m) && !bad;) {
        char child[1024];
        int order = i == n ? 1 : j == m ? -1 : strcmp(x[i], y[j]);
        snprintf(child, sizeof child, "%s/%s", path, order > 0 ? y[j] : x[i]);
        if (order) bad = !is_scale(order < 0 ? a : b, child, false) && differ(child, "is in one of them only");
        else bad = !is_scale(a, child, true) && compare(a, b, child);
        i += order <= 0, j += order >= 0;
    }
    texts_free(n, x);
    if (y) texts_free(m, y);
    return bad;
}

int main(int argc, char **argv)
{
    struct error e = {""};
    if (argc < 3 || argc > 4) return 2;
    struct hdf *a = hdf_open(argv[1], NULL, &e), *b = a ? hdf_open(argv[2], NULL, &e) : NULL;
    if (!b) return printf("%s\n", e.text), 1;
    int bad = argc == 4 ? compare(a, b, argv[3][0] == '/' ? argv[3] + 1 : argv[3])
                        : compare(a, b, "dates") || compare(a, b, "test_assets/returns") || compare(a, b, "models");
    hdf_close(a, &e);
    hdf_close(b, &e);
    return bad;
}
