/* What may be said of a file of stocks, whatever its format. */
#include <string.h>

#include "stocks.h"

#define AT(member) offsetof(struct ingest_options, member)

const struct argument stock_options[] = {
    {"stocks", "FILE[,percent]", ARGUMENT_OWN, AT(stocks),
     .help = "stock-months, one row each, CSV (.gz, .zst) under JKP's column names; returns are decimal unless said",
     .unit = AT(stocks_percent)},
    {"id", "COLUMN", ARGUMENT_TEXT, AT(id_column),
     .help = "identifier (default: id, permno or ticker, the first that is there)"},
    {"date", "COLUMN", ARGUMENT_TEXT, AT(date_column), .help = "date (default: eom or date)"},
    {"return", "COLUMN", ARGUMENT_TEXT, AT(return_column),
     .help = "excess return over the following period (default: ret_exc_lead1m; else ret_exc of the stock's row one month "
             "later)"},
    {"country", "CODE", ARGUMENT_TEXT, AT(country),
     .help = "where there is a column excntry: rows of this country (default USA; `all`)"},
    {"all-rows", NULL, ARGUMENT_FLAG, AT(all_rows),
     .help = "do not ask that exch_main, primary_sec, common and obs_main be 1 where they are there"},
    {"max-missing", "SHARE", ARGUMENT_REAL, AT(rules.characteristic_missing),
     .help = "drop characteristics missing in more than this share of the rows (default 0.30)", .low = 0, .high = 1},
    {"past-only", NULL, ARGUMENT_FLAG, AT(rules.past_only),
     .help = "decide that at each date by the rows dated up to it; a characteristic not in use at a date is 0 there"},
    {"max-row-missing", "SHARE", ARGUMENT_REAL, AT(rules.row_missing),
     .help = "drop rows missing more than this share of the characteristics in use (default 1/3)", .low = 0, .high = 1},
    {"keep-nano", NULL, ARGUMENT_FLAG, AT(rules.keep_nano),
     .help = "keep stocks below the first NYSE percentile of market equity"},
    {"on-bad-row", "stop|skip", ARGUMENT_WORD, AT(bad_rows),
     .help = "stop (default), or skip and count, up to one row in a thousand", .what = "stop|skip"},
    {"read-mb", "N", ARGUMENT_MEGA, AT(range_bytes), .help = "text that a rank reads at a time (default 8)", .low = 1,
     .high = 512},
    {0},
};

int stocks_check(const struct ingest_options *o, struct error *e)
{
    const char *f = o->frequency;
    if (f && strcmp(f, "daily") && strcmp(f, "monthly"))
        return error_set(e, "--frequency: found '%s'; needed: monthly or daily", f);
    if (f && !strcmp(f, "daily") && (o->factors || o->test_assets))
        return error_set(e, "--frequency daily: factor files are monthly");
    return 0;
}
