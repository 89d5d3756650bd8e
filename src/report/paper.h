/* The tables in the form that papers print: models across, stars for significance. Text cells; the figures to compute with are in the
 * long tables. */
#ifndef REPORT_PAPER_H
#define REPORT_PAPER_H

#include "date_sample.h"

enum { PAPER_TABLES = 8 };
/* From the long tables of the same sample, into out [PAPER_TABLES]; `suffix` ("", "-since-2003") ends their names. Returns how many. */
int paper_tables(const struct sample *s, const struct tables *t, const char *suffix, struct table **out);

#endif
