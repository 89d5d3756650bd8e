#include "fit_seat.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "fit_tasks.h"

static int lookback_of(const struct config *c)
{
    return c->class->needs & NEED_HISTORY ? c->shape.lookback : 0;
}

int block_start(const struct study *s, const struct config *c, int row)
{
    int first = config_first_row(s, c);
    return row - (row - first) % c->policy.refit_every;
}

static int base_assets(const struct config *c)
{
    return c->class->trades == TRADE_OWN ? c->class->own->assets(&c->shape, &c->values) : c->shape.max_assets;
}

double seat_bytes(const struct rows_job *j, const struct config *c)
{
    double k = base_assets(c);
    return c->cost.bytes + ring_bytes(j->meta, c->shape.T + 1, lookback_of(c), c->shape.max_assets) +
           8 * (k * (1 + c->layout.variants)) + 4. * c->shape.max_assets + 8. * (double)layout_record(&c->layout);
}

void seat_leave(struct seat *s)
{
    if (s->model) s->config->class->destroy(s->model);
    ring_free(&s->ring);
    void *const all[] = {s->period, s->base, s->positions, s->variant, s->record, s->weights};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    *s = (struct seat){0};
}

/* Sit down at a configuration and seed. The seed's number enters every random key beside the study's own. */
void seat_take(struct seat *s, const struct rows_job *j, const struct config *c, int seed)
{
    if (s->config == c && s->seed == seed) return;
    if (s->config == c) {
        c->class->destroy(s->model);
    } else {
        int same_rows = s->config && s->config->universe == c->universe && s->config->shape.T == c->shape.T &&
                        lookback_of(s->config) == lookback_of(c);
        struct row_ring ring = s->ring;
        if (same_rows) s->ring = (struct row_ring){0};
        seat_leave(s);
        if (same_rows) s->ring = ring;
        else ring_create(&s->ring, j->meta, c->universe, c->shape.T + 1, lookback_of(c), c->shape.max_assets);
        int k = base_assets(c);
        s->period = memory_array(struct period, c->shape.T + 1, "window");
        s->base = memory_array(double, k, "realised returns");
        s->positions = memory_array(double, (size_t)k *(size_t)c->layout.variants, "positions");
        s->variant = memory_array(double, c->layout.variants, "realised returns");
        s->record = memory_array(double, layout_record(&c->layout), "a record");
        s->weights = memory_array(float, c->shape.max_assets, "weights");
        s->window = (struct window){.T = c->shape.T, .D = c->shape.D, .period = s->period};
    }
    s->config = c;
    s->seed = seed;
    s->chained = s->fitted = -1;
    s->model = c->class->create(&c->shape, j->study->seed + ((uint64_t)seed << 53), &c->values);
}

int seat_window(struct seat *s, const struct rows_job *j, struct panel_file *f, int now, struct error *e)
{
    const struct shape *shape = &s->config->shape;
    for (int k = 0; k <= shape->T; k++) {
        int t = now - shape->T + k;
        const struct ring_slot *r = s->ring.lookback ? ring_get_history(&s->ring, f, t, e) : ring_get(&s->ring, f, t, e);
        if (!r) return -1;
        s->period[k] = (struct period){.index = t,
                                       .date = j->meta->dates[t],
                                       .n = r->n,
                                       .scale = factor_scale_of(shape->factor_scale, r->n),
                                       .characteristics = r->characteristics,
                                       .returns = k < shape->T ? r->returns : NULL,
                                       .ids = r->ids,
                                       .history = s->ring.lookback ? &r->history : NULL};
        for (int g = 0; g < s->ring.groups; g++) s->period[k].group[g] = r->group[g];
    }
    return 0;
}

void seat_earn(struct seat *s, int now)
{
    const struct config *c = s->config;
    struct period realised = s->period[c->shape.T];
    const struct ring_slot *slot = &s->ring.slot[now % s->ring.slots];
    int k = c->class->trades == TRADE_OWN ? base_assets(c) : slot->n;
    c->class->positions(s->model, &s->window, s->positions);
    realised.returns = slot->returns;
    if (c->class->trades == TRADE_OWN) c->class->own->returns(s->model, &realised, s->base);
    else memcpy(s->base, slot->returns, sizeof(double) * (size_t)k);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, c->layout.variants, k, 1, s->positions, k, s->base, 1, 0, s->variant, 1);
    c->class->record(s->model, s->variant, s->record);
}

void seat_weigh(struct seat *s, int failed)
{
    const struct config *c = s->config;
    const struct period *now = &s->period[c->shape.T];
    if (failed) {
        for (int i = 0; i < now->n; i++) s->weights[i] = NAN;
    } else if (c->class->trades == TRADE_OWN) {
        c->class->own->weights(s->model, now, s->positions + (size_t)config_chosen(c, s->model) * (size_t)base_assets(c),
                               s->weights);
    } else {
        for (int i = 0; i < now->n; i++)
            s->weights[i] = (float)s->positions[(size_t)config_chosen(c, s->model) * (size_t)now->n + (size_t)i];
    }
}
