/* What the parts of the ingest of price files share: files dealt over ranks -> bars -> calendar -> features and the state of every
 * observation -> rows for the panel builder.
 *   A assets, one per file   C dates of the calendar   D features asked for; every horizon-th date is a formation date */
#ifndef INGEST_PRICES_H
#define INGEST_PRICES_H

#include "io/ohlcv_file.h"
#include "panel/calendar.h"
#include "panel/frequency.h"
#include "panel/indicators.h"
#include "panel_builder.h"

/* Where rows of a file went: every row read is in exactly one of BAD_PRICES .. KEPT; the rest are counts beside. */
enum ohlcv_step {
    OHLCV_READ,
    OHLCV_BAD_PRICES,
    OHLCV_DUPLICATE,
    OHLCV_CONFLICT,
    OHLCV_BETWEEN,
    OHLCV_OUTSIDE,
    OHLCV_WARM_UP,
    OHLCV_AFTER_GAP,
    OHLCV_NO_VOLUME,
    OHLCV_NO_RETURN,
    OHLCV_KEPT,
    OHLCV_GAPS,
    OHLCV_SPLITS,
    OHLCV_DIVIDENDS,
    OHLCV_UNSORTED,
    OHLCV_STEPS
};

extern const struct audit_step ohlcv_steps[OHLCV_STEPS];

enum { OHLCV_NAMED_CONFLICTS = 3, OHLCV_HISTORY_LEAST = 20 }; /* values an asset must have to be ranked among its own past */
/* What is kept of a file beside the counts. */
struct price_dates {
    int64_t conflict[OHLCV_NAMED_CONFLICTS]; /* the first dates with conflicting rows; 0: none */
    int64_t first, last;                     /* dates of the first and the last price; 0: none */
};

/* What all ranks know of every file. */
struct price_file {
    char *symbol, *path; /* symbol "": not given */
    char name[OHLCV_SYMBOL];
    int64_t spacing;
    int asset; /* its number among names in byte order, from 0 */
};

/* An asset of this rank. */
struct price_asset {
    int source, number;     /* in the files; among all assets */
    struct ohlcv_file file; /* empty once its rows are on their way */
};

struct prices {
    const struct ingest_options *o;
    struct panel_builder *builder;
    struct team *team;
    int history; /* values to rank among, of an asset's own; 0: ranks among the assets of a period */
    int A;
    struct price_file *file;   /* [A] in order of path */
    struct price_dates *dates; /* [A] by asset, complete on every rank once rows are on their way */
    int assets;
    struct price_asset *asset; /* [assets] of this rank, by number */
    struct frequency frequency;
    bool weekends; /* are traded */
    int C, D;
    int64_t *time;               /* [C] calendar: seconds since 1970 of days or minutes, ascending */
    int irregular;               /* steps of the calendar longer than usual */
    int feature[OHLCV_FEATURES]; /* [D] */
};

/* price_features.c: which features. */
int prices_choose(struct prices *x, struct error *e);
/* price_files.c: the list of files, their bars and names, frequency, calendar. Collective. */
int prices_load(struct prices *x, struct error *e);
/* price_features.c: rows of all assets to the builder, counts to its audit. Collective; the error is the same everywhere. */
int prices_rows(struct prices *x, struct error *e);
/* price_groups.c: group columns of the panel and labels of every asset. Collective. */
int prices_groups(struct prices *x, struct error *e);
double prices_per_year(const struct prices *x); /* periods of the panel */

/* A time of the calendar as the panel writes it: YYYYMMDD, or YYYYMMDDhhmm below a day. */
static inline int64_t prices_date(const struct prices *x, int64_t time)
{
    return x->frequency.unit == FREQUENCY_MINUTES ? instant_minute(time) : day_date(instant_of(time).day);
}
/* Counts of an asset in the audit, [OHLCV_STEPS]. */
static inline int64_t *prices_count(const struct prices *x, int asset)
{
    return x->builder->audit.count + (size_t)asset * OHLCV_STEPS;
}

#endif
