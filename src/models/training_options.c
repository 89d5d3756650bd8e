/* The options that all networks share: read, checked, and turned into what a fit records and costs. */
#include "models/training_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "nn/trainer.h"

static int word_index(const char *word, const char *const *words)
{
    int i = 0;
    while (strcmp(word, words[i])) i++;
    return i;
}

void training_settle(struct training *t, enum loss loss)
{
    t->objective.loss = loss;
    if (!t->rollout) t->rollout = loss == LOSS_SHARPE && !t->batch ? 12 : 1;
}

struct fit_policy training_policy(const struct values *v)
{
    const char *from = values_word(v, "start_from");
    return (struct fit_policy){.refit_every = (int)values_int(v, "refit_every"),
                               .start_from = strcmp(from, "none") ? from : NULL,
                               .warm_start = values_bool(v, "warm_start"),
                               .save_parameters = values_bool(v, "save_parameters")};
}

struct training training_options(const struct values *v)
{
    static const char *const schedules[] = {"constant", "cosine", "linear", "plateau"}, *const losses[] = {
                                                                                            "msrr",          "mse",
                                                                                            "cross_entropy", "mean_return",
                                                                                            "sharpe",        "default"};
    struct training t = {.seeds = (int)values_int(v, "seeds"),
                         .epochs = (int)values_int(v, "epochs"),
                         .rate = values_real(v, "learning_rate"),
                         .rollout = (int)values_int(v, "rollout"),
                         .batch = (int)values_int(v, "batch"),
                         .plateau = (int)values_int(v, "plateau_patience"),
                         .factor = values_real(v, "plateau_factor"),
                         .decay = values_real(v, "weight_decay"),
                         .clip = values_real(v, "clip"),
                         .hold_out = (int)values_int(v, "early_stopping"),
                         .patience = (int)values_int(v, "patience"),
                         .dropout = values_real(v, "dropout"),
                         .shuffle = values_bool(v, "shuffle"),
                         .policy = training_policy(v)};
    t.schedule = (enum rate_schedule)word_index(values_word(v, "schedule"), schedules);
    t.objective.loss = (enum loss)word_index(values_word(v, "objective"), losses);
    if (t.objective.loss <= LOSS_SHARPE) training_settle(&t, t.objective.loss);
    return t;
}

void training_shorten(double seconds, struct shape *s, struct values *v)
{
    double epochs = fmax(1, (double)values_int(v, "epochs")), most = 0.5 / seconds * epochs; /* epochs in half a second */
    int T = (int)fmax(2, fmin(s->T, floor(most * s->T)));
    if (epochs > 1) values_set(v, "epochs", fmax(1, fmin(epochs, floor(most))));
    values_set(v, "early_stopping", floor((double)values_int(v, "early_stopping") * T / s->T));
    values_set(v, "refit_every", 1);
    s->T = T;
}

int training_check(const struct training *t, const struct shape *s, struct error *e)
{
    if (t->hold_out >= s->T)
        return error_set(
            e, "found early_stopping: %d with a window of %d periods; needed: fewer, so that some are left to train on",
            t->hold_out, s->T);
    if (t->batch && t->rollout > 1)
        return error_set(e, "found batch: %d with rollout: %d; needed: one of the two", t->batch, t->rollout);
    int length = t->batch ? t->batch : t->rollout;
    if (t->objective.loss == LOSS_SHARPE && length < 2)
        return error_set(e, "found objective: sharpe with %s: %d; needed: 2 periods or more, a Sharpe ratio of one is none",
                         t->batch ? "batch" : "rollout", length);
    if (t->objective.loss == LOSS_SHARPE && (s->T - t->hold_out < 2 || t->hold_out == 1))
        return error_set(e,
                         "found objective: sharpe with %d periods to train on and %d held out; needed: 2 or more of each "
                         "(or none held out)",
                         s->T - t->hold_out, t->hold_out);
    if (t->objective.position == POSITION_NONE && t->objective.loss == LOSS_MEAN_RETURN)
        return error_set(e,
                         "found objective: mean_return with weights of any size, which it makes infinite; needed: weights "
                         "that are bounded (position: softmax or tanh), or the objective sharpe or msrr");
    if (t->objective.loss == LOSS_CROSS_ENTROPY && t->objective.position != POSITION_DIRECTION)
        return error_set(
            e, "found objective: cross_entropy; needed: a model of kind cross_attention with output: direction, whose three "
               "classes it is of");
    if (t->objective.loss == LOSS_MSE && t->objective.position != POSITION_NONE && t->objective.position != POSITION_RETURN)
        return error_set(
            e, "found objective: mse; needed: a model whose output is a forecast of returns or weights of any size");
    return 0;
}

void training_layout(const struct training *t, struct layout *l)
{
    *l = (struct layout){.variants = 1, .seeds = t->seeds};
    layout_field(
        l, (struct field){.name = "returns", .unit = "decimal", .meaning = "out-of-sample SDF return, mean over seeds"});
    layout_field(l, (struct field){.name = "returns_by_seed",
                                   .unit = "decimal",
                                   .meaning = "out-of-sample SDF return of each seed",
                                   .per_seed = true});
    layout_field(l, (struct field){.name = "restarts",
                                   .unit = "count",
                                   .meaning = "times the fit diverged and began again at half the learning rate",
                                   .per_seed = true});
    if (!t->epochs) return;
    double *epoch = memory_array(double, t->epochs, "epochs");
    for (int i = 0; i < t->epochs; i++) epoch[i] = i + 1;
    layout_field(l, (struct field){.name = "training_loss",
                                   .unit = "",
                                   .meaning = "mean loss over the periods of each epoch",
                                   .dim = {{"epoch", t->epochs}},
                                   .per_seed = true});
    layout_constant(l, (struct constant){.name = "epoch",
                                         .unit = "1",
                                         .meaning = "epochs of training, from 1",
                                         .dimension = "epoch",
                                         .n = t->epochs,
                                         .value = epoch});
    memory_free(epoch);
}

void training_cost(const struct training *t, const struct shape *s, double flops, double bytes, struct cost *c)
{
    /* a step costs one forward pass and twice that backward; a Sharpe ratio costs one more pass, because its derivative
     * waits for the whole rollout; then one pass for the weights of now; fits happen every refit_every rows */
    double passes = t->objective.loss == LOSS_SHARPE ? 4 : 3, n = s->max_assets,
           rollout = t->batch     ? t->batch
                     : t->rollout ? t->rollout
                                  : 1;
    double own = sizeof(struct trainer) + 4 * (2 * (n * objective_outputs(&t->objective) + 1) + n + s->T) +
                 8 * (objective_workspace(s->max_assets) + 4 * (2 * rollout + s->T) + t->epochs); /* trainer_create */
    *c = (struct cost){
        .flops = flops * ((passes * t->epochs * (s->T - t->hold_out) + t->epochs * t->hold_out) / t->policy.refit_every + 1),
        .bytes = bytes + own};
    c->seconds = c->flops / 1e11; /* measured: bench_transformer; the schedule corrects it by what it sees */
}
