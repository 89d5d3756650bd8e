/* Random numbers: the published answers of Philox4x32-10, what names a stream, and every way to the same draw. */
#include <string.h>

#include "base/random.h"
#include "check.h"

/* Random123's known answers (kat_vectors, philox4x32 10): counter, key, block. */
static void known_answers(void)
{
    static const uint32_t counter[3][4] = {{0, 0, 0, 0},
                                           {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                           {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                          key[3][2] = {{0, 0}, {0xffffffff, 0xffffffff}, {0xa4093822, 0x299f31d0}},
                          block[3][4] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (int i = 0; i < 3; i++) {
        struct random_stream s = {.key = {key[i][0], key[i][1]}, .hi = {counter[i][2], counter[i][3]}};
        uint64_t index = (uint64_t)counter[i][1] << 32 | counter[i][0];
        uint32_t one[4], many[4];
        random_block(&s, index, one);
        random_blocks(&s, 1, &index, many);
        CU_ASSERT(!memcmp(one, block[i], sizeof one) && !memcmp(many, block[i], sizeof many));
    }
}

/* A stream's name is all of seed, a, b and c, to the last of their bits. */
static void streams(void)
{
    struct random_stream base = random_open(1, 2, 3, 4);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t x = (uint64_t)1 << bit;
        struct random_stream other[4] = {random_open(1 ^ x, 2, 3, 4), random_open(1, 2 ^ x, 3, 4),
                                         random_open(1, 2, 3 ^ x, 4), random_open(1, 2, 3, 4 ^ x)};
        for (int i = 0; i < 4; i++) CU_ASSERT(random_word(&other[i], 0) != random_word(&base, 0));
        CU_ASSERT(random_word(&base, x) != random_word(&base, 0)); /* 64 bits of index */
    }
}

/* Words, uniforms and normals are read off the blocks as the header says, from any index. */
static void draws(void)
{
    enum { MANY = 9 };
    struct random_stream s = random_open(7, 8, 9, 10);
    for (uint64_t i = 0; i < 20; i++) {
        uint32_t w[4];
        random_block(&s, i / 2, w);
        uint64_t bits = (uint64_t)w[2 * (i % 2)] << 32 | w[2 * (i % 2) + 1];
        CU_ASSERT(random_uniform(&s, i) == ((double)(bits >> 11) + 0.5) / 9007199254740992.0);
        double radius = sqrt(-2 * log(random_uniform(&s, i - i % 2))), angle = 2 * M_PI * random_uniform(&s, i | 1);
        CHECK_CLOSE(random_normal(&s, i), radius * (i % 2 ? sin(angle) : cos(angle)), 1e-15);
        random_block(&s, i / 4, w);
        CU_ASSERT(random_word(&s, i) == w[i % 4]);
    }
    for (uint64_t first = 0; first < 4; first++) {
        double d[MANY];
        float f[MANY];
        random_normals(&s, first, MANY, 3, d);
        random_normals_float(&s, first, MANY, 3, f);
        for (uint64_t i = 0; i < MANY; i++) {
            CU_ASSERT(d[i] == 3 * random_normal(&s, first + i));
            CU_ASSERT(f[i] == (float)(3 * random_normal(&s, first + i)));
        }
    }
}

/* Mean, variance, fourth moment, and neighbours without correlation, each within five standard errors. */
static void distribution(void)
{
    enum { N = 200000 };
    struct random_stream s = random_open(1, 0, 0, 0);
    double sum[4] = {0}, pairs = 0, mean = 0, before = 0;
    for (uint64_t i = 0; i < N; i++) {
        double z = random_normal(&s, i), u = random_uniform(&s, i);
        sum[0] += z, sum[1] += z * z, sum[2] += z * z * z * z, mean += u, pairs += z * before;
        before = z;
    }
    CU_ASSERT(fabs(sum[0] / N) < 5 * sqrt(1.0 / N) && fabs(sum[1] / N - 1) < 5 * sqrt(2.0 / N));
    CU_ASSERT(fabs(sum[2] / N - 3) < 5 * sqrt(96.0 / N) && fabs(pairs / N) < 5 * sqrt(1.0 / N));
    CU_ASSERT(fabs(mean / N - 0.5) < 5 * sqrt(1 / 12.0 / N));
}

int main(void)
{
    static const struct check tests[] = {{"the generator's known answers", known_answers},
                                         {"streams by name", streams},
                                         {"every way to a draw", draws},
                                         {"moments", distribution}};
    return check_run("random numbers", tests, sizeof tests / sizeof *tests);
}
