/* Where rows went: a table of counts, one line a unit (a year, an asset), one column a step at which rows leave the sample. Printed and
 * kept in the panel. */
#ifndef INGEST_AUDIT_H
#define INGEST_AUDIT_H

#include <stdint.h>

#include "io/hdf.h"

struct audit_step {
    const char *name, *meaning;
};
struct audit {
    const struct audit_step *step; /* [steps]; the first is what was read, the last but `beside` what is kept */
    int steps, beside;             /* counts beside, of rows that are in a step anyway */
    int units;
    int64_t *count; /* [units, steps] */
};
void audit_open(struct audit *a, const struct audit_step *step, int steps, int beside, int units);
void audit_close(struct audit *a);
/* Units first .. first + units - 1 with a label each, and all of them under `all`; steps that nothing left at are not shown. */
void audit_print(const struct audit *a, int first, int units, const char *head, char *const *label, const char *all);
/* audit/rows [units, steps], audit/steps, audit/meanings. Collective. */
int audit_write(const struct audit *a, int first, int units, struct hdf *f, struct error *e);

#endif
