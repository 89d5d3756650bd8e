#include "row_ring.h"

#include <string.h>

#include "base/memory.h"

void ring_create(struct row_ring *r, const struct panel_meta *m, const struct universe *u, int slots, int capacity)
{
    *r = (struct row_ring){.universe = u, .slots = slots, .D = m->D, .capacity = capacity};
    row_buffer_create(&r->buffer, m, panel_max_assets(m));
    r->index = memory_array(int, panel_max_assets(m), "rows of a universe");
    r->slot = memory_array(struct ring_slot, slots, "rows of a window");
    for (int i = 0; i < slots; i++) {
        r->slot[i].t = -1;
        r->slot[i].characteristics = memory_array(float, (size_t)capacity *(size_t)m->D, "rows of a window");
        r->slot[i].returns = memory_array(double, capacity, "rows of a window");
        r->slot[i].ids = memory_array(int64_t, capacity, "rows of a window");
    }
}

void ring_free(struct row_ring *r)
{
    if (!r->slot) return;
    for (int i = 0; i < r->slots; i++) {
        memory_free(r->slot[i].characteristics);
        memory_free(r->slot[i].returns);
        memory_free(r->slot[i].ids);
    }
    row_buffer_free(&r->buffer);
    memory_free(r->index);
    memory_free(r->slot);
    *r = (struct row_ring){0};
}

double ring_bytes(const struct panel_meta *m, int slots, int capacity)
{
    return (double)slots * capacity * (4. * m->D + 16) + (double)row_buffer_bytes(m, panel_max_assets(m)) +
           4. * panel_max_assets(m);
}

const struct ring_slot *ring_get(struct row_ring *r, struct panel_file *f, int t, struct error *e)
{
    struct ring_slot *s = &r->slot[t % r->slots];
    struct rows rows;
    if (s->t == t) return s;
    s->t = -1;
    if (panel_read_period(f, t, &r->buffer, &rows, e)) return NULL;
    s->n = universe_select(r->universe, &rows, r->index);
    require(s->n <= r->capacity);
    for (int i = 0; i < s->n; i++) {
        int from = r->index[i];
        memcpy(s->characteristics + (size_t)i * (size_t)r->D, rows.characteristics + (size_t)from * (size_t)r->D,
               sizeof(float) * (size_t)r->D);
        s->returns[i] = rows.returns[from];
        s->ids[i] = rows.ids[from];
    }
    s->t = t;
    return s;
}
