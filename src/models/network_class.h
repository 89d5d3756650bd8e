/* The part of a model class that all networks share; included at the end of their files, which define their options, NETWORK_CLASS,
 * NETWORK_NAME, NETWORK_SUMMARY, check(), cost() and
 *     struct training training_of(values)
 *     struct network *network_for(shape, values)
 * Those that record more than the trainer does define NETWORK_SEES, struct model { struct trainer *trainer; ... }, layout() and
 *     static void prepare(struct model *, shape, values)             the rest of a model that has its trainer
 *     static void see(struct model *, const struct period *now)      after a fit that went well, collective
 *     static void seen(const struct model *, double *record)         the rest of the record
 *     static void forget(struct model *)                             frees what they keep */
#include "base/memory.h"

#ifndef NETWORK_NEEDS
#define NETWORK_NEEDS NEED_ROWS
#endif

#ifndef NETWORK_SEES
struct model {
    struct trainer *trainer;
};

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    (void)s;
    struct training t = training_of(v);
    training_layout(&t, l);
}
#endif

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    struct model *m = memory_array(struct model, 1, NETWORK_NAME);
    struct training t = training_of(v);
    m->trainer = trainer_create(network_for(s, v), &t, s, seed);
#ifdef NETWORK_SEES
    prepare(m, s, v);
#endif
    return m;
}

static void destroy(struct model *m)
{
#ifdef NETWORK_SEES
    forget(m);
#endif
    trainer_destroy(m->trainer);
    memory_free(m);
}

static int seen_fit(struct model *m, const struct window *w, int code)
{
#ifdef NETWORK_SEES
    if (!code && w->period[w->T].n) see(m, &w->period[w->T]);
#else
    (void)m, (void)w;
#endif
    return code;
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    return seen_fit(m, w, trainer_fit(m->trainer, w, team, note));
}

static int apply(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    return seen_fit(m, w, trainer_apply(m->trainer, &w->period[w->T], team, note));
}

static void positions(struct model *m, const struct window *w, double *out)
{
    for (int i = 0; i < w->period[w->T].n; i++) out[i] = (double)m->trainer->weights[i];
}

static int record(struct model *m, const double *returns, double *out)
{
    double *rest = trainer_record(m->trainer, returns[0], out);
#ifdef NETWORK_SEES
    seen(m, rest);
#else
    (void)rest;
#endif
    return 0;
}

static void monitor(struct model *m, struct fit_monitor *monitor)
{
    m->trainer->monitor = monitor;
}

static struct network *network(struct model *m)
{
    return m->trainer->net;
}

static void warm(struct model *m, bool may)
{
    m->trainer->warm = may;
}

static const struct trainable trainable = {.policy = training_policy,
                                           .monitor = monitor,
                                           .warm = warm,
                                           .apply = apply,
                                           .network = network,
                                           .shorten = training_shorten};

const struct model_class NETWORK_CLASS = {
    .name = NETWORK_NAME,
    .summary = NETWORK_SUMMARY,
    .options = options,
    .needs = NETWORK_NEEDS,
    .trades = TRADE_ASSETS,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
    .check = check,
    .trainable = &trainable,
#ifdef NETWORK_EXPLAINS
    .explain = &NETWORK_EXPLAINS,
#endif
};
