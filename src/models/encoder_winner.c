/* alpha_portfolio on top of an encoder: states flattened over steps, attention over all assets, the winner score (Cong et al. 2020). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

enum { FLAT = 120 }; /* assets whose flattened states are formed at once */

static const char *const names[] = {"asset_query", "asset_key", "asset_value"};

void winner_create(struct encoder *e)
{
    struct network *n = &e->net;
    struct winner *w = &e->w;
    int L = e->s.L, d = e->s.d_model, a = e->a;
    for (int i = 0; i < 3; i++) {
        char text[24];
        snprintf(text, sizeof text, "%s", names[i]);
        w->weight[i] = n->tensors;
        network_add(n, text, 3, (int[]){L, d, a}, L * d, a, 1 / sqrt(L * d));
        snprintf(text, sizeof text, "%s_bias", names[i]);
        w->bias[i] = n->tensors;
        network_add(n, text, 1, (int[]){a}, 1, a, 0);
    }
    w->score = n->tensors;
    network_add(n, "winner", 1, (int[]){a}, 1, a, 1 / sqrt(a));
    w->score_bias = n->tensors;
    network_add(n, "winner_bias", 1, (int[]){1}, 1, 1, 0);
}

void winner_memory(struct encoder *e, struct memory_layout *memory)
{
    struct winner *w = &e->w;
    size_t flat = (size_t)e->s.L * (size_t)e->ld, three = 3 * (size_t)e->b.dp;
    MEMORY(memory, w->w, flat * three, "winner weights");
    MEMORY(memory, w->transposed, flat * three, "winner weights");
    MEMORY(memory, w->b, three, "winner weights");
    MEMORY(memory, w->dw, flat * three, "winner gradient");
    MEMORY(memory, w->db, three, "winner gradient");
    MEMORY(memory, w->flat, FLAT * flat, "flattened states");
    MEMORY(memory, w->qkv, FLAT * three, "flattened states");
    MEMORY(memory, w->y, e->cap, "winner scores");
    MEMORY(memory, w->d, e->cap, "winner scores");
}

/* w [L ld, 3 dp] from the tensors, or (back) their gradients from dw: rows of padding stay zero. */
static void exchange(struct encoder *e, int shard)
{
    const struct network *n = &e->net;
    struct winner *w = &e->w;
    int d = e->s.d_model, dp = e->b.dp;
    float scale[3] = {(float)(1 / sqrt(e->a)), 1, 1};
    for (int i = 0; i < 3; i++) {
        for (int r = -1; r < e->s.L * d; r++) {
            size_t at = r < 0 ? 0 : (size_t)((r / d * e->ld + r % d) * 3 + i) * (size_t)dp;
            float *activations = shard < 0 ? (r < 0 ? w->b + i * dp : w->w + at) : (r < 0 ? w->db + i * dp : w->dw + at);
            float *tensor = tensor_at(n, shard < 0 ? n->parameter : n->gradient[shard], r < 0 ? w->bias[i] : w->weight[i],
                                      r < 0 ? 0 : r);
            for (int c = 0; c < e->a; c++) {
                if (shard < 0) activations[c] = scale[i] * tensor[c];
                else tensor[c] += scale[i] * activations[c];
            }
        }
    }
}

static float *states_of(struct encoder *e, int asset)
{
    return e->normalised_end + layer_row(e, e->s.layers - 1, ALL, asset) * (size_t)e->ld;
}

/* w.flat [assets, L ld]: states after the last norm, zero where masked. */
static void flatten(struct encoder *e, int asset, int assets)
{
    int k = e->s.layers - 1, last = e->norms - 1;
    size_t ld = (size_t)e->ld, flat = (size_t)e->s.L * ld;
    memset(e->w.flat, 0, sizeof(float) * (size_t)assets * flat);
    for (int i = asset; i < asset + assets; i++) {
        const int *step = e->step + begin_of(e, ALL, i);
        float *to = e->w.flat + (size_t)(i - asset) * flat;
        const float *from = states_of(e, i);
        for (int r = 0; r < rows_of(e, ALL, i); r++)
            e->net.kernels->row_affine(1, e->ld, from + (size_t)r * ld, norm_scale(e, k, last), norm_shift(e, k, last),
                                       to + (size_t)step[r] * ld);
    }
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

void winner_forward(struct encoder *e, float *y)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct winner *w = &e->w;
    size_t flat = (size_t)e->s.L * (size_t)e->ld, dp = (size_t)b->dp;
    exchange(e, -1);
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        for (int i = at; i < at + assets; i += FLAT) {
            int count = smaller(FLAT, at + assets - i);
            flatten(e, i, count);
            encoder_affine(e, count, (int)flat, 3 * b->dp, w->flat, flat, w->w, w->b, w->qkv, 3 * dp);
            for (int j = 0; j < count; j++) {
                memcpy(b->q + (size_t)(i + j) * dp, w->qkv + (size_t)j * 3 * dp, sizeof(float) * dp);
                memcpy(b->table + (size_t)(e->row0 + i + j) * b->row, w->qkv + (size_t)j * 3 * dp + dp,
                       sizeof(float) * 2 * dp);
            }
        }
    }
    team_share_begin(e->share, b->table, network_ranges(n, e->N, (int)b->row));
    team_share_finish(e->share);
    cross_attention_attend(e, 0);
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        dense_column_forward(assets, e->a, b->context + (size_t)at * dp, tensor_at(n, n->parameter, w->score, 0), y + at);
        for (int i = at; i < at + assets; i++)
            y[i] = w->y[i] = tanhf(y[i] + tensor_at(n, n->parameter, w->score_bias, 0)[0]);
    }
}

/* d_rows of assets from dLoss/d(flattened states). */
static void unflatten(struct encoder *e, int asset, int assets)
{
    size_t ld = (size_t)e->ld, flat = (size_t)e->s.L * ld;
    for (int i = asset; i < asset + assets; i++) {
        const int *step = e->step + begin_of(e, ALL, i);
        const float *from = e->w.flat + (size_t)(i - asset) * flat;
        float *to = e->d_rows + begin_of(e, ALL, i) * ld;
        for (int r = 0; r < rows_of(e, ALL, i); r++)
            memcpy(to + (size_t)r * ld, from + (size_t)step[r] * ld, sizeof(float) * ld);
    }
}

static void flattened_back(struct encoder *e, int shard)
{
    const struct kernels *k = e->net.kernels;
    struct cross_attention *b = &e->b;
    struct winner *w = &e->w;
    int at, assets = shard_assets(e, shard, &at), flat = e->s.L * e->ld, dp = b->dp;
    memset(w->dw, 0, sizeof(float) * (size_t)flat * 3 * (size_t)dp);
    memset(w->db, 0, sizeof(float) * 3 * (size_t)dp);
    for (int i = at; i < at + assets; i += FLAT) {
        int count = smaller(FLAT, at + assets - i);
        flatten(e, i, count);
        for (int j = 0; j < count; j++) {
            memcpy(w->qkv + j * 3 * dp, b->d_q + (size_t)(i + j) * (size_t)dp, sizeof(float) * (size_t)dp);
            memcpy(w->qkv + j * 3 * dp + dp, b->d_row + (size_t)(i + j) * b->row, sizeof(float) * 2 * (size_t)dp);
        }
        k->product(flat, 3 * dp, count, w->flat, 1, flat, w->qkv, 3 * dp, w->dw, 3 * dp, true);
        k->column_sum(count, 3 * dp, w->qkv, w->db);
        k->product(count, flat, 3 * dp, w->qkv, 3 * dp, 1, w->transposed, flat, w->flat, flat, false);
        unflatten(e, i, count);
    }
    exchange(e, shard);
}

void winner_backward(struct encoder *e, const float *dy)
{
    struct network *n = &e->net;
    struct cross_attention *b = &e->b;
    struct winner *w = &e->w;
    size_t dp = (size_t)b->dp;
    dense_transpose(e->s.L * e->ld, 3 * b->dp, w->w, w->transposed);
    for (int s = 0; s < n->own; s++) {
        int at, assets = shard_assets(e, s, &at);
        float *g = n->gradient[s];
        for (int i = at; i < at + assets; i++) {
            w->d[i] = dy[i] * (1 - w->y[i] * w->y[i]);
            tensor_at(n, g, w->score_bias, 0)[0] += w->d[i];
        }
        dense_column_backward(assets, e->a, b->context + (size_t)at * dp, tensor_at(n, n->parameter, w->score, 0), w->d + at,
                              b->d_context + (size_t)at * dp, tensor_at(n, g, w->score, 0));
        cross_attention_attend_back(e, 0, s, 0, b->d_context);
        memcpy(b->d_q + (size_t)at * dp, b->d_q_lag + (size_t)at * dp, sizeof(float) * (size_t)assets * dp);
    }
    memset(b->d_row, 0, sizeof(float) * (size_t)e->own * b->row);
    team_sum_begin(e->sum, network_ranges(n, e->N, (int)b->row), b->d_table);
    team_sum_finish(e->sum, b->d_row);
    for (int s = 0; s < n->own; s++) flattened_back(e, s);
}
