/* Real data to a panel file. A source reads one kind of data (stocks, prices, factors); whatever the source, its rows go through one
 * panel builder (src/ingest/panel_builder.h): calendar, filters, ranks, audit, file. */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/argument.h"
#include "base/error.h"
#include "panel/sample.h"
#include "parallel/team.h"

enum { INGEST_FACTORS = 32 };
struct ingest_factors {
    const char *name, *file; /* benchmarks/NAME */
    bool percent;            /* returns are in percent */
};

struct ingest_options {
    const char *output;
    /* what several sources read */
    const char *characteristics; /* "a,b,c", a file of names, "jkp" (the 153), or NULL: the source's own choice */
    const char *frequency;       /* NULL: the source's own */
    int64_t from, to;            /* formation dates YYYYMMDD; 0: open */
    size_t memory;               /* rows held per rank before the rest goes to a temporary file, bytes */
    bool any_volatility;         /* do not ask whether returns are in percent */
    /* stocks: one row a stock and month */
    const char *stocks;                                  /* NULL: none */
    const char *id_column, *date_column, *return_column; /* NULL: by their known names */
    const char *country;                                 /* where excntry is there; "all": every one */
    bool stocks_percent;                                 /* returns are in percent */
    bool all_rows;                                       /* do not apply JKP's flags */
    const char *bad_rows;                                /* "stop" or "skip" */
    struct sample_rules rules;
    size_t range_bytes; /* text read per rank and round */
    /* prices: open, high, low, close, volume, one asset a file */
    int prices;
    char **price;            /* FILE, SYMBOL=FILE, or a folder of files */
    const char *groups;      /* CSV asset,GROUP,...; NULL: none */
    double periods_per_year; /* of the panel; 0: by frequency and horizon */
    int horizon;             /* dates of the calendar from one formation date to the next: returns do not overlap */
    double risk_free;        /* a year, decimal; its share of a period is subtracted from returns */
    const char *standardise; /* "ranks" among the assets of the period, or "history": among an asset's own last values */
    int history;             /* how many of those */
    /* factors and test assets */
    int factors;
    struct ingest_factors factor[INGEST_FACTORS];
    const char *test_assets; /* a factor file, or NULL */
    bool test_assets_percent;
    bool themes; /* test assets: means of JKP's factors over the 13 themes */
};
#define INGEST_DEFAULTS                                                                                                     \
    {                                                                                                                       \
        .country = "USA", .bad_rows = "stop", .rules = {.characteristic_missing = 0.30, .row_missing = 1.0 / 3},            \
        .range_bytes = 8000000, .memory = 1024000000, .horizon = 1, .standardise = "ranks", .history = 252                  \
    }

/* Everything: reads, filters, ranks, writes the panel, reports on the terminal. The panel's bytes do not depend on the number of
 * ranks. Collective; the error is the same everywhere. */
int ingest(const struct ingest_options *o, struct team *team, struct error *e);

struct panel_builder;
struct source_class {
    const char *name, *summary; /* "stocks"; one line */
    const char *flag;           /* its first option, which names its files: without it the others are refused */
    /* Of struct ingest_options; ends with name NULL. NULL: those of the source before it with the same flag. ARGUMENT_OWN: FILE[,percent], the
     * unit into the bool at `unit`, may be said once; at `factor`, NAME=FILE[,percent]; at `price`, a file, as all arguments that are no
     * options. */
    const struct argument *options;
    bool rows; /* makes the rows of a panel, of which there is one maker */
    bool (*given)(const struct ingest_options *);
    /* Whether it reads this file, where several sources share a flag, by its first bytes; NULL: whatever the others do not. */
    bool (*probe)(const char *path);
    /* What must hold between its options: a wrong use, told before anything is read. May be NULL. */
    int (*check)(const struct ingest_options *, struct error *e);
    /* Give the builder what the files hold. Collective; the error is the same everywhere. */
    int (*read)(const struct ingest_options *, struct panel_builder *, struct error *e);
};
const struct source_class *const *source_classes(void); /* NULL-terminated, those that make rows first */

#endif
