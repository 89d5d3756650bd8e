/* A model's weights in the results file, read a period at a time; two periods are held. */
#ifndef REPORT_WEIGHTS_H
#define REPORT_WEIGHTS_H

#include <stdbool.h>

#include "io/hdf.h"
#include "io/results_file.h"

struct weights {
    char group[512];
    int64_t *offsets; /* [P+1] */
    struct held {
        int64_t n;
        float *w;
        int64_t *ids;
    } now, before;
};

/* Whether the model has weights in f (may be NULL: none); then w is ready. weights_close in any case. */
bool weights_open(struct weights *w, struct hdf *f, const struct result_model *m, int P, struct error *e);
void weights_close(struct weights *w);
/* Period p becomes now, what was now becomes before. */
int weights_step(struct weights *w, struct hdf *f, int p, struct error *e);

#endif
