/* Histories: for every asset and step the row that a plain search of the panel finds, in universes too, while windows roll, and nothing
 * from later periods. */
#include "check.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/study/row_ring.h"
#include "base/memory.h"
#include "base/random.h"

enum { T = 14, D = 3, N = 9, L = 5, WINDOW = 4 };
static char path[96];
static int64_t offsets[T + 1], ids[T * N];
static float x[T * N * D];
static double returns[T * N];
static int8_t sizes[T * N];
static int32_t sector[T * N];

/* Assets come and go; one period is empty. */
static void make(void)
{
    static char *names[D] = {"a", "b", "c"}, *labels[2] = {"u", "v"};
    static int64_t dates[T];
    struct error e = {""};
    struct random_stream s = random_open(1, 2, 3, 4);
    int64_t n = 0;
    for (int t = 0; t < T; t++) {
        dates[t] = 20000101 + t;
        for (int i = 0; i < N && t != 6; i++) {
            if (random_uniform(&s, (uint64_t)(t * N + i)) < 0.35) continue;
            ids[n] = 100 + i;
            sizes[n] = (int8_t[]){SIZE_MICRO, SIZE_LARGE, SIZE_MEGA}[i % 3];
            sector[n] = (i + t) % 3 - 1;
            returns[n] = (double)(t * 100 + i);
            for (int d = 0; d < D; d++) x[n * D + d] = (float)(t * N + i) / 1000 - (float)d / 10;
            n++;
        }
        offsets[t + 1] = n;
    }
    snprintf(path, sizeof path, "/tmp/aipm-history-%ld.h5", (long)getpid());
    struct panel_meta m = {.T = T,
                           .D = D,
                           .periods_per_year = 252,
                           .frequency = "daily",
                           .rows = n,
                           .dates = dates,
                           .offsets = offsets,
                           .has_size_groups = true,
                           .characteristic_names = names,
                           .G = 1,
                           .group_names = {"sector"},
                           .labels = {2},
                           .label_names = {labels}};
    struct panel_writer *w = panel_write_begin(path, NULL, &m, &e);
    int32_t *group[PANEL_MOST_GROUPS] = {sector};
    CU_ASSERT_FATAL(w && !panel_write_rows(w, 0, n, x, returns, ids, sizes, group, &e) && !panel_write_end(w, &e));
}

/* The asset's characteristics at t by plain search; NULL: not there. */
static const float *find(int t, int64_t id)
{
    for (int64_t r = offsets[t]; t >= 0 && r < offsets[t + 1]; r++)
        if (ids[r] == id) return x + r * D;
    return NULL;
}

static void look(const struct ring_slot *s, int t, const char *universe)
{
    CU_ASSERT_FATAL(s != NULL);
    int members = 0;
    for (int64_t r = offsets[t]; r < offsets[t + 1]; r++) members += !strcmp(universe, "all") || sizes[r] == SIZE_LARGE;
    CU_ASSERT(s->n == members && s->history.L == L);
    for (int i = 0; i < s->n; i++)
        for (int l = 0; l < L; l++) {
            int then = t - L + 1 + l, row = s->history.row[i * L + l];
            const float *want = then < 0 ? NULL : find(then, s->ids[i]);
            CU_ASSERT((row >= 0) == (want != NULL));
            if (row >= 0 && want) CU_ASSERT(!memcmp(s->history.rows[l] + row * D, want, sizeof(float) * D));
            if (then < 0) CU_ASSERT(s->history.rows[l] == NULL);
            if (l == L - 1) CU_ASSERT(row == i);
        }
    for (int i = 0; i < s->n; i++)
        for (int64_t r = offsets[t]; r < offsets[t + 1]; r++)
            if (ids[r] == s->ids[i])
                CU_ASSERT(s->group[0][i] == sector[r] && s->group[PANEL_SIZE_GROUP][i] == sizes[r] && !s->group[1]);
}

/* All periods of a window are taken first: what was told of each must stand when the last has come. */
static void window_look(struct row_ring *ring, struct panel_file *f, int now, const char *universe)
{
    struct error e = {""};
    const struct ring_slot *s[WINDOW];
    for (int k = 0; k < WINDOW; k++) s[k] = ring_get_history(ring, f, now - WINDOW + 1 + k, &e);
    for (int k = 0; k < WINDOW; k++) look(s[k], now - WINDOW + 1 + k, universe);
}

static void test_rolling(void)
{
    static const char *const universes[] = {"all", "large"};
    struct error e = {""};
    struct panel_meta m;
    CU_ASSERT_FATAL(!panel_load_meta(path, NULL, &m, &e));
    for (int u = 0; u < 2; u++) {
        struct row_ring ring;
        struct panel_file *f = panel_open(path, NULL, &m, &e);
        CU_ASSERT_FATAL(f != NULL);
        ring_create(&ring, &m, universe_find(universes[u]), WINDOW, L, true, N);
        for (int now = WINDOW - 1; now < T; now++) { window_look(&ring, f, now, universes[u]); }
        for (int now = T - 1; now >= WINDOW - 1; now--) { /* and back: what was told must still be there */
            window_look(&ring, f, now, universes[u]);
        }
        ring_free(&ring);
        panel_close(f, &e);
    }
    panel_meta_free(&m);
    unlink(path);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {{"a panel whose assets come and go", make}, {"windows roll over it", test_rolling}};
    struct team *world = world_open(&argc, &argv);
    int failed = check_run("history", tests, 2);
    world_close(world);
    if (memory_blocks()) failed = 1, printf("%ld blocks not freed\n", memory_blocks());
    return failed;
}
