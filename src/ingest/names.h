/* Text identifiers: while rows are read a name is its 64-bit hash; at the end all ranks number the names in byte order. */
#ifndef INGEST_NAMES_H
#define INGEST_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "parallel/team.h"

struct names;
struct names *names_create(void);
void names_free(struct names *n);
/* Hash of a name of 1 .. 255 bytes, which is remembered. Two names of one hash are an error (n^2 / 2^65 of files have them). */
int names_add(struct names *n, const char *text, size_t length, int64_t *hash, struct error *e);
/* Join the names of all ranks: afterwards every rank has all of them, numbered 1 .. count in byte order (collective). */
int names_join(struct names *n, struct team *team, struct error *e);
int names_count(const struct names *n);
char *const *names_sorted(const struct names *n);          /* [count] names_join's order */
int64_t names_number(const struct names *n, int64_t hash); /* after names_join */

#endif
