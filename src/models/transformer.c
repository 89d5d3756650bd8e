/* The nonlinear portfolio transformer                                                                          (13)-(21)
 *     A(Y) = sum_h softmax_rows(Y W_h Y') Y V_h;   Z = Y + A(Y);   Y <- Z + relu(Z W1 + 1 b1') W2 + 1 b2';   w = Y lambda */
#include <math.h>

#include "models/networks.h"
#include "models/network_model.h"
#include "nn/portfolio_attention.h"

static const struct model_option options[] = {
    INT_OPTION("blocks", "1", 1, 1000, "transformer blocks K"),
    INT_OPTION("heads", "1", 1, 1000, "attention heads of a block"),
    INT_OPTION("feedforward", "256", 1, 65536, "hidden units of a block's feed-forward layer"),
    TRAINING_OPTIONS,
    {.key = NULL},
};

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    struct training t = training_options(v);
    return training_check(&t, s, e);
}

struct network *transformer_network(int D, int max_assets, int shards, int K, int H, int df)
{
    struct network *n = network_open(D, 1, max_assets, shards);
    layer_input(n);
    for (int k = 0; k < K; k++) {
        layer_portfolio_attention(n, (struct portfolio_attention_shape){.k = k, .of = K, .heads = H});
        layer_feed_forward(n, (struct feed_forward_shape){.k = k,
                                                          .of = K,
                                                          .hidden = df,
                                                          .stream = k,
                                                          .deviation = {1 / sqrt(df), 1 / sqrt(D)},
                                                          .norm = -1,
                                                          .residual = true});
    }
    layer_column(n, "lambda", NULL);
    return network_close(n);
}

static struct network *network(const struct shape *s, const struct values *v)
{
    return transformer_network(s->D, s->max_assets, s->shards, (int)values_int(v, "blocks"), (int)values_int(v, "heads"),
                               (int)values_int(v, "feedforward"));
}

static const struct network_model model = {.training = training_options, .network = network};
static const struct explanation explanation = {
    .blocks = portfolio_attention_blocks, .heads = portfolio_attention_heads, .attention = portfolio_attention_read};

NETWORK_MODEL(
    transformer_class, model, .name = "transformer",
    .summary = "nonlinear portfolio transformer: blocks of attention across assets and a feed-forward layer (13)-(21)",
    .options = options, .needs = NEED_ROWS, .check = check, .explain = &explanation);
