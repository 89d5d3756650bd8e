/* Windows from moments held in memory, or from rows read by the ring, in one form. */
#include "window_source.h"

#include "base/memory.h"

static bool wants_rows(const struct config *c)
{
    return (c->class->needs & NEED_ROWS) != 0;
}

static bool wants_moments(const struct config *c)
{
    return (c->class->needs & (NEED_FACTORS | NEED_TIMING)) != 0;
}

static int lookback_of(const struct config *c)
{
    return c->class->needs & NEED_HISTORY ? c->shape.lookback : 0;
}

static bool wants_groups(const struct config *c)
{
    return (c->class->needs & NEED_GROUPS) != 0;
}

/* Periods whose rows are held at once. */
static int ring_window(const struct fit_job *j, const struct config *c)
{
    return wants_rows(c) ? c->shape.T + 1 : j->study->save_weights && c->class->trades == TRADE_FACTORS;
}

double windows_bytes(const struct fit_job *j, const struct config *c)
{
    double T = c->shape.T, D = c->shape.D, bytes = sizeof(struct period) * (T + 1);
    if (wants_moments(c)) bytes += 8 * ((T + 1) * D + T * T + (T + 1) * (T + 1));
    if (ring_window(j, c))
        bytes += ring_bytes(j->meta, ring_window(j, c), lookback_of(c), wants_groups(c), c->shape.max_assets);
    return bytes;
}

static void leave_window(struct window_source *s)
{
    memory_free_all(s->period, s->factors, s->factor_gram, s->timing_gram);
}

int windows_open(struct window_source *s, const struct fit_job *j, const struct config *c, struct error *e)
{
    const struct config *before = s->config;
    size_t T = (size_t)c->shape.T, D = (size_t)c->shape.D;
    int rows = ring_window(j, c);
    leave_window(s);
    if (!before || before->universe != c->universe || ring_window(j, before) != rows ||
        lookback_of(before) != lookback_of(c) || wants_groups(before) != wants_groups(c)) {
        ring_free(&s->ring);
        if (rows) ring_create(&s->ring, j->meta, c->universe, rows, lookback_of(c), wants_groups(c), c->shape.max_assets);
    }
    *s = (struct window_source){.job = j, .config = c, .file = s->file, .ring = s->ring};
    s->period = memory_array(struct period, T + 1, "window");
    if (wants_moments(c)) {
        s->factors = memory_array(double, (T + 1) * D, "factors of the window");
        s->factor_gram = memory_array(double, T *T, "Gram matrix of the window");
        s->timing_gram = memory_array(double, (T + 1) * (T + 1), "Gram matrix of the window");
    }
    s->window =
        (struct window){.D = c->shape.D, .period = s->period, .factor_gram = s->factor_gram, .timing_gram = s->timing_gram};
    if (rows && !s->file) s->file = panel_open(j->panel, NULL, j->meta, e);
    return rows && !s->file ? -1 : 0;
}

void windows_close(struct window_source *s)
{
    struct error ignored = {""};
    leave_window(s);
    ring_free(&s->ring);
    if (s->file) panel_close(s->file, &ignored);
    *s = (struct window_source){0};
}

/* Rows of period t: of a window's, of now (no returns), or of now once they are known. */
static int take_rows(struct window_source *s, int t, bool returns, struct period *p, struct error *e)
{
    const struct ring_slot *r =
        s->ring.lookback ? ring_get_history(&s->ring, s->file, t, e) : ring_get(&s->ring, s->file, t, e);
    if (!r) return -1;
    p->n = r->n;
    p->scale = factor_scale_of(s->config->shape.factor_scale, r->n);
    p->characteristics = r->characteristics;
    p->returns = returns ? r->returns : NULL;
    p->ids = r->ids;
    p->history = s->ring.lookback ? &r->history : NULL;
    for (int g = 0; g < PANEL_COLUMNS_OF_LABELS; g++) p->group[g] = r->group[g];
    return 0;
}

static const struct moment_store *store_of(const struct window_source *s)
{
    return &s->job->pass->store[config_universe(s->job->study, s->config)];
}

/* Moments of period t; its factors, scaled, into row k of s->factors. */
static void take_moments(struct window_source *s, int t, bool returns, int k, struct period *p)
{
    int D = s->config->shape.D;
    const double *record = store_record(store_of(s), D, t);
    double *scaled = s->factors + (size_t)k * (size_t)D;
    p->timing = moments_timing(record, D);
    if (!returns) return;
    p->squares = moments_squares(record, D);
    for (int d = 0; d < D; d++) scaled[d] = p->scale * moments_factors(record)[d];
    p->factors = scaled;
}

/* Period t as place k of a window. */
static int take(struct window_source *s, int t, bool returns, int k, struct period *p, struct error *e)
{
    const struct fit_job *j = s->job;
    const struct config *c = s->config;
    const struct benchmark *b = c->shape.benchmark;
    *p = (struct period){.index = t, .date = j->meta->dates[t]};
    if (wants_rows(c)) return take_rows(s, t, returns, p, e);
    p->n = j->pass->n[(size_t)config_universe(j->study, c) * (size_t)j->meta->T + (size_t)t];
    p->scale = factor_scale_of(c->shape.factor_scale, p->n);
    if (b && returns) p->benchmark = b->returns + (size_t)t * (size_t)b->k;
    if (wants_moments(c)) take_moments(s, t, returns, k, p);
    return 0;
}

/* Both Gram matrices from the bands that the moment pass formed. */
static void take_grams(struct window_source *s, int now, int T)
{
    const struct moment_store *m = store_of(s);
    for (int x = 0; x <= T; x++)
        for (int y = 0; y <= x; y++) {
            size_t at = (size_t)(now - T + x - m->first) * ((size_t)m->band + 1) + (size_t)(x - y);
            s->timing_gram[(size_t)x * (T + 1) + y] = s->timing_gram[(size_t)y * (T + 1) + x] = m->timing_gram[at];
            if (x < T)
                s->factor_gram[(size_t)x * T + y] = s->factor_gram[(size_t)y * T + x] =
                    m->factor_gram[at] * s->period[x].scale * s->period[y].scale;
        }
}

int windows_take(struct window_source *s, int now, int T, struct error *e)
{
    s->window.T = T;
    for (int k = 0; k <= T; k++)
        if (take(s, now - T + k, k < T, k, &s->period[k], e)) return -1;
    if (wants_moments(s->config)) take_grams(s, now, T);
    return 0;
}

int windows_realised(struct window_source *s, int now, struct period *out, struct error *e)
{
    if (take(s, now, true, s->config->shape.T, out, e)) return -1;
    return s->ring.slots && !wants_rows(s->config) ? take_rows(s, now, true, out, e) : 0;
}
