/* What the sequence models of a study attended to, from the record that a run with save_attention leaves in its results.
 *   A assets   H heads recorded (1: their mean)   S seeds   n rows of the sample */
#ifndef REPORT_SEQUENCE_H
#define REPORT_SEQUENCE_H

#include "date_sample.h"
#include "figure.h"
#include "measure/attention_reading.h"

struct sequence_record {
    const struct result_model *model;
    int n, A, H, lags, sectors;  /* 0: not recorded */
    int64_t *dates;              /* [n] */
    char **asset;                /* [A] names, or ids where they have none */
    double *mean;                /* [A, A] over dates, heads and seeds */
    double *head_mean;           /* [H, A, A] over dates and seeds */
    struct attention_view all;   /* entropy, concentration: means over all matrices; strongest, share: of `mean` */
    struct attention_view *head; /* [H] the same of each head */
    struct attention_view *at;   /* [n] the same of each date */
    double *leader, *follower;   /* [A] */
    int *order;                  /* [A] by leader score, strongest first */
    double *lag;                 /* [n, lags] mean over seeds */
    double *sector;              /* [sectors, sectors] over dates and seeds; the last: unknown */
    char **sector_name;          /* [sectors] */
    int64_t date;                /* 0: none */
    double *map;                 /* [H, A, A] of that date, mean over seeds; NULL: not asked for */
};
/* Tables for pages and files, then those for files alone: every cell of the matrices. */
enum { SEQUENCE_SHOWN = 5, SEQUENCE_TABLES = 7, SEQUENCE_MODELS = 32 };
struct sequence_report {
    int n;
    struct sequence_record *record; /* [n] */
    struct table *table
        [SEQUENCE_TABLES]; /* attention, leaders, attention_heads, lag_weights, sector_attention; attention_matrix, attention_at; NULL: none */
    struct figures figures;
    int first_figure[SEQUENCE_MODELS + 1]; /* of each record */
};

/* Every model of the sample with a record; `date`: its matrices are kept (0: none). Nothing where there is none. */
int sequence_read(struct sequence_report *q, const struct sample *s, int64_t date, struct error *e);
void sequence_free(struct sequence_report *q);

void sequence_tables(struct sequence_report *q);
/* Into q->figures, whose folder is set and made. */
int sequence_figures(struct sequence_report *q, struct error *e);
/* A collapsed model in a sentence, into out [300], which is returned; NULL: it has not collapsed. */
char *sequence_warning(const struct sequence_record *c, char out[300]);

#endif
