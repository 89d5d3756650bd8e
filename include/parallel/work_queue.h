/* Work that ranks take when they are free: a counter and a measured cost per kind of task, kept on rank 0 and reached one-sidedly
 * (MPI-3 RMA), so that nobody waits for anybody. */
#ifndef PARALLEL_WORK_QUEUE_H
#define PARALLEL_WORK_QUEUE_H

#include "parallel/team.h"

struct work_queue;
struct work_queue *work_queue_open(struct team *world, int kinds); /* collective */
void work_queue_close(struct work_queue *p);                       /* collective */
/* The number of the next task of this kind, from 0: every task is given once. */
int64_t work_queue_take(struct work_queue *p, int kind);
/* Seconds that `tasks` tasks of this kind have taken. */
void work_queue_report(struct work_queue *p, int kind, double seconds, double tasks);
/* taken [kinds] so far; seconds [kinds] a task on average, 0 where none is known. */
void work_queue_look(struct work_queue *p, int64_t *taken, double *seconds);

#endif
