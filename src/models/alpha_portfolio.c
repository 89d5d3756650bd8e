/* AlphaPortfolio (Cong et al. 2020): each asset's history by an encoder of its own, winner scores by attention between assets, long the
 * highest and short the lowest, trained on the Sharpe ratio of rollouts. See models/encoder.h and models/objective.h. */
#include "base/memory.h"
#include "encoder_options.h"

struct model {
    struct trainer *trainer;
    struct sight sight;
};

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

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    struct training t = training_of(v);
    struct encoder_shape n = encoder_options(s, v);
    struct sight sight = sight_of(s, &n, 1, v);
    int size = (int)values_int(v, "attention_size");
    training_cost(&t, s, encoder_flops(&n, size, s->max_assets), encoder_room(s, &n, size) + sight_bytes(&sight), c);
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    struct training t = training_of(v);
    struct encoder_shape n = encoder_options(s, v);
    struct sight sight = sight_of(s, &n, 1, v);
    training_layout(&t, l);
    sight_layout(&sight, l);
}

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    struct model *m = memory_array(struct model, 1, "AlphaPortfolio");
    struct training t = training_of(v);
    struct encoder_shape n = encoder_options(s, v);
    m->trainer = trainer_create(alpha_portfolio_network(&n, (int)values_int(v, "attention_size")), &t, s, seed);
    m->sight = sight_of(s, &n, 1, v);
    sight_create(&m->sight);
    return m;
}

static void see(struct model *m, const struct period *now)
{
    sight_see(&m->sight, m->trainer->net, now);
}

static void seen(const struct model *m, double *record)
{
    sight_record(&m->sight, record);
}

static void forget(struct model *m)
{
    sight_free(&m->sight);
}

#define NETWORK_SEES
#define NETWORK_NEEDS (NEED_ROWS | NEED_HISTORY)
#define NETWORK_CLASS alpha_portfolio_class
#define NETWORK_NAME  "alpha_portfolio"
#define NETWORK_SUMMARY                                                                                                     \
    "AlphaPortfolio: histories by an encoder, winner scores by attention between assets, long-short, Sharpe"
#include "network_class.h"
