/* A trial's results in memory, the facts that verdicts rest on, and its tables.
 *   P out-of-sample dates of the base run   n of them at which a series is there */
#ifndef REPORT_TRIAL_REPORT_H
#define REPORT_TRIAL_REPORT_H

#include <stdbool.h>

#include "figure.h"
#include "io/results_file.h"
#include "io/table.h"
#include "study/trial.h"

enum { TRIAL_AGES = 6, TRIAL_ERAS = 4, TRIAL_NOISES = 8 };

/* What is left of a series' mean return once others are taken out of it by regression. */
struct remainder {
    double share; /* of the mean that they explain: 1 - alpha / mean */
    double t;     /* of the alpha */
    double beta;  /* one regressor: its slope; else NaN */
};

struct trial_facts {
    const char *model;
    int n;
    double years;  /* that n periods are */
    double sharpe; /* of the base run, annual */
    double t;      /* of its mean return, Newey-West */
    struct remainder market, reversal, fixed;
    struct remainder momentum; /* beside the fixed portfolio; share: of what that one leaves */
    double age_slope[TRIAL_AGES], age_t[TRIAL_AGES], age_r2;
    int draws;                         /* of placebos that keep nothing: returns, signs, iid */
    double placebo_t, placebo_after_t; /* their mean t; the same against the market they were drawn from */
    int shuffles;                      /* draws with returns shuffled within periods: characteristics say nothing there */
    double shuffled;                   /* their mean Sharpe ratio */
    int noises;
    double noise[TRIAL_NOISES], noise_sharpe[TRIAL_NOISES]; /* amount; Sharpe ratio */
    double nonmicro, nonmicro_t;                            /* Sharpe ratio and its t; NaN: no such run */
    const char *theme;                                      /* without which least is left; NULL: no themes */
    double theme_sharpe, theme_t;                           /* what is left; t of the difference from the study */
    int eras;
    double era_sharpe[TRIAL_ERAS];
    double era_chi2; /* of the eras' Sharpe ratios being one, TRIAL_ERAS - 1 degrees of freedom */
    int specifications;
    double positive, beyond; /* shares of specifications whose Sharpe ratio is above 0; whose t is above 1.96 */
    double median, nonstandard, standard;
};

enum {
    TRIAL_VERDICTS,
    TRIAL_PLACEBOS,
    TRIAL_PLACEBO_RUNS,
    TRIAL_ALTERATIONS,
    TRIAL_ERA_TABLE,
    TRIAL_EXPLANATIONS,
    TRIAL_AGE_TABLE,
    TRIAL_SEED_TABLE,
    TRIAL_CURVE,
    TRIAL_CURVE_RUNS,
    TRIAL_TABLES
};
struct trial_report {
    const struct trial *t;
    struct results *r; /* [t->n] as the trial's variants */
    int P;
    double per_year;                   /* periods */
    double *market_all;                /* [T] of the panel */
    double *market, *reversal, *fixed; /* [P] at the base run's dates */
    double *momentum, *longer;         /* [P] over a year, over the window */
    double *age[TRIAL_AGES];           /* [P] */
    int age_from[TRIAL_AGES], age_to[TRIAL_AGES], ages;
    struct trial_facts *facts;         /* [t->models] */
    struct table *table[TRIAL_TABLES]; /* NULL: nothing to show */
    struct figures figures;
};

/* The results and the panel; trial_report_free in any case. */
int trial_report_read(struct trial_report *s, const struct trial *t, const char *folder, struct error *e);
void trial_report_free(struct trial_report *s);

/* Tables and facts, in this order; verdicts need all facts. */
void trial_placebos(struct trial_report *s);
void trial_alterations(struct trial_report *s);
void trial_explanations(struct trial_report *s);
void trial_specifications(struct trial_report *s);
void trial_verdicts(struct trial_report *s);
/* The verdict in one word: nothing, market, reversal, momentum, leak, noise, fragile, stands. */
const char *trial_verdict(const struct trial_facts *f);
/* Which question decided it, or which doubts there are. */
enum { TRIAL_REASON = 160 };
void trial_reason(const struct trial_facts *f, char out[TRIAL_REASON]);

/* Returns of model i of variant v on the base run's dates: out [P], NaN where missing. */
void trial_series(const struct trial_report *s, int v, int i, double *out);
/* Its finite part: x [n] and, unless NULL, others [k][P] on the same dates into z [k, n], where all are there. Returns n. */
int trial_common(const struct trial_report *s, const double *series, int k, const double *const *others, double *x,
                 double *z);
/* Sharpe ratio of x [n]; t by its robust standard error. */
double trial_sharpe(const struct trial_report *s, int n, const double *x, double *t);
/* Newey-West t of the mean of x [n]; of the finite part of the series [P]. */
double trial_t(const struct trial_report *s, int n, const double *x);
double trial_mean_t(const struct trial_report *s, const double *series);
/* What others [k][P] leave of the series [P]. */
struct remainder trial_remainder(const struct trial_report *s, const double *series, int k, const double *const *others);

int trial_figures(struct trial_report *s, struct error *e);

#endif
