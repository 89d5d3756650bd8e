/* Ranks within a period by sorting, ties sharing their mean. */
#include "panel/rank.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A column is sorted by its upper 32 key bits with three radix passes (11 + 11 + 10 bits), each item carrying its row
 * number in the lower half; rows whose upper halves agree, few in real data, are then put right by their lower key bits. */
enum { BITS = 11, BUCKETS = 1 << BITS, PASSES = 3, SHORT_RUN = 24, SMALL = 64 };

size_t rank_workspace(int n)
{
    return (size_t)n * 3 * sizeof(uint64_t) + PASSES * (size_t)BUCKETS * sizeof(uint32_t);
}

/* Unsigned integers in the order of the doubles; -0 and +0 are one value. */
static inline uint64_t key_of(double v)
{
    uint64_t b;
    v += 0.0;
    memcpy(&b, &v, sizeof b);
    return b & 1ull << 63 ? ~b : b | 1ull << 63;
}

/* Stable radix sort of item[n] by its upper 32 bits; count holds the histograms of the three digits. Returns where the result is. */
static uint64_t *radix_sort(uint64_t *item, uint64_t *other, uint32_t n, uint32_t (*count)[BUCKETS])
{
    for (int pass = 0; pass < PASSES; pass++) {
        int shift = 32 + pass * BITS;
        uint32_t *c = count[pass], sum = 0;
        if (c[item[0] >> shift & (BUCKETS - 1)] == n) continue; /* one digit for all: nothing to do */
        for (int b = 0; b < BUCKETS; b++) {
            uint32_t k = c[b];
            c[b] = sum;
            sum += k;
        }
        for (uint32_t i = 0; i < n; i++) other[c[item[i] >> shift & (BUCKETS - 1)]++] = item[i];
        uint64_t *t = item;
        item = other;
        other = t;
    }
    return item;
}

static inline void count_digits(uint64_t item, uint32_t (*count)[BUCKETS])
{
    for (int pass = 0; pass < PASSES; pass++) count[pass][item >> (32 + pass * BITS) & (BUCKETS - 1)]++;
}

/* The same order for the few assets of a small panel, where the histograms would cost more than the sort. */
static void insertion_sort(uint64_t *item, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint64_t v = item[i];
        uint32_t j = i;
        for (; j > 0 && item[j - 1] >> 32 > v >> 32; j--) item[j] = item[j - 1];
        item[j] = v;
    }
}

/* Order a run of items that agree in the upper key half by the lower half. spare [n]; count: histogram space. */
static void sort_run(uint64_t *run, uint32_t n, const uint64_t *key, uint64_t *spare, uint32_t (*count)[BUCKETS])
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++) all |= key[(uint32_t)run[i]] ^ key[(uint32_t)run[0]];
    if (!all) return; /* ties */
    if (n > SHORT_RUN) {
        memset(count, 0, PASSES * sizeof *count);
        for (uint32_t i = 0; i < n; i++) {
            run[i] = key[(uint32_t)run[i]] << 32 | (uint32_t)run[i];
            count_digits(run[i], count);
        }
        uint64_t *sorted = radix_sort(run, spare, n, count);
        if (sorted != run) memcpy(run, sorted, n * sizeof *run);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint64_t v = run[i], k = key[(uint32_t)v];
        uint32_t j = i;
        for (; j > 0 && key[(uint32_t)run[j - 1]] > k; j--) run[j] = run[j - 1];
        run[j] = v;
    }
}

void rank_column(int n, const double *values, size_t stride, float *out, size_t out_stride, void *scratch)
{
    uint64_t *key = scratch, *item = key + n, *other = item + n;
    uint32_t(*count)[BUCKETS] = (uint32_t(*)[BUCKETS])(void *)(other + n), m = 0;
    bool small = n <= SMALL;
    if (!small) memset(count, 0, PASSES * sizeof *count);
    for (int i = 0; i < n; i++) {
        double v = values[(size_t)i * stride];
        if (isnan(v)) {
            out[(size_t)i * out_stride] = 0;
            continue;
        }
        key[i] = key_of(v);
        item[m] = (key[i] & 0xffffffff00000000u) | (uint32_t)i;
        if (!small) count_digits(item[m], count);
        m++;
    }
    if (m == 0) return;
    if (small) insertion_sort(item, m);
    uint64_t *sorted = small ? item : radix_sort(item, other, m, count), *spare = sorted == item ? other : item;
    for (uint32_t i = 0, j; i < m; i = j) {
        for (j = i + 1; j < m && key[(uint32_t)sorted[j]] >> 32 == key[(uint32_t)sorted[i]] >> 32;) j++;
        if (j - i > 1) sort_run(sorted + i, j - i, key, spare, count);
    }
    double span = m > 1 ? (double)(m - 1) : 1, middle = m > 1 ? 0.5 : 0;
    for (uint32_t i = 0, j; i < m; i = j) {
        for (j = i + 1; j < m && key[(uint32_t)sorted[j]] == key[(uint32_t)sorted[i]];) j++;
        float r = (float)(0.5 * (double)(i + j - 1) / span - middle); /* ranks i+1 .. j share their mean, counted from 0 */
        for (uint32_t k = i; k < j; k++) out[(size_t)(uint32_t)sorted[k] * out_stride] = r;
    }
}
