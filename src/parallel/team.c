/* Teams over MPI communicators: start, split, sums in rank order, agreement, and waits that leave the processor to others. */
#include "parallel/team.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "parallel/comm.h"

struct team {
    MPI_Comm comm;
    int rank, size;
};

/* MPI's default error handler ends all ranks; what returns has succeeded. Counts are int: larger messages go in pieces. */
enum { PIECE = 1 << 30 };

static void abort_all(int status)
{
    MPI_Abort(MPI_COMM_WORLD, status);
    abort();
}

static struct team *team_new(MPI_Comm comm)
{
    struct team *t = memory_array(struct team, 1, "team");
    t->comm = comm;
    MPI_Comm_rank(comm, &t->rank);
    MPI_Comm_size(comm, &t->size);
    return t;
}

struct team *world_open(int *argc, char ***argv)
{
    int up, provided;
    MPI_Initialized(&up);
    if (!up) MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm comm;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    struct team *world = team_new(comm);
    log_set_speaker(world->rank == 0);
    if (world->size > 1) die_set_hook(abort_all);
    return world;
}

void world_close(struct team *world)
{
    team_close(world);
    MPI_Finalize();
    die_set_hook(NULL);
}

const char *team_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int n;
    MPI_Get_library_version(text, &n);
    text[strcspn(text, ",\n")] = '\0'; /* what follows is who built it and where */
    return text;
}

int team_rank(const struct team *t)
{
    return t->rank;
}
int team_size(const struct team *t)
{
    return t->size;
}
MPI_Comm team_comm(const struct team *t)
{
    return t->comm;
}

int team_ranks_on_host(struct team *t)
{
    MPI_Comm host;
    int n;
    MPI_Comm_split_type(t->comm, MPI_COMM_TYPE_SHARED, t->rank, MPI_INFO_NULL, &host);
    MPI_Comm_size(host, &n);
    MPI_Comm_free(&host);
    return n;
}

struct team *team_split(struct team *t, int color)
{
    MPI_Comm part;
    MPI_Comm_split(t->comm, color < 0 ? MPI_UNDEFINED : color, t->rank, &part);
    return part == MPI_COMM_NULL ? NULL : team_new(part);
}

void team_close(struct team *t)
{
    if (!t) return;
    MPI_Comm_free(&t->comm);
    memory_free(t);
}

void team_barrier(struct team *t)
{
    MPI_Barrier(t->comm);
}

void team_broadcast(struct team *t, void *data, size_t bytes, int root)
{
    for (size_t at = 0; at < bytes; at += PIECE)
        MPI_Bcast((char *)data + at, (int)(bytes - at < PIECE ? bytes - at : PIECE), MPI_BYTE, root, t->comm);
}

char *team_broadcast_text(struct team *t, const char *text, int root)
{
    size_t n = t->rank == root ? strlen(text) + 1 : 0;
    team_broadcast(t, &n, sizeof n, root);
    char *copy = memory_allocate(n, 1, "text");
    if (t->rank == root) memcpy(copy, text, n);
    team_broadcast(t, copy, n, root);
    return copy;
}

char **team_broadcast_texts(struct team *t, char **texts, int n)
{
    bool root = t->rank == 0;
    size_t bytes = 0;
    for (int i = 0; root && i < n; i++) bytes += strlen(texts[i]) + 1;
    team_broadcast(t, &bytes, sizeof bytes, 0);
    char *all = memory_array(char, bytes, "texts"), *at = all;
    for (int i = 0; root && i < n; i++) at = stpcpy(at, texts[i]) + 1;
    team_broadcast(t, all, bytes, 0);
    if (!root) texts = memory_array(char *, n, "texts");
    for (int i = 0; !root && i < n; i++, at += strlen(at) + 1) texts[i] = memory_text(at);
    memory_free(all);
    return texts;
}

int team_agree(struct team *t, struct error *e)
{
    int first = error_is_set(e) ? t->rank : t->size;
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, t->comm);
    if (first == t->size) return 0;
    team_broadcast(t, e->text, sizeof e->text, first);
    return -1;
}

void team_sum_long(struct team *t, int64_t *values, size_t n)
{
    require(n <= INT32_MAX);
    MPI_Allreduce(MPI_IN_PLACE, values, (int)n, MPI_INT64_T, MPI_SUM, t->comm);
}

void team_max_double(struct team *t, double *values, size_t n)
{
    require(n <= INT32_MAX);
    MPI_Allreduce(MPI_IN_PLACE, values, (int)n, MPI_DOUBLE, MPI_MAX, t->comm);
}

void team_or_bytes(struct team *t, uint8_t *values, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE)
        MPI_Allreduce(MPI_IN_PLACE, values + at, (int)(n - at < PIECE ? n - at : PIECE), MPI_UINT8_T, MPI_BOR, t->comm);
}

void team_all_gather(struct team *t, const void *send, size_t bytes, void *recv)
{
    require(bytes <= INT32_MAX);
    MPI_Allgather(send, (int)bytes, MPI_BYTE, recv, (int)bytes, MPI_BYTE, t->comm);
}

void team_gather_bytes(struct team *t, const void *send, const size_t *bytes, void *recv, int root)
{
    enum { TAG = 7 };
    if (t->rank != root) {
        for (size_t at = 0; at < bytes[t->rank]; at += PIECE)
            MPI_Send((const char *)send + at, (int)(bytes[t->rank] - at < PIECE ? bytes[t->rank] - at : PIECE), MPI_BYTE,
                     root, TAG, t->comm);
        return;
    }
    char *to = recv;
    for (int r = 0; r < t->size; to += bytes[r++]) {
        if (r == root) {
            memcpy(to, send, bytes[r]);
            continue;
        }
        for (size_t at = 0; at < bytes[r]; at += PIECE)
            MPI_Recv(to + at, (int)(bytes[r] - at < PIECE ? bytes[r] - at : PIECE), MPI_BYTE, r, TAG, t->comm,
                     MPI_STATUS_IGNORE);
    }
}

/* Rows common to [a, b) and [c, d). */
static int64_t overlap(int64_t a, int64_t b, int64_t c, int64_t d, int64_t *from)
{
    *from = a > c ? a : c;
    int64_t to = b < d ? b : d;
    return to > *from ? to - *from : 0;
}

void team_fetch_rows(struct team *t, size_t row_bytes, const int64_t *own_first, const void *own, const int64_t *need,
                     void *out)
{
    enum { TAG = 8 };
    MPI_Datatype row;
    MPI_Type_contiguous((int)row_bytes, MPI_BYTE, &row);
    MPI_Type_commit(&row);
    int me = t->rank, requests = 0;
    MPI_Request *request = memory_array(MPI_Request, 2 * (size_t)t->size, "requests of a row exchange");
    for (int r = 0; r < t->size; r++) { /* what I need of rank r */
        int64_t from, n = overlap(own_first[r], own_first[r + 1], need[2 * me], need[2 * me + 1], &from);
        if (!n) continue;
        char *to = (char *)out + (size_t)(from - need[2 * me]) * row_bytes;
        if (r == me) memcpy(to, (const char *)own + (size_t)(from - own_first[me]) * row_bytes, (size_t)n * row_bytes);
        else MPI_Irecv(to, (int)n, row, r, TAG, t->comm, &request[requests++]);
    }
    for (int step = 1; step < t->size;
         step++) { /* the rows that rank r needs of this rank, beginning with the right neighbour */
        int r = (me + step) % t->size;
        int64_t from, n = overlap(own_first[me], own_first[me + 1], need[2 * r], need[2 * r + 1], &from);
        if (n)
            MPI_Isend((const char *)own + (size_t)(from - own_first[me]) * row_bytes, (int)n, row, r, TAG, t->comm,
                      &request[requests++]);
    }
    MPI_Waitall(requests, request, MPI_STATUSES_IGNORE);
    memory_free(request);
    MPI_Type_free(&row);
}

int team_wait_max(struct team *t, int value, void (*idle)(void *), void *context)
{
    int result, done = 0;
    MPI_Request request;
    MPI_Iallreduce(&value, &result, 1, MPI_INT, MPI_MAX, t->comm, &request);
    double last = clock_seconds();
    for (;;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done) return result;
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        if (idle && clock_seconds() - last > 0.05) {
            idle(context);
            last = clock_seconds();
        }
    }
}
