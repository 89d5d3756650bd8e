/* Which columns of a stocks file mean what, from its header and its first rows. */
#ifndef IO_STOCK_COLUMNS_H
#define IO_STOCK_COLUMNS_H

#include "io/ingest.h"

/* Flags that pick JKP's sample: a row is wanted where each that is there is 1. */
enum stock_flag { FLAG_EXCHANGE, FLAG_PRIMARY, FLAG_COMMON, FLAG_MAIN, FLAGS };

struct stock_columns {
    char **names; /* [fields] of the header; one block */
    int fields;
    int id, date, country, me, size_group, exchange_code, flag[FLAGS]; /* -1: absent */
    int ret;   /* next period's return, or this one's where lead is set */
    bool lead; /* the return is this period's: the next row of the stock has what is needed */
    bool text_ids;
    int C;
    int *column;       /* [C] of the characteristics, ascending */
    int64_t first_row; /* byte at which the rows start */
};

/* sample [n]: the start of the text, whole file if complete. Logs what was taken and what was left (speaking rank). */
int stock_columns_find(struct stock_columns *s, const char *file, const char *sample, size_t n, bool complete,
                       const struct ingest_options *o, struct error *e);
void stock_columns_free(struct stock_columns *s);

#endif
