/* Records of any length from every rank to every rank. */
#include "parallel/exchange.h"

#include "base/memory.h"
#include "parallel/comm.h"

size_t team_exchange(struct team *t, void *const *send, const size_t *bytes, char **recv, size_t *capacity)
{
    enum { TAG = 9 };
    int me = team_rank(t), size = team_size(t), requests = 0;
    if (size == 1) return 0;
    MPI_Comm comm = team_comm(t);
    int *out = memory_array(int, 2 * (size_t)size, "counts of an exchange"), *in = out + size;
    MPI_Request *request = memory_array(MPI_Request, 2 * (size_t)size, "requests of an exchange");
    for (int r = 0; r < size; r++) {
        require(bytes[r] <= INT32_MAX || r == me);
        out[r] = r == me ? 0 : (int)bytes[r];
    }
    MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, comm);
    size_t total = 0, at = 0;
    for (int r = 0; r < size; r++) total += (size_t)in[r];
    if (total > *capacity) {
        memory_free(*recv);
        *capacity = total + total / 2;
        *recv = memory_array(char, *capacity, "records from other ranks");
    }
    for (int r = 0; r < size; at += (size_t)in[r++])
        if (in[r]) MPI_Irecv(*recv + at, in[r], MPI_BYTE, r, TAG, comm, &request[requests++]);
    for (int step = 1; step < size; step++) {
        int r = (me + step) % size;
        if (out[r]) MPI_Isend(send[r], out[r], MPI_BYTE, r, TAG, comm, &request[requests++]);
    }
    MPI_Waitall(requests, request, MPI_STATUSES_IGNORE);
    memory_free(request);
    memory_free(out);
    return total;
}
