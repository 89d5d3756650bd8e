/* Saved parameters of a fitted network, one HDF5 file per fit: RESULTS.parameters/UNIVERSE/NAME/seed=S/DATE.h5 with a float32
 * dataset per tensor (README, Files); and raw states of fits under way, for checkpoints. */
#ifndef IO_PARAMETERS_FILE_H
#define IO_PARAMETERS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "nn/network.h"

/* "FOLDER/UNIVERSE/NAME/seed=S" (memory_free). */
char *parameters_folder(const char *folder, const char *universe, const char *name, int seed);
/* Write FOLDER/DATE.h5 (whole or not at all). One rank. */
int parameters_save(const char *folder, int64_t date, const struct network *n, struct error *e);
/* Read the file of the latest date that is not after `date`; *found is that date. Shapes must be the network's. One rank or each. */
int parameters_load(const char *folder, int64_t date, struct network *n, int64_t *found, struct error *e);

/* bytes of `data` to PATH with a checksum, synced and renamed into place. */
int state_write(const char *path, const void *data, size_t bytes, struct error *e);
/* What state_write left there (memory_free); NULL if there is none, or it is damaged. */
void *state_read(const char *path, size_t *bytes);

#endif
