/* HDF5 files: what is written comes back, what is wrong is said, what fails leaves nothing. No MPI here. */
#include <hdf5_hl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "check.h"
#include "io/hdf.h"
#include "io/hdf_probe.h"

static char folder[64];
static struct error e;

static char *at(const char *name)
{
    static char path[4][160];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof *path, "%s/%s", folder, name);
    return path[turn];
}

static bool there(const char *name)
{
    return access(at(name), F_OK) == 0;
}

/* The last error says all of these; it is cleared for the next. */
static bool says(const char *a, const char *b)
{
    bool ok = strstr(e.text, a) && strstr(e.text, b);
    if (!ok) fprintf(stderr, "'%s' does not say '%s' and '%s'\n", e.text, a, b);
    e = (struct error){0};
    return ok;
}

static void write_file(const char *name, const void *data, size_t n)
{
    FILE *f = fopen(at(name), "wb");
    CU_ASSERT_FATAL(f && fwrite(data, 1, n, f) == n);
    fclose(f);
}

static long read_file(const char *name, char *out, long most)
{
    FILE *f = fopen(at(name), "rb");
    long n = f ? (long)fread(out, 1, (size_t)most, f) : -1;
    if (f) fclose(f);
    return n;
}

static void make_sample(const char *name)
{
    int64_t n3[3] = {2, 3, 4}, n1 = 5, none = 0, wide[2] = {100, 7};
    double x[24], fill = NAN, scalar = 2.5;
    float y[700];
    int8_t small[5] = {-1, 0, 1, 2, 3};
    uint8_t bytes[5] = {0, 1, 2, 254, 255};
    char *texts[3] = {"one", "zwölf", ""};
    for (int i = 0; i < 24; i++) x[i] = i / 3.0;
    for (int i = 0; i < 700; i++) y[i] = (float)i;
    unlink(at(name));
    struct hdf *f = hdf_create(at(name), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    CU_ASSERT(check_temporaries(at("deep/sample.h5")) == 1 && !there("deep/sample.h5"));
    CU_ASSERT(hdf_write(f, "a/b/cube", HDF_FLOAT64, 3, n3, x, &e) == 0);
    CU_ASSERT(hdf_write(f, "small", HDF_INT8, 1, &n1, small, &e) == 0);
    CU_ASSERT(hdf_write(f, "bytes", HDF_UINT8, 1, &n1, bytes, &e) == 0);
    CU_ASSERT(hdf_write(f, "none", HDF_INT64, 1, &none, NULL, &e) == 0);
    CU_ASSERT(hdf_write(f, "scalar", HDF_FLOAT64, 0, NULL, &scalar, &e) == 0);
    CU_ASSERT(hdf_dataset(f, "chunked", HDF_FLOAT32, 2, wide, 16, NULL, &e) == 0);
    CU_ASSERT(hdf_dataset(f, "holes", HDF_FLOAT64, 1, &n1, 0, &fill, &e) == 0);
    CU_ASSERT(hdf_write_part(f, "chunked", HDF_FLOAT32, 0, 60, y, &e) == 0);
    CU_ASSERT(hdf_write_part(f, "chunked", HDF_FLOAT32, 60, 40, y + 420, &e) == 0);
    CU_ASSERT(hdf_write_part(f, "holes", HDF_FLOAT64, 1, 2, x + 1, &e) == 0);
    CU_ASSERT(hdf_write_texts(f, "a/texts", 3, texts, &e) == 0);
    CU_ASSERT(hdf_put_text(f, "/", "title", "größer", &e) == 0);
    CU_ASSERT(hdf_put_text(f, "/", "title", "anew", &e) == 0);
    CU_ASSERT(hdf_put_texts(f, "a", "names", 3, texts, &e) == 0);
    CU_ASSERT(hdf_put_int(f, "a/b/cube", "count", INT64_C(-7000000000), &e) == 0);
    CU_ASSERT(hdf_put_real(f, "/", "share", 0.1, &e) == 0);
    CU_ASSERT(hdf_put_number(f, "/", "whole", -252, &e) == 0 && hdf_put_number(f, "/", "broken", 50.4, &e) == 0);
    CU_ASSERT(hdf_put_number(f, "/", "beyond", 0x1p63, &e) == 0);
    CU_ASSERT(hdf_close(f, &e) == 0);
}

static void everything_comes_back(void)
{
    make_sample("deep/sample.h5");
    CU_ASSERT(there("deep/sample.h5") && check_temporaries(at("deep/sample.h5")) == 0);
    struct hdf *f = hdf_open(at("deep/sample.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    int rank, n;
    int64_t size[HDF_DIMENSIONS], count = 0;
    double x[24], share;
    float y[700], x32[24];
    char **texts, *text;
    CU_ASSERT(hdf_shape(f, "a/b/cube", HDF_FLOAT64, &rank, size, &e) == 0 && rank == 3 && size[0] == 2 && size[1] == 3 &&
              size[2] == 4);
    CU_ASSERT(hdf_read(f, "a/b/cube", HDF_FLOAT64, x, &e) == 0 && x[23] == 23 / 3.0 && x[1] == 1 / 3.0);
    CU_ASSERT(hdf_read_part(f, "a/b/cube", HDF_FLOAT32, 1, 1, x32, &e) == 0 && x32[0] == 4.0f); /* converted, second half */
    int64_t wide[5];
    CU_ASSERT(hdf_read(f, "small", HDF_INT64, wide, &e) == 0 && wide[0] == -1 && wide[4] == 3);
    CU_ASSERT(hdf_read(f, "bytes", HDF_INT64, wide, &e) == 0 && wide[4] == 255);
    CU_ASSERT(hdf_read(f, "none", HDF_INT64, wide, &e) == 0);
    CU_ASSERT(hdf_read(f, "scalar", HDF_FLOAT64, x, &e) == 0 && x[0] == 2.5);
    CU_ASSERT(hdf_read_part(f, "chunked", HDF_FLOAT32, 55, 10, y, &e) == 0 && y[0] == 385 && y[69] == 454);
    CU_ASSERT(hdf_read(f, "holes", HDF_FLOAT64, x, &e) == 0 && isnan(x[0]) && x[1] == 1 / 3.0 && x[2] == 2 / 3.0 &&
              isnan(x[4]));
    CU_ASSERT_FATAL(hdf_read_texts(f, "a/texts", &n, &texts, &e) == 0);
    CU_ASSERT(n == 3 && !strcmp(texts[1], "zwölf") && !strcmp(texts[2], ""));
    texts_free(n, texts);
    CU_ASSERT_FATAL(hdf_get_texts(f, "a", "names", &n, &texts, &e) == 0);
    CU_ASSERT(n == 3 && !strcmp(texts[0], "one"));
    texts_free(n, texts);
    CU_ASSERT(hdf_get_text(f, "/", "title", &text, &e) == 0 && !strcmp(text, "anew"));
    memory_free(text);
    CU_ASSERT(hdf_get_int(f, "a/b/cube", "count", &count, &e) == 0 && count == INT64_C(-7000000000));
    CU_ASSERT(hdf_get_real(f, "/", "share", &share, &e) == 0 && share == 0.1);
    CU_ASSERT(hdf_get_int(f, "/", "whole", &count, &e) == 0 && count == -252);
    CU_ASSERT(hdf_get_real(f, "/", "whole", &share, &e) == 0 && share == -252);
    CU_ASSERT(hdf_get_real(f, "/", "broken", &share, &e) == 0 && share == 50.4);
    CU_ASSERT(hdf_get_real(f, "/", "beyond", &share, &e) == 0 && share == 0x1p63);
    CU_ASSERT(hdf_exists(f, "a/b") && hdf_exists(f, "/a/b/cube") && !hdf_exists(f, "a/x/cube") && !hdf_exists(f, "b"));
    CU_ASSERT(hdf_has_attribute(f, "/", "title") && !hdf_has_attribute(f, "/", "titles"));
    CU_ASSERT_FATAL(hdf_list(f, "/", &n, &texts, &e) == 0);
    const char *names[] = {"a", "bytes", "chunked", "holes", "none", "scalar", "small"};
    CU_ASSERT_FATAL(n == 7);
    for (int i = 0; i < n; i++) CU_ASSERT(!strcmp(texts[i], names[i]));
    texts_free(n, texts);
    CU_ASSERT(hdf_close(f, &e) == 0);
}

static void wrong_requests(void)
{
    struct hdf *f = hdf_open(at("deep/sample.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    int rank, n;
    int64_t size[HDF_DIMENSIONS], v;
    double x[24];
    char **texts, *text;
    CU_ASSERT(hdf_shape(f, "a/c", HDF_INT64, &rank, size, &e) == -1 && says("sample.h5", "dataset a/c is missing"));
    CU_ASSERT(hdf_shape(f, "a/b/cube", HDF_INT64, &rank, size, &e) == -1 &&
              says("a/b/cube holds floating-point", "int64 is needed"));
    CU_ASSERT(hdf_shape(f, "small", HDF_FLOAT64, &rank, size, &e) == -1 && says("holds integers", "float64"));
    CU_ASSERT(hdf_shape(f, "a/texts", HDF_FLOAT64, &rank, size, &e) == -1 && says("holds text", "float64"));
    CU_ASSERT(hdf_shape(f, "a", HDF_FLOAT64, &rank, size, &e) == -1 && says("a is not a dataset", "sample.h5"));
    CU_ASSERT(hdf_read_part(f, "a/b/cube", HDF_FLOAT64, 1, 2, x, &e) == -1 && says("has 2 entries", "1 .. 2"));
    CU_ASSERT(hdf_read_texts(f, "small", &n, &texts, &e) == -1 && says("small", "does not hold text"));
    CU_ASSERT(hdf_get_int(f, "/", "share", &v, &e) == -1 && says("share", "one integer"));
    CU_ASSERT(hdf_get_int(f, "/", "broken", &v, &e) == -1 && says("broken", "one integer"));
    CU_ASSERT(hdf_get_text(f, "/", "share", &text, &e) == -1 && says("share", "text is needed"));
    CU_ASSERT(hdf_get_text(f, "/", "shares", &text, &e) == -1 && says("shares", "missing"));
    CU_ASSERT(hdf_list(f, "c", &n, &texts, &e) == -1 && says("group c", "missing"));
    CU_ASSERT(hdf_close(f, &e) == 0);
}

static void foreign_files(void)
{
    static char bytes[1 << 20];
    long n = read_file("deep/sample.h5", bytes, sizeof bytes);
    CU_ASSERT_FATAL(n > 4000 && n < (long)sizeof bytes);
    CU_ASSERT(!hdf_open(at("no.h5"), NULL, &e) && says("no.h5", "No such file"));
    CU_ASSERT(!hdf_open(folder, NULL, &e) && says(folder, "not a regular file"));
    write_file("empty.h5", "", 0);
    CU_ASSERT(!hdf_open(at("empty.h5"), NULL, &e) && says("empty.h5", "empty (0 bytes)"));
    write_file("text.h5", "id,date\n1,2\n", 12);
    CU_ASSERT(!hdf_open(at("text.h5"), NULL, &e) && says("text.h5", "is not an HDF5 file (12 bytes"));
    write_file("short.h5", bytes, (size_t)n - 1);
    CU_ASSERT(!hdf_open(at("short.h5"), NULL, &e) && says("short.h5", "is truncated"));
    CU_ASSERT(!hdf_edit(at("short.h5"), &e) && says("short.h5", "is truncated"));
    memset(bytes + 16, 0x77, 40);
    write_file("torn.h5", bytes, (size_t)n);
    CU_ASSERT(!hdf_open(at("torn.h5"), NULL, &e) && says("torn.h5", ""));
}

static void formats(void)
{
    const struct {
        const char *format;
        int64_t version;
        const char *found, *needed;
    } bad[] = {{"results", 1, "\"results\"", "\"panel\" is needed"},
               {"panel", 4, "is 4, from the future", "up to version 3"},
               {"panel", 0, "is 0", "1 to 3"},
               {NULL, 1, "no attribute aipm_format", "panel is needed"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hdf *f = hdf_create(at("format.h5"), NULL, &e);
        CU_ASSERT_FATAL(f != NULL);
        if (bad[i].format) hdf_put_text(f, "/", "aipm_format", bad[i].format, &e);
        hdf_put_int(f, "/", "format_version", bad[i].version, &e);
        CU_ASSERT(hdf_close(f, &e) == 0);
        f = hdf_open(at("format.h5"), NULL, &e);
        CU_ASSERT(hdf_check_format(f, "panel", 3, &e) == -1 && says(bad[i].found, bad[i].needed));
        hdf_close(f, &e);
    }
    struct hdf *f = hdf_edit(at("format.h5"), &e);
    hdf_put_text(f, "/", "aipm_format", "panel", &e);
    CU_ASSERT(hdf_check_format(f, "panel", 3, &e) == 0);
    CU_ASSERT(hdf_close(f, &e) == 0);
    f = hdf_open(at("format.h5"), NULL, &e); /* the edit stayed */
    CU_ASSERT(hdf_check_format(f, "panel", 3, &e) == 0);
    CU_ASSERT(hdf_close(f, &e) == 0);
}

static void same_data_same_bytes(void)
{
    static char a[1 << 20], b[1 << 20];
    long na = read_file("deep/sample.h5", a, sizeof a);
    struct timespec a_second = {.tv_sec = 1, .tv_nsec = 50000000};
    nanosleep(&a_second, NULL); /* HDF5's object times count in seconds */
    make_sample("deep/sample.h5");
    long nb = read_file("deep/sample.h5", b, sizeof b);
    CU_ASSERT(na > 0 && na == nb && !memcmp(a, b, (size_t)na));
}

static void failures_leave_nothing(void)
{
    double x = 1;
    int64_t one = 1;
    struct hdf *f = hdf_create(at("failed.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    hdf_write(f, "x", HDF_FLOAT64, 1, &one, &x, &e);
    CU_ASSERT(hdf_write(f, "x", HDF_FLOAT64, 1, &one, &x, &e) == -1); /* twice */
    CU_ASSERT(hdf_close(f, &e) == -1 && says("failed.h5", "dataset x cannot be made"));
    CU_ASSERT(!there("failed.h5") && check_temporaries(at("failed.h5")) == 0);
    CU_ASSERT(!hdf_create("/proc/aipm/x.h5", NULL, &e) && says("/proc/aipm", "cannot be made"));
    mkdir(at("taken.h5"), 0777);
    CU_ASSERT(!hdf_create(at("taken.h5"), NULL, &e) && says("taken.h5", "is a folder"));
    /* an older file stays as it was when its successor fails */
    f = hdf_create(at("deep/sample.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    error_set(&e, "changed my mind");
    CU_ASSERT(hdf_close(f, &e) == -1 && says("changed", "mind"));
    f = hdf_open(at("deep/sample.h5"), NULL, &e);
    CU_ASSERT(f && hdf_exists(f, "a/b/cube"));
    hdf_close(f, &e);
}

/* Looking a dataset up takes no longer the more of them are open: results of thousands of models stay readable. */
static void many_datasets(void)
{
    enum { MANY = 4000, TIMES = 50 };
    int64_t size[HDF_DIMENSIONS], one = 1;
    int rank, good = 0;
    char name[32];
    struct hdf *f = hdf_create(at("many.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "x%d", i);
        hdf_write(f, name, HDF_INT64, 1, &one, &one, &e);
    }
    clock_t began = clock();
    for (int i = 0; i < MANY * TIMES; i++) {
        snprintf(name, sizeof name, "x%d", i % MANY);
        good += hdf_shape(f, name, HDF_INT64, &rank, size, &e) == 0 && rank == 1;
    }
    CU_ASSERT((double)(clock() - began) / CLOCKS_PER_SEC < 1);
    CU_ASSERT(good == MANY * TIMES && hdf_close(f, &e) == 0);
}

/* Three ways to meet a full disk: when room is reserved, when deflated chunks are flushed, and at the metadata. */
static void full_disk(void)
{
    enum { BIG = 400000 };
    if (mkdir(at("small"), 0777) || mount("none", at("small"), "tmpfs", 0, "size=256k")) {
        SKIP("a full disk needs root and tmpfs");
        return;
    }
    int64_t big = BIG, one = 1000;
    struct hdf *f = hdf_create(at("small/a.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    CU_ASSERT(hdf_dataset(f, "x", HDF_FLOAT64, 1, &big, 0, NULL, &e) == -1);
    CU_ASSERT(hdf_close(f, &e) == -1 && says("no room for dataset x (3.2 MB)", "No space left"));
    CU_ASSERT(!there("small/a.h5") && check_temporaries(at("small/a.h5")) == 0);
    double *noise = memory_array(double, BIG, "noise");
    for (int i = 0; i < BIG; i++) noise[i] = sin(i * 1e6) * 1e5;
    f = hdf_create(at("small/b.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    CU_ASSERT(hdf_dataset(f, "x", HDF_FLOAT64, 1, &big, BIG / 4, NULL, &e) == 0);
    hdf_write_part(f, "x", HDF_FLOAT64, 0, BIG, noise, &e);
    CU_ASSERT(hdf_close(f, &e) == -1 && says("small/b.h5", "No space left"));
    CU_ASSERT(!there("small/b.h5") && check_temporaries(at("small/b.h5")) == 0);
    f = hdf_create(at("small/c.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    char name[32];
    for (int i = 0; i < 60 && !error_is_set(&e); i++) {
        snprintf(name, sizeof name, "x%d", i);
        hdf_write(f, name, HDF_FLOAT64, 1, &one, noise, &e);
    }
    CU_ASSERT(hdf_close(f, &e) == -1 && says("small/c.h5", "No space left"));
    CU_ASSERT(!there("small/c.h5") && check_temporaries(at("small/c.h5")) == 0);
    memory_free(noise);
    CU_ASSERT(umount(at("small")) == 0);
}

/* ---- dimensions ---- */

static void make(struct hdf *f, const char *name, int rank, int64_t size0, int64_t size1, const char *const *dimension)
{
    double values[16] = {0};
    hdf_write(f, name, HDF_FLOAT64, rank, (int64_t[]){size0, size1}, values, &e);
    hdf_describe(f, name, "unit", "meaning", rank, dimension, &e);
}

static herr_t take_path(hid_t dataset, unsigned dimension, hid_t scale, void *path)
{
    (void)dataset, (void)dimension;
    return H5Iget_name(scale, path, 100) > 0 ? 1 : -1;
}

/* The one scale of a dimension is the dataset at `path`. */
static bool scaled_by(hid_t f, const char *name, unsigned dimension, const char *path)
{
    char found[100] = "none";
    hid_t d = H5Dopen2(f, name, H5P_DEFAULT);
    bool one = H5DSget_num_scales(d, dimension) == 1 && H5DSiterate_scales(d, dimension, NULL, take_path, found) == 1;
    if (!one || strcmp(found, path)) fprintf(stderr, "%s, dimension %u: %s, not %s\n", name, dimension, found, path);
    H5Dclose(d);
    return one && !strcmp(found, path);
}

static void dimensions_have_scales(void)
{
    static const int64_t days[] = {19691231, 19700101, 20240229}, minutes[] = {202402290000, 202402292359},
                         none[] = {20230229};
    struct hdf *f = hdf_create(at("scales.h5"), NULL, &e);
    hdf_write_dates(f, "date", 3, days, &e);
    make(f, "a/returns", 2, 3, 2, (const char *const[]){"date", "seed"});  /* the root's date; a seed of its own */
    make(f, "a/more", 1, 2, 0, (const char *const[]){"seed"});             /* the same seed */
    make(f, "b/returns", 2, 2, 4, (const char *const[]){"date", "/wide"}); /* another size: not the root's date */
    make(f, "b/ridge", 1, 4, 0, (const char *const[]){"ridge"});
    make(f, "b/by_ridge", 1, 4, 0, (const char *const[]){"ridge"});
    hdf_write_dates(f, "c/date", 2, minutes, &e);
    hdf_write_dates(f, "d/date", 1, none, &e);
    hdf_without_scales(f);
    make(f, "plain", 1, 3, 0, (const char *const[]){"date"});
    CU_ASSERT_FATAL(hdf_close(f, &e) == 0);
    hid_t h = H5Fopen(at("scales.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), wide = H5Dopen2(h, "wide", H5P_DEFAULT),
          plain = H5Dopen2(h, "plain", H5P_DEFAULT);
    CU_ASSERT(scaled_by(h, "a/returns", 0, "/date") && scaled_by(h, "a/returns", 1, "/a/seed"));
    CU_ASSERT(scaled_by(h, "a/more", 0, "/a/seed") && scaled_by(h, "b/by_ridge", 0, "/b/ridge"));
    CU_ASSERT(scaled_by(h, "b/returns", 0, "/b/date") && scaled_by(h, "b/returns", 1, "/wide"));
    CU_ASSERT(H5DSis_scale(wide) > 0 && H5Dget_storage_size(wide) == 0 && H5DSget_num_scales(plain, 0) == 0);
    H5Dclose(wide);
    H5Dclose(plain);
    H5Fclose(h);
    f = hdf_open(at("scales.h5"), NULL, &e);
    int64_t time[3];
    int n = 0;
    char **names = NULL, *units = NULL;
    CU_ASSERT(!hdf_read(f, "date", HDF_INT64, time, &e) && time[0] == -1 && time[1] == 0 && time[2] == 19782);
    CU_ASSERT(!hdf_get_text(f, "date", "units", &units, &e) && !strcmp(units, "days since 1970-01-01"));
    memory_free(units);
    CU_ASSERT(!hdf_read(f, "c/date", HDF_INT64, time, &e) && time[0] == 19782 * 1440 && time[1] == time[0] + 1439);
    CU_ASSERT(!hdf_get_text(f, "c/date", "units", &units, &e) && !strcmp(units, "minutes since 1970-01-01"));
    memory_free(units);
    CU_ASSERT(!hdf_read(f, "d/date", HDF_INT64, time, &e) && time[0] == 0 && !hdf_has_attribute(f, "d/date", "units"));
    CU_ASSERT(!hdf_get_texts(f, "plain", HDF_DIMENSION_NAMES, &n, &names, &e) && n == 1 && !strcmp(names[0], "date"));
    texts_free(n, names);
    CU_ASSERT(hdf_close(f, &e) == 0);
}

/* What this process wrote needs no trial; a copy of it does, and so does the file itself once it has changed. The program that tries them
 * refuses everything. */
/* A crash while a file is open for reading is an error of the file: status 1, and nothing half-written stays. Before it is open, and after, it
 * is a crash. */
static void crashes(void)
{
#ifdef __SANITIZE_ADDRESS__
    SKIP("AddressSanitizer reports crashes itself; make check has this one");
    return;
#endif
    CU_ASSERT(!hdf_close(hdf_create(at("read.h5"), NULL, &e), &e));
    for (int when = 0; when < 3; when++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            freopen("/dev/null", "w", stderr);
            FILE *half = fopen(at("half"), "w");
            if (half) fclose(half);
            cleanup_register(at("half"));
            struct hdf *f = when ? hdf_open(at("read.h5"), NULL, &e) : NULL;
            if (when == 2) hdf_close(f, &e);
            raise(SIGSEGV);
            _exit(7);
        }
        waitpid(child, &status, 0);
        CU_ASSERT(when == 1 ? WIFEXITED(status) && WEXITSTATUS(status) == 1
                            : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        CU_ASSERT(when != 1 || !there("half"));
        unlink(at("half"));
    }
}

static void elsewhere(void)
{
    char command[400];
    hdf_probe_by("/bin/false");
    CU_ASSERT_FATAL(!hdf_close(hdf_create(at("own.h5"), NULL, &e), &e));
    struct hdf *f = hdf_open(at("own.h5"), NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    hdf_close(f, &e);
    snprintf(command, sizeof command, "cp %s %s && touch -d 2001-01-01 %s", at("own.h5"), at("copy.h5"), at("own.h5"));
    CU_ASSERT_FATAL(!system(command));
    CU_ASSERT(!hdf_open(at("copy.h5"), NULL, &e) && says("copy.h5", "child process"));
    CU_ASSERT(!hdf_open(at("own.h5"), NULL, &e) && says("own.h5", "child process"));
}

int main(void)
{
    static const struct check tests[] = {
        {"everything written comes back", everything_comes_back},
        {"requests that do not fit the file", wrong_requests},
        {"missing, empty, foreign, truncated and torn files", foreign_files},
        {"crashes while a file is read", crashes},
        {"formats and versions", formats},
        {"same data, same bytes", same_data_same_bytes},
        {"failures leave nothing behind", failures_leave_nothing},
        {"many datasets", many_datasets},
        {"dimensions have scales", dimensions_have_scales},
        {"a full disk", full_disk},
        {"files from elsewhere are tried", elsewhere}, /* the last: from here on a program tries files */
    };
    char command[160];
    snprintf(folder, sizeof folder, "/tmp/aipm-hdf-%d", (int)getpid());
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s", folder, folder);
    if (system(command)) return 2;
    int status = check_run("HDF5 files", tests, sizeof tests / sizeof *tests);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) || status || memory_blocks() != 0;
}
