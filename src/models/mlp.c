/* The MLP that shuts attention off: each asset's weight from its own characteristics alone                        (9) */
#include "models/trainer.h"

static const struct model_option options[] = {
    {.key = "hidden",
     .type = OPTION_INTS,
     .fallback = "[256, 256, 256, 256]",
     .low = 1,
     .high = 65536,
     .help = "units of each hidden layer"},
    TRAINING_OPTIONS,
    {.key = NULL},
};

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    struct training t = training_options(v);
    int layers;
    values_list(v, "hidden", &layers);
    if (layers < 1 || layers > 32)
        return error_set(e, "found %d hidden layers; needed: hidden with the units of 1 to 32 of them, [256, 256]", layers);
    return training_check(&t, s, e);
}

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    int layers;
    const int *hidden = values_list(v, "hidden", &layers);
    struct training t = training_options(v);
    double units = padded(s->D), parameters = 0, in = s->D;
    for (int l = 0; l < layers; in = hidden[l++])
        units += 2. * padded(hidden[l]), parameters += (in + 1) * padded(hidden[l]);
    training_cost(&t, s, mlp_flops(s->D, layers, hidden, s->max_assets),
                  4 * (units * s->max_assets + (6. + s->shards) * parameters), c);
}

static struct training training_of(const struct values *v)
{
    return training_options(v);
}

static struct network *network_for(const struct shape *s, const struct values *v)
{
    int layers;
    const int *hidden = values_list(v, "hidden", &layers);
    return mlp_network(s->D, s->max_assets, s->shards, layers, hidden);
}

#define NETWORK_CLASS   mlp_class
#define NETWORK_NAME    "mlp"
#define NETWORK_SUMMARY "multi-layer perceptron: each stock by its own characteristics, nonlinearly (9)"
#include "network_class.h"
