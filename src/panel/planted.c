/* The worlds with a planted link: how returns follow from it, and the Sharpe ratio that knowing it would give. */
#include "panel/planted.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "panel/calendar.h"

/* Streams of draws; an index within one is asset << 24 | period, counted from BEFORE periods before the panel. */
enum { STREAM_SHOCK = 0x706c616e, STREAM_SECTOR, STREAM_OWN, STREAM_NOISE, STREAM_ABSENT, STREAM_PREMIUM };
enum { BEFORE = 4096, MOST_PERIODS = 1000000, MOST_ASSETS = 100000, MARKETS = 2 };
enum { MEMORY = 24 };                    /* periods that a premium of `momentum` remembers */
static const double market_share = 0.25; /* of the idiosyncratic variance: the market's in `noise` */
static const double sector_share = 0.1;  /* share of the variance of what a member of a sector shows */

const struct planted_options planted_default = {
    .N = 20,
    .D = 4,
    .T = 1000,
    .frequency = "daily",
    .start = 20000103,
    .seed = 1,
    .lead = 2,
    .sectors = 4,
    .strength = 0.5,
    .volatility = 0.02,
};

struct planted {
    struct planted_options o;
    double slope;
    int *asset;                                                       /* [N] who is there in the period being made */
    struct random_stream shock, sector, own, absent, premium, *noise; /* noise [D] */
    double *premia;                                                   /* [D] of the period being made: momentum */
};

/* ---- options --------------------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"lead_lag", "sectors", "momentum", "reversal", "noise"};

int planted_find(const char *name, enum planted_kind *kind)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (!strcmp(kinds[k], name)) return *kind = (enum planted_kind)k, 0;
    return -1;
}

const char *planted_name(enum planted_kind kind)
{
    return kinds[kind];
}

enum { WEEKDAYS, HOURS, MONTHS };
static const struct {
    const char *name;
    int per_year;
} frequency[] = {{"daily", 252}, {"hourly", 8760}, {"monthly", 12}};

static int find_frequency(const char *name)
{
    for (int k = 0; k <= MONTHS; k++)
        if (!strcmp(frequency[k].name, name)) return k;
    return -1;
}

/* Formation date of period t. */
static int64_t date_of(const struct planted_options *o, int t)
{
    enum { MONDAY = 719472 }; /* a Monday, 1970-01-05, in days as calendar.h counts them */
    struct date start = {(int)(o->start / 10000), (int)(o->start / 100 % 100), (int)(o->start % 100)};
    int day = day_of(start);
    if (find_frequency(o->frequency) == MONTHS) return month_end(month_of(start) + t);
    if (find_frequency(o->frequency) == HOURS) return day_date(day + t / 24) * 10000 + t % 24 * 100;
    int weekday = ((day - MONDAY) % 7 + 7) % 7, monday = day - weekday + (weekday > 4 ? 7 : 0);
    int later = t + (weekday > 4 ? 0 : weekday); /* weekdays after that Monday */
    return day_date(monday + later / 5 * 7 + later % 5);
}

int planted_check(const struct planted_options *o, struct error *e)
{
    int64_t start = o->start;
    if (o->N < 2 || o->N > MOST_ASSETS) return error_set(e, "%d assets: 2 to %d are needed", o->N, MOST_ASSETS);
    if (o->D < 1 || o->D > 10000) return error_set(e, "%d characteristics: 1 to 10,000 are needed", o->D);
    if (o->T < 1 || o->T > MOST_PERIODS) return error_set(e, "%d periods: 1 to %d are needed", o->T, MOST_PERIODS);
    if (find_frequency(o->frequency) < 0)
        return error_set(e, "frequency '%s': daily, hourly or monthly is needed", o->frequency);
    if (o->periods_per_year < 0 || o->periods_per_year > 1000000)
        return error_set(e, "%d periods a year: 1 to 1,000,000 are needed", o->periods_per_year);
    if (start % 100 < 1 || start > 99991231 ||
        !date_valid((struct date){(int)(start / 10000), (int)(start / 100 % 100), (int)(start % 100)}))
        return error_set(e, "start %lld: a day YYYYMMDD from %d0101 to %d1231 is needed, as 20000103", (long long)start,
                         CALENDAR_FIRST_YEAR, CALENDAR_LAST_YEAR);
    if (date_of(o, o->T - 1) > (find_frequency(o->frequency) == HOURS ? 999912312300 : 99991231))
        return error_set(e, "%d periods from %lld: beyond the year 9999", o->T, (long long)start);
    if (o->kind == PLANTED_LEAD_LAG && (o->lead < 1 || o->lead > BEFORE - 1))
        return error_set(e, "lead %d: 1 to %d periods are needed", o->lead, BEFORE - 1);
    if (o->kind == PLANTED_SECTORS && (o->sectors < 2 || o->sectors > o->N))
        return error_set(e, "%d sectors: 2 or more are needed, at most one for each of the %d assets", o->sectors, o->N);
    if (!(fabs(o->strength) < 1)) return error_set(e, "strength %g: a correlation between -1 and 1 is needed", o->strength);
    if (!(o->absent >= 0 && o->absent < 1)) return error_set(e, "absent %g: a share below 1 is needed", o->absent);
    if (!(o->volatility > 0 && o->volatility < 1))
        return error_set(e, "volatility %g: between 0 and 1 a period is needed", o->volatility);
    return 0;
}

/* ---- the equations --------------------------------------------------------------------------------------------------------- */

static uint64_t place(int i, int t)
{
    return (uint64_t)i << 24 | (uint64_t)(t + BEFORE);
}

static double draw(const struct random_stream *s, int i, int t)
{
    return random_normal(s, place(i, t));
}

static bool present(const struct planted *p, int i, int t)
{
    return i == 0 || !(p->o.absent > 0) || random_uniform(&p->absent, place(i, t)) >= p->o.absent;
}

static double squash(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2) - 0.5;
}

/* Whether the planted link moves asset i. */
static bool moved(const struct planted *p, int i)
{
    if (p->o.kind == PLANTED_SECTORS) return i % p->o.sectors > 0;
    return p->o.kind != PLANTED_LEAD_LAG || i > 0;
}

static double shock(const struct planted *p, int i, int t)
{
    return p->o.volatility * draw(&p->shock, i, t);
}

static double noise(const struct planted *p, int d, int i, int t)
{
    return random_uniform(&p->noise[d], place(i, t));
}

/* Characteristic 0 of asset i at t. */
static double signal(const struct planted *p, int i, int t)
{
    double slope = 0, before = 0;
    switch (p->o.kind) {
    case PLANTED_MOMENTUM: return noise(p, 0, i, t) - 0.5;
    case PLANTED_NOISE: return 0.5 * noise(p, 0, i, t);
    case PLANTED_SECTORS:
        return squash(sqrt(sector_share) * draw(&p->sector, i % p->o.sectors, t) +
                      sqrt(1 - sector_share) * draw(&p->own, i, t));
    case PLANTED_REVERSAL: slope = -p->slope, before = shock(p, i, t - 1); break;
    case PLANTED_LEAD_LAG: slope = i ? p->slope : 0, before = shock(p, 0, t - p->o.lead); break;
    }
    return squash((shock(p, i, t) + slope * before) / (p->o.volatility * sqrt(1 + slope * slope)));
}

/* The other characteristics of asset i at t. */
static void others(const struct planted *p, int i, int t, float *x)
{
    bool leads = p->o.kind == PLANTED_LEAD_LAG || p->o.kind == PLANTED_SECTORS;
    if (p->o.D > 1 && leads) x[1] = moved(p, i) ? (float)(-0.25 * i / (p->o.N - 1)) : 0.25f;
    for (int d = leads ? 2 : 1; d < p->o.D; d++)
        x[d] = (float)(p->o.kind == PLANTED_NOISE ? 0.5 * noise(p, d, i, t) : noise(p, d, i, t) - 0.5);
}

/* Premia of the D managed factors at t. */
static void make_premia(struct planted *p, int t)
{
    double scale = p->slope * p->o.volatility * sqrt(12.0 / p->o.D / MEMORY);
    for (int d = 0; d < p->o.D; d++) {
        double sum = 0;
        for (int k = 0; k < MEMORY; k++) sum += draw(&p->premium, d, t - k);
        p->premia[d] = scale * sum;
    }
}

/* The moved part of asset i's return over t -> t+1; x its characteristics, common what all moved assets share. */
static double moved_part(const struct planted *p, int i, int t, const float *x, double common)
{
    double mu = 0;
    if (p->o.kind == PLANTED_REVERSAL) return -p->slope * shock(p, i, t);
    if (p->o.kind != PLANTED_MOMENTUM) return common;
    for (int d = 0; d < p->o.D; d++) mu += p->premia[d] * x[d];
    return mu;
}

/* Variance of m for n members: theirs is 1/12, their covariance asin(rho / 2) / (2 pi) (normal distribution functions of N(0, 1) draws
 * of correlation rho). */
static double mean_variance(int n)
{
    return (1.0 / 12 + (n - 1) * asin(sector_share / 2) / (2 * M_PI)) / n;
}

static int members(const struct planted_options *o, int sector)
{
    return (o->N - sector + o->sectors - 1) / o->sectors;
}

static int count_present(const struct planted *p, int t)
{
    int n = 0;
    for (int i = 0; i < p->o.N; i++) n += present(p, i, t);
    return n;
}

/* What moves all moved assets alike over t -> t+1, `inside` members of sector 0 showing `sum`; the market's shock in *surprise. */
static double common_part(const struct planted *p, int t, double sum, int inside, double *surprise)
{
    *surprise = p->o.kind == PLANTED_NOISE ? p->o.volatility * sqrt(market_share) * draw(&p->premium, 0, t + 1) : 0;
    if (p->o.kind == PLANTED_NOISE) return p->slope * p->o.volatility * sqrt(market_share);
    if (p->o.kind == PLANTED_SECTORS) return p->slope * sum / inside;
    return p->o.kind == PLANTED_LEAD_LAG ? p->slope * shock(p, 0, t + 1 - p->o.lead) : 0;
}

int planted_period(struct planted *p, int t, float *characteristics, double *returns, int64_t *ids, int32_t *const *group,
                   double *sdf)
{
    const struct planted_options *o = &p->o;
    size_t D = (size_t)o->D;
    int n = 0, inside = 0;
    double sum = 0, v = o->volatility * o->volatility, h = 0, product = 0, surprise;
    for (int i = 0; i < o->N; i++) {
        if (!present(p, i, t)) continue;
        float *x = characteristics + (size_t)n * D;
        x[0] = (float)signal(p, i, t);
        if (!moved(p, i)) sum += x[0], inside++;
        others(p, i, t, x);
        ids[n] = p->asset[n] = i;
        n++;
    }
    double common = common_part(p, t, sum, inside, &surprise);
    if (o->kind == PLANTED_MOMENTUM) make_premia(p, t);
    for (int k = 0; k < n; k++) {
        int i = p->asset[k];
        returns[k] = shock(p, i, t + 1) + surprise;
        if (o->kind == PLANTED_SECTORS) group[0][k] = i % o->sectors * MARKETS / o->sectors, group[1][k] = i % o->sectors;
        if (!moved(p, i)) continue;
        double mu = moved_part(p, i, t, characteristics + (size_t)k * D, common);
        returns[k] += mu;
        h += mu * mu / v;
        product += mu * returns[k] / v;
    }
    if (o->kind == PLANTED_NOISE) h /= 1 + market_share * n, product /= 1 + market_share * n; /* V has the market in it */
    *sdf = product / (1 + h);
    return n;
}

double planted_slope(const struct planted *p)
{
    return p->slope;
}

/* E k z^2 / (1 + k z^2) = 1 - sqrt(pi a) e^a erfc(sqrt a) with a = 1 / (2 k). */
double planted_ceiling(const struct planted *p)
{
    const struct planted_options *o = &p->o;
    int count = o->kind == PLANTED_LEAD_LAG ? o->N - 1 : o->kind == PLANTED_SECTORS ? o->N - members(o, 0) : o->N;
    double k = count * (1 - o->absent) * o->strength * o->strength / (1 - o->strength * o->strength), a = 1 / (2 * k);
    double q = k < 1e-3 ? k * (1 - 3 * k) : 1 - sqrt(M_PI * a) * exp(a) * erfc(sqrt(a));
    if (o->kind == PLANTED_NOISE) k *= market_share / (1 + market_share * o->N * (1 - o->absent));
    if (o->kind >= PLANTED_MOMENTUM) q = k / (1 + k);
    int per_year = o->periods_per_year ? o->periods_per_year : frequency[find_frequency(o->frequency)].per_year;
    return sqrt(q / (1 - q) * per_year);
}

/* ---- the header -------------------------------------------------------------------------------------------------------------- */

static void name_labels(struct panel_meta *m, int g, const char *name, int labels)
{
    char text[64];
    m->group_names[g] = memory_text(name);
    m->labels[g] = labels;
    m->label_names[g] = memory_array(char *, labels, "labels");
    for (int k = 0; k < labels; k++) {
        snprintf(text, sizeof text, "%s_%d", name, k);
        m->label_names[g][k] = memory_text(text);
    }
}

static void name_assets(struct panel_meta *m, int N)
{
    int width = snprintf(NULL, 0, "%d", N - 1);
    char text[32];
    m->assets = N;
    m->asset_names = memory_array(char *, N, "names of assets");
    m->asset_name_ids = memory_array(int64_t, N, "ids of assets");
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, "A%0*d", width < 2 ? 2 : width, i);
        m->asset_names[i] = memory_text(text);
        m->asset_name_ids[i] = i;
    }
}

void planted_describe(const struct planted *p, struct panel_meta *m)
{
    const struct planted_options *o = &p->o;
    static const char *const first[] = {"return", "signal", "trait_0", "return", "noise_0"};
    int kind = find_frequency(o->frequency);
    bool leads = o->kind == PLANTED_LEAD_LAG || o->kind == PLANTED_SECTORS;
    char text[32];
    *m = (struct panel_meta){.T = o->T, .D = o->D};
    m->periods_per_year = o->periods_per_year ? o->periods_per_year : frequency[kind].per_year;
    m->frequency = memory_text(o->frequency);
    m->dates = memory_array(int64_t, o->T, "panel dates");
    m->offsets = memory_array(int64_t, (size_t)o->T + 1, "panel offsets");
    for (int t = 0; t < o->T; t++) {
        m->dates[t] = date_of(o, t);
        m->offsets[t + 1] = m->offsets[t] + (o->absent > 0 ? count_present(p, t) : o->N);
    }
    m->rows = m->offsets[o->T];
    m->characteristic_names = memory_array(char *, o->D, "characteristic names");
    m->characteristic_names[0] = memory_text(first[o->kind]);
    if (o->D > 1 && leads) m->characteristic_names[1] = memory_text("size");
    for (int d = leads ? 2 : 1; d < o->D; d++) {
        snprintf(text, sizeof text, "%s_%d", o->kind == PLANTED_MOMENTUM ? "trait" : "noise", leads ? d - 1 : d);
        m->characteristic_names[d] = memory_text(text);
    }
    name_assets(m, o->N);
    if (o->kind != PLANTED_SECTORS) return;
    m->G = 2;
    name_labels(m, 0, "market", MARKETS);
    name_labels(m, 1, "sector", o->sectors);
}

struct planted *planted_create(const struct planted_options *o)
{
    struct error e = {0};
    require(planted_check(o, &e) == 0);
    struct planted *p = memory_array(struct planted, 1, "planted panel");
    *p = (struct planted){.o = *o};
    p->asset = memory_array(int, o->N, "assets of a period");
    p->slope = o->strength / sqrt(1 - o->strength * o->strength);
    if (o->kind == PLANTED_SECTORS) p->slope *= o->volatility / sqrt(mean_variance(members(o, 0)));
    p->shock = random_open(o->seed, STREAM_SHOCK, 0, 0);
    p->sector = random_open(o->seed, STREAM_SECTOR, 0, 0);
    p->own = random_open(o->seed, STREAM_OWN, 0, 0);
    p->absent = random_open(o->seed, STREAM_ABSENT, 0, 0);
    p->premium = random_open(o->seed, STREAM_PREMIUM, 0, 0);
    p->premia = memory_array(double, o->D, "premia");
    p->noise = memory_array(struct random_stream, o->D, "streams of noise");
    for (int d = 0; d < o->D; d++) p->noise[d] = random_open(o->seed, STREAM_NOISE, (uint64_t)d, 0);
    return p;
}

void planted_destroy(struct planted *p)
{
    if (!p) return;
    memory_free_all(p->asset, p->noise, p->premia, p);
}
