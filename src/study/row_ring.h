/* The rows of a window's periods in memory: a ring of periods, each read once while windows roll over it. */
#ifndef STUDY_ROW_RING_H
#define STUDY_ROW_RING_H

#include "io/panel_file.h"
#include "panel/panel.h"
#include "panel/window.h"

struct row_ring {
    const struct universe *universe;
    int slots, D, capacity;
    int lookback; /* steps of a history, 0: none are wanted */
    bool groups;  /* labels are wanted */
    struct row_buffer buffer;
    struct ring_slot {
        int t, n;               /* t < 0: empty */
        float *characteristics; /* [capacity, D] rows of the universe */
        double *returns;
        int64_t *ids;
        int32_t *group[PANEL_COLUMNS_OF_LABELS]; /* [capacity] of the columns that there are */
        struct history history;                  /* views into this slot and those before it ... */
        const float **past;                      /* [lookback] */
        int32_t *row;                            /* [capacity, lookback] */
        bool filled;                             /* ... filled in */
    } * slot;
};

/* window: periods seen at once; lookback: steps of a history before and with each of them, 0: none; groups: whether labels are wanted;
 * capacity: most assets of the universe in any of them. */
void ring_create(struct row_ring *r, const struct panel_meta *m, const struct universe *u, int window, int lookback,
                 bool groups, int capacity);
void ring_free(struct row_ring *r);
double ring_bytes(const struct panel_meta *m, int window, int lookback, bool groups, int capacity);
/* Period t, read unless it is there. NULL with e on bad rows. */
const struct ring_slot *ring_get(struct row_ring *r, struct panel_file *f, int t, struct error *e);
/* The same with its history: the periods t - lookback + 1 .. t, as far as the panel goes back. Valid while they are in the ring: as
 * long as no period from t - lookback + 1 + slots on is asked for. */
const struct ring_slot *ring_get_history(struct row_ring *r, struct panel_file *f, int t, struct error *e);

#endif
