/* The source of prices: files of open, high, low, close, volume, one an asset, to characteristics made of them (panel/indicators.h). */
#include "prices.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/datasets.h"

enum { BLOCK_ROWS = 1 << 14 }; /* about as many in the periods that a rank ranks and writes at a time */

const struct audit_step ohlcv_steps[OHLCV_STEPS] = {
    {"read", "rows of the file"},
    {"bad_prices", "a price is missing or not positive, open or close is outside low and high, or volume below 0"},
    {"duplicates", "the same date and the same values again"},
    {"conflicts", "the same date with other values: the last row of the file stays"},
    {"between", "dates between formation dates (horizon)"},
    {"outside_dates", "outside --from .. --to"},
    {"warm_up", "too few earlier rows for every characteristic"},
    {"after_gap", "no price on the date before: no return of one period"},
    {"no_volume", "one of the last 20 volumes is missing, or all are 0"},
    {"no_return", "no price on the next formation date (after ranking)"},
    {"kept", "rows of the panel"},
    {"gaps", "dates of the calendar between the file's first and last without a price in it"},
    {"splits", "dates on which Adj Close / Close jumps by a fifth or more (a split or spin-off)"},
    {"dividends", "dates on which it jumps by less"},
    {"unsorted", "files whose rows were not in order of time"}};

double prices_per_year(const struct prices *x)
{
    double given = x->o->periods_per_year;
    return given > 0 ? given : frequency_per_year(x->frequency, x->weekends) / x->o->horizon;
}

/* ---- what the builder asks ------------------------------------------------------------------------------------------------------ */

static int64_t key_date(const void *prices, int key)
{
    const struct prices *x = prices;
    return prices_date(x, x->time[(int64_t)key * x->o->horizon]);
}

static char **names_in_order(const struct prices *x)
{
    char **name = memory_array(char *, x->A, "names of assets");
    for (int k = 0; k < x->A; k++) name[x->file[k].asset] = x->file[k].name;
    return name;
}

static void date_text(int64_t date, char text[16])
{
    if (date) snprintf(text, 16, "%lld", (long long)date);
    else snprintf(text, 16, "-");
}

/* NAME  FIRST  LAST in columns. */
static void label_text(char *out, size_t room, int width, const char *name, const char *first, const char *last)
{
    snprintf(out, room, "%-*s  %12s  %12s", width, escape_shown(name), first, last);
}

static void warn_of(const struct prices *x, const char *name, int asset)
{
    const int64_t *count = prices_count(x, asset);
    if (count[OHLCV_CONFLICT])
        log_warn("%s: %lld rows give other values for a date that is there twice; the last one counts (the first: %lld)",
                 name, (long long)count[OHLCV_CONFLICT], (long long)x->dates[asset].conflict[0]);
    if (count[OHLCV_KEPT] == 0) log_warn("%s: no row is left", name);
    if (2 * count[OHLCV_AFTER_GAP] > count[OHLCV_READ])
        log_warn("%s: more than half of its rows follow a date without a price: do all files have the same hours?", name);
}

static void print_audit(void *prices, struct panel_builder *b)
{
    struct prices *x = prices;
    char **name = names_in_order(x), first[16], last[16], all[OHLCV_SYMBOL + 40], head[OHLCV_SYMBOL + 40];
    char **label = memory_array(char *, x->A, "labels");
    int width = 5;
    for (int a = 0; a < x->A; a++) width = (int)strlen(name[a]) > width ? (int)strlen(name[a]) : width;
    for (int a = 0; a < x->A; a++) {
        warn_of(x, name[a], a);
        label[a] = memory_array(char, OHLCV_SYMBOL + 40, "a label");
        date_text(x->dates[a].first, first), date_text(x->dates[a].last, last);
        label_text(label[a], OHLCV_SYMBOL + 40, width, name[a], first, last);
    }
    date_text(prices_date(x, x->time[0]), first), date_text(prices_date(x, x->time[x->C - 1]), last);
    label_text(all, sizeof all, width, "all", first, last);
    label_text(head, sizeof head, width, "asset", "first", "last");
    audit_print(&b->audit, 0, x->A, head, label, all);
    for (int a = 0; a < x->A; a++) memory_free(label[a]);
    memory_free(label);
    memory_free(name);
}

static int write_audit(void *prices, struct panel_builder *b, struct hdf *f, struct error *e)
{
    const struct prices *x = prices;
    int64_t conflicts[2] = {x->A, OHLCV_NAMED_CONFLICTS},
            *conflict = memory_array(int64_t, (size_t)x->A * (OHLCV_NAMED_CONFLICTS + 2), "audit"),
            *first = conflict + (size_t)x->A * OHLCV_NAMED_CONFLICTS, *last = first + x->A;
    char **asset = names_in_order(x);
    for (int a = 0; a < x->A; a++) {
        memcpy(conflict + (size_t)a * OHLCV_NAMED_CONFLICTS, x->dates[a].conflict, sizeof x->dates[a].conflict);
        first[a] = x->dates[a].first, last[a] = x->dates[a].last;
    }
    int rc = dataset_write_texts(f, "audit/assets", x->A, asset, e);
    if (!rc) rc = audit_write(&b->audit, 0, x->A, f, e);
    if (!rc) rc = dataset_write(f, "audit/conflicting_dates", HDF_INT64, conflicts, conflict, e);
    if (!rc) rc = dataset_write(f, "audit/first", HDF_INT64, conflicts, first, e);
    if (!rc) rc = dataset_write(f, "audit/last", HDF_INT64, conflicts, last, e);
    memory_free(conflict);
    memory_free(asset);
    return rc;
}

static void destroy(void *prices)
{
    struct prices *x = prices;
    for (int k = 0; k < x->assets; k++) ohlcv_file_free(&x->asset[k].file);
    for (int k = 0; k < x->A && x->file; k++) memory_free(x->file[k].symbol), memory_free(x->file[k].path);
    memory_free_all(x->builder->from.names, x->asset, x->file, x->dates, x->time, x);
}

/* ---- the source --------------------------------------------------------------------------------------------------------------------- */

static void tell(const struct prices *x)
{
    char name[FREQUENCY_NAME];
    log_info("%d files: %s prices, weekends %s, %d dates from %lld to %lld", x->A, frequency_name(x->frequency, name),
             x->weekends ? "traded" : "not traded", x->C, (long long)prices_date(x, x->time[0]),
             (long long)prices_date(x, x->time[x->C - 1]));
    if (x->irregular)
        log_warn("%d times more than one period passes from one date to the next in all files at once; returns over them "
                 "are longer",
                 x->irregular);
    if (x->o->risk_free == 0)
        log_info("returns are simple returns of adjusted close; no risk-free rate is subtracted (--risk-free)");
}

static void begin_rows(struct prices *x)
{
    struct panel_builder *b = x->builder;
    int keys = (x->C - 1) / x->o->horizon + 1, span = BLOCK_ROWS / x->A;
    b->from = (struct row_source){.file = x->file[0].path,
                                  .source = x,
                                  .C = x->D,
                                  .names = memory_array(char *, x->D, "candidates"),
                                  .keys = keys,
                                  .span = span < 1 ? 1 : span,
                                  .dense = true,
                                  .standardised = x->history > 0,
                                  .datasets = "ohlcv",
                                  .date = key_date,
                                  .write_audit = write_audit,
                                  .print_audit = print_audit,
                                  .close = destroy};
    for (int d = 0; d < x->D; d++) b->from.names[d] = (char *)(uintptr_t)ohlcv_feature_name[x->feature[d]];
    builder_rows(b);
}

static void fill_meta(const struct prices *x, struct panel_meta *m)
{
    char name[FREQUENCY_NAME];
    struct frequency f = x->frequency;
    f.count *= x->o->horizon;
    m->frequency = memory_text(frequency_name(f, name));
    m->periods_per_year = prices_per_year(x);
    m->assets = x->A;
    m->asset_name_ids = memory_array(int64_t, x->A, "identifiers");
    m->asset_names = memory_array(char *, x->A, "names of assets");
    for (int k = 0; k < x->A; k++) {
        m->asset_name_ids[k] = k + 1;
        m->asset_names[x->file[k].asset] = memory_text(x->file[k].name);
    }
}

static int read_prices(const struct ingest_options *o, struct panel_builder *b, struct error *e)
{
    struct prices *x = memory_array(struct prices, 1, "prices");
    *x = (struct prices){.o = o, .builder = b, .team = b->team, .history = strcmp(o->standardise, "ranks") ? o->history : 0};
    b->from = (struct row_source){.source = x, .close = destroy};
    if (prices_choose(x, e) || prices_load(x, e)) return -1;
    begin_rows(x);
    tell(x);
    if (prices_rows(x, e)) return -1;
    fill_meta(x, &b->meta);
    if (builder_plan(b, e) || prices_groups(x, e)) return -1;
    builder_describe(b, "ohlcv of %d assets, horizon=%d, risk_free=%g a year, standardise=", x->A, o->horizon, o->risk_free);
    if (x->history) builder_describe(b, "history of %d", x->history);
    else builder_describe(b, "ranks");
    if (o->from || o->to) builder_describe(b, " from=%lld to=%lld", (long long)o->from, (long long)o->to);
    builder_describe(b, "; %d dates, %d formation dates", x->C, b->from.keys);
    return 0;
}

static bool given(const struct ingest_options *o)
{
    return o->prices > 0;
}

static int check(const struct ingest_options *o, struct error *e)
{
    struct frequency f;
    if (o->frequency && !frequency_parse(o->frequency, &f))
        return error_set(e, "--frequency: found '%s'; needed: hourly, daily, weekly, monthly, or as 5-minute, 4-hourly",
                         o->frequency);
    return 0;
}

#define AT(member) offsetof(struct ingest_options, member)
static const struct argument options[] = {
    {"ohlcv", "FILE...", ARGUMENT_OWN, AT(price),
     .help = "instead of stocks: open, high, low, close, volume of one asset a file (.gz, .zst), or folders of such files: "
             "Yahoo's CSV, klines as CSV (timestamp,open,...), or the JSON answers of Bybit's v5 API; assets are named by "
             "SYMBOL=FILE, by the answer, or by the file"},
    {"groups", "FILE", ARGUMENT_TEXT, AT(groups), .help = "CSV asset,GROUP,... (asset,sector,market): group columns"},
    {"horizon", "H", ARGUMENT_INT, AT(horizon),
     .help = "returns run over H dates; every H-th date is a formation date, so that they do not overlap (default 1)",
     .low = 1, .high = 100000},
    {"standardise", "ranks|history", ARGUMENT_WORD, AT(standardise),
     .help = "to [-0.5, 0.5]: ranks (default) among the assets of the period, or among the asset's own past, which keeps "
             "moves of the whole market",
     .what = "ranks|history"},
    {"history", "N", ARGUMENT_INT, AT(history),
     .help = "with --standardise history: values of that past, the present one included (default 252). An asset has a row "
             "once 20 of every characteristic are defined: macd is from its 26th bar on, macd_signal and macd_histogram "
             "from the 34th",
     .low = 2, .high = 1000000},
    {"periods-per-year", "N", ARGUMENT_REAL, AT(periods_per_year),
     .help = "of the panel (default: 365 days or 8760 hours where weekends are traded, else 252 days of 6.5 hours; over the "
             "horizon)",
     .low = 1, .high = 1000000},
    {"risk-free", "RATE", ARGUMENT_REAL, AT(risk_free),
     .help = "a year, decimal: its share of a period is subtracted from returns (default 0)", .low = -1, .high = 10},
    {0},
};

const struct source_class prices_source = {.name = "prices",
                                           .summary = "open, high, low, close, volume, one asset a file",
                                           .flag = "ohlcv",
                                           .options = options,
                                           .rows = true,
                                           .given = given,
                                           .check = check,
                                           .read = read_prices};
