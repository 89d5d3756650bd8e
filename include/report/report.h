/* Everything that people look at: tables in the forms of papers, figures, and one page that needs nothing beside it. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "parallel/team.h"
#include "report/tables.h"

struct report_options {
    struct table_options table;
    int64_t since;     /* a second sample from this formation date on, where the results cover both sides of it; 0: none */
    int64_t attention; /* formation date of the attention heat maps of transformers; 0: none */
    int64_t attention_date; /* formation date whose attention of sequence models is shown beside its mean; 0: none */
    struct team *alone;     /* for these: a team of this process; else NULL */
};

/* FOLDER/index.html, tables/ and figures/; with several results a folder for each beside index.html, and their comparison. Figures
 * need gnuplot: without it the page says so and the rest is there. */
int report_write(int n, const struct results *r, const struct report_options *o, const char *folder, struct error *e);

#endif
