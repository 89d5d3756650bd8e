/* Work that ranks take when they are free: a counter and a measured cost per kind of task, kept on rank 0 and reached one-sidedly
 * (MPI-3 RMA), so that nobody waits for anybody. */
#ifndef PARALLEL_PICK_H
#define PARALLEL_PICK_H

#include "parallel/team.h"

struct team_pick;
struct team_pick *team_pick_open(struct team *world, int kinds); /* collective */
void team_pick_close(struct team_pick *p);                       /* collective */
/* The number of the next task of this kind, from 0: every task is given once. */
int64_t team_pick_take(struct team_pick *p, int kind);
/* Seconds that `tasks` tasks of this kind have taken. */
void team_pick_report(struct team_pick *p, int kind, double seconds, double tasks);
/* taken [kinds] so far; seconds [kinds] a task on average, 0 where none is known. */
void team_pick_look(struct team_pick *p, int64_t *taken, double *seconds);

#endif
