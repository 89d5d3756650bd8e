/* What it would be to hold the models' portfolios, from their returns and, where the study saved them, their weights. */
#ifndef REPORT_TRADING_TABLES_H
#define REPORT_TRADING_TABLES_H

#include "date_sample.h"

/* trading.csv; every model scaled to 15% volatility a year. Weights are read from the results file, a period at a time. NULL and *e
 * if they cannot be read. */
struct table *trading_table(struct sample *s, struct error *e);
/* positions.csv: the `most` largest long and short positions of every model with weights at its last date in the sample; NULL
 * without *e where no model has any. */
struct table *positions_table(struct sample *s, int most, struct error *e);

#endif
