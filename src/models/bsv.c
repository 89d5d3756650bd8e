/* BSV (Brandt, Santa-Clara, Valkanov): w = X lambda, own characteristics only (3). MSRR with ridge in the dual. */
#include <string.h>

#include "base/memory.h"
#include "models/model.h"
#include "models/ridge_rows.h"

struct model {
    int D, nz;
    const double *z;
    struct ridge_path path;
    double *factors; /* [T, D] */
};

static const struct model_option options[] = {{.key = NULL}};

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    (void)v;
    double T = s->T;
    *c = (struct cost){.flops = 20 * T * T * T + 4 * T * T * s->nz + 2 * T * s->D * s->nz};
    c->seconds = c->flops / 4e9;
    c->bytes = (double)ridge_bytes(s->T, s->nz) + 8. * T * s->D;
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    (void)v;
    *l = (struct layout){.variants = s->nz, .seeds = 1};
    ridge_rows_layout(s, l);
}

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    (void)seed, (void)v;
    struct model *m = memory_array(struct model, 1, "bsv");
    *m = (struct model){.D = s->D, .nz = s->nz, .z = s->ridge};
    ridge_create(&m->path, s->T, s->nz);
    m->factors = memory_array(double, (size_t)s->T * s->D, "factors of the window");
    return m;
}

static void destroy(struct model *m)
{
    ridge_destroy(&m->path);
    memory_free(m->factors);
    memory_free(m);
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    (void)team;
    for (int t = 0; t < w->T; t++)
        memcpy(m->factors + (size_t)t * m->D, w->period[t].factors, sizeof(double) * (size_t)m->D);
    return ridge_rows_fit(&m->path, w->T, w->factor_gram, m->z, note);
}

static void positions(struct model *m, const struct window *w, double *out)
{
    ridge_rows_positions(&m->path, w->T, m->D, m->factors, out);
}

static int record(struct model *m, const double *returns, double *out)
{
    ridge_rows_record(&m->path, m->z, returns, out);
    return m->path.selected;
}

const struct model_class bsv_class = {
    .name = "bsv",
    .summary = "w = X lambda: each stock by its own characteristics (Brandt, Santa-Clara, Valkanov), ridge MSRR",
    .options = options,
    .needs = NEED_FACTORS,
    .trades = TRADE_FACTORS,
    .grows = true,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
};
