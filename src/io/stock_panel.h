/* From stocks in stores to a panel: the sample's filters, ranks, offsets, rows. */
#ifndef IO_STOCK_PANEL_H
#define IO_STOCK_PANEL_H

#include "io/panel_file.h"
#include "io/stock_reader.h"

/* The sample's shape, the same on all ranks. */
struct stock_panel {
    struct stocks *stocks;
    int raw;                  /* periods with a wanted row */
    int *raw_key;             /* [raw] ascending */
    int64_t *raw_rows, *kept; /* [raw] wanted rows; rows of the panel */
    uint8_t *use;             /* [raw, C] whether a characteristic is in use at a period */
    double *missing_share;    /* [C] over all wanted rows */
    int D;
    int *characteristic; /* [D] places in 0 .. C-1 */
    int64_t *audit;      /* [AUDIT_YEARS, STEPS] of all ranks */
    int64_t lead_duplicates;
};

/* Filter (a first pass over my periods): counts and offsets of the panel to be. Fills T, D, rows, dates, offsets, names and
 * has_size_groups of m. Collective. */
int stock_panel_plan(struct stock_panel *p, struct stocks *s, struct panel_meta *m, struct error *e);
/* The second pass: rank and write the rows of my periods. Independent. */
int stock_panel_write(struct stock_panel *p, const struct panel_meta *m, struct panel_writer *w, struct error *e);
/* The audit group and the names of assets. Collective. */
int stock_panel_write_audit(struct stock_panel *p, struct panel_writer *w, struct error *e);
void stock_panel_print_audit(const struct stock_panel *p); /* on stdout, by year */
void stock_panel_free(struct stock_panel *p);

#endif
