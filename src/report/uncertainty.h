/* How sure the figures are, and whether models differ. */
#ifndef REPORT_UNCERTAINTY_H
#define REPORT_UNCERTAINTY_H

#include "date_sample.h"

/* uncertainty.csv: per model Sharpe with iid, robust and bootstrap errors, HJD with a block-bootstrap interval. */
struct table *uncertainty_table(struct sample *s);
/* differences.csv: every model against every other of its universe on common dates: Sharpe and HJD, tested. */
struct table *differences_table(struct sample *s);

#endif
