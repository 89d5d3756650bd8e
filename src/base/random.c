/* Philox4x32-10, block by block, and the uniform and normal numbers made from its words. */
#include "base/random.h"

#include <math.h>

static inline void philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1], c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

struct random_stream random_open(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    /* The name (a, b, c) is hashed through the generator itself to 64 bits of counter and 64 bits of key. */
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, x[4];
    uint32_t first[4] = {(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)};
    philox(key, first, x);
    uint32_t second[4] = {x[0] ^ (uint32_t)c, x[1] ^ (uint32_t)(c >> 32), x[2], x[3]};
    philox(key, second, x);
    return (struct random_stream){.key = {x[0], x[1]}, .hi = {x[2], x[3]}};
}

void random_block(const struct random_stream *s, uint64_t index, uint32_t out[4])
{
    uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), s->hi[0], s->hi[1]};
    philox(s->key, counter, out);
}

uint32_t random_word(const struct random_stream *s, uint64_t index)
{
    uint32_t w[4];
    random_block(s, index / 4, w);
    return w[index % 4];
}

/* 53 bits, never 0 nor 1. */
static double uniform_of(uint32_t hi, uint32_t lo)
{
    return ((double)(((uint64_t)hi << 32 | lo) >> 11) + 0.5) * 0x1p-53;
}

double random_uniform(const struct random_stream *s, uint64_t index)
{
    uint32_t w[4];
    random_block(s, index / 2, w);
    return index % 2 ? uniform_of(w[2], w[3]) : uniform_of(w[0], w[1]);
}

static void normal_pair(const struct random_stream *s, uint64_t pair, double out[2])
{
    uint32_t w[4];
    random_block(s, pair, w);
    double r = sqrt(-2 * log(uniform_of(w[0], w[1]))), angle = 6.283185307179586 * uniform_of(w[2], w[3]);
    out[0] = r * cos(angle);
    out[1] = r * sin(angle);
}

double random_normal(const struct random_stream *s, uint64_t index)
{
    double z[2];
    normal_pair(s, index / 2, z);
    return z[index % 2];
}

void random_normals(const struct random_stream *s, uint64_t first, size_t n, double scale, double *out)
{
    double z[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
        uint64_t k = first + i;
        if (i == 0 || k % 2 == 0) normal_pair(s, k / 2, z);
        out[i] = scale * z[k % 2];
    }
}

void random_normals_float(const struct random_stream *s, uint64_t first, size_t n, double scale, float *out)
{
    double z[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
        uint64_t k = first + i;
        if (i == 0 || k % 2 == 0) normal_pair(s, k / 2, z);
        out[i] = (float)(scale * z[k % 2]);
    }
}

/* The compiler vectorises over i; the clones differ in speed only. Sanitisers cannot start programs with such functions. */
#if defined __x86_64__ && !defined __SANITIZE_ADDRESS__ && !defined __clang__
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#endif
void random_blocks(const struct random_stream *s, size_t n, const uint64_t *index, uint32_t *restrict out)
{
    uint32_t a = s->key[0], b = s->key[1], hi0 = s->hi[0], hi1 = s->hi[1];
    for (size_t i = 0; i < n; i++) {
        uint32_t c0 = (uint32_t)index[i], c1 = (uint32_t)(index[i] >> 32), c2 = hi0, c3 = hi1, k0 = a, k1 = b;
        for (int round = 0; round < 10; round++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
            c1 = (uint32_t)p1;
            c3 = (uint32_t)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        out[i] = c0, out[n + i] = c1, out[2 * n + i] = c2, out[3 * n + i] = c3;
    }
}
