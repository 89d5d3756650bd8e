/* aipm ingest: real data to a panel: stocks and factors, or files of prices (--ohlcv). */
#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "io/ingest.h"
#include "io/ohlcv.h"

struct arguments {
    struct ingest_options o;
    char *text[2 * INGEST_FACTORS]; /* copies of NAME=FILE taken apart */
    int texts;
    struct ohlcv_options prices;
    bool ohlcv;
    const char *frequency;
    int stocks_key, ohlcv_key; /* an option seen that only the one or the other takes; 0: none */
};

enum {
    KEY_STOCKS = 256,
    KEY_CHARACTERISTICS,
    KEY_ID,
    KEY_DATE,
    KEY_RETURN,
    KEY_COUNTRY,
    KEY_ALL_ROWS,
    KEY_FREQUENCY,
    KEY_BAD,
    KEY_FROM,
    KEY_TO,
    KEY_SHARE,
    KEY_ROW_SHARE,
    KEY_PAST,
    KEY_NANO,
    KEY_READ,
    KEY_MEMORY,
    KEY_QUIET,
    KEY_FACTORS,
    KEY_ASSETS,
    KEY_THEMES,
    KEY_VOLATILITY,
    KEY_OHLCV,
    KEY_GROUPS,
    KEY_HORIZON,
    KEY_STANDARDISE,
    KEY_HISTORY,
    KEY_PER_YEAR,
    KEY_RISK_FREE
};

static const struct argp_option options[] = {
    {.doc = "Files", .group = 1},
    {.name = "stocks",
     .key = KEY_STOCKS,
     .arg = "FILE",
     .doc = "stock-months, one row each, CSV (.gz, .zst) under JKP's column names"},
    {.name = "factors",
     .key = KEY_FACTORS,
     .arg = "NAME=FILE[,percent]",
     .doc = "monthly factor returns, decimal unless said, to benchmarks/NAME (may be repeated): wide, or JKP's "
            "name,date,ret; month m's return goes "
            "to the row of month m - 1; risk-free rates are left out; -99.99 and -999 are missing"},
    {.name = "test-assets",
     .key = KEY_ASSETS,
     .arg = "FILE[,percent]",
     .doc = "monthly returns of test assets, in the same shapes"},
    {.name = "themes", .key = KEY_THEMES, .doc = "test assets: the means over JKP's 13 themes of the factors in that file"},
    {.name = "any-volatility",
     .key = KEY_VOLATILITY,
     .doc = "take factors whose monthly volatility lies outside [0.3%, 30%]"},
    {.name = "ohlcv",
     .key = KEY_OHLCV,
     .arg = "FILE...",
     .doc = "instead of stocks: open, high, low, close, volume of one asset a file (.gz, .zst), or folders of such files: "
            "Yahoo's CSV, "
            "klines as CSV (timestamp,open,...), or the JSON answers of Bybit's v5 API; assets are named by SYMBOL=FILE, by "
            "the answer, or "
            "by the file"},
    {.name = "groups",
     .key = KEY_GROUPS,
     .arg = "FILE",
     .doc = "with --ohlcv: CSV asset,GROUP,... (asset,sector,market): group columns"},
    {.name = "output", .key = 'o', .arg = "PANEL", .doc = "the panel file to write"},
    {.doc = "Columns", .group = 2},
    {.name = "characteristics",
     .key = KEY_CHARACTERISTICS,
     .arg = "LIST|FILE",
     .doc = "of prices: some of those below, separated by commas; of stocks: names separated by commas, a file of names, or "
            "`jkp` for JKP's 153; default: those 153 in a file that has "
            "excntry, else every numeric "
            "column that is no known identifier, price, return or flag"},
    {.name = "id",
     .key = KEY_ID,
     .arg = "COLUMN",
     .doc = "identifier (default: id, permno or ticker, the first that is there)"},
    {.name = "date", .key = KEY_DATE, .arg = "COLUMN", .doc = "date (default: eom or date)"},
    {.name = "return",
     .key = KEY_RETURN,
     .arg = "COLUMN",
     .doc = "excess return over the following period, decimal (default: ret_exc_lead1m; else ret_exc of the stock's row one "
            "month later)"},
    {.name = "frequency",
     .key = KEY_FREQUENCY,
     .arg = "NAME",
     .doc = "stocks: monthly (default; a row belongs to its calendar month) or daily; --ohlcv: hourly, daily, weekly, "
            "monthly, or as "
            "5-minute, 4-hourly (default: by the median spacing of the dates)"},
    {.doc = "Prices (--ohlcv)", .group = 3},
    {.name = "horizon",
     .key = KEY_HORIZON,
     .arg = "H",
     .doc = "returns run over H dates; every H-th date is a formation date, so that they do not overlap (default 1)"},
    {.name = "standardise",
     .key = KEY_STANDARDISE,
     .arg = "ranks|history",
     .doc = "to [-0.5, 0.5]: ranks (default) among the assets of the period, or among the asset's own past, which keeps "
            "moves of the whole "
            "market"},
    {.name = "history",
     .key = KEY_HISTORY,
     .arg = "N",
     .doc = "values of that past, the present one included (default 252); an asset has a row from the 20th on"},
    {.name = "periods-per-year",
     .key = KEY_PER_YEAR,
     .arg = "N",
     .doc = "of the panel (default: 365 days or 8760 hours where weekends are traded, else 252 days of 6.5 hours; over the "
            "horizon)"},
    {.name = "risk-free",
     .key = KEY_RISK_FREE,
     .arg = "RATE",
     .doc = "a year, decimal: its share of a period is subtracted from returns (default 0)"},
    {.doc = "Sample", .group = 4},
    {.name = "country",
     .key = KEY_COUNTRY,
     .arg = "CODE",
     .doc = "where there is a column excntry: rows of this country (default USA; `all`)"},
    {.name = "all-rows",
     .key = KEY_ALL_ROWS,
     .doc = "do not ask that exch_main, primary_sec, common and obs_main be 1 where they are there"},
    {.name = "from", .key = KEY_FROM, .arg = "YYYYMMDD", .doc = "first formation date"},
    {.name = "to", .key = KEY_TO, .arg = "YYYYMMDD", .doc = "last formation date"},
    {.name = "max-missing",
     .key = KEY_SHARE,
     .arg = "SHARE",
     .doc = "drop characteristics missing in more than this share of the rows (default 0.30)"},
    {.name = "past-only",
     .key = KEY_PAST,
     .doc = "decide that at each date by the rows dated up to it; a characteristic not in use at a date is 0 there"},
    {.name = "max-row-missing",
     .key = KEY_ROW_SHARE,
     .arg = "SHARE",
     .doc = "drop rows missing more than this share of the characteristics in use (default 1/3)"},
    {.name = "keep-nano", .key = KEY_NANO, .doc = "keep stocks below the first NYSE percentile of market equity"},
    {.name = "on-bad-row",
     .key = KEY_BAD,
     .arg = "stop|skip",
     .doc = "stop (default), or skip and count, up to one row in a thousand"},
    {.doc = "Resources", .group = 5},
    {.name = "read-mb", .key = KEY_READ, .arg = "N", .doc = "text that a rank reads at a time (default 8)"},
    {.name = "memory-mb",
     .key = KEY_MEMORY,
     .arg = "N",
     .doc = "rows that a rank holds before the rest goes to a temporary file beside the panel (default 1024)"},
    {.name = "quiet", .key = KEY_QUIET, .doc = "warnings, errors and the table only"},
    {0},
};

/* A number in [low, high], or a complaint. */
static error_t number(struct argp_state *state, const char *option, const char *arg, double low, double high, double *out)
{
    char *end;
    *out = strtod(arg, &end);
    if (end == arg || *end || !(*out >= low && *out <= high))
        return arguments_fail(state, "--%s: found '%s'; needed: a number from %g to %g", option, arg, low, high);
    return 0;
}

/* FILE[,percent]: a copy without the unit in *file; whether it says percent. */
static bool take_unit(struct arguments *a, const char *text, const char **file)
{
    require(a->texts < 2 * INGEST_FACTORS);
    char *copy = a->text[a->texts++] = memory_text(text), *comma = strrchr(copy, ',');
    bool percent = comma && !strcmp(comma, ",percent"), decimal = comma && !strcmp(comma, ",decimal");
    if (percent || decimal) *comma = '\0';
    *file = copy;
    return percent;
}

static error_t factors(struct arguments *a, const char *arg, struct argp_state *state)
{
    struct ingest_options *o = &a->o;
    const char *equals = strchr(arg, '=');
    if (o->factor_files == INGEST_FACTORS) return arguments_fail(state, "--factors: found more than %d", INGEST_FACTORS);
    if (!equals || equals == arg || !equals[1])
        return arguments_fail(state, "--factors: found '%s'; needed: NAME=FILE or NAME=FILE,percent", arg);
    struct ingest_factors *f = &o->factors[o->factor_files];
    const char *whole;
    f->percent = take_unit(a, arg, &whole);
    char *cut = a->text[a->texts - 1] + (equals - arg);
    *cut = '\0';
    f->name = whole;
    f->file = cut + 1;
    for (const char *p = f->name; *p; p++)
        if (!strchr("_-.", *p) && !isalnum((unsigned char)*p))
            return arguments_fail(state, "--factors: found name '%s'; needed: letters, digits, '_', '-' and '.'", f->name);
    for (int k = 0; k < o->factor_files; k++)
        if (!strcmp(o->factors[k].name, f->name)) return arguments_fail(state, "--factors: found '%s' twice", f->name);
    o->factor_files++;
    return 0;
}

/* Options of --ohlcv alone. */
static error_t parse_prices(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    struct ohlcv_options *p = &a->prices;
    double v;
    error_t bad = 0;
    switch (key) {
    case KEY_OHLCV:
        a->ohlcv = true;
        p->input[p->inputs++] = arg;
        return 0;
    case KEY_GROUPS: p->groups = arg; return 0;
    case KEY_HORIZON:
        bad = number(state, "horizon", arg, 1, 100000, &v);
        p->horizon = (int)v;
        return bad;
    case KEY_STANDARDISE:
        p->history = !strcmp(arg, "history") ? (p->history ? p->history : 252) : 0;
        return p->history || !strcmp(arg, "ranks")
                   ? 0
                   : arguments_fail(state, "--standardise: found '%s'; needed: ranks or history", arg);
    case KEY_HISTORY:
        bad = number(state, "history", arg, 2, 1000000, &v);
        p->history = (int)v;
        return bad;
    case KEY_PER_YEAR:
        bad = number(state, "periods-per-year", arg, 1, 1000000, &v);
        p->periods_per_year = (int)v;
        return bad;
    default: return number(state, "risk-free", arg, -1, 10, &p->risk_free);
    }
}

/* What must hold between options. */
static error_t finish(struct arguments *a, struct argp_state *state)
{
    struct ingest_options *o = &a->o;
    if (!o->output) return arguments_fail(state, "needed: -o PANEL");
    if (a->ohlcv) {
        if (a->stocks_key)
            return arguments_fail(
                state,
                "--ohlcv: an option of stocks or factors is there too (--help, group Files and Sample); needed: one or "
                "the other");
        a->prices.output = o->output;
        a->prices.features = o->characteristics;
        a->prices.frequency = a->frequency;
        a->prices.from = o->from;
        a->prices.to = o->to;
        return 0;
    }
    if (a->ohlcv_key || a->prices.inputs)
        return a->prices.inputs
                   ? arguments_fail(state, "found '%s'; needed: options only (--stocks FILE, or --ohlcv FILE ...)",
                                    a->prices.input[0])
                   : arguments_fail(state, "found an option of --ohlcv without it; needed: --ohlcv FILE ...");
    o->daily = a->frequency && !strcmp(a->frequency, "daily");
    if (a->frequency && !o->daily && strcmp(a->frequency, "monthly"))
        return arguments_fail(state, "--frequency: found '%s'; needed: monthly or daily", a->frequency);
    if (!o->stocks && !o->factor_files && !o->test_assets)
        return arguments_fail(state, "needed: --stocks, --factors, --test-assets or --ohlcv");
    if (o->themes && !o->test_assets) return arguments_fail(state, "--themes: needed: --test-assets FILE, JKP's factors");
    if (o->daily && (o->factor_files || o->test_assets))
        return arguments_fail(state, "--frequency daily: factor files are monthly");
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    struct ingest_options *o = &a->o;
    double v;
    error_t bad = 0;
    bool shared = key == 'o' || key == KEY_CHARACTERISTICS || key == KEY_FREQUENCY || key == KEY_FROM || key == KEY_TO ||
                  key == KEY_QUIET;
    if (key >= KEY_OHLCV && key <= KEY_RISK_FREE) {
        a->ohlcv_key = key;
        return parse_prices(key, arg, state);
    }
    if (key >= KEY_STOCKS && key < KEY_OHLCV && !shared) a->stocks_key = key;
    switch (key) {
    case KEY_STOCKS: o->stocks = arg; return 0;
    case 'o': o->output = arg; return 0;
    case KEY_CHARACTERISTICS: o->characteristics = arg; return 0;
    case KEY_ID: o->id_column = arg; return 0;
    case KEY_DATE: o->date_column = arg; return 0;
    case KEY_RETURN: o->return_column = arg; return 0;
    case KEY_COUNTRY: o->country = arg; return 0;
    case KEY_ALL_ROWS: o->all_rows = true; return 0;
    case KEY_PAST: o->rules.past_only = true; return 0;
    case KEY_NANO: o->rules.keep_nano = true; return 0;
    case KEY_QUIET: log_set_quiet(true); return 0;
    case KEY_FREQUENCY: a->frequency = arg; return 0;
    case KEY_BAD:
        o->skip_bad = !strcmp(arg, "skip");
        return o->skip_bad || !strcmp(arg, "stop")
                   ? 0
                   : arguments_fail(state, "--on-bad-row: found '%s'; needed: stop or skip", arg);
    case KEY_FROM:
    case KEY_TO:
        bad = number(state, key == KEY_FROM ? "from" : "to", arg, 18000101, 21991231, &v);
        *(key == KEY_FROM ? &o->from : &o->to) = (int64_t)v;
        return bad;
    case KEY_SHARE: return number(state, "max-missing", arg, 0, 1, &o->rules.characteristic_missing);
    case KEY_ROW_SHARE: return number(state, "max-row-missing", arg, 0, 1, &o->rules.row_missing);
    case KEY_READ:
        bad = number(state, "read-mb", arg, 1, 512, &v);
        o->range_bytes = (size_t)(v * 1e6);
        return bad;
    case KEY_MEMORY:
        bad = number(state, "memory-mb", arg, 0, 1e9, &v);
        o->memory = (size_t)(v * 1e6);
        return bad;
    case KEY_FACTORS: return factors(a, arg, state);
    case KEY_ASSETS:
        if (o->test_assets) return arguments_fail(state, "--test-assets: found twice");
        o->test_assets_percent = take_unit(a, arg, &o->test_assets);
        return 0;
    case KEY_THEMES: o->themes = true; return 0;
    case KEY_VOLATILITY: o->any_volatility = true; return 0;
    case ARGP_KEY_ARG: a->prices.input[a->prices.inputs++] = arg; return 0;
    case ARGP_KEY_END: return finish(a, state);
    default: return ARGP_ERR_UNKNOWN;
    }
}

int command_ingest(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[--stocks FILE] [--factors NAME=FILE]... -o PANEL\n--ohlcv FILE... -o PANEL",
        .doc = "Make a panel of real data: filter the sample, rank characteristics within each "
               "period, and write it in parallel."
               "\vFilters, in order: dates and country, JKP's flags, characteristics missing "
               "too often, rows missing too many of the rest, nano stocks; then "
               "ranks in [-0.5, 0.5] among all that are left, missing values 0, and rows that "
               "no return follows are dropped. Every count is printed by year "
               "and kept in the panel's group audit/.\n\n"
               "Prices (--ohlcv): the calendar is the union of all files' dates. log_return, intraday_return, "
               "range, relative_volume (over the mean of 20), volatility (of 20 log returns), rsi (14), macd, "
               "macd_signal and macd_histogram (12, 26, 9; over close) come from the asset's own rows up to "
               "the date; an asset has a row where all of them are known and it has prices on the date, the "
               "date before and the next formation date: nothing is filled in, no return bridges a gap. "
               "Close is Adj Close where there is one. Counts by file go to the terminal and to audit/, "
               "values before standardisation to ohlcv/features and ohlcv/close."};
    struct arguments a = {.o = {.country = "USA",
                                .rules = {.characteristic_missing = 0.30, .row_missing = 1.0 / 3},
                                .range_bytes = 8000000,
                                .memory = 1024000000},
                          .prices = {.horizon = 1}};
    struct error e = {""};
    a.prices.input = memory_array(char *, argc, "price files");
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status == -1) {
        status = (a.ohlcv ? ohlcv_ingest(&a.prices, world, &e) : ingest(&a.o, world, &e)) ? EXIT_INPUT : EXIT_DONE;
        if (status && log_speaks()) error_print(&e);
    }
    for (int k = 0; k < a.texts; k++) memory_free(a.text[k]);
    memory_free(a.prices.input);
    return status;
}
