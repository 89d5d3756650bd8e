/* Stocks from a CSV file into stores by period, each rank those of its periods. */
#ifndef IO_STOCK_READER_H
#define IO_STOCK_READER_H

#include "io/ingest.h"
#include "io/names.h"
#include "io/row_store.h"
#include "io/stock_columns.h"
#include "panel/calendar.h"

/* Why a row left the sample, in the order of asking; what is left is KEPT. */
enum audit_step {
    STEP_READ,
    STEP_DATES,
    STEP_COUNTRY,
    STEP_FLAGS,
    STEP_SPARSE = STEP_FLAGS + FLAGS,
    STEP_NANO,
    STEP_NO_RETURN,
    STEP_KEPT,
    STEPS
};
enum { AUDIT_YEARS = CALENDAR_LAST_YEAR - CALENDAR_FIRST_YEAR + 1 };

/* A row on its way: 8-byte words. */
enum { WORD_ID, WORD_POSITION, WORD_RETURN, WORD_ME, WORD_GROUP, WORD_NYSE, WORD_KEY, WORDS };
union word {
    double real;
    int64_t whole;
};
struct lead {
    int64_t key, id; /* the period before, and the stock: whose next return this is */
    double ret;
};

struct stocks {
    const struct ingest_options *options;
    struct team *team;
    struct stock_columns columns;
    int words;                      /* WORDS + C */
    int first_key, keys;            /* periods are months counted from year 0, or days */
    struct row_store *rows, *leads; /* of my periods */
    struct names *names;            /* NULL: numeric identifiers */
    int64_t *audit;                 /* [AUDIT_YEARS, STEPS] */
    int64_t *missing;               /* [keys_seen, C] of my periods, through slot */
    int *slot;                      /* [keys] place in missing; 0: no row yet */
    int slots, slot_room;
    int64_t bad_rows, text_bytes;
    double seconds; /* of reading, parsing and exchanging */
};

/* Collective; on an error (the same everywhere) nothing needs to be freed but by stocks_free. */
int stocks_read(struct stocks *s, const struct ingest_options *o, struct team *team, struct error *e);
void stocks_free(struct stocks *s);
static inline int stocks_owner(const struct stocks *s, int key)
{
    return (key - s->first_key) % team_size(s->team);
}
static inline int64_t stocks_key_date(const struct stocks *s, int key)
{
    return s->options->daily ? day_date(key) : month_end(key);
}

#endif
