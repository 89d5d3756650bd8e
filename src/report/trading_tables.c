/* Tables of what it would be to hold the portfolios: drawdowns, turnover, returns net of several costs, the largest
 * positions. */
#include "trading_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "io/results_read.h"
#include "measure/series.h"
#include "measure/trading.h"

static const int COSTS[] = {10, 25, 50}; /* basis points of what is traded, one way */
enum { LEVELS = sizeof COSTS / sizeof *COSTS };

struct holding {
    double gross, net, turnover, largest; /* means over periods; largest: of any |weight| */
    double *traded;                       /* [n] of each period in s->index */
};

static int measure_weights(struct sample *s, struct weights *w, struct results_reader *f, int n, struct holding *h,
                           struct error *e)
{
    for (int i = 0; i < n; i++) {
        double gross = 0, net = 0;
        if (weights_step(w, f, s->index[i], e)) return -1;
        for (int64_t a = 0; a < w->now.n; a++) {
            double x = w->now.w[a];
            gross += fabs(x), net += x;
            h->largest = fmax(h->largest, fabs(x));
        }
        h->traded[i] = turnover_between(w->before.n, w->before.ids, w->before.w, w->now.n, w->now.ids, w->now.w);
        h->gross += gross / n, h->net += net / n;
        if (i) h->turnover += h->traded[i] / (n - 1);
    }
    return 0;
}

static const char *net_column(int level, char out[48])
{
    snprintf(out, 48, "sharpe_net_%dbp", COSTS[level]);
    return out;
}

static void put_weights(struct sample *s, struct table *t, int n, double scale, const struct holding *h)
{
    double *net = memory_array(double, n, "net returns"), mean = series_mean(n, s->series);
    char name[48];
    table_set(t, "leverage", scale * h->gross);
    table_set(t, "net_exposure", scale * h->net);
    table_set(t, "turnover", scale * h->turnover);
    table_set(t, "largest_position_percent", 100 * scale * h->largest);
    for (int c = 0; c < LEVELS; c++) {
        for (int i = 0; i < n; i++) net[i] = s->series[i] - COSTS[c] * 1e-4 * h->traded[i];
        table_set(t, net_column(c, name), sharpe_ratio(n, net, s->r->periods_per_year));
    }
    double total = series_mean(n, h->traded);
    table_set(t, "break_even_bp", total > 0 ? 1e4 * mean / total : NAN);
    memory_free(net);
}

struct table *trading_table(struct sample *s, struct error *e)
{
    struct table *t = table_create("trading", "Trading reality");
    table_key_columns(t);
    measure_columns(t, MEASURES_TRADING);
    table_columns(t, {"leverage", NULL, TABLE_REAL, 1}, {"net_exposure", NULL, TABLE_REAL, 2},
                  {"turnover", "turnover a period", TABLE_REAL, 2},
                  {"largest_position_percent", "largest position %", TABLE_REAL, 1});
    for (int c = 0; c < LEVELS; c++) {
        char name[48], title[48];
        snprintf(title, sizeof title, "Sharpe net of %d bp", COSTS[c]);
        table_column(t, net_column(c, name), title, TABLE_REAL, 2);
    }
    table_column(t, "break_even_bp", "break-even cost, bp", TABLE_REAL, 0);
    struct results_reader *f = results_reader_open(s->r, e);
    int with_weights = 0;
    double *scaled = memory_array(double, s->n, "scaled returns");
    struct holding h = {.traded = memory_array(double, s->n, "traded")};
    for (int i = 0; i < s->r->models && !error_is_set(e); i++) {
        const struct result_model *m = &s->r->model[i];
        struct weights w;
        int n = sample_take(s, m->returns, 1);
        double scale = volatility_scale(n, s->series, s->r->periods_per_year);
        for (int p = 0; p < n; p++) scaled[p] = scale * s->series[p];
        table_key(t, m->universe, m->name);
        struct measure_sample measured = sample_measured(s, n);
        measured.scaled = scaled;
        measure_values(t, MEASURES_TRADING, measured);
        h = (struct holding){.traded = h.traded};
        if (weights_open(&w, f, m, e) && n > 1 && !measure_weights(s, &w, f, n, &h, e))
            put_weights(s, t, n, scale, &h), with_weights++;
        weights_close(&w);
    }
    memory_free(scaled);
    memory_free(h.traded);
    results_reader_close(f, e);
    table_note(t, "Every series scaled by one constant to 15%% volatility a year over the sample. Drawdown: of the "
                  "cumulated sum of returns.");
    if (with_weights)
        table_note(t, "Leverage: sum of |weights|. Turnover: sum of |changes| from the weights of the period before, their "
                      "drift left out; costs are "
                      "proportional to it, one way, the first purchase included.");
    else
        table_note(t, "No weights in the results: run the study with save_weights: true for leverage, turnover and returns "
                      "net of costs.");
    if (!error_is_set(e)) return t;
    table_free(t);
    return NULL;
}

struct position {
    double weight;
    int64_t id;
};
static int by_weight(const void *a, const void *b)
{
    const struct position *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight) : (x->id > y->id) - (x->id < y->id);
}

struct table *positions_table(struct sample *s, int most, struct error *e)
{
    struct table *t = table_create("positions", "Largest positions at the last date");
    table_key_columns(t);
    table_columns(t, {"date", NULL, TABLE_DATE, 0}, {"asset", NULL, TABLE_COUNT, 0},
                  {"weight_percent", "weight %", TABLE_REAL, 2});
    struct results_reader *f = results_reader_open(s->r, e);
    for (int i = 0; i < s->r->models && f && !error_is_set(e); i++) {
        const struct result_model *m = &s->r->model[i];
        struct weights w;
        int n = sample_take(s, m->returns, 1);
        double scale = volatility_scale(n, s->series, s->r->periods_per_year);
        if (weights_open(&w, f, m, e) && n > 1 && !weights_step(&w, f, s->index[n - 1], e)) {
            struct position *p = memory_array(struct position, w.now.n, "positions");
            for (int64_t a = 0; a < w.now.n; a++) p[a] = (struct position){w.now.w[a], w.now.ids[a]};
            qsort(p, (size_t)w.now.n, sizeof *p, by_weight);
            for (int64_t a = 0; a < w.now.n; a++) {
                if (a >= most && a < w.now.n - most) continue;
                table_key(t, m->universe, m->name);
                table_set(t, "date", (double)sample_date(s, n - 1));
                table_set(t, "asset", (double)p[a].id);
                table_set(t, "weight_percent", 100 * scale * p[a].weight);
            }
            memory_free(p);
        }
        weights_close(&w);
    }
    results_reader_close(f, e);
    table_note(t, "At 15%% volatility a year; the %d largest long and short positions of each model.", most);
    if (t->rows && !error_is_set(e)) return t;
    table_free(t);
    return NULL;
}
