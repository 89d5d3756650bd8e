/* spoil PANEL CASE: break one thing in a panel file, for tests of how studies refuse it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf.h"

int main(int argc, char **argv)
{
    struct error e = {""};
    int rank;
    int64_t rows[HDF_DIMENSIONS], periods[HDF_DIMENSIONS];
    if (argc != 3) return 2;
    struct hdf *f = hdf_edit(argv[1], &e);
    if (!f || hdf_shape(f, "characteristics", HDF_FLOAT32, &rank, rows, &e) ||
        hdf_shape(f, "dates", HDF_INT64, &rank, periods, &e))
        return printf("%s\n", e.text), 1;
    const char *what = argv[2];
    int64_t last = rows[0] - 1, T = periods[0], D = rows[1];
    float *x = memory_array(float, D, "row");
    hdf_read_part(f, "characteristics", HDF_FLOAT32, last, 1, x, &e);
    double r = 0.01;
    int64_t v[1] = {0};
    if (!strcmp(what, "nan-characteristic"))
        x[D - 1] = NAN, hdf_write_part(f, "characteristics", HDF_FLOAT32, last, 1, x, &e);
    else if (!strcmp(what, "large-characteristic"))
        x[0] = 0.75f, hdf_write_part(f, "characteristics", HDF_FLOAT32, last, 1, x, &e);
    else if (!strcmp(what, "inf-return")) r = INFINITY, hdf_write_part(f, "returns", HDF_FLOAT64, last, 1, &r, &e);
    else if (!strcmp(what, "lost-more")) r = -1.5, hdf_write_part(f, "returns", HDF_FLOAT64, last, 1, &r, &e);
    else if (!strcmp(what, "large-return")) r = 2e6, hdf_write_part(f, "returns", HDF_FLOAT64, last, 1, &r, &e);
    else if (!strcmp(what, "no-such-day")) hdf_write_part(f, "dates", HDF_INT64, T - 1, 1, (v[0] = 20010231, v), &e);
    else if (!strcmp(what, "ids-order")) hdf_write_part(f, "asset_ids", HDF_INT64, last, 1, v, &e);
    else if (!strcmp(what, "dates-order")) hdf_write_part(f, "dates", HDF_INT64, T - 1, 1, (v[0] = 19000131, v), &e);
    else if (!strcmp(what, "offsets-order")) hdf_write_part(f, "offsets", HDF_INT64, T / 2, 1, (v[0] = 1, v), &e);
    else if (!strcmp(what, "offsets-past")) hdf_write_part(f, "offsets", HDF_INT64, T, 1, (v[0] = rows[0] + 5, v), &e);
    else if (!strcmp(what, "zero-characteristics") || !strcmp(what, "zero-but-one")) {
        int64_t kept = strcmp(what, "zero-but-one") ? 0 : 40; /* rows at the end that stay what they are */
        float *zeros = memory_array(float, rows[0] * D, "zeros");
        hdf_write_part(f, "characteristics", HDF_FLOAT32, 0, rows[0] - kept, zeros, &e);
        memory_free(zeros);
    } else return 2;
    memory_free(x);
    hdf_close(f, &e);
    if (error_is_set(&e)) return printf("%s\n", e.text), 1;
    return 0;
}
