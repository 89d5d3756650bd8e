/* A file with everything that is allowed, cut at every kind of place and read by any number of ranks, against the sample's
 * definition worked out one value at a time.   RANKS: 1 2 3 5 */
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "io/hdf.h"
#include "ingest/ingest.h"
#include "io/panel_file.h"
#include "panel/calendar.h"

enum { STOCKS = 60, MONTHS = 14, C = 5, FIRST = 2000 * 12 + 10 }; /* November 2000 on */
static struct team *world;
static char folder[64], path[3][128];

struct row {
    bool there, wanted, nyse;
    double x[C], me, ret;
};
static struct row data[MONTHS][STOCKS];
static char name[STOCKS][40];
static int number[STOCKS]; /* 1 + place of the name in byte order */

static void make_data(bool gaps)
{
    struct random_stream s = random_open(17, gaps, 0, 0);
    uint64_t k = 0;
    for (int i = 0; i < STOCKS; i++)
        snprintf(name[i], sizeof name[i],
                 i % 4 == 0   ? "S,%d"
                 : i % 4 == 1 ? "S%d\nII"
                 : i % 4 == 2 ? "S\"%d\""
                              : "S%d",
                 (i * 37) % STOCKS);
    for (int i = 0; i < STOCKS; i++) {
        number[i] = 1;
        for (int j = 0; j < STOCKS; j++) number[i] += strcmp(name[j], name[i]) < 0;
    }
    for (int t = 0; t < MONTHS; t++)
        for (int i = 0; i < STOCKS; i++) {
            struct row *r = &data[t][i];
            r->there = random_uniform(&s, k++) < 0.9;
            r->wanted = random_uniform(&s, k++) < 0.95;
            r->nyse = i % 2;
            for (int c = 0; c < C; c++) {
                double share = c == 4 ? 0.6 : t == 3 && c < 3 ? 0.5 : 0.1;
                r->x[c] = floor(8 * random_normal(&s, k++)) / 8; /* many ties */
                if (random_uniform(&s, k++) < share) r->x[c] = NAN;
            }
            r->me = random_uniform(&s, k++) < 0.05 ? NAN : floor(exp(3 * random_normal(&s, k++) + 9)) / 100;
            r->ret = random_uniform(&s, k++) < 0.1 ? NAN : floor(1000 * random_normal(&s, k++)) / 1e4;
        }
}

static void put_number(FILE *f, double v)
{
    isnan(v) ? fprintf(f, ",") : fprintf(f, ",%.17g", v);
}

static void put_name(FILE *f, const char *n)
{
    putc('"', f);
    for (; *n; n++) fprintf(f, *n == '"' ? "\"\"" : "%c", *n);
    putc('"', f);
}

/* As JKP's own file: by stock, then month; quotes, \r\n on some lines, a column nobody wants with newlines in it. */
static void write_file(const char *to, bool lead, int quoted_junk)
{
    FILE *f = fopen(to, "wb");
    fprintf(f, "excntry,\"id\",note,eom,me,crsp_exchcd,obs_main,%s,be_me,age,\"ret_12_1\",ope_be,sale_gr1,gvkey\r\n",
            lead ? "ret_exc_lead1m" : "ret_exc");
    for (int i = 0; i < STOCKS; i++)
        for (int t = 0; t < MONTHS; t++) {
            const struct row *r = &data[t][i];
            if (!r->there) continue;
            fprintf(f, "%s,", i % 3 ? "USA" : "\"USA\"");
            strchr(name[i], ',') || strchr(name[i], '\n') || strchr(name[i], '"') ? put_name(f, name[i])
                                                                                  : (void)fprintf(f, "%s", name[i]);
            fprintf(f, ",");
            for (int q = 0; q < quoted_junk; q++)
                fprintf(f, q == 0 ? "\"a,b\n\"\"c\"\",%s" : "\n,\"\"x%s", q == quoted_junk - 1 ? "\"" : "");
            fprintf(f, ",%lld", (long long)month_end(FIRST + t));
            put_number(f, r->me);
            fprintf(f, r->nyse ? ",1" : ",3.0");
            fprintf(f, r->wanted ? ",1" : ",0");
            put_number(f, r->ret);
            for (int c = 0; c < C; c++) put_number(f, r->x[c]);
            fprintf(f, (i + t) % 5 ? ",00123\n" : ",\"00123\"\r\n");
            if ((i + t) % 7 == 0)
                fprintf(f, "CAN,x%d,,20010131,1,1,1,abc,1,1,1,1,1,\n", t); /* another country: its text is not read */
        }
    fclose(f);
}

static void compress_file(const char *from, const char *to)
{
    FILE *f = fopen(from, "rb");
    gzFile z = gzopen(to, "wb");
    char b[4096];
    for (size_t n; (n = fread(b, 1, sizeof b, f)) > 0;) gzwrite(z, b, (unsigned)n);
    gzclose(z);
    fclose(f);
}

/* ---- the same by definition ------------------------------------------------------------------------------------------------ */

static bool in_use[C];

static bool survives(int t, int i)
{
    const struct row *r = &data[t][i];
    int missing = 0, used = 0, smaller = 0, nyse = 0;
    if (!r->there || !r->wanted) return false;
    for (int c = 0; c < C; c++) used += in_use[c], missing += in_use[c] && isnan(r->x[c]);
    if (3 * missing > used) return false;
    for (int j = 0; j < STOCKS; j++) {
        const struct row *q = &data[t][j];
        if (!q->there || !q->wanted || !q->nyse || isnan(q->me)) continue;
        nyse++;
        smaller += q->me <= r->me;
    }
    /* with fewer than 100 NYSE stocks the first percentile is the smallest of them */
    return isnan(r->me) || nyse == 0 || smaller > 0;
}

static double next_return(int t, int i, bool lead)
{
    if (lead) return data[t][i].ret;
    return t + 1 < MONTHS && data[t + 1][i].there ? data[t + 1][i].ret : NAN;
}

static float rank_of(int t, int i, int c)
{
    double v = data[t][i].x[c];
    int below = 0, equal = 0, m = 0;
    if (isnan(v)) return 0;
    for (int j = 0; j < STOCKS; j++) {
        if (!survives(t, j) || isnan(data[t][j].x[c])) continue;
        m++;
        below += data[t][j].x[c] < v;
        equal += data[t][j].x[c] == v;
    }
    return m == 1 ? 0 : (float)((below + 0.5 * (equal - 1)) / (m - 1) - 0.5);
}

/* How much of the panel file differs from the definition. */
static int differences(const char *file, bool lead)
{
    struct error e = {""};
    struct panel_meta m;
    if (panel_load_meta(file, NULL, &m, &e)) return fprintf(stderr, "%s\n", e.text), 1000000;
    struct panel_file *f = panel_open(file, NULL, &m, &e);
    struct row_buffer b;
    row_buffer_create(&b, &m, panel_max_assets(&m));
    int wrong = 0, period = 0, used = 0, by_number[STOCKS + 1];
    for (int i = 0; i < STOCKS; i++) by_number[number[i]] = i;
    for (int c = 0; c < C; c++) used += in_use[c];
    wrong += m.D != used;
    for (int t = 0; t < MONTHS && !wrong; t++) {
        int expected = 0;
        for (int i = 0; i < STOCKS; i++) expected += survives(t, i) && !isnan(next_return(t, i, lead));
        if (!expected) continue;
        struct rows r;
        if (panel_read_period(f, period, &b, &r, &e) || m.dates[period] != month_end(FIRST + t) || r.n != expected) {
            wrong++;
            break;
        }
        for (int k = 0; k < r.n; k++) {
            int i = by_number[r.ids[k]];
            wrong += !survives(t, i) || r.returns[k] != next_return(t, i, lead);
            for (int c = 0, d = 0; c < C; c++) {
                if (!in_use[c]) continue;
                float x = rank_of(t, i, c);
                wrong += memcmp(&x, &r.characteristics[k * m.D + d++], sizeof x) != 0;
            }
        }
        period++;
    }
    wrong += period != m.T;
    row_buffer_free(&b);
    if (f) panel_close(f, &e);
    panel_meta_free(&m);
    return wrong;
}

static void definition(void)
{
    int rows = 0, missing[C] = {0};
    for (int t = 0; t < MONTHS; t++)
        for (int i = 0; i < STOCKS; i++) {
            if (!data[t][i].there || !data[t][i].wanted) continue;
            rows++;
            for (int c = 0; c < C; c++) missing[c] += isnan(data[t][i].x[c]);
        }
    for (int c = 0; c < C; c++) in_use[c] = 10 * missing[c] <= 3 * rows;
}

static struct ingest_options options_of(const char *stocks, size_t range)
{
    return (struct ingest_options){.output = path[2],
                                   .stocks = stocks,
                                   .characteristics = "be_me,age,ret_12_1,ope_be,sale_gr1",
                                   .country = "USA",
                                   .rules = {.characteristic_missing = 0.30, .row_missing = 1.0 / 3},
                                   .range_bytes = range,
                                   .bad_rows = "stop",
                                   .any_volatility = true,
                                   .memory = 30000};
}

static void run_all(bool lead, int quoted_junk)
{
    make_data(!lead);
    definition();
    CU_ASSERT(in_use[0] && !in_use[4]);
    if (team_rank(world) == 0) {
        write_file(path[0], lead, quoted_junk);
        compress_file(path[0], path[1]);
    }
    team_barrier(world);
    static const size_t range[] = {64, 200, 1000, 7777, 1000000};
    for (int k = 0; k < 10; k++) {
        struct error e = {""};
        struct ingest_options o = options_of(path[k % 2], range[k / 2]);
        CU_ASSERT_EQUAL(ingest(&o, world, &e), 0);
        if (error_is_set(&e)) fprintf(stderr, "range %zu: %s\n", range[k / 2], e.text);
        int wrong = team_rank(world) == 0 ? differences(path[2], lead) : 0;
        CU_ASSERT_EQUAL(wrong, 0);
        if (wrong) fprintf(stderr, "range %zu, file %d: %d differences\n", range[k / 2], k % 2, wrong);
        team_barrier(world);
    }
}

static void test_plain(void)
{
    run_all(true, 0);
}
static void test_quoted(void)
{
    run_all(true, 3);
}
static void test_led(void)
{
    run_all(false, 40);
}

/* Formation dates of the panel from `first` to `last`; the ends themselves are in. */
static void test_dates(void)
{
    struct error e = {""};
    struct ingest_options o = options_of(path[0], 5000);
    struct panel_meta m;
    make_data(false);
    if (team_rank(world) == 0) write_file(path[0], true, 1);
    team_barrier(world);
    o.from = month_end(FIRST + 3), o.to = month_end(FIRST + 7);
    CU_ASSERT_EQUAL(ingest(&o, world, &e), 0);
    if (team_rank(world) == 0) {
        CU_ASSERT_FATAL(!panel_load_meta(path[2], NULL, &m, &e));
        CU_ASSERT(m.T == 5 && m.dates[0] == o.from && m.dates[4] == o.to);
        panel_meta_free(&m);
    }
    team_barrier(world);
}

static void test_bad_rows(void)
{
    make_data(false);
    if (team_rank(world) == 0) {
        write_file(path[0], true, 2);
        FILE *f = fopen(path[0], "ab");
        for (int i = 0; i < 3000; i++)
            fprintf(f, i == 1000 ? "USA,Z%d,,20010131,12x,1,1,0,1,1,1,1,1,\n" : "USA,Z%d,,20010131,12,1,1,0,1,1,1,1,1,\n",
                    i);
        fclose(f);
    }
    team_barrier(world);
    struct error e = {""}, again = {""};
    struct ingest_options o = options_of(path[0], 5000);
    CU_ASSERT_EQUAL(ingest(&o, world, &e), -1);
    CU_ASSERT(strstr(e.text, ":5: column me: found '12x'; needed is a number") != NULL);
    o.bad_rows = "skip";
    CU_ASSERT_EQUAL(ingest(&o, world, &again), 0);
    int64_t skipped = 0;
    if (team_rank(world) == 0) {
        struct hdf *f = hdf_open(path[2], NULL, &again);
        CU_ASSERT_EQUAL(hdf_get_int(f, "audit/rows", "bad_rows_skipped", &skipped, &again), 0);
        CU_ASSERT_EQUAL(skipped, 1);
        hdf_close(f, &again);
        FILE *more = fopen(path[0], "ab");
        for (int i = 0; i < 20; i++) fprintf(more, "USA,Y%d,,20010131\n", i);
        fclose(more);
    }
    team_barrier(world);
    CU_ASSERT_EQUAL(ingest(&o, world, &again), -1);
    CU_ASSERT(strstr(again.text, "rows are bad, more than one in 1000; the first:") != NULL &&
              strstr(again.text, "12x") != NULL);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {{"plain", test_plain},
                                         {"quotes and newlines across ranges", test_quoted},
                                         {"returns led, gaps respected", test_led},
                                         {"from and to", test_dates},
                                         {"bad rows", test_bad_rows}};
    world = world_open(&argc, &argv);
    log_set_quiet(true);
    if (team_rank(world) == 0) strcpy(folder, "/tmp/aipm-ingest.XXXXXX"), mkdtemp(folder);
    team_broadcast(world, folder, sizeof folder, 0);
    snprintf(path[0], sizeof path[0], "%s/s.csv", folder);
    snprintf(path[1], sizeof path[1], "%s/s.csv.gz", folder);
    snprintf(path[2], sizeof path[2], "%s/p.h5", folder);
    int failed = check_run("ingest", tests, sizeof tests / sizeof *tests);
    if (team_rank(world) == 0) {
        for (int k = 0; k < 3; k++) unlink(path[k]);
        rmdir(folder);
    }
    world_close(world);
    return failed;
}
