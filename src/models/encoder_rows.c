/* The rows of a period: which steps every asset was there, how they go in batches, and the embedding. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "encoder_internal.h"

void rows_memory(struct encoder *e, struct memory_layout *w)
{
    size_t cap = (size_t)e->cap, L = (size_t)e->s.L;
    MEMORY(w, e->rows, SPANS * cap, "rows of assets");
    MEMORY(w, e->begin, SPANS * (cap + 1), "rows of assets");
    MEMORY(w, e->step, cap * L, "steps of rows");
    for (int v = 0; v < SPANS; v++) MEMORY(w, e->batch[v], cap, "batches");
    MEMORY(w, e->position, L * (size_t)e->ld, "positions");
    MEMORY(w, e->offset, L * (size_t)e->ld, "positions");
    MEMORY(w, e->embedded, (size_t)e->most * (size_t)e->li, "inputs");
}

/* Groups a shard's assets into runs of at most `most` rows of span v. The groups are the same however shards are spread
 * over ranks. */
static void plan_batches(struct encoder *e, enum span v)
{
    int count = 0;
    for (int s = 0; s < e->net.own; s++) {
        int at, assets = shard_assets(e, s, &at), held = 0;
        for (int i = at; i < at + assets; i++) {
            int rows = rows_of(e, v, i);
            if (i == at || held + rows > e->most) {
                e->batch[v][count++] = (struct batch){.shard = s, .asset = i};
                held = 0;
            }
            e->batch[v][count - 1].assets++;
            held += rows;
        }
    }
    e->batches[v] = count;
}

void rows_plan(struct encoder *e, const struct period *p)
{
    struct network *n = &e->net;
    int L = e->s.L;
    require(p->history && p->history->L == L && p->n <= n->max_assets);
    e->history = p->history;
    e->N = p->n, e->row0 = own_first_row(n, p->n), e->own = own_rows(n, p->n);
    size_t row = 0;
    for (int i = 0; i < e->own; i++) {
        const int32_t *there = p->history->row + (size_t)(e->row0 + i) * (size_t)L;
        int all = 0, late = 0;
        require(there[L - 1] >= 0);
        for (int l = 0; l < L; l++) {
            if (there[l] < 0) continue;
            e->step[row++] = l;
            all++;
            late += l >= L - e->b.lags;
        }
        e->rows[ALL * e->cap + i] = all, e->rows[LATE * e->cap + i] = late, e->rows[LAST * e->cap + i] = 1;
    }
    for (int v = 0; v < SPANS; v++) {
        size_t *begin = e->begin + v * (e->cap + 1);
        begin[0] = 0;
        for (int i = 0; i < e->own; i++) begin[i + 1] = begin[i] + (size_t)rows_of(e, (enum span)v, i);
        plan_batches(e, (enum span)v);
    }
}

/* ---- dropout ---- */

/* One row of a stream of network_drop. The rows of a batch need not be neighbours here, so they are masked one at a time. */
static void drop_row(const struct network *n, const struct random_stream *s, int64_t row, int columns, float *x)
{
    enum { BLOCKS = 64 };
    uint64_t index[BLOCKS];
    uint32_t word[4 * BLOCKS], below = (uint32_t)(n->dropout * 4294967296.0);
    float scale = network_drop_scale(n);
    int blocks = (columns + 3) / 4, per_row = padded(columns) / 4;
    for (int at = 0; at < blocks; at += BLOCKS) {
        int count = blocks - at < BLOCKS ? blocks - at : BLOCKS;
        for (int i = 0; i < count; i++) index[i] = (uint64_t)row * (uint64_t)per_row + (uint64_t)(at + i);
        random_blocks(s, (size_t)count, index, word);
        for (int i = 0; i < count; i++)
            for (int l = 0; l < 4; l++) {
                float *to = x + 4 * (at + i) + l; /* padding is zero and stays so */
                *to = word[l * count + i] < below ? 0 : *to * scale;
            }
    }
}

static struct random_stream drop_stream(const struct network *n, int stream)
{
    return random_open(n->dropout_key[0], 1000 + (uint64_t)stream, n->dropout_key[1], n->dropout_key[2]);
}

void drop_rows(const struct encoder *e, int stream, enum span v, const struct batch *b, int columns, float *x)
{
    struct random_stream s = drop_stream(&e->net, stream);
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        int rows = rows_of(e, v, i);
        const int *step = e->step + begin_of(e, ALL, i) + rows_of(e, ALL, i) - rows;
        for (int r = 0; r < rows; r++, x += padded(columns))
            drop_row(&e->net, &s, (int64_t)(e->row0 + i) * e->s.L + step[r], columns, x);
    }
}

void drop_assets(const struct encoder *e, int stream, int asset, int assets, int columns, float *x)
{
    struct random_stream s = drop_stream(&e->net, stream);
    for (int i = 0; i < assets; i++, x += padded(columns)) drop_row(&e->net, &s, e->row0 + asset + i, columns, x);
}

/* ---- embedding ---- */

/* e->embedded [rows, kernel D]: characteristics of the last `kernel` steps side by side, zero where there are none. */
static void gather(struct encoder *e, const struct batch *b)
{
    int D = e->net.D, L = e->s.L, kernel = e->s.kernel;
    float *to = e->embedded;
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        const int32_t *there = e->history->row + (size_t)(e->row0 + i) * (size_t)L;
        const int *step = e->step + begin_of(e, ALL, i);
        for (int r = 0; r < rows_of(e, ALL, i); r++, to += e->li)
            for (int t = 0; t < kernel; t++) {
                int l = step[r] - kernel + 1 + t;
                if (l >= 0 && there[l] >= 0)
                    memcpy(to + t * D, e->history->rows[l] + (size_t)there[l] * (size_t)D, sizeof(float) * (size_t)D);
                else memset(to + t * D, 0, sizeof(float) * (size_t)D);
            }
    }
}

void embed_forward(struct encoder *e, const struct batch *b, float *x)
{
    const struct network *n = &e->net;
    int rows = batch_rows(e, ALL, b), ld = e->ld;
    const int *step = e->step + begin_of(e, ALL, b->asset);
    gather(e, b);
    n->kernels->product(rows, ld, e->in, e->embedded, e->li, 1, tensor_at(n, n->parameter, e->input, 0), ld, x, ld, false);
    for (int r = 0; r < rows; r++) n->kernels->row_bias(1, ld, e->offset + step[r] * ld, false, x + r * ld);
    if (e->dropped) drop_rows(e, DROP_EMBEDDING, ALL, b, e->s.d_model, x);
}

void embed_backward(struct encoder *e, const struct batch *b, float *dx)
{
    const struct network *n = &e->net;
    int rows = batch_rows(e, ALL, b), ld = e->ld;
    float *g = n->gradient[b->shard];
    if (e->dropped) drop_rows(e, DROP_EMBEDDING, ALL, b, e->s.d_model, dx);
    gather(e, b);
    n->kernels->product(e->in, ld, rows, e->embedded, 1, e->li, dx, ld, tensor_at(n, g, e->input, 0), ld, true);
    n->kernels->column_sum(rows, ld, dx, tensor_at(n, g, e->input + 1, 0));
}
