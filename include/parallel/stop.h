/* Stopping on request, on all ranks together. */
#ifndef PARALLEL_STOP_H
#define PARALLEL_STOP_H

#include "parallel/team.h"

/* Asking everybody to stop: SIGTERM, SIGUSR1 (and SIGINT) at any rank are noticed by all within one poll.
 * stop_listen: from here on a signal is kept for the polls to come rather than ending the process; needs no MPI, so that main calls
 * it before MPI starts (Open MPI 4 leaves these three signals alone).
 * stop_install: collective; listens too; within an installed one it changes nothing and ends with its own stop_close. stop_requested: not collective, cheap (a probe); call it between rows. */
void stop_listen(void);
void stop_install(struct team *world);
bool stop_requested(void);
void stop_raise(void); /* ask as if a signal had come: a rank that failed ends the others' work */
void stop_close(
    void); /* collective; SIGTERM and SIGINT end the process again, SIGUSR1 is ignored: nothing is left to stop */
int stop_signal(void); /* the signal seen here, 0 if another rank saw it */

#endif
