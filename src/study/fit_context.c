/* Computing one row: fit, serve by an earlier fit, or apply saved parameters; then its return and its record. */
#include "fit_context.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "fit_state.h"

static int base_assets(const struct config *c)
{
    switch (c->class->trades) {
    case TRADE_FACTORS: return c->shape.D;
    case TRADE_BENCHMARK: return c->shape.benchmark->k;
    case TRADE_OWN: return c->class->own->assets(&c->shape, &c->values);
    default: return c->shape.max_assets;
    }
}

double context_bytes(const struct fit_job *j, const struct config *c)
{
    double k = base_assets(c), V = c->layout.variants;
    return c->cost.bytes + windows_bytes(j, c) + 8 * (k + V * k + V + (double)layout_record(&c->layout)) +
           4. * c->shape.max_assets;
}

double contexts_bytes(const struct fit_job *j, int rank)
{
    double most = 0;
    struct task t;
    for (int c = 0; c < j->study->configs; c++)
        if (!config_cut(&j->study->config[c])) most = fmax(most, context_bytes(j, &j->study->config[c]));
    for (int i = 0; i < j->cuts->n; i++) {
        const struct cut *k = &j->cuts->cut[i];
        for (int64_t at = 0; rank / k->ranks < k->teams && cut_next(k, j->study, rank / k->ranks, &at, &t);)
            most = fmax(most, context_bytes(j, &j->study->config[t.config]));
    }
    return most;
}

static void leave_model(struct fit_context *x)
{
    if (x->model) x->config->class->destroy(x->model);
    void *const all[] = {x->base, x->positions, x->variant, x->record, x->weights};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

void context_leave(struct fit_context *x)
{
    leave_model(x);
    windows_close(&x->source);
    *x = (struct fit_context){.job = x->job, .team = x->team};
}

int context_take(struct fit_context *x, const struct config *c, int seed, struct error *e)
{
    struct fit_job *j = x->job;
    if (x->config == c && x->seed == seed) return 0;
    leave_model(x);
    size_t k = (size_t)base_assets(c), V = (size_t)c->layout.variants;
    *x = (struct fit_context){.job = j,
                              .team = x->team,
                              .config = c,
                              .seed = seed,
                              .applies = j->apply && c->class->trainable,
                              .source = x->source,
                              .fitted = -1,
                              .last = -1};
    x->chains = c->policy.warm_start && !x->applies;
    if (x->source.config != c && windows_open(&x->source, j, c, e)) return -1;
    x->base = memory_array(double, k, "realised returns");
    x->positions = memory_array(double, k *V, "positions");
    x->variant = memory_array(double, V, "realised returns");
    x->record = memory_array(double, layout_record(&c->layout), "a record");
    x->weights = memory_array(float, c->shape.max_assets, "weights");
    /* the seed's number enters every random key beside the study's own */
    x->model = c->class->create(&c->shape, j->study->seed + ((uint64_t)seed << 53), &c->values);
    return 0;
}

bool context_weighs(const struct fit_context *x)
{
    return x->job->study->save_weights && x->config->class->trades != TRADE_BENCHMARK;
}

/* ---- what came of a fit ---- */

/* Returns of the base assets over now -> now+1, which no model has seen; returns how many they are. */
static int realise(struct fit_context *x)
{
    const struct model_class *class = x->config->class;
    int k = class->trades == TRADE_ASSETS ? x->now.n : base_assets(x->config);
    const double *earned = class->trades == TRADE_FACTORS     ? x->now.factors
                           : class->trades == TRADE_BENCHMARK ? x->now.benchmark
                                                              : x->now.returns;
    if (class->trades == TRADE_OWN) class->own->returns(x->model, &x->now, x->base);
    else memcpy(x->base, earned, sizeof(double) * (size_t)k);
    return k;
}

/* The chosen portfolio theta on assets: its positions themselves, or w = scale X theta. */
static void weigh(struct fit_context *x, const double *theta)
{
    const struct config *c = x->config;
    int D = c->shape.D;
    for (int i = 0; i < x->now.n; i++) {
        double w = 0;
        const float *row = x->now.characteristics + (size_t)i * (size_t)D;
        for (int d = 0; c->class->trades == TRADE_FACTORS && theta && d < D; d++) w += (double)row[d] * theta[d];
        x->weights[i] = !theta ? NAN : (float)(c->class->trades == TRADE_ASSETS ? theta[i] : w * x->now.scale);
    }
    if (theta && c->class->trades == TRADE_OWN)
        c->class->own->weights(x->model, &x->source.window.period[x->source.window.T], theta, x->weights);
}

int context_settle(struct fit_context *x, int row, int code, struct error *e)
{
    const struct config *c = x->config;
    int k = 0, chosen = 0;
    x->code = code;
    if (windows_realised(&x->source, study_period(x->job->study, row), &x->now, e)) return -1;
    if (!code) {
        c->class->positions(x->model, &x->source.window, x->positions);
        k = realise(x);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, c->layout.variants, k, 1, x->positions, k, x->base, 1, 0, x->variant, 1);
        chosen = c->class->record(x->model, x->variant, x->record);
    } else
        for (size_t i = 0; i < layout_record(&c->layout); i++) x->record[i] = NAN;
    if (context_weighs(x)) weigh(x, code ? NULL : x->positions + (size_t)chosen * (size_t)k);
    return 0;
}

/* ---- the fit ---- */

/* Whether nobody is there to be traded in the window's now. */
static bool nobody(const struct fit_context *x)
{
    return x->config->class->trades != TRADE_BENCHMARK && x->source.window.period[x->source.window.T].n == 0;
}

/* The model's fit over the window of a row. Where nobody is there now, a fit that no other row waits for is left out. 0, 1 stopped, -1
 * error (agreed). */
static int train(struct fit_context *x, int row, struct error *e)
{
    const struct config *c = x->config;
    struct fit_note note = {0};
    int now = study_period(x->job->study, row);
    x->fitted = -1;
    x->trained = true;
    windows_take(&x->source, now, config_window(x->job->study, c, row), e);
    if (c->policy.start_from && (!x->chains || row == config_first_row(x->job->study, c)) && !error_is_set(e))
        c->class->trainable->warm(x->model, !state_load(x, c->policy.start_from, e));
    if (team_agree(x->team, e)) return -1;
    if (nobody(x) && c->policy.refit_every == 1 && !c->policy.warm_start) note.code = CODE_NO_ASSETS;
    else if (c->class->trainable) state_fit(x, row, &note, e);
    else c->class->fit(x->model, &x->source.window, x->team, &note);
    if (team_agree(x->team, e)) return -1;
    if (note.code < 0) return 1;
    x->fitted = row;
    x->fit_code = note.code;
    return 0;
}

/* The portfolio of now by the parameters in hand, or by saved ones, unless their fit failed: no other period is looked at. 0, or -1:
 * error (agreed). */
static int serve(struct fit_context *x, int row, struct fit_note *note, struct error *e)
{
    if (!windows_take(&x->source, study_period(x->job->study, row), 0, e) && x->applies) state_load(x, x->job->apply, e);
    if (team_agree(x->team, e)) return -1;
    if (!note->code && !nobody(x)) x->config->class->trainable->apply(x->model, &x->source.window, x->team, note);
    return 0;
}

int context_compute(struct fit_context *x, int row, struct error *e)
{
    int start = x->applies ? row : fit_start(x->job->study, x->config, row), rc = 0;
    struct fit_note note = {0};
    if (x->chains && x->last != row - 1) x->config->class->trainable->warm(x->model, false);
    x->last = -1;
    x->trained = false;
    if (!x->applies && (start == row || x->fitted != start)) rc = train(x, start, e);
    if (rc) return rc;
    if (!x->applies) note.code = x->fit_code;
    if ((start != row || x->applies) && serve(x, row, &note, e)) return -1;
    if (!note.code && nobody(x)) note.code = CODE_NO_ASSETS; /* the parameters are for later rows */
    if (team_rank(x->team) == 0) context_settle(x, row, note.code, e);
    if (team_agree(x->team, e)) return -1;
    x->last = row;
    return 0;
}
