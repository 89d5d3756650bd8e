/* One step of Adam over a vector of parameters. */
#include "linalg/adam.h"

#include <math.h>

void adam_step(size_t n, float *p, const float *gradient, float *first, float *second, long step, double rate, double decay)
{
    /* 1 - 0.999f is 1.3e-5 of itself less than 0.001 */
    const float b1 = 0.9f, b2 = 0.999f, rest1 = 0.1f, rest2 = 0.001f, epsilon = 1e-8f;
    float size = (float)(rate / (1 - pow(0.9, (double)step))), shrink = (float)(1 - rate * decay);
    float root = (float)(1 / sqrt(1 - pow(0.999, (double)step)));
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i];
        first[i] = b1 * first[i] + rest1 * g;
        second[i] = b2 * second[i] + rest2 * g * g;
        p[i] = shrink * p[i] - size * first[i] / (sqrtf(second[i]) * root + epsilon);
    }
}
