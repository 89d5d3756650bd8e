/* Ranks against the definition (count smaller, count equal), on values made to defeat a radix sort. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "panel/rank.h"

static void rank_by_counting(int n, const double *v, float *out)
{
    int m = 0;
    for (int i = 0; i < n; i++) m += !isnan(v[i]);
    for (int i = 0; i < n; i++) {
        int less = 0, equal = 0;
        for (int j = 0; j < n; j++) less += v[j] < v[i], equal += v[j] == v[i];
        double rank = less + 0.5 * (equal + 1);
        out[i] = isnan(v[i]) || m == 1 ? 0 : (float)((rank - 1) / (m - 1) - 0.5);
    }
}

/* How many of n ranks differ in any bit from counting. */
static int differences(int n, const double *v, size_t stride)
{
    double *plain = memory_array(double, n, "values");
    float *expected = memory_array(float, n, "ranks"), *got = memory_array(float, 3 * n, "ranks");
    void *scratch = memory_allocate(rank_workspace(n), 1, "scratch");
    for (int i = 0; i < n; i++) plain[i] = v[(size_t)i * stride];
    rank_by_counting(n, plain, expected);
    rank_column(n, v, stride, got, 3, scratch);
    int wrong = 0;
    for (int i = 0; i < n; i++) wrong += memcmp(&expected[i], &got[3 * i], sizeof(float)) != 0;
    memory_free(plain), memory_free(expected), memory_free(got), memory_free(scratch);
    return wrong;
}

enum { N = 3000 };
static double value[2 * N];

static void test_small(void)
{
    double one[] = {7}, none[] = {NAN, NAN}, tied[] = {2, 2, 2}, zeros[] = {0.0, -0.0, 1, NAN, -1}, pair[] = {5, -5};
    CU_ASSERT_EQUAL(differences(1, one, 1), 0);
    CU_ASSERT_EQUAL(differences(2, none, 1), 0);
    CU_ASSERT_EQUAL(differences(3, tied, 1), 0);
    CU_ASSERT_EQUAL(differences(5, zeros, 1), 0);
    CU_ASSERT_EQUAL(differences(2, pair, 1), 0);
    float r[2];
    static double scratch[16000];
    CU_ASSERT_FATAL(rank_workspace(2) <= sizeof scratch);
    rank_column(2, pair, 1, r, 1, scratch);
    CU_ASSERT(r[0] == 0.5f && r[1] == -0.5f);
}

static void test_distributions(void)
{
    struct random_stream s = random_open(3, 1, 4, 1);
    for (int kind = 0; kind < 7; kind++) {
        for (int i = 0; i < N; i++) {
            double z = random_normal(&s, (uint64_t)(kind * N + i)), u = random_uniform(&s, (uint64_t)(9 * N + kind * N + i));
            value[2 * i] = kind == 0   ? z
                           : kind == 1 ? floor(3 * z)
                           : kind == 2 ? exp(40 * z)
                           : kind == 3 ? 1 + 1e-13 * floor(500 * z) /* long runs that agree in the upper half */
                           : kind == 4 ? (u < 0.3 ? NAN : z)
                           : kind == 5 ? (i % 500) + 1e-12 * z /* short ones */
                                       : z * 1e-320;           /* subnormal */
        }
        CU_ASSERT_EQUAL(differences(N, value, 2), 0);
        CU_ASSERT_EQUAL(differences(17, value, 2), 0);
    }
    value[10] = INFINITY, value[20] = -INFINITY;
    CU_ASSERT_EQUAL(differences(N, value, 2), 0);
}

int main(void)
{
    static const struct check tests[] = {{"small columns", test_small}, {"distributions", test_distributions}};
    return check_run("rank", tests, 2);
}
