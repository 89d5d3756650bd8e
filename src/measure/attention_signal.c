/* Attention over returns, without a model: the signal of one asset, the regime of all, and a tilt of shares by it. */
#include "measure/attention_signal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { RECENT = 5 };

double round_decimal(double x, int places)
{
    char text[400];
    snprintf(text, sizeof text, "%.*f", places, x);
    return strtod(text, NULL);
}

static struct return_series recent(const struct return_series *s, int most)
{
    int n = s->n < most ? s->n : most;
    return (struct return_series){s->x + (s->n - n), n};
}

/* Scores to weights in place. */
static void softmax(int n, double *x)
{
    double top = x[0], total = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > top) top = x[i];
    for (int i = 0; i < n; i++) total += x[i] = exp(x[i] - top);
    for (int i = 0; i < n; i++) x[i] /= total; /* total >= 1: the largest score adds exp(0) */
}

/* Mean over the last five periods of the weighted others. */
static double momentum(int L, int k, const struct return_series *other, int lookback, const double *w)
{
    int from = L > RECENT ? L - RECENT : 0;
    double sum = 0;
    for (int i = from; i < L; i++) {
        double output = 0;
        for (int j = 0; j < k; j++) {
            struct return_series v = recent(&other[j], lookback);
            output += w[j] * (i < v.n ? v.x[i] : 0);
        }
        sum += output;
    }
    return sum / (L - from);
}

void attention_signal(const struct return_series *target, int k, const struct return_series *other, int lookback,
                      double *weights, struct attention_signal *out)
{
    require(lookback >= 1);
    struct return_series q = recent(target, lookback);
    *out = (struct attention_signal){0, 0, -1};
    if (k == 0 || q.n == 0) return;
    for (int j = 0; j < k; j++) {
        struct return_series key = recent(&other[j], lookback);
        double dot = 0;
        for (int i = 0; i < q.n && i < key.n; i++) dot += q.x[i] * key.x[i];
        weights[j] = dot / sqrt(q.n);
    }
    softmax(k, weights);
    double signal = momentum(q.n, k, other, lookback, weights), largest = weights[0];
    for (int j = 1; j < k; j++)
        if (weights[j] > largest) largest = weights[j];
    for (int j = 0; j < k; j++) {
        weights[j] = round_decimal(weights[j], 4);
        if (out->dominant < 0 || weights[j] > weights[out->dominant]) out->dominant = j;
    }
    out->signal = round_decimal(signal, 6);
    out->confidence = round_decimal(largest * fmin(fabs(signal) * 10, 1), 4);
}

enum regime regime_of(double concentration)
{
    return concentration > 0.6 ? REGIME_CRISIS : concentration > 0.4 ? REGIME_TRENDING : REGIME_DIVERSIFIED;
}

const char *regime_name(enum regime r)
{
    static const char *const name[] = {"diversified", "trending", "crisis_correlated", "insufficient_data"};
    return name[r];
}

const char *regime_risk(enum regime r)
{
    static const char *const risk[] = {"low", "moderate", "high", "unknown"};
    return risk[r];
}

void attention_regime(int n, const struct return_series *asset, int window, double *matrix, struct attention_regime *out)
{
    *out = (struct attention_regime){REGIME_INSUFFICIENT, NAN};
    for (int i = 0; i < n * n; i++) matrix[i] = NAN;
    if (n < 2) return;
    struct return_series *others = memory_array(struct return_series, n, "other assets");
    double *w = memory_array(double, n, "attention weights"), sum = 0;
    int targets = 0;
    for (int i = 0; i < n; i++) {
        struct attention_signal s;
        for (int j = 0, k = 0; j < n; j++)
            if (j != i) others[k++] = asset[j];
        attention_signal(&asset[i], n - 1, others, window, w, &s);
        if (s.dominant < 0) continue;
        for (int j = 0, k = 0; j < n; j++)
            if (j != i) matrix[(size_t)i * (size_t)n + (size_t)j] = w[k++];
        sum += w[s.dominant];
        targets++;
    }
    memory_free(others);
    memory_free(w);
    double mean = targets ? sum / targets : 0;
    *out = (struct attention_regime){regime_of(mean), round_decimal(mean, 4)};
}

void attention_tilt(int k, const double *weights, const int *place, int n, const double *base, double tilt, double *adjusted)
{
    double attention = 0, total = 0;
    for (int j = 0; j < k; j++) attention += weights[j];
    if (attention == 0) attention = 1;
    memcpy(adjusted, base, (size_t)n * sizeof *base);
    for (int j = 0; j < k; j++)
        if (place[j] >= 0) adjusted[place[j]] = adjusted[place[j]] * (1 - tilt) + weights[j] / attention * tilt;
    for (int i = 0; i < n; i++) total += adjusted[i];
    for (int i = 0; i < n && total > 0; i++) adjusted[i] = round_decimal(adjusted[i] / total, 4);
}
