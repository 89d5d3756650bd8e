/* Rows of one model assembled from part logs: shared by the writer of finished results and the reader of a run under way. */
#ifndef IO_RESULTS_ROWS_H
#define IO_RESULTS_ROWS_H

#include <stdbool.h>

#include "io/parts.h"
#include "models/model.h"

struct row_field {
    const char *name;
    int size; /* doubles per fit */
    bool per_seed;
    double *data; /* [P, S if per_seed, size], NaN where not there */
};
struct row_set {
    int P, S, fields;
    struct row_field field[LAYOUT_FIELDS];
    uint8_t *done; /* [P] all seeds there */
    int64_t *code; /* [P, S] fit codes */
};
/* Fill r (P, S, fields with names and sizes given; rows before first_row count as done) with config's records. rows_free. */
int rows_assemble(struct row_set *r, const struct part_index *x, int config, int first_row, struct error *e);
void rows_free(struct row_set *r);

/* [P, S] the record of each fit of a config, NULL where there is none (memory_free). Of several, as a run that lost its lock and its
 * successor leave them, the first that serves counts: first by generation, rank and place in the log. */
const struct part_record **rows_records(const struct part_index *x, int config, int P, int S, size_t values);

#endif
