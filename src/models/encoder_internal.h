/* What the parts of an encoder share (models/encoder.h). An asset's rows are the steps it was there, in time order, one after the
 * other: masked steps have no row, so nothing can flow from them.
 *   ALL   every row of an asset   LATE   those of the last `lags` steps   LAST   its last one
 * are runs of rows that end with the asset's last. Where only the last steps matter to the output, the last layer has only those.
 * A batch is a run of a shard's assets whose rows go through a layer together, in cache.
 *   K layers   d = d_model   ld = padded(d)   dp all heads' padded columns   cap most assets here   N most assets of a period */
#ifndef MODELS_ENCODER_INTERNAL_H
#define MODELS_ENCODER_INTERNAL_H

#include "linalg/dense.h"
#include "linalg/multihead.h"
#include "models/encoder.h"

enum span { ALL, LATE, LAST, SPANS };

/* The tensors of one multi-head attention, and their copies with every head padded, queries scaled, keys and values side by side. */
struct projection {
    int heads, width, hp, dp;                           /* of a head; its padded columns; of all heads */
    int weight[4], bias[4];                             /* tensors: query, key, value, output */
    float *q, *kv, *o, *bq, *bkv;                       /* [K] [d, dp], [d, 2 dp], [dp, ld], [dp], [2 dp] */
    float *q_transposed, *kv_transposed, *o_transposed; /* of the layer in hand: [dp, ld], [2 dp, ld], [d, dp] */
    float *dq, *dkv, *dout, *dbq, *dbkv;                /* gradients of the layer and shard in hand */
};

struct batch {
    int shard, asset, assets; /* the first counted among this rank's */
};

/* What the backward pass needs of a batch's temporal attention and feed-forward layer. It may be kept, or computed again. */
struct activations {
    float *q, *kv, *e, *statistics, *o; /* [rows, dp], [rows, 2 dp], exponentials and statistics of its assets, [rows, dp] */
    float *hidden;                      /* [rows, lf] */
};

/* Attention between all assets of a period. Keys and values of every asset are sent to all ranks; their derivatives are
 * sent back to the rank that owns the asset. */
struct cross_attention {
    int heads, width, hp, dp, lags;
    size_t row; /* floats of an asset's row in the table: keys, values of every lag; hierarchical: its pooled state */
    unsigned char *mask; /* [lags][N] was not there so many periods earlier */
    float *table;        /* [K][N, row] */
    float *q;            /* [K][cap, dp] */
    float *context;      /* [K][lags][cap, dp] */
    float *statistics;   /* [K][lags][shards here] */
    float *pooled;       /* [K][lags][cap, ld] */
    float *asset;        /* [K][cap, ld] hierarchical: after the output layer, before combining */
    float *out;          /* [K][cap, ld] what is added to an asset's steps */
    float *mixed, *d_mixed, *d_context, *d_q, *d_q_lag; /* [cap, dp] */
    float *d_out, *d_asset, *d_pooled;                  /* [cap, ld]; pooled: [lags][cap, ld] */
    float **d_table;                                    /* [shards here][N, row] */
    float *d_row;                                       /* [cap, row] summed over shards */
    double *weight, *slope;                             /* [lags] */
};

/* Attention between the groups of one level (sectors, markets), on every rank alike. */
struct group_attention {
    struct projection p;
    int column, groups;                   /* of struct period; labels and the unknown */
    int *label, *count;                   /* [N] groups of the period's assets, [groups] their assets */
    unsigned char *none;                  /* [groups] no assets */
    float *mean, *q, *kv, *context, *out; /* [K][groups, ..] */
    float *statistics;                    /* [K] */
    float *group_output;                  /* [groups, ld] out times its part of the combining matrix */
    float *d_group_output, *d_out, *d_context, *dq, *dkv, *d_mean; /* [groups, ..] */
};

/* alpha_portfolio: queries, keys and values from states flattened over steps, and the score. */
struct winner {
    int weight[3], bias[3], score, score_bias; /* tensors */
    float *w, *transposed, *b;                 /* [L ld, 3 dp], [3 dp, L ld], [3 dp] */
    float *dw, *db;
    float *flat, *qkv; /* [FLAT, L ld], [FLAT, 3 dp] */
    float *y, *d;      /* [cap] scores, derivatives */
};

struct encoder {
    struct network net;
    struct encoder_shape s;
    int a;                                            /* attention size of alpha_portfolio; 0: cross_attention */
    int ld, lf, in, li;                               /* padded(d), padded(feed-forward), kernel D, padded(kernel D) */
    int norms;                                        /* layer norms of a layer */
    enum span late, ends;                             /* rows that the last layer's attention and its feed-forward give */
    int input, norm, w1, w2, output, logits, combine; /* tensors; a bias (shift) follows its weight (scale) */
    struct projection time, cross;
    struct cross_attention b;
    struct group_attention by_group[2];
    struct winner w;
    /* the period in hand */
    const struct history *history;
    int N, cap, own, row0;      /* assets, most of them here, of them here, the first of these */
    bool dropped;               /* dropout is on */
    int *rows;                  /* [SPANS][cap] rows of every asset */
    size_t *begin;              /* [SPANS][cap + 1] the first of them */
    int *step;                  /* of rows of ALL */
    struct batch *batch[SPANS]; /* in shard order */
    int batches[SPANS];
    /* normalised rows after the attention and after the feed-forward layer, with 1/deviation: [K][.., ld], [K][..] */
    float *normalised_time, *normalised_end, *inverse_time, *inverse_end;
    float *d_rows,
        *d_last; /* derivatives that one layer hands to the layer before: for rows of ALL, and for rows of the last layer */
    float *y_last, *out; /* [cap, ld], [cap, padded(outputs)] the last states and what comes out */
    /* the batch in hand: [most rows, ..] */
    int most;
    float *x, *y, *z, *u, *v, *normalised, *inverse, *embedded;
    float *d_q, *d_kv, *d_o, *d_hidden;
    struct activations scratch, *kept; /* kept: [K][batches of ALL], in the arena; NULL: formed again */
    float *arena;
    size_t arena_size;
    float *w1_transposed, *w2_transposed, *output_transposed,
        *combine_transposed;  /* of the layer in hand; combine: [3][d, ld] */
    float *position, *offset; /* [L, ld] positions; with the bias of the embedding */
    float *work, *spare;      /* attention workspace; a row */
    struct team_share *share;
    struct team_sum *sum;
};

static inline struct encoder *encoder_of(const struct network *n)
{
    return (struct encoder *)(uintptr_t)n;
}
static inline int rows_of(const struct encoder *e, enum span v, int asset)
{
    return e->rows[(int)v * e->cap + asset];
}
static inline size_t begin_of(const struct encoder *e, enum span v, int asset)
{
    return e->begin[(int)v * (e->cap + 1) + asset];
}
static inline int batch_rows(const struct encoder *e, enum span v, const struct batch *b)
{
    return (int)(begin_of(e, v, b->asset + b->assets) - begin_of(e, v, b->asset));
}
/* What layer k's attention gives, and its feed-forward layer. */
static inline enum span after_time(const struct encoder *e, int k)
{
    return k == e->s.layers - 1 ? e->late : ALL;
}
static inline enum span after_end(const struct encoder *e, int k)
{
    return k == e->s.layers - 1 ? e->ends : ALL;
}
/* Where layer k's rows begin among those of all layers. */
static inline size_t layer_row(const struct encoder *e, int k, enum span v, int asset)
{
    return (size_t)k * (size_t)e->cap * (size_t)e->s.L + begin_of(e, v, asset);
}
static inline const float *norm_scale(const struct encoder *e, int k, int i)
{
    return tensor_at(&e->net, e->net.parameter, e->norm, k * e->norms + i);
}
static inline const float *norm_shift(const struct encoder *e, int k, int i)
{
    return tensor_at(&e->net, e->net.parameter, e->norm + 1, k * e->norms + i);
}
/* Shard s of this rank: its assets, counted among this rank's. */
static inline int shard_assets(const struct encoder *e, int s, int *at)
{
    int from = shard_row(&e->net, e->N, e->net.first + s);
    *at = from - e->row0;
    return shard_row(&e->net, e->N, e->net.first + s + 1) - from;
}

/* y [rows, columns] = x [rows, in] w + b (NULL: none) with rows any distance apart; b may be a tensor's row. */
void encoder_affine(const struct encoder *e, int rows, int in, int columns, const float *x, size_t x_row, const float *w,
                    const float *b, float *y, size_t y_row);

/* Memory: one function names everything an encoder holds, to count its bytes, to take it, or to give it back. */
struct memory_layout {
    enum { MEMORY_COUNT, MEMORY_TAKE, MEMORY_GIVE } way;
    double bytes;
};
void memory_piece(struct memory_layout *w, void *where, size_t count, size_t size, const char *what);
#define MEMORY(w, pointer, count, what) memory_piece(w, &(pointer), (size_t)(count), sizeof *(pointer), what)

/* ---- encoder_rows.c: the rows of a period, the embedding ---- */
void rows_memory(struct encoder *e, struct memory_layout *w);
void rows_plan(struct encoder *e, const struct period *p);
void embed_forward(struct encoder *e, const struct batch *b, float *x);
void embed_backward(struct encoder *e, const struct batch *b, float *dx); /* dx is overwritten */
/* Dropout. Streams are numbered as follows. The same functions mask values on the way forward and derivatives on the way
 * back. */
enum { DROP_EMBEDDING = 0, DROP_TIME = 1, DROP_CROSS = 2, DROP_HIDDEN = 3, DROP_LAYER = 3 };
void drop_rows(const struct encoder *e, int stream, enum span v, const struct batch *b, int columns, float *x);
void drop_assets(const struct encoder *e, int stream, int asset, int assets, int columns, float *x);

/* ---- encoder_projection.c ---- */
void projection_create(struct encoder *e, struct projection *p, const char *name, int heads);
void projection_memory(const struct encoder *e, struct projection *p, struct memory_layout *w);
void projection_pack(const struct encoder *e, struct projection *p, int k);
void projection_transpose(const struct encoder *e, struct projection *p, int k);
void projection_clear(const struct encoder *e, struct projection *p);
void projection_add(const struct encoder *e, const struct projection *p, int k, int shard); /* to the shard's gradient */

/* ---- encoder_layers.c: what is local to an asset ---- */
void layers_memory(struct encoder *e, struct memory_layout *w);
double layers_kept(const struct encoder *e);                                  /* floats of everything that may be kept */
void layers_plan(struct encoder *e, bool training);                           /* what is kept */
void time_forward(struct encoder *e, int batch, int k);                       /* from e->x */
void end_forward(struct encoder *e, const struct batch *b, int batch, int k); /* to e->x */
float *time_backward(struct encoder *e, int batch, int k);                    /* returns dLoss/dx of the batch */
void end_backward(struct encoder *e, const struct batch *b, int batch, int k, float *dy);
void end_transpose(struct encoder *e, int k);

/* ---- encoder_cross.c, encoder_groups.c ---- */
void cross_attention_memory(struct encoder *e, struct memory_layout *w);
void cross_attention_plan(struct encoder *e, const struct period *p);
void pool_batch(struct encoder *e, const struct batch *b, int k);
void spread_asset(const struct encoder *e, int asset, int k, float *dy);
struct multihead cross_attention_shard(const struct encoder *e, int s, int lag,
                                       int *at);       /* a shard's queries, everyone's keys */
void cross_attention_attend(struct encoder *e, int k); /* contexts from queries and the table */
void cross_attention_attend_back(struct encoder *e, int k, int s, int lag,
                                 float *d); /* d [cap, dp]: dLoss/dcontext, overwritten */
void cross_forward(struct encoder *e, int k);
void cross_backward(struct encoder *e, int k);
void lag_weights(const struct encoder *e, int k, double *s);
void group_attention_memory(struct encoder *e, struct group_attention *l, struct memory_layout *w);
void group_attention_plan(struct encoder *e, struct group_attention *l, const struct period *p);
void group_attention_forward(struct encoder *e, int which, int k);
void group_attention_backward(struct encoder *e, int which, int k,
                              int s); /* from b.d_out to the shard's gradient and d_table */

/* ---- encoder_winner.c: alpha_portfolio ---- */
void winner_create(struct encoder *e);
void winner_memory(struct encoder *e, struct memory_layout *w);
void winner_forward(struct encoder *e, float *y);
void winner_backward(struct encoder *e, const float *dy); /* fills d_rows with dLoss/dstates */

#endif
