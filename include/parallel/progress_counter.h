/* How far all ranks are, for the progress line of rank 0. */
#ifndef PARALLEL_PROGRESS_COUNTER_H
#define PARALLEL_PROGRESS_COUNTER_H

#include "parallel/team.h"

/* How far every rank is, for rank 0's progress line. progress_counter_put: not collective, cheap, sends at most one small message every two
 * seconds. progress_counter_read (rank 0): rows done by all, and the rank whose own share is least done (share in [0, 1]). */
void progress_counter_open(struct team *world);
void progress_counter_put(long done, long mine);
void progress_counter_read(long *done, int *slowest, double *share);
void progress_counter_close(void); /* collective */

#endif
