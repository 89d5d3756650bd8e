/* Published factor models (FF6, HXZ, SY, DHS ...): the tangency portfolio of the benchmark's factors over the window, as MSRR
 * without a ridge: lambda = argmin sum_t (1 - f_t'lambda)^2. It exists only where all its factors do. */
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "models/model.h"

enum { CODE_COLLINEAR = 1, CODE_MISSING = FIT_NO_DATA + 1 };

struct model {
    int T, k;
    double *factors; /* [T, k] */
    double *lambda;  /* [T]: ones, then the k weights */
    int *pivot;      /* [k] */
};

static const struct model_option options[] = {{.key = NULL}};

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    (void)v;
    const struct benchmark *b = s->benchmark;
    if (b->k > s->T)
        return error_set(
            e, "model '%s' of kind factors: found %d factors in a window of %d periods; needed is a window at least as long",
            s->name, b->k, s->T);
    return 0;
}

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    (void)v;
    double T = s->T, k = s->benchmark->k;
    *c = (struct cost){.flops = 4 * T * k * k};
    c->seconds = c->flops / 1e9 + 1e-5;
    c->bytes = 8 * (T * k + T);
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    (void)v;
    *l = (struct layout){.variants = 1, .seeds = 1};
    layout_field(l, (struct field){.name = "returns",
                                   .unit = "decimal per period",
                                   .meaning = "out-of-sample return of the factors' tangency portfolio"});
    layout_field(l, (struct field){.name = "factor_weights",
                                   .unit = "1",
                                   .meaning = "its weights on the benchmark's factors, in their order",
                                   .dim = {{"factor", s->benchmark->k}}});
}

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    (void)seed, (void)v;
    struct model *m = memory_array(struct model, 1, "factor model");
    *m = (struct model){.T = s->T, .k = s->benchmark->k};
    m->factors = memory_array(double, (size_t)m->T * m->k, "factors of the window");
    m->lambda = memory_array(double, m->T, "factor weights");
    m->pivot = memory_array(int, m->k, "pivots");
    return m;
}

static void destroy(struct model *m)
{
    memory_free(m->factors);
    memory_free(m->lambda);
    memory_free(m->pivot);
    memory_free(m);
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    (void)team;
    int rank = 0;
    for (int t = 0; t < w->T; t++) {
        const double *f = w->period[t].benchmark;
        for (int j = 0; j < m->k; j++) {
            if (!isfinite(f[j])) {
                snprintf(note->text, sizeof note->text, "factor %d has no return for the row dated %lld", j + 1,
                         (long long)w->period[t].date);
                return note->code = CODE_MISSING;
            }
            m->factors[(size_t)t * m->k + j] = f[j];
        }
        m->lambda[t] = 1;
    }
    memset(m->pivot, 0, sizeof *m->pivot * (size_t)m->k);
    lapack_int info =
        LAPACKE_dgelsy(LAPACK_ROW_MAJOR, w->T, m->k, 1, m->factors, m->k, m->lambda, 1, m->pivot, 1e-10, &rank);
    if (info || rank < m->k) {
        snprintf(note->text, sizeof note->text, "the %d factors span only %d dimensions", m->k, rank);
        return note->code = CODE_COLLINEAR;
    }
    return 0;
}

static void positions(struct model *m, const struct window *w, double *out)
{
    (void)w;
    memcpy(out, m->lambda, sizeof *out * (size_t)m->k);
}

static int record(struct model *m, const double *returns, double *out)
{
    out[0] = returns[0];
    memcpy(out + 1, m->lambda, sizeof *out * (size_t)m->k);
    return 0;
}

const struct model_class factors_class = {
    .name = "factors",
    .summary = "the panel's benchmark of the model's name: tangency weights of its factors (MSRR, no ridge)",
    .options = options,
    .needs = NEED_BENCHMARK,
    .trades = TRADE_BENCHMARK,
    .check = check,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
};
