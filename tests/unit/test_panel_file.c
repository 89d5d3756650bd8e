/* A panel with one thing wrong is refused, with the file, the place, what was found and what is needed. No MPI here. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "check.h"
#include "io/hdf.h"
#include "io/panel_file.h"

enum { T = 4, D = 3, ROWS = 10, M = 2, K = 2, L = 3, N = 5 };
static char folder[64];

/* A panel as it is written piece by piece; a test spoils one piece. Sizes are what is written, arrays hold more. */
struct raw {
    int64_t dates[T + 1], offsets[T + 2], ids[ROWS + 1];
    float characteristics[(ROWS + 1) * (D + 1)];
    double returns[ROWS + 1], test_assets[(T + 1) * M], factors[T * K], truth[T + 1];
    int8_t groups[ROWS + 1];
    int32_t sector[ROWS + 1];
    int64_t name_ids[N + 1], n_sector, n_name_ids;
    int n_labels, n_columns;
    const char *labels[L];
    int64_t n_dates, n_offsets, n_ids, rows, columns, n_returns, n_groups, n_test_rows, n_truth;
    int n_names, n_test_names, n_factor_names;
    const char *names[D + 1];
    const char *skip;       /* a dataset or attribute left out */
    const char *other_type; /* a dataset of numbers written as text */
    const char *format;
    int64_t version;
    double per_year;
};

static struct raw good(void)
{
    static const int n[T] = {3, 0, 5, 2};
    struct raw r = {.n_dates = T,
                    .n_offsets = T + 1,
                    .n_ids = ROWS,
                    .rows = ROWS,
                    .columns = D,
                    .n_returns = ROWS,
                    .n_groups = ROWS,
                    .n_test_rows = T,
                    .n_truth = T,
                    .n_names = D,
                    .n_test_names = M,
                    .n_factor_names = K,
                    .n_sector = ROWS,
                    .n_name_ids = N,
                    .n_labels = L,
                    .n_columns = 2,
                    .labels = {"energy", "banks", "shops"},
                    .names = {"be_me", "ret_12_1", "beta", "extra"},
                    .format = "panel",
                    .version = 1,
                    .per_year = 12};
    for (int t = 0; t < T; t++) {
        r.dates[t] = 20200128 + 100 * t;
        r.offsets[t + 1] = r.offsets[t] + n[t];
        for (int i = 0; i < n[t]; i++) r.ids[r.offsets[t] + i] = 7 + 2 * i;
    }
    for (int i = 0; i < ROWS; i++) {
        r.returns[i] = 0.01 * i - 0.03;
        r.groups[i] = (int8_t)(i % 6 - 1);
        r.sector[i] = i % (L + 1) - 1;
        for (int j = 0; j < D; j++) r.characteristics[i * D + j] = (float)((i + j) % 11) / 10 - 0.5f;
    }
    for (int i = 0; i < N; i++) r.name_ids[i] = 7 + 2 * i;
    r.test_assets[1] = NAN;
    return r;
}

static void put(struct hdf *f, const struct raw *r, const char *name, enum hdf_type type, int rank, const int64_t *size,
                const void *data, struct error *e)
{
    char *text = "a word";
    if (r->skip && !strcmp(r->skip, name)) return;
    if (r->other_type && !strcmp(r->other_type, name)) hdf_write_texts(f, name, 1, &text, e);
    else hdf_write(f, name, type, rank, size, data, e);
}

static bool skipped(const struct raw *r, const char *name)
{
    return r->skip && !strcmp(r->skip, name);
}

static void write_raw(const char *path, const struct raw *r)
{
    struct error e = {0};
    char *test_names[M] = {"p1", "p2"}, *factor_names[K] = {"MKT", "SMB"}, column[64];
    char *asset_names[N] = {"AA", "BB", "CC", "DD", "EE"};
    int64_t x[2] = {r->rows, r->columns}, tests[2] = {r->n_test_rows, M}, factors[2] = {T, K};
    struct hdf *f = hdf_create(path, NULL, &e);
    CU_ASSERT_FATAL(f != NULL);
    if (r->format) hdf_put_text(f, "/", "aipm_format", r->format, &e);
    hdf_put_int(f, "/", "format_version", r->version, &e);
    if (!skipped(r, "periods_per_year")) hdf_put_number(f, "/", "periods_per_year", r->per_year, &e);
    if (!skipped(r, "frequency")) hdf_put_text(f, "/", "frequency", "monthly", &e);
    put(f, r, "dates", HDF_INT64, 1, &r->n_dates, r->dates, &e);
    put(f, r, "offsets", HDF_INT64, 1, &r->n_offsets, r->offsets, &e);
    put(f, r, "asset_ids", HDF_INT64, 1, &r->n_ids, r->ids, &e);
    put(f, r, "characteristics", HDF_FLOAT32, 2, x, r->characteristics, &e);
    put(f, r, "returns", HDF_FLOAT64, 1, &r->n_returns, r->returns, &e);
    put(f, r, "size_groups", HDF_INT8, 1, &r->n_groups, r->groups, &e);
    for (int g = 0; g < r->n_columns; g++) {
        snprintf(column, sizeof column, g == 1 ? "groups/sector" : "groups/g%d", g);
        put(f, r, column, HDF_INT32, 1, g == 1 ? &r->n_sector : &r->n_ids, r->sector, &e);
        if (!skipped(r, "labels") && !skipped(r, column))
            hdf_put_texts(f, column, "labels", g == 1 ? r->n_labels : L, (char *const *)r->labels, &e);
    }
    if (!skipped(r, "asset_names")) hdf_write_texts(f, "asset_names", N, asset_names, &e);
    put(f, r, "asset_name_ids", HDF_INT64, 1, &r->n_name_ids, r->name_ids, &e);
    if (!skipped(r, "characteristic_names"))
        hdf_write_texts(f, "characteristic_names", r->n_names, (char *const *)r->names, &e);
    put(f, r, "test_assets/returns", HDF_FLOAT64, 2, tests, r->test_assets, &e);
    if (!skipped(r, "test_assets/names")) hdf_write_texts(f, "test_assets/names", r->n_test_names, test_names, &e);
    put(f, r, "benchmarks/FF2", HDF_FLOAT64, 2, factors, r->factors, &e);
    if (!skipped(r, "factor_names")) hdf_put_texts(f, "benchmarks/FF2", "factor_names", r->n_factor_names, factor_names, &e);
    put(f, r, "truth/sdf_returns", HDF_FLOAT64, 1, &r->n_truth, r->truth, &e);
    if (hdf_close(f, &e)) fprintf(stderr, "%s\n", e.text);
    CU_ASSERT_FATAL(!error_is_set(&e));
}

/* Load it all, as a run does. */
static int load(const char *path, struct error *e)
{
    struct panel_meta m;
    struct row_buffer b;
    struct rows r;
    if (panel_load_meta(path, NULL, &m, e)) return -1;
    struct panel_file *f = panel_open(path, NULL, &m, e);
    row_buffer_create(&b, &m, panel_max_assets(&m));
    for (int t = 0; f && t < m.T && !error_is_set(e); t++) panel_read_period(f, t, &b, &r, e);
    row_buffer_free(&b);
    panel_close(f, e);
    panel_meta_free(&m);
    return error_is_set(e) ? -1 : 0;
}

/* The panel is refused and the message has the file and all of these. */
static void refuse(const struct raw *r, int line, const char *place, const char *found, const char *needed)
{
    struct error e = {0};
    char path[128];
    long blocks = memory_blocks();
    snprintf(path, sizeof path, "%s/bad.h5", folder);
    write_raw(path, r);
    int rc = load(path, &e);
    bool ok =
        rc == -1 && strstr(e.text, "bad.h5: ") && strstr(e.text, place) && strstr(e.text, found) && strstr(e.text, needed);
    if (!ok) fprintf(stderr, "line %d: '%s' does not say '%s', '%s', '%s'\n", line, e.text, place, found, needed);
    CU_ASSERT(ok && memory_blocks() == blocks);
}

#define REFUSE(change, ...)                                                                                                 \
    do {                                                                                                                    \
        struct raw r = good();                                                                                              \
        change;                                                                                                             \
        refuse(&r, __LINE__, __VA_ARGS__);                                                                                  \
    } while (0)

static void good_one(void)
{
    struct raw r = good();
    struct error e = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/good.h5", folder);
    write_raw(path, &r);
    if (load(path, &e)) fprintf(stderr, "%s\n", e.text);
    CU_ASSERT(!error_is_set(&e));
    r.characteristics[4] = 0.5f + 5e-7f; /* rounding is let through */
    r.skip = "size_groups";
    write_raw(path, &r);
    CU_ASSERT(load(path, &e) == 0);
    r.skip = "truth/sdf_returns";
    write_raw(path, &r);
    CU_ASSERT(load(path, &e) == 0);
    r.n_columns = PANEL_MOST_GROUPS;
    write_raw(path, &r);
    CU_ASSERT(load(path, &e) == 0);
}

static void formats(void)
{
    struct panel_meta week = {.periods_per_year = 50.4}, decade = {.periods_per_year = 0.1};
    CU_ASSERT(panel_year(&week) == 50 && panel_year(&decade) == 1);
    REFUSE(r.format = "results", "aipm_format", "\"results\"", "\"panel\" is needed");
    REFUSE(r.format = NULL, "aipm_format", "no attribute", "panel is needed");
    REFUSE(r.version = 2, "format_version", "is 2, from the future", "newer aipm");
    REFUSE(r.per_year = 0, "periods_per_year", "found 0", "above 0");
    REFUSE(r.per_year = -50.4, "periods_per_year", "found -50.4", "above 0");
    REFUSE(r.per_year = NAN, "periods_per_year", "nan", "above 0");
    REFUSE(r.per_year = INFINITY, "periods_per_year", "found inf", "at most 1000000");
    REFUSE(r.per_year = 1000000.5, "periods_per_year", "found 1000000.5", "at most 1000000");
    REFUSE(r.skip = "periods_per_year", "periods_per_year", "missing", "");
    REFUSE(r.skip = "frequency", "frequency", "missing", "");
}

static void dates(void)
{
    REFUSE(r.dates[2] = r.dates[1], "dates, period 2", "20200228 follows 20200228", "must increase");
    REFUSE(r.dates[2] = 20191231, "dates, period 2", "20191231 follows", "must increase");
    REFUSE(r.dates[0] = 12, "dates, period 0", "12", "YYYYMMDD");
    REFUSE(r.n_dates = 0, "dates", "0 periods", "1 or more");
}

static void offsets(void)
{
    REFUSE(r.offsets[0] = 1, "offsets, entry 0", "is 1", "0 is needed");
    REFUSE(r.offsets[2] = 2, "offsets, entry 2", "2 follows 3", "must not fall");
    REFUSE(r.offsets[3] = -1, "offsets, entry 3", "-1 follows 3", "must not fall");
    REFUSE(r.offsets[T] = ROWS + 1, "offsets, entry 4", "is 11, past the end", "10 rows");
    REFUSE(r.offsets[T] = ROWS - 1, "offsets", "ends at 9", "10 is needed");
    REFUSE(r.n_offsets = T + 2, "offsets", "6 entries", "5 are needed");
    REFUSE(r.n_offsets = T, "offsets", "4 entries", "5 are needed");
}

static void missing(void)
{
    static const char *const names[] = {"dates",
                                        "offsets",
                                        "asset_ids",
                                        "characteristics",
                                        "returns",
                                        "characteristic_names",
                                        "test_assets/returns",
                                        "test_assets/names",
                                        "asset_names",
                                        "asset_name_ids"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) REFUSE(r.skip = names[i], names[i], "missing", "");
    REFUSE(r.skip = "factor_names", "benchmarks/FF2", "missing", "factor_names");
    REFUSE(r.skip = "labels", "groups/g0", "missing", "labels");
}

static void mistyped(void)
{
    static const char *const names[] = {"dates",         "offsets",     "asset_ids",           "characteristics",
                                        "returns",       "size_groups", "test_assets/returns", "groups/sector",
                                        "asset_name_ids"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        REFUSE(r.other_type = names[i], names[i], "holds text", "is needed");
    REFUSE(r.other_type = "truth/sdf_returns", "truth/sdf_returns", "holds text", "float64 is needed");
}

static void shapes(void)
{
    REFUSE(r.n_ids = ROWS - 1, "characteristics", "10 rows", "9 are needed");
    REFUSE(r.rows = ROWS + 1, "characteristics", "11 rows", "10 are needed");
    REFUSE(r.n_returns = ROWS - 1, "returns", "9 entries", "10 are needed");
    REFUSE(r.n_groups = ROWS + 1, "size_groups", "11 entries", "10 are needed");
    REFUSE(r.n_names = D + 1, "characteristic_names", "4 names", "3 are needed");
    REFUSE(r.columns = D - 1, "characteristic_names", "3 names", "2 are needed");
    REFUSE(r.names[2] = "be_me", "characteristic_names", "\"be_me\" twice (numbers 0 and 2)", "must differ");
    REFUSE(r.n_test_rows = T - 1, "test_assets/returns", "3 rows", "4 are needed");
    REFUSE(r.n_test_names = 1, "test_assets/names", "1 names", "2 are needed");
    REFUSE(r.n_factor_names = 1, "benchmarks/FF2", "1 names", "2 are needed");
    REFUSE(r.n_truth = T + 1, "truth/sdf_returns", "5 entries", "4 are needed");
    REFUSE(r.n_sector = ROWS - 1, "groups/sector", "9 entries", "10 are needed");
    REFUSE(r.labels[2] = "energy", "labels of groups/g0", "\"energy\" twice (numbers 0 and 2)", "must differ");
    REFUSE(r.n_columns = PANEL_MOST_GROUPS + 1, "group groups", "5 columns", "at most 4");
    REFUSE(r.n_name_ids = N + 1, "asset_name_ids", "6 entries", "5 are needed");
    REFUSE(r.name_ids[3] = 11, "asset_name_ids, entry 3", "11 follows 11", "must ascend");
    REFUSE(r.test_assets[3] = INFINITY, "test_assets/returns, period 1, column 1", "infinite", "NaN (missing)");
}

static void values(void)
{
    REFUSE(r.characteristics[5 * D + 1] = NAN, "row 5 (period 2, date 20200328", "characteristic ret_12_1 (column 1",
           "nan; a number in [-0.5, 0.5]");
    REFUSE(r.characteristics[9 * D + 2] = -INFINITY, "row 9 (period 3, date 20200428", "beta", "-inf");
    REFUSE(r.characteristics[0] = 0.50001f, "row 0 (period 0, date 20200128", "be_me", "0.50001");
    REFUSE(r.characteristics[0] = -0.7f, "row 0", "be_me", "-0.7");
    REFUSE(r.returns[4] = NAN, "row 4 (period 2", "returns has nan", "finite");
    REFUSE(r.returns[4] = INFINITY, "row 4 (period 2", "returns has inf", "finite");
    REFUSE(r.ids[4] = r.ids[3], "row 4 (period 2", "asset_ids has 7 after 7", "ascend");
    REFUSE(r.ids[2] = 1, "row 2 (period 0", "asset_ids has 1 after 9", "ascend");
    REFUSE(r.groups[8] = 5, "row 8 (period 3", "size_groups has 5", "4 (mega)");
    REFUSE(r.sector[4] = L, "row 4 (period 2", "groups/g0 has 3", "-1 (unknown)");
    REFUSE(r.sector[4] = -2, "row 4 (period 2", "groups/g0 has -2", "0 to 2");
    REFUSE(r.n_labels = 1, "row 2 (period 0", "groups/sector has 1", "0 to 0");
    REFUSE(r.groups[8] = -2, "row 8 (period 3", "size_groups has -2", "-1 (unknown)");
}

/* Digests see every byte that a model may use, and nothing else. */
static void digests(void)
{
    static float x[6] = {0.1f, 0.2f, 0.3f, -0.1f, -0.2f, -0.3f};
    static double y[2] = {0.01, 0.02};
    static int64_t ids[2] = {3, 5};
    static int8_t groups[2] = {1, 2};
    struct rows r = {.n = 2, .characteristics = x, .returns = y, .ids = ids, .size_groups = groups};
    uint32_t all = rows_digest(&r, 3);
    CU_ASSERT(all == rows_digest(&r, 3));
    x[5] = 0.3f;
    CU_ASSERT(rows_digest(&r, 3) != all);
    x[5] = -0.3f, y[1] = 0.03;
    CU_ASSERT(rows_digest(&r, 3) != all);
    y[1] = 0.02, ids[0] = 4;
    CU_ASSERT(rows_digest(&r, 3) != all);
    ids[0] = 3, groups[1] = 3;
    CU_ASSERT(rows_digest(&r, 3) != all);
    groups[1] = 2;
    CU_ASSERT(rows_digest(&r, 3) == all);
    static int32_t sector[2] = {0, -1};
    r.group[0] = sector;
    uint32_t grouped = rows_digest(&r, 3);
    CU_ASSERT(grouped != all);
    sector[1] = 0;
    CU_ASSERT(rows_digest(&r, 3) != grouped);
    char *names[2] = {"AA", "BB"}, *labels[2] = {"energy", "banks"};
    int64_t offsets[1] = {0}, name_ids[2] = {1, 2};
    struct panel_meta m = {.offsets = offsets};
    uint32_t plain = panel_meta_digest(&m);
    m.assets = 2, m.asset_names = names, m.asset_name_ids = name_ids;
    CU_ASSERT(panel_meta_digest(&m) == plain);
    m.G = 1, m.group_names[0] = "sector", m.labels[0] = 2, m.label_names[0] = labels;
    grouped = panel_meta_digest(&m);
    CU_ASSERT(grouped != plain);
    labels[1] = "shops";
    CU_ASSERT(panel_meta_digest(&m) != grouped);
}

static void lookups(void)
{
    char *names[3] = {"AA", "BB", "CC"};
    int64_t ids[3] = {-5, 7, 100};
    struct panel_meta m = {
        .G = 2, .group_names = {"market", "sector"}, .assets = 3, .asset_names = names, .asset_name_ids = ids};
    CU_ASSERT(panel_group(&m, "sector") == 1 && panel_group(&m, "market") == 0 && panel_group(&m, "country") == -1);
    for (int i = 0; i < 3; i++) CU_ASSERT(panel_asset_index(&m, ids[i]) == i && panel_asset_name(&m, ids[i]) == names[i]);
    CU_ASSERT(panel_asset_index(&m, 6) == -1 && panel_asset_index(&m, 101) == -1 && panel_asset_name(&m, -6) == NULL);
    m.assets = 0;
    CU_ASSERT(panel_asset_index(&m, 7) == -1);
}

/* More rows than the disk has room for: refused before anything is written, with both figures. */
static void no_room(void)
{
    struct panel_meta m = {.T = 1, .D = 1000, .periods_per_year = 12, .rows = INT64_C(1) << 50};
    struct error e = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/huge.h5", folder);
    CU_ASSERT(panel_write_begin(path, NULL, &m, &e) == NULL);
    CU_ASSERT(strstr(e.text, "huge.h5: no room on the disk") && strstr(e.text, "PB, ") && strstr(e.text, "are free"));
    CU_ASSERT(access(path, F_OK) != 0);
}

static void universes(void)
{
    static int8_t groups[6] = {-1, 0, 1, 2, 3, 4};
    struct rows r = {.n = 6, .size_groups = groups};
    int index[6];
    CU_ASSERT(universe_select(universe_find("all"), &r, index) == 6 && index[5] == 5);
    CU_ASSERT(universe_select(universe_find("micro"), &r, index) == 1 && index[0] == 2);
    CU_ASSERT(universe_select(universe_find("mega"), &r, index) == 1 && index[0] == 5);
    CU_ASSERT(universe_select(universe_find("nonmicro"), &r, index) == 3 && index[0] == 3 && index[2] == 5);
    CU_ASSERT(universe_find("nano") == NULL && strstr(universe_list(), "micro") != NULL);
    r.size_groups = NULL;
    CU_ASSERT(universe_select(universe_find("small"), &r, index) == 0);
}

int main(void)
{
    static const struct check tests[] = {
        {"a good panel loads", good_one},
        {"format, version and frequency", formats},
        {"dates", dates},
        {"offsets", offsets},
        {"missing datasets and attributes", missing},
        {"mistyped datasets", mistyped},
        {"shapes that disagree", shapes},
        {"NaN, infinities, ranges, order of ids", values},
        {"digests", digests},
        {"group columns and names looked up", lookups},
        {"no room on the disk", no_room},
        {"universes", universes},
    };
    char command[160];
    snprintf(folder, sizeof folder, "/tmp/aipm-panel-%d", (int)getpid());
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s", folder, folder);
    if (system(command)) return 2;
    int status = check_run("panel files", tests, sizeof tests / sizeof *tests);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) || status || memory_blocks() != 0;
}
