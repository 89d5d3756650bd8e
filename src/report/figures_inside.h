/* Figures of what is inside models: heads, ridges, sweeps, training. */
#ifndef REPORT_FIGURES_INSIDE_H
#define REPORT_FIGURES_INSIDE_H

#include "figure.h"
#include "sample.h"

int figures_inside(struct figures *f, struct sample *s, const struct tables *t, struct error *e);

/* Shared: an axis of dates, and a date for it. */
void figure_time_axis(FILE *script, const struct sample *s);
void figure_date(FILE *data, int64_t date);

#endif
