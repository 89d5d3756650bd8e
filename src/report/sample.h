/* The rows of results inside a date range, as the tables and figures of the report room see them. */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include "io/results_file.h"
#include "measure/hjd.h"
#include "report/tables.h"

struct sample {
    const struct results *r;
    const struct table_options *o;
    int first, n;                /* rows first .. first + n - 1 */
    /* workspace */
    int *index;                  /* [n] rows of the sample at which a series is there */
    double *series;              /* [n] */
    /* test assets factored for the dates of the last series asked for: most models share them */
    struct hjd hjd;
    int hjd_n, *hjd_index;
};

void sample_open(struct sample *s, const struct results *r, const struct table_options *o, int first, int n);
void sample_close(struct sample *s);

/* A series over the results' rows with `stride` doubles from row to row: s->series and s->index hold its finite part in the
 * sample. Returns its length. */
int sample_take(struct sample *s, const double *returns, int stride);
/* HJD of the series last taken (its first n entries); *scaled may be NULL. */
double sample_hjd(struct sample *s, int n, double *scaled);
int64_t sample_date(const struct sample *s, int i);      /* date of entry i of the series last taken */

/* Universes of the models, in study order: their names into out [models]; returns how many. */
int sample_universes(const struct results *r, const char **out);

#endif
