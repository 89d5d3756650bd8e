/* Adam (Kingma and Ba, 2015), beta 0.9 and 0.999, epsilon 1e-8, with decoupled weight decay. */
#ifndef LINALG_ADAM_H
#define LINALG_ADAM_H

#include <stddef.h>

/* One step, the `step`-th since the moments were zero (from 1). first and second are the moments, kept between steps. */
void adam_step(size_t n, float *parameters, const float *gradient, float *first, float *second, long step, double rate,
               double decay);

#endif
