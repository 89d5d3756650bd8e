/* Returns, averages, oscillators and volumes of one asset's bars, from the past alone. */
#include "panel/indicators.h"

#include <math.h>

const char *const ohlcv_feature_name[OHLCV_FEATURES] = {
    "log_return", "intraday_return", "range",         "relative_volume", "volatility", "rsi",
    "macd",       "macd_signal",     "macd_histogram"};
const int ohlcv_feature_needs[OHLCV_FEATURES] = {2, 1, 1, OHLCV_WINDOW, OHLCV_WINDOW + 1, OHLCV_RSI_WINDOW + 1, 26, 34, 34};

void ohlcv_ema(int n, const double *x, int span, double *out)
{
    double y = n ? x[0] : 0, share = 2.0 / (span + 1);
    for (int i = 0; i < n; i++) out[i] = y += share * (x[i] - y);
}

void ohlcv_rsi(int n, const double *close, int window, double *out)
{
    for (int i = 0; i < n; i++) {
        double gain = 0, loss = 0;
        for (int j = i - window + 1; j <= i && i >= window; j++) {
            double change = close[j] - close[j - 1];
            if (change > 0) gain += change;
            else loss -= change;
        }
        out[i] = i < window ? NAN
                 : loss > 0 ? 100 - 100 / (1 + gain / loss)
                 : gain > 0 ? 100
                            : 50; /* as many lost as won: 50 too */
    }
}

/* Summed anew for every observation: a running sum would carry rounding, and what it has seen, from one window to the next. */
static double mean(int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

static double deviation(int n, const double *x)
{
    double m = mean(n, x), sum = 0;
    for (int i = 0; i < n; i++) sum += (x[i] - m) * (x[i] - m);
    return sqrt(sum / (n - 1));
}

void ohlcv_features(const struct ohlcv_bars *b, double *out, double *scratch)
{
    int n = b->n, returns = 0;
    double *fast = scratch, *slow = scratch + n, *signal = scratch + 2 * (size_t)n, *rsi = scratch + 3 * (size_t)n,
           *past = scratch + 4 * (size_t)n; /* the log returns there are, in order */
    ohlcv_ema(n, b->adjusted, 12, fast);
    ohlcv_ema(n, b->adjusted, 26, slow);
    for (int i = 0; i < n; i++) fast[i] -= slow[i];
    ohlcv_ema(n, fast, 9, signal);
    ohlcv_rsi(n, b->adjusted, OHLCV_RSI_WINDOW, rsi);
    for (int i = 0; i < n; i++) {
        double *x = out + (size_t)i * OHLCV_FEATURES, c = b->adjusted[i];
        bool follows = i > 0 && b->place[i] == b->place[i - 1] + 1;
        x[OHLCV_LOG_RETURN] = follows ? log(c / b->adjusted[i - 1]) : NAN;
        if (follows) past[returns++] = x[OHLCV_LOG_RETURN];
        x[OHLCV_INTRADAY_RETURN] = (b->close[i] - b->open[i]) / b->open[i];
        x[OHLCV_RANGE] = (b->high[i] - b->low[i]) / b->close[i];
        double volume = i + 1 < OHLCV_WINDOW ? NAN : mean(OHLCV_WINDOW, b->volume + i + 1 - OHLCV_WINDOW);
        x[OHLCV_RELATIVE_VOLUME] = volume > 0 ? b->volume[i] / volume : NAN;
        x[OHLCV_VOLATILITY] = returns < OHLCV_WINDOW ? NAN : deviation(OHLCV_WINDOW, past + returns - OHLCV_WINDOW);
        x[OHLCV_RSI] = rsi[i];
        x[OHLCV_MACD] = fast[i] / c;
        x[OHLCV_MACD_SIGNAL] = signal[i] / c;
        x[OHLCV_MACD_HISTOGRAM] = (fast[i] - signal[i]) / c;
        for (int k = 0; k < OHLCV_FEATURES; k++)
            if (i + 1 < ohlcv_feature_needs[k])
                x[k] = NAN; /* the means of prices begin at the first one: not yet what they are named */
    }
}

void ohlcv_history(int n, const double *values, size_t stride, int length, int least, float *out, size_t out_stride,
                   double *scratch)
{
    int there = 0; /* values that are no NaN, so far: scratch[0 .. there-1] */
    for (int i = 0; i < n; i++) {
        double v = values[(size_t)i * stride];
        out[(size_t)i * out_stride] = NAN;
        if (isnan(v)) continue;
        scratch[there++] = v;
        int m = there < length ? there : length, less = 0, equal = 0;
        if (m < least) continue;
        const double *past = scratch + there - m;
        for (int j = 0; j < m; j++) less += past[j] < v, equal += past[j] == v;
        double middle = m > 1 ? 0.5 : 0, span = m > 1 ? m - 1 : 1;
        out[(size_t)i * out_stride] = (float)(0.5 * (2 * less + equal - 1) / span - middle);
    }
}
