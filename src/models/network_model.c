/* The model that every class of networks is: a trainer, and what is recorded of attention at each date. */
#include "models/network_model.h"

#include "base/memory.h"
#include "nn/trainer.h"

struct model {
    struct trainer *trainer;
    struct attention_recorder recorder; /* records nothing unless the class and the study say so */
};

static struct attention_recorder recorder_of(const struct network_model *m, const struct shape *s, const struct values *v)
{
    return m->recorder ? m->recorder(s, v) : (struct attention_recorder){0};
}

void network_model_cost(const struct network_model *m, const struct shape *s, const struct values *v, struct cost *c)
{
    struct training t = m->training(v);
    struct attention_recorder recorder = recorder_of(m, s, v);
    struct network *n = m->network(s, v);
    training_cost(&t, s, network_flops(n, s->max_assets), network_room(n, s->memory) + attention_recorder_bytes(&recorder),
                  c);
    network_destroy(n);
}

void network_model_layout(const struct network_model *m, const struct shape *s, const struct values *v, struct layout *l)
{
    struct training t = m->training(v);
    struct attention_recorder recorder = recorder_of(m, s, v);
    training_layout(&t, l);
    attention_recorder_layout(&recorder, l);
}

struct model *network_model_create(const struct network_model *spec, const struct shape *s, uint64_t seed,
                                   const struct values *v)
{
    struct model *m = memory_array(struct model, 1, "network model");
    struct training t = spec->training(v);
    m->trainer = trainer_create(spec->network(s, v), &t, s->T, s->memory, seed);
    m->recorder = recorder_of(spec, s, v);
    attention_recorder_create(&m->recorder);
    return m;
}

void network_model_destroy(struct model *m)
{
    attention_recorder_free(&m->recorder);
    trainer_destroy(m->trainer);
    memory_free(m);
}

static int recorded(struct model *m, const struct period *now, int code)
{
    if (!code && now->n) attention_recorder_capture(&m->recorder, m->trainer->net, now);
    return code;
}

int network_model_fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    return recorded(m, &w->period[w->T], trainer_fit(m->trainer, w, team, note));
}

static int apply(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    return recorded(m, &w->period[w->T], trainer_apply(m->trainer, &w->period[w->T], team, note));
}

void network_model_positions(struct model *m, const struct window *w, double *out)
{
    for (int i = 0; i < w->period[w->T].n; i++) out[i] = (double)m->trainer->weights[i];
}

int network_model_record(struct model *m, const double *returns, double *out)
{
    attention_recorder_record(&m->recorder, trainer_record(m->trainer, returns[0], out));
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

const struct trainable network_model_trainable = {.policy = training_policy,
                                                  .monitor = monitor,
                                                  .warm = warm,
                                                  .apply = apply,
                                                  .network = network,
                                                  .shorten = training_shorten};
