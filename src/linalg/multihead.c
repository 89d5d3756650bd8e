/* Forward and backward passes of multi-head attention, a tile of queries against blocks of keys at a time, with the masks
 * of its header. */
#include "linalg/multihead.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* Keys of a block: a multiple of every tile height, few enough for the second-level cache. */
enum { BLOCK = 120 };
/* How far a score may exceed the shift before the tile starts again with the exact maximum. */
static const float HEADROOM = 30;

/* A tile of queries of one head: `rows` of them from `first` on, those keys that they can see at all. */
struct multihead_tile {
    int first, rows, width, keys, ld; /* ld: floats of a head's columns */
    const float *q, *key, *value;     /* this head's columns; q at the tile's first row */
    float *transposed, *transposed_d; /* [ld, TILE] */
    float *e, *d;                     /* [BLOCK, TILE] */
    float *top;                       /* [TILE] */
};

size_t multihead_workspace(int width)
{
    return 2 * (size_t)padded(width) * TILE + 2 * (size_t)BLOCK * TILE + TILE;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void fill(float *x, int n, float value)
{
    for (int i = 0; i < n; i++) x[i] = value;
}

static struct multihead_tile tile_of(const struct multihead *m, int head, int first, const float *q, const float *key,
                                     const float *value, float *work)
{
    int ld = padded(m->width), rows = smaller(TILE, m->queries - first);
    struct multihead_tile p = {.first = first, .rows = rows, .width = padded(rows), .keys = m->keys, .ld = ld};
    if (m->causal) p.keys = smaller(m->keys, m->keys - m->queries + first + rows);
    p.q = q + first * m->q_row + head * ld;
    p.key = key + head * ld;
    p.value = value ? value + head * ld : NULL;
    p.transposed = work, p.transposed_d = work + ld * TILE;
    p.e = work + 2 * ld * TILE, p.d = p.e + BLOCK * TILE, p.top = p.d + BLOCK * TILE;
    return p;
}

/* Scores of keys at .. at+keys-1 against the tile, -infinity where a key is not to be seen. */
static void scores(const struct kernels *k, const struct multihead *m, const struct multihead_tile *p, int at, int keys,
                   float *e)
{
    k->product(keys, p->width, m->width, p->key + at * m->k_row, m->k_row, 1, p->transposed, TILE, e, TILE, false);
    for (int j = 0; m->absent && j < keys; j++)
        if (m->absent[at + j]) fill(e + j * TILE, p->width, -INFINITY);
    if (m->causal)
        for (int j = 0, before = at - (m->keys - m->queries) - p->first; j < keys; j++)
            fill(e + j * TILE, smaller(p->width, before + j), -INFINITY);
    if (m->self >= 0)
        for (int j = 0, i = at - m->self - p->first; j < keys; j++, i++)
            if (i >= 0 && i < p->rows) e[j * TILE + i] = -INFINITY;
}

/* Scores become weights, which are to be divided by their sum; linear ones, by the number of keys. */
static void weights(const struct kernels *k, const struct multihead *m, const struct multihead_tile *p, int keys,
                    const float *shift, float *e, float *sum)
{
    if (!m->linear) k->tile_weigh(keys, p->width, e, shift, sum);
    for (int j = 0; m->linear && j < p->width; j++) sum[j] += (float)keys;
}

/* A shift must be finite: any will do where there is no key. */
static void make_finite(float *shift, int width)
{
    for (int j = 0; j < width; j++)
        if (shift[j] == -INFINITY) shift[j] = 0;
}

static void exact_shift(const struct kernels *k, const struct multihead *m, const struct multihead_tile *p, float *shift)
{
    fill(shift, p->width, -INFINITY);
    for (int at = 0; at < p->keys; at += BLOCK) {
        int keys = smaller(BLOCK, p->keys - at);
        scores(k, m, p, at, keys, p->d);
        k->tile_max(keys, p->width, p->d, shift);
    }
    make_finite(shift, p->width);
}

/* Outputs times their sums, and the sums. The shift of a query is its largest score in the first block; false: a later score exceeds
 * it by HEADROOM. */
static bool weigh(const struct kernels *k, const struct multihead *m, const struct multihead_tile *p, float *kept,
                  bool exact, float *shift, float *sum, float *o)
{
    fill(sum, p->width, 0);
    for (int at = 0; at < p->keys; at += BLOCK) {
        int keys = smaller(BLOCK, p->keys - at);
        float *e = kept ? kept + (size_t)at * TILE : p->e;
        scores(k, m, p, at, keys, e);
        if (!exact && !m->linear) {
            fill(p->top, p->width, -INFINITY);
            k->tile_max(keys, p->width, e, p->top);
            if (at == 0) {
                memcpy(shift, p->top, sizeof(float) * (size_t)p->width);
                make_finite(shift, p->width);
            }
            for (int j = 0; at && j < p->width; j++)
                if (p->top[j] > shift[j] + HEADROOM) return false;
        }
        weights(k, m, p, keys, shift, e, sum);
        k->product(p->rows, p->ld, keys, e, 1, TILE, p->value + at * m->k_row, m->k_row, o, m->q_row, at > 0);
    }
    return true;
}

void multihead_forward(const struct kernels *k, const struct multihead *m, const float *q, const float *key,
                       const float *value, float *o, float *kept, float *statistics, float *work)
{
    require(!m->linear || (!m->causal && !m->absent && m->self < 0));
    for (int h = 0; h < m->heads; h++)
        for (int first = 0; first < m->queries; first += TILE, statistics += 2 * TILE) {
            struct multihead_tile p = tile_of(m, h, first, q, key, value, work);
            float *shift = statistics, *inverse = statistics + TILE, *to = o + first * m->q_row + h * p.ld;
            k->tile_transpose(p.rows, m->width, p.q, m->q_row, p.transposed);
            if (!weigh(k, m, &p, kept, false, shift, inverse, to)) {
                exact_shift(k, m, &p, shift);
                weigh(k, m, &p, kept, true, shift, inverse, to);
            }
            for (int j = 0; j < p.width; j++) inverse[j] = inverse[j] != 0 ? 1 / inverse[j] : 0;
            for (int i = 0; i < p.rows; i++)
                for (int c = 0; c < p.ld; c++) to[i * m->q_row + c] *= inverse[i];
            if (kept) kept += (size_t)m->keys * TILE;
        }
}

/* A query of one source has dS = 0. As a difference of two rounded sums it would not be quite 0, and Adam makes whole steps of
 * any gradient that never was larger. */
static void settle_single(const struct multihead_tile *p, int keys, const float *inverse, const float *e, float *d)
{
    for (int i = 0; i < p->rows; i++)
        for (int j = 0; inverse[i] == 1 && j < keys; j++)
            if (e[j * TILE + i] == 1) d[j * TILE + i] = 0;
}

/* With E the exponentials and s their sum, dO divided by s first:  dS = E (dO V' - r),  r_i = dO_i O_i,  dQ = dS K,  dK = dS' Q,
 * dV = E' dO. Linear: dS = dO V'. */
void multihead_backward(const struct kernels *k, const struct multihead *m, const float *q, const float *key,
                        const float *value, const float *o, float *d_o, const float *kept, const float *statistics,
                        float *dq, float *dkey, float *dvalue, bool add, float *work)
{
    ptrdiff_t width = (ptrdiff_t)m->heads * padded(m->width);
    if (!add && m->causal && m->queries > TILE) { /* the first tile does not reach all keys */
        for (int j = 0; j < m->keys; j++) {
            memset(dkey + j * m->k_row, 0, sizeof(float) * (size_t)width);
            memset(dvalue + j * m->k_row, 0, sizeof(float) * (size_t)width);
        }
        add = true;
    }
    for (int h = 0; h < m->heads; h++)
        for (int first = 0; first < m->queries; first += TILE, statistics += 2 * TILE) {
            struct multihead_tile p = tile_of(m, h, first, q, key, value, work);
            const float *shift = statistics, *inverse = statistics + TILE;
            ptrdiff_t skip = first * m->q_row + h * p.ld;
            fill(p.top, TILE, 0);
            k->row_dots(p.rows, p.ld, inverse, d_o + skip, m->q_row, o + skip, m->q_row, p.top);
            k->tile_transpose(p.rows, m->width, d_o + skip, m->q_row, p.transposed_d);
            if (!kept) k->tile_transpose(p.rows, m->width, p.q, m->q_row, p.transposed);
            for (int at = 0; at < p.keys; at += BLOCK) {
                int keys = smaller(BLOCK, p.keys - at);
                ptrdiff_t skip_k = at * m->k_row, to = skip_k + h * p.ld;
                const float *e = kept ? kept + (size_t)at * TILE : p.e;
                if (!kept) {
                    float unused[TILE] __attribute__((aligned(64))) = {0};
                    scores(k, m, &p, at, keys, p.e);
                    weights(k, m, &p, keys, shift, p.e, unused);
                }
                k->product(keys, p.width, m->width, p.value + skip_k, m->k_row, 1, p.transposed_d, TILE, p.d, TILE, false);
                if (!m->linear) {
                    k->tile_softmax_back(keys, p.width, e, p.top, p.d);
                    settle_single(&p, keys, inverse, e, p.d);
                }
                k->product(p.rows, p.ld, keys, p.d, 1, TILE, p.key + skip_k, m->k_row, dq + skip, m->q_row, at > 0);
                if (!dkey) continue;
                k->product(keys, p.ld, p.rows, p.d, TILE, 1, p.q, m->q_row, dkey + to, m->k_row, add || first > 0);
                k->product(keys, p.ld, p.rows, e, TILE, 1, d_o + skip, m->q_row, dvalue + to, m->k_row, add || first > 0);
            }
            if (kept) kept += (size_t)m->keys * TILE;
        }
}

void multihead_weights(const struct kernels *k, const struct multihead *m, int head, const float *q, const float *key,
                       float *out, float *work)
{
    float shift[TILE] __attribute__((aligned(64))), sum[TILE] __attribute__((aligned(64)));
    memset(out, 0, sizeof(float) * (size_t)m->queries * (size_t)m->keys);
    for (int first = 0; first < m->queries; first += TILE) {
        struct multihead_tile p = tile_of(m, head, first, q, key, NULL, work);
        k->tile_transpose(p.rows, m->width, p.q, m->q_row, p.transposed);
        exact_shift(k, m, &p, shift);
        fill(sum, TILE, 0);
        float *to = out + (size_t)first * (size_t)m->keys;
        for (int at = 0; at < p.keys; at += BLOCK) {
            int keys = smaller(BLOCK, p.keys - at);
            scores(k, m, &p, at, keys, p.e);
            weights(k, m, &p, keys, shift, p.e, sum);
            for (int i = 0; i < p.rows; i++)
                for (int j = 0; j < keys; j++) to[(size_t)i * (size_t)m->keys + (size_t)(at + j)] = p.e[j * TILE + i];
        }
        for (int i = 0; i < p.rows; i++)
            for (int j = 0; j < m->keys; j++)
                if (sum[i] != 0) to[(size_t)i * (size_t)m->keys + (size_t)j] /= sum[i];
    }
}
