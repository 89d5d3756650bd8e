/* The one place that talks to HDF5. Small checked calls: every function returns 0, or -1 with *e saying file, dataset, what
 * was found and what is needed. Files are written beside their place, closed, synced and renamed (io/durable_file.h): a
 * file that exists is whole. Types are given as enum; shapes as up to 5 dimensions (rank 0: a scalar). */
#ifndef IO_HDF_H
#define IO_HDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "parallel/team.h"

enum { HDF_DIMENSIONS = 5 };
enum hdf_type { HDF_INT8, HDF_UINT8, HDF_INT32, HDF_INT64, HDF_FLOAT32, HDF_FLOAT64 };

struct hdf; /* an open file */

/* Reading. team NULL: this rank alone; otherwise all ranks open it together, each for itself
 * (collective: all or none has it; rank 0 alone tries it first). A missing, truncated, foreign or damaged file is an error that says which
 * (io/hdf_probe.h). On a team's file whatever looks
 * something up is collective: hdf_exists, hdf_shape, hdf_list, texts, attributes, and the first use of a dataset (it then stays
 * open); reading and writing parts of a dataset that was used before is independent. */
struct hdf *hdf_open(const char *path, struct team *team, struct error *e);
/* Writing: creates a temporary beside PATH (and the parent directory). team as above (collective). Text and attributes
 * of a team's file are kept by rank 0 and written when it is closed: MPI-IO has no text of variable length. */
struct hdf *hdf_create(const char *path, struct team *team, struct error *e);
/* Reading and writing an existing temporary of our own (no rename on close): results under way. */
struct hdf *hdf_edit(const char *path, struct error *e);
const char *hdf_path(const struct hdf *f);
/* Close; a created file is synced and renamed into its place unless *e already holds an error, in which case it is
 * removed. Frees f. Collective if opened so. Returns -1 and fills e on failure (full disk shows here too). */
int hdf_close(struct hdf *f, struct error *e);
/* Whether HDF5 failed to close a file here. HDF5 1.10 then holds half of it and crashes when the library ends (in MPI_Finalize): such a
 * process ends with _exit. */
bool hdf_wrecked(void);

bool hdf_exists(struct hdf *f,
                const char *name); /* dataset or group, path from root; closing the file says if that cannot be read */
/* Shape of a dataset; checks that it is of a type convertible to `type` (float kinds for floats, integers for integers). The product of
 * its sizes neither overflows nor exceeds what the file can hold, so room for it may be made. */
int hdf_shape(struct hdf *f, const char *name, enum hdf_type type, int *rank, int64_t size[HDF_DIMENSIONS], struct error *e);
/* Its sizes must be size[0 .. rank-1]; those below 0 are free, and are filled in. why (may be NULL): said where they are not. */
int hdf_fits(struct hdf *f, const char *name, enum hdf_type type, int rank, int64_t *size, const char *why, struct error *e);
/* The whole of a dataset that fits; memory_free. NULL with *e. */
void *hdf_load(struct hdf *f, const char *name, enum hdf_type type, int rank, int64_t *size, const char *why,
               struct error *e);
/* Read all of it / `count` entries along dimension 0 from `first`, converted to `type`. */
int hdf_read(struct hdf *f, const char *name, enum hdf_type type, void *out, struct error *e);
int hdf_read_part(struct hdf *f, const char *name, enum hdf_type type, int64_t first, int64_t count, void *out,
                  struct error *e);

/* Create a dataset (parent groups as needed). chunk_rows 0: contiguous, its room on the disk reserved at once, so that a full
 * disk shows here; > 0: chunked along dimension 0 and deflated (not on a team's file). Collective if opened so. `fill` (may be NULL) points to a value of that type for entries never written. */
int hdf_dataset(struct hdf *f, const char *name, enum hdf_type type, int rank, const int64_t *size, int64_t chunk_rows,
                const void *fill, struct error *e);
int hdf_write_part(struct hdf *f, const char *name, enum hdf_type type, int64_t first, int64_t count, const void *data,
                   struct error *e); /* independent: any rank */
/* Create and write whole. On a team file every rank creates and rank 0 writes (collective). */
int hdf_write(struct hdf *f, const char *name, enum hdf_type type, int rank, const int64_t *size, const void *data,
              struct error *e);

int hdf_write_texts(struct hdf *f, const char *name, int n, char *const *texts,
                    struct error *e);                                                        /* UTF-8, variable length */
int hdf_read_texts(struct hdf *f, const char *name, int *n, char ***texts, struct error *e); /* texts_free */
void texts_free(int n, char **texts);

/* What a dataset is, kept with it: unit, meaning, and a name for each of its 1 to 5 dimensions, in the attribute HDF_DIMENSION_NAMES and
 * as HDF5 dimension scales, which netCDF and xarray read. A one-dimensional dataset described by its own name gives the coordinates
 * of that dimension; others take the scale of that name and size in their group or the nearest above it, and where there is none, one
 * without coordinates is made in their group (at the root for a name that begins with '/'). Collective if opened so. */
#define HDF_DIMENSION_NAMES "DIMENSION_LABELS"
int hdf_describe(struct hdf *f, const char *name, const char *unit, const char *meaning, int rank,
                 const char *const *dimensions, struct error *e);
/* From now on f gets the names alone: for a file that only this program reads, where scales would cost time. */
void hdf_without_scales(struct hdf *f);
/* Formation dates (YYYYMMDD or YYYYMMDDhhmm) as time by the CF conventions, days or minutes since 1970-01-01: the coordinates of the
 * dimension called like the dataset. */
int hdf_write_dates(struct hdf *f, const char *name, int n, const int64_t *dates, struct error *e);

/* Attributes of the object at `where` ("/" for the root). */
int hdf_put_text(struct hdf *f, const char *where, const char *name, const char *text, struct error *e);
int hdf_put_int(struct hdf *f, const char *where, const char *name, int64_t value, struct error *e);
int hdf_put_real(struct hdf *f, const char *where, const char *name, double value, struct error *e);
/* An integer where value is whole, otherwise a real. */
int hdf_put_number(struct hdf *f, const char *where, const char *name, double value, struct error *e);
int hdf_put_texts(struct hdf *f, const char *where, const char *name, int n, char *const *texts, struct error *e);
bool hdf_has_attribute(struct hdf *f, const char *where, const char *name);
int hdf_get_text(struct hdf *f, const char *where, const char *name, char **text, struct error *e); /* memory_free */
int hdf_get_int(struct hdf *f, const char *where, const char *name, int64_t *value, struct error *e);
int hdf_get_real(struct hdf *f, const char *where, const char *name, double *value, struct error *e); /* of integers too */
int hdf_get_texts(struct hdf *f, const char *where, const char *name, int *n, char ***texts, struct error *e);

/* Names of the members of a group, in name order (texts_free). */
int hdf_list(struct hdf *f, const char *group, int *n, char ***names, struct error *e);

const char *hdf_library(void); /* "HDF5 1.10.8"; static storage */

/* What aipm_format says of the file at path (memory_free); NULL: e says why not. */
char *hdf_format(const char *path, struct error *e);
/* Check aipm_format and format_version: refuses another format and versions from the future by name. */
int hdf_check_format(struct hdf *f, const char *format, int newest, struct error *e);

#endif
