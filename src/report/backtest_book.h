/* A backtest's series, between the simulation and its tables. */
#ifndef REPORT_BACKTEST_BOOK_H
#define REPORT_BACKTEST_BOOK_H

#include "figure.h"
#include "io/results_read.h"
#include "measure/backtest.h"
#include "report/backtest_tables.h"

/* One portfolio over rows first .. first + n - 1 of the results; arrays [n], NaN before it begins and after ruin. */
struct book_series {
    const struct result_model *model; /* NULL: equal weights */
    const char *universe;
    int begin;  /* place of its first period in the arrays; -1: not begun */
    int equal;  /* a model's equal weights: place in the book */
    int kept;   /* rebalances without weights, at which holdings were kept */
    int ruined; /* place of the period in which wealth was gone; -1: none */
    double *gross, *net, *traded;
    struct backtest held;
    struct weights w;
};
struct book {
    const struct results *r;
    int first, n, series, capacity;
    struct book_series *s;
};

/* Reads the panel once; book_free in any case. */
int book_fill(struct book *b, const struct results *r, const struct backtest_options *o, struct error *e);
void book_free(struct book *b);
/* Periods that a series has a return in: from its begin on. */
int book_periods(const struct book *b, const struct book_series *s);

/* The wealth of every universe's portfolios from a table of paths. */
int backtest_figures(struct figures *f, const struct results *r, const struct table *paths, struct error *e);

#endif
