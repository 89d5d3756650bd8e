/* The shape of an encoder by its options, and what is recorded of its attention. */
#include "encoder_options.h"

#include <string.h>

enum { MOST_SAVED = 256 }; /* assets whose attention is kept: 256 x 256 doubles a head and date are 0.5 MB */

struct encoder_shape encoder_options(const struct shape *s, const struct values *v)
{
    static const char *const words[] = {"full", "causal", "lstm", "gru", "none"};
    enum temporal temporal = TEMPORAL_FULL;
    while (strcmp(values_word(v, "temporal"), words[temporal])) temporal++;
    return (struct encoder_shape){.D = s->D,
                                  .max_assets = s->max_assets,
                                  .shards = s->shards,
                                  .L = (int)values_int(v, "lookback"),
                                  .d_model = (int)values_int(v, "d_model"),
                                  .heads = (int)values_int(v, "heads"),
                                  .layers = (int)values_int(v, "layers"),
                                  .feedforward = (int)values_int(v, "feedforward"),
                                  .kernel = (int)values_int(v, "kernel"),
                                  .temporal = temporal,
                                  .include_self = true,
                                  .sector = -1,
                                  .market = -1,
                                  .outputs = 1};
}

int encoder_check(const struct shape *s, const struct values *v, struct error *e)
{
    struct encoder_shape n = encoder_options(s, v);
    if (n.d_model % n.heads)
        return error_set(e, "found heads: %d with d_model: %d; needed: a number that divides it", n.heads, n.d_model);
    if (n.kernel > n.L)
        return error_set(e, "found kernel: %d with lookback: %d; needed: at most as many steps", n.kernel, n.L);
    if (!strcmp(values_word(v, "save_attention"), "none")) return 0;
    if (!s->panel->assets || s->panel->assets > MOST_SAVED)
        return error_set(e, "found save_attention on a panel of %d named assets; needed: 1 to %d (aipm info PANEL)",
                         s->panel->assets, MOST_SAVED);
    return 0;
}

struct attention_recorder encoder_recorder(const struct shape *s, const struct encoder_shape *n, int of,
                                           const struct values *v)
{
    const char *save = values_word(v, "save_attention");
    struct attention_recorder x = {.panel = s->panel, .of = of, .most = s->max_assets};
    x.heads = strcmp(save, "none") && of ? strcmp(save, "mean") ? of : 1 : 0;
    x.lags = n->cross == CROSS_LAGGED ? n->max_lag + 1 : 0;
    x.sectors = n->cross == CROSS_HIERARCHICAL && x.heads ? n->sector_labels + 1 : 0;
    return x;
}
