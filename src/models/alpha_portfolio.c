/* AlphaPortfolio (Cong et al. 2020): each asset's history by an encoder of its own, winner scores by attention between assets, long the
 * highest and short the lowest, trained on the Sharpe ratio of rollouts. See models/encoder.h and nn/objective.h. */
#include "encoder_options.h"

static const struct model_option options[] = {
    ENCODER_OPTIONS,
    INT_OPTION("attention_size", "64", 1, 65536, "width of queries, keys and values between assets"),
    INT_OPTION("winners", "5", 1, 1e6, "assets held long, and as many short; half of all where there are fewer"),
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
    struct encoder_shape n = encoder_options(s, v);
    n.attention_size = (int)values_int(v, "attention_size");
    return n;
}

static struct network *network(const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    return encoder_network(&n);
}

static struct attention_recorder recorder(const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    return encoder_recorder(s, &n, 1, v);
}

static const struct network_model model = {training_of, network, recorder};
static const struct explanation explanation = {.recorded_by = "save_attention: mean or heads"};

NETWORK_MODEL(alpha_portfolio_class, model, .name = "alpha_portfolio",
              .summary = "AlphaPortfolio: histories by an encoder, winner scores by attention between assets, long-short, "
                         "Sharpe",
              .options = options, .needs = NEED_ROWS | NEED_HISTORY, .check = check, .explain = &explanation);
