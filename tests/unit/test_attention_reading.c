/* Reading matrices of attention: evenness, leaders, collapse, absent assets, by hand. */
#include "base/memory.h"
#include "check.h"
#include "measure/attention_reading.h"

static void even_and_single(void)
{
    double m[16];
    struct attention_view v;
    for (int i = 0; i < 16; i++) m[i] = 0.25;
    attention_view(4, m, &v);
    CU_ASSERT(v.assets == 4 && v.strongest == 0);
    CHECK_CLOSE(v.entropy, 1, 1e-15);
    CHECK_CLOSE(v.concentration, 0.25, 1e-15);
    CHECK_CLOSE(v.share, 0.25, 1e-15);
    CU_ASSERT(!attention_collapsed(&v));
    for (int i = 0; i < 16; i++) m[i] = i % 4 == 2;
    attention_view(4, m, &v);
    CU_ASSERT(v.entropy == 0 && v.concentration == 1 && v.strongest == 2 && v.share == 1);
    CU_ASSERT(attention_collapsed(&v));
}

static void by_hand(void)
{
    const double m[] = {0.5, 0.3, 0.2, 0.1, 0.8, 0.1, 0.0, 0.6, 0.4};
    double leader[3], follower[3], h = 0;
    struct attention_view v;
    attention_view(3, m, &v);
    for (int i = 0; i < 9; i++) h -= m[i] > 0 ? m[i] * log(m[i]) / log(3) / 3 : 0;
    CHECK_CLOSE(v.entropy, h, 1e-14);
    CHECK_CLOSE(v.concentration, (0.5 + 0.8 + 0.6) / 3, 1e-15);
    CU_ASSERT(v.strongest == 1);
    CHECK_CLOSE(v.share, 1.7 / 3, 1e-15);
    attention_leaders(3, m, leader, follower);
    CHECK_CLOSE(leader[0], 0.05, 1e-15);
    CHECK_CLOSE(leader[1], 0.45, 1e-15);
    CHECK_CLOSE(leader[2], 0.15, 1e-15);
    CHECK_CLOSE(follower[0], 0.5, 1e-15);
    CHECK_CLOSE(follower[1], 0.2, 1e-15);
    CHECK_CLOSE(follower[2], 0.6, 1e-15);
}

/* Assets that do not see themselves: even attention to all others is even. Of two, nothing can be said. */
static void others_only(void)
{
    double m[16];
    const double two[] = {0, 1, 1, 0};
    struct attention_view v;
    for (int i = 0; i < 16; i++) m[i] = i % 5 ? 1. / 3 : 0;
    attention_view(4, m, &v);
    CHECK_CLOSE(v.entropy, 1, 1e-15);
    attention_view(2, two, &v);
    CU_ASSERT(v.assets == 2 && isnan(v.entropy) && !attention_collapsed(&v));
}

/* An absent asset changes nothing: the 3 x 3 matrix inside a 4 x 4 one. */
static void absent(void)
{
    const double m[] = {0.5, 0.3, 0.2, 0.1, 0.8, 0.1, 0.0, 0.6, 0.4};
    const int place[] = {0, 2, 3};
    double with[16], leader[4], follower[4], plain_leader[3], plain_follower[3];
    struct attention_view v, plain;
    for (int i = 0; i < 16; i++) with[i] = NAN;
    for (int i = 0; i < 9; i++) with[4 * place[i / 3] + place[i % 3]] = m[i];
    attention_view(4, with, &v);
    attention_view(3, m, &plain);
    CU_ASSERT(v.assets == 3 && v.strongest == 2 && v.share == plain.share);
    CU_ASSERT(v.entropy == plain.entropy && v.concentration == plain.concentration);
    attention_leaders(4, with, leader, follower);
    attention_leaders(3, m, plain_leader, plain_follower);
    CU_ASSERT(isnan(leader[1]) && isnan(follower[1]) && leader[2] == plain_leader[1] && follower[3] == plain_follower[2]);
}

static void nothing(void)
{
    const double none[] = {NAN, NAN, NAN, NAN}, alone[] = {1, NAN, NAN, NAN}, zeros[] = {0, 0, 0, 0};
    struct attention_view v;
    attention_view(2, none, &v);
    CU_ASSERT(v.assets == 0 && isnan(v.entropy) && isnan(v.concentration) && v.strongest == -1 && isnan(v.share));
    attention_view(2, zeros, &v);
    CU_ASSERT(v.assets == 0 && v.strongest == -1);
    attention_view(2, alone, &v);
    CU_ASSERT(v.assets == 1 && isnan(v.entropy) && v.concentration == 1 && v.share == 1);
    CU_ASSERT(!attention_collapsed(&v)); /* one asset can attend to nothing else */
}

static bool collapsed(int assets, double entropy, double share)
{
    const struct attention_view v = {.assets = assets, .entropy = entropy, .share = share};
    return attention_collapsed(&v);
}

static void thresholds(void)
{
    CU_ASSERT(!collapsed(9, 0.5, 0.5) && collapsed(9, nextafter(0.5, 0), 0) && collapsed(9, 1, nextafter(0.5, 1)));
    CU_ASSERT(!collapsed(2, 1, 0.9) && !collapsed(3, 1, 2. / 3) && collapsed(3, 1, 0.67));
}

static void means(void)
{
    const double a[] = {1, NAN, NAN}, b[] = {3, 4, NAN};
    double sum[3] = {0}, count[3] = {0}, out[3];
    means_add(3, a, sum, count);
    means_add(3, b, sum, count);
    means_take(3, sum, count, out);
    CU_ASSERT(out[0] == 2 && out[1] == 4 && isnan(out[2]));
}

int main(void)
{
    static const struct check tests[] = {{"even, and all on one", even_and_single},
                                         {"by hand", by_hand},
                                         {"others only", others_only},
                                         {"an absent asset", absent},
                                         {"nothing", nothing},
                                         {"thresholds", thresholds},
                                         {"means", means}};
    return check_run("attention_reading", tests, sizeof tests / sizeof *tests);
}
