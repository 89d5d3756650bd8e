/* The linear portfolio transformer with random features f in place of its characteristics X (what is traded and attends), of Z (what
 * is attended through), or of both: w = X~ sum_tau alpha_tau <Xi_now, Xi_tau> F_tau, F = X~'R, Xi = X~'Z~ / n       (29), (45)-(50)
 * Objective OLS: theta = sum_tau <Xi_now, Xi_tau> q_tau, q from models/ols_fit.h with Gamma = X~'X~.
 * All heads (saturated). Everything of a period is taken once while windows roll over it. */
#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/features.h"
#include "models/embedded_transformer.h"
#include "linalg/dense.h"
#include "models/ols_fit.h"
#include "models/ridge_rows.h"

enum { CHUNK = 240 }; /* rows embedded at a time */

struct model {
    int T, nz, D, px, pz;
    bool embed_x, embed_z;
    const double *z;
    enum factor_scale scale;
    struct features features;
    struct ridge_path path;
    double *timing;              /* [T+1, px, pz] Xi of the window's periods, in order, now last */
    double *factors;             /* [T+1, px] scaled F; row T: of the last period traded */
    int *timing_of, *factors_of; /* [T+1] which period each row holds, -1: none */
    double *timing_gram;         /* [T+1, T+1] */
    double *kernel, *score;      /* [T, T], [nz, T] */
    float *raw, *x, *features_x; /* [CHUNK, P], [CHUNK, padded(D)], [CHUNK, padded(P)] */
    float *product;              /* [px, padded(pz)]; OLS: room for [px, padded(px)] */
    struct ols_fit *ols;         /* NULL: MSRR */
    struct period *period;       /* [T] what ols_fit sees of the window, OLS */
    double *second;              /* [T+1, packed(px)] X~'X~ / n, OLS */
    double *square;              /* [px, px] */
    int *second_of;              /* [T+1] */
};

static bool embeds(const struct values *v, const char *what)
{
    const char *word = values_word(v, "embedding");
    return !strcmp(word, what) || !strcmp(word, "both");
}

static bool waves(const struct values *v)
{
    return !strcmp(values_word(v, "embedding_activation"), "fourier");
}

static int side(const struct shape *s, const struct values *v, const char *what)
{
    return embeds(v, what) ? (int)values_int(v, "embedding_features") : s->D;
}

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    int heads;
    long P = values_int(v, "embedding_features");
    values_list(v, "heads", &heads);
    if (values_int(v, "ranks") > 1)
        return error_set(e, "model %s: ranks: found %ld beside an embedding; needed: 1", s->name, values_int(v, "ranks"));
    if (heads)
        return error_set(
            e, "model %s: heads: found a list beside an embedding; needed: none, the embedded transformer has all its heads",
            s->name);
    if (waves(v) && P % 2)
        return error_set(e,
                         "model %s: embedding_features: found %ld; needed: an even number, half of them sines, half cosines",
                         s->name, P);
    struct ols_plan o = ols_plan_of(s, v, side(s, v, "x"));
    if (ols_asked(v)) return ols_plan_check(&o, s->name, e);
    if (o.rank || o.solver != OLS_AUTO)
        return error_set(e, "model %s: rank and solver: found with objective msrr; needed: objective ols", s->name);
    return 0;
}

static void choice(const struct shape *s, const struct values *v, char *out, size_t size)
{
    struct ols_plan o = ols_plan_of(s, v, side(s, v, "x"));
    if (ols_asked(v)) ols_plan_choice(&o, out, size);
}

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    double P = (double)values_int(v, "embedding_features"), px = side(s, v, "x"), pz = side(s, v, "z"), T = s->T,
           n = s->max_assets;
    double period = 2 * n * s->D * P + 2 * n * px * pz,
           rest = (T + 1) * (T + 1) * px * pz + 2 * s->nz * T * px + 20 * T * T * T;
    *c = (struct cost){.flops = period + rest, .seconds = period / 5e10 + rest / 2e10, .first_seconds = T * period / 5e10};
    c->bytes = features_bytes(s->D, (int)P) + 8 * ((T + 1) * (px * pz + px) + 2 * (T + 1) * (T + 1) + s->nz * T) +
               4 * (CHUNK * (2 * P + s->D + 2 * PAD) + px * (pz + PAD)) + (double)ridge_bytes(s->T, s->nz);
    if (!ols_asked(v)) return;
    struct ols_plan o = ols_plan_of(s, v, (int)px);
    double more = 2 * n * px * px;
    c->flops += more + ols_plan_flops(&o, ols_plan_solver(&o));
    c->seconds += more / 5e10 + ols_plan_seconds(&o, ols_plan_solver(&o));
    c->first_seconds += T * more / 5e10;
    c->bytes += ols_plan_bytes(&o) + 4 * px * (px + PAD) + 8 * ((T + 1) * (double)packed_size((int)px) + px * px);
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    (void)v;
    *l = (struct layout){.variants = s->nz, .seeds = 1};
    ridge_rows_layout(s, l);
}

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    struct model *m = memory_array(struct model, 1, "embedded transformer");
    int P = (int)values_int(v, "embedding_features");
    *m = (struct model){.T = s->T,
                        .nz = s->nz,
                        .D = s->D,
                        .px = side(s, v, "x"),
                        .pz = side(s, v, "z"),
                        .embed_x = embeds(v, "x"),
                        .embed_z = embeds(v, "z"),
                        .z = s->ridge,
                        .scale = s->factor_scale};
    size_t T = (size_t)s->T, px = (size_t)m->px, pz = (size_t)m->pz;
    features_create(&m->features, s->D, P, waves(v), values_real(v, "embedding_bandwidth"), seed);
    ridge_create(&m->path, s->T, s->nz);
    m->timing = memory_array(double, (T + 1) * px * pz, "timing variables of a window");
    m->factors = memory_array(double, (T + 1) * px, "managed factors of a window");
    m->timing_of = memory_array(int, T + 1, "periods held");
    m->factors_of = memory_array(int, T + 1, "periods held");
    m->timing_gram = memory_array(double, (T + 1) * (T + 1), "Gram matrix");
    m->kernel = memory_array(double, T *T, "kernel");
    m->score = memory_array(double, (size_t)s->nz *T, "timing attention");
    m->raw = memory_array(float, (size_t)CHUNK *(size_t)P, "embedded rows");
    m->x = memory_array(float, CHUNK *padded(s->D), "rows");
    m->features_x = memory_array(float, CHUNK *padded(P), "embedded rows");
    m->product = memory_array(float, px *(size_t)padded(ols_asked(v) && m->px > m->pz ? m->px : m->pz), "timing variables");
    if (ols_asked(v)) {
        struct ols_plan o = ols_plan_of(s, v, m->px);
        m->ols = ols_fit_create(&o, 1);
        m->period = memory_array(struct period, T, "window");
        m->second = memory_array(double, (T + 1) * packed_size(m->px), "second moments of a window");
        m->square = memory_array(double, px *px, "second moments");
        m->second_of = memory_array(int, T + 1, "periods held");
        for (int t = 0; t <= s->T; t++) m->second_of[t] = -1;
    }
    for (int t = 0; t <= s->T; t++) m->timing_of[t] = m->factors_of[t] = -1;
    return m;
}

static void destroy(struct model *m)
{
    features_destroy(&m->features);
    ridge_destroy(&m->path);
    ols_fit_destroy(m->ols);
    void *const all[] = {m->timing,    m->factors, m->timing_of,  m->factors_of, m->timing_gram, m->kernel, m->score,
                         m->raw,       m->x,       m->features_x, m->product,    m->period,      m->second, m->square,
                         m->second_of, m};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static double *timing(struct model *m, int k)
{
    return m->timing + (size_t)k * (size_t)m->px * (size_t)m->pz;
}
static double *factors(struct model *m, int k)
{
    return m->factors + (size_t)k * (size_t)m->px;
}

/* Xi = X~'Z~ / n. */
static void take_timing(struct model *m, const struct period *p, double *out)
{
    int ldx = m->embed_x ? padded(m->px) : padded(m->D), ldz = padded(m->pz);
    memset(out, 0, sizeof(double) * (size_t)m->px * (size_t)m->pz);
    for (int at = 0; at < p->n; at += CHUNK) {
        int rows = p->n - at < CHUNK ? p->n - at : CHUNK;
        const float *from = p->characteristics + (size_t)at * (size_t)m->D;
        rows_pad(rows, m->D, from, m->x);
        features_rows(&m->features, rows, from, m->raw);
        rows_pad(rows, m->features.P, m->raw, m->features_x);
        m->features.kernels->product(m->px, ldz, rows, m->embed_x ? m->features_x : m->x, 1, ldx,
                                     m->embed_z ? m->features_x : m->x, ldz, m->product, ldz, false);
        for (int i = 0; i < m->px; i++)
            for (int j = 0; j < m->pz; j++) out[(size_t)i * m->pz + j] += (double)m->product[(size_t)i * ldz + j] / p->n;
    }
}

/* X~'X~ / n, packed. */
static void take_second(struct model *m, const struct period *p, double *out)
{
    int ld = padded(m->px);
    memset(m->square, 0, sizeof(double) * (size_t)m->px * (size_t)m->px);
    for (int at = 0; at < p->n; at += CHUNK) {
        int rows = p->n - at < CHUNK ? p->n - at : CHUNK;
        const float *from = p->characteristics + (size_t)at * (size_t)m->D, *x = m->embed_x ? m->features_x : m->x;
        if (m->embed_x) {
            features_rows(&m->features, rows, from, m->raw);
            rows_pad(rows, m->features.P, m->raw, m->features_x);
        } else rows_pad(rows, m->D, from, m->x);
        m->features.kernels->product(m->px, ld, rows, x, 1, ld, x, ld, m->product, ld, false);
        for (int i = 0; i < m->px; i++)
            for (int j = 0; j < m->px; j++)
                m->square[(size_t)i * m->px + j] += (double)m->product[(size_t)i * ld + j] / p->n;
    }
    packed_from_full(m->px, m->square, out);
}

/* F = X~'R, scaled. */
static void take_factors(struct model *m, const struct period *p, double *out)
{
    if (m->embed_x) features_sums(&m->features, p->n, p->characteristics, p->returns, out);
    else {
        memset(out, 0, sizeof(double) * (size_t)m->px);
        for (int i = 0; i < p->n; i++)
            for (int d = 0; d < m->D; d++) out[d] += (double)p->characteristics[(size_t)i * m->D + d] * p->returns[i];
    }
    cblas_dscal(m->px, factor_scale_of(m->scale, p->n), out, 1);
}

/* Makes row k of a table hold period p, moved from this or a later row if it is there. Returns whether it was. */
static bool bring(struct model *m, int *of, double *table, size_t size, int k, int period)
{
    for (int from = k; from <= m->T; from++) {
        if (of[from] != period) continue;
        if (from != k) memcpy(table + (size_t)k * size, table + (size_t)from * size, sizeof(double) * size);
        of[k] = period;
        return true;
    }
    of[k] = period;
    return false;
}

static int fit_ols(struct model *m, const struct window *w, struct fit_note *note)
{
    int T = w->T;
    size_t k = packed_size(m->px);
    for (int t = 0; t < T; t++) {
        const struct period *p = &w->period[t];
        if (!bring(m, m->second_of, m->second, k, t, p->index)) take_second(m, p, m->second + (size_t)t * k);
        m->period[t] = (struct period){.index = p->index,
                                       .n = p->n,
                                       .scale = factor_scale_of(m->scale, p->n),
                                       .factors = factors(m, t),
                                       .timing = m->second + (size_t)t * k};
        for (int i = 0; i < p->n; i++) m->period[t].squares += p->returns[i] * p->returns[i];
    }
    for (int s = 0; s <= T; s++)
        for (int t = 0; t < s; t++) m->timing_gram[t * (T + 1) + s] = m->timing_gram[s * (T + 1) + t];
    struct window own = {.T = T, .D = m->px, .period = m->period, .timing_gram = m->timing_gram};
    if (ols_fit_window(m->ols, &own, NULL, note)) return note->code; /* alone: the bits are those of any team */
    const struct ols *o = ols_fit_answer(m->ols);
    memcpy(m->path.loss, o->loss, sizeof(double) * (size_t)m->nz);
    m->path.selected = o->selected;
    return 0;
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    (void)team;
    int T = w->T, all = m->px * m->pz;
    for (int t = 0; t <= T; t++) {
        const struct period *p = &w->period[t];
        if (!bring(m, m->timing_of, m->timing, (size_t)all, t, p->index)) take_timing(m, p, timing(m, t));
        if (t < T && !bring(m, m->factors_of, m->factors, (size_t)m->px, t, p->index)) take_factors(m, p, factors(m, t));
    }
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, T + 1, all, 1, m->timing, all, 0, m->timing_gram, T + 1);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, T, m->px, 1, m->factors, m->px, 0, m->kernel, T);
    if (m->ols) return fit_ols(m, w, note);
    for (int s = 0; s < T; s++)
        for (int t = 0; t <= s; t++)
            m->kernel[s * T + t] = m->kernel[t * T + s] = m->kernel[s * T + t] * m->timing_gram[s * (T + 1) + t];
    note->code = ridge_fit(&m->path, T, m->kernel, m->z) != 0;
    if (note->code) snprintf(note->text, sizeof note->text, "the kernel has no eigen-decomposition");
    return note->code;
}

static void positions(struct model *m, const struct window *w, double *out)
{
    int T = w->T;
    for (int z = 0; z < m->nz && m->ols; z++)
        cblas_dgemv(CblasRowMajor, CblasTrans, T, m->px, 1, ols_fit_answer(m->ols)->q + (size_t)z * T * m->px, m->px,
                    m->timing_gram + (size_t)T * (T + 1), 1, 0, out + (size_t)z * m->px, 1);
    if (m->ols) return;
    for (int z = 0; z < m->nz; z++)
        for (int t = 0; t < T; t++) m->score[z * T + t] = m->path.alpha[(size_t)z * T + t] * m->timing_gram[T * (T + 1) + t];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m->nz, m->px, T, 1, m->score, T, m->factors, m->px, 0, out,
                m->px);
}

static int record(struct model *m, const double *returns, double *out)
{
    ridge_rows_record(&m->path, m->z, returns, out);
    return m->path.selected;
}

static int own_assets(const struct shape *s, const struct values *v)
{
    return side(s, v, "x");
}

static void own_returns(struct model *m, const struct period *realised, double *out)
{
    take_factors(m, realised, factors(m, m->T));
    m->factors_of[m->T] = realised->index;
    memcpy(out, factors(m, m->T), sizeof(double) * (size_t)m->px);
}

static void own_weights(struct model *m, const struct period *now, const double *theta, float *out)
{
    double scale = factor_scale_of(m->scale, now->n);
    if (m->embed_x) features_weights(&m->features, now->n, now->characteristics, theta, out);
    for (int i = 0; i < now->n; i++) {
        double w = m->embed_x ? (double)out[i] : 0;
        for (int d = 0; !m->embed_x && d < m->D; d++) w += (double)now->characteristics[(size_t)i * m->D + d] * theta[d];
        out[i] = (float)(w * scale);
    }
}

static const struct own_portfolios own = {.assets = own_assets, .returns = own_returns, .weights = own_weights};

const struct model_class embedded_transformer_class = {
    .name = "linear_transformer",
    .summary = "the linear transformer on random features",
    .needs = NEED_ROWS,
    .trades = TRADE_OWN,
    .check = check,
    .choice = choice,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
    .own = &own,
};
