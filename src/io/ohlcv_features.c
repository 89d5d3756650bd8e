#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/ohlcv_panel.h"

int ohlcv_choose(struct ohlcv *x, struct error *e)
{
    bool use[OHLCV_FEATURES] = {false};
    char all[300] = "";
    for (int k = 0, n = 0; k < OHLCV_FEATURES; k++)
        n += snprintf(all + n, sizeof all - (size_t)n, "%s%s", k ? ", " : "", ohlcv_feature_name[k]);
    for (const char *p = x->o->features; p;) {
        size_t n = strcspn(p, ",");
        int k = 0;
        while (k < OHLCV_FEATURES && (strlen(ohlcv_feature_name[k]) != n || memcmp(ohlcv_feature_name[k], p, n))) k++;
        if (k == OHLCV_FEATURES) return error_set(e, "characteristics: found '%.*s'; needed: some of %s", (int)n, p, all);
        if (use[k]) return error_set(e, "characteristics: found %s twice", ohlcv_feature_name[k]);
        use[k] = true;
        p = p[n] ? p + n + 1 : NULL;
    }
    for (int k = 0; k < OHLCV_FEATURES; k++)
        if (use[k] || !x->o->features) x->feature[x->D++] = k;
    return 0;
}

/* Dates at which Adj Close / Close jumps: by a fifth or more a split (or a spin-off), by less a dividend. What rounding to the six
 * decimals that Yahoo writes can do is none. */
static void count_adjustments(const struct ohlcv_file *f, struct ohlcv_audit *audit)
{
    for (int64_t i = 1; i < f->n; i++) {
        const struct ohlcv_bar *a = &f->bar[i - 1], *b = &f->bar[i];
        double jump = fabs(log(b->adjusted / b->close / (a->adjusted / a->close)));
        double rounding = 1e-6 * (1 / a->adjusted + 1 / a->close + 1 / b->adjusted + 1 / b->close);
        if (jump > log(1.2)) audit->count[OHLCV_SPLITS]++;
        else if (jump > 1e-4 + rounding) audit->count[OHLCV_DIVIDENDS]++;
    }
}

/* Observations as columns, with their places in the calendar. */
static void take_bars(const struct ohlcv *x, struct ohlcv_asset *a, double *column, struct ohlcv_bars *bars)
{
    size_t n = (size_t)a->n;
    double *open = column, *high = open + n, *low = high + n, *close = low + n, *volume = close + n;
    for (int i = 0, c = 0; i < a->n; i++, c++) {
        const struct ohlcv_bar *b = &a->file.bar[i];
        while (x->time[c] != b->time) c++;
        a->place[i] = c;
        open[i] = b->open, high[i] = b->high, low[i] = b->low, close[i] = b->close, volume[i] = b->volume;
        a->close[i] = b->adjusted;
    }
    *bars = (struct ohlcv_bars){a->n, a->place, open, high, low, close, a->close, volume};
}

/* What becomes of observation i. all: its features, asked for or not; standard: its ranks among the past, or NULL. */
static enum ohlcv_step state_of(const struct ohlcv *x, const struct ohlcv_asset *a, int i, const double *all,
                                const float *standard)
{
    int64_t date = ohlcv_date(x, x->time[a->place[i]]), day = x->frequency.unit == FREQUENCY_MINUTES ? date / 10000 : date;
    if (a->place[i] % x->o->horizon) return OHLCV_BETWEEN;
    if ((x->o->from && day < x->o->from) || (x->o->to && day > x->o->to)) return OHLCV_OUTSIDE;
    for (int d = 0; d < x->D; d++)
        if (i + 1 < ohlcv_feature_needs[x->feature[d]]) return OHLCV_WARM_UP;
    for (int d = 0; d < x->D; d++)
        if (isnan(all[x->feature[d]]))
            return x->feature[d] == OHLCV_LOG_RETURN        ? OHLCV_AFTER_GAP
                   : x->feature[d] == OHLCV_RELATIVE_VOLUME ? OHLCV_NO_VOLUME
                                                            : OHLCV_WARM_UP;
    for (int d = 0; d < x->D && standard; d++)
        if (isnan(standard[d])) return OHLCV_WARM_UP;
    return isnan(a->ret[i]) ? OHLCV_NO_RETURN : OHLCV_KEPT;
}

/* Returns from one formation date to the next, where there is a price at both. */
static void returns_of(const struct ohlcv *x, struct ohlcv_asset *a, double risk_free)
{
    for (int i = 0, j = 0; i < a->n; i++) {
        int next = a->place[i] + x->o->horizon;
        while (j < a->n && a->place[j] < next) j++;
        bool both = a->place[i] % x->o->horizon == 0 && j < a->n && a->place[j] == next;
        a->ret[i] = both ? a->close[j] / a->close[i] - 1 - risk_free : NAN;
    }
}

static void prepare_asset(struct ohlcv *x, struct ohlcv_asset *a, double risk_free)
{
    struct ohlcv_audit *audit = &x->audit[a->number];
    size_t n = (size_t)a->file.n, D = (size_t)x->D;
    struct ohlcv_bars bars;
    require(a->file.n < INT32_MAX);
    a->n = (int)n;
    a->place = memory_array(int32_t, n, "places in the calendar");
    a->close = memory_array(double, n, "prices");
    a->ret = memory_array(double, n, "returns");
    a->state = memory_array(uint8_t, n, "states");
    a->feature = memory_array(double, n *D, "features");
    double *column = memory_array(double, 5 * n, "bars"), *all = memory_array(double, n *OHLCV_FEATURES, "features"),
           *scratch = memory_array(double, 5 * n, "features at work");
    count_adjustments(&a->file, audit);
    take_bars(x, a, column, &bars);
    ohlcv_file_free(&a->file);
    ohlcv_features(&bars, all, scratch);
    returns_of(x, a, risk_free);
    if (x->o->history) {
        int least = x->o->history < OHLCV_HISTORY_LEAST ? x->o->history : OHLCV_HISTORY_LEAST;
        a->standard = memory_array(float, n *D, "ranks among the past");
        for (size_t d = 0; d < D; d++)
            ohlcv_history((int)n, all + x->feature[d], OHLCV_FEATURES, x->o->history, least, a->standard + d, D, scratch);
    }
    for (int i = 0; i < a->n; i++) {
        const double *of = all + (size_t)i * OHLCV_FEATURES;
        enum ohlcv_step s = state_of(x, a, i, of, a->standard ? a->standard + (size_t)i * D : NULL);
        a->state[i] = (uint8_t)s;
        audit->count[s]++;
        for (size_t d = 0; d < D; d++) a->feature[(size_t)i * D + d] = of[x->feature[d]];
        if (s != OHLCV_KEPT && s != OHLCV_NO_RETURN) continue;
        x->cross[a->place[i] / x->o->horizon]++;
        x->kept[a->place[i] / x->o->horizon] += s == OHLCV_KEPT;
    }
    if (n) audit->count[OHLCV_GAPS] = a->place[n - 1] - a->place[0] + 1 - (int64_t)n;
    memory_free(column);
    memory_free(all);
    memory_free(scratch);
}

void ohlcv_prepare(struct ohlcv *x)
{
    double per_year =
        x->o->periods_per_year > 0 ? x->o->periods_per_year : frequency_per_year(x->frequency, x->weekends) / x->o->horizon;
    x->K = (x->C - 1) / x->o->horizon + 1;
    x->cross = memory_array(int64_t, x->K, "rows by date");
    x->kept = memory_array(int64_t, x->K, "rows by date");
    for (int k = 0; k < x->assets; k++) prepare_asset(x, &x->asset[k], x->o->risk_free / per_year);
    team_sum_long(x->team, x->cross, (size_t)x->K);
    team_sum_long(x->team, x->kept, (size_t)x->K);
    team_sum_long(x->team, (int64_t *)x->audit, (size_t)x->A * sizeof *x->audit / sizeof(int64_t));
}
