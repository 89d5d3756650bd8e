/* How a network is trained: the options that all networks share, what they refuse, and what training records and costs. Options beyond
 * the paper are off by default. */
#ifndef MODELS_TRAINING_H
#define MODELS_TRAINING_H

#include "models/model.h"
#include "nn/training.h"

/* The same options for every network: append these to a class's table, read them back. */
#define TRAINING_OPTIONS TRAINING_OPTIONS_FOR("msrr", "msrr")
/* `default` is a name for what a class chooses by its other options (training.objective.loss is then the caller's to set). */
#define TRAINING_OPTIONS_FOR(first, words_of_default)                                                                       \
    {.key = "seeds", .type = OPTION_INT, .fallback = "1", .low = 1, .high = 1000, .help = "independent fits, averaged"},    \
        {.key = "epochs", .type = OPTION_INT, .fallback = "20", .low = 0, .high = 1e6, .help = "passes over the window"},   \
        {.key = "learning_rate",                                                                                            \
         .type = OPTION_REAL,                                                                                               \
         .fallback = "1.0e-4",                                                                                              \
         .low = 0,                                                                                                          \
         .high = 1e3,                                                                                                       \
         .help = "Adam's step size"},                                                                                       \
        {.key = "objective",                                                                                                \
         .type = OPTION_WORD,                                                                                               \
         .fallback = first,                                                                                                 \
         .words = words_of_default "|mse|cross_entropy|mean_return|sharpe",                                                 \
         .help = "(1 - w'R)^2, |R - y|^2, classes, -w'R, or -mean/sd of w'R over a rollout"},                               \
        {.key = "rollout",                                                                                                  \
         .type = OPTION_INT,                                                                                                \
         .fallback = "0",                                                                                                   \
         .low = 0,                                                                                                          \
         .high = 1e5,                                                                                                       \
         .help = "consecutive periods of a step; 0: 1, or 12 where the objective is sharpe"},                               \
        {.key = "schedule",                                                                                                 \
         .type = OPTION_WORD,                                                                                               \
         .fallback = "constant",                                                                                            \
         .words = "constant|cosine|linear|plateau",                                                                         \
         .help = "how the learning rate falls: to zero, or where the loss no longer falls"},                                \
        {.key = "plateau_patience",                                                                                         \
         .type = OPTION_INT,                                                                                                \
         .fallback = "5",                                                                                                   \
         .low = 1,                                                                                                          \
         .high = 1e5,                                                                                                       \
         .help = "schedule plateau: epochs without improvement (held out, else training loss)"},                            \
        {.key = "plateau_factor",                                                                                           \
         .type = OPTION_REAL,                                                                                               \
         .fallback = "0.5",                                                                                                 \
         .low = 1e-6,                                                                                                       \
         .high = 1,                                                                                                         \
         .help = "schedule plateau: what the rate is multiplied with then"},                                                \
        {.key = "weight_decay",                                                                                             \
         .type = OPTION_REAL,                                                                                               \
         .fallback = "0",                                                                                                   \
         .low = 0,                                                                                                          \
         .high = 1e3,                                                                                                       \
         .help = "decoupled weight decay"},                                                                                 \
        {.key = "clip",                                                                                                     \
         .type = OPTION_REAL,                                                                                               \
         .fallback = "0",                                                                                                   \
         .low = 0,                                                                                                          \
         .high = 1e9,                                                                                                       \
         .help = "largest gradient norm; 0: any"},                                                                          \
        {.key = "early_stopping",                                                                                           \
         .type = OPTION_INT,                                                                                                \
         .fallback = "0",                                                                                                   \
         .low = 0,                                                                                                          \
         .high = 1e5,                                                                                                       \
         .help = "last periods of the window kept for stopping; 0: none"},                                                  \
        {.key = "patience",                                                                                                 \
         .type = OPTION_INT,                                                                                                \
         .fallback = "3",                                                                                                   \
         .low = 1,                                                                                                          \
         .high = 1e5,                                                                                                       \
         .help = "epochs without improvement before stopping"},                                                             \
        {.key = "dropout",                                                                                                  \
         .type = OPTION_REAL,                                                                                               \
         .fallback = "0",                                                                                                   \
         .low = 0,                                                                                                          \
         .high = 0.95,                                                                                                      \
         .help = "share of hidden units silenced in training"},                                                             \
        {.key = "shuffle",                                                                                                  \
         .type = OPTION_BOOL,                                                                                               \
         .fallback = "false",                                                                                               \
         .help = "periods in random order, anew in every epoch"},                                                           \
        {.key = "warm_start",                                                                                               \
         .type = OPTION_BOOL,                                                                                               \
         .fallback = "false",                                                                                               \
         .help = "begin at the previous window's parameters"},                                                              \
        {.key = "refit_every",                                                                                              \
         .type = OPTION_INT,                                                                                                \
         .fallback = "1",                                                                                                   \
         .low = 1,                                                                                                          \
         .high = 1e6,                                                                                                       \
         .help = "periods between fits; in between the last fit's parameters serve"},                                       \
    {                                                                                                                       \
        .key = "save_parameters", .type = OPTION_BOOL, .fallback = "false", .help = "keep the parameters of every fit"      \
    }
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
