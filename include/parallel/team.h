/* Teams of ranks. The world is a team; a study splits it into smaller ones. This header knows no MPI: models and the
 * rolling driver see ranks, ordered sums and agreement only. Functions marked (collective) are called by every rank of
 * the team in the same order. */
#ifndef PARALLEL_TEAM_H
#define PARALLEL_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct team;

/* Start MPI if it is not running, make die() end every rank and rank 0 the one that speaks. Collective over all. */
struct team *world_open(int *argc, char ***argv);
/* Free the world and stop MPI. Collective. */
void world_close(struct team *world);

const char *team_library(void); /* "Open MPI v4.1.4, ..."; static storage */

int team_rank(const struct team *t);
int team_size(const struct team *t);

/* Ranks of this team on this rank's host (shared memory), this one included (collective). */
int team_ranks_on_host(struct team *t);

/* Ranks with the same color form a team, ordered by their rank here (collective). color < 0: no team, returns NULL. */
struct team *team_split(struct team *t, int color);
void team_close(struct team *t); /* collective */

void team_barrier(struct team *t);                                       /* collective */
void team_broadcast(struct team *t, void *data, size_t bytes, int root); /* collective, any size */
/* A string that only root has: returns a copy on every rank (memory_free). collective */
char *team_broadcast_text(struct team *t, const char *text, int root);
/* n texts that rank 0 has, in one message, for they may be very many: on rank 0 `texts` itself, on the others a copy (memory_free, and of each).
 * collective */
char **team_broadcast_texts(struct team *t, char **texts, int n);

/* Every rank gets the error of the lowest rank that has one; returns 0 if none has, -1 otherwise (collective). After
 * it all ranks take the same branch. */
int team_agree(struct team *t, struct error *e);

/* Reductions over ranks; in place; results the same on every rank (collective). */
void team_sum_long(struct team *t, int64_t *values, size_t n);
void team_max_double(struct team *t, double *values, size_t n);
void team_or_bytes(struct team *t, uint8_t *values, size_t n); /* bitwise or, e.g. of done flags */

/* recv[r * bytes ..] = rank r's send, on every rank (collective). For small records only. */
void team_all_gather(struct team *t, const void *send, size_t bytes, void *recv);

/* Rank r's `bytes[r]` bytes one after the other at root (collective); recv is NULL elsewhere. `bytes` known on all ranks. */
void team_gather_bytes(struct team *t, const void *send, const size_t *bytes, void *recv, int root);

/* A table of fixed-size rows of which each rank owns a contiguous part; every rank fetches a contiguous part that it
 * needs. own_first[r] .. own_first[r+1]-1 are rank r's rows (size+1 entries, same on every rank);
 * need[2r], need[2r+1] is the half-open range rank r needs (may be empty). own: my rows; out: my needed rows.
 * Only ranks with something to say to each other exchange messages (collective). */
void team_fetch_rows(struct team *t, size_t row_bytes, const int64_t *own_first, const void *own, const int64_t *need,
                     void *out);

/* Wait until every rank has come here, yielding the processor and calling `idle` (may be NULL) about every 50 ms;
 * returns the largest of the values given (collective). */
int team_wait_max(struct team *t, int value, void (*idle)(void *), void *context);

#endif
