/* Cross-attention over sequences of assets as a model: see models/encoder.h for what the network computes, nn/objective.h for what it
 * is trained for and how its outputs become a portfolio. */
#include <string.h>

#include "encoder_options.h"

static const struct model_option options[] = {
    ENCODER_OPTIONS,
    WORD_OPTION(
        "cross", "full", "none|full|lagged|hierarchical",
        "attention between assets: none, on states of now, on states of now and before, on assets, sectors and markets"),
    WORD_OPTION("pool", "mean", "mean|last", "an asset's state between assets: mean over its steps, or the last step"),
    INT_OPTION("max_lag", "5", 0, 1000, "cross lagged: lags 0 .. max_lag"),
    BOOL_OPTION("include_self", "true", "whether an asset attends to itself, too"),
    WORD_OPTION("sector", "sector", NULL, "cross hierarchical: the panel's group column"),
    WORD_OPTION("market", "market", NULL, "cross hierarchical: the panel's group column"),
    WORD_OPTION("output", "weights", "weights|return|direction",
                "what the network gives: weights, a forecast of the return, or of down, neutral, up"),
    WORD_OPTION("position", "none", "none|softmax|tanh",
                "output weights: of any size, long only with sum 1, or tanh(y) / n"),
    REAL_OPTION("dead_zone", "0.005", 0, 10, "output direction: returns this close to 0 are neutral, decimal"),
    TRAINING_OPTIONS_FOR("default", "default|msrr"),
    {.key = NULL},
};

/* Left to itself: msrr for an SDF's weights, sharpe for weights whose size is bounded, else the loss of the forecast. */
static struct training training_of(const struct values *v)
{
    static const enum loss first[] = {LOSS_MSRR, LOSS_SHARPE, LOSS_SHARPE, LOSS_MSE, LOSS_CROSS_ENTROPY};
    struct training t = training_options(v);
    const char *output = values_word(v, "output"), *position = values_word(v, "position");
    t.objective.position = !strcmp(output, "return")      ? POSITION_RETURN
                           : !strcmp(output, "direction") ? POSITION_DIRECTION
                           : !strcmp(position, "softmax") ? POSITION_SOFTMAX
                           : !strcmp(position, "tanh")    ? POSITION_TANH
                                                          : POSITION_NONE;
    t.objective.dead_zone = values_real(v, "dead_zone");
    if (!strcmp(values_word(v, "objective"), "default")) training_settle(&t, first[t.objective.position]);
    return t;
}

static struct encoder_shape shape_of(const struct shape *s, const struct values *v)
{
    static const char *const words[] = {"none", "full", "lagged", "hierarchical"};
    struct encoder_shape n = encoder_options(s, v);
    struct training t = training_of(v);
    while (strcmp(values_word(v, "cross"), words[n.cross])) n.cross++;
    n.pool_mean = !strcmp(values_word(v, "pool"), "mean");
    n.max_lag = n.cross == CROSS_LAGGED ? (int)values_int(v, "max_lag") : 0;
    n.include_self = values_bool(v, "include_self");
    n.outputs = objective_outputs(&t.objective);
    if (n.cross != CROSS_HIERARCHICAL) return n;
    n.sector = panel_group(s->panel, values_word(v, "sector"));
    n.market = panel_group(s->panel, values_word(v, "market"));
    n.sector_labels = n.sector < 0 ? 0 : s->panel->labels[n.sector];
    n.market_labels = n.market < 0 ? 0 : s->panel->labels[n.market];
    return n;
}

static int attention_heads(const struct encoder_shape *n)
{
    return n->cross == CROSS_NONE ? 0 : n->heads;
}

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    struct training t = training_of(v);
    struct encoder_shape n = shape_of(s, v);
    if (encoder_check(s, v, e)) return -1;
    if (n.cross == CROSS_LAGGED && n.max_lag >= n.L)
        return error_set(e, "found max_lag: %d with lookback: %d; needed: fewer", n.max_lag, n.L);
    if (n.cross == CROSS_HIERARCHICAL && (n.sector < 0 || n.market < 0))
        return error_set(e,
                         "found cross: hierarchical with the group columns '%s' and '%s', of which the panel has no '%s'; "
                         "needed: columns that aipm info PANEL lists (aipm ingest --ohlcv --groups FILE writes them)",
                         values_word(v, "sector"), values_word(v, "market"),
                         values_word(v, n.sector < 0 ? "sector" : "market"));
    if (strcmp(values_word(v, "output"), "weights") && strcmp(values_word(v, "position"), "none"))
        return error_set(e, "found position: %s with output: %s; needed: output: weights (a forecast has its own rule)",
                         values_word(v, "position"), values_word(v, "output"));
    if (!attention_heads(&n) && strcmp(values_word(v, "save_attention"), "none"))
        return error_set(e, "found save_attention with cross: none; needed: attention between assets");
    return training_check(&t, s, e);
}

static struct network *network(const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    return encoder_network(&n);
}

static struct attention_recorder recorder(const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    return encoder_recorder(s, &n, attention_heads(&n), v);
}

static const struct network_model model = {training_of, network, recorder};
static const struct explanation explanation = {.recorded_by = "save_attention: mean or heads"};

NETWORK_MODEL(cross_attention_class, model, .name = "cross_attention",
              .summary = "encoder over each asset's history by attention or recurrence, attention between assets: full, "
                         "lagged or hierarchical",
              .options = options, .needs = NEED_ROWS | NEED_HISTORY | NEED_GROUPS, .check = check, .explain = &explanation);
