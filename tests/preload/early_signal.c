/* LD_PRELOAD: MPI_Init_thread of rank SIGNAL_RANK raises signal SIGNAL_NUMBER as it begins and again as it ends: what a request to stop
 * meets that comes while a job starts. */
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void raise_here(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *chosen = getenv("SIGNAL_RANK"), *number = getenv("SIGNAL_NUMBER");
    if (chosen && number && !strcmp(rank ? rank : "0", chosen)) raise(atoi(number));
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    raise_here();
    int rc = PMPI_Init_thread(argc, argv, required, provided);
    raise_here();
    return rc;
}
