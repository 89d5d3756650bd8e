/* Finished rows of a run under way: RESULTS.parts/ID/ holds skeleton.h5 (a results file without rows) and one append-only log per
 * rank and start. ID is drawn at random when the run is begun: whatever a process does in that folder, however late, it does to
 * this run and to no other. A record is framed by its length and a checksum, so that a kill at any instant leaves at most a torn tail,
 * which readers ignore. A record is the outcome of one fit: (config, seed, row).
 *   g0001-r000003.rows: rank 3 of the first start; every resume begins a new generation. */
#ifndef IO_PARTS_H
#define IO_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/durable_file.h"

#define PARTS_SKELETON "skeleton.h5"
enum { PARTS_PATH = 4096 };

struct part_key {
    int32_t config, seed, row, code; /* code: struct fit_note.code */
};

struct part_writer;
/* Append to PARTS/gGGGG-rRRRRRR.rows, created with the first record. Finished records are handed to the operating system at once
 * and forced to disk at least every `seconds`. */
struct part_writer *part_create(const char *folder, int generation, int rank, double seconds);
/* One record: values [n], then the portfolio if weights are saved (ids and weights [assets], else 0). On a full disk e says
 * so: what was finished before stays, and no reader takes the torn record for one. */
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
/* The folder RESULTS.parts/ID of the run under way, known by its skeleton. False: there is none, and folder is "". */
bool parts_find(const char *parts, char folder[PARTS_PATH]);
/* Where no run is under way: remove what a removal has left. Anything else in RESULTS.parts stays and is an error. */
int parts_clear(const char *parts, struct error *e);
/* Begin a run: `folder`, still beside its place, for the skeleton to be written into; then put it in its place, on disk, and `folder`
 * is its name there. Only one can begin: where another has, the second call is an error and nothing is left of this one. */
int parts_begin(const char *parts, struct durable_file *beside, char folder[PARTS_PATH], struct error *e);
int parts_commit(const char *parts, struct durable_file *beside, char folder[PARTS_PATH], struct error *e);
/* Remove a run's folder, the skeleton first. */
int parts_remove(const char *parts, const char *folder, struct error *e);

#endif
