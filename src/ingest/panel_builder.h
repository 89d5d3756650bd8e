/* What every source shares on the way to a panel file: rows of any rank go to the owner of their period and into its store; then come
 * the calendar, the filters of the sample, ranks within each period, the audit and the file.
 *   C candidate characteristics   D those of the panel   keys: periods as the source counts them (months, days, formation dates)
 * Periods are dealt over ranks in blocks of `span` consecutive ones, so that a rank reads, ranks and writes whole periods. */
#ifndef INGEST_PANEL_BUILDER_H
#define INGEST_PANEL_BUILDER_H

#include "audit.h"
#include "ingest/ingest.h"
#include "io/panel_file.h"
#include "mailbox.h"
#include "names.h"
#include "row_store.h"

/* A row on its way: 8-byte words, this head, then C values (NaN: missing), then, of a standardised source, C more that are to be stored
 * as they are. */
union word {
    double real;
    int64_t whole;
};
enum { WORD_KEY, WORD_ID, WORD_RETURN, WORD_POSITION, WORD_ME, WORD_GROUP, WORD_NYSE, WORD_PRICE, WORDS };

/* The rows of a block in order of period and identifier. */
struct section {
    int n, room, words;
    union word *word; /* [room, words] as they came */
    struct ordered {
        int64_t key, id;
        int row;
    } * order;       /* [room] */
    double *ret;     /* [room] in order; NaN: no return follows */
    int8_t *size;    /* [room] in order: enum size_group */
    double *scratch; /* [room] */
    int *survivor;   /* [room] of a period: places in order of the rows that stay */
};
static inline const union word *section_row(const struct section *x, int place)
{
    return x->word + (size_t)x->order[place].row * (size_t)x->words;
}

/* What the source of the rows says of them; set before builder_rows. */
struct row_source {
    const char *file; /* for messages */
    void *source;     /* handed to the functions */
    int C;
    char **names; /* [C] */
    int first_key, keys, span;
    bool dense;        /* every key between the first and the last should have rows; days without trading should not */
    bool filtered;     /* the sample's rules apply: missing values, nano stocks */
    bool standardised; /* see above */
    bool size_groups;
    struct names *hashed; /* identifiers are hashes of these names; NULL: they are what they are */
    const char
        *datasets; /* also store values and prices: DATASETS/features [rows, D] float32, DATASETS/close [rows]; NULL: no */
    int steps[4];  /* of the audit, where the rules apply: too many missing, nano, no return, kept */
    int64_t (*date)(const void *source, int key);
    /* The rows at places from .. to-1 are those of one period: may fill returns and size groups, refuse duplicates. May be NULL. */
    int (*complete)(void *source, struct section *x, int from, int to, struct error *e);
    /* The unit of the audit that a period belongs to. */
    int (*unit)(const void *source, int64_t date);
    int (*write_audit)(void *source, struct panel_builder *, struct hdf *f, struct error *e);
    void (*print_audit)(void *source, struct panel_builder *);
    void (*close)(void *source);
};

struct panel_builder {
    const struct ingest_options *options;
    struct team *team;
    struct panel_meta
        meta; /* of the panel to be: sources add names, labels, test assets, benchmarks; the builder fills the rest */
    char description[2400]; /* how it was made */
    struct audit audit;
    struct row_source from;            /* source NULL: no rows */
    int32_t *label[PANEL_MOST_GROUPS]; /* [G][ids] label of identifier id at id - 1 */
    /* the builder's own */
    int words;
    struct row_store *store; /* by block */
    struct mailbox mail;     /* rows of other ranks' periods */
    struct error failed;     /* storing a row of my own; the next exchange says it */
    int64_t *count;          /* [keys] rows of my periods, then of all */
    int64_t *kept;           /* [keys] those with a return, then rows of the panel */
    int64_t *missing;        /* [slots, C] missing values of my periods, through slot */
    int *slot, slots;        /* slot [keys]: place in missing; 0: no row yet */
    int periods, *period;    /* keys with rows, ascending */
    int64_t *row;            /* [periods] where its rows begin in the panel */
    uint8_t *use;            /* [periods, C] whether a characteristic is in use */
    double *missing_share;   /* [C] over all rows */
    int *characteristic;     /* [D] places in 0 .. C-1 */
    double returns[3];       /* how many, their sum and the sum of their squares: for the unit */
};

void builder_open(struct panel_builder *b, const struct ingest_options *o, struct team *team);
void builder_close(struct panel_builder *b);

/* b->from and the audit are filled in: room for rows. */
void builder_rows(struct panel_builder *b);
static inline int builder_owner(const struct panel_builder *b, int key)
{
    return (key - b->from.first_key) / b->from.span % team_size(b->team);
}
/* A row [b->words] into the store, or into the mail for the rank that owns its period; its key lies within the source's. */
void builder_put(struct panel_builder *b, const union word *row);
/* Hand the mail over. Collective; the error is the same everywhere. */
int builder_exchange(struct panel_builder *b, struct error *e);

/* After the last row: which characteristics, which rows, the panel's dates. Collective; the error is the same everywhere. */
int builder_plan(struct panel_builder *b, struct error *e);
/* The file. Collective; the error is the same everywhere. */
int builder_write(struct panel_builder *b, struct error *e);

/* More to the description. */
void builder_describe(struct panel_builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A unit is wrong where returns vary by less than 0.3% or more than `most` a month: asks whether `what` of `file` is in percent, which
 * `say` would tell. */
int unit_check(double volatility, double most, const char *file, const char *what, bool percent, const char *say,
               struct error *e);

#endif
