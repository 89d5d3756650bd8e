/* Options that the models over sequences share, and what they record of their attention. */
#ifndef MODELS_ENCODER_OPTIONS_H
#define MODELS_ENCODER_OPTIONS_H

#include "models/encoder.h"
#include "models/trainer.h"

#define ENCODER_OPTIONS                                                                                                     \
    {.key = "lookback", .type = OPTION_INT, .fallback = "20", .low = 1, .high = 10000, .help = "steps of history L"},       \
        {.key = "d_model", .type = OPTION_INT, .fallback = "64", .low = 1, .high = 4096, .help = "width of the encoder d"}, \
        {.key = "heads", .type = OPTION_INT, .fallback = "4", .low = 1, .high = 256, .help = "attention heads of d / H"},   \
        {.key = "layers", .type = OPTION_INT, .fallback = "2", .low = 1, .high = 100, .help = "encoder layers K"},          \
        {.key = "feedforward",                                                                                              \
         .type = OPTION_INT,                                                                                                \
         .fallback = "256",                                                                                                 \
         .low = 1,                                                                                                          \
         .high = 65536,                                                                                                     \
         .help = "hidden units of a layer's feed-forward part"},                                                            \
        {.key = "kernel",                                                                                                   \
         .type = OPTION_INT,                                                                                                \
         .fallback = "1",                                                                                                   \
         .low = 1,                                                                                                          \
         .high = 1000,                                                                                                      \
         .help = "steps the embedding looks at: 1 linear, more a convolution over time"},                                   \
        {.key = "temporal",                                                                                                 \
         .type = OPTION_WORD,                                                                                               \
         .fallback = "full",                                                                                                \
         .words = "full|causal",                                                                                            \
         .help = "attention over steps: all, or up to the step itself"},                                                    \
    {                                                                                                                       \
        .key = "save_attention", .type = OPTION_WORD, .fallback = "none", .words = "none|mean|heads",                       \
        .help = "keep the last layer's attention between assets at every date: mean over heads, or each"                    \
    }

/* The shape by these options, cross-asset attention left out. */
struct encoder_shape encoder_options(const struct shape *s, const struct values *v);
/* Bytes of the network on one rank: everything kept if the study's memory allows, else as much as it does. */
double encoder_room(const struct shape *s, const struct encoder_shape *n, int attention_size);
/* Refuse heads that do not divide d_model, a kernel beyond the lookback, attention to be saved of a panel that does not allow it. */
int encoder_check(const struct shape *s, const struct values *v, struct error *e);

/* What is recorded of the attention at a date, beside a trainer's fields: `attention` [H, A, A], `lag_weights`, `sector_attention`. */
struct attention_recorder {
    const struct panel_meta *panel;
    int heads, of;     /* H recorded (0: none, 1: the mean), heads the network has */
    int lags, sectors; /* numbers of lag_weights; rows of sector_attention; 0: none */
    int most;          /* assets of a period */
    float *raw;        /* [of, most, most] */
    double *attention, *lag, *sector;
};
struct attention_recorder attention_recorder_of(const struct shape *s, const struct encoder_shape *n, int of,
                                                const struct values *v);
void attention_recorder_layout(const struct attention_recorder *s, struct layout *l);
double attention_recorder_bytes(const struct attention_recorder *s);
void attention_recorder_create(struct attention_recorder *s);
void attention_recorder_free(struct attention_recorder *s);
void attention_recorder_capture(struct attention_recorder *s, struct network *n,
                                const struct period *now); /* collective; after a forward pass of now */
void attention_recorder_record(const struct attention_recorder *s, double *record);

#endif
