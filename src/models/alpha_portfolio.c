/* AlphaPortfolio (Cong et al. 2020): each asset's history by an encoder of its own, winner scores by attention between assets, long the
 * highest and short the lowest, trained on the Sharpe ratio of rollouts. See models/encoder.h and models/objective.h. */
#include "encoder_options.h"

static const struct model_option options[] = {
    ENCODER_OPTIONS,
    {.key = "attention_size",
     .type = OPTION_INT,
     .fallback = "64",
     .low = 1,
     .high = 65536,
     .help = "width of queries, keys and values between assets"},
    {.key = "winners",
     .type = OPTION_INT,
     .fallback = "5",
     .low = 1,
     .high = 1e6,
     .help = "assets held long, and as many short; half of all where there are fewer"},
    TRAINING_OPTIONS_FOR("sharpe", "msrr"),
    {.key = NULL},
};

static struct training training_of(const struct values *v)
{
    struct training t = training_options(v);
    t.objective.position = POSITION_LONG_SHORT;
    t.objective.most = (int)values_int(v, "winners");
    return t;
}

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    struct training t = training_of(v);
    return encoder_check(s, v, e) || training_check(&t, s, e) ? -1 : 0;
}

static struct encoder_shape shape_of(const struct shape *s, const struct values *v)
{
    return encoder_options(s, v);
}

static int attention_heads(const struct encoder_shape *n)
{
    (void)n;
    return 1;
}

static int attention_size(const struct values *v)
{
    return (int)values_int(v, "attention_size");
}

static struct network *network_of(const struct encoder_shape *n, const struct values *v)
{
    return alpha_portfolio_network(n, attention_size(v));
}

#define NETWORK_SEES
#define NETWORK_NEEDS (NEED_ROWS | NEED_HISTORY)
#define NETWORK_CLASS alpha_portfolio_class
#define NETWORK_NAME  "alpha_portfolio"
#define NETWORK_SUMMARY                                                                                                     \
    "AlphaPortfolio: histories by an encoder, winner scores by attention between assets, long-short, Sharpe"
#include "encoder_class.h"
