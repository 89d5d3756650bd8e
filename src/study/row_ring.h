/* The rows of a window's periods in memory: a ring of periods, each read once while windows roll over it. */
#ifndef STUDY_ROW_RING_H
#define STUDY_ROW_RING_H

#include "io/panel_file.h"
#include "panel/panel.h"
#include "panel/window.h"

struct row_ring {
    const struct universe *universe;
    int slots, D, capacity;
    struct row_buffer buffer;
    int *index;
    struct ring_slot {
        int t, n;               /* t < 0: empty */
        float *characteristics; /* [capacity, D] rows of the universe */
        double *returns;
        int64_t *ids;
    } * slot;
};

/* slots: periods held; capacity: most assets of the universe in any of them. */
void ring_create(struct row_ring *r, const struct panel_meta *m, const struct universe *u, int slots, int capacity);
void ring_free(struct row_ring *r);
double ring_bytes(const struct panel_meta *m, int slots, int capacity);
/* Period t, read unless it is there. NULL with e on bad rows. */
const struct ring_slot *ring_get(struct row_ring *r, struct panel_file *f, int t, struct error *e);

#endif
