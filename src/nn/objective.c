/* From a network's outputs to portfolio weights, and from returns on them to a loss, forwards and backwards. */
#include "nn/objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* [n] weights, [n] assets by score */
int objective_workspace(int n)
{
    return 2 * n;
}

struct scored {
    float y;
    int i;
};

/* Softmax of sign * y over the assets listed (NULL: all n). The results go to the same places in w and sum to 1. */
static void softmax(int n, const struct scored *among, double sign, const float *y, double *w)
{
    double top = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++) top = fmax(top, sign * (double)y[among ? among[i].i : i]);
    for (int i = 0; i < n; i++) sum += w[among ? among[i].i : i] = exp(sign * (double)y[among ? among[i].i : i] - top);
    for (int i = 0; i < n; i++) w[among ? among[i].i : i] /= sum;
}

/* P(down), P(neutral), P(up) of one asset's scores. */
static void direction(const float *y, double p[3])
{
    softmax(3, NULL, 1, y, p);
}

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return x->y != y->y ? (x->y < y->y) - (x->y > y->y) : (x->i > y->i) - (x->i < y->i);
}

/* Sorts all assets by score, s [n], so that the winners are the first G and the losers the last G. Returns G. */
static int choose(const struct objective *o, int n, const float *y, struct scored *s)
{
    for (int i = 0; i < n; i++) s[i] = (struct scored){y[i], i};
    qsort(s, (size_t)n, sizeof *s, by_score);
    return o->most < n / 2 ? o->most : n / 2;
}
_Static_assert(sizeof(struct scored) <= sizeof(double), "objective_workspace");

/* c of the positions that are scaled to sum |c| = 1. */
static double centre(const struct objective *o, const float *y, int i)
{
    double p[3];
    if (o->position == POSITION_RETURN) return y[i] > 1 ? 1 : y[i] < -1 ? -1 : (double)y[i]; /* NaN stays */
    direction(y + 3 * (size_t)i, p);
    return p[2] - p[0];
}

/* w [n] in double; work [n] beside it. */
static void weights(const struct objective *o, int n, const float *y, double *w, double *work)
{
    double sum = 0;
    struct scored *by = (struct scored *)work;
    int G;
    switch (o->position) {
    case POSITION_NONE:
        for (int i = 0; i < n; i++) w[i] = (double)y[i];
        break;
    case POSITION_SOFTMAX: softmax(n, NULL, 1, y, w); break;
    case POSITION_TANH:
        for (int i = 0; i < n; i++) w[i] = tanh((double)y[i]) / n;
        break;
    case POSITION_RETURN:
    case POSITION_DIRECTION:
        for (int i = 0; i < n; i++) sum += fabs(w[i] = centre(o, y, i));
        for (int i = 0; i < n; i++) w[i] = sum > 0 || isnan(sum) ? w[i] / sum : 0;
        break;
    case POSITION_LONG_SHORT:
        G = choose(o, n, y, by);
        memset(w, 0, sizeof *w * (size_t)n);
        softmax(G, by, 1, y, w);
        softmax(G, by + n - G, -1, y, w);
        for (int g = n - G; g < n; g++) w[by[g].i] *= -1;
        break;
    }
}

void objective_weights(const struct objective *o, int n, const float *y, float *w, double *work)
{
    weights(o, n, y, work, work + n);
    for (int i = 0; i < n; i++) w[i] = (float)work[i];
}

/* 0 down, 1 neutral, 2 up */
static int class_of(const struct objective *o, double r)
{
    return r < -o->dead_zone ? 0 : r > o->dead_zone ? 2 : 1;
}

double objective_period(const struct objective *o, int n, const float *y, const double *returns, double *loss, double *work)
{
    double f = 0, p[3];
    *loss = 0;
    if (o->loss == LOSS_MSE) {
        for (int i = 0; i < n; i++) *loss += (returns[i] - (double)y[i]) * (returns[i] - (double)y[i]);
    } else if (o->loss == LOSS_CROSS_ENTROPY) {
        for (int i = 0; i < n; i++) {
            direction(y + 3 * (size_t)i, p);
            *loss -= log(p[class_of(o, returns[i])]) / n;
        }
    } else {
        weights(o, n, y, work, work + n);
        for (int i = 0; i < n; i++) f += work[i] * returns[i];
        *loss = o->loss == LOSS_MSRR ? (1 - f) * (1 - f) : o->loss == LOSS_MEAN_RETURN ? -f : 0;
    }
    return f;
}

/* With m the mean and s the deviation of f over H:  d(-m/s)/df_h = -1/(H s) + m (f_h - m) / (H s^3). */
static double sharpe(int H, const double *f, double *slope)
{
    double m = 0, v = 0;
    for (int h = 0; h < H; h++) m += f[h] / H;
    for (int h = 0; h < H; h++) v += (f[h] - m) * (f[h] - m) / H;
    double s = sqrt(v);
    if (isnan(m)) return NAN;
    /* a rollout whose returns do not vary, say because all positions are zero, has no gradient; NaN stays NaN */
    bool flat = s <= 1e-12 * fabs(m) || s <= 0;
    for (int h = 0; slope && h < H; h++) slope[h] = flat ? 0 : -1 / (H * s) + m * (f[h] - m) / (H * s * s * s);
    return flat ? 0 : -m / s;
}

double objective_rollout(const struct objective *o, int H, const double *f, const double *loss, double *slope)
{
    double sum = 0;
    if (o->loss == LOSS_SHARPE) return sharpe(H, f, slope);
    for (int h = 0; h < H; h++) {
        sum += loss[h] / H;
        if (slope) slope[h] = o->loss == LOSS_MSRR ? -2 * (1 - f[h]) / H : o->loss == LOSS_MEAN_RETURN ? -1. / H : 1. / H;
    }
    return sum;
}

/* Derivative of a softmax over the assets listed: dy_i = w_i (dw_i - sum_j w_j dw_j). The formula is the same for either
 * sign of y in it, and of w outside. */
static void softmax_back(int n, const struct scored *among, const double *w, const double *returns, double slope, float *dy)
{
    double mean = 0;
    for (int g = 0; g < n; g++) {
        int i = among ? among[g].i : g;
        mean += fabs(w[i]) * slope * returns[i];
    }
    for (int g = 0; g < n; g++) {
        int i = among ? among[g].i : g;
        dy[i] = (float)(fabs(w[i]) * (slope * returns[i] - mean));
    }
}

static void scaled_back(const struct objective *o, int n, const float *y, const double *w, const double *returns,
                        double slope, float *dy)
{
    double sum = 0, mean = 0, p[3];
    for (int i = 0; i < n; i++) sum += fabs(centre(o, y, i)), mean += w[i] * slope * returns[i];
    for (int i = 0; i < n; i++) {
        double c = centre(o, y, i), way = (c > 0) - (c < 0), dc = sum > 0 ? (slope * returns[i] - way * mean) / sum : 0;
        if (o->position == POSITION_RETURN) {
            dy[i] = fabs((double)y[i]) < 1 ? (float)dc : 0;
            continue;
        }
        direction(y + 3 * (size_t)i, p);
        for (int k = 0; k < 3; k++) dy[3 * i + k] = (float)(p[k] * dc * ((k == 2) - (k == 0) - c));
    }
}

/* dLoss/dw_i = slope R_i, then back through the rule that made w of y. */
static void portfolio_back(const struct objective *o, int n, const float *y, const double *returns, double slope, float *dy,
                           double *work)
{
    double *w = work;
    struct scored *by = (struct scored *)(work + n);
    int G;
    weights(o, n, y, w, work + n);
    switch (o->position) {
    case POSITION_NONE:
        for (int i = 0; i < n; i++) dy[i] = (float)(slope * returns[i]);
        break;
    case POSITION_SOFTMAX: softmax_back(n, NULL, w, returns, slope, dy); break;
    case POSITION_TANH:
        for (int i = 0; i < n; i++) dy[i] = (float)(slope * returns[i] * (1 - w[i] * n * w[i] * n) / n);
        break;
    case POSITION_RETURN:
    case POSITION_DIRECTION: scaled_back(o, n, y, w, returns, slope, dy); break;
    case POSITION_LONG_SHORT:
        G = choose(o, n, y, by);
        memset(dy, 0, sizeof *dy * (size_t)n);
        softmax_back(G, by, w, returns, slope, dy);
        softmax_back(G, by + n - G, w, returns, slope, dy);
        break;
    }
}

void objective_derivative(const struct objective *o, int n, const float *y, const double *returns, double slope, float *dy,
                          double *work)
{
    double p[3];
    if (o->loss == LOSS_MSE) {
        for (int i = 0; i < n; i++) dy[i] = (float)(-2 * slope * (returns[i] - (double)y[i]));
    } else if (o->loss == LOSS_CROSS_ENTROPY) {
        for (int i = 0; i < n; i++) {
            direction(y + 3 * (size_t)i, p);
            for (int k = 0; k < 3; k++) dy[3 * i + k] = (float)(slope / n * (p[k] - (class_of(o, returns[i]) == k)));
        }
    } else portfolio_back(o, n, y, returns, slope, dy, work);
}
