/* The epoch loop that every network shares: one Adam step per rollout of one or more consecutive periods, rollouts in time order,
 * `epochs` passes (Algorithm 2 with rollouts of one period). How: nn/training.h. */
#ifndef NN_TRAINER_H
#define NN_TRAINER_H

#include "nn/network.h"
#include "nn/training.h"

enum { CODE_DIVERGED = 1, CODE_STOPPED = -1 }; /* of struct fit_note; stopped: asked to, the state is saved */

struct trainer {
    struct network *net;
    struct training how;
    uint64_t seed;
    struct fit_monitor *monitor; /* NULL: nobody is asked */
    /* the fit under way */
    float *first, *second; /* Adam's moments */
    float *total;          /* the gradient over all shards */
    float *best;           /* early stopping: the best parameters so far */
    float *y,
        *dy; /* [1 + max_assets outputs] of a period, on every rank; y[0] carries the leader's answer to the poll along */
    double *work;                 /* of the objective */
    double *f, *losses, *slope;   /* [2 rollout + T] of the periods of a step, or of those held out */
    int *order;                   /* [T] */
    const struct period **chosen; /* [2 rollout + T] the periods of the step in hand */
    struct team_sum *sum;
    struct team_share *share;
    int64_t *range;
    bool bound;
    /* the outcome */
    double *loss; /* [epochs] mean over the periods of an epoch, each with its rollout's; NaN: not run */
    int restarts;
    float *weights; /* [max_assets] of now, on every rank */
    bool warm;      /* the parameters are those of the window before warm_date */
};
/* Takes the network over. T: most periods of a window; memory: bytes that its workspace should stay under where there is a choice. */
struct trainer *trainer_create(struct network *n, const struct training *how, int T, size_t memory, uint64_t seed);
void trainer_destroy(struct trainer *t);
/* Train on window->period[0..T-1], then the weights of now. Collective. */
int trainer_fit(struct trainer *t, const struct window *w, struct team *team, struct fit_note *note);
/* Computes the weights of now by the parameters in hand, without training. Collective. */
int trainer_apply(struct trainer *t, const struct period *now, struct team *team, struct fit_note *note);
/* Loss of a rollout p[0 .. H-1] and, if asked, its gradient over all shards in t->total. Collective; trainer_fit's step, for tests. */
double trainer_loss(struct trainer *t, const struct period *p, int H, struct team *team, bool gradient);
double *trainer_record(const struct trainer *t, double earned, double *record); /* returns where the record goes on */

#endif
