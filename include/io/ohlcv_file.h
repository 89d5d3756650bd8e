/* One file of open, high, low, close, volume, as the places that publish prices write it, to bars in order of time:
 *   Yahoo's CSV      Date (or Datetime),Open,High,Low,Close,Adj Close,Volume
 *   kline CSV        timestamp,open,high,low,close,volume[,turnover,...]; ms (or s, or us) since 1970
 *   Bybit v5 JSON    the answers of /v5/market/kline as they come, one after the other, newest bar first
 * told apart by content; plain, .gz or .zst. */
#ifndef IO_OHLCV_FILE_H
#define IO_OHLCV_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ohlcv_bar {
    int64_t time;  /* seconds since 1970 UTC; where the caller has settled the frequency: of the date's day or minute */
    int32_t day;   /* of the calendar (panel/calendar.h), as written in the file */
    uint32_t line; /* of the file, or the number of the bar in JSON: later ones are later words */
    double open, high, low, close, adjusted, volume; /* as written; adjusted: Adj Close, or close; volume NaN: missing */
};

enum { OHLCV_SYMBOL = 256 };
struct ohlcv_file {
    char symbol[OHLCV_SYMBOL]; /* that the file itself states (JSON), or "" */
    bool newest_first;         /* by its nature (JSON) */
    bool unsorted;             /* rows were not in the order that is natural to the file */
    int64_t read,
        bad_prices; /* rows of the file; left out: a price missing or not positive, high below low, volume below 0 */
    int64_t n;
    struct ohlcv_bar *bar; /* [n] in order of time; bars of one time in the order of the file */
};

/* Errors name file, line and field, what was found and what is needed. Each rank its own files. */
int ohlcv_file_read(const char *path, struct ohlcv_file *f, struct error *e);
void ohlcv_file_free(struct ohlcv_file *f);
/* Again in order of time after the times were changed. */
void ohlcv_file_sort(struct ohlcv_file *f);
/* Median seconds between one time and the next that differs; 0: fewer than two times. */
int64_t ohlcv_file_spacing(const struct ohlcv_file *f);

#endif
