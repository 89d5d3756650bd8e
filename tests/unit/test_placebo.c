/* Placebos: returns shuffled within a period, evenly and by the period's own draw; characteristics of earlier periods by a plain search. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "check.h"
#include "panel/placebo.h"

enum { N = 7, MANY = 42000 };

static void shuffle(uint64_t seed, int t, int n, double *x)
{
    struct placebo p = {.kind = PLACEBO_RETURNS, .seed = seed};
    for (int i = 0; i < n; i++) x[i] = i;
    placebo_shuffle(&p, t, n, x);
}

/* Where each of N returns goes, over many periods: every place as often as every other, to five standard errors; so too for the pair of
 * the first two, which a shuffle that never leaves a return in place would betray. */
static void shuffles_are_even(void)
{
    int at[N][N] = {{0}}, pair[N][N] = {{0}};
    for (int t = 0; t < MANY; t++) {
        double x[N];
        int there = 0;
        shuffle(3, t, N, x);
        for (int i = 0; i < N; i++) there |= 1 << (int)x[i], at[i][(int)x[i]]++;
        CU_ASSERT_FATAL(there == (1 << N) - 1); /* all of them, each once */
        pair[(int)x[0]][(int)x[1]]++;
    }
    double mean = (double)MANY / N, both = mean / (N - 1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            CU_ASSERT(fabs(at[i][j] - mean) < 5 * sqrt(mean));
            CU_ASSERT(i == j ? pair[i][j] == 0 : fabs(pair[i][j] - both) < 5 * sqrt(both));
        }
}

/* Another period, another seed: another order; the same of both: the same. One return or none stays where it is. */
static void shuffles_are_named(void)
{
    enum { WIDE = 60 };
    double a[WIDE], b[WIDE];
    shuffle(3, 11, WIDE, a);
    shuffle(3, 11, WIDE, b);
    CU_ASSERT(!memcmp(a, b, sizeof a));
    for (int k = 0; k < 64; k++) {
        shuffle(3, k == 11 ? 64 : k, WIDE, b);
        CU_ASSERT(memcmp(a, b, sizeof a) != 0);
        shuffle(3 ^ (uint64_t)1 << k, 11, WIDE, b);
        CU_ASSERT(memcmp(a, b, sizeof a) != 0);
    }
    shuffle(3, 1, 1, a);
    shuffle(3, 1, 0, b);
    CU_ASSERT(a[0] == 0);
}

static void shifts_find_their_own(void)
{
    enum { D = 3, ROWS = 40 };
    for (int trial = 0; trial < 200; trial++) {
        struct random_stream s = random_open(5, (uint64_t)trial, 0, 0);
        int64_t id[2][ROWS];
        float x[2][ROWS * D], was[ROWS * D];
        int n[2] = {0, 0};
        for (int period = 0; period < 2; period++)
            for (int i = 0; i < ROWS; i++) {
                if (random_uniform(&s, (uint64_t)(period * ROWS + i)) < 0.4) continue;
                for (int d = 0; d < D; d++) x[period][n[period] * D + d] = (float)(1000 * period + i + 0.1 * d);
                id[period][n[period]++] = 100 + 3 * i;
            }
        if (trial % 10 == 0) n[1] = 0;
        memcpy(was, x[0], sizeof was);
        placebo_shift(D, n[0], id[0], x[0], n[1], id[1], x[1]);
        for (int i = 0; i < n[0]; i++) {
            const float *want = NULL;
            for (int j = 0; j < n[1]; j++)
                if (id[1][j] == id[0][i]) want = x[1] + j * D;
            for (int d = 0; d < D; d++) CU_ASSERT(x[0][i * D + d] == (want ? want[d] : 0));
        }
        CU_ASSERT(!memcmp(was + n[0] * D, x[0] + n[0] * D, sizeof(float) * (size_t)((ROWS - n[0]) * D)));
    }
}

static void words(void)
{
    struct placebo p = {0};
    struct error e = {""};
    char text[PLACEBO_TEXT];
    CU_ASSERT(!placebo_parse("returns", &p, &e) && p.kind == PLACEBO_RETURNS);
    CU_ASSERT_STRING_EQUAL(placebo_option(&p, text), "returns");
    CU_ASSERT(!placebo_parse("characteristics", &p, &e) && p.kind == PLACEBO_CHARACTERISTICS && p.lag == 12);
    CU_ASSERT(!placebo_parse("characteristics=1", &p, &e) && p.lag == 1);
    CU_ASSERT_STRING_EQUAL(placebo_option(&p, text), "characteristics=1");
    CU_ASSERT_STRING_EQUAL(placebo_words(&p, text), "characteristics of 1 period earlier");
    static const char *const bad[] = {"",
                                      "return",
                                      "returns ",
                                      "characteristics=",
                                      "characteristics=0",
                                      "characteristics=-1",
                                      "characteristics=1x",
                                      "characteristicss",
                                      "characteristics=100001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error said = {""};
        CU_ASSERT(placebo_parse(bad[i], &p, &said) && strstr(said.text, "needed: returns, signs, periods"));
    }
}

int main(void)
{
    static const struct check tests[] = {{"shuffles are even", shuffles_are_even},
                                         {"shuffles by period and seed", shuffles_are_named},
                                         {"shifts find every asset's own past", shifts_find_their_own},
                                         {"options and words", words}};
    return check_run("placebo", tests, sizeof tests / sizeof *tests);
}
