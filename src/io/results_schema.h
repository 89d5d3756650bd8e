/* What a results file holds of a model: the only place that writes the declarations of a layout (models/model.h) into a file and reads
 * them back. A dataset carries its unit, its meaning and the names of its dimensions; the model's group lists its fields, in the
 * order of a record, and its constants. Private to io. */
#ifndef IO_RESULTS_SCHEMA_H
#define IO_RESULTS_SCHEMA_H

#include "io/hdf.h"
#include "io/results_file.h"
#include "models/model.h"

/* Coordinates, constants and the lists of names; before the fields. P 0: a skeleton, whose fields have no rows yet. */
int schema_write(struct hdf *f, const char *group, const struct layout *l, int P, const int64_t *dates, struct error *e);
/* Field k: data [P, S if per_seed, ...]; NULL with P 0. */
int schema_write_field(struct hdf *f, const char *group, const struct layout *l, int k, int P, const double *data,
                       struct error *e);

/* What the group declares, into m->field, checked: FORMATS.md's names have its dimensions, a dimension has one size in a model, dates
 * are P, seeds m->seeds. Constants get their values, fields too unless `rows` is false (a skeleton's: they come from the parts). Fields of
 * more than two dimensions a fit are left in the file. Files from before dimensions had names are read by FORMATS.md's. */
int schema_read(struct hdf *f, const char *group, int P, bool rows, struct result_model *m, struct error *e);

#endif
