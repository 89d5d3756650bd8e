/* A panel: periods t = 0 .. T-1, each a cross-section of n_t assets with D characteristics known at t and excess
 * returns (decimal) over t -> t+1. This room knows no files; io/panel_file.h reads and writes them.
 *   T periods   n assets in a period   D characteristics   M test assets   k factors of a benchmark */
#ifndef PANEL_PANEL_H
#define PANEL_PANEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "panel/placebo.h"

/* JKP size groups by NYSE breakpoints: nano < 1% <= micro < 20% <= small < 50% <= large < 80% <= mega. */
enum size_group { SIZE_UNKNOWN = -1, SIZE_NANO, SIZE_MICRO, SIZE_SMALL, SIZE_LARGE, SIZE_MEGA };

/* Size groups stand behind the panel's group columns where labels of assets are asked for by column. */
enum {
    PANEL_MOST_GROUPS = 4,
    PANEL_SIZE_GROUP = PANEL_MOST_GROUPS,
    PANEL_COLUMNS_OF_LABELS,
    MOST_PERIODS_PER_YEAR = 1000000
};

/* What every rank knows of a panel: everything but its rows. About 16 T + 8 T (M + benchmarks) bytes. */
struct panel_meta {
    int T, D;
    double periods_per_year; /* above 0, at most MOST_PERIODS_PER_YEAR; 50.4: five trading days a period */
    char *frequency;         /* "monthly", "daily", ... */
    int64_t rows;
    int64_t *dates;              /* [T] YYYYMMDD or YYYYMMDDhhmm, strictly increasing */
    int64_t *offsets;            /* [T+1] rows of period t are offsets[t] .. offsets[t+1]-1 */
    char **characteristic_names; /* [D] */
    bool has_size_groups;
    int G;                                 /* group columns of the rows: sector, market, ... */
    char *group_names[PANEL_MOST_GROUPS];  /* [G] */
    int labels[PANEL_MOST_GROUPS];         /* values of group g are 0 .. labels[g]-1, or -1: unknown */
    char **label_names[PANEL_MOST_GROUPS]; /* [labels[g]] */
    int assets;                            /* assets that have names; 0: ids say all there is */
    int64_t *asset_name_ids;               /* [assets] ascending */
    char **asset_names;                    /* [assets] */
    int M;                                 /* test assets; 0: the managed factors of the whole universe serve */
    char **test_asset_names;               /* [M] */
    double *test_assets;                   /* [T, M], row t is the return over t -> t+1; NaN where missing */
    double *truth;                         /* [T] return of the true conditional SDF portfolio, or NULL */
    int benchmarks;
    struct benchmark *benchmark; /* [benchmarks] */
    struct placebo placebo;      /* what rows are turned into when a period is read; set by the caller, none when loaded */
};
struct benchmark {
    char *name;
    int k;
    char **factor_names; /* [k] */
    double *returns;     /* [T, k], NaN where unavailable */
};

/* Frees what the pointers own; the struct itself is the caller's. */
void panel_meta_free(struct panel_meta *m);
const struct benchmark *panel_benchmark(const struct panel_meta *m, const char *name); /* NULL: none */
int panel_max_assets(const struct panel_meta *m);
int panel_year(const struct panel_meta *m);                    /* whole periods nearest to a year, 1 at least */
int panel_group(const struct panel_meta *m, const char *name); /* its column, -1: none */
int panel_labels(const struct panel_meta *m, int column); /* labels of a group column or of size groups; 0: no such column */
/* Name of asset id, or NULL; its place among the named assets, or -1. */
const char *panel_asset_name(const struct panel_meta *m, int64_t id);
int panel_asset_index(const struct panel_meta *m, int64_t id);

/* Rows of one period in memory. Pointers into the caller's buffers; owns nothing. */
struct rows {
    int n;
    const float *characteristics;            /* [n, D], in [-0.5, 0.5] */
    const double *returns;                   /* [n] decimal; NULL where not yet known */
    const int64_t *ids;                      /* [n], ascending */
    const int8_t *size_groups;               /* [n] enum size_group, or NULL */
    const int32_t *group[PANEL_MOST_GROUPS]; /* [G][n] label numbers of each group column, -1: unknown */
};

/* A universe is a range of size groups; nonmicro: small, large and mega. */
struct universe {
    const char *name;        /* all, micro, small, large, mega, nonmicro */
    enum size_group group;   /* the smallest of it; SIZE_UNKNOWN: every asset */
    enum size_group largest; /* the last of it */
};
const struct universe *universe_find(const char *name); /* NULL: no such universe */
const char *universe_list(void);                        /* "all, micro, small, large, mega, nonmicro" */

/* The rows of r that belong to u: their indices into index [r->n], or copies of them into arrays [r->n] of which any may be NULL: x
 * [.., D], returns, ids, labels by column, the last column of which holds size groups. Both return how many; nobody else decides who
 * belongs. */
int universe_select(const struct universe *u, const struct rows *r, int *index);
int universe_gather(const struct universe *u, const struct rows *r, int D, float *x, double *returns, int64_t *ids,
                    int32_t *const group[PANEL_COLUMNS_OF_LABELS]);

/* Excess returns that can be: all is lost and a riskless rate of up to a quarter a period comes off that; a million times the stake. */
#define PANEL_LEAST_RETURN (-1.25)
#define PANEL_MOST_RETURN  1e6

/* Checks what a panel promises of the rows of period t: ids strictly ascending, characteristics finite and in [-0.5, 0.5]
 * (to 1e-6), returns finite and possible, size groups and group labels known. On a breach fills e with the file, the panel's row, the dataset, the
 * characteristic's name, what was found and what is needed. */
int rows_check(const struct rows *r, const struct panel_meta *m, int t, const char *file, struct error *e);

#endif
