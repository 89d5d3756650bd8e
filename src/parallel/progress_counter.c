/* Progress of all ranks at rank 0: small one-way messages, drained when rank 0 looks. */
#include "parallel/progress_counter.h"

#include <mpi.h>

#include "base/log.h"
#include "base/memory.h"
#include "parallel/comm.h"

enum { TAG = 3 };
static MPI_Comm comm = MPI_COMM_NULL;
static MPI_Request pending = MPI_REQUEST_NULL;
static long message[2];
static double last;
static int rank, size;
static long (*state)[2]; /* rank 0: {done, mine} of every rank */

void progress_counter_open(struct team *world)
{
    MPI_Comm_dup(team_comm(world), &comm);
    rank = team_rank(world);
    size = team_size(world);
    last = 0;
    if (rank == 0) state = memory_allocate((size_t)size, sizeof *state, "progress of every rank");
}

void progress_counter_put(long done, long mine)
{
    if (rank == 0) {
        state[0][0] = done;
        state[0][1] = mine;
        return;
    }
    int free_now;
    if (clock_seconds() - last < 2 && done < mine) return;
    MPI_Test(&pending, &free_now, MPI_STATUS_IGNORE);
    if (!free_now) return;
    last = clock_seconds();
    message[0] = done;
    message[1] = mine;
    MPI_Isend(message, 2, MPI_LONG, 0, TAG, comm, &pending);
}

static void drain(void)
{
    for (;;) {
        int there;
        MPI_Status s;
        long m[2];
        MPI_Iprobe(MPI_ANY_SOURCE, TAG, comm, &there, &s);
        if (!there) return;
        MPI_Recv(m, 2, MPI_LONG, s.MPI_SOURCE, TAG, comm, MPI_STATUS_IGNORE);
        state[s.MPI_SOURCE][0] = m[0];
        state[s.MPI_SOURCE][1] = m[1];
    }
}

void progress_counter_read(long *done, int *slowest, double *share)
{
    drain();
    *done = 0;
    *slowest = 0;
    *share = 2;
    for (int r = 0; r < size; r++) {
        *done += state[r][0];
        double s = state[r][1] ? (double)state[r][0] / (double)state[r][1] : 1;
        if (s < *share) *share = s, *slowest = r;
    }
}

void progress_counter_close(void)
{
    MPI_Wait(&pending, MPI_STATUS_IGNORE); /* two longs are sent eagerly: this does not wait for rank 0 */
    MPI_Barrier(comm);
    if (rank == 0) drain();
    memory_free(state);
    state = NULL;
    MPI_Comm_free(&comm);
}
