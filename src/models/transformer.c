/* The nonlinear portfolio transformer as a model: see transformer_network.c for what it computes. */
#include "models/trainer.h"

static const struct model_option options[] = {
    {.key = "blocks", .type = OPTION_INT, .fallback = "1", .low = 1, .high = 1000, .help = "transformer blocks K"},
    {.key = "heads", .type = OPTION_INT, .fallback = "1", .low = 1, .high = 1000, .help = "attention heads of a block"},
    {.key = "feedforward",
     .type = OPTION_INT,
     .fallback = "256",
     .low = 1,
     .high = 65536,
     .help = "hidden units of a block's feed-forward layer"},
    TRAINING_OPTIONS,
    {.key = NULL},
};

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    struct training t = training_options(v);
    return training_check(&t, s, e);
}

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    int K = (int)values_int(v, "blocks"), H = (int)values_int(v, "heads"), df = (int)values_int(v, "feedforward");
    struct training t = training_options(v);
    double fixed = transformer_bytes(s->D, s->max_assets, s->shards, 1, K, H, df);
    double keep = transformer_keep_bytes(s->max_assets, s->shards, K, H);
    if (fixed + keep > (double)s->memory) keep = (double)s->memory > fixed ? (double)s->memory - fixed : 0;
    training_cost(&t, s, transformer_flops(s->D, K, H, df, s->max_assets), fixed + keep, c);
}

static struct training training_of(const struct values *v)
{
    return training_options(v);
}

static struct network *network_for(const struct shape *s, const struct values *v)
{
    return transformer_network(s->D, s->max_assets, s->shards, (int)values_int(v, "blocks"), (int)values_int(v, "heads"),
                               (int)values_int(v, "feedforward"));
}

static const struct explanation explanation = {
    .blocks = transformer_blocks, .heads = transformer_heads, .attention = transformer_attention};

#define NETWORK_EXPLAINS explanation
#define NETWORK_CLASS    transformer_class
#define NETWORK_NAME     "transformer"
#define NETWORK_SUMMARY                                                                                                     \
    "nonlinear portfolio transformer: blocks of attention across assets and a feed-forward layer (13)-(21)"
#include "network_class.h"
