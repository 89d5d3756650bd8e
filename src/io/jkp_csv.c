/* Rows of a made stock file, each a pure function of stock and month, written by all ranks into one file. */
#define _GNU_SOURCE
#include "io/jkp_csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/random.h"
#include "io/durable_file.h"
#include "io/jkp.h"
#include "panel/calendar.h"

/* Columns before the characteristics, in JKP's order and names. */
static const char *const lead[] = {"id",
                                   "date",
                                   "eom",
                                   "source_crsp",
                                   "size_grp",
                                   "obs_main",
                                   "exch_main",
                                   "primary_sec",
                                   "gvkey",
                                   "iid",
                                   "permno",
                                   "permco",
                                   "excntry",
                                   "curcd",
                                   "fx",
                                   "common",
                                   "comp_tpci",
                                   "crsp_shrcd",
                                   "comp_exchg",
                                   "crsp_exchcd",
                                   "adjfct",
                                   "shares",
                                   "me",
                                   "me_company",
                                   "prc_local",
                                   "dolvol",
                                   "ret",
                                   "ret_local",
                                   "ret_exc",
                                   "ret_lag_dif",
                                   "ret_exc_lead1m",
                                   "gics",
                                   "sic",
                                   "naics",
                                   "ff49"};
enum { LEAD = sizeof lead / sizeof *lead, LIFE = 180, BLOCK = 8, FIELD = 40 };
_Static_assert(LEAD + JKP_CHARACTERISTICS <= JKP_CSV_COLUMNS, "room for every named column");

/* What does not change in a stock's life. */
struct stock {
    int id, from, to; /* alive in months [from, to) */
    bool abroad, sparse, exchange, common, primary, nyse;
    double size; /* N(0, 1): of its log market equity */
};

static struct stock stock_of(const struct jkp_csv_options *o, int s)
{
    struct random_stream r = random_open(o->seed, 1, (uint64_t)s, 0);
    struct stock k = {.id = 10001 + s};
    k.from = (int)((o->periods + LIFE) * random_uniform(&r, 0)) - LIFE;
    k.to = k.from + LIFE / 2 + (int)(LIFE * random_uniform(&r, 1));
    if (k.from < 0) k.from = 0;
    if (k.to > o->periods) k.to = o->periods;
    k.abroad = random_uniform(&r, 2) < 0.03;
    k.sparse = random_uniform(&r, 3) < 0.05;
    k.exchange = random_uniform(&r, 4) < 0.97;
    k.common = random_uniform(&r, 5) < 0.93;
    k.primary = random_uniform(&r, 6) < 0.98;
    k.nyse = random_uniform(&r, 7) < 0.4;
    k.size = random_normal(&r, 16);
    return k;
}

/* Share of months in which characteristic c is missing: 21 of the 153 above 30%. */
static double missing_share(const struct jkp_csv_options *o, int c)
{
    struct random_stream r = random_open(o->seed, 2, (uint64_t)c, 0);
    return c * 137 % JKP_CHARACTERISTICS < 21 ? 0.40 + 0.40 * random_uniform(&r, 0) : 0.22 * random_uniform(&r, 0);
}

/* v * 10^-15 as a decimal of up to 15 places, the way R and pandas print it. Returns the end. */
static char *put_decimal(char *p, int64_t v)
{
    char digits[24];
    if (v < 0) *p++ = '-', v = -v;
    int n = snprintf(digits, sizeof digits, "%lld", (long long)(v / 1000000000000000));
    memcpy(p, digits, (size_t)n);
    p += n;
    int64_t part = v % 1000000000000000;
    if (!part) return p;
    *p++ = '.';
    for (int k = 14; k >= 0; k--) p[k] = (char)('0' + part % 10), part /= 10;
    p += 15;
    while (p[-1] == '0') p--;
    return p;
}

/* About N(0, scale^2) from four 16-bit numbers, exact in 10^-15. */
static int64_t bell(const uint32_t w[2], double scale)
{
    double sum = (double)(w[0] >> 16) + (w[0] & 0xffff) + (w[1] >> 16) + (w[1] & 0xffff);
    return (int64_t)((sum - 131070) * (scale / 37837) * 1e15 / 1.000000000001);
}

static double return_of(const struct jkp_csv_options *o, int s, int t)
{
    struct random_stream r = random_open(o->seed, 4, (uint64_t)s, 0);
    return 0.006 + 0.12 * random_normal(&r, (uint64_t)t);
}

static char *put_lead(char *p, const struct jkp_csv_options *o, const struct stock *k, int s, int t)
{
    static const char *const group[] = {"nano", "micro", "small", "large", "mega"};
    struct random_stream r = random_open(o->seed, 3, (uint64_t)s, 0);
    double z = k->size + 0.3 * random_normal(&r, (uint64_t)t), me = exp(1.9 * z + 5.5), ret = return_of(o, s, t),
           next = return_of(o, s, t + 1);
    int g = z < -1.8 ? 0 : z < -0.4 ? 1 : z < 0.5 ? 2 : z < 1.3 ? 3 : 4, eom = (int)month_end(o->first_month + t);
    bool last = t + 1 >= k->to;
    p += sprintf(p,
                 "%d,%d,%d,1,\"%s\",%d,%d,%d,\"%06d\",\"01\",%d,%d,\"%s\",\"USD\",1,%d,,11,,%d,1,%.4f,%.6f,%.6f,%.4f,%.2f,%."
                 "9f,%.9f,%.9f,1,",
                 k->id, eom, eom, group[g], random_word(&r, 1000000 + (uint64_t)t) % 100 != 0, k->exchange, k->primary,
                 s % 1000000, k->id, k->id / 2, k->abroad ? "CAN" : "USA", k->common, k->nyse ? 1 : 3, me / 20, me, me,
                 20 * (1 + ret), 1e5 * me, ret + 0.002, ret + 0.002, ret);
    if (!last) p += sprintf(p, "%.9f", next);
    return p + sprintf(p, ",%08d,%04d,%06d,%d", 10101010 + s % 100, 100 + s % 9000, 111110 + s % 1000, 1 + s % 49);
}

static char *put_row(char *p, const struct jkp_csv_options *o, const struct stock *k, const double *missing, int s, int t)
{
    struct random_stream r = random_open(o->seed, 5, (uint64_t)s, (uint64_t)t);
    uint32_t w[4];
    p = put_lead(p, o, k, s, t);
    for (int c = LEAD; c < o->columns; c++) {
        int x = c - LEAD;
        random_block(&r, (uint64_t)x, w);
        *p++ = ',';
        double share = x < JKP_CHARACTERISTICS ? missing[x] : 0.25;
        if (k->sparse) share = 1 - (1 - share) * 0.4;
        if ((double)w[0] < share * 4294967296.0) continue;
        if (x % 29 == 7) p += sprintf(p, "%u", w[3] % 41); /* counts: ties */
        else p = put_decimal(p, bell(w + 2, x % 5 == 0 ? 300 : x % 5 == 1 ? 0.02 : 1));
    }
    *p++ = '\n';
    return p;
}

static size_t put_header(char *to, const struct jkp_csv_options *o)
{
    char *p = to;
    for (int c = 0; c < o->columns; c++) {
        int x = c - LEAD;
        if (c) *p++ = ',';
        if (x < 0) p += sprintf(p, "%s", lead[c]);
        else if (x < JKP_CHARACTERISTICS) p += sprintf(p, "%s", jkp_name(x));
        else p += sprintf(p, "item_%03d", x - JKP_CHARACTERISTICS + 1);
    }
    *p++ = '\n';
    return (size_t)(p - to);
}

static int write_all(int fd, const char *path, const char *text, size_t n, int64_t at, struct error *e)
{
    if (!os_write_at(fd, text, n, at)) return 0;
    return error_set(e, "%s: writing at byte %lld failed: %s", path, (long long)at, strerror(errno));
}

/* Rounds: every rank makes the rows of BLOCK stocks, learns where they go, writes them there. */
static int write_rounds(int fd, const char *path, const struct jkp_csv_options *o, struct team *team, int64_t *rows,
                        int64_t *bytes, struct error *e)
{
    int me = team_rank(team), size = team_size(team), stocks = (int)((int64_t)o->assets * (o->periods + LIFE) / LIFE);
    size_t row = (size_t)(LEAD + o->columns) * FIELD;
    char *text = memory_array(char, (size_t)BLOCK * 2 * LIFE * row, "rows of stocks");
    int64_t *made = memory_array(int64_t, size, "bytes of the ranks");
    double missing[JKP_CHARACTERISTICS];
    for (int c = 0; c < JKP_CHARACTERISTICS; c++) missing[c] = missing_share(o, c);
    int64_t at = (int64_t)put_header(text, o);
    if (me == 0) write_all(fd, path, text, (size_t)at, 0, e);
    *rows = 0;
    for (int64_t first = 0; first < stocks && !team_agree(team, e); first += (int64_t)BLOCK * size) {
        char *p = text;
        for (int s = (int)first + me * BLOCK; s < first + (me + 1) * BLOCK && s < stocks; s++) {
            struct stock k = stock_of(o, s);
            for (int t = k.from; t < k.to; t++, (*rows)++) p = put_row(p, o, &k, missing, s, t);
        }
        int64_t mine = p - text;
        team_all_gather(team, &mine, sizeof mine, made);
        for (int r = 0; r < size; r++) {
            if (r == me) write_all(fd, path, text, (size_t)mine, at, e);
            at += made[r];
        }
    }
    *bytes = at;
    team_sum_long(team, rows, 1);
    memory_free(text);
    memory_free(made);
    return team_agree(team, e);
}

int jkp_csv_write(const char *path, const struct jkp_csv_options *o, struct team *team, int64_t *rows, int64_t *bytes,
                  struct error *e)
{
    struct durable_file file;
    if (durable_begin_team(&file, path, team, e)) return -1;
    if (file.fd < 0 && (file.fd = os_open(file.temporary, OS_EDIT)) < 0)
        error_set(e, "%s: cannot be opened: %s", path, strerror(errno));
    if (!team_agree(team, e)) write_rounds(file.fd, path, o, team, rows, bytes, e);
    if (team_rank(team)) durable_sync(&file, e);
    if (!team_agree(team, e) && !team_rank(team)) durable_commit(&file, e);
    durable_abandon(&file);
    return team_agree(team, e);
}
