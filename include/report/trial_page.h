/* What a trial found: tables, figures, verdicts and one page, from the results of its runs (study/trial.h). */
#ifndef REPORT_TRIAL_PAGE_H
#define REPORT_TRIAL_PAGE_H

#include <stdio.h>

#include "base/error.h"
#include "study/trial.h"

/* FOLDER/index.html, tables/ and figures/ from FOLDER/runs/ and the panel, whose rows are read once more for the portfolios that need no
 * model (panel/reference.h). One rank. The verdict on every model is logged. */
int trial_write(const struct trial *t, const char *folder, struct error *e);
/* The rules by which verdicts follow from numbers, a line each, to print(out, line). */
void trial_explain(void (*print)(FILE *out, const char *line), FILE *out);

#endif
