/* A trial: a study and the variants of it that a referee would ask for, each a run of its own in DIR/runs/NAME.h5. A variant is a study
 * text, one change of the panel's rows (panel/placebo.h) and its place in the battery; the driver runs it like any study, so a trial
 * that was stopped or killed goes on where it was, on any number of ranks, with the same bits.
 *   base            the study itself: its closed-form models in its first universe
 *   placebo-KIND-I  draw I of a placebo: I is added to the study's seed, or the lag is I years
 *   noise-X         noise of X times their spread added to characteristics
 *   nonmicro        without micro and nano caps (panels with size groups, studies whose first universe is `all`)
 *   without-THEME   a theme of characteristics set to zero
 *   spec-...        window, factor scale, filter: what a specification curve is drawn from, with the penalty grids that report/ reads off */
#ifndef STUDY_TRIAL_H
#define STUDY_TRIAL_H

#include <stdbool.h>

#include "base/error.h"
#include "panel/placebo.h"
#include "parallel/team.h"
#include "study/study.h"

enum trial_part { TRIAL_BASE, TRIAL_PLACEBO, TRIAL_NOISE, TRIAL_FILTER, TRIAL_THEME, TRIAL_SPECIFICATION, TRIAL_PARTS };

struct variant {
    enum trial_part part;
    char name[96];  /* of its results file */
    char label[96]; /* for people: "returns shuffled within periods" (of the kind), "noise 2", "without value" */
    struct placebo placebo;
    char *text;                 /* the study, YAML */
    const char *window, *scale; /* "own" or "half" of it; "sum", "root", "mean"; scale NULL: a placebo, the study's */
    bool nonmicro;
    double cost; /* in units of the whole study's own cost, from operation counts */
};

struct trial_options {
    const char *panel;  /* NULL: the study's */
    const char *themes; /* a CSV of characteristics and their themes, NAME,THEME; NULL: from the names */
    int seeds;          /* draws of every placebo; 0: as many as the budget has room for, at most 20 */
    double budget;      /* most that the trial may cost, in units of the study's own cost */
    bool networks;      /* networks take part */
};

struct trial {
    char *file, *panel;
    struct panel_meta meta;
    char *base;         /* text of the base study */
    int models, window; /* configurations of the base study, its shortest window */
    char *left_out;     /* names of models that take no part, separated by ", "; "" : none */
    const struct universe *universe;
    int n;
    struct variant *variant; /* [n], base first */
    int seeds, themes;
    const char *theme_rule; /* where the themes came from, in words */
    double cost;            /* of all, in units of the study's own cost */
};

/* Collective (rank 0 reads the files). The list of variants depends on the study, the header of the panel and the options alone. An
 * error: a study or panel that is wrong, nothing closed-form in it, a themes file that does not fit, a cost above the budget.
 * trial_free in any case. */
int trial_open(struct team *world, const char *file, const char *text, const struct trial_options *o, struct trial *t,
               struct error *e);
void trial_free(struct trial *t);

/* Seconds of every variant on the ranks of `world`, into seconds [n]: the base study's models are measured as aipm plan does (and the
 * same cache is used), the variants are taken from there by their operation counts. Collective. */
int trial_forecast(struct team *world, const struct trial *t, double *seconds, struct error *e);

/* Run what is not finished, with a line and an ETA (from seconds [n]) for each. Returns an exit status: EXIT_DONE; EXIT_INPUT with *e;
 * EXIT_STOPPED. Collective. */
int trial_run(struct team *world, const struct trial *t, const char *folder, const double *seconds, bool quiet,
              double checkpoint_seconds, double watchdog_seconds, struct error *e);
/* DIR/runs/NAME.h5 into out [size]. */
void trial_path(const struct variant *v, const char *folder, char *out, size_t size);

#endif
