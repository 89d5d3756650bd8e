/* The MLP that shuts attention off: each asset's weight from its own characteristics alone                        (9) */
#include <stdio.h>

#include "models/networks.h"
#include "models/network_model.h"
#include "nn/layer.h"

static const struct model_option options[] = {
    INTS_OPTION("hidden", "[256, 256, 256, 256]", 1, 65536, "units of each hidden layer"),
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

struct network *mlp_network(int D, int max_assets, int shards, int layers, const int *hidden)
{
    struct network *n = network_open(D, 1, max_assets, shards);
    char weight[24], bias[24];
    layer_input(n);
    for (int l = 0; l <= layers; l++) {
        snprintf(weight, sizeof weight, "weight_%d", l);
        snprintf(bias, sizeof bias, "bias_%d", l);
        if (l < layers) layer_dense(n, weight, bias, hidden[l], true, l);
        else layer_column(n, weight, bias);
    }
    return network_close(n);
}

static struct network *network(const struct shape *s, const struct values *v)
{
    int layers;
    const int *hidden = values_list(v, "hidden", &layers);
    return mlp_network(s->D, s->max_assets, s->shards, layers, hidden);
}

static const struct network_model model = {.training = training_options, .network = network};

NETWORK_MODEL(mlp_class, model, .name = "mlp",
              .summary = "multi-layer perceptron: each stock by its own characteristics, nonlinearly (9)",
              .options = options, .needs = NEED_ROWS, .check = check);
