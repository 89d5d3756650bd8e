/* The dense layers of multi-head attention, with padded heads. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

static const char *const parts[] = {"query", "key", "value", "output"};

void projection_create(struct encoder *e, struct projection *p, const char *name, int heads)
{
    struct network *n = &e->net;
    int K = e->s.layers, d = e->s.d_model;
    while (d % heads) heads--;
    p->heads = heads, p->width = d / heads;
    p->hp = padded(p->width), p->dp = heads * p->hp;
    for (int i = 0; i < 4; i++) {
        char text[24];
        snprintf(text, sizeof text, "%s_%s", name, parts[i]);
        p->weight[i] = n->tensors;
        network_add(n, text, 3, (int[]){K, d, d}, K * d, d, 1 / sqrt(d));
        snprintf(text, sizeof text, "%s_%s_bias", name, parts[i]);
        p->bias[i] = n->tensors;
        network_add(n, text, 2, (int[]){K, d}, K, d, 0);
    }
}

void projection_memory(const struct encoder *e, struct projection *p, struct memory_layout *w)
{
    size_t K = (size_t)e->s.layers, d = (size_t)e->s.d_model, ld = (size_t)e->ld, dp = (size_t)p->dp;
    MEMORY(w, p->q, K * d * dp, "attention weights");
    MEMORY(w, p->kv, K * d * 2 * dp, "attention weights");
    MEMORY(w, p->o, K * dp * ld, "attention weights");
    MEMORY(w, p->bq, K * dp, "attention weights");
    MEMORY(w, p->bkv, K * 2 * dp, "attention weights");
    MEMORY(w, p->q_transposed, dp * ld, "transposed weights");
    MEMORY(w, p->kv_transposed, 2 * dp * ld, "transposed weights");
    MEMORY(w, p->o_transposed, d * dp, "transposed weights");
    MEMORY(w, p->dq, d * dp, "attention gradient");
    MEMORY(w, p->dkv, d * 2 * dp, "attention gradient");
    MEMORY(w, p->dout, dp * ld, "attention gradient");
    MEMORY(w, p->dbq, dp, "attention gradient");
    MEMORY(w, p->dbkv, 2 * dp, "attention gradient");
}

/* Columns of one row, head by head: to[h hp + c] = scale from[h width + c], or the other way added. */
static void spread(const struct projection *p, float scale, const float *from, float *to)
{
    for (int h = 0; h < p->heads; h++)
        for (int c = 0; c < p->width; c++) to[h * p->hp + c] = scale * from[h * p->width + c];
}
static void collect(const struct projection *p, float scale, const float *from, float *to)
{
    for (int h = 0; h < p->heads; h++)
        for (int c = 0; c < p->width; c++) to[h * p->width + c] += scale * from[h * p->hp + c];
}

static float query_scale(const struct projection *p)
{
    return (float)(1 / sqrt(p->width));
}

void projection_pack(const struct encoder *e, struct projection *p, int k)
{
    const struct network *n = &e->net;
    int d = e->s.d_model, dp = p->dp;
    size_t at = (size_t)k * (size_t)d;
    for (int r = 0; r < d; r++) {
        const float *row[3];
        for (int i = 0; i < 3; i++) row[i] = tensor_at(n, n->parameter, p->weight[i], k * d + r);
        spread(p, query_scale(p), row[0], p->q + (at + (size_t)r) * (size_t)dp);
        spread(p, 1, row[1], p->kv + (at + (size_t)r) * 2 * (size_t)dp);
        spread(p, 1, row[2], p->kv + (at + (size_t)r) * 2 * (size_t)dp + dp);
        int padded_row = r / p->width * p->hp + r % p->width;
        memcpy(p->o + ((size_t)k * (size_t)dp + (size_t)padded_row) * (size_t)e->ld,
               tensor_at(n, n->parameter, p->weight[3], k * d + r), sizeof(float) * (size_t)e->ld);
    }
    spread(p, query_scale(p), tensor_at(n, n->parameter, p->bias[0], k), p->bq + k * dp);
    spread(p, 1, tensor_at(n, n->parameter, p->bias[1], k), p->bkv + 2 * k * dp);
    spread(p, 1, tensor_at(n, n->parameter, p->bias[2], k), p->bkv + 2 * k * dp + dp);
}

void projection_transpose(const struct encoder *e, struct projection *p, int k)
{
    int d = e->s.d_model;
    dense_transpose(d, p->dp, p->q + (size_t)(k * d) * (size_t)p->dp, p->q_transposed);
    dense_transpose(d, 2 * p->dp, p->kv + (size_t)(k * d) * 2 * (size_t)p->dp, p->kv_transposed);
    dense_transpose(p->dp, d, p->o + (size_t)(k * p->dp) * (size_t)e->ld, p->o_transposed);
}

void projection_clear(const struct encoder *e, struct projection *p)
{
    size_t d = (size_t)e->s.d_model, dp = (size_t)p->dp;
    memset(p->dq, 0, sizeof(float) * d * dp);
    memset(p->dkv, 0, sizeof(float) * d * 2 * dp);
    memset(p->dout, 0, sizeof(float) * dp * (size_t)e->ld);
    memset(p->dbq, 0, sizeof(float) * dp);
    memset(p->dbkv, 0, sizeof(float) * 2 * dp);
}

void projection_add(const struct encoder *e, const struct projection *p, int k, int shard)
{
    const struct network *n = &e->net;
    float *g = n->gradient[shard];
    int d = e->s.d_model, dp = p->dp;
    for (int r = 0; r < d; r++) {
        collect(p, query_scale(p), p->dq + r * dp, tensor_at(n, g, p->weight[0], k * d + r));
        collect(p, 1, p->dkv + 2 * r * dp, tensor_at(n, g, p->weight[1], k * d + r));
        collect(p, 1, p->dkv + 2 * r * dp + dp, tensor_at(n, g, p->weight[2], k * d + r));
        const float *out = p->dout + (r / p->width * p->hp + r % p->width) * e->ld;
        float *to = tensor_at(n, g, p->weight[3], k * d + r);
        for (int c = 0; c < d; c++) to[c] += out[c];
    }
    collect(p, query_scale(p), p->dbq, tensor_at(n, g, p->bias[0], k));
    collect(p, 1, p->dbkv, tensor_at(n, g, p->bias[1], k));
    collect(p, 1, p->dbkv + dp, tensor_at(n, g, p->bias[2], k));
}
