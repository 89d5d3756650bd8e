/* A panel written by any number of ranks is the same file, and is read back by any rank.   RANKS: 1 2 3 5 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "check.h"
#include "io/hdf.h"
#include "io/panel_file.h"

enum { T = 7, D = 3, M = 2, K = 2, G = 2, L = 3, NAMED = 3000 };
static struct team *world;
static char folder[64];

static char *at(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A small panel with a period without rows, test assets, a benchmark and a truth; every value from its place. */
static void describe(struct panel_meta *m)
{
    static const int n[T] = {4, 5, 0, 6, 3, 1, 4};
    static const char *const names[D] = {"be_me", "ret_12_1", "größe"};
    *m = (struct panel_meta){
        .T = T, .D = D, .periods_per_year = 12, .has_size_groups = true, .M = M, .benchmarks = 1, .G = G};
    char text[32];
    m->assets = NAMED;
    m->asset_names = memory_array(char *, NAMED, "names");
    m->asset_name_ids = memory_array(int64_t, NAMED, "ids");
    for (int i = 0; i < NAMED; i++) {
        snprintf(text, sizeof text, "A%0*d", i % 7 + 1, i);
        m->asset_names[i] = memory_text(i == 17 ? "" : text);
        m->asset_name_ids[i] = 3 * i - 10;
    }
    for (int g = 0; g < G; g++) { /* in the order of their names, as they are read */
        m->group_names[g] = memory_text(g ? "sector" : "market");
        m->labels[g] = g ? L : 1;
        m->label_names[g] = memory_array(char *, m->labels[g], "labels");
        for (int k = 0; k < m->labels[g]; k++) {
            snprintf(text, sizeof text, "label %d", k);
            m->label_names[g][k] = memory_text(text);
        }
    }
    m->frequency = memory_text("monthly");
    m->dates = memory_array(int64_t, T, "dates");
    m->offsets = memory_array(int64_t, T + 1, "offsets");
    m->characteristic_names = memory_array(char *, D, "names");
    m->test_asset_names = memory_array(char *, M, "names");
    m->test_assets = memory_array(double, T *M, "test assets");
    m->truth = memory_array(double, T, "truth");
    m->benchmark = memory_array(struct benchmark, 1, "benchmark");
    *m->benchmark =
        (struct benchmark){memory_text("FF6"), K, memory_array(char *, K, "names"), memory_array(double, T *K, "returns")};
    for (int k = 0; k < K; k++) m->benchmark->factor_names[k] = memory_text(k ? "SMB" : "MKT");
    for (int j = 0; j < D; j++) m->characteristic_names[j] = memory_text(names[j]);
    for (int j = 0; j < M; j++) m->test_asset_names[j] = memory_text(j ? "p2" : "p1");
    for (int t = 0; t < T; t++) {
        m->dates[t] = 20200128 + 100 * t;
        m->offsets[t + 1] = m->offsets[t] + n[t];
        m->truth[t] = 0.01 * t;
        for (int j = 0; j < M; j++) m->test_assets[t * M + j] = t == 2 ? NAN : 0.1 * t + j;
        for (int k = 0; k < K; k++) m->benchmark->returns[t * K + k] = t < 3 ? NAN : 0.001 * t - k;
    }
    m->rows = m->offsets[T];
}

static void fill(const struct panel_meta *m, int t, struct row_buffer *b)
{
    for (int i = 0; i < (int)(m->offsets[t + 1] - m->offsets[t]); i++) {
        b->ids[i] = 100 + 3 * i + t;
        b->returns[i] = 0.01 * i - 0.02 * t;
        b->size_groups[i] = (int8_t)(i % 6 - 1);
        b->group[0][i] = -(i % 2);
        b->group[1][i] = (i + t) % (L + 1) - 1;
        for (int j = 0; j < D; j++) b->characteristics[i * D + j] = (float)((i + j + t) % 11) / 10 - 0.5f;
    }
}

static int write_panel(const char *path, struct team *team, const struct panel_meta *m, struct error *e)
{
    struct row_buffer b;
    row_buffer_create(&b, m, panel_max_assets(m));
    struct panel_writer *w = panel_write_begin(path, team, m, e);
    int P = team ? team_size(team) : 1, me = team ? team_rank(team) : 0;
    for (int t = 0; w && t < T; t++)
        if (t % P == me) {
            fill(m, t, &b);
            panel_write_rows(w, m->offsets[t], m->offsets[t + 1] - m->offsets[t], b.characteristics, b.returns, b.ids,
                             b.size_groups, b.group, e);
        }
    if (w) panel_write_text(w, "made_by", "a test", e);
    row_buffer_free(&b);
    return w ? panel_write_end(w, e) : -1;
}

static void round_trip(void)
{
    struct panel_meta m, back;
    struct error e = {0};
    describe(&m);
    CU_ASSERT_FATAL(write_panel(at("panel.h5"), world, &m, &e) == 0);
    CU_ASSERT(check_temporaries(at("panel.h5")) == 0);
    if (panel_load_meta(at("panel.h5"), world, &back, &e)) fprintf(stderr, "%s\n", e.text);
    CU_ASSERT_FATAL(!error_is_set(&e));
    CU_ASSERT(back.T == T && back.D == D && back.M == M && back.rows == m.rows && back.has_size_groups &&
              back.periods_per_year == 12);
    CU_ASSERT(!strcmp(back.frequency, "monthly") && !strcmp(back.characteristic_names[2], "größe"));
    CU_ASSERT(!memcmp(back.truth, m.truth, sizeof(double) * T));
    CU_ASSERT(panel_benchmark(&back, "FF6") && panel_benchmark(&back, "FF6")->k == K && !panel_benchmark(&back, "FF5"));
    CU_ASSERT(panel_meta_digest(&back) == panel_meta_digest(&m));
    CU_ASSERT(back.G == G && panel_group(&back, "market") == 0 && panel_group(&back, "sector") == 1);
    CU_ASSERT(back.labels[1] == L && !strcmp(back.label_names[1][2], "label 2") && back.labels[0] == 1);
    CU_ASSERT(back.assets == NAMED && !memcmp(back.asset_name_ids, m.asset_name_ids, NAMED * sizeof(int64_t)));
    for (int i = 0; i < NAMED; i++) CU_ASSERT(!strcmp(back.asset_names[i], m.asset_names[i]));
    CU_ASSERT(!strcmp(panel_asset_name(&back, 3 * 20 - 10), m.asset_names[20]) && !panel_asset_name(&back, 3 * 20 - 9));
    struct row_buffer want, got;
    struct rows r;
    row_buffer_create(&want, &m, panel_max_assets(&m));
    row_buffer_create(&got, &m, panel_max_assets(&m));
    struct panel_file *f = panel_open(at("panel.h5"), world, &back, &e);
    CU_ASSERT_FATAL(f != NULL);
    for (int s = 0; s < T; s++) { /* every rank its own order */
        int t = (s * (1 + team_rank(world)) + team_rank(world)) % T;
        fill(&m, t, &want);
        CU_ASSERT(panel_read_period(f, t, &got, &r, &e) == 0);
        size_t n = (size_t)r.n;
        CU_ASSERT(r.n == m.offsets[t + 1] - m.offsets[t]);
        CU_ASSERT(!memcmp(r.ids, want.ids, n * 8) && !memcmp(r.returns, want.returns, n * 8));
        CU_ASSERT(!memcmp(r.characteristics, want.characteristics, n * D * 4) &&
                  !memcmp(r.size_groups, want.size_groups, n));
        for (int g = 0; g < G; g++) CU_ASSERT(!memcmp(r.group[g], want.group[g], n * sizeof(int32_t)));
        CU_ASSERT(r.group[G] == NULL);
    }
    CU_ASSERT(panel_close(f, &e) == 0);
    row_buffer_free(&want);
    row_buffer_free(&got);
    panel_meta_free(&back);
    panel_meta_free(&m);
}

static long slurp(const char *path, char *out, long most)
{
    FILE *f = fopen(path, "rb");
    long n = f ? (long)fread(out, 1, (size_t)most, f) : -1;
    if (f) fclose(f);
    return n;
}

/* The file of all ranks together is, byte for byte, that of a single rank under MPI. */
static void same_bytes(void)
{
    enum { MOST = 1 << 20 };
    struct panel_meta m;
    struct error e = {0};
    describe(&m);
    struct team *alone = team_split(world, team_rank(world) == 0 ? 0 : -1);
    CU_ASSERT(write_panel(at("all.h5"), world, &m, &e) == 0);
    if (alone) {
        CU_ASSERT(write_panel(at("one.h5"), alone, &m, &e) == 0);
        static char a[MOST], b[MOST];
        long na = slurp(at("all.h5"), a, MOST), nb = slurp(at("one.h5"), b, MOST);
        CU_ASSERT(na > 0 && na == nb && !memcmp(a, b, (size_t)na));
        team_close(alone);
    }
    panel_meta_free(&m);
    team_barrier(world);
}

/* An error of one rank ends the file on all, and nothing stays behind. */
static void failing_rank(void)
{
    struct panel_meta m;
    struct error e = {0};
    describe(&m);
    struct panel_writer *w = panel_write_begin(at("bad.h5"), world, &m, &e);
    CU_ASSERT_FATAL(w != NULL);
    if (team_rank(world) == team_size(world) - 1) error_set(&e, "rank %d gives up", team_rank(world));
    CU_ASSERT(panel_write_end(w, &e) == -1);
    CU_ASSERT(strstr(e.text, "gives up") != NULL);
    team_barrier(world);
    CU_ASSERT(access(at("bad.h5"), F_OK) != 0 && check_temporaries(at("bad.h5")) == 0);
    panel_meta_free(&m);
}

static void missing_file(void)
{
    struct panel_meta m;
    struct error e = {0};
    CU_ASSERT(panel_load_meta(at("none.h5"), world, &m, &e) == -1);
    CU_ASSERT(strstr(e.text, "none.h5: cannot be opened: No such file") != NULL);
    e = (struct error){0};
    CU_ASSERT(hdf_create("/proc/none/none.h5", world, &e) == NULL && strstr(e.text, "/proc/none") != NULL);
}

/* A chunked, deflated panel (h5py, h5repack): looking up its chunks must not need the other ranks. */
static void chunked(void)
{
    struct panel_meta m, back;
    struct error e = {0};
    describe(&m);
    if (team_rank(world) == 0) {
        struct hdf *f = hdf_create(at("chunked.h5"), NULL, &e);
        int64_t rows[2] = {m.rows, D}, dates = T, offsets = T + 1;
        struct row_buffer b;
        row_buffer_create(&b, &m, m.rows);
        hdf_put_text(f, "/", "aipm_format", "panel", &e);
        hdf_put_text(f, "/", "frequency", "monthly", &e);
        hdf_put_int(f, "/", "format_version", 1, &e);
        hdf_put_int(f, "/", "periods_per_year", 12, &e);
        hdf_write_texts(f, "characteristic_names", D, m.characteristic_names, &e);
        hdf_write(f, "dates", HDF_INT64, 1, &dates, m.dates, &e);
        hdf_write(f, "offsets", HDF_INT64, 1, &offsets, m.offsets, &e);
        hdf_dataset(f, "asset_ids", HDF_INT64, 1, rows, 2, NULL, &e);
        hdf_dataset(f, "characteristics", HDF_FLOAT32, 2, rows, 2, NULL, &e);
        hdf_dataset(f, "returns", HDF_FLOAT64, 1, rows, 2, NULL, &e);
        for (int t = 0; t < T; t++) {
            int64_t n = m.offsets[t + 1] - m.offsets[t];
            fill(&m, t, &b);
            hdf_write_part(f, "asset_ids", HDF_INT64, m.offsets[t], n, b.ids, &e);
            hdf_write_part(f, "characteristics", HDF_FLOAT32, m.offsets[t], n, b.characteristics, &e);
            hdf_write_part(f, "returns", HDF_FLOAT64, m.offsets[t], n, b.returns, &e);
        }
        CU_ASSERT(hdf_close(f, &e) == 0);
        row_buffer_free(&b);
    }
    CU_ASSERT_FATAL(panel_load_meta(at("chunked.h5"), world, &back, &e) == 0);
    struct row_buffer want, got;
    struct rows r;
    row_buffer_create(&want, &m, panel_max_assets(&m));
    row_buffer_create(&got, &back, panel_max_assets(&m));
    struct panel_file *f = panel_open(at("chunked.h5"), world, &back, &e);
    CU_ASSERT_FATAL(f != NULL);
    for (int t = team_rank(world); t < T; t += team_size(world)) { /* a different number of reads on each rank */
        fill(&m, t, &want);
        CU_ASSERT(panel_read_period(f, t, &got, &r, &e) == 0);
        CU_ASSERT(!memcmp(r.characteristics, want.characteristics, (size_t)r.n * D * 4));
    }
    CU_ASSERT(panel_close(f, &e) == 0);
    row_buffer_free(&want);
    row_buffer_free(&got);
    panel_meta_free(&back);
    panel_meta_free(&m);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {
        {"a panel comes back as written", round_trip},       {"the same bytes from one rank and from all", same_bytes},
        {"one rank's error removes the file", failing_rank}, {"files that are not there", missing_file},
        {"chunked rows are read independently", chunked},
    };
    world = world_open(&argc, &argv);
    int pid = (int)getpid();
    team_broadcast(world, &pid, sizeof pid, 0);
    snprintf(folder, sizeof folder, "/tmp/aipm-panel-%d", pid);
    int status = check_run("panel file on all ranks", tests, sizeof tests / sizeof *tests);
    if (team_rank(world) == 0) {
        char command[128];
        snprintf(command, sizeof command, "rm -rf %s", folder);
        if (system(command)) status = 1;
    }
    world_close(world);
    return status;
}
