/* The measures that tables show: one line each in measures.def, one function each. A table shows the measures of its set, in the order
 * of measures.def; a new measure is its line and its function, nothing else. */
#ifndef MEASURE_MEASURES_H
#define MEASURE_MEASURES_H

struct hjd;
struct alpha;

/* What a measure may look at. A part that a table does not have is NULL, and a measure that needs it is NaN. */
struct measure_sample {
    int n;
    double periods_per_year;
    const double *returns; /* [n] decimal per period, in time order, none missing: an SDF's, or a portfolio's net of costs */
    const double
        *scaled; /* [n] the returns at 15% volatility a year where their scale means nothing (SDFs), else as they are */
    const double *gross;       /* [n] before costs */
    const double *traded;      /* [n] sum of |changes| of holdings, as a share of wealth */
    const struct hjd *hjd;     /* the test assets on the same dates */
    const struct alpha *alpha; /* the regression of the returns on other models' */
    int parameter;             /* of a measure that has one */
};

/* The tables that show measures, as bits. */
enum measure_set {
    MEASURES_PERFORMANCE = 1,
    MEASURES_HEADS = 2,
    MEASURES_RIDGE = 4,
    MEASURES_SYMMETRY = 8,
    MEASURES_ALPHAS = 16,
    MEASURES_RISK = 32,
    MEASURES_TRADING = 64,
    MEASURES_BACKTEST = 128,
    MEASURES_PAIR = 256, /* of the alphas, behind the columns that were there first */
};

typedef double measure_function(const struct measure_sample *);

struct measure {
    const char *name; /* the column; of a measure with a parameter NAME_1, NAME_2, ... */
    const char *title, *unit, *meaning;
    int decimals;
    int first, last; /* the parameter's range; 0, 0: none */
    unsigned sets;   /* enum measure_set, or-ed */
    measure_function *function;
};
extern const struct measure measures[]; /* ends with name NULL */

#define MEASURE(function, ...) measure_function measure_##function;
#include "measure/measures.def"
#undef MEASURE

#endif
