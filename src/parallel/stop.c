/* Stopping on request. A signal sets a flag; the rank that sees it tells rank 0, which tells everybody down a binary
 * tree, so that one rank's signal stops all within a poll or two even where the launcher does not forward it. */
#include "parallel/stop.h"

#include <signal.h>
#include <stddef.h>

#include "parallel/comm.h"
#include "parallel/team.h"

enum { TAG_ASK = 1, TAG_TELL = 2 };
static volatile sig_atomic_t seen;
static MPI_Comm comm = MPI_COMM_NULL;
static int rank, size, stopping, asked, depth; /* depth: installed so often */

static void on_signal(int s)
{
    seen = s;
}

void stop_listen(void)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGINT, &a, NULL);
}

void stop_install(struct team *world)
{
    if (depth++) return;
    stop_listen();
    MPI_Comm_dup(team_comm(world), &comm);
    rank = team_rank(world);
    size = team_size(world);
}

static void send_to(int r, int tag)
{
    MPI_Request q; /* a message of zero bytes is buffered by every MPI, so its request can be freed at once */
    MPI_Isend(NULL, 0, MPI_BYTE, r, tag, comm, &q);
    MPI_Request_free(&q);
}

static int arrived(int tag)
{
    int flag;
    MPI_Status s;
    MPI_Iprobe(MPI_ANY_SOURCE, tag, comm, &flag, &s);
    if (flag) MPI_Recv(NULL, 0, MPI_BYTE, s.MPI_SOURCE, tag, comm, MPI_STATUS_IGNORE);
    return flag;
}

bool stop_requested(void)
{
    if (comm == MPI_COMM_NULL) return seen;
    if (!stopping) {
        if (seen && rank && !asked) send_to(0, TAG_ASK), asked = 1;
        if ((rank == 0 && (seen || arrived(TAG_ASK))) || (rank && arrived(TAG_TELL))) {
            stopping = 1;
            for (int child = 2 * rank + 1; child <= 2 * rank + 2 && child < size; child++) send_to(child, TAG_TELL);
        }
    }
    return stopping || seen;
}

void stop_raise(void)
{
    seen = SIGUSR1;
    stop_requested();
}

void stop_close(void)
{
    if (comm == MPI_COMM_NULL || --depth) return;
    MPI_Barrier(comm); /* every message sent has arrived by now; it is received here so that none is left when MPI ends */
    while (arrived(TAG_ASK) || arrived(TAG_TELL)) continue;
    MPI_Comm_free(&comm);
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_IGN); /* it asks for what is done: a request that comes late must not kill a rank in MPI_Finalize */
    signal(SIGINT, SIG_DFL);
    seen = 0;
    stopping = asked = 0;
}

int stop_signal(void)
{
    return seen;
}
