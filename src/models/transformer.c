/* The nonlinear portfolio transformer                                                                          (13)-(21)
 *     A(Y) = sum_h softmax_rows(Y W_h Y') Y V_h;   Z = Y + A(Y);   Y <- Z + relu(Z W1 + 1 b1') W2 + 1 b2';   w = Y lambda
 * and what is left of it without one of its parts: without attention Z = Y, without a feed-forward layer Y <- Z, without residuals
 * Z = A(Y) and Y <- relu(Z W1 + 1 b1') W2 + 1 b2'; other attention as in nn/portfolio_attention.h. */
#include <math.h>
#include <string.h>

#include "models/networks.h"
#include "models/network_model.h"
#include "nn/portfolio_attention.h"

static const struct model_option options[] = {
    INT_OPTION("blocks", "1", 1, 1000, "transformer blocks K"),
    INT_OPTION("heads", "1", 0, 1000, "attention heads of a block"),
    WORD_OPTION(
        "attention", "softmax", "softmax|linear|none",
        "of an asset i to those it sees: weights that are a softmax of the scores y_i W y_j', or the scores over the number "
        "of those seen; none: a block is its feed-forward layer"),
    WORD_OPTION(
        "sees", "all", "all|own_group|own_size_group|none",
        "whom an asset attends to: all, those with its label (assets without one see each other), those of its size group, "
        "only itself"),
    WORD_OPTION("group", "sector", NULL, "sees own_group: the panel's group column"),
    INT_OPTION("feedforward", "256", 0, 65536, "hidden units of a block's feed-forward layer; 0: a block is its attention"),
    BOOL_OPTION("residual", "true",
                "whether attention and feed-forward layer add what they are given to what they make of it"),
    TRAINING_OPTIONS,
    {.key = NULL},
};

static bool says(const struct values *v, const char *key, const char *word)
{
    return !strcmp(values_word(v, key), word);
}

/* Heads of a block, 0: it has no attention; and the column of labels that attention keeps to, -1: the panel does not have it. */
static struct portfolio_attention_shape attention_of(const struct shape *s, const struct values *v)
{
    struct portfolio_attention_shape a = {.heads = says(v, "attention", "none") ? 0 : (int)values_int(v, "heads"),
                                          .linear = says(v, "attention", "linear"),
                                          .residual = values_bool(v, "residual"),
                                          .sees = says(v, "sees", "all")    ? SEES_ALL
                                                  : says(v, "sees", "none") ? SEES_ITSELF
                                                                            : SEES_GROUP};
    if (a.sees != SEES_GROUP) return a;
    a.column = says(v, "sees", "own_group") ? panel_group(s->panel, values_word(v, "group"))
               : s->panel->has_size_groups  ? PANEL_SIZE_GROUP
                                            : -1;
    a.labels = panel_labels(s->panel, a.column);
    return a;
}

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    struct training t = training_options(v);
    struct portfolio_attention_shape a = attention_of(s, v);
    bool attends = !says(v, "attention", "none");
    if (attends && !a.heads)
        return error_set(e, "found heads: 0; needed: 1 to 1000, or attention: none for blocks without attention");
    if (!attends && !values_int(v, "feedforward"))
        return error_set(e, "found attention: none with feedforward: 0, blocks of nothing; needed: one of the two");
    if (attends && a.column < 0 && says(v, "sees", "own_group"))
        return error_set(
            e,
            "found sees: own_group with the group column '%s', which the panel does not have; needed: one that aipm "
            "info PANEL lists (aipm ingest --ohlcv --groups FILE writes them)",
            values_word(v, "group"));
    if (attends && a.column < 0)
        return error_set(
            e, "found sees: own_size_group on a panel without size groups; needed: one with them (aipm info PANEL), or "
               "sees: own_group");
    return training_check(&t, s, e);
}

struct network *transformer_network(int D, int max_assets, int shards, int K, int df, struct portfolio_attention_shape a)
{
    struct network *n = network_open(D, 1, max_assets, shards);
    layer_input(n);
    a.of = K;
    for (a.k = 0; a.k < K; a.k++) {
        if (a.heads) layer_portfolio_attention(n, a);
        if (df)
            layer_feed_forward(n, (struct feed_forward_shape){.k = a.k,
                                                              .of = K,
                                                              .hidden = df,
                                                              .stream = a.k,
                                                              .deviation = {1 / sqrt(df), 1 / sqrt(D)},
                                                              .norm = -1,
                                                              .residual = a.residual});
    }
    layer_column(n, "lambda", NULL);
    return network_close(n);
}

static struct network *network(const struct shape *s, const struct values *v)
{
    return transformer_network(s->D, s->max_assets, s->shards, (int)values_int(v, "blocks"),
                               (int)values_int(v, "feedforward"), attention_of(s, v));
}

static const struct network_model model = {.training = training_options, .network = network};
static const struct explanation explanation = {
    .blocks = portfolio_attention_blocks, .heads = portfolio_attention_heads, .attention = portfolio_attention_read};

NETWORK_MODEL(
    transformer_class, model, .name = "transformer",
    .summary = "nonlinear portfolio transformer: blocks of attention across assets and a feed-forward layer (13)-(21)",
    .options = options, .needs = NEED_ROWS | NEED_GROUPS, .check = check, .explain = &explanation);
