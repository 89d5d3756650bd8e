/* Tables of floats cut into fixed parts that the ranks of a team hold, and sums over parts in part order: the answer has the
 * same bits however the parts are spread over ranks. No MPI in sight; both operations start, let the caller compute, finish. */
#ifndef PARALLEL_SHARDED_H
#define PARALLEL_SHARDED_H

#include <stddef.h>
#include <stdint.h>

#include "parallel/team.h"

/* Every rank owns floats first[r] .. first[r+1]-1 (size+1 entries, the same on all ranks) of `table` and gets the rest. */
struct team_share;
struct team_share *team_share_create(struct team *t);
void team_share_destroy(struct team_share *s);
void team_share_begin(struct team_share *s, float *table, const int64_t *first); /* collective */
void team_share_finish(struct team_share *s);                                    /* collective */

/* `parts` summands of equal length, of which rank r holds part_first[r] .. part_first[r+1]-1; every rank wants the sum of
 * floats first[r] .. first[r+1]-1 of them, taken in part order from `start` + part 0 on. */
struct team_sum;
/* most: the most floats any rank will want. part_first is copied. Workspace: (parts - own parts) * most floats. */
struct team_sum *team_sum_create(struct team *t, int parts, const int *part_first, size_t most);
void team_sum_destroy(struct team_sum *s);
/* own[i]: the i-th of my parts, unchanged until finish. collective */
void team_sum_begin(struct team_sum *s, const int64_t *first, float *const *own);
/* out [first[me+1] - first[me]] += part 0, += part 1, ... collective */
void team_sum_finish(struct team_sum *s, float *out);

#endif
