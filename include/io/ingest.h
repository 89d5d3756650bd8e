/* Real data to a panel file: stocks from one CSV, benchmark factors and test assets from others. */
#ifndef IO_INGEST_H
#define IO_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "panel/sample.h"
#include "parallel/team.h"

enum { INGEST_FACTORS = 32 };
struct ingest_factors {
    const char *name, *file; /* benchmarks/NAME */
    bool percent;
};

struct ingest_options {
    const char *output;
    /* stocks */
    const char *stocks;          /* NULL: none */
    const char *characteristics; /* "a,b,c", a file of names, "jkp" (the 153), or NULL: by the header */
    const char *id_column, *date_column, *return_column; /* NULL: by their known names */
    const char *country;                                 /* where excntry is there; "all": every one */
    bool all_rows;                                       /* do not apply JKP's flags */
    bool daily;                                          /* dates as they are, not months */
    bool skip_bad;                                       /* --on-bad-row skip */
    int64_t from, to;                                    /* YYYYMMDD; 0: open */
    struct sample_rules rules;
    size_t range_bytes; /* text read per rank and round */
    size_t memory;      /* rows held per rank before the rest goes to a temporary file, bytes */
    /* factors and test assets */
    int factor_files;
    struct ingest_factors factors[INGEST_FACTORS];
    const char *test_assets;          /* a factor file, or NULL */
    bool test_assets_percent, themes; /* themes: means of JKP's factors over the 13 themes */
    bool any_volatility;              /* do not ask about the unit */
};

/* What a stocks file may be told apart by. */
enum { STOCK_MISSING_SHARE_OF_BAD = 1000 }; /* skipping bad rows ends where more than one row in 1000 is bad */

/* Everything: reads, filters, ranks, writes the panel, reports on the terminal. Collective; the error is the same everywhere. */
int ingest(const struct ingest_options *o, struct team *team, struct error *e);

#endif
