/* What results keep in their file, read a period at a time: fields too large to be held (attention), and saved portfolios. */
#ifndef IO_RESULTS_READ_H
#define IO_RESULTS_READ_H

#include "io/results_file.h"

struct results_reader;
/* r stays the caller's, and there. A run under way has what is in memory, and no weights. */
struct results_reader *results_reader_open(const struct results *r, struct error *e);
int results_reader_close(struct results_reader *f, struct error *e);
/* Row p of field x of model m into out [result_field_row(x)]. */
int results_row(struct results_reader *f, const struct result_model *m, const struct result_field *x, int p, double *out,
                struct error *e);

/* Whether `count` rows of a field from row `first` on are returns that can be reckoned with: none is infinite or beyond any return, so that
 * its fourth power overflows. Fields that are no returns pass. */
#define RESULTS_LARGEST_RETURN 1e50
int returns_check(const struct results *r, const struct result_model *m, const struct result_field *x, int first, int count,
                  const double *values, struct error *e);

/* A model's saved weights; two periods are held. */
struct weights {
    char group[700];  /* for messages */
    int64_t *offsets; /* [P+1] */
    struct held {
        int64_t n;
        float *w;
        int64_t *ids;
    } now, before;
};
/* Whether the model has weights (reader NULL: none); then w is ready. weights_close in any case. */
bool weights_open(struct weights *w, struct results_reader *f, const struct result_model *m, struct error *e);
void weights_close(struct weights *w);
/* Period p becomes now, what was now becomes before. */
int weights_step(struct weights *w, struct results_reader *f, int p, struct error *e);

#endif
