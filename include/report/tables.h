/* The tables of a study, from its results: the columns of FORMATS, README. */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/results_file.h"
#include "io/table.h"

struct table_options {
    int64_t from, to; /* formation dates, inclusive; 0: no bound */
    int newey_west;   /* lags of the alphas' standard errors; < 0: plain OLS */
    int bootstrap;    /* resamples behind intervals */
    bool hjd_covariance, hjd_root;
    uint64_t seed; /* of the bootstrap */
};

enum {
    TABLES_PERFORMANCE,
    TABLES_ALPHAS,
    TABLES_CORRELATIONS,
    TABLES_TANGENCY,
    TABLES_HEADS,
    TABLES_RIDGE,
    TABLES_SYMMETRY,
    TABLES_RISK,
    TABLES
};
struct tables {
    struct table *table[TABLES]; /* NULL: the study has no such model */
};

/* Refuses results without a finished row and dates outside them. tables_free on success. */
int tables_build(const struct results *r, const struct table_options *o, struct tables *t, struct error *e);
void tables_free(struct tables *t);
/* Titles (of those that are not NULL) say so where the results are a placebo's. */
void tables_qualify(const struct results *r, int n, struct table *const *t);

/* What HJD means under these options, in a few words. */
const char *hjd_form(const struct table_options *o);
/* The rows of the results that lie in [from, to]: first .. first + count - 1; -1 and *e where there are none. */
int tables_range(const struct results *r, const struct table_options *o, int *first, int *count, struct error *e);

#endif
