/* What the parts of the ingest of price files share: files dealt over ranks -> bars -> calendar -> features and the state of every
 * observation -> rows of the panel. Private to io.
 *   A assets, one per file   C dates of the calendar   K formation dates, every horizon-th of them   D features asked for */
#ifndef IO_OHLCV_PANEL_H
#define IO_OHLCV_PANEL_H

#include "io/ohlcv.h"
#include "io/ohlcv_file.h"
#include "io/panel_file.h"
#include "panel/calendar.h"
#include "panel/frequency.h"
#include "panel/ohlcv.h"

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

enum { OHLCV_NAMED_CONFLICTS = 3 };
struct ohlcv_audit {
    int64_t count[OHLCV_STEPS];
    int64_t conflict[OHLCV_NAMED_CONFLICTS]; /* the first dates with conflicting rows; 0: none */
    int64_t first, last;                     /* dates of the first and the last price; 0: none */
};

/* What all ranks know of every file. */
struct ohlcv_source {
    char *symbol, *path; /* symbol "": not given */
    char name[OHLCV_SYMBOL];
    int64_t spacing;
    int asset; /* its number among names in byte order, from 0 */
};

/* An asset of this rank. */
struct ohlcv_asset {
    int source, number;     /* in sources; among all assets */
    struct ohlcv_file file; /* empty once features are made */
    int n;                  /* observations */
    int32_t *place;         /* [n] in the calendar */
    uint8_t *state;         /* [n] enum ohlcv_step, of OHLCV_BETWEEN .. OHLCV_KEPT */
    double *close, *ret;    /* [n] adjusted; return to the next formation date, NaN where there is no price */
    double *feature;        /* [n, D] */
    float *standard;        /* [n, D] ranks among the asset's own past, or NULL */
    int next;               /* of the observations, while rows are written */
};

struct ohlcv {
    const struct ohlcv_options *o;
    struct team *team;
    int A;
    struct ohlcv_source *source; /* [A] in order of path */
    struct ohlcv_audit *audit;   /* [A] by asset, complete on every rank */
    int assets;
    struct ohlcv_asset *asset; /* [assets] of this rank, by number */
    struct frequency frequency;
    bool weekends; /* are traded */
    int C, K, D;
    int64_t *time;                     /* [C] calendar: seconds since 1970 of days or minutes, ascending */
    int irregular;                     /* steps of the calendar longer than usual */
    int feature[OHLCV_FEATURES];       /* [D] */
    int64_t *cross, *kept;             /* [K] rows to rank; of them rows with a return */
    int32_t *label[PANEL_MOST_GROUPS]; /* [G][A] by asset */
};

/* ohlcv_features.c: which features. */
int ohlcv_choose(struct ohlcv *x, struct error *e);
/* ohlcv_load.c: the list of files, their bars and names, frequency, calendar. Collective. */
int ohlcv_load(struct ohlcv *x, struct error *e);
/* ohlcv_features.c: features, states, counts per formation date and file. Collective. */
void ohlcv_prepare(struct ohlcv *x);
/* ohlcv_groups.c: group columns of m and labels of every asset. Collective. */
int ohlcv_groups(struct ohlcv *x, struct panel_meta *m, struct error *e);
/* ohlcv_write.c: all rows (collective); datasets ohlcv/features and ohlcv/close beside the panel's own. */
int ohlcv_write_rows(struct ohlcv *x, const struct panel_meta *m, struct panel_writer *w, struct error *e);
/* ohlcv_audit.c */
void ohlcv_audit_print(const struct ohlcv *x);
int ohlcv_audit_write(const struct ohlcv *x, struct panel_writer *w, struct error *e);

/* A time of the calendar as the panel writes it: YYYYMMDD, or YYYYMMDDhhmm below a day. */
static inline int64_t ohlcv_date(const struct ohlcv *x, int64_t time)
{
    return x->frequency.unit == FREQUENCY_MINUTES ? instant_minute(time) : day_date(instant_of(time).day);
}

#endif
