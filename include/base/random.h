/* Counter-based random numbers (Philox4x32-10; Salmon, Moraes, Dror, Shaw, SC 2011).
 * A draw is a pure function of (seed, stream, index): any rank can make any part of any sequence, so results do not
 * depend on how work is split. A stream is named by up to three numbers, e.g. (tensor, seed, window).
 * The bits are the same on every machine; normals use the C library's log, cos and sin in double precision. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_stream {
    uint32_t key[2];
    uint32_t hi[2]; /* the upper half of the counter names the stream */
};

/* Streams of different (a, b, c) are independent for one seed. */
struct random_stream random_open(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);

/* Block `index` of a stream: four 32-bit words. */
void random_block(const struct random_stream *s, uint64_t index, uint32_t out[4]);

/* Value `index` of a stream, each call independent of every other. */
uint32_t random_word(const struct random_stream *s, uint64_t index);
double random_uniform(const struct random_stream *s, uint64_t index); /* in (0, 1), 53 bits */
double random_normal(const struct random_stream *s,
                     uint64_t index); /* N(0, 1), Box-Muller: values 2k and 2k+1 share a block */

/* out[i] = scale * N(0,1) draw number first + i, the same numbers as random_normal rounded to float / double. */
void random_normals_float(const struct random_stream *s, uint64_t first, size_t n, double scale, float *out);
void random_normals(const struct random_stream *s, uint64_t first, size_t n, double scale, double *out);

/* out[w * n + i] = word w (0 .. 3) of block index[i], for many blocks at once (vectorised; the words of random_block). */
void random_blocks(const struct random_stream *s, size_t n, const uint64_t *index, uint32_t *out);

#endif
