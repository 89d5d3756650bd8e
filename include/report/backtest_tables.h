/* Saved portfolios held over the panel's realised returns, rebalanced and paid for, beside equal weights of the same assets. */
#ifndef REPORT_BACKTEST_TABLES_H
#define REPORT_BACKTEST_TABLES_H

#include "io/results_file.h"
#include "io/table.h"

struct backtest_options {
    const char *panel;   /* NULL: where the study found it */
    int rebalance;       /* every that many dates of the model's, from its first on; 1 or more */
    double cost_bp;      /* of what is traded, one way */
    double gross;        /* sum of |shares| set at a rebalance; 0: the weights as they are */
    int64_t from, to;    /* formation dates, inclusive; 0: no bound */
    const char *against; /* a model that the others of its universe are compared with, too; NULL: none */
};
#define BACKTEST_DEFAULT ((struct backtest_options){.rebalance = 1, .cost_bp = 10, .gross = 1})

/* backtest: a row for every model with saved weights and one of equal weights beside them. paths: universe, model, date, gross_return,
 * net_return, traded, wealth. table_free both. An error: no weights (run with save_weights: true), a panel that is not there or not the one
 * of the study (its digest), a range without dates. */
int backtest_tables(const struct results *r, const struct backtest_options *o, struct table **backtest, struct table **paths,
                    struct error *e);
/* Whether any model has saved weights: a finished file is asked. */
bool backtest_possible(const struct results *r);

/* The two tables (paths as CSV alone) and the wealth's figure into folder and folder/figures; *backtest (table_free) for the terminal. */
int backtest_write(const struct results *r, const struct backtest_options *o, const char *folder, struct table **backtest,
                   struct error *e);

#endif
