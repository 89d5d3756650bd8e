/* Files of open, high, low, close, volume, one per asset, to a panel of characteristics made of them (panel/ohlcv.h). */
#ifndef IO_OHLCV_H
#define IO_OHLCV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "parallel/team.h"

enum { OHLCV_HISTORY_LEAST = 20 }; /* values an asset must have to be ranked among its own past */

struct ohlcv_options {
    const char *output;
    int inputs;
    char **input;          /* FILE, SYMBOL=FILE, or a folder of files */
    const char *groups;    /* CSV asset,GROUP,...; NULL: none */
    const char *features;  /* "a,b"; NULL: all */
    const char *frequency; /* NULL: by the spacing of the dates */
    int periods_per_year;  /* of the panel; 0: by frequency and horizon */
    int horizon;           /* dates of the calendar from one formation date to the next: returns do not overlap */
    double risk_free;      /* a year, decimal; its share of a period is subtracted from returns */
    int history;      /* > 0: standardise by ranks among an asset's own last values; 0: among the assets of the period */
    int64_t from, to; /* formation dates YYYYMMDD; 0: open */
};

/* Everything: reads, aligns, writes the panel, reports on the terminal. The panel's bytes depend on the files' contents and names
 * only. Collective; the error is the same everywhere. */
int ohlcv_ingest(const struct ohlcv_options *o, struct team *team, struct error *e);

#endif
