/* What models over sequences record of the attention between assets, beside a trainer's fields. */
#ifndef MODELS_ATTENTION_RECORDER_H
#define MODELS_ATTENTION_RECORDER_H

#include "models/model.h"

struct network;

/* Fields `attention` [H, A, A], `lag_weights`, `sector_attention`; all numbers 0: nothing is recorded. */
struct attention_recorder {
    const struct panel_meta *panel;
    int heads, of;     /* H recorded (0: none, 1: the mean), heads the network has */
    int lags, sectors; /* numbers of lag_weights; rows of sector_attention; 0: none */
    int most;          /* assets of a period */
    float *raw;        /* [of, most, most] */
    double *attention, *lag, *sector;
};
void attention_recorder_layout(const struct attention_recorder *s, struct layout *l);
double attention_recorder_bytes(const struct attention_recorder *s);
void attention_recorder_create(struct attention_recorder *s);
void attention_recorder_free(struct attention_recorder *s);
void attention_recorder_capture(struct attention_recorder *s, struct network *n,
                                const struct period *now); /* collective; after a forward pass of now */
void attention_recorder_record(const struct attention_recorder *s, double *record);

#endif
