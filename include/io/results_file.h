/* Results in memory, as all that reads them sees them: from a finished results file, or from RESULTS.parts/ of a run under way (rows
 * not there yet are NaN and not done). What a model has is what its layout declared (models/model.h): fields and constants, looked
 * up by name, with dimensions looked up by name.
 *   P out-of-sample periods   S seeds   M test assets */
#ifndef IO_RESULTS_FILE_H
#define IO_RESULTS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "models/model.h"
#include "panel/placebo.h"

enum { RESULTS_FORMAT_VERSION = 1, RESULTS_RANK = 5, RESULTS_NAME = 32 };

struct result_field {
    char *name;
    int rank;
    struct {
        char name[RESULTS_NAME]; /* "date", "seed", "ridge", ...; "": a file of before dimensions had names */
        int size;
    } dim[RESULTS_RANK];
    bool per_seed;
    double *values; /* [dim[0], dim[1], ...]; NULL: left in the file, for results_row (io/results_read.h) */
};

struct result_model {
    char *universe, *name, *kind;
    int order, seeds;      /* place in the study; S */
    uint8_t *done;         /* [P] */
    const double *returns; /* [P] the field's values; NaN: not there */
    bool has_weights;      /* portfolios are saved */
    int fields;
    struct result_field field[LAYOUT_FIELDS + LAYOUT_CONSTANTS];
};
/* A field or constant of the model; NULL: it has none of that name. Its values; NULL also where they are left in the file. */
const struct result_field *results_field(const struct result_model *m, const char *name);
const double *results_values(const struct result_model *m, const char *name);
/* Entries along a dimension ("ridge", "head", "seed", "epoch"); 0: no field has it. */
int results_size(const struct result_model *m, const char *dimension);
/* Values of one row: the product of the sizes after dates; of a constant: all. */
size_t result_field_row(const struct result_field *x);
/* A new field, all zero but its name. */
struct result_field *results_add(struct result_model *m, const char *name);

struct results {
    char *path;
    char *study; /* the YAML text */
    char *study_name;
    char *panel, *panel_digest, *program;
    double periods_per_year; /* as of a panel */
    int P;
    int64_t *dates; /* [P] formation dates */
    int models;
    struct result_model *model; /* in study order */
    int assets;                 /* those that have names in the panel */
    int64_t *asset_name_ids;    /* [assets] */
    char **asset_names;         /* [assets] */
    int M;
    char **test_asset_names;
    double *test_assets;          /* [P, M]: the panel's, or the unscaled managed factors F_{t+1} of the whole universe */
    bool test_assets_are_factors; /* test_assets holds those factors, not assets of the panel */
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
