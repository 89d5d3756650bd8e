/* Forward and backward passes of one attention head, a tile of queries against blocks of keys at a time, so that scores
 * stay in cache. */
#include "linalg/attention.h"

#include <math.h>
#include <string.h>

/* Keys of a block: a multiple of every tile height (5, 6), so that whole blocks leave no ragged rows, and few enough that
 * the block of keys, its exponentials and their derivative stay in a second-level cache. */
enum { BLOCK = 120 };
/* How far a score may exceed the shift before the shift is raised: e^30 times 1e5 keys is far from overflow. */
static const float HEADROOM = 30;

/* Everything one tile of queries needs. */
struct attention_tile {
    float *q, *g; /* [ld, TILE] characteristics down, queries across: Q' and G', or dG' and dQ' */
    float *extra; /* [ld, TILE] */
    float *e, *d; /* [BLOCK, TILE] a block of exponentials, of their derivative */
    float *rows;  /* [TILE, ld] */
    float *r;     /* [TILE] */
};

size_t attention_workspace(int D)
{
    return 4 * (size_t)padded(D) * TILE + 2 * (size_t)BLOCK * TILE + TILE;
}

static struct attention_tile tile_of(float *work, int D)
{
    size_t s = (size_t)padded(D) * TILE;
    return (struct attention_tile){.q = work,
                                   .g = work + s,
                                   .extra = work + 2 * s,
                                   .rows = work + 3 * s,
                                   .e = work + 4 * s,
                                   .d = work + 4 * s + BLOCK * TILE,
                                   .r = work + 4 * s + 2 * BLOCK * TILE};
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* out [D, TILE] = rows' with the columns from n to the tile's width zero. */
static void transpose_in(int n, int D, const float *rows, float *out)
{
    int ld = padded(D), width = padded(n);
    for (int i = 0; i < n; i++)
        for (int d = 0; d < D; d++) out[d * TILE + i] = rows[i * ld + d];
    for (int d = 0; d < D; d++)
        for (int i = n; i < width; i++) out[d * TILE + i] = 0;
}

/* rows [n, ld] = the first n columns of in [D, TILE], transposed, each times scale[i] (NULL: 1); padding zero. */
static void transpose_out(int n, int D, const float *in, const float *scale, float *rows)
{
    int ld = padded(D);
    for (int i = 0; i < n; i++) {
        float s = scale ? scale[i] : 1;
        for (int d = 0; d < D; d++) rows[i * ld + d] = s * in[d * TILE + i];
        for (int d = D; d < ld; d++) rows[i * ld + d] = 0;
    }
}

/* Scores of a block of keys against the tile, [keys, TILE] = Y Q'. */
static void scores(const struct kernels *k, int keys, int width, int D, const float *y, const float *q, float *out)
{
    k->product(keys, width, D, y, padded(D), 1, q, TILE, out, TILE, false);
}

static void fill(float *x, int n, float value)
{
    for (int i = 0; i < n; i++) x[i] = value;
}

/* The exact largest score of every query: a pass of its own, taken only where the first block misjudged it. */
static void exact_shift(const struct kernels *k, int width, int N, int D, const float *y, const struct attention_tile *p,
                        float *shift)
{
    fill(shift, width, -INFINITY);
    for (int at = 0; at < N; at += BLOCK) {
        int keys = smaller(BLOCK, N - at);
        scores(k, keys, width, D, y + (size_t)at * (size_t)padded(D), p->q, p->d);
        k->tile_max(keys, width, p->d, shift);
    }
}

/* G' (unnormalised) and the sums for one tile. The shift of a query is its largest score in the first block of keys; only
 * where a later score exceeds it by HEADROOM does the tile start again with the exact maximum. Returns false then. */
static bool tile_forward(const struct kernels *k, int width, int N, int D, const float *y, const struct attention_tile *p,
                         float *kept, bool exact, float *shift, float *sum)
{
    int ld = padded(D);
    fill(sum, width, 0);
    for (int at = 0; at < N; at += BLOCK) {
        int keys = smaller(BLOCK, N - at);
        const float *block = y + (size_t)at * (size_t)ld;
        float *e = kept ? kept + (size_t)at * TILE : p->e;
        scores(k, keys, width, D, block, p->q, e);
        if (!exact) {
            float *top = p->r;
            fill(top, width, -INFINITY);
            k->tile_max(keys, width, e, top);
            if (at == 0) memcpy(shift, top, (size_t)width * sizeof *shift);
            for (int j = 0; j < width; j++)
                if (top[j] > shift[j] + HEADROOM) return false;
        }
        k->tile_exp(keys, width, e, shift, sum);
        k->product(D, width, keys, block, 1, ld, e, TILE, p->g, TILE, at > 0);
    }
    return true;
}

void attention_forward(const struct kernels *k, int n, int N, int D, const float *q, const float *y, int keep, float *kept,
                       float *statistics, float *g, float *work)
{
    struct attention_tile p = tile_of(work, D);
    size_t ld = (size_t)padded(D);
    for (int i = 0, at = 0; at < n; i++, at += TILE) {
        int rows = smaller(TILE, n - at), width = padded(rows);
        float *shift = statistics + (size_t)i * 2 * TILE, *inverse = shift + TILE;
        float *e = i < keep ? kept + (size_t)i * attention_tile_size(N) : NULL;
        transpose_in(rows, D, q + (size_t)at * ld, p.q);
        if (!tile_forward(k, width, N, D, y, &p, e, false, shift, inverse)) {
            exact_shift(k, width, N, D, y, &p, shift);
            tile_forward(k, width, N, D, y, &p, e, true, shift, inverse);
        }
        for (int j = 0; j < width; j++) inverse[j] = 1 / inverse[j];
        transpose_out(rows, D, p.g, inverse, g + (size_t)at * ld);
    }
}

/* x <- s x, returns x . y; both [ld]. */
static float scale_and_dot(int ld, float s, float *x, const float *y)
{
    float lane[PAD] = {0}, sum = 0;
    for (int j = 0; j < ld; j += PAD)
        for (int l = 0; l < PAD; l++) {
            x[j + l] *= s;
            lane[l] += x[j + l] * y[j + l];
        }
    for (int l = 0; l < PAD; l++) sum += lane[l];
    return sum;
}

/* Ask for a block of kept exponentials ahead of its use: it comes from memory while the products of the block before run. */
static void prefetch(const float *e, int keys)
{
    for (int i = 0; i < keys * TILE; i += 16) __builtin_prefetch(e + i, 0, 2);
}

/* With E the exponentials and s their sum:  dP = dG Y',  dS = E (dP - r) / s,  r_i = dG_i . G_i (the softmax's inner product
 * sum_j P_ij dP_ij, at D instead of N terms),  dQ = dS Y,  dY += E' dG / s + dS' Q. Dividing dG by s first does it all. */
void attention_backward(const struct kernels *k, int n, int N, int D, const float *q, const float *y, int keep,
                        const float *kept, const float *statistics, const float *g, float *dg, float *dq, float *dy,
                        float *work)
{
    struct attention_tile p = tile_of(work, D);
    int ld = padded(D);
    for (int i = 0, first = 0; first < n; i++, first += TILE) {
        int rows = smaller(TILE, n - first), width = padded(rows);
        const float *shift = statistics + (size_t)i * 2 * TILE, *inverse = shift + TILE;
        const float *my_q = q + (size_t)first * (size_t)ld, *my_g = g + (size_t)first * (size_t)ld;
        float *my_dg = dg + (size_t)first * (size_t)ld;
        fill(p.r, TILE, 0);
        for (int a = 0; a < rows; a++) p.r[a] = scale_and_dot(ld, inverse[a], my_dg + a * ld, my_g + a * ld);
        transpose_in(rows, D, my_dg, p.extra);
        if (i >= keep) transpose_in(rows, D, my_q, p.q);
        for (int at = 0; at < N; at += BLOCK) {
            int keys = smaller(BLOCK, N - at);
            const float *block = y + (size_t)at * (size_t)ld, *e = p.e;
            if (i < keep) {
                e = kept + (size_t)i * attention_tile_size(N) + (size_t)at * TILE;
                if (at + keys < N) prefetch(e + (size_t)keys * TILE, smaller(BLOCK, N - at - keys));
            } else {
                float unused[TILE] __attribute__((aligned(64))) = {0};
                scores(k, keys, width, D, block, p.q, p.e);
                k->tile_exp(keys, width, p.e, shift, unused);
            }
            k->product(keys, width, D, block, ld, 1, p.extra, TILE, p.d, TILE, false);
            k->tile_softmax_back(keys, width, e, p.r, p.d);
            k->product(D, width, keys, block, 1, ld, p.d, TILE, p.g, TILE, at > 0);
            if (!dy) continue;
            float *to = dy + (size_t)at * (size_t)ld;
            k->product(keys, ld, rows, e, TILE, 1, my_dg, ld, to, ld, true);
            k->product(keys, ld, rows, p.d, TILE, 1, my_q, ld, to, ld, true);
        }
        transpose_out(rows, D, p.g, NULL, dq + (size_t)first * (size_t)ld);
    }
}

void attention_rows(const struct kernels *k, int first, int count, int N, int D, const float *q, const float *y, float *out,
                    float *work)
{
    struct attention_tile p = tile_of(work, D);
    int width = padded(count);
    float shift[TILE] __attribute__((aligned(64))), sum[TILE] __attribute__((aligned(64)));
    transpose_in(count, D, q + (size_t)first * (size_t)padded(D), p.q);
    exact_shift(k, width, N, D, y, &p, shift);
    fill(sum, TILE, 0);
    for (int at = 0; at < N; at += BLOCK) {
        int keys = smaller(BLOCK, N - at);
        scores(k, keys, width, D, y + (size_t)at * (size_t)padded(D), p.q, p.e);
        k->tile_exp(keys, width, p.e, shift, sum);
        for (int j = 0; j < keys; j++)
            for (int i = 0; i < count; i++) out[(size_t)i * (size_t)N + (size_t)(at + j)] = p.e[j * TILE + i];
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < N; j++) out[(size_t)i * (size_t)N + (size_t)j] /= sum[i];
}
