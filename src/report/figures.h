/* The figures of a study, each where its models have what it shows. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include "date_sample.h"
#include "figure.h"

/* All of them into f (folder set, made). `t`, `uncertainty`: the long tables of the same sample. */
int figures_build(struct figures *f, struct sample *s, const struct tables *t, const struct table *uncertainty,
                  struct error *e);

#endif
