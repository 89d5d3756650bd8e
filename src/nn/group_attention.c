/* Attention between groups of assets, on the means of their states. */
#include "group_attention.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

void group_attention_create(struct group_attention *g, struct network *n, const char *name, int k, int of, int d, int heads,
                            int column, int labels)
{
    projection_create(n, &g->p, name, k, of, d, heads > 0 ? heads : 1);
    g->column = column, g->groups = labels + 1;
}

void group_attention_memory(struct group_attention *g, const struct network *n, struct memory_layout *w)
{
    size_t G = (size_t)g->groups, ld = (size_t)padded(g->p.d), dp = (size_t)g->p.dp;
    float **const wide[] = {&g->mean, &g->out, &g->d_mean, &g->d_out};
    float **const heads[] = {&g->q, &g->key, &g->value, &g->context, &g->d_q, &g->d_key, &g->d_value, &g->d_context};
    projection_memory(&g->p, w);
    MEMORY(w, g->label, n->max_assets, "groups");
    MEMORY(w, g->count, G, "groups");
    MEMORY(w, g->none, G, "groups");
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) MEMORY(w, *wide[i], G * ld, "groups");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) MEMORY(w, *heads[i], G * dp, "groups");
    MEMORY(w, g->statistics, multihead_statistics(g->p.heads, g->groups), "groups");
}

void group_attention_plan(struct group_attention *g, const struct network *n, bool backward)
{
    projection_prepare(n, &g->p, backward);
    if (backward) return;
    const int32_t *group = g->column >= 0 ? n->rows.period->group[g->column] : NULL;
    memset(g->count, 0, sizeof(int) * (size_t)g->groups);
    for (int i = 0; i < n->rows.N; i++) {
        int label = group ? group[i] : -1;
        require(label < g->groups - 1);
        g->label[i] = label < 0 ? g->groups - 1 : label;
        g->count[g->label[i]]++;
    }
    for (int i = 0; i < g->groups; i++) g->none[i] = !g->count[i];
}

struct multihead group_attention_groups(const struct group_attention *g)
{
    return (struct multihead){.heads = g->p.heads,
                              .width = g->p.width,
                              .queries = g->groups,
                              .keys = g->groups,
                              .q_row = g->p.dp,
                              .k_row = g->p.dp,
                              .absent = g->none,
                              .self = -1};
}

double group_attention_flops(const struct group_attention *g)
{
    double d = g->p.d, groups = g->groups;
    return groups * (8 * d * d + 4 * groups * d);
}

/* Rows of groups divided by their numbers of assets. */
static void divide(const struct group_attention *g, int ld, float *x)
{
    for (int i = 0; i < g->groups; i++)
        for (int c = 0; g->count[i] && c < ld; c++) x[i * ld + c] /= (float)g->count[i];
}

void group_attention_forward(struct group_attention *g, const struct network *n, const float *states, size_t row)
{
    const struct projection *p = &g->p;
    int ld = padded(p->d);
    size_t dp = (size_t)p->dp, wide = (size_t)ld;
    memset(g->mean, 0, sizeof(float) * (size_t)g->groups * wide);
    for (int i = 0; i < n->rows.N; i++)
        n->kernels->row_bias(1, ld, states + (size_t)i * row, false, g->mean + g->label[i] * ld);
    divide(g, ld, g->mean);
    project(n, p, QUERY, g->groups, g->mean, wide, g->q, dp);
    project(n, p, KEY, g->groups, g->mean, wide, g->key, dp);
    project(n, p, VALUE, g->groups, g->mean, wide, g->value, dp);
    struct multihead m = group_attention_groups(g);
    multihead_forward(n->kernels, &m, g->q, g->key, g->value, g->context, NULL, g->statistics, network_attention_work(n));
    project(n, p, OUTPUT, g->groups, g->context, dp, g->out, wide);
}

void group_attention_backward(struct group_attention *g, const struct network *n, float *gradient, float *d_states,
                              size_t row)
{
    const struct projection *p = &g->p;
    int ld = padded(p->d);
    size_t dp = (size_t)p->dp, wide = (size_t)ld;
    project_back(n, p, OUTPUT, gradient, g->groups, g->context, dp, g->d_out, wide, g->d_context, false);
    struct multihead m = group_attention_groups(g);
    multihead_backward(n->kernels, &m, g->q, g->key, g->value, g->context, g->d_context, NULL, g->statistics, g->d_q,
                       g->d_key, g->d_value, false, network_attention_work(n));
    project_back(n, p, QUERY, gradient, g->groups, g->mean, wide, g->d_q, dp, g->d_mean, false);
    project_back(n, p, KEY, gradient, g->groups, g->mean, wide, g->d_key, dp, g->d_mean, true);
    project_back(n, p, VALUE, gradient, g->groups, g->mean, wide, g->d_value, dp, g->d_mean, true);
    divide(g, ld, g->d_mean);
    for (int i = 0; i < n->rows.N; i++)
        n->kernels->row_bias(1, ld, g->d_mean + g->label[i] * ld, false, d_states + (size_t)i * row);
}

void group_attention_read(const struct group_attention *g, const struct network *n, double *out)
{
    int G = g->groups;
    struct multihead m = group_attention_groups(g);
    float *one = memory_array(float, G *G, "attention");
    for (int i = 0; i < G * G; i++) out[i] = g->none[i / G] || g->none[i % G] ? NAN : 0;
    for (int h = 0; h < g->p.heads; h++) {
        multihead_weights(n->kernels, &m, h, g->q, g->key, one, network_attention_work(n));
        for (int i = 0; i < G * G; i++) out[i] += (double)one[i] / g->p.heads;
    }
    memory_free(one);
}
