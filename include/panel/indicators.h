/* Characteristics of one asset from its own prices and volumes, each from observations up to and including its own: daily or hourly
 * bars (open, high, low, close, volume) to the columns below. No value looks ahead, none is filled in; NaN: not defined. */
#ifndef PANEL_INDICATORS_H
#define PANEL_INDICATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ohlcv_feature {
    OHLCV_LOG_RETURN,      /* log adjusted close over that one date of the calendar earlier; NaN where there is none */
    OHLCV_INTRADAY_RETURN, /* (close - open) / open */
    OHLCV_RANGE,           /* (high - low) / close */
    OHLCV_RELATIVE_VOLUME, /* volume over the mean of the last 20, this one included; NaN where one is missing or all are 0 */
    OHLCV_VOLATILITY,      /* standard deviation (n - 1) of the last 20 log returns */
    OHLCV_RSI, /* 100 - 100 / (1 + g / l), g and l simple means of the last 14 gains and losses of adjusted close; no loss: 100, flat: 50 */
    OHLCV_MACD,           /* (EMA 12 - EMA 26) / adjusted close */
    OHLCV_MACD_SIGNAL,    /* EMA 9 of EMA 12 - EMA 26, / adjusted close */
    OHLCV_MACD_HISTOGRAM, /* their difference */
    OHLCV_FEATURES
};
enum { OHLCV_WINDOW = 20, OHLCV_RSI_WINDOW = 14 };
extern const char *const ohlcv_feature_name[OHLCV_FEATURES];
/* Observations an asset must have, the one at hand included, before the feature is defined (34 for the signal: 26 + 9 - 1). */
extern const int ohlcv_feature_needs[OHLCV_FEATURES];

/* n observations of an asset in order of time. */
struct ohlcv_bars {
    int n;
    const int32_t *place; /* of its date in the calendar, strictly increasing: place + 1 is the date that follows */
    const double *open, *high, *low, *close; /* > 0, as traded: ratios within a date know no splits and dividends */
    const double *adjusted;                  /* close, adjusted for splits and dividends */
    const double *volume;                    /* >= 0, or NaN: missing */
};
/* All features, out [n, OHLCV_FEATURES]. scratch: 5 n doubles. */
void ohlcv_features(const struct ohlcv_bars *b, double *out, double *scratch);

/* Exponential mean started at the first value: y_0 = x_0, y_t = y_{t-1} + (x_t - y_{t-1}) 2 / (span + 1). out may be x. */
void ohlcv_ema(int n, const double *x, int span, double *out);
/* RSI of the last `window` changes; NaN for the first `window` prices. */
void ohlcv_rsi(int n, const double *close, int window, double *out);

/* Standardisation over an asset's own past: the rank of values[i * stride] among its last `length` values up to i (fewer at the
 * start) that are not NaN, ties sharing their mean rank, mapped to [-0.5, 0.5] as rank_column does. Where the value is NaN or fewer
 * than `least` are there, out is NaN. scratch: n doubles. */
void ohlcv_history(int n, const double *values, size_t stride, int length, int least, float *out, size_t out_stride,
                   double *scratch);

#endif
