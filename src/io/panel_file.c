#define _GNU_SOURCE
#include "io/panel_file.h"

#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <zlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/hdf.h"

/* ---- the header: read by one rank ---------------------------------------------------------------------------------------- */

/* Shape of a dataset that must have `rank` dimensions; NULL in need of a size that is free. */
static int shape(struct hdf *f, const char *name, enum hdf_type type, int rank, int64_t size[HDF_DIMENSIONS],
                 struct error *e)
{
    int found;
    if (hdf_shape(f, name, type, &found, size, e)) return -1;
    if (found != rank)
        return error_set(e, "%s: dataset %s has %d dimensions; %d are needed", hdf_path(f), name, found, rank);
    return 0;
}

/* Size `axis` of dataset `name` must be `needed`, because `why`. */
static int fits(struct hdf *f, const char *name, int64_t found, int64_t needed, const char *what, const char *why,
                struct error *e)
{
    if (found == needed) return 0;
    return error_set(e, "%s: dataset %s has %lld %s; %lld are needed (%s)", hdf_path(f), name, (long long)found, what,
                     (long long)needed, why);
}

static int load_dates(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t size[HDF_DIMENSIONS];
    if (shape(f, "dates", HDF_INT64, 1, size, e)) return -1;
    if (size[0] < 1 || size[0] > 100000000)
        return error_set(e, "%s: dataset dates has %lld periods; 1 or more are needed", hdf_path(f), (long long)size[0]);
    m->T = (int)size[0];
    m->dates = memory_array(int64_t, m->T, "panel dates");
    if (hdf_read(f, "dates", HDF_INT64, m->dates, e)) return -1;
    for (int t = 0; t < m->T; t++) {
        int64_t d = m->dates[t];
        bool day = d >= 10000101 && d <= 99991231, minute = d >= 100001010000 && d <= 999912312359;
        if (!day && !minute)
            return error_set(e, "%s: dataset dates, period %d: %lld is not a date; YYYYMMDD or YYYYMMDDhhmm is needed",
                             hdf_path(f), t, (long long)d);
        if (t && d <= m->dates[t - 1])
            return error_set(e, "%s: dataset dates, period %d: %lld follows %lld; dates must increase", hdf_path(f), t,
                             (long long)d, (long long)m->dates[t - 1]);
    }
    return 0;
}

static int load_offsets(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t size[HDF_DIMENSIONS];
    if (shape(f, "offsets", HDF_INT64, 1, size, e)) return -1;
    if (fits(f, "offsets", size[0], (int64_t)m->T + 1, "entries", "one more than there are dates", e)) return -1;
    m->offsets = memory_array(int64_t, (size_t)m->T + 1, "panel offsets");
    if (hdf_read(f, "offsets", HDF_INT64, m->offsets, e)) return -1;
    if (m->offsets[0] != 0)
        return error_set(e, "%s: dataset offsets, entry 0 is %lld; 0 is needed", hdf_path(f), (long long)m->offsets[0]);
    for (int t = 0; t < m->T; t++) {
        int64_t from = m->offsets[t], to = m->offsets[t + 1];
        if (to < from)
            return error_set(e, "%s: dataset offsets, entry %d: %lld follows %lld; offsets must not fall", hdf_path(f),
                             t + 1, (long long)to, (long long)from);
        if (to > m->rows)
            return error_set(
                e, "%s: dataset offsets, entry %d is %lld, past the end: the panel has %lld rows (dataset asset_ids)",
                hdf_path(f), t + 1, (long long)to, (long long)m->rows);
        if (to - from > INT32_MAX / 2)
            return error_set(e, "%s: period %d has %lld rows; at most %d are possible", hdf_path(f), t,
                             (long long)(to - from), INT32_MAX / 2);
    }
    if (m->offsets[m->T] != m->rows)
        return error_set(e, "%s: dataset offsets ends at %lld; %lld is needed, the number of rows (dataset asset_ids)",
                         hdf_path(f), (long long)m->offsets[m->T], (long long)m->rows);
    return 0;
}

static int load_row_shapes(struct hdf *f, struct panel_meta *m, struct error *e)
{
    const char *why = "one for each row of asset_ids";
    int64_t size[HDF_DIMENSIONS];
    if (shape(f, "asset_ids", HDF_INT64, 1, size, e)) return -1;
    m->rows = size[0];
    if (shape(f, "characteristics", HDF_FLOAT32, 2, size, e) || fits(f, "characteristics", size[0], m->rows, "rows", why, e))
        return -1;
    if (size[1] > 1000000 || (size[1] < 1 && m->rows))
        return error_set(e, "%s: dataset characteristics has %lld columns; 1 or more are needed", hdf_path(f),
                         (long long)size[1]);
    int D = (int)size[1];
    if (shape(f, "returns", HDF_FLOAT64, 1, size, e) || fits(f, "returns", size[0], m->rows, "entries", why, e)) return -1;
    m->has_size_groups = hdf_exists(f, "size_groups");
    if (m->has_size_groups)
        if (shape(f, "size_groups", HDF_INT8, 1, size, e) || fits(f, "size_groups", size[0], m->rows, "entries", why, e))
            return -1;
    if (hdf_read_texts(f, "characteristic_names", &m->D, &m->characteristic_names, e)) return -1;
    if (fits(f, "characteristic_names", m->D, D, "names", "one for each column of characteristics", e)) return -1;
    for (int j = 0; j < D; j++)
        for (int i = 0; i < j; i++)
            if (!strcmp(m->characteristic_names[i], m->characteristic_names[j]))
                return error_set(e,
                                 "%s: dataset characteristic_names has \"%s\" twice (columns %d and %d); names must differ",
                                 hdf_path(f), m->characteristic_names[i], i, j);
    return 0;
}

/* [T, k] of double: returns dated like the panel, NaN where missing. */
static int load_table(struct hdf *f, const char *name, int T, int64_t *columns, double **out, struct error *e)
{
    int64_t size[HDF_DIMENSIONS];
    if (shape(f, name, HDF_FLOAT64, 2, size, e) || fits(f, name, size[0], T, "rows", "one for each date", e)) return -1;
    *columns = size[1];
    *out = memory_array(double, size[0] * size[1], name);
    if (hdf_read(f, name, HDF_FLOAT64, *out, e)) return -1;
    for (int64_t i = 0; i < size[0] * size[1]; i++)
        if (isinf((*out)[i]))
            return error_set(e, "%s: dataset %s, period %lld, column %lld is infinite; a return or NaN (missing) is needed",
                             hdf_path(f), name, (long long)(i / size[1]), (long long)(i % size[1]));
    return 0;
}

static int load_test_assets(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t M;
    if (!hdf_exists(f, "test_assets")) return 0;
    if (load_table(f, "test_assets/returns", m->T, &M, &m->test_assets, e)) return -1;
    if (hdf_read_texts(f, "test_assets/names", &m->M, &m->test_asset_names, e)) return -1;
    return fits(f, "test_assets/names", m->M, M, "names", "one for each column of test_assets/returns", e);
}

static int load_benchmarks(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int n, rc = 0;
    char **names, path[300];
    if (!hdf_exists(f, "benchmarks")) return 0;
    if (hdf_list(f, "benchmarks", &n, &names, e)) return -1;
    m->benchmark = memory_array(struct benchmark, n, "benchmarks");
    for (int i = 0; i < n && !rc; i++) {
        struct benchmark *b = &m->benchmark[m->benchmarks++];
        int64_t k;
        b->name = memory_text(names[i]);
        snprintf(path, sizeof path, "benchmarks/%s", names[i]);
        rc = load_table(f, path, m->T, &k, &b->returns, e);
        if (!rc) rc = hdf_get_texts(f, path, "factor_names", &b->k, &b->factor_names, e);
        if (!rc && b->k != k)
            rc = error_set(e, "%s: attribute factor_names of %s has %d names; %lld are needed (one for each column)",
                           hdf_path(f), path, b->k, (long long)k);
    }
    texts_free(n, names);
    return rc;
}

static int load_truth(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t size[HDF_DIMENSIONS];
    if (!hdf_exists(f, "truth/sdf_returns")) return 0;
    if (shape(f, "truth/sdf_returns", HDF_FLOAT64, 1, size, e)) return -1;
    if (fits(f, "truth/sdf_returns", size[0], m->T, "entries", "one for each date", e)) return -1;
    m->truth = memory_array(double, m->T, "true SDF returns");
    return hdf_read(f, "truth/sdf_returns", HDF_FLOAT64, m->truth, e);
}

static int load_alone(const char *path, struct panel_meta *m, struct error *e)
{
    int64_t per_year = 0;
    struct hdf *f = hdf_open(path, NULL, e);
    if (!f) return -1;
    int rc = hdf_check_format(f, "panel", PANEL_FORMAT_VERSION, e);
    if (!rc) rc = hdf_get_int(f, "/", "periods_per_year", &per_year, e);
    if (!rc && (per_year < 1 || per_year > 1000000))
        rc = error_set(e, "%s: attribute periods_per_year is %lld; 1 or more is needed", path, (long long)per_year);
    m->periods_per_year = (int)per_year;
    if (!rc) rc = hdf_get_text(f, "/", "frequency", &m->frequency, e);
    if (!rc) rc = load_dates(f, m, e);
    if (!rc) rc = load_row_shapes(f, m, e);
    if (!rc) rc = load_offsets(f, m, e);
    if (!rc) rc = load_test_assets(f, m, e);
    if (!rc) rc = load_benchmarks(f, m, e);
    if (!rc) rc = load_truth(f, m, e);
    if (hdf_close(f, e)) rc = -1;
    return rc;
}

/* ---- and handed to all --------------------------------------------------------------------------------------------------- */

static void share_array(struct team *team, void *pointer, size_t count, size_t size, const char *what)
{
    void **array = pointer;
    if (team_rank(team)) *array = memory_allocate(count, size, what);
    team_broadcast(team, *array, count * size, 0);
}

static void share_texts(struct team *team, char ***texts, int n)
{
    bool root = team_rank(team) == 0;
    if (!root) *texts = memory_array(char *, n, "texts");
    for (int i = 0; i < n; i++) {
        char *copy = team_broadcast_text(team, (*texts)[i], 0);
        if (root) memory_free(copy);
        else (*texts)[i] = copy;
    }
}

static void share_text(struct team *team, char **text)
{
    char *copy = team_broadcast_text(team, *text, 0);
    memory_free(*text);
    *text = copy;
}

static void share_meta(struct team *team, struct panel_meta *m)
{
    bool root = team_rank(team) == 0;
    struct panel_meta sizes = *m;
    team_broadcast(team, &sizes, sizeof sizes, 0);
    bool truth = sizes.truth;
    if (!root) {
        sizes.frequency = NULL, sizes.dates = NULL, sizes.offsets = NULL, sizes.characteristic_names = NULL;
        sizes.test_asset_names = NULL, sizes.test_assets = NULL, sizes.truth = NULL, sizes.benchmark = NULL;
        *m = sizes;
    }
    size_t T = (size_t)m->T;
    share_text(team, &m->frequency);
    share_array(team, &m->dates, T, sizeof(int64_t), "panel dates");
    share_array(team, &m->offsets, T + 1, sizeof(int64_t), "panel offsets");
    share_texts(team, &m->characteristic_names, m->D);
    if (m->M) {
        share_texts(team, &m->test_asset_names, m->M);
        share_array(team, &m->test_assets, T * (size_t)m->M, sizeof(double), "test assets");
    }
    if (truth) share_array(team, &m->truth, T, sizeof(double), "true SDF returns");
    if (!root) m->benchmark = memory_array(struct benchmark, m->benchmarks, "benchmarks");
    for (int b = 0; b < m->benchmarks; b++) {
        struct benchmark *k = &m->benchmark[b];
        team_broadcast(team, &k->k, sizeof k->k, 0);
        share_text(team, &k->name);
        share_texts(team, &k->factor_names, k->k);
        share_array(team, &k->returns, T * (size_t)k->k, sizeof(double), "benchmark returns");
    }
}

int panel_load_meta(const char *path, struct team *team, struct panel_meta *m, struct error *e)
{
    *m = (struct panel_meta){0};
    if (!team || team_rank(team) == 0) load_alone(path, m, e);
    if (team ? team_agree(team, e) : error_is_set(e) ? -1 : 0) {
        panel_meta_free(m);
        return -1;
    }
    if (team) share_meta(team, m);
    return 0;
}

static uint32_t digest(uint32_t crc, const void *data, size_t bytes)
{
    return (uint32_t)crc32_z(crc, data, bytes);
}

static uint32_t digest_texts(uint32_t crc, int n, char **texts)
{
    for (int i = 0; i < n; i++) crc = digest(crc, texts[i], strlen(texts[i]) + 1);
    return crc;
}

uint32_t panel_meta_digest(const struct panel_meta *m)
{
    size_t T = (size_t)m->T;
    uint32_t crc = digest(0, m->dates, T * sizeof *m->dates);
    crc = digest(crc, m->offsets, (T + 1) * sizeof *m->offsets);
    crc = digest_texts(crc, m->D, m->characteristic_names);
    crc = digest_texts(crc, m->M, m->test_asset_names);
    if (m->M) crc = digest(crc, m->test_assets, T * (size_t)m->M * sizeof(double));
    for (int b = 0; b < m->benchmarks; b++) {
        const struct benchmark *k = &m->benchmark[b];
        crc = digest_texts(crc, 1, (char **)&k->name);
        crc = digest_texts(crc, k->k, k->factor_names);
        crc = digest(crc, k->returns, T * (size_t)k->k * sizeof(double));
    }
    return crc;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

struct panel_file {
    struct hdf *hdf;
    const struct panel_meta *meta;
    struct row_buffer past; /* an earlier period, for a placebo that shows it; made when first needed */
};

struct panel_file *panel_open(const char *path, struct team *team, const struct panel_meta *m, struct error *e)
{
    int rank;
    int64_t size[HDF_DIMENSIONS];
    struct hdf *h = hdf_open(path, team, e);
    if (!h) return NULL;
    struct panel_file *f = memory_array(struct panel_file, 1, "open panel");
    *f = (struct panel_file){.hdf = h, .meta = m};
    /* the first use of a dataset is collective; the reads that follow are not */
    if (!hdf_shape(h, "asset_ids", HDF_INT64, &rank, size, e) && !hdf_shape(h, "returns", HDF_FLOAT64, &rank, size, e) &&
        !hdf_shape(h, "characteristics", HDF_FLOAT32, &rank, size, e) && m->has_size_groups)
        hdf_shape(h, "size_groups", HDF_INT8, &rank, size, e);
    if (team ? !team_agree(team, e) : !error_is_set(e)) return f;
    panel_close(f, e);
    return NULL;
}

int panel_close(struct panel_file *f, struct error *e)
{
    if (!f) return error_is_set(e) ? -1 : 0;
    int rc = hdf_close(f->hdf, e);
    row_buffer_free(&f->past);
    memory_free(f);
    return rc;
}

void row_buffer_create(struct row_buffer *b, const struct panel_meta *m, int64_t capacity)
{
    b->capacity = capacity;
    b->characteristics = memory_array(float, capacity * m->D, "characteristics of a period");
    b->returns = memory_array(double, capacity, "returns of a period");
    b->ids = memory_array(int64_t, capacity, "asset ids of a period");
    b->size_groups = m->has_size_groups ? memory_array(int8_t, capacity, "size groups of a period") : NULL;
}

void row_buffer_free(struct row_buffer *b)
{
    memory_free(b->characteristics);
    memory_free(b->returns);
    memory_free(b->ids);
    memory_free(b->size_groups);
    *b = (struct row_buffer){0};
}

size_t row_buffer_bytes(const struct panel_meta *m, int64_t capacity)
{
    size_t rows = (size_t)capacity * (m->placebo.kind == PLACEBO_CHARACTERISTICS ? 2 : 1);
    return rows * ((size_t)m->D * sizeof(float) + sizeof(double) + sizeof(int64_t) + (m->has_size_groups ? 1 : 0));
}

int panel_read_stored(struct panel_file *f, int t, struct row_buffer *b, struct rows *r, struct error *e)
{
    const struct panel_meta *m = f->meta;
    int64_t first = m->offsets[t], n = m->offsets[t + 1] - first;
    require(t >= 0 && t < m->T && n <= b->capacity);
    if (hdf_read_part(f->hdf, "asset_ids", HDF_INT64, first, n, b->ids, e) ||
        hdf_read_part(f->hdf, "characteristics", HDF_FLOAT32, first, n, b->characteristics, e) ||
        hdf_read_part(f->hdf, "returns", HDF_FLOAT64, first, n, b->returns, e) ||
        (m->has_size_groups && hdf_read_part(f->hdf, "size_groups", HDF_INT8, first, n, b->size_groups, e)))
        return -1;
    *r = (struct rows){.n = (int)n,
                       .characteristics = b->characteristics,
                       .returns = b->returns,
                       .ids = b->ids,
                       .size_groups = b->size_groups};
    return rows_check(r, m, t, hdf_path(f->hdf), e);
}

int panel_apply_placebo(struct panel_file *f, int t, struct row_buffer *b, struct error *e)
{
    const struct panel_meta *m = f->meta;
    const struct placebo *p = &m->placebo;
    int n = (int)(m->offsets[t + 1] - m->offsets[t]);
    struct rows past = {0};
    if (p->kind == PLACEBO_RETURNS) placebo_shuffle(p, t, n, b->returns);
    if (p->kind != PLACEBO_CHARACTERISTICS) return 0;
    if (!f->past.capacity) row_buffer_create(&f->past, m, panel_max_assets(m));
    if (t >= p->lag && panel_read_stored(f, t - p->lag, &f->past, &past, e)) return -1;
    placebo_shift(m->D, n, b->ids, b->characteristics, past.n, past.ids, past.characteristics);
    return 0;
}

int panel_read_period(struct panel_file *f, int t, struct row_buffer *b, struct rows *r, struct error *e)
{
    return panel_read_stored(f, t, b, r, e) || panel_apply_placebo(f, t, b, e) ? -1 : 0;
}

uint32_t rows_digest(const struct rows *r, int D)
{
    size_t n = (size_t)r->n;
    uint32_t crc = digest(0, r->ids, n * sizeof *r->ids);
    crc = digest(crc, r->characteristics, n * (size_t)D * sizeof(float));
    crc = digest(crc, r->returns, n * sizeof *r->returns);
    return r->size_groups ? digest(crc, r->size_groups, n) : crc;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

struct panel_writer {
    struct hdf *hdf;
    const struct panel_meta *meta;
};

double panel_row_bytes(const struct panel_meta *m)
{
    return (double)m->rows * (4.0 * m->D + 8 + 8 + (m->has_size_groups ? 1 : 0));
}

/* Is there room for the rows where path lies? Asked of the file system by rank 0; one that cannot say is believed. */
static int check_room(const char *path, const struct panel_meta *m, struct error *e)
{
    struct statvfs s;
    char needed[32], found[32], *copy = memory_text(path);
    int unknown = statvfs(dirname(copy), &s);
    memory_free(copy);
    if (unknown) return 0;
    double room = (double)s.f_bavail * (double)s.f_frsize, bytes = panel_row_bytes(m);
    if (bytes <= room) return 0;
    return error_set(e, "%s: no room on the disk: the panel's %lld rows need %s, %s are free", path, (long long)m->rows,
                     format_bytes(bytes, needed), format_bytes(room, found));
}

static int write_header(struct hdf *f, const struct panel_meta *m, struct error *e)
{
    char path[300];
    int64_t T[2] = {m->T, m->M}, offsets = (int64_t)m->T + 1;
    int rc = hdf_put_text(f, "/", "aipm_format", "panel", e);
    if (!rc) rc = hdf_put_int(f, "/", "format_version", PANEL_FORMAT_VERSION, e);
    if (!rc) rc = hdf_put_int(f, "/", "periods_per_year", m->periods_per_year, e);
    if (!rc) rc = hdf_put_text(f, "/", "frequency", m->frequency, e);
    if (!rc) rc = hdf_write_texts(f, "characteristic_names", m->D, m->characteristic_names, e);
    if (!rc) rc = hdf_write(f, "dates", HDF_INT64, 1, T, m->dates, e);
    if (!rc) rc = hdf_write(f, "offsets", HDF_INT64, 1, &offsets, m->offsets, e);
    if (!rc && m->M) rc = hdf_write(f, "test_assets/returns", HDF_FLOAT64, 2, T, m->test_assets, e);
    if (!rc && m->M) rc = hdf_write_texts(f, "test_assets/names", m->M, m->test_asset_names, e);
    for (int b = 0; b < m->benchmarks && !rc; b++) {
        int64_t size[2] = {m->T, m->benchmark[b].k};
        snprintf(path, sizeof path, "benchmarks/%s", m->benchmark[b].name);
        rc = hdf_write(f, path, HDF_FLOAT64, 2, size, m->benchmark[b].returns, e);
        if (!rc) rc = hdf_put_texts(f, path, "factor_names", m->benchmark[b].k, m->benchmark[b].factor_names, e);
    }
    if (!rc && m->truth) rc = hdf_write(f, "truth/sdf_returns", HDF_FLOAT64, 1, T, m->truth, e);
    return rc;
}

struct panel_writer *panel_write_begin(const char *path, struct team *team, const struct panel_meta *m, struct error *e)
{
    struct hdf *f = hdf_create(path, team, e);
    if (!f) return NULL;
    int64_t size[2] = {m->rows, m->D};
    if (!team || team_rank(team) == 0) check_room(path, m, e);
    int rc = team ? team_agree(team, e) : error_is_set(e) ? -1 : 0;
    if (!rc) rc = write_header(f, m, e);
    if (!rc) rc = hdf_dataset(f, "asset_ids", HDF_INT64, 1, size, 0, NULL, e);
    if (!rc) rc = hdf_dataset(f, "characteristics", HDF_FLOAT32, 2, size, 0, NULL, e);
    if (!rc) rc = hdf_dataset(f, "returns", HDF_FLOAT64, 1, size, 0, NULL, e);
    if (!rc && m->has_size_groups) rc = hdf_dataset(f, "size_groups", HDF_INT8, 1, size, 0, NULL, e);
    if (rc) {
        hdf_close(f, e);
        return NULL;
    }
    struct panel_writer *w = memory_array(struct panel_writer, 1, "panel being written");
    *w = (struct panel_writer){f, m};
    return w;
}

int panel_write_rows(struct panel_writer *w, int64_t first_row, int64_t count, const float *characteristics,
                     const double *returns, const int64_t *ids, const int8_t *size_groups, struct error *e)
{
    require(!w->meta->has_size_groups || size_groups);
    if (hdf_write_part(w->hdf, "asset_ids", HDF_INT64, first_row, count, ids, e) ||
        hdf_write_part(w->hdf, "characteristics", HDF_FLOAT32, first_row, count, characteristics, e) ||
        hdf_write_part(w->hdf, "returns", HDF_FLOAT64, first_row, count, returns, e) ||
        (w->meta->has_size_groups && hdf_write_part(w->hdf, "size_groups", HDF_INT8, first_row, count, size_groups, e)))
        return -1;
    return 0;
}

int panel_write_text(struct panel_writer *w, const char *name, const char *text, struct error *e)
{
    return hdf_put_text(w->hdf, "/", name, text, e);
}

struct hdf *panel_writer_file(struct panel_writer *w)
{
    return w->hdf;
}

int panel_write_end(struct panel_writer *w, struct error *e)
{
    if (!w) return error_is_set(e) ? -1 : 0;
    int rc = hdf_close(w->hdf, e);
    memory_free(w);
    return rc;
}
