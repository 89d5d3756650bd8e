/* Finished rows of a run under way: RESULTS.parts/ holds skeleton.h5 (a results file without rows) and one append-only log per
 * rank and start. A record is framed by its length and a checksum, so that a kill at any instant leaves at most a torn tail,
 * which readers ignore. A record is the outcome of one fit: (config, seed, row).
 *   g0001-r000003.rows: rank 3 of the first start; every resume begins a new generation. */
#ifndef IO_PARTS_H
#define IO_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PARTS_SKELETON "skeleton.h5"

struct part_key {
    int32_t config, seed, row, code; /* code: struct fit_note.code */
};

struct part_writer;
/* Append to PARTS/gGGGG-rRRRRRR.rows, created with the first record. Finished records are handed to the operating system at once
 * and forced to disk at least every `seconds`. */
struct part_writer *part_create(const char *folder, int generation, int rank, double seconds);
/* One record: values [n], then the portfolio if weights are saved (ids and weights [assets], else 0). On a full disk the torn
 * record is cut off again and e says so: what was finished stays. */
int part_append(struct part_writer *w, const struct part_key *key, size_t n, const double *values, size_t assets,
                const int64_t *ids, const float *weights, struct error *e);
int part_sync(struct part_writer *w, struct error *e);
/* Sync and close (frees w). */
int part_close(struct part_writer *w, struct error *e);

/* All logs of a folder, indexed; values are read on demand. */
struct part_record {
    struct part_key key;
    int file;
    int64_t at; /* of the values in the file */
    uint32_t n, assets;
};
struct part_index {
    char *folder;
    int files, generation; /* the newest generation found; 0: none */
    char **file;           /* names in the folder, sorted */
    size_t records;
    struct part_record *record; /* by config, row, seed, file and place in it */
};
/* `share` of `shares`: index only every shares-th file (ranks share the reading); 0 of 1 for all. A folder that is not there has no
 * records. */
int parts_index(const char *folder, int share, int shares, struct part_index *x, struct error *e);
void parts_free(struct part_index *x);
/* Whether a record is a fit of a config with P rows and S seeds that keeps `values` numbers a fit; others are none of ours. */
bool parts_serve(const struct part_record *r, int P, int S, size_t values);
/* The first of a config's records; *n of them follow one another. */
const struct part_record *parts_of(const struct part_index *x, int config, size_t *n);
/* values [record->n], ids and weights [record->assets] (may be NULL). */
int parts_read(const struct part_index *x, const struct part_record *r, double *values, int64_t *ids, float *weights,
               struct error *e);
/* Remove the logs, the skeleton and the folder. */
int parts_remove(const char *folder, struct error *e);

#endif
