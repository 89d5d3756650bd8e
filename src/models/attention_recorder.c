/* The recording of attention between assets at every date. */
#include "models/attention_recorder.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "nn/cross_attention.h"

static size_t attention_size(const struct attention_recorder *s)
{
    return s->heads ? (size_t)s->heads * (size_t)s->panel->assets * (size_t)s->panel->assets : 0;
}

void attention_recorder_layout(const struct attention_recorder *s, struct layout *l)
{
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
    int A = s->panel->assets;
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
    size_t N = (size_t)now->n, A = s->heads ? (size_t)s->panel->assets : 0;
    if (s->lags) cross_attention_lags(n, s->lag);
    if (s->sectors) cross_attention_sectors(n, now, s->sector);
    if (!s->heads) return;
    cross_attention_read(n, now, s->raw);
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
