/* Layers. A layer says what it is made of (tensors, rows of input for rows of output, what a batch leaves for the way back, memory,
 * flops), goes forward and goes backward; nn/network.h derives the rest. docs/design.md: four steps to add one.
 *
 * A layer works on batches, by itself (forward, backward), or over all assets of a period at once (over: collective). Matrices are
 * [rows, ld], ld = padded(columns), padding zero. The rows of a batch are those of its assets in the layer's span: `takes` of the
 * input, `gives` of the output.
 *
 * A layer is made by its constructor, which appends it to a network between network_open and network_close. Layers of one kind may be
 * stacked: the k-th of K; their tensors are one of size [K, ..]. */
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "nn/network.h"

/* Memory: one function of a layer names everything it holds, to count its bytes, to take it, or to give it back. */
struct memory_layout {
    enum { MEMORY_COUNT, MEMORY_TAKE, MEMORY_GIVE } way;
    double bytes;
};
void memory_piece(struct memory_layout *w, void *where, size_t count, size_t size, const char *what);
#define MEMORY(w, pointer, count, what) memory_piece(w, &(pointer), (size_t)(count), sizeof *(pointer), what)

/* What passes a layer's batch on its way forward and back. */
struct pass {
    const struct batch *batch;
    int in, out;     /* rows that the layer takes and gives */
    const float *x;  /* [in, ld] its input; NULL: the first layer's */
    float *y;        /* [out, ld] its output */
    float *kept;     /* what forward leaves for backward */
    float *dy;       /* [out, ld] dLoss/dy, may be overwritten */
    float *dx;       /* [in, ld] dLoss/dx, to be written; NULL: not wanted */
    float *gradient; /* of the batch's shard, to be added to */
};

struct layer_class {
    const char *name;
    /* The span of input rows for output rows of span `gives`; NULL: the same. */
    enum span (*takes)(const struct layer *, enum span gives);
    /* Flops over `assets` assets with `in` and `out` rows each. */
    double (*flops)(const struct layer *, double assets, double in, double out);
    /* Floats that an asset leaves for the way back besides y, given its rows. NULL: none. */
    size_t (*keeps)(const struct layer *, size_t in, size_t out);
    /* Buffers that last (nn/network.h: bound). NULL: none. */
    void (*memory)(struct layer *, const struct network *, struct memory_layout *);
    /* Once a pass, before the first batch: scaled or transposed weights and the like. NULL: nothing to do. */
    void (*prepare)(struct layer *, const struct network *, bool backward);
    /* By batch. */
    void (*forward)(struct layer *, const struct network *, const struct pass *);
    void (*backward)(struct layer *, const struct network *, const struct pass *);
    /* Or over all assets: x, y [rows of this rank's assets, ld]. A layer `beside` leaves its rows as they are (y is x, dx is dy) and
     * hands what it computed to the layer behind it. Collective. */
    const struct over *over;
    void (*destroy)(struct layer *); /* what the constructor took besides the layer itself; NULL: nothing */
};
struct over {
    bool beside;
    void (*forward)(struct layer *, struct network *, const float *x, float *y);
    void (*backward)(struct layer *, struct network *, const float *x, float *dy, float *dx);
    /* Floats that the layer would keep if it may, and what it is given of them. NULL: none. */
    double (*wants)(const struct layer *, const struct network *);
    void (*grant)(struct layer *, float *arena, size_t floats);
};

struct layer {
    const struct layer_class *class;
    int in, out;            /* columns */
    int wide;               /* the most columns that it wants of a tile, if more than out */
    int assets;             /* with whole histories, that a batch had better hold at least; 0: any */
    int stream;             /* of dropout's masks; < 0: none */
    enum span takes, gives; /* set by network_close, as are: */
    bool first;             /* nothing before it learns: dx is not wanted */
};

/* ---- building a network ---- */
struct network *network_open(int D, int L, int max_assets, int shards);
/* Appends a layer of `size` bytes, the first of which are a struct layer. Returns it, zero but for what `base` says. */
void *network_append(struct network *, size_t size, struct layer base);
/* A tensor's number; adds it if there is none of that name. */
int network_add(struct network *, struct tensor t);
/* One of size [of, rows, columns], [of, columns]; of = 0: [rows, columns], [columns]. A vector starts at 0. */
int network_matrix(struct network *, const char *name, int of, int rows, int columns, double deviation);
int network_vector(struct network *, const char *name, int of, int columns);
/* Sets what follows from the list of layers. What it returns is a description. */
struct network *network_close(struct network *);
/* Layer norms that layers share: norm_scale, norm_shift [of, norms, d]. */
void network_norms(struct network *, int of, int norms, int d);
/* Room for rows of so many floats in what ranks share; for attention heads of so many columns in network_attention_work. */
void network_shares(struct network *, size_t row);
void network_heads(struct network *, int width);
/* The last layer of that class; NULL: none. */
struct layer *network_last(const struct network *, const struct layer_class *);

/* ---- for layers ---- */

/* Most rows of a batch; tiles are matrices of so many rows, of the widest columns, for whatever layer is at work. */
int network_batch(const struct network *);
enum { TILES = 10 };
float *network_tile(const struct network *, int i);
float *network_attention_work(const struct network *); /* workspace of linalg/multihead.h for the widest head */

/* What ranks share in a layer over assets. A table [N, row] of all assets, of which a rank has filled in its own: between begin and finish
 * the others' are under way. And the way back: each shard's derivative with respect to all assets' rows, network_back [N, row], summed over
 * shards in shard order: out [own assets, row] += the sum. Collective, all four. network_spare: [own assets, most of any row] for
 * the layer at work. */
void network_share_begin(const struct network *, float *table, size_t row);
void network_share_finish(const struct network *);
float *network_back(const struct network *, int shard);
void network_sum_begin(const struct network *, size_t row);
void network_sum_finish(const struct network *, float *out);
float *network_spare(const struct network *);

static inline int rows_of(const struct network *n, enum span v, int asset)
{
    return n->rows.count[(int)v * n->rows.most + asset];
}
static inline size_t begin_of(const struct network *n, enum span v, int asset)
{
    return n->rows.begin[(int)v * (n->rows.most + 1) + asset];
}
static inline int batch_rows(const struct network *n, enum span v, const struct batch *b)
{
    return (int)(begin_of(n, v, b->asset + b->assets) - begin_of(n, v, b->asset));
}
/* Steps of an asset's rows of a span. */
static inline const int *steps_of(const struct network *n, enum span v, int asset)
{
    return n->rows.step + begin_of(n, ALL, asset) + rows_of(n, ALL, asset) - rows_of(n, v, asset);
}
/* Shard s of this rank: its assets, where they begin among this rank's. */
static inline int shard_assets(const struct network *n, int s, int *at)
{
    int from = shard_first(&n->shards, n->rows.N, n->shards.first + s);
    *at = from - n->rows.first;
    return shard_first(&n->shards, n->rows.N, n->shards.first + s + 1) - from;
}
/* Most assets that `shards` consecutive shards can have. */
static inline int most_assets(const struct network *n, int shards)
{
    return (int)(((int64_t)n->max_assets * shards + n->shards.count - 1) / n->shards.count);
}
static inline const float *weights(const struct network *n, int t, int row)
{
    return tensor_at(n, n->parameter, t, row);
}

/* Scale and shift of the i-th norm of the k-th layer, in the parameters or a gradient. */
static inline float *norm_scale(const struct network *n, float *vector, int k, int i)
{
    return tensor_at(n, vector, n->norm, k * n->tensor[n->norm].size[1] + i);
}
static inline float *norm_shift(const struct network *n, float *vector, int k, int i)
{
    return tensor_at(n, vector, n->norm + 1, k * n->tensor[n->norm].size[1] + i);
}

/* y [rows, ld] = x [rows, in] w + b (NULL: none), rows of y any distance apart. */
void affine(const struct network *, int rows, int in, int columns, const float *x, size_t x_row, const float *w,
            const float *b, float *y, size_t y_row);
/* The last rows (span `to`) of every asset of a batch out of its rows of span `from`; and back, zero elsewhere. */
void rows_narrow(const struct network *, const struct batch *, enum span from, enum span to, int ld, const float *x,
                 float *y);
void rows_widen(const struct network *, const struct batch *, enum span from, enum span to, int ld, const float *x,
                float *y);

/* Dropout (Srivastava et al. 2014): counter-based masks by stream, asset and step, the same on the way back. `columns` of the rows of
 * span v of a batch, or of one row an asset. Nothing happens where dropout is off. */
void drop_rows(const struct network *, int stream, enum span v, const struct batch *, int columns, float *x);
void drop_assets(const struct network *, int stream, int asset, int assets, int columns, float *x);
static inline float drop_scale(const struct network *n)
{
    return n->dropout.on ? (float)(1 / (1 - n->dropout.share)) : 1;
}

/* ---- the layers ---- */

/* The characteristics of the period: rows [1, D] for every asset. No tensors. */
void layer_input(struct network *);
/* Characteristics of the last `kernel` steps side by side, zero where masked (a convolution over time that looks back only), times
 * input_weight [kernel D, d] plus input_bias plus sinusoidal positions; dropout. */
void layer_embedding(struct network *, int d, int kernel, int stream);
/* y = relu?(x W + b), dropout; named tensors [in, out], [out] of deviation 1/sqrt(in). */
void layer_dense(struct network *, const char *weight, const char *bias, int out, bool relu, int stream);
/* y = x v + b: one number an asset; v [in, 1], b [1]; or without b (NULL), v [in]. */
void layer_column(struct network *, const char *weight, const char *bias);
/* y = x + relu(x W1 + b1) W2 + b2, normalised where it ends in a layer norm; dropout on the hidden units. Tensors W1 [K, in, hidden], b1,
 * W2 [K, hidden, in], b2. */
struct feed_forward_shape {
    int k, of, hidden, stream;
    double deviation[2]; /* of W1 and W2 at the start */
    int norm;            /* which of the layer's norms ends it; -1: none */
    bool residual;       /* else y without x */
};
void layer_feed_forward(struct network *, struct feed_forward_shape);
/* Multi-head self-attention over each asset's steps, x <- norm(x + MHA(x, x, x)); tensors time_query .. [K, d, d]. */
struct self_attention_shape {
    int k, of, heads, stream, norm;
    bool causal;
};
void layer_self_attention(struct network *, struct self_attention_shape);
/* A recurrent network over each asset's rows in time order, from nothing at its first: x <- norm(x + h), in the place of attention over steps.
 * Tensors lstm_input, lstm_hidden [K, d, 4 d] (gates i, f, g, o as in PyTorch's nn.LSTM) and lstm_input_bias [K, 4 d]; or gru_input, gru_hidden
 * [K, d, 3 d] (gates r, z, n as in nn.GRU), gru_input_bias and gru_hidden_bias [K, 3 d]. Dropout on h as it leaves, not on its way through time. */
struct recurrent_shape {
    int k, of, stream, norm;
    enum { RECURRENT_LSTM, RECURRENT_GRU } cell;
};
void layer_recurrent(struct network *, struct recurrent_shape);
/* Attention over a period's assets: nn/portfolio_attention.h. Between their pooled states: nn/cross_attention.h. */

#endif
