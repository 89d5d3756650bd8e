/* A CSV file of stock-months shaped like JKP's country files: their column names, quoting, missing values and order (by stock,
 * then month), of any size, to test ingest with. The numbers are random; the same options give the same bytes on any number of ranks. */
#ifndef IO_JKP_CSV_H
#define IO_JKP_CSV_H

#include <stdint.h>

#include "base/error.h"
#include "parallel/team.h"

struct jkp_csv_options {
    int assets, periods; /* stocks in a month, about; months */
    int first_month;     /* panel/calendar.h */
    int columns;         /* in all, at least JKP_CSV_COLUMNS */
    uint64_t seed;
};
enum { JKP_CSV_COLUMNS = 190 };

/* Written beside its place in parallel and renamed (collective). *rows, *bytes: what was written. */
int jkp_csv_write(const char *path, const struct jkp_csv_options *o, struct team *team, int64_t *rows, int64_t *bytes,
                  struct error *e);

#endif
