/* Whom a transformer's assets attend to at one date, from the parameters that a run saved and the panel it read.
 *   n assets of the universe at that date */
#ifndef REPORT_ATTENTION_LINKS_H
#define REPORT_ATTENTION_LINKS_H

#include "io/results_file.h"
#include "io/table.h"
#include "parallel/team.h"

struct attention_options {
    const char *model, *universe; /* NULL: the first transformer, any universe */
    const char *panel;            /* NULL: where the study found it */
    int64_t date;                 /* formation date */
    int block, head, seed;        /* block and head from 1, head 0: the mean over heads; seed from 0 */
    int links;                    /* strongest links kept */
    int leaders; /* of the map: this many assets that receive most, and as many that give them most; 0: no map */
};

struct attention_link {
    int from, to;
    float weight;
};

struct attention {
    char *universe, *model;
    int64_t date, fitted; /* fitted: date of the parameters, the latest not after `date` */
    int n, links;
    int64_t *ids;                               /* [n] */
    struct attention_link *link;                /* [links] strongest first, an asset's weight on itself left out */
    struct attention_link *strongest;           /* [n] of every row; to = -1: none */
    double *entropy, *self, *received;          /* [n] entropy in nats; received: column sum, itself left out */
    int leaders, followers, *leader, *follower; /* of the map, strongest first */
    float *map;                                 /* [followers, leaders] weights; NaN: an asset on itself */
};

/* `alone`: a team of this rank. attention_free on success; a->n is 0 if the model has no attention that is a softmax. */
int attention_read(const struct results *r, const struct attention_options *o, struct team *alone, struct attention *a,
                   struct error *e);
void attention_free(struct attention *a);

/* Does this model's attention follow from its parameters? */
bool attention_possible(const struct result_model *m);
/* Are parameters of this model, universe and seed saved beside the results? */
bool attention_saved(const struct results *r, const struct result_model *m, int seed);

/* "links", the strongest; "assets", leaders first: received, given, self, entropy, strongest; "map" of leaders and followers. */
struct table *attention_links(const struct attention *a);
struct table *attention_assets(const struct attention *a);
struct table *attention_map(const struct attention *a);

#endif
