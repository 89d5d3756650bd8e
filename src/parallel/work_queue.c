/* The work queue's counters, kept on rank 0 and reached by one-sided MPI. */
#include "parallel/work_queue.h"

#include "base/memory.h"
#include "parallel/comm.h"

/* The window on rank 0: [kinds] taken, [kinds] seconds, [kinds] tasks measured, all doubles (exact up to 2^53). */
struct work_queue {
    MPI_Win window;
    int kinds;
    double *copy;
};

struct work_queue *work_queue_open(struct team *world, int kinds)
{
    struct work_queue *p = memory_array(struct work_queue, 1, "task counters");
    double *base;
    int count = team_rank(world) == 0 ? 3 * kinds : 0;
    p->kinds = kinds;
    p->copy = memory_array(double, 3 * (size_t)kinds, "task counters");
    MPI_Win_allocate((MPI_Aint)count * (MPI_Aint)sizeof(double), sizeof(double), MPI_INFO_NULL, team_comm(world), &base,
                     &p->window);
    MPI_Win_lock_all(0, p->window);
    for (int i = 0; i < count; i++) base[i] = 0;
    MPI_Win_sync(p->window);
    team_barrier(world);
    return p;
}

void work_queue_close(struct work_queue *p)
{
    MPI_Win_unlock_all(p->window);
    MPI_Win_free(&p->window);
    memory_free(p->copy);
    memory_free(p);
}

int64_t work_queue_take(struct work_queue *p, int kind)
{
    double one = 1, was;
    MPI_Fetch_and_op(&one, &was, MPI_DOUBLE, 0, kind, MPI_SUM, p->window);
    MPI_Win_flush(0, p->window);
    return (int64_t)was;
}

void work_queue_report(struct work_queue *p, int kind, double seconds, double tasks)
{
    MPI_Accumulate(&seconds, 1, MPI_DOUBLE, 0, p->kinds + kind, 1, MPI_DOUBLE, MPI_SUM, p->window);
    MPI_Accumulate(&tasks, 1, MPI_DOUBLE, 0, 2 * p->kinds + kind, 1, MPI_DOUBLE, MPI_SUM, p->window);
    MPI_Win_flush(0, p->window);
}

void work_queue_look(struct work_queue *p, int64_t *taken, double *seconds)
{
    int n = 3 * p->kinds;
    double nothing = 0;
    MPI_Get_accumulate(&nothing, 0, MPI_DOUBLE, p->copy, n, MPI_DOUBLE, 0, 0, n, MPI_DOUBLE, MPI_NO_OP, p->window);
    MPI_Win_flush(0, p->window);
    for (int k = 0; k < p->kinds; k++) {
        taken[k] = (int64_t)p->copy[k];
        seconds[k] = p->copy[2 * p->kinds + k] > 0 ? p->copy[p->kinds + k] / p->copy[2 * p->kinds + k] : 0;
    }
}
