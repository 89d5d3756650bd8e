/* The rows of results inside a date range, as the tables and figures of the report room see them. */
#ifndef REPORT_DATE_SAMPLE_H
#define REPORT_DATE_SAMPLE_H

#include "io/results_file.h"
#include "measure/hjd.h"
#include "measure/measures.h"
#include "report/tables.h"

struct sample {
    const struct results *r;
    const struct table_options *o;
    int first, n; /* rows first .. first + n - 1 */
    /* workspace */
    int *index;     /* [n] rows of the sample at which a series is there */
    double *series; /* [n] */
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
/* The same series as measures see it, with the test assets on its dates, and what they make of it: the columns of a set, and a row's
 * values in them. */
struct measure_sample sample_measured(struct sample *s, int n);
void measure_columns(struct table *t, enum measure_set set);
void measure_values(struct table *t, enum measure_set set, struct measure_sample m);
int64_t sample_date(const struct sample *s, int i); /* date of entry i of the series last taken */

/* The common dates of k series (rows of the results) in the sample, gathered as [k, n] into out; s->index holds the dates' places
 * counted from s->first. Returns n. */
int sample_common(struct sample *s, int k, const double *const *series, double *out);
/* Models of a universe with at least one return in the sample: their places into out [models]; returns how many. */
int sample_members(struct sample *s, const char *universe, int *out);
/* The selected ridge's place in the grid at row p of the results; -1: none. */
int sample_selected(const struct result_model *m, int p);

/* Columns `universe`, `model`, and a new row that begins with them. */
void table_key_columns(struct table *t);
void table_key(struct table *t, const char *universe, const char *model);

/* Universes of the models, in study order: their names into out [models]; returns how many. */
int sample_universes(const struct results *r, const char **out);

#endif
