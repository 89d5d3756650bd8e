/* The attention of a study's transformers at one date, as heat maps of its leaders and followers. */
#ifndef REPORT_FIGURES_ATTENTION_H
#define REPORT_FIGURES_ATTENTION_H

#include "figure.h"
#include "io/results_file.h"
#include "io/table.h"
#include "parallel/team.h"

enum { ATTENTION_MAPS = 16 };

/* Every transformer with saved parameters of seed 0, first block, mean over heads: a figure, and attention-*-map, -links and -assets in
 * `tables`. The strongest links stay in links [ATTENTION_MAPS] for the page; returns how many maps. */
int attention_figures(struct figures *f, const struct results *r, int64_t date, const char *tables, struct team *alone,
                      struct table **links, struct error *e);

#endif
