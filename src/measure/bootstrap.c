/* Draws of dates with replacement, one at a time or in blocks, and intervals from sorted replicates. */
#include "measure/bootstrap.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "measure/series.h"

enum { STREAM_BOOTSTRAP = 0x626f6f74 };

void bootstrap_counts(uint64_t seed, int draw, int n, int block, int *count)
{
    struct random_stream s = random_open(seed, STREAM_BOOTSTRAP, (uint64_t)draw, 0);
    uint32_t word[4];
    memset(count, 0, (size_t)n * sizeof *count);
    for (int taken = 0, k = 0; taken < n; k++) {
        if (k % 4 == 0) random_block(&s, (uint64_t)k / 4, word);
        int start = (int)((uint64_t)word[k % 4] * (uint64_t)n >> 32);
        for (int i = 0; i < block && taken < n; i++, taken++) count[(start + i) % n]++;
    }
}

int bootstrap_block(int n)
{
    return n > 1 ? (int)ceil(cbrt(n)) : 1;
}

void bootstrap_interval(int B, double *value, double level, double *low, double *high)
{
    int n = 0;
    for (int i = 0; i < B; i++)
        if (isfinite(value[i])) value[n++] = value[i];
    *low = *high = NAN;
    if (n == 0 || n < 0.9 * B) return;
    sort_doubles(n, value);
    *low = quantile(n, value, (1 - level) / 2);
    *high = quantile(n, value, (1 + level) / 2);
}
