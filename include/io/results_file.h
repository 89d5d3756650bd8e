/* Results in memory, as analyze, report and info read them: from a finished results file, or from RESULTS.parts/ of a run
 * under way (rows not there yet are NaN and not done).
 *   P out-of-sample periods   nz ridges   nh head counts   S seeds   E epochs   M test assets */
#ifndef IO_RESULTS_FILE_H
#define IO_RESULTS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "panel/placebo.h"

enum { RESULTS_FORMAT_VERSION = 1 };

struct result_model {
    char *universe, *name, *kind;
    double *returns;                                   /* [P] NaN: not there */
    uint8_t *done;                                     /* [P] */
    int nz;                                            /* 0: no ridge */
    double *ridge;                                     /* [nz] ascending */
    double *selected_ridge;                            /* [P] a value of ridge; NaN */
    double *loo_loss;                                  /* [P, nz] */
    double *returns_by_ridge;                          /* [P, nz] */
    int nh;                                            /* 0: no heads */
    double *heads;                                     /* [nh] */
    double *returns_by_heads;                          /* [P, nz, nh] */
    double *symmetric_returns, *antisymmetric_returns; /* [P] or NULL */
    int S, E;                                          /* 0: no seeds */
    double *returns_by_seed;                           /* [P, S] or NULL */
    double *training_loss;                             /* [P, S, E] or NULL */
};

struct results {
    char *path;
    char *study; /* the YAML text */
    char *study_name;
    char *panel, *panel_digest, *program;
    int periods_per_year;
    int P;
    int64_t *dates; /* [P] formation dates */
    int models;
    struct result_model *model; /* in study order */
    int M;
    char **test_asset_names;
    double *test_assets;          /* [P, M]: the panel's, or the unscaled managed factors F_{t+1} of the whole universe */
    bool test_assets_are_factors; /* the latter */
    double *truth;                /* [P] or NULL */
    struct placebo placebo;       /* kind and lag; the seed is the study's */
    bool under_way;               /* read from parts */
    long rows_done, rows_total;
    int attributes; /* the record of how it was made: root attributes as text, for info */
    char **attribute_name, **attribute_text;
};

int results_load(const char *path, struct results *r, struct error *e);
void results_free(struct results *r);

#endif
