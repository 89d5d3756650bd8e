/* The part of a model class that all networks share; included at the end of their files, which define NETWORK_CLASS, NETWORK_NAME,
 * NETWORK_SUMMARY and struct model { struct trainer *trainer; ... }. Those that record more than the trainer does define NETWORK_SEES and
 *     static void see(struct model *, const struct period *now)      after a fit that went well, collective
 *     static void seen(const struct model *, double *record)         the rest of the record
 *     static void forget(struct model *)                             frees what they keep */

#ifndef NETWORK_NEEDS
#define NETWORK_NEEDS NEED_ROWS
#endif

static void destroy(struct model *m)
{
#ifdef NETWORK_SEES
    forget(m);
#endif
    trainer_destroy(m->trainer);
    memory_free(m);
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    int rc = trainer_fit(m->trainer, w, team, note);
#ifdef NETWORK_SEES
    if (!rc && w->period[w->T].n) see(m, &w->period[w->T]);
#endif
    return rc;
}

static void positions(struct model *m, const struct window *w, double *out)
{
    for (int i = 0; i < w->period[w->T].n; i++) out[i] = (double)m->trainer->weights[i];
}

static void record(struct model *m, const double *returns, double *out)
{
    double *rest = trainer_record(m->trainer, returns[0], out);
#ifdef NETWORK_SEES
    seen(m, rest);
#else
    (void)rest;
#endif
}

static int chosen(const struct model *m)
{
    (void)m;
    return 0;
}

static void watch(struct model *m, struct fit_watch *w)
{
    m->trainer->watch = w;
}

static struct network *network(struct model *m)
{
    return m->trainer->net;
}

static void warm(struct model *m, bool may)
{
    m->trainer->warm = may;
}

const struct model_class NETWORK_CLASS = {
    .name = NETWORK_NAME,
    .summary = NETWORK_SUMMARY,
    .options = options,
    .needs = NETWORK_NEEDS,
    .trades = TRADE_ASSETS,
    .check = check,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
    .chosen = chosen,
    .watch = watch,
    .network = network,
    .warm = warm,
};
