/* Planted panels: the link is where the header says, as strong as it says, nowhere else, and gone without strength; the truth is
 * the known SDF portfolio. */
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "panel/planted.h"

/* A whole panel in memory; period t has rows at[t] .. at[t+1]-1. */
struct made {
    struct panel_meta m;
    float *x;
    double *r, *sdf, ceiling, slope;
    int64_t *ids;
    int32_t *group[2];
};

static struct planted_options options(enum planted_kind kind, int N, int T)
{
    struct planted_options o = planted_default;
    o.kind = kind, o.N = N, o.T = T;
    return o;
}

static struct made make(const struct planted_options *o)
{
    struct made a = {0};
    struct error e = {0};
    struct planted *p = planted_create(o);
    planted_describe(p, &a.m);
    size_t rows = (size_t)a.m.rows;
    a.ceiling = planted_ceiling(p), a.slope = planted_slope(p);
    a.x = memory_array(float, rows *(size_t)o->D, "x");
    a.r = memory_array(double, rows, "r");
    a.sdf = memory_array(double, o->T, "sdf");
    a.ids = memory_array(int64_t, rows, "ids");
    for (int g = 0; g < 2; g++) a.group[g] = memory_array(int32_t, rows, "groups");
    for (int k = 0; k < o->T; k++) { /* out of order: a period depends on nothing but itself */
        int t = (int)((int64_t)k * 7919 % o->T);
        int64_t at = a.m.offsets[t];
        int32_t *group[2] = {a.group[0] + at, a.group[1] + at};
        int n = planted_period(p, t, a.x + at * o->D, a.r + at, a.ids + at, group, &a.sdf[t]);
        struct rows rows_of = {.n = n, .characteristics = a.x + at * o->D, .returns = a.r + at, .ids = a.ids + at};
        for (int g = 0; g < a.m.G; g++) rows_of.group[g] = group[g];
        CU_ASSERT(n == a.m.offsets[t + 1] - at);
        if (rows_check(&rows_of, &a.m, t, "planted", &e)) fprintf(stderr, "%s\n", e.text);
    }
    CU_ASSERT(!error_is_set(&e));
    planted_destroy(p);
    return a;
}

static void release(struct made *a)
{
    panel_meta_free(&a->m);
    memory_free(a->x);
    memory_free(a->r);
    memory_free(a->sdf);
    memory_free(a->ids);
    for (int g = 0; g < 2; g++) memory_free(a->group[g]);
}

/* Correlation over n values `step` apart. */
static double correlation(int n, const double *x, int x_step, const double *y, int y_step)
{
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        double a = x[(size_t)i * x_step], b = y[(size_t)i * y_step];
        sx += a, sy += b, xx += a * a, yy += b * b, xy += a * b;
    }
    return (xy - sx * sy / n) / sqrt((xx - sx * sx / n) * (yy - sy * sy / n));
}

/* Nobody is absent: rows are t N + i. The return of row t is realised at t + 1. */
static void lead_lag_of(double strength, int lead, uint64_t seed)
{
    enum { N = 6, T = 4000, LAGS = 7 };
    struct planted_options o = options(PLANTED_LEAD_LAG, N, T);
    o.strength = strength, o.lead = lead, o.seed = seed;
    struct made a = make(&o);
    double widest = 4.5 / sqrt(T), *shown = memory_array(double, T, "characteristic 0 of asset 0");
    for (int t = 0; t < T; t++) shown[t] = (double)a.x[(size_t)t * N * o.D];
    for (int i = 1; i < N; i++)
        for (int lag = 0; lag < LAGS; lag++) {
            double led = correlation(T - lag, a.r, N, a.r + lag * N + i, N),
                   back = correlation(T - lag, a.r + i, N, a.r + lag * N, N);
            double seen = correlation(T - lag, shown, 1, a.r + lag * N + i, N);
            CU_ASSERT(fabs(led - (lag == lead ? strength : 0)) < widest);
            CU_ASSERT(fabs(back) < widest || (strength != 0 && lag == 0 && lead == 0));
            CU_ASSERT(fabs(seen - (lag == lead - 1 ? strength * sqrt(3 / M_PI) : 0)) < widest);
        }
    for (int t = 1; t < T; t++) /* what is shown is a fixed function of the return just realised */
        for (int i = 0; i < N; i++) {
            double z = a.r[(t - 1) * N + i] / (i ? o.volatility / sqrt(1 - strength * strength) : o.volatility);
            CU_ASSERT(fabs((double)a.x[(size_t)(t * N + i) * o.D] - (0.5 * erfc(-z / sqrt(2)) - 0.5)) < 1e-7);
        }
    CU_ASSERT(!strcmp(a.m.characteristic_names[0], "return") && a.m.G == 0);
    memory_free(shown);
    release(&a);
}

static void lead_lag(void)
{
    lead_lag_of(0.5, 2, 1);
    lead_lag_of(-0.3, 1, 2);
    lead_lag_of(0.8, 5, 3);
}

static void lead_lag_control(void)
{
    lead_lag_of(0, 2, 1);
    lead_lag_of(0, 2, 7);
}

static void sectors_of(double strength)
{
    enum { N = 40, T = 4000, S = 4, MEMBERS = N / S };
    struct planted_options o = options(PLANTED_SECTORS, N, T);
    o.strength = strength;
    struct made a = make(&o);
    double widest = 4.5 / sqrt(T), *mean = memory_array(double, (size_t)S *T, "means of sectors"), alone = 0, whole = 0;
    double *shown = memory_array(double, (size_t)N *T, "characteristic 0");
    for (int t = 0; t < T; t++)
        for (int i = 0; i < N; i++) {
            size_t row = (size_t)t * N + (size_t)i;
            shown[row] = (double)a.x[row * (size_t)o.D];
            mean[t * S + i % S] += shown[row] / MEMBERS;
            CU_ASSERT((a.x[row * (size_t)o.D + 1] == 0.25f) == (i % S == 0));
            CU_ASSERT(a.group[1][row] == i % S && a.group[0][row] == i % S / 2 && a.ids[row] == i);
        }
    for (int i = 0; i < N; i++) {
        for (int s = 0; s < S; s++) {
            double expected = s == 0 && i % S ? strength : 0;
            CU_ASSERT(fabs(correlation(T, mean + s, S, a.r + i, N) - expected) < widest);
            CU_ASSERT(fabs(correlation(T - 1, mean + s, S, a.r + N + i, N)) < widest); /* a period later nothing is left */
        }
        if (i % S == 0) continue;
        whole += correlation(T, mean, S, a.r + i, N) / (N - MEMBERS);
        for (int j = 0; j < N; j += S) alone += correlation(T, shown + j, N, a.r + i, N) / (N - MEMBERS) / MEMBERS;
    }
    CU_ASSERT(fabs(whole - strength) < widest && fabs(alone) <= 0.5 * fabs(whole) + widest);
    CU_ASSERT(panel_group(&a.m, "market") == 0 && panel_group(&a.m, "sector") == 1 && a.m.labels[1] == S &&
              a.m.labels[0] == 2);
    CU_ASSERT(!strcmp(a.m.label_names[1][3], "sector_3") && !strcmp(panel_asset_name(&a.m, 7), "A07"));
    memory_free(mean);
    memory_free(shown);
    release(&a);
}

static void sectors(void)
{
    sectors_of(0.5);
}

static void sectors_control(void)
{
    sectors_of(0);
}

/* Sharpe ratio of the truth against theory, within 4 standard errors. */
static void truth_of(enum planted_kind kind, double strength, double absent)
{
    enum { T = 20000 };
    struct planted_options o = options(kind, 8, T);
    o.strength = strength, o.D = 1, o.absent = absent;
    struct made a = make(&o);
    double sum = 0, squares = 0;
    for (int t = 0; t < T; t++) sum += a.sdf[t], squares += a.sdf[t] * a.sdf[t];
    double theory = a.ceiling / sqrt(252), mean = sum / T, sd = sqrt(squares / T - mean * mean);
    double widest = strength == 0 ? 0 : 4 * sqrt((1 + theory * theory / 2) / T);
    CU_ASSERT(strength == 0 ? theory == 0 && squares == 0 : fabs(mean / sd - theory) < widest);
    release(&a);
}

static void truth_sharpe(void)
{
    truth_of(PLANTED_LEAD_LAG, 0.5, 0);
    truth_of(PLANTED_LEAD_LAG, 0.02, 0);
    truth_of(PLANTED_LEAD_LAG, 0.2, 0.3);
    truth_of(PLANTED_SECTORS, 0.3, 0);
    truth_of(PLANTED_LEAD_LAG, 0, 0);
    truth_of(PLANTED_SECTORS, 0, 0.5);
    truth_of(PLANTED_NOISE, 0.4, 0);
    truth_of(PLANTED_MOMENTUM, 0, 0);
}

/* w = (V + mu mu')^-1 mu by elimination, from mu as a reader of the header would compute it. */
static double portfolio_return(int n, double v, const double *mu, const double *r)
{
    double a[16][17], sum = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) a[i][j] = mu[i] * mu[j] + (i == j ? v : 0);
        a[i][n] = mu[i];
    }
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++) {
            double f = a[i][k] / a[k][k];
            for (int j = k; j <= n && i != k; j++) a[i][j] -= f * a[k][j];
        }
    for (int i = 0; i < n; i++) sum += a[i][n] / a[i][i] * r[i];
    return sum;
}

static void truth_portfolio(void)
{
    enum { N = 12, T = 400 };
    for (int kind = PLANTED_LEAD_LAG; kind <= PLANTED_SECTORS; kind++) {
        struct planted_options o = options((enum planted_kind)kind, N, T);
        o.absent = 0.2;
        struct made a = make(&o);
        long there = 0;
        for (int t = 0; t < T; t++) {
            int64_t at = a.m.offsets[t], n = a.m.offsets[t + 1] - at;
            double mu[N], mean = 0, inside = 0;
            CU_ASSERT(a.ids[at] == 0);
            there += n;
            for (int k = 0; k < n; k++)
                if (a.ids[at + k] % o.sectors == 0) mean += (double)a.x[(at + k) * o.D], inside++;
            if (kind == PLANTED_LEAD_LAG && t < o.lead) continue;
            double moves = kind == PLANTED_SECTORS ? mean / inside : a.r[a.m.offsets[t - o.lead]];
            for (int k = 0; k < n; k++)
                mu[k] = (kind == PLANTED_SECTORS ? a.ids[at + k] % o.sectors : a.ids[at + k]) ? a.slope * moves : 0;
            double want = portfolio_return((int)n, o.volatility * o.volatility, mu, a.r + at);
            CU_ASSERT(fabs(a.sdf[t] - want) < 1e-9 * (1 + fabs(want)));
        }
        double share = 1 - (double)(there - T) / ((N - 1) * T);
        CU_ASSERT(fabs(share - 0.2) < 4 * sqrt(0.16 / ((N - 1) * T)));
        release(&a);
    }
}

/* An asset's returns against its own last one: -b / (1 + b^2), and nothing a period later; characteristic 0 is the last return. */
static void reversal(void)
{
    enum { N = 20, T = 6000 };
    struct planted_options o = options(PLANTED_REVERSAL, N, T);
    o.strength = 0.4;
    struct made a = make(&o);
    double b = a.slope, seen = 0;
    for (int i = 0; i < N; i++) {
        CU_ASSERT(fabs(correlation(T - 1, a.r + i, N, a.r + N + i, N) + b / (1 + b * b)) < 4.5 / sqrt(T));
        CU_ASSERT(fabs(correlation(T - 2, a.r + i, N, a.r + 2 * N + i, N)) < 4.5 / sqrt(T));
        for (int t = 1; t < T; t++) /* r_i(t) is the return of row t - 1 */
            seen = fmax(
                seen, fabs(a.x[((size_t)t * N + (size_t)i) * (size_t)o.D] + 0.5 -
                           0.5 * erfc(-a.r[(size_t)(t - 1) * N + (size_t)i] / (o.volatility * sqrt(1 + b * b)) / sqrt(2))));
    }
    CU_ASSERT(seen < 1e-6);
    release(&a);
}

/* The return of a managed factor remembers for 24 periods, linearly less, and means nothing in the long run. */
static void momentum(void)
{
    enum { N = 400, T = 6000 };
    struct planted_options o = options(PLANTED_MOMENTUM, N, T);
    o.D = 2, o.strength = 0.5;
    struct made a = make(&o);
    double *F = memory_array(double, T, "factor"), sd = 0;
    for (int d = 0; d < o.D; d++) {
        double mean = 0;
        for (int t = 0; t < T; t++) {
            F[t] = 0;
            for (int i = 0; i < N; i++) {
                size_t row = (size_t)t * N + (size_t)i;
                F[t] += a.x[row * (size_t)o.D + (size_t)d] * a.r[row] / N;
            }
            mean += F[t] / T;
        }
        sd = 0;
        for (int t = 0; t < T; t++) sd += (F[t] - mean) * (F[t] - mean) / T;
        double premium =
            a.slope * o.volatility * sqrt(12. / o.D) / 12; /* sd of p_d x the factor's exposure, sum x^2 / N = 1/12 */
        for (int lag = 6; lag <= 30; lag += 6) {
            double sum = 0;
            for (int t = lag; t < T; t++) sum += (F[t] - mean) * (F[t - lag] - mean) / T;
            double expected = premium * premium * (lag < 24 ? 1 - lag / 24. : 0);
            CU_ASSERT(fabs(sum - expected) < 0.25 * premium * premium);
        }
        CU_ASSERT(fabs(mean) < 4.5 * premium * sqrt(24. / T));
    }
    memory_free(F);
    release(&a);
}

/* The market: Sharpe ratio b a period but for what assets of their own leave in its mean; characteristics say nothing. */
static void market(void)
{
    enum { N = 100, T = 4000 };
    struct planted_options o = options(PLANTED_NOISE, N, T);
    o.strength = 0.3;
    struct made a = make(&o);
    double mean = 0, square = 0, v = o.volatility * o.volatility;
    for (int t = 0; t < T; t++) {
        double m = 0;
        for (int i = 0; i < N; i++) m += a.r[(size_t)t * N + (size_t)i] / N;
        mean += m / T, square += m * m / T;
    }
    CU_ASSERT(fabs(mean - a.slope * o.volatility / 2) < 4.5 * o.volatility / 2 / sqrt(T));
    CU_ASSERT(fabs(square - mean * mean - v * (0.25 + 1. / N)) < 0.15 * v * 0.25);
    bool inside = true;
    for (size_t k = 0; k < (size_t)N * T * (size_t)o.D; k++) inside = inside && a.x[k] >= 0 && a.x[k] <= 0.5f;
    CU_ASSERT(inside);
    release(&a);
}

static void noise(void)
{
    enum { N = 10, T = 2000 };
    struct planted_options o = options(PLANTED_LEAD_LAG, N, T);
    struct made a = make(&o);
    double *x = memory_array(double, (size_t)N *T * 4, "characteristics"), widest = 4.5 / sqrt(N * T);
    for (int i = 0; i < N * T * 4; i++) x[i] = (double)a.x[i];
    for (int d = 0; d < 4; d++) {
        double sum = 0, squares = 0;
        if (d == 1) { /* size stays as it is */
            for (int i = 0; i < N * T; i++)
                CU_ASSERT(fabs(x[i * 4 + 1] - (i % N ? -0.25 * (i % N) / (N - 1) : 0.25)) < 1e-7);
            continue;
        }
        for (int i = 0; i < N * T; i++) sum += x[i * 4 + d], squares += x[i * 4 + d] * x[i * 4 + d];
        /* those of characteristic 0 move together, about as a tenth as many would */
        CU_ASSERT(fabs(sum / (N * T)) < widest * sqrt(1.0 / 12) * (d ? 1 : 3));
        CU_ASSERT(fabs(12 * squares / (N * T) - 1) < widest * (d ? 1 : 3));
        CU_ASSERT(d == 0 || fabs(correlation(N * T, x + d, 4, a.r, 1)) < widest);
        for (int c = 0; c < d; c++) CU_ASSERT(c == 1 || fabs(correlation(N * T, x + c, 4, x + d, 4)) < widest);
        if (d) CU_ASSERT(fabs(correlation(N * (T - 1), x + d, 4, x + 4 * N + d, 4)) < widest);
    }
    memory_free(x);
    release(&a);
}

static void dates(void)
{
    struct planted_options o = options(PLANTED_LEAD_LAG, 2, 600);
    struct made a = make(&o);
    CU_ASSERT(a.m.dates[0] == 20000103 && a.m.dates[4] == 20000107 && a.m.dates[5] == 20000110 && a.m.dates[41] == 20000229);
    CU_ASSERT(a.m.dates[42] == 20000301 && a.m.periods_per_year == 252 && !strcmp(a.m.frequency, "daily"));
    release(&a);
    o.start = 20240727; /* a Saturday */
    a = make(&o);
    CU_ASSERT(a.m.dates[0] == 20240729 && a.m.dates[5] == 20240805);
    release(&a);
    o.start = 20240801; /* a Thursday */
    a = make(&o);
    CU_ASSERT(a.m.dates[0] == 20240801 && a.m.dates[1] == 20240802 && a.m.dates[2] == 20240805);
    release(&a);
    o.frequency = "hourly", o.periods_per_year = 8766;
    a = make(&o);
    CU_ASSERT(a.m.dates[0] == 202408010000 && a.m.dates[23] == 202408012300 && a.m.dates[24] == 202408020000);
    CU_ASSERT(a.m.periods_per_year == 8766);
    release(&a);
    o.frequency = "monthly", o.periods_per_year = 0;
    a = make(&o);
    CU_ASSERT(a.m.dates[0] == 20240831 && a.m.dates[6] == 20250228 && a.m.periods_per_year == 12);
    release(&a);
}

static void refusals(void)
{
#define REFUSE(change, says)                                                                                                \
    do {                                                                                                                    \
        struct planted_options o = options(PLANTED_SECTORS, 20, 100);                                                       \
        struct error e = {0};                                                                                               \
        CU_ASSERT(planted_check(&o, &e) == 0);                                                                              \
        change;                                                                                                             \
        CU_ASSERT(planted_check(&o, &e) == -1 && strstr(e.text, says));                                                     \
    } while (0)
    REFUSE(o.N = 1, "1 assets");
    REFUSE(o.D = 0, "0 characteristics");
    REFUSE(o.T = 0, "0 periods");
    REFUSE(o.sectors = 1, "1 sectors");
    REFUSE(o.sectors = 21, "21 sectors");
    REFUSE((o.kind = PLANTED_LEAD_LAG, o.lead = 0), "lead 0");
    REFUSE(o.strength = 1, "strength 1");
    REFUSE(o.strength = NAN, "strength nan");
    REFUSE(o.absent = 1, "absent 1");
    REFUSE(o.volatility = 0, "volatility 0");
    REFUSE(o.frequency = "weekly", "'weekly'");
    REFUSE(o.start = 20000230, "20000230");
    REFUSE(o.start = 200001, "200001");
    REFUSE((o.frequency = "monthly", o.T = 100000), "beyond the year 9999");
}

int main(void)
{
    static const struct check tests[] = {
        {"lead_lag: the link and nothing else", lead_lag},
        {"lead_lag without strength", lead_lag_control},
        {"sectors: the link and nothing else", sectors},
        {"sectors without strength", sectors_control},
        {"reversal", reversal},
        {"momentum", momentum},
        {"noise and a market", market},
        {"the truth's Sharpe ratio", truth_sharpe},
        {"the truth's portfolio against elimination", truth_portfolio},
        {"noise is noise", noise},
        {"dates", dates},
        {"options refused", refusals},
    };
    int status = check_run("planted panels", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
