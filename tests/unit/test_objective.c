/* Objectives: every pair of rule and loss against finite differences, weights that keep their rule's promises, edges. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "check.h"
#include "nn/objective.h"

enum { N = 11, H = 5 };
static float y[H][3 * N];
static double r[H][N], work[64 * N];

static void draw(uint64_t seed)
{
    struct random_stream s = random_open(seed, 1, 2, 3);
    for (int h = 0; h < H; h++) {
        for (int i = 0; i < 3 * N; i++) y[h][i] = (float)(0.7 * random_normal(&s, (uint64_t)(h * 100 + i)));
        for (int i = 0; i < N; i++) r[h][i] = 0.05 * random_normal(&s, (uint64_t)(10000 + h * 100 + i));
    }
}

static double loss_of(const struct objective *o, double *slope)
{
    double f[H], loss[H];
    for (int h = 0; h < H; h++) f[h] = objective_period(o, N, y[h], r[h], &loss[h], work);
    return objective_rollout(o, H, f, loss, slope);
}

static void test_derivatives(void)
{
    for (int position = 0; position <= POSITION_LONG_SHORT; position++)
        for (int loss = 0; loss <= LOSS_SHARPE; loss++) {
            struct objective o = {.loss = loss, .position = position, .most = 3, .dead_zone = 0.02};
            int C = objective_outputs(&o);
            if ((loss == LOSS_CROSS_ENTROPY) != (position == POSITION_DIRECTION) && loss == LOSS_CROSS_ENTROPY) continue;
            if (loss == LOSS_MSE && C != 1) continue;
            draw((uint64_t)(position * 10 + loss));
            double slope[H], size = 0;
            loss_of(&o, slope);
            for (int h = 0; h < H; h++) {
                float dy[3 * N];
                objective_derivative(&o, N, y[h], r[h], slope[h], dy, work);
                for (int i = 0; i < C * N; i++) {
                    float was = y[h][i], step = 1.f / 512;
                    y[h][i] = was + step;
                    double up = loss_of(&o, NULL);
                    y[h][i] = was - step;
                    double down = loss_of(&o, NULL), want = (up - down) / (2 * (double)step);
                    y[h][i] = was;
                    size += fabs(want);
                    if (!(fabs(want - (double)dy[i]) < 2e-3 * fabs(want) + 2e-5))
                        fprintf(stderr, "position %d loss %d: %g, by differences %g\n", position, loss, (double)dy[i], want);
                    CU_ASSERT(fabs(want - (double)dy[i]) < 2e-3 * fabs(want) + 2e-5);
                }
            }
            CU_ASSERT(size > 0);
        }
}

static void test_rules(void)
{
    float w[N];
    draw(5);
    double sum = 0, gross = 0;
    objective_weights(&(struct objective){.position = POSITION_SOFTMAX}, N, y[0], w, work);
    for (int i = 0; i < N; i++) {
        sum += (double)w[i];
        CU_ASSERT(w[i] > 0);
    }
    CU_ASSERT(fabs(sum - 1) < 1e-6);
    objective_weights(&(struct objective){.position = POSITION_TANH}, N, y[0], w, work);
    for (int i = 0; i < N; i++) CU_ASSERT(fabs((double)w[i] * N - tanh((double)y[0][i])) < 1e-6);
    for (int position = POSITION_RETURN; position <= POSITION_DIRECTION; position++) {
        objective_weights(&(struct objective){.position = position}, N, y[0], w, work);
        gross = 0;
        for (int i = 0; i < N; i++) gross += fabs((double)w[i]);
        CU_ASSERT(fabs(gross - 1) < 1e-6);
    }
    /* up is what the third score says */
    float three[6] = {0, 0, 1, 1, 0, 0};
    objective_weights(&(struct objective){.position = POSITION_DIRECTION}, 2, three, w, work);
    CU_ASSERT(w[0] > 0 && w[1] < 0 && fabs((double)(w[0] + w[1])) < 1e-7);
    /* winners and losers: dollar neutral, G each, the best of each side heaviest */
    objective_weights(&(struct objective){.position = POSITION_LONG_SHORT, .most = 3}, N, y[0], w, work);
    int longs = 0, shorts = 0;
    sum = gross = 0;
    for (int i = 0; i < N; i++) {
        longs += w[i] > 0, shorts += w[i] < 0, sum += (double)w[i], gross += fabs((double)w[i]);
        for (int j = 0; j < N; j++) CU_ASSERT(!(w[i] > 0 && w[j] > 0 && y[0][i] > y[0][j]) || w[i] > w[j]);
        for (int j = 0; j < N; j++) CU_ASSERT(!(w[i] > 0 && w[j] <= 0) || y[0][i] > y[0][j]);
    }
    CU_ASSERT(longs == 3 && shorts == 3 && fabs(sum) < 1e-6 && fabs(gross - 2) < 1e-6);
    objective_weights(&(struct objective){.position = POSITION_LONG_SHORT, .most = 3}, 1, y[0], w, work);
    CU_ASSERT(w[0] == 0); /* nobody to be short of */
}

static void test_edges(void)
{
    float zero[3] = {0}, w[3], dy[3];
    double returns[3] = {0.1, -0.1, 0.2}, loss, f[2] = {0.5, 0.5}, slope[2];
    struct objective o = {.loss = LOSS_SHARPE, .position = POSITION_RETURN};
    objective_weights(&o, 3, zero, w, work);
    CU_ASSERT(w[0] == 0 && w[1] == 0 && w[2] == 0);
    CU_ASSERT(objective_period(&o, 3, zero, returns, &loss, work) == 0);
    objective_derivative(&o, 3, zero, returns, 1, dy, work);
    CU_ASSERT(isfinite(dy[0]));
    CU_ASSERT(objective_rollout(&o, 2, f, f, slope) == 0 && slope[0] == 0);
    zero[1] = NAN;
    for (o.position = POSITION_NONE; o.position <= POSITION_RETURN; o.position++) {
        objective_weights(&o, 3, zero, w, work);
        CU_ASSERT(isnan(w[1])); /* a diverged network is seen */
    }

    double g[4] = {0.1, 0.3, -0.1, 0.2}, m = 0.125, s = sqrt((0.000625 + 0.030625 + 0.050625 + 0.005625) / 4);
    CU_ASSERT(fabs(objective_rollout(&o, 4, g, g, NULL) + m / s) < 1e-12);
    struct objective ce = {.loss = LOSS_CROSS_ENTROPY, .position = POSITION_DIRECTION, .dead_zone = 0.15};
    float flat[9] = {0};
    objective_period(&ce, 3, flat, returns, &loss, work);
    CU_ASSERT(fabs(loss - log(3)) < 1e-12);
    flat[1] = flat[4] = flat[8] = 100; /* neutral, neutral, up: what these returns are */
    objective_period(&ce, 3, flat, returns, &loss, work);
    CU_ASSERT(loss < 1e-12);
}

static const struct check tests[] = {
    {"derivatives against differences", test_derivatives},
    {"weights keep their rules", test_rules},
    {"edges", test_edges},
};
int main(void)
{
    return check_run("objective", tests, sizeof tests / sizeof *tests);
}
