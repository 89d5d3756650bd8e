/* What all classes that train a network share. A class states how its options become training and layers, and NETWORK_MODEL makes the
 * model_class of it. */
#ifndef MODELS_NETWORK_MODEL_H
#define MODELS_NETWORK_MODEL_H

#include "models/attention_recorder.h"
#include "models/training_options.h"
#include "nn/network.h"

struct network_model {
    struct training (*training)(const struct values *);
    struct network *(*network)(const struct shape *, const struct values *); /* described, without parameters */
    /* What is recorded of attention at every date; NULL: nothing. */
    struct attention_recorder (*recorder)(const struct shape *, const struct values *);
};

void network_model_cost(const struct network_model *, const struct shape *, const struct values *, struct cost *);
void network_model_layout(const struct network_model *, const struct shape *, const struct values *, struct layout *);
struct model *network_model_create(const struct network_model *, const struct shape *, uint64_t seed, const struct values *);
void network_model_destroy(struct model *);
int network_model_fit(struct model *, const struct window *, struct team *, struct fit_note *);
void network_model_positions(struct model *, const struct window *, double *out);
int network_model_record(struct model *, const double *returns, double *out);
extern const struct trainable network_model_trainable;

/* symbol: of the class; `spec` a struct network_model; further fields of the class may follow. */
#define NETWORK_MODEL(symbol, spec, ...)                                                                                    \
    static void symbol##_cost(const struct shape *s, const struct values *v, struct cost *c)                                \
    {                                                                                                                       \
        network_model_cost(&(spec), s, v, c);                                                                               \
    }                                                                                                                       \
    static void symbol##_layout(const struct shape *s, const struct values *v, struct layout *l)                            \
    {                                                                                                                       \
        network_model_layout(&(spec), s, v, l);                                                                             \
    }                                                                                                                       \
    static struct model *symbol##_create(const struct shape *s, uint64_t seed, const struct values *v)                      \
    {                                                                                                                       \
        return network_model_create(&(spec), s, seed, v);                                                                   \
    }                                                                                                                       \
    const struct model_class symbol = {.trades = TRADE_ASSETS,                                                              \
                                       .cost = symbol##_cost,                                                               \
                                       .layout = symbol##_layout,                                                           \
                                       .create = symbol##_create,                                                           \
                                       .destroy = network_model_destroy,                                                    \
                                       .fit = network_model_fit,                                                            \
                                       .positions = network_model_positions,                                                \
                                       .record = network_model_record,                                                      \
                                       .trainable = &network_model_trainable,                                               \
                                       __VA_ARGS__}

#endif
