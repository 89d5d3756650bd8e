/* Dropout: masks from counter-based random numbers, so that they can be formed again on the way back, on any rank. */
#include "base/random.h"
#include "nn/layer.h"

static struct random_stream stream_of(const struct network *n, int stream)
{
    const uint64_t *key = n->dropout.key;
    return random_open(key[0], 1000 + (uint64_t)stream, key[1], key[2]);
}

/* One row of a stream. The rows of a batch need not be neighbours in the period, so they are masked one at a time. */
static void drop_row(const struct network *n, const struct random_stream *s, int64_t row, int columns, float *x)
{
    enum { BLOCKS = 64 };
    uint64_t index[BLOCKS];
    uint32_t word[4 * BLOCKS], below = (uint32_t)(n->dropout.share * 4294967296.0);
    float scale = drop_scale(n);
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

void drop_rows(const struct network *n, int stream, enum span v, const struct batch *b, int columns, float *x)
{
    if (!n->dropout.on || stream < 0) return;
    struct random_stream s = stream_of(n, stream);
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        const int *step = steps_of(n, v, i);
        for (int r = 0; r < rows_of(n, v, i); r++, x += padded(columns))
            drop_row(n, &s, (int64_t)(n->rows.first + i) * n->L + step[r], columns, x);
    }
}

void drop_assets(const struct network *n, int stream, int asset, int assets, int columns, float *x)
{
    if (!n->dropout.on || stream < 0) return;
    struct random_stream s = stream_of(n, stream);
    for (int i = 0; i < assets; i++, x += padded(columns)) drop_row(n, &s, n->rows.first + asset + i, columns, x);
}
