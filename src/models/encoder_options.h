/* Options that the models over sequences share, and what they record of their attention. */
#ifndef MODELS_ENCODER_OPTIONS_H
#define MODELS_ENCODER_OPTIONS_H

#include "models/encoder.h"
#include "models/network_model.h"

#define ENCODER_OPTIONS                                                                                                     \
    INT_OPTION("lookback", "20", 1, 10000, "steps of history L"),                                                           \
        INT_OPTION("d_model", "64", 1, 4096, "width of the encoder d"),                                                     \
        INT_OPTION("heads", "4", 1, 256, "attention heads of d / H"),                                                       \
        INT_OPTION("layers", "2", 1, 100, "encoder layers K"),                                                              \
        INT_OPTION("feedforward", "256", 1, 65536, "hidden units of a layer's feed-forward part"),                          \
        INT_OPTION("kernel", "1", 1, 1000, "steps the embedding looks at: 1 linear, more a convolution over time"),         \
        WORD_OPTION("temporal", "full", "full|causal|lstm|gru|none",                                                        \
                    "over steps: attention to all, or up to the step itself; a recurrent network; or nothing"),             \
        WORD_OPTION("save_attention", "none", "none|mean|heads",                                                            \
                    "keep the last layer's attention between assets at every date: mean over heads, or each")

/* The shape by these options, cross-asset attention left out. */
struct encoder_shape encoder_options(const struct shape *s, const struct values *v);
/* Refuse heads that do not divide d_model, a kernel beyond the lookback, attention to be saved of a panel that does not allow it. */
int encoder_check(const struct shape *s, const struct values *v, struct error *e);

/* What is recorded, by the option save_attention, of a network with so many heads between assets. */
struct attention_recorder encoder_recorder(const struct shape *s, const struct encoder_shape *n, int heads,
                                           const struct values *v);

#endif
