/* Rows of fixed size collected by period in any order and taken out a period at a time. Up to a limit they stay in memory,
 * beyond it in a temporary file that has no name, so that it never survives. One rank's own. */
#ifndef INGEST_ROW_STORE_H
#define INGEST_ROW_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct row_store;

/* Keys first_key .. first_key + keys - 1 name periods. Full chunks beyond `memory` bytes go to a file in the folder of
 * `beside`. A chunk that is being filled (at most 64 kB, one per period) is always in memory. */
struct row_store *row_store_create(size_t row_bytes, int first_key, int keys, size_t memory, const char *beside);
void row_store_free(struct row_store *s);

int row_store_add(struct row_store *s, int key, const void *row, struct error *e);
int64_t row_store_rows(const struct row_store *s, int key);
/* All rows of a period, in the order they came, into out [rows * row_bytes]. */
int row_store_load(struct row_store *s, int key, void *out, struct error *e);
int64_t row_store_spilled(const struct row_store *s); /* bytes in the file */

#endif
