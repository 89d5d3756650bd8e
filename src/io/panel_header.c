/* The header of a panel file: read and checked by one rank, handed to all, and its digest. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "io/hdf.h"
#include "io/panel_file.h"
#include "io/datasets.h"

/* ---- read by one rank ---------------------------------------------------------------------------------------- */

/* The names that dataset `name` has must be as many as `needed`, because `why`. */
static int as_many(struct hdf *f, const char *name, int64_t found, int64_t needed, const char *why, struct error *e)
{
    if (found == needed) return 0;
    return error_set(e, "%s: dataset %s has %lld names; %lld are needed (%s)", hdf_path(f), name, (long long)found,
                     (long long)needed, why);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a list must differ: things are looked up by them. */
static int differ(struct hdf *f, const char *what, int n, char *const *texts, struct error *e)
{
    char **sorted = memory_array(char *, n, "names");
    const char *twice = NULL;
    for (int i = 0; i < n; i++) sorted[i] = texts[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (int i = 1; i < n && !twice; i++)
        if (!strcmp(sorted[i - 1], sorted[i])) twice = sorted[i];
    memory_free(sorted);
    if (!twice) return 0;
    int first = 0, second;
    while (strcmp(texts[first], twice)) first++;
    for (second = first + 1; strcmp(texts[second], twice);) second++;
    return error_set(e, "%s: %s has \"%s\" twice (numbers %d and %d); names must differ", hdf_path(f), what, twice, first,
                     second);
}

static int load_dates(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t T = -1;
    if (hdf_fits(f, "dates", HDF_INT64, 1, &T, NULL, e)) return -1;
    if (T < 1 || T > 100000000)
        return error_set(e, "%s: dataset dates has %lld periods; 1 or more are needed", hdf_path(f), (long long)T);
    m->T = (int)T;
    m->dates = hdf_load(f, "dates", HDF_INT64, 1, &T, NULL, e);
    return m->dates ? dates_check(f, m->T, m->dates, e) : -1;
}

static int load_offsets(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t entries = (int64_t)m->T + 1;
    m->offsets = hdf_load(f, "offsets", HDF_INT64, 1, &entries, "one more than there are dates", e);
    if (!m->offsets) return -1;
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

static const char A_ROW[] = "one for each row of asset_ids";

static int load_row_shapes(struct hdf *f, struct panel_meta *m, struct error *e)
{
    m->rows = -1;
    if (hdf_fits(f, "asset_ids", HDF_INT64, 1, &m->rows, NULL, e)) return -1;
    int64_t size[] = {m->rows, -1};
    if (hdf_fits(f, "characteristics", HDF_FLOAT32, 2, size, A_ROW, e)) return -1;
    if (size[1] > 1000000 || (size[1] < 1 && m->rows))
        return error_set(e, "%s: dataset characteristics has %lld columns; 1 or more are needed", hdf_path(f),
                         (long long)size[1]);
    int D = (int)size[1];
    m->has_size_groups = hdf_exists(f, "size_groups");
    if (hdf_fits(f, "returns", HDF_FLOAT64, 1, &m->rows, A_ROW, e) ||
        (m->has_size_groups && hdf_fits(f, "size_groups", HDF_INT8, 1, &m->rows, A_ROW, e)))
        return -1;
    if (hdf_read_texts(f, "characteristic_names", &m->D, &m->characteristic_names, e)) return -1;
    if (as_many(f, "characteristic_names", m->D, D, "one for each column of characteristics", e)) return -1;
    return differ(f, "dataset characteristic_names", D, m->characteristic_names, e);
}

/* [T, k] of double: returns dated like the panel, NaN where missing. */
static int load_table(struct hdf *f, const char *name, int T, int64_t *columns, double **out, struct error *e)
{
    int64_t size[] = {T, -1};
    if (!(*out = hdf_load(f, name, HDF_FLOAT64, 2, size, "one for each date", e))) return -1;
    *columns = size[1];
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
    return as_many(f, "test_assets/names", m->M, M, "one for each column of test_assets/returns", e);
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

static int load_groups(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int n, rc = 0;
    char **names, path[300], what[400];
    if (!hdf_exists(f, "groups")) return 0;
    if (hdf_list(f, "groups", &n, &names, e)) return -1;
    if (n > PANEL_MOST_GROUPS)
        rc = error_set(e, "%s: group groups has %d columns; at most %d are possible", hdf_path(f), n, PANEL_MOST_GROUPS);
    for (int i = 0; i < n && !rc; i++) {
        int g = m->G++;
        m->group_names[g] = memory_text(names[i]);
        snprintf(path, sizeof path, "groups/%s", names[i]);
        rc = hdf_fits(f, path, HDF_INT32, 1, &m->rows, A_ROW, e) ||
             hdf_get_texts(f, path, "labels", &m->labels[g], &m->label_names[g], e);
        snprintf(what, sizeof what, "attribute labels of %s", path);
        rc = rc || differ(f, what, m->labels[g], m->label_names[g], e) ? -1 : 0;
    }
    texts_free(n, names);
    return rc;
}

static int load_asset_names(struct hdf *f, struct panel_meta *m, struct error *e)
{
    if (!hdf_exists(f, "asset_names") && !hdf_exists(f, "asset_name_ids")) return 0;
    if (hdf_read_texts(f, "asset_names", &m->assets, &m->asset_names, e)) return -1;
    int64_t n = m->assets;
    if (!(m->asset_name_ids = hdf_load(f, "asset_name_ids", HDF_INT64, 1, &n, "one for each of asset_names", e))) return -1;
    for (int i = 1; i < m->assets; i++)
        if (m->asset_name_ids[i] <= m->asset_name_ids[i - 1])
            return error_set(e, "%s: dataset asset_name_ids, entry %d: %lld follows %lld; ids must ascend", hdf_path(f), i,
                             (long long)m->asset_name_ids[i], (long long)m->asset_name_ids[i - 1]);
    return 0;
}

static int load_truth(struct hdf *f, struct panel_meta *m, struct error *e)
{
    int64_t T = m->T;
    if (!hdf_exists(f, "truth/sdf_returns")) return 0;
    m->truth = hdf_load(f, "truth/sdf_returns", HDF_FLOAT64, 1, &T, "one for each date", e);
    return m->truth ? 0 : -1;
}

enum { FREQUENCY_TEXT = 64 }; /* characters of a frequency at most */

static int load_alone(const char *path, struct panel_meta *m, struct error *e)
{
    struct hdf *f = hdf_open(path, NULL, e);
    if (!f) return -1;
    int rc = hdf_check_format(f, "panel", PANEL_FORMAT_VERSION, e);
    if (!rc) rc = periods_per_year_read(f, &m->periods_per_year, e);
    if (!rc) rc = hdf_get_text(f, "/", "frequency", &m->frequency, e);
    if (!rc && (!*m->frequency || strlen(m->frequency) > FREQUENCY_TEXT))
        rc = error_set(e, "%s: root attribute frequency has %zu characters; needed: 1 to %d", path, strlen(m->frequency),
                       FREQUENCY_TEXT);
    if (!rc) rc = load_dates(f, m, e);
    if (!rc) rc = load_row_shapes(f, m, e);
    if (!rc) rc = load_offsets(f, m, e);
    if (!rc) rc = load_groups(f, m, e);
    if (!rc) rc = load_asset_names(f, m, e);
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
        sizes.asset_names = NULL, sizes.asset_name_ids = NULL;
        for (int g = 0; g < sizes.G; g++) sizes.group_names[g] = NULL, sizes.label_names[g] = NULL;
        *m = sizes;
    }
    size_t T = (size_t)m->T;
    share_text(team, &m->frequency);
    share_array(team, &m->dates, T, sizeof(int64_t), "panel dates");
    share_array(team, &m->offsets, T + 1, sizeof(int64_t), "panel offsets");
    m->characteristic_names = team_broadcast_texts(team, m->characteristic_names, m->D);
    for (int g = 0; g < m->G; g++) {
        share_text(team, &m->group_names[g]);
        m->label_names[g] = team_broadcast_texts(team, m->label_names[g], m->labels[g]);
    }
    if (m->assets) {
        m->asset_names = team_broadcast_texts(team, m->asset_names, m->assets);
        share_array(team, &m->asset_name_ids, (size_t)m->assets, sizeof(int64_t), "ids of named assets");
    }
    if (m->M) {
        m->test_asset_names = team_broadcast_texts(team, m->test_asset_names, m->M);
        share_array(team, &m->test_assets, T * (size_t)m->M, sizeof(double), "test assets");
    }
    if (truth) share_array(team, &m->truth, T, sizeof(double), "true SDF returns");
    if (!root) m->benchmark = memory_array(struct benchmark, m->benchmarks, "benchmarks");
    for (int b = 0; b < m->benchmarks; b++) {
        struct benchmark *k = &m->benchmark[b];
        team_broadcast(team, &k->k, sizeof k->k, 0);
        share_text(team, &k->name);
        k->factor_names = team_broadcast_texts(team, k->factor_names, k->k);
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

/* ---- digests, which name a panel ------------------------------------------------------------------------------------------- */

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
    for (int g = 0; g < m->G; g++) {
        crc = digest_texts(crc, 1, (char **)&m->group_names[g]);
        crc = digest_texts(crc, m->labels[g], m->label_names[g]);
    }
    return crc;
}

uint32_t rows_digest(const struct rows *r, int D)
{
    size_t n = (size_t)r->n;
    uint32_t crc = digest(0, r->ids, n * sizeof *r->ids);
    crc = digest(crc, r->characteristics, n * (size_t)D * sizeof(float));
    crc = digest(crc, r->returns, n * sizeof *r->returns);
    if (r->size_groups) crc = digest(crc, r->size_groups, n);
    for (int g = 0; g < PANEL_MOST_GROUPS; g++)
        if (r->group[g]) crc = digest(crc, r->group[g], n * sizeof *r->group[g]);
    return crc;
}

char *panel_digest_text(const struct panel_meta *m, const uint32_t *rows, char out[PANEL_DIGEST])
{
    snprintf(out, PANEL_DIGEST, "%08x%08x", panel_meta_digest(m), digest(0, rows, sizeof *rows * (size_t)m->T));
    return out;
}
