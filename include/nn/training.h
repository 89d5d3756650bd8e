/* How a network is trained. models/training_options.h has the options that say so in a study. */
#ifndef NN_TRAINING_H
#define NN_TRAINING_H

#include <stdint.h>

#include "nn/fit.h"
#include "nn/objective.h"

enum rate_schedule { RATE_CONSTANT, RATE_COSINE, RATE_LINEAR, RATE_PLATEAU };

struct training {
    int seeds, epochs;
    double rate; /* Adam's step size */
    struct objective objective;
    int rollout; /* H: consecutive periods of a step */
    int batch;   /* or so many periods drawn at random anew in every epoch; 0: rollouts */
    enum rate_schedule
        schedule; /* how the rate falls: to zero over all steps, or by `factor` where the loss has stopped falling */
    int plateau;  /* RATE_PLATEAU: epochs without improvement before the rate falls */
    double factor;
    double decay, clip;     /* decoupled weight decay; bound on the gradient's norm, 0: none */
    int hold_out, patience; /* last periods of the window to stop early on, 0: none; epochs without improvement */
    double dropout;
    bool shuffle;
    struct fit_policy policy; /* rows served by an earlier fit have training_loss NaN */
};

/* How many steps an epoch over so many periods takes, and the first period of step g: H to 2 H - 1 periods each, H that of rollouts or
 * batches. */
static inline int training_steps(const struct training *t, int periods)
{
    int length = t->batch ? t->batch : t->rollout;
    return periods / length > 1 ? periods / length : 1;
}
static inline int training_step_first(const struct training *t, int periods, int g)
{
    return (int)((int64_t)periods * g / training_steps(t, periods));
}

#endif
