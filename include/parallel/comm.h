/* The MPI side of a team, for the one other place that must hand a communicator to a library: io/hdf.c. */
#ifndef PARALLEL_COMM_H
#define PARALLEL_COMM_H
#include <mpi.h>
#include "parallel/team.h"
MPI_Comm team_comm(const struct team *t);
#endif
