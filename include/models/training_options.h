/* How a network is trained: the options that all networks share, what they refuse, and what training records and costs. Options beyond
 * the paper are off by default. */
#ifndef MODELS_TRAINING_OPTIONS_H
#define MODELS_TRAINING_OPTIONS_H

#include "models/model.h"
#include "nn/training.h"

/* The same options for every network: append these to a class's table, read them back. */
#define TRAINING_OPTIONS TRAINING_OPTIONS_FOR("msrr", "msrr")
/* `default` is a name for what a class chooses by its other options (training.objective.loss is then the caller's to set). */
#define TRAINING_OPTIONS_FOR(first, words_of_default)                                                                       \
    INT_OPTION("seeds", "1", 1, 1000, "independent fits, averaged"),                                                        \
        INT_OPTION("epochs", "20", 0, 1e6, "passes over the window"),                                                       \
        REAL_OPTION("learning_rate", "1.0e-4", 0, 1e3, "Adam's step size"),                                                 \
        WORD_OPTION("objective", first, words_of_default "|mse|cross_entropy|mean_return|sharpe",                           \
                    "(1 - w'R)^2, |R - y|^2, classes, -w'R, or -mean/sd of w'R over a rollout"),                            \
        INT_OPTION("rollout", "0", 0, 1e5, "consecutive periods of a step; 0: 1, or 12 where the objective is sharpe"),     \
        INT_OPTION("batch", "0", 0, 1e5, "periods of a step, drawn at random anew in every epoch; 0: rollouts"),            \
        WORD_OPTION("schedule", "constant", "constant|cosine|linear|plateau",                                               \
                    "how the learning rate falls: to zero, or where the loss no longer falls"),                             \
        INT_OPTION("plateau_patience", "5", 1, 1e5,                                                                         \
                   "schedule plateau: epochs without improvement (held out, else training loss)"),                          \
        REAL_OPTION("plateau_factor", "0.5", 1e-6, 1, "schedule plateau: what the rate is multiplied with then"),           \
        REAL_OPTION("weight_decay", "0", 0, 1e3, "decoupled weight decay"),                                                 \
        REAL_OPTION("clip", "0", 0, 1e9, "largest gradient norm; 0: any"),                                                  \
        INT_OPTION("early_stopping", "0", 0, 1e5, "last periods of the window kept for stopping; 0: none"),                 \
        INT_OPTION("patience", "3", 1, 1e5, "epochs without improvement before stopping"),                                  \
        REAL_OPTION("dropout", "0", 0, 0.95, "share of hidden units silenced in training"),                                 \
        BOOL_OPTION("shuffle", "false", "periods in random order, anew in every epoch"),                                    \
        BOOL_OPTION("warm_start", "false", "begin at the previous window's parameters"),                                    \
        WORD_OPTION("start_from", "none", NULL,                                                                             \
                    "RESULTS.parameters of another run: fits begin at the latest saved by then"),                           \
        INT_OPTION("refit_every", "1", 1, 1e6, "periods between fits; in between the last fit's parameters serve"),         \
        BOOL_OPTION("save_parameters", "false", "keep the parameters of every fit")
struct training training_options(const struct values *v);
/* The part of struct trainable that these options decide. */
struct fit_policy training_policy(const struct values *v);
void training_shorten(double seconds, struct shape *s, struct values *v);
/* Sets the objective that the options left open, and what follows from it (the length of a rollout). */
void training_settle(struct training *t, enum loss loss);
/* Refuse what makes no sense together. */
int training_check(const struct training *t, const struct shape *s, struct error *e);
/* Fields of a network's row: returns, returns_by_seed, training_loss, restarts. */
void training_layout(const struct training *t, struct layout *l);
/* Cost of a fit whose forward pass over max_assets takes `flops`; rate in flops per second. */
void training_cost(const struct training *t, const struct shape *s, double flops, double bytes, struct cost *c);

#endif
