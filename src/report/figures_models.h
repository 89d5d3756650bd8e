/* Figures of what is inside models: heads, ridges, sweeps, training. */
#ifndef REPORT_FIGURES_MODELS_H
#define REPORT_FIGURES_MODELS_H

#include "date_sample.h"
#include "figure.h"

int figures_models(struct figures *f, struct sample *s, const struct tables *t, struct error *e);

/* Shared: an axis of dates, and a date for it. */
void figure_time_axis(FILE *script, const struct sample *s);
void figure_date(FILE *data, int64_t date);

#endif
