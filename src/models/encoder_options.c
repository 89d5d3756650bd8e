/* The shape of an encoder by its options, and the recording of its attention at a date. */
#include "encoder_options.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { MOST_SAVED = 256 }; /* assets whose attention is kept: 256 x 256 doubles a head and date are 0.5 MB */

struct encoder_shape encoder_options(const struct shape *s, const struct values *v)
{
    return (struct encoder_shape){.D = s->D,
                                  .max_assets = s->max_assets,
                                  .shards = s->shards,
                                  .L = (int)values_int(v, "lookback"),
                                  .d_model = (int)values_int(v, "d_model"),
                                  .heads = (int)values_int(v, "heads"),
                                  .layers = (int)values_int(v, "layers"),
                                  .feedforward = (int)values_int(v, "feedforward"),
                                  .kernel = (int)values_int(v, "kernel"),
                                  .causal = !strcmp(values_word(v, "temporal"), "causal"),
                                  .include_self = true,
                                  .sector = -1,
                                  .market = -1,
                                  .outputs = 1};
}

double encoder_room(const struct shape *s, const struct encoder_shape *n, int attention_size)
{
    double all = encoder_bytes(n, attention_size, 1), least = encoder_bytes_least(n, attention_size, 1);
    return all <= (double)s->memory ? all : fmax(least, (double)s->memory);
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

struct attention_recorder attention_recorder_of(const struct shape *s, const struct encoder_shape *n, int of,
                                                const struct values *v)
{
    const char *save = values_word(v, "save_attention");
    struct attention_recorder x = {.panel = s->panel, .of = of, .most = s->max_assets};
    x.heads = strcmp(save, "none") && of ? strcmp(save, "mean") ? of : 1 : 0;
    x.lags = n->cross == CROSS_LAGGED ? n->max_lag + 1 : 0;
    x.sectors = n->cross == CROSS_HIERARCHICAL && x.heads ? n->sector_labels + 1 : 0;
    return x;
}

static size_t attention_size(const struct attention_recorder *s)
{
    return (size_t)s->heads * (size_t)s->panel->assets * (size_t)s->panel->assets;
}

void attention_recorder_layout(const struct attention_recorder *s, struct layout *l)
{
    int A = s->panel->assets;
    if (s->lags)
        layout_field(l, (struct field){.name = "lag_weights",
                                       .unit = "share",
                                       .meaning = "weight of each lag in the last layer's attention",
                                       .dim = {{"lag", s->lags}},
                                       .per_seed = true});
    if (s->sectors)
        layout_field(
            l, (struct field){.name = "sector_attention",
                              .unit = "share",
                              .meaning =
                                  "attention of each sector to each sector, last layer, mean over heads; the last: unknown",
                              .dim = {{"sector", s->sectors}, {"attended_sector", s->sectors}},
                              .per_seed = true});
    if (!s->heads) return;
    layout_field(l, (struct field){.name = "attention",
                                   .unit = "share",
                                   .meaning = "attention of each asset to each asset, last layer; NaN where one is absent",
                                   .dim = {{"head", s->heads}, {"asset", A}, {"attended_asset", A}},
                                   .per_seed = true});
    double *ids = memory_array(double, A, "asset ids");
    for (int a = 0; a < A; a++) ids[a] = (double)s->panel->asset_name_ids[a];
    layout_constant(l, (struct constant){.name = "attention_assets",
                                         .unit = "id",
                                         .meaning = "assets that attend and are attended to",
                                         .dimension = "asset",
                                         .n = A,
                                         .value = ids});
    memory_free(ids);
}

double attention_recorder_bytes(const struct attention_recorder *s)
{
    return 8. * ((double)attention_size(s) + s->lags + (double)s->sectors * s->sectors) +
           (s->heads ? 4. * s->of * s->most * s->most : 0);
}

void attention_recorder_create(struct attention_recorder *s)
{
    s->raw = memory_array(float, s->heads ? (size_t)s->of *(size_t)s->most *(size_t)s->most : 0, "attention");
    s->attention = memory_array(double, attention_size(s), "attention");
    s->lag = memory_array(double, s->lags, "lag weights");
    s->sector = memory_array(double, (size_t)s->sectors *(size_t)s->sectors, "attention of sectors");
}

void attention_recorder_free(struct attention_recorder *s)
{
    memory_free(s->raw);
    memory_free(s->attention);
    memory_free(s->lag);
    memory_free(s->sector);
}

void attention_recorder_capture(struct attention_recorder *s, struct network *n, const struct period *now)
{
    size_t N = (size_t)now->n, A = (size_t)s->panel->assets;
    if (s->lags) encoder_lag_weights(n, s->lag);
    if (s->sectors) encoder_sector_attention(n, now, s->sector);
    if (!s->heads) return;
    encoder_attention(n, now, s->raw);
    for (size_t i = 0; i < attention_size(s); i++) s->attention[i] = NAN;
    for (size_t i = 0; i < N; i++) {
        int row = panel_asset_index(s->panel, now->ids[i]);
        for (size_t j = 0; j < N && row >= 0; j++) {
            int column = panel_asset_index(s->panel, now->ids[j]);
            if (column < 0) continue;
            double sum = 0;
            for (size_t h = 0; h < (size_t)s->of; h++) {
                double share = (double)s->raw[(h * N + i) * N + j];
                if (s->heads > 1) s->attention[(h * A + (size_t)row) * A + (size_t)column] = share;
                sum += share;
            }
            if (s->heads == 1) s->attention[(size_t)row * A + (size_t)column] = sum / s->of;
        }
    }
}

void attention_recorder_record(const struct attention_recorder *s, double *record)
{
    size_t sectors = (size_t)s->sectors * (size_t)s->sectors;
    memcpy(record, s->lag, sizeof(double) * (size_t)s->lags);
    memcpy(record + s->lags, s->sector, sizeof(double) * sectors);
    memcpy(record + (size_t)s->lags + sectors, s->attention, sizeof(double) * attention_size(s));
}
