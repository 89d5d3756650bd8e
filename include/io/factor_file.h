/* Monthly factor returns from CSV files in the shapes that their authors publish: wide (a column per factor) with dates as
 * date, eom, year and month, or in a first column of any name; JKP's long form (name, date, ret); Kenneth French's files with
 * text before and further sections after the monthly table. -99.99 and -999 are missing; risk-free rates are left out. */
#ifndef IO_FACTOR_FILE_H
#define IO_FACTOR_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "parallel/team.h"

struct factor_table {
    int first, months; /* the months (panel/calendar.h) first .. first + months - 1 in which the returns are earned */
    int k;
    char **names;    /* [k], one block */
    double *returns; /* [months, k] decimal, NaN where missing */
};

/* Parse text [n], followed by CSV_SLACK readable bytes; `file` is for messages. */
int factor_table_parse(const char *file, const char *text, size_t n, bool percent, struct factor_table *f, struct error *e);
/* Read by rank 0, the same on every rank (collective). */
int factor_table_read(const char *file, bool percent, struct team *team, struct factor_table *f, struct error *e);
void factor_table_free(struct factor_table *f);

/* Is the unit right? A factor whose monthly volatility lies outside [0.3%, 30%] is an error that asks; `flag` is what the user
 * would change, e.g. "FF6=FILE". */
int factor_table_check_unit(const struct factor_table *f, const char *file, const char *flag, bool percent, struct error *e);

/* The table with its factors replaced by the means of JKP's factors over the 13 themes (of those there in a month). */
int factor_table_themes(struct factor_table *f, const char *file, struct error *e);

#endif
