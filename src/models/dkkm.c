/* DKKM (Didisheim, Ke, Kelly, Malamud): random features of own characteristics, w = S lambda, ridge MSRR in the dual.      (24)
 * The managed factors S'R of a period are taken once: when it has been traded they are the returns of the model's portfolios, and
 * serve every later window as a training period. */
#include <cblas.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/features.h"
#include "models/model.h"
#include "models/ridge_rows.h"

struct model {
    int T, nz, P;
    bool by_seed; /* the record has the seed's own return */
    const double *z;
    enum factor_scale scale;
    struct features features;
    struct ridge_path path;
    double *factors; /* [T+1, P] of the window's periods in order, then of the last one traded */
    int *index;      /* [T+1] which period each row is, -1: none */
    double *gram;    /* [T, T] */
};

static const struct model_option options[] = {
    INT_OPTION("features", "25000", 2, 1e7, "random features P; a smaller P has the first columns of a larger one"),
    WORD_OPTION("activation", "relu", "relu|fourier", "relu(X G), or sin and cos of X G"),
    REAL_OPTION("bandwidth", "1.0", 1e-6, 1e6, "standard deviation of the entries of G"),
    INT_OPTION("seeds", "1", 1, 1000, "independent draws of G, averaged"),
    {.key = NULL},
};

static bool waves(const struct values *v)
{
    return !strcmp(values_word(v, "activation"), "fourier");
}

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    long P = values_int(v, "features");
    if (waves(v) && P % 2)
        return error_set(e, "model %s: features: found %ld; needed: an even number, half of them sines, half cosines",
                         s->name, P);
    return 0;
}

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    double P = (double)values_int(v, "features"), T = s->T, nz = s->nz;
    double features = 2. * s->max_assets * s->D * P / (waves(v) ? 2 : 1), rest = T * T * P + 2 * nz * T * P + 20 * T * T * T;
    *c = (struct cost){.flops = features + rest, .seconds = features / 1e11 + rest / 2e10};
    c->first_seconds = T * features / 1e11;
    c->bytes = features_bytes(s->D, (int)P) + 8 * ((T + 1) * P + T * T) + (double)ridge_bytes(s->T, s->nz);
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    *l = (struct layout){.variants = s->nz, .seeds = (int)values_int(v, "seeds")};
    ridge_rows_layout(s, l);
    if (l->seeds > 1) /* of one draw of features it is `returns` */
        layout_field(l, (struct field){.name = "returns_by_seed",
                                       .unit = "decimal",
                                       .meaning = "out-of-sample SDF return of each seed",
                                       .per_seed = true});
}

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    struct model *m = memory_array(struct model, 1, "dkkm");
    *m = (struct model){.T = s->T,
                        .nz = s->nz,
                        .z = s->ridge,
                        .P = (int)values_int(v, "features"),
                        .scale = s->factor_scale,
                        .by_seed = values_int(v, "seeds") > 1};
    features_create(&m->features, s->D, m->P, waves(v), values_real(v, "bandwidth"), seed);
    ridge_create(&m->path, s->T, s->nz);
    m->factors = memory_array(double, (size_t)(s->T + 1) * (size_t)m->P, "managed factors of a window");
    m->index = memory_array(int, s->T + 1, "managed factors of a window");
    m->gram = memory_array(double, (size_t)s->T *(size_t)s->T, "Gram matrix");
    for (int t = 0; t <= s->T; t++) m->index[t] = -1;
    return m;
}

static void destroy(struct model *m)
{
    features_destroy(&m->features);
    ridge_destroy(&m->path);
    memory_free(m->factors);
    memory_free(m->index);
    memory_free(m->gram);
    memory_free(m);
}

static double *row(struct model *m, int k)
{
    return m->factors + (size_t)k * (size_t)m->P;
}

/* Bring row k to hold period p: from a later row (windows roll forward), or anew. */
static void place(struct model *m, int k, const struct period *p)
{
    for (int from = k; from <= m->T; from++)
        if (m->index[from] == p->index) {
            if (from != k) memcpy(row(m, k), row(m, from), sizeof(double) * (size_t)m->P);
            m->index[k] = p->index;
            return;
        }
    features_sums(&m->features, p->n, p->characteristics, p->returns, row(m, k));
    cblas_dscal(m->P, factor_scale_of(m->scale, p->n), row(m, k), 1);
    m->index[k] = p->index;
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    (void)team;
    for (int t = 0; t < w->T; t++) place(m, t, &w->period[t]);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, w->T, m->P, 1, m->factors, m->P, 0, m->gram, w->T);
    for (int s = 0; s < w->T; s++)
        for (int t = 0; t < s; t++) m->gram[(size_t)t * w->T + s] = m->gram[(size_t)s * w->T + t];
    return ridge_rows_fit(&m->path, w->T, m->gram, m->z, note);
}

static void positions(struct model *m, const struct window *w, double *out)
{
    ridge_rows_positions(&m->path, w->T, m->P, m->factors, out);
}

static int record(struct model *m, const double *returns, double *out)
{
    double *end = ridge_rows_record(&m->path, m->z, returns, out);
    if (m->by_seed) *end = out[0];
    return m->path.selected;
}

static int own_assets(const struct shape *s, const struct values *v)
{
    (void)s;
    return (int)values_int(v, "features");
}

static void own_returns(struct model *m, const struct period *realised, double *out)
{
    m->index[m->T] = -1;
    place(m, m->T, realised);
    memcpy(out, row(m, m->T), sizeof(double) * (size_t)m->P);
}

static void own_weights(struct model *m, const struct period *now, const double *theta, float *out)
{
    features_weights(&m->features, now->n, now->characteristics, theta, out);
    for (int i = 0; i < now->n; i++) out[i] *= (float)factor_scale_of(m->scale, now->n);
}

static const struct own_portfolios own = {.assets = own_assets, .returns = own_returns, .weights = own_weights};

const struct model_class dkkm_class = {
    .name = "dkkm",
    .summary = "w = S lambda: thousands of random features of each stock's characteristics (24), ridge MSRR",
    .options = options,
    .needs = NEED_ROWS,
    .trades = TRADE_OWN,
    .check = check,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
    .own = &own,
};
