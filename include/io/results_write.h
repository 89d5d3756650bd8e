/* Writing results: first a skeleton (everything but the rows) in RESULTS.parts/, rows into part logs (io/parts.h), and at the end one
 * whole file assembled from both. The models' layouts declare every dataset once; this writer knows no model. */
#ifndef IO_RESULTS_WRITE_H
#define IO_RESULTS_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/hdf.h"
#include "io/parts.h"
#include "models/model.h"

struct results_config { /* one universe and model, swept values applied */
    const char *universe, *name, *kind;
    const char *options; /* "heads=1,2,4 window=60": for people */
    const struct layout *layout;
    int window;
    int first_row; /* rows before it do not exist (a window longer than the study's shortest): NaN and done */
};

struct results_plan {
    const char *study_text, *study_name, *panel, *panel_digest;
    const char *fingerprint; /* what the study computes, a line each: compared on resume */
    double periods_per_year; /* as of a panel */
    int P;
    const int64_t *dates; /* [P] */
    int configs;
    const struct results_config *config;
    int M; /* test assets; their rows are the P out-of-sample periods */
    char *const *test_asset_names;
    const double *test_assets; /* [P, M] */
    bool test_assets_are_factors;
    int assets; /* those that have names in the panel */
    const int64_t *asset_name_ids;
    char *const *asset_names;
    const double *truth; /* [P] or NULL */
    bool save_weights;
    struct placebo placebo;
    const char *lease; /* the lease on the results (io/lease.h), asked for again before they take their place; NULL: none */
};

/* Begin a run: its folder in RESULTS.parts (io/parts.h) appears with a whole skeleton.h5 in it. One rank. */
int results_skeleton(const char *parts, const struct results_plan *p, char folder[PARTS_PATH], struct error *e);
/* What a skeleton or results file found on resume computes, and by which program (memory_free each). */
int results_origin(const char *file, char **fingerprint, char **program, struct error *e);

/* The finished file from the parts: one rank, one model at a time in memory. `record`: name=value lines of how it was made, kept as
 * root attributes. */
int results_finish(const char *path, const struct results_plan *p, const struct part_index *x, const char *record,
                   struct error *e);

#endif
