/* Features of every asset from its own prices, and what becomes of each observation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "prices.h"

int prices_choose(struct prices *x, struct error *e)
{
    bool use[OHLCV_FEATURES] = {false};
    char all[300] = "";
    for (int k = 0, n = 0; k < OHLCV_FEATURES; k++)
        n += snprintf(all + n, sizeof all - (size_t)n, "%s%s", k ? ", " : "", ohlcv_feature_name[k]);
    for (const char *p = x->o->characteristics; p;) {
        size_t n = strcspn(p, ",");
        int k = 0;
        while (k < OHLCV_FEATURES && (strlen(ohlcv_feature_name[k]) != n || memcmp(ohlcv_feature_name[k], p, n))) k++;
        if (k == OHLCV_FEATURES) return error_set(e, "characteristics: found '%.*s'; needed: some of %s", (int)n, p, all);
        if (use[k]) return error_set(e, "characteristics: found %s twice", ohlcv_feature_name[k]);
        use[k] = true;
        p = p[n] ? p + n + 1 : NULL;
    }
    for (int k = 0; k < OHLCV_FEATURES; k++)
        if (use[k] || !x->o->characteristics) x->feature[x->D++] = k;
    return 0;
}

/* Dates at which Adj Close / Close jumps: by a fifth or more a split (or a spin-off), by less a dividend. What rounding to the six
 * decimals that Yahoo writes can do is none. */
static void count_adjustments(const struct ohlcv_file *f, int64_t *count)
{
    for (int64_t i = 1; i < f->n; i++) {
        const struct ohlcv_bar *a = &f->bar[i - 1], *b = &f->bar[i];
        double jump = fabs(log(b->adjusted / b->close / (a->adjusted / a->close)));
        double rounding = 1e-6 * (1 / a->adjusted + 1 / a->close + 1 / b->adjusted + 1 / b->close);
        if (jump > log(1.2)) count[OHLCV_SPLITS]++;
        else if (jump > 1e-4 + rounding) count[OHLCV_DIVIDENDS]++;
    }
}

/* Observations of an asset while its rows are made; the room is that of the longest of my assets, and serves them in turn. */
struct observations {
    int n, number;
    int32_t *place; /* [n] in the calendar */
    double *column, *close, *ret,
        *feature;    /* [5, n] bars; [n] adjusted; [n] to the next formation date; [n, OHLCV_FEATURES] */
    double *scratch; /* [5, n] */
    float *standard; /* [n, D] ranks among the asset's own past, or NULL */
};

/* Observations as columns, with their places in the calendar. */
static void take_bars(const struct prices *x, const struct ohlcv_file *f, struct observations *a, struct ohlcv_bars *bars)
{
    size_t n = (size_t)a->n;
    double *open = a->column, *high = open + n, *low = high + n, *close = low + n, *volume = close + n;
    for (int i = 0, c = 0; i < a->n; i++, c++) {
        const struct ohlcv_bar *b = &f->bar[i];
        while (x->time[c] != b->time) c++;
        a->place[i] = c;
        open[i] = b->open, high[i] = b->high, low[i] = b->low, close[i] = b->close, volume[i] = b->volume;
        a->close[i] = b->adjusted;
    }
    *bars = (struct ohlcv_bars){a->n, a->place, open, high, low, close, a->close, volume};
}

/* What becomes of observation i. */
static enum ohlcv_step state_of(const struct prices *x, const struct observations *a, int i)
{
    const double *all = a->feature + (size_t)i * OHLCV_FEATURES;
    int64_t date = prices_date(x, x->time[a->place[i]]), day = x->frequency.unit == FREQUENCY_MINUTES ? date / 10000 : date;
    if (a->place[i] % x->o->horizon) return OHLCV_BETWEEN;
    if ((x->o->from && day < x->o->from) || (x->o->to && day > x->o->to)) return OHLCV_OUTSIDE;
    for (int d = 0; d < x->D; d++)
        if (i + 1 < ohlcv_feature_needs[x->feature[d]]) return OHLCV_WARM_UP;
    for (int d = 0; d < x->D; d++)
        if (isnan(all[x->feature[d]]))
            return x->feature[d] == OHLCV_LOG_RETURN        ? OHLCV_AFTER_GAP
                   : x->feature[d] == OHLCV_RELATIVE_VOLUME ? OHLCV_NO_VOLUME
                                                            : OHLCV_WARM_UP;
    for (int d = 0; d < x->D && a->standard; d++)
        if (isnan(a->standard[(size_t)i * (size_t)x->D + (size_t)d])) return OHLCV_WARM_UP;
    return isnan(a->ret[i]) ? OHLCV_NO_RETURN : OHLCV_KEPT;
}

/* Returns from one formation date to the next, where there is a price at both. */
static void returns_of(const struct prices *x, struct observations *a)
{
    double risk_free = x->o->risk_free / prices_per_year(x);
    for (int i = 0, j = 0; i < a->n; i++) {
        int next = a->place[i] + x->o->horizon;
        while (j < a->n && a->place[j] < next) j++;
        bool both = a->place[i] % x->o->horizon == 0 && j < a->n && a->place[j] == next;
        a->ret[i] = both ? a->close[j] / a->close[i] - 1 - risk_free : NAN;
    }
}

static void observations_create(struct observations *a, const struct prices *x)
{
    size_t n = 0;
    for (int k = 0; k < x->assets; k++) n = (size_t)x->asset[k].file.n > n ? (size_t)x->asset[k].file.n : n;
    require(n < INT32_MAX);
    *a = (struct observations){.place = memory_array(int32_t, n, "places in the calendar"),
                               .column = memory_array(double, 5 * n, "bars"),
                               .close = memory_array(double, n, "prices"),
                               .ret = memory_array(double, n, "returns"),
                               .feature = memory_array(double, n *OHLCV_FEATURES, "features"),
                               .scratch = memory_array(double, 5 * n, "features at work")};
    if (x->history) a->standard = memory_array(float, n *(size_t)x->D, "ranks among the past");
}

static void observe(struct observations *a, const struct prices *x, const struct price_asset *of)
{
    size_t D = (size_t)x->D;
    struct ohlcv_bars bars;
    a->n = (int)of->file.n, a->number = of->number;
    take_bars(x, &of->file, a, &bars);
    ohlcv_features(&bars, a->feature, a->scratch);
    returns_of(x, a);
    int least = x->history < OHLCV_HISTORY_LEAST ? x->history : OHLCV_HISTORY_LEAST;
    for (size_t d = 0; d < D && a->standard; d++)
        ohlcv_history(a->n, a->feature + x->feature[d], OHLCV_FEATURES, x->history, least, a->standard + d, D, a->scratch);
}

static void observations_free(struct observations *a)
{
    memory_free_all(a->place, a->column, a->close, a->ret, a->feature, a->scratch, a->standard);
}

static void put_rows(struct prices *x, const struct observations *a, union word *row)
{
    int64_t *count = prices_count(x, a->number);
    for (int i = 0; i < a->n; i++) {
        enum ohlcv_step s = state_of(x, a, i);
        count[s]++;
        if (s != OHLCV_KEPT && s != OHLCV_NO_RETURN) continue;
        row[WORD_KEY].whole = a->place[i] / x->o->horizon;
        row[WORD_ID].whole = a->number + 1;
        row[WORD_RETURN].real = a->ret[i];
        row[WORD_GROUP].real = SIZE_UNKNOWN;
        row[WORD_PRICE].real = a->close[i];
        for (int d = 0; d < x->D; d++) {
            row[WORDS + d].real = a->feature[(size_t)i * OHLCV_FEATURES + (size_t)x->feature[d]];
            if (a->standard) row[WORDS + x->D + d].real = (double)a->standard[(size_t)i * (size_t)x->D + (size_t)d];
        }
        builder_put(x->builder, row);
    }
    if (a->n) count[OHLCV_GAPS] = a->place[a->n - 1] - a->place[0] + 1 - (int64_t)a->n;
}

int prices_rows(struct prices *x, struct error *e)
{
    union word *row = memory_array(union word, x->builder->words, "row");
    struct observations a;
    int rc = 0;
    observations_create(&a, x);
    for (int k = 0; k * team_size(x->team) < x->A && !rc; k++) { /* an asset a rank and round */
        if (k < x->assets) {
            count_adjustments(&x->asset[k].file, prices_count(x, x->asset[k].number));
            observe(&a, x, &x->asset[k]);
            ohlcv_file_free(&x->asset[k].file);
            put_rows(x, &a, row);
        }
        rc = builder_exchange(x->builder, e);
    }
    observations_free(&a);
    memory_free(row);
    team_sum_long(x->team, (int64_t *)x->dates, (size_t)x->A * sizeof *x->dates / sizeof(int64_t));
    return rc;
}
