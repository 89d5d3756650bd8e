/* Options that the models over sequences share, and what they record of their attention. */
#ifndef MODELS_ENCODER_OPTIONS_H
#define MODELS_ENCODER_OPTIONS_H

#include "models/encoder.h"
#include "models/network_model.h"

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
/* Refuse heads that do not divide d_model, a kernel beyond the lookback, attention to be saved of a panel that does not allow it. */
int encoder_check(const struct shape *s, const struct values *v, struct error *e);

/* What is recorded, by the option save_attention, of a network with so many heads between assets. */
struct attention_recorder encoder_recorder(const struct shape *s, const struct encoder_shape *n, int heads,
                                           const struct values *v);

#endif
