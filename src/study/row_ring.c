/* The ring of periods behind windows over rows, and the histories of their assets. */
#include "row_ring.h"

#include "base/memory.h"

void ring_create(struct row_ring *r, const struct panel_meta *m, const struct universe *u, int window, int lookback,
                 bool groups, int capacity)
{
    *r = (struct row_ring){.universe = u,
                           .slots = window + (lookback ? lookback - 1 : 0),
                           .D = m->D,
                           .capacity = capacity,
                           .lookback = lookback,
                           .groups = groups};
    row_buffer_create(&r->buffer, m, panel_max_assets(m));
    r->slot = memory_array(struct ring_slot, r->slots, "rows of a window");
    for (int i = 0; i < r->slots; i++) {
        struct ring_slot *s = &r->slot[i];
        s->t = -1;
        s->characteristics = memory_array(float, (size_t)capacity *(size_t)m->D, "rows of a window");
        s->returns = memory_array(double, capacity, "rows of a window");
        s->ids = memory_array(int64_t, capacity, "rows of a window");
        for (int g = 0; groups && g < PANEL_COLUMNS_OF_LABELS; g++)
            if (panel_labels(m, g)) s->group[g] = memory_array(int32_t, capacity, "groups of a window");
        s->past = memory_array(const float *, lookback, "history of a window");
        s->row = memory_array(int32_t, (size_t)capacity * (size_t)lookback, "history of a window");
    }
}

void ring_free(struct row_ring *r)
{
    if (!r->slot) return;
    for (int i = 0; i < r->slots; i++) {
        struct ring_slot *s = &r->slot[i];
        void *const all[] = {s->characteristics, s->returns, s->ids, s->past, s->row};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) memory_free(all[k]);
        for (int g = 0; g < PANEL_COLUMNS_OF_LABELS; g++) memory_free(s->group[g]);
    }
    row_buffer_free(&r->buffer);
    memory_free(r->slot);
    *r = (struct row_ring){0};
}

double ring_bytes(const struct panel_meta *m, int window, int lookback, bool groups, int capacity)
{
    double slots = window + (lookback ? lookback - 1 : 0), row = 4. * m->D + 16 + 4. * lookback;
    for (int g = 0; groups && g < PANEL_COLUMNS_OF_LABELS; g++) row += panel_labels(m, g) ? 4 : 0;
    return slots * (capacity * row + 8. * lookback) + (double)row_buffer_bytes(m, panel_max_assets(m));
}

const struct ring_slot *ring_get(struct row_ring *r, struct panel_file *f, int t, struct error *e)
{
    struct ring_slot *s = &r->slot[t % r->slots];
    struct rows rows;
    if (s->t == t) return s;
    s->t = -1;
    s->filled = false;
    if (panel_read_period(f, t, &r->buffer, &rows, e)) return NULL;
    require(rows.n <= r->capacity);
    s->n = universe_gather(r->universe, &rows, r->D, s->characteristics, s->returns, s->ids, s->group);
    s->t = t;
    return s;
}

/* Where the assets of s stood in an earlier period: both lists of ids ascend. */
static void find_rows(const struct ring_slot *s, const struct ring_slot *past, int step, int L)
{
    for (int i = 0, j = 0; i < s->n; i++) {
        while (past && j < past->n && past->ids[j] < s->ids[i]) j++;
        s->row[(size_t)i * (size_t)L + (size_t)step] = past && j < past->n && past->ids[j] == s->ids[i] ? j : -1;
    }
}

const struct ring_slot *ring_get_history(struct row_ring *r, struct panel_file *f, int t, struct error *e)
{
    struct ring_slot *s = &r->slot[t % r->slots];
    int L = r->lookback;
    /* The oldest first, so that the file is read forward. All steps are asked for even where this history was filled in before: another
     * window may have used the slots of its early steps since. Reading those periods again puts the same rows where the history points. */
    for (int l = 0; l < L; l++)
        if (t - L + 1 + l >= 0 && !ring_get(r, f, t - L + 1 + l, e)) return NULL;
    if (s->filled) return s;
    for (int l = 0; l < L; l++) {
        int then = t - L + 1 + l;
        const struct ring_slot *past = then < 0 ? NULL : &r->slot[then % r->slots];
        s->past[l] = past ? past->characteristics : NULL;
        find_rows(s, past, l, L);
    }
    s->history = (struct history){.L = L, .rows = s->past, .row = s->row};
    s->filled = true;
    return s;
}
