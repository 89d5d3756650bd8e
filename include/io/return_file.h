/* Returns of a few assets from one wide CSV file (.gz and .zst too): the date in the first column, one column of decimal returns an asset.
 *   T dates, oldest first   n assets in column order */
#ifndef IO_RETURN_FILE_H
#define IO_RETURN_FILE_H

#include "base/error.h"

/* What an empty cell means. */
enum return_gaps {
    RETURNS_WHOLE, /* an error */
    RETURNS_DROP,  /* the row is left out and counted */
    RETURNS_SHORT, /* before an asset's first return: its series is that much shorter; later ones are an error */
};

enum { RETURN_DATE = 40 };
struct return_table {
    int T, n, dropped;
    char (*date)[RETURN_DATE]; /* [T] as the file writes them */
    char **name;               /* [n], one block */
    double *returns;           /* [n, T] an asset after the other */
    int *first;                /* [n] row of its first return: 0 but for RETURNS_SHORT; before it NaN */
};

/* Errors name line and column: cells that are no number, gaps, rows of another width, dates that do not ascend (ISO-like ones). */
int return_table_read(const char *path, enum return_gaps gaps, struct return_table *t, struct error *e);
void return_table_free(struct return_table *t);
int return_table_find(const struct return_table *t, const char *name); /* its column; -1: none */

#endif
