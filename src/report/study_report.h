/* One study's part of a report: its tables and figures, and its section of the page. */
#ifndef REPORT_STUDY_REPORT_H
#define REPORT_STUDY_REPORT_H

#include <stdio.h>

#include "figure.h"
#include "figures_attention.h"
#include "paper.h"
#include "report/report.h"
#include "sequence.h"

struct study_report {
    const struct results *r;
    char label[128];             /* the results file's name without folder and suffix */
    struct tables tables, later; /* later: the second sample */
    bool has_later;
    struct table *uncertainty, *differences, *trading, *positions;
    struct table *backtest; /* NULL: no weights, or the panel is not there */
    struct table *paper[2 * PAPER_TABLES];
    int papers;
    struct figures figures;
    struct table *links[ATTENTION_MAPS]; /* strongest, per map of attention */
    int maps;
    struct sequence_report sequence;
};

int study_report_build(struct study_report *s, const struct results *r, const struct report_options *o, const char *label,
                       const char *folder, struct error *e);
void study_report_free(struct study_report *s);

/* The page: begin, a section per study, end. `differences` etc. as people read them are table cells, the same text as everywhere. */
void page_begin(FILE *out, const char *title);
void page_study(FILE *out, const struct study_report *s, const struct report_options *o, bool alone);
void page_table(FILE *out, const struct table *t, bool folded);
void page_figure(FILE *out, const struct figures *f, const struct figure *g);
void page_end(FILE *out, const char *program);

#endif
