/* The part of a model class that the models over sequences share; included at the end of their files, which define, beside what
 * network_class.h wants and check(),
 *     struct training training_of(values)             struct encoder_shape shape_of(shape, values)
 *     int attention_heads(encoder_shape)              heads between assets that can be read, 0: none
 *     int attention_size(values)                      AlphaPortfolio's; else 0
 *     struct network *network_of(encoder_shape, values) */
struct model {
    struct trainer *trainer;
    struct attention_recorder recorder;
};

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    struct training t = training_of(v);
    struct encoder_shape n = shape_of(s, v);
    struct attention_recorder recorder = attention_recorder_of(s, &n, attention_heads(&n), v);
    int size = attention_size(v);
    training_cost(&t, s, encoder_flops(&n, size, s->max_assets),
                  encoder_room(s, &n, size) + attention_recorder_bytes(&recorder), c);
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    struct training t = training_of(v);
    struct encoder_shape n = shape_of(s, v);
    struct attention_recorder recorder = attention_recorder_of(s, &n, attention_heads(&n), v);
    training_layout(&t, l);
    attention_recorder_layout(&recorder, l);
}

static struct network *network_for(const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    return network_of(&n, v);
}

static void prepare(struct model *m, const struct shape *s, const struct values *v)
{
    struct encoder_shape n = shape_of(s, v);
    m->recorder = attention_recorder_of(s, &n, attention_heads(&n), v);
    attention_recorder_create(&m->recorder);
}

static void see(struct model *m, const struct period *now)
{
    attention_recorder_capture(&m->recorder, m->trainer->net, now);
}

static void seen(const struct model *m, double *record)
{
    attention_recorder_record(&m->recorder, record);
}

static void forget(struct model *m)
{
    attention_recorder_free(&m->recorder);
}

static const struct explanation explanation = {.recorded_by = "save_attention: mean or heads"};

#define NETWORK_EXPLAINS explanation
#define NETWORK_SEES
#define NETWORK_NEEDS (NEED_ROWS | NEED_HISTORY)
#include "network_class.h"
