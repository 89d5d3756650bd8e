/* Features of prices by hand and by brute force; frequencies; points in time. */
#include <string.h>

#include "check.h"
#include "panel/calendar.h"
#include "panel/frequency.h"
#include "panel/indicators.h"
#include "panel/rank.h"

/* A generator of its own: the test's prices do not hang on the program's. */
static double noise(void)
{
    static uint64_t s = 88172645463325252u;
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    return (double)(s >> 11) / 9007199254740992.0;
}

static void test_ema(void)
{
    double x[4] = {1, 2, 3, 2}, y[4];
    ohlcv_ema(4, x, 3, y); /* a share of one half */
    CHECK_CLOSE(y[0], 1, 1e-15);
    CHECK_CLOSE(y[1], 1.5, 1e-15);
    CHECK_CLOSE(y[2], 2.25, 1e-15);
    CHECK_CLOSE(y[3], 2.125, 1e-15);
    double z[200], e[200];
    for (int i = 0; i < 200; i++) z[i] = 50 + noise();
    ohlcv_ema(200, z, 26, e);
    for (int i = 0; i < 200; i += 17) { /* the sum with weights written out */
        double a = 2.0 / 27, sum = pow(1 - a, i) * z[0];
        for (int k = 0; k < i; k++) sum += a * pow(1 - a, k) * z[i - k];
        CHECK_CLOSE(e[i], sum, 1e-13);
    }
}

static void test_rsi(void)
{
    double up[16], flat[16], mixed[4] = {10, 11, 10, 12}, even[5] = {10, 11, 10, 11, 10}, out[16];
    for (int i = 0; i < 16; i++) up[i] = 1 + i, flat[i] = 7;
    ohlcv_rsi(16, up, 14, out);
    CU_ASSERT(isnan(out[13]) && out[14] == 100 && out[15] == 100);
    ohlcv_rsi(16, flat, 14, out);
    CU_ASSERT(out[14] == 50);
    for (int i = 0; i < 16; i++) up[i] = 20 - i;
    ohlcv_rsi(16, up, 14, out);
    CU_ASSERT(out[15] == 0);
    ohlcv_rsi(4, mixed, 3, out); /* gains 1 + 2, losses 1 */
    CHECK_CLOSE(out[3], 75, 1e-14);
    ohlcv_rsi(5, even, 2, out);
    CU_ASSERT(isnan(out[1]) && out[2] == 50 && out[3] == 50 && out[4] == 50);
}

/* A value depends on nothing that follows, and a gap takes one log return away and no other value. */
static void test_features(void)
{
    enum { N = 80, SHORT = 61 };
    static double open[N], high[N], low[N], close[N], volume[N], all[N * OHLCV_FEATURES], part[N * OHLCV_FEATURES],
        gap[N * OHLCV_FEATURES], scratch[5 * N];
    static int32_t place[N], later[N];
    for (int i = 0; i < N; i++) {
        open[i] = 10 + noise(), close[i] = 10 + noise(), high[i] = 11 + noise(), low[i] = 9 + noise(), volume[i] = noise();
        place[i] = i, later[i] = i < 50 ? i : i + 3;
    }
    struct ohlcv_bars b = {N, place, open, high, low, close, close, volume};
    ohlcv_features(&b, all, scratch);
    b.n = SHORT;
    ohlcv_features(&b, part, scratch);
    CU_ASSERT(!memcmp(all, part, sizeof(double) * SHORT * OHLCV_FEATURES));
    b.n = N, b.place = later;
    ohlcv_features(&b, gap, scratch);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < OHLCV_FEATURES; k++) {
            double v = all[i * OHLCV_FEATURES + k], g = gap[i * OHLCV_FEATURES + k];
            bool right = k == OHLCV_LOG_RETURN && i == 50             ? isnan(g)
                         : k == OHLCV_VOLATILITY && i >= 50 && i < 70 ? g != v /* its window leaves that return out */
                                                                      : !memcmp(&g, &v, sizeof v);
            CU_ASSERT(right);
        }
    double *at = all + 40 * OHLCV_FEATURES, sum = 0, mean = 0, square = 0;
    for (int i = 21; i <= 40; i++) sum += volume[i] / 20, mean += log(close[i] / close[i - 1]) / 20;
    for (int i = 21; i <= 40; i++) square += pow(log(close[i] / close[i - 1]) - mean, 2) / 19;
    CHECK_CLOSE(at[OHLCV_LOG_RETURN], log(close[40] / close[39]), 1e-15);
    CHECK_CLOSE(at[OHLCV_INTRADAY_RETURN], close[40] / open[40] - 1, 1e-14);
    CHECK_CLOSE(at[OHLCV_RANGE], (high[40] - low[40]) / close[40], 1e-15);
    CHECK_CLOSE(at[OHLCV_RELATIVE_VOLUME], volume[40] / sum, 1e-14);
    CHECK_CLOSE(at[OHLCV_VOLATILITY], sqrt(square), 1e-14);
    CHECK_CLOSE(at[OHLCV_MACD_HISTOGRAM], at[OHLCV_MACD] - at[OHLCV_MACD_SIGNAL], 1e-14);
    for (int k = 0; k < OHLCV_FEATURES; k++)
        for (int i = 0; i < N; i++)
            if (i + 1 >= ohlcv_feature_needs[k]) CU_ASSERT(!isnan(all[i * OHLCV_FEATURES + k]));
}

/* Against the ranks of a cross-section made of the past. */
static void test_history(void)
{
    enum { N = 300, LENGTH = 40, LEAST = 20 };
    static double x[2 * N], past[LENGTH], scratch[N];
    static float out[3 * N], rank[LENGTH];
    static char work[1 << 16];
    CU_ASSERT_FATAL(rank_workspace(LENGTH) <= sizeof work);
    for (int i = 0; i < N; i++) x[2 * i] = i % 11 == 3 ? NAN : floor(30 * noise()); /* ties and holes */
    ohlcv_history(N, x, 2, LENGTH, LEAST, out, 3, scratch);
    for (int i = 0; i < N; i++) {
        int m = 0;
        for (int j = i; j >= 0 && m < LENGTH; j--)
            if (!isnan(x[2 * j])) past[m++] = x[2 * j];
        if (isnan(x[2 * i]) || m < LEAST) {
            CU_ASSERT(isnan(out[3 * i]));
            continue;
        }
        rank_column(m, past, 1, rank, 1, work);
        CU_ASSERT(out[3 * i] == rank[0]);
    }
}

static void test_frequency(void)
{
    static const struct {
        long seconds;
        const char *name;
        double with, without; /* periods a year: weekends traded, or not */
    } known[] = {{60, "minute", 525600, 98280},    {300, "5-minute", 105120, 19656}, {3600, "hourly", 8760, 1638},
                 {14400, "4-hourly", 2190, 409.5}, {86400, "daily", 365, 252},       {604800, "weekly", 52, 52},
                 {2678400, "monthly", 12, 12},     {2419200, "monthly", 12, 12},     {7862400, "3-monthly", 4, 4},
                 {1209600, "2-weekly", 26, 26}};
    struct frequency f, g;
    char name[FREQUENCY_NAME];
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        CU_ASSERT(frequency_of_spacing(known[k].seconds, &f));
        if (strcmp(frequency_name(f, name), known[k].name)) printf("%ld s is %s\n", known[k].seconds, name);
        CU_ASSERT(!strcmp(name, known[k].name) && frequency_parse(name, &g) && f.unit == g.unit && f.count == g.count);
        CHECK_CLOSE(frequency_per_year(f, true), known[k].with, 1e-12);
        CHECK_CLOSE(frequency_per_year(f, false), known[k].without, 1e-12);
    }
    CU_ASSERT(!frequency_of_spacing(59, &f) && !frequency_of_spacing(5437, &f));
    CU_ASSERT(!frequency_parse("", &f) && !frequency_parse("hour", &f) && !frequency_parse("0-daily", &f) &&
              !frequency_parse("4hourly", &f));
    CU_ASSERT(frequency_parse("4-hourly", &f) && frequency_parse("daily", &g) && frequency_coarser(g, f) &&
              !frequency_coarser(f, g));
}

static void test_instant(void)
{
    static const struct {
        const char *text;
        int64_t seconds, day;
    } known[] = {{"1970-01-01", 0, 19700101},
                 {"20210301", 1614556800, 20210301},
                 {" 2021-03-01 09:30:00-05:00 ", 1614609000, 20210301},
                 {"2021-03-01T14:30:00Z", 1614609000, 20210301},
                 {"2021-03-01 23:30:00.125-0500", 1614659400, 20210301}, /* the next day UTC, this day as written */
                 {"2021/03/01 14:30", 1614609000, 20210301},
                 {"2021-03-02 00:00:00+09", 1614610800, 20210302}};
    static const char *const bad[] = {"",
                                      "2021",
                                      "202103",
                                      "2021-03",
                                      "2021-02-30",
                                      "2021-03-01 9:30",
                                      "2021-03-01 24:30",
                                      "2021-03-01 09:30:00x",
                                      "2021-03-01 09:30:00-5",
                                      "1614609000",
                                      "2021-03-01 09"};
    struct instant t;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        CU_ASSERT(instant_parse(known[k].text, strlen(known[k].text), &t));
        if (t.seconds != known[k].seconds || day_date(t.day) != known[k].day)
            printf("%s: %lld %d\n", known[k].text, (long long)t.seconds, t.day);
        CU_ASSERT(t.seconds == known[k].seconds && day_date(t.day) == known[k].day);
    }
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) CU_ASSERT(!instant_parse(bad[k], strlen(bad[k]), &t));
    CU_ASSERT(instant_minute(1614609059) == 202103011430 && instant_minute(-60) == 196912312359);
    for (int64_t s = -86400 * 40000L; s < 86400 * 40000L; s += 86399)
        CU_ASSERT(instant_of(s).day - instant_of(0).day == (int)floor((double)s / 86400));
}

int main(void)
{
    static const struct check tests[] = {{"exponential means", test_ema},      {"RSI", test_rsi},
                                         {"features and gaps", test_features}, {"ranks among the past", test_history},
                                         {"frequencies", test_frequency},      {"points in time", test_instant}};
    return check_run("ohlcv", tests, sizeof tests / sizeof *tests);
}
