/* Stock-months (or days) of any file format on their way to the panel builder: which columns mean what, which rows are wanted, whose next
 * return is whose. A format (stocks_csv.c) finds columns, hands over rows cell by cell, and ends. */
#ifndef INGEST_STOCKS_H
#define INGEST_STOCKS_H

#include "panel/calendar.h"
#include "panel_builder.h"

/* Flags that pick JKP's sample: a row is wanted where each that is there is 1. */
enum stock_flag { FLAG_EXCHANGE, FLAG_PRIMARY, FLAG_COMMON, FLAG_MAIN, FLAGS };

struct stock_columns {
    char **names; /* [fields]; one block */
    int fields;
    int id, date, country, me, size_group, exchange_code, flag[FLAGS]; /* -1: absent */
    int ret;   /* next period's return, or this one's where lead is set */
    bool lead; /* the return is this period's: the next row of the stock has what is needed */
    bool text_ids;
    int C;
    int *column; /* [C] of the characteristics, ascending */
};
/* c->names and fields are there; text [fields]: the column holds no numbers. Logs what was taken and what was left (speaking rank). */
int stock_columns_choose(struct stock_columns *c, const bool *text, const struct ingest_options *o, struct error *e);
/* Places of the columns that are identifier, date and return, and of those with a known meaning. */
int stock_columns_roles(struct stock_columns *c, const struct ingest_options *o, struct error *e);

/* A row as its format sees it. */
struct stock_cells {
    const void *row;
    int (*number)(const void *row, int field, double *out);     /* NaN: missing; -1: no number stands there */
    const char *(*text)(const void *row, int field, size_t *n); /* as written */
    bool doubled;                                               /* quotes inside texts are doubled */
};

/* A wrong row: where and what. */
struct bad_row {
    int64_t position;
    int field; /* from 0 */
    char text[200];
};

struct stocks {
    const struct ingest_options *options;
    struct panel_builder *builder;
    struct stock_columns columns;
    bool daily;
    /* Line of a row for messages, from where its format says it is. */
    int64_t (*line)(const char *file, int64_t position);
    struct names *names;     /* NULL: numeric identifiers */
    struct row_store *leads; /* returns of the period after, by period; NULL: rows have them */
    struct mailbox mail;     /* of those */
    struct lead *lead;       /* those of a period */
    int64_t lead_room;
    union word *row; /* [words] the row in hand */
    int64_t bad_rows;
    struct bad_row first_bad;
    int64_t text_bytes;
    double seconds; /* of reading, parsing and exchanging */
};

/* Columns are found: room for rows. The builder closes what stocks_create made. */
struct stocks *stocks_create(const struct ingest_options *o, struct panel_builder *b);
void stocks_begin(struct stocks *s);
/* A row: to the builder, or to where its step of the audit says. `wrong` was said of it already, or is zeroed. -1 and *e where a bad row
 * stops the ingest. */
int stocks_take(struct stocks *s, const struct stock_cells *cells, struct bad_row *wrong, struct error *e);
/* Says what is wrong with a row, -1. */
int stocks_wrong(struct bad_row *bad, int field, const char *text, size_t n, const char *needed);
/* Collective; the error is the same everywhere. */
int stocks_exchange(struct stocks *s, struct error *e);
int stocks_end(struct stocks *s, struct error *e);

extern const struct argument stock_options[]; /* of every format of stocks */
int stocks_check(const struct ingest_options *o, struct error *e);

#endif
