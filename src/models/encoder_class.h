/* The part of a model class that the models over sequences share; included at the end of their files, which define, beside what
 * network_class.h wants and check(),
 *     struct training training_of(values)             struct encoder_shape shape_of(shape, values)
 *     int attention_heads(encoder_shape)              heads between assets that can be read, 0: none
 *     int attention_size(values)                      AlphaPortfolio's; else 0
 *     struct network *network_of(encoder_shape, values) */
struct model {
    struct trainer *trainer;
    struct sight sight;
};

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    struct training t = training_of(v);
    struct encoder_shape n = shape_of(s, v);
    struct sight sight = sight_of(s, &n, attention_heads(&n), v);
    int size = attention_size(v);
    training_cost(&t, s, encoder_flops(&n, size, s->max_assets), encoder_room(s, &n, size) + sight_bytes(&sight), c);
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    struct training t = training_of(v);
    struct encoder_shape n = shape_of(s, v);
    struct sight sight = sight_of(s, &n, attention_heads(&n), v);
    training_layout(&t, l);
    sight_layout(&sight, l);
}

static struct network *network_for(const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    return network_of(&n, v);
}

static void prepare(struct model *m, const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    m->sight = sight_of(s, &n, attention_heads(&n), v);
    sight_create(&m->sight);
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

static const struct explanation explanation = {.recorded_by = "save_attention: mean or heads"};

#define NETWORK_EXPLAINS explanation
#define NETWORK_SEES
#define NETWORK_NEEDS (NEED_ROWS | NEED_HISTORY)
#include "network_class.h"
