/* Periods with histories by hand, and the encoders that tests and benchmarks make of them. */
#ifndef TESTS_SEQUENCES_H
#define TESTS_SEQUENCES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "models/encoder.h"

/* A period of n assets and what they showed over L steps. At step l the universe has n + 3 rows in an order of its own, some of them of
 * strangers; those that nobody points to hold NaN. */
struct sequence {
    struct period period;
    struct history history;
    const float **rows;
    float *row[256];
    int32_t *at, *group[2];
};

/* absent(i, l): whether asset i was not there at step l (never asked of the last step); NULL: all are there. */
static inline struct sequence *sequence_create(int n, int L, int D, uint64_t seed,
                                               bool (*absent)(int asset, int step, int L), int sectors, int markets)
{
    struct sequence *q = memory_array(struct sequence, 1, "sequence");
    struct random_stream s = random_open(seed, 77, 0, 0);
    q->rows = memory_array(const float *, L, "sequence");
    q->at = memory_array(int32_t, n * L, "sequence");
    for (int l = 0; l < L; l++) {
        int most = l < L - 1 ? n + 3 : n, shift = l < L - 1 ? (int)(random_word(&s, (uint64_t)l) % (uint32_t)most) : 0;
        q->rows[l] = q->row[l] = memory_array(float, most *D, "sequence");
        for (int i = 0; i < most * D; i++) q->row[l][i] = NAN;
        for (int i = 0; i < n; i++) {
            bool absent_then = l < L - 1 && absent && absent(i, l, L);
            int row = (i + shift) % most;
            q->at[i * L + l] = absent_then ? -1 : row;
            for (int c = 0; !absent_then && c < D; c++)
                q->row[l][row * D + c] = (float)(random_uniform(&s, (uint64_t)(1000 + (l * n + i) * D + c)) - 0.5);
        }
    }
    for (int g = 0; g < 2; g++) {
        int labels = g ? markets : sectors;
        q->group[g] = memory_array(int32_t, n, "sequence");
        for (int i = 0; i < n; i++) q->group[g][i] = i * (g + 3) % (labels + 1) - 1; /* some unknown */
    }
    q->history = (struct history){.L = L, .rows = q->rows, .row = q->at};
    q->period =
        (struct period){.n = n, .date = 20200131, .scale = 1, .characteristics = q->row[L - 1], .history = &q->history};
    for (int g = 0; g < 2; g++) q->period.group[g] = q->group[g];
    return q;
}

static inline void sequence_free(struct sequence *q)
{
    for (int l = 0; l < q->history.L; l++) memory_free(q->row[l]);
    memory_free(q->rows), memory_free(q->at), memory_free(q->group[0]), memory_free(q->group[1]);
    memory_free(q);
}

#endif
