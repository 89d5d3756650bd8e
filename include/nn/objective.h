/* What a network is trained for: from its outputs y to portfolio weights, and from weights and returns to a loss with its derivative.
 * Every rank has the outputs of all assets of a period (they are small), so everything here is arithmetic on whole periods, in
 * one order, the same bits on every rank.
 *   n assets of a period   C outputs an asset (3 for a direction, else 1)   H periods of a rollout
 *
 * Weights from outputs, by the stated rule:
 *   POSITION_NONE       w = y                                  unconstrained, the scale of an SDF
 *   POSITION_SOFTMAX    w = softmax(y)                         long only, sum 1
 *   POSITION_TANH       w = tanh(y) / n                        long and short, gross exposure at most 1
 *   POSITION_RETURN     w = c / sum |c|, c = y cut to [-1, 1]  y forecasts the return
 *   POSITION_DIRECTION  w = c / sum |c|, c = P(up) - P(down)   y are three scores: down, neutral, up
 *   POSITION_LONG_SHORT the G largest y by softmax(y), less the G smallest by softmax(-y); fewer where 2 G > n; ties by asset order
 * Losses:
 *   LOSS_MSRR           (1 - w'R)^2                                                                          (9)
 *   LOSS_MSE            sum_i (R_i - y_i)^2                     of a forecast (or, as in the transformer, of w = y)
 *   LOSS_CROSS_ENTROPY  mean_i -log P(class of R_i)             down below -dead_zone, up above it, else neutral
 *   LOSS_MEAN_RETURN    -w'R
 *   LOSS_SHARPE         -mean(f) / sd(f) of f_h = w_h'R_h over a rollout of H >= 2 periods (sd with n, per period, not annualised)
 * Over a rollout all but the last are means of the periods' losses. */
#ifndef NN_OBJECTIVE_H
#define NN_OBJECTIVE_H

#include <stdbool.h>

enum position { POSITION_NONE, POSITION_SOFTMAX, POSITION_TANH, POSITION_RETURN, POSITION_DIRECTION, POSITION_LONG_SHORT };
enum loss { LOSS_MSRR, LOSS_MSE, LOSS_CROSS_ENTROPY, LOSS_MEAN_RETURN, LOSS_SHARPE };

struct objective {
    enum loss loss;
    enum position position;
    int most;         /* G of POSITION_LONG_SHORT */
    double dead_zone; /* of LOSS_CROSS_ENTROPY, a return, decimal */
};

static inline int objective_outputs(const struct objective *o)
{
    return o->position == POSITION_DIRECTION ? 3 : 1;
}
/* Doubles of workspace for periods of at most n assets. */
int objective_workspace(int n);
/* w [n] from y [n, C]. */
void objective_weights(const struct objective *o, int n, const float *y, float *w, double *work);
/* One period: its portfolio return w'R (0 for losses that form no portfolio) and its own loss (LOSS_SHARPE: 0). */
double objective_period(const struct objective *o, int n, const float *y, const double *returns, double *loss, double *work);
/* The loss of a rollout from its periods' returns f [H] and losses [H]; slope [H] (may be NULL) is what objective_derivative needs of
 * each period: dLoss/df for portfolio losses, 1/H for the others. */
double objective_rollout(const struct objective *o, int H, const double *f, const double *loss, double *slope);
/* dy [n, C] = dLoss/dy of a period. */
void objective_derivative(const struct objective *o, int n, const float *y, const double *returns, double slope, float *dy,
                          double *work);

#endif
