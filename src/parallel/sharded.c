/* Rows that all ranks need, and sums that add the parts of all ranks in one order, while the caller computes. */
#include "parallel/sharded.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "parallel/comm.h"

struct team_share {
    MPI_Comm comm;
    int rank, size, *count, *at;
    MPI_Request request;
};

struct team_share *team_share_create(struct team *t)
{
    struct team_share *s = memory_array(struct team_share, 1, "row sharing");
    *s = (struct team_share){.comm = team_comm(t), .rank = team_rank(t), .size = team_size(t), .request = MPI_REQUEST_NULL};
    s->count = memory_array(int, s->size, "row sharing");
    s->at = memory_array(int, s->size, "row sharing");
    return s;
}

void team_share_destroy(struct team_share *s)
{
    if (!s) return;
    memory_free_all(s->count, s->at, s);
}

void team_share_begin(struct team_share *s, float *table, const int64_t *first)
{
    if (s->size == 1) return;
    require(first[s->size] <= INT32_MAX);
    for (int r = 0; r < s->size; r++) s->at[r] = (int)first[r], s->count[r] = (int)(first[r + 1] - first[r]);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, table, s->count, s->at, MPI_FLOAT, s->comm, &s->request);
}

void team_share_finish(struct team_share *s)
{
    if (s->size > 1) MPI_Wait(&s->request, MPI_STATUS_IGNORE);
}

struct team_sum {
    MPI_Comm comm;
    int rank, size, parts, *part_first;
    size_t most, mine, offset; /* floats I want now, and where they begin in a part */
    float *inbox;              /* [parts of others, most] */
    const float **source;      /* [parts] where each part of my floats lies */
    MPI_Request *request;
    int requests;
};

struct team_sum *team_sum_create(struct team *t, int parts, const int *part_first, size_t most)
{
    struct team_sum *s = memory_array(struct team_sum, 1, "ordered sum");
    *s = (struct team_sum){.comm = team_comm(t), .rank = team_rank(t), .size = team_size(t), .parts = parts, .most = most};
    s->part_first = memory_array(int, s->size + 1, "ordered sum");
    memcpy(s->part_first, part_first, sizeof(int) * (size_t)(s->size + 1));
    int own = part_first[s->rank + 1] - part_first[s->rank];
    s->inbox = memory_array(float, (size_t)(parts - own) * most, "ordered sum");
    s->source = memory_array(const float *, parts, "ordered sum");
    s->request = memory_array(MPI_Request, (size_t)(parts - own) + (size_t)own * (size_t)s->size, "ordered sum");
    return s;
}

void team_sum_destroy(struct team_sum *s)
{
    if (!s) return;
    memory_free_all(s->part_first, s->inbox, s->source, s->request, s);
}

void team_sum_begin(struct team_sum *s, const int64_t *first, float *const *own)
{
    int me = s->rank, foreign = 0;
    s->mine = (size_t)(first[me + 1] - first[me]);
    s->requests = 0;
    require(s->mine <= s->most && first[s->size] <= INT32_MAX);
    for (int r = 0; r < s->size; r++)
        for (int p = s->part_first[r]; p < s->part_first[r + 1]; p++) {
            if (r == me) {
                s->source[p] = own[p - s->part_first[me]] + first[me];
                continue;
            }
            float *to = s->inbox + (size_t)foreign++ * s->most;
            s->source[p] = to;
            if (s->mine) MPI_Irecv(to, (int)s->mine, MPI_FLOAT, r, p, s->comm, &s->request[s->requests++]);
        }
    for (int step = 1; step < s->size; step++) {
        int r = (me + step) % s->size, n = (int)(first[r + 1] - first[r]);
        for (int p = s->part_first[me]; n && p < s->part_first[me + 1]; p++)
            MPI_Isend(own[p - s->part_first[me]] + first[r], n, MPI_FLOAT, r, p, s->comm, &s->request[s->requests++]);
    }
}

void team_sum_finish(struct team_sum *s, float *out)
{
    MPI_Waitall(s->requests, s->request, MPI_STATUSES_IGNORE);
    for (int p = 0; p < s->parts; p++)
        for (size_t i = 0; i < s->mine; i++) out[i] += s->source[p][i];
}
