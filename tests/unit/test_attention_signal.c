/* Attention over returns: rounding, thresholds, ties, series of unequal length, by hand. */
#include "check.h"
#include "measure/attention_signal.h"

static void rounding(void)
{
    CU_ASSERT(round_decimal(0.125, 2) == 0.12 && round_decimal(0.375, 2) == 0.38); /* exact ties, to even */
    CU_ASSERT(round_decimal(2.675, 2) == 2.67);                                    /* below the tie in binary */
    CU_ASSERT(round_decimal(-0.00005, 4) == -0.0001 && round_decimal(1e300, 4) == 1e300 && isnan(round_decimal(NAN, 4)));
}

static void thresholds(void)
{
    CU_ASSERT(regime_of(0.4) == REGIME_DIVERSIFIED && regime_of(nextafter(0.4, 1)) == REGIME_TRENDING);
    CU_ASSERT(regime_of(0.6) == REGIME_TRENDING && regime_of(nextafter(0.6, 1)) == REGIME_CRISIS);
}

/* The target has two returns; one other has three of which two count, one has one and a zero behind it. */
static void unequal_lengths(void)
{
    const double q[] = {1, 2}, longer[] = {9, 0.5, -0.25}, shorter[] = {0.75};
    const struct return_series target = {q, 2}, other[] = {{longer, 3}, {shorter, 1}};
    double w[2], a = 0, b = 0.75 / sqrt(2); /* 0.5 - 0.5 and 0.75 + 0, over sqrt 2 */
    struct attention_signal s;
    attention_signal(&target, 2, other, 2, w, &s);
    double pa = 1 / (1 + exp(b - a)), pb = 1 - pa, signal = (pa * 0.5 + pb * 0.75 - pa * 0.25) / 2;
    CHECK_CLOSE(w[0], pa, 5e-5);
    CHECK_CLOSE(w[1], pb, 5e-5);
    CHECK_CLOSE(s.signal, signal, 5e-7);
    CU_ASSERT(s.dominant == 1);
    CHECK_CLOSE(s.confidence, pb, 5e-5);           /* ten times the signal is more than 1 */
    attention_signal(&target, 2, other, 3, w, &s); /* now 9, 0.5, cut at two: (9 + 1) / sqrt 2 wins */
    CU_ASSERT(s.dominant == 0 && w[0] > 0.99);
}

static void nothing_to_attend_to(void)
{
    const double q[] = {1};
    struct return_series target = {q, 1}, none = {q, 0}, other[] = {{q, 1}};
    double w[1] = {7}, m[4];
    struct attention_signal s;
    struct attention_regime r;
    attention_signal(&target, 0, NULL, 5, w, &s);
    CU_ASSERT(s.signal == 0 && s.confidence == 0 && s.dominant == -1);
    attention_signal(&none, 1, other, 5, w, &s);
    CU_ASSERT(s.signal == 0 && s.dominant == -1 && w[0] == 7);
    attention_regime(1, other, 5, m, &r);
    CU_ASSERT(r.regime == REGIME_INSUFFICIENT && isnan(r.concentration));
    const struct return_series empty[] = {{q, 0}, {q, 0}};
    attention_regime(2, empty, 5, m, &r);
    CU_ASSERT(r.regime == REGIME_DIVERSIFIED && r.concentration == 0 && isnan(m[1]));
}

static void tilt(void)
{
    const double w[] = {0.75, 0.25}, base[] = {0.5, 0.5};
    const int place[] = {1, -1};
    double out[2];
    attention_tilt(2, w, place, 2, base, 0.2, out);  /* 0.5 and 0.5 * 0.8 + 0.75 * 0.2 = 0.55 */
    CU_ASSERT(out[0] == 0.4762 && out[1] == 0.5238); /* 10/21, 11/21 */
    const double nothing[] = {0, 0}, owed[] = {-1, 0.5};
    attention_tilt(2, nothing, place, 2, owed, 0.5, out); /* weights of sum 0; shares of negative sum stay */
    CU_ASSERT(out[0] == -1 && out[1] == 0.25);
}

int main(void)
{
    static const struct check tests[] = {{"rounding", rounding},
                                         {"thresholds", thresholds},
                                         {"series of unequal length", unequal_lengths},
                                         {"nothing to attend to", nothing_to_attend_to},
                                         {"tilt", tilt}};
    return check_run("attention_signal", tests, sizeof tests / sizeof *tests);
}
