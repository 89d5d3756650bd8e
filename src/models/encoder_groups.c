/* Attention between groups of assets (sectors, markets) on the means of their assets' pooled states. There are few groups: every rank
 * does the same for all of them; the way back is linear in what each shard's assets want of their groups, so it goes by shard. */
#include <string.h>

#include "base/memory.h"
#include "encoder_internal.h"

void group_attention_memory(struct encoder *e, struct group_attention *l, struct memory_layout *w)
{
    size_t K = (size_t)e->s.layers, G = (size_t)l->groups, ld = (size_t)e->ld, dp = (size_t)l->p.dp;
    projection_memory(e, &l->p, w);
    MEMORY(w, l->label, e->net.max_assets, "groups");
    MEMORY(w, l->count, G, "groups");
    MEMORY(w, l->none, G, "groups");
    MEMORY(w, l->mean, K * G * ld, "groups");
    MEMORY(w, l->q, K * G * dp, "groups");
    MEMORY(w, l->kv, K * G * 2 * dp, "groups");
    MEMORY(w, l->context, K * G * dp, "groups");
    MEMORY(w, l->out, K * G * ld, "groups");
    MEMORY(w, l->statistics, K * multihead_statistics(l->p.heads, l->groups), "groups");
    MEMORY(w, l->group_output, G * ld, "groups");
    MEMORY(w, l->d_group_output, G * ld, "groups");
    MEMORY(w, l->d_out, G * ld, "groups");
    MEMORY(w, l->d_context, G * dp, "groups");
    MEMORY(w, l->dq, G * dp, "groups");
    MEMORY(w, l->dkv, G * 2 * dp, "groups");
    MEMORY(w, l->d_mean, G * ld, "groups");
}

void group_attention_plan(struct encoder *e, struct group_attention *l, const struct period *p)
{
    const int32_t *group = l->column >= 0 ? p->group[l->column] : NULL;
    memset(l->count, 0, sizeof(int) * (size_t)l->groups);
    for (int i = 0; i < e->N; i++) {
        int g = group ? group[i] : -1;
        require(g < l->groups - 1);
        l->label[i] = g < 0 ? l->groups - 1 : g;
        l->count[l->label[i]]++;
    }
    for (int g = 0; g < l->groups; g++) l->none[g] = !l->count[g];
}

static struct multihead groups_of(const struct group_attention *l)
{
    return (struct multihead){.heads = l->p.heads,
                              .width = l->p.width,
                              .queries = l->groups,
                              .keys = l->groups,
                              .q_row = l->p.dp,
                              .k_row = 2 * l->p.dp,
                              .absent = l->none,
                              .self = -1};
}

static const float *state_of(const struct encoder *e, int k, int asset)
{
    return e->b.table + ((size_t)k * (size_t)e->net.max_assets + (size_t)asset) * e->b.row + 2 * (size_t)e->b.dp;
}

void group_attention_forward(struct encoder *e, int which, int k)
{
    const struct network *n = &e->net;
    struct group_attention *l = &e->by_group[which];
    const struct projection *p = &l->p;
    size_t G = (size_t)l->groups, ld = (size_t)e->ld, dp = (size_t)p->dp, d = (size_t)e->s.d_model, at = (size_t)k * G;
    float *mean = l->mean + at * ld, *q = l->q + at * dp, *kv = l->kv + at * 2 * dp, *out = l->out + at * ld;
    memset(mean, 0, sizeof(float) * G * ld);
    for (int i = 0; i < e->N; i++)
        n->kernels->row_bias(1, (int)ld, state_of(e, k, i), false, mean + (size_t)l->label[i] * ld);
    for (size_t g = 0; g < G; g++)
        for (size_t c = 0; l->count[g] && c < ld; c++) mean[g * ld + c] /= (float)l->count[g];
    encoder_affine(e, l->groups, (int)d, p->dp, mean, ld, p->q + (size_t)k * d * dp, p->bq + (size_t)k * dp, q, dp);
    encoder_affine(e, l->groups, (int)d, 2 * p->dp, mean, ld, p->kv + (size_t)k * d * 2 * dp, p->bkv + (size_t)k * 2 * dp,
                   kv, 2 * dp);
    struct multihead m = groups_of(l);
    multihead_forward(n->kernels, &m, q, kv, kv + dp, l->context + at * dp, NULL,
                      l->statistics + (size_t)k * multihead_statistics(p->heads, l->groups), e->work);
    encoder_affine(e, l->groups, p->dp, e->ld, l->context + at * dp, dp, p->o + (size_t)k * dp * ld,
                   tensor_at(n, n->parameter, p->bias[3], k), out, ld);
    encoder_affine(e, l->groups, (int)d, e->ld, out, ld,
                   tensor_at(n, n->parameter, e->combine, (3 * k + 1 + which) * (int)d), NULL, l->group_output, ld);
}

void group_attention_backward(struct encoder *e, int which, int k, int s)
{
    const struct network *n = &e->net;
    const struct kernels *kernels = n->kernels;
    struct group_attention *l = &e->by_group[which];
    struct projection *p = &l->p;
    int at, assets = shard_assets(e, s, &at), G = l->groups, ld = e->ld, d = e->s.d_model, dp = p->dp;
    size_t from = (size_t)k * (size_t)G;
    const float *mean = l->mean + from * (size_t)ld, *q = l->q + from * (size_t)dp, *kv = l->kv + from * 2 * (size_t)dp,
                *context = l->context + from * (size_t)dp, *out = l->out + from * (size_t)ld;
    float *g = n->gradient[s];
    memset(l->d_group_output, 0, sizeof(float) * (size_t)G * (size_t)ld);
    for (int i = at; i < at + assets; i++)
        kernels->row_bias(1, ld, e->b.d_out + (size_t)i * (size_t)ld, false, l->d_group_output + l->label[e->row0 + i] * ld);
    kernels->product(d, ld, G, out, 1, ld, l->d_group_output, ld, tensor_at(n, g, e->combine, (3 * k + 1 + which) * d), ld,
                     true);
    kernels->product(G, ld, d, l->d_group_output, ld, 1, e->combine_transposed + (1 + which) * d * ld, ld, l->d_out, ld,
                     false);
    projection_clear(e, p);
    kernels->product(dp, ld, G, context, 1, dp, l->d_out, ld, p->dout, ld, true);
    kernels->column_sum(G, ld, l->d_out, tensor_at(n, g, p->bias[3], k));
    kernels->product(G, dp, d, l->d_out, ld, 1, p->o_transposed, dp, l->d_context, dp, false);
    struct multihead m = groups_of(l);
    multihead_backward(kernels, &m, q, kv, kv + dp, context, l->d_context, NULL,
                       l->statistics + (size_t)k * multihead_statistics(p->heads, G), l->dq, l->dkv, l->dkv + dp, false,
                       e->work);
    kernels->product(d, dp, G, mean, 1, ld, l->dq, dp, p->dq, dp, true);
    kernels->product(d, 2 * dp, G, mean, 1, ld, l->dkv, 2 * dp, p->dkv, 2 * dp, true);
    kernels->column_sum(G, dp, l->dq, p->dbq);
    kernels->column_sum(G, 2 * dp, l->dkv, p->dbkv);
    kernels->product(G, ld, dp, l->dq, dp, 1, p->q_transposed, ld, l->d_mean, ld, false);
    kernels->product(G, ld, 2 * dp, l->dkv, 2 * dp, 1, p->kv_transposed, ld, l->d_mean, ld, true);
    projection_add(e, p, k, s);
    for (int j = 0; j < G; j++)
        for (int c = 0; l->count[j] && c < ld; c++) l->d_mean[j * ld + c] /= (float)l->count[j];
    for (int i = 0; i < e->N; i++)
        kernels->row_bias(1, ld, l->d_mean + l->label[i] * ld, false,
                          e->b.d_table[s] + (size_t)i * e->b.row + 2 * (size_t)e->b.dp);
}
