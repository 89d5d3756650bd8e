/* A job whose rank falls silent ends by itself: MPI waits for ever for a stopped process, and TCP for many minutes for a lost host.
 * Every rank tells its right neighbour once a second, by UDP from a thread of its own (long fits do not delay it, MPI is not involved),
 * that it lives; a rank that has not heard its left neighbour for the stated time ends, and tells the others as it goes, so that ranks
 * on a host that was cut off end too. Silence is counted in the listener's own running time: a job suspended as a whole and continued
 * does not fire. A neighbour never heard (no UDP between the hosts) is not watched; that is said once. */
#ifndef PARALLEL_WATCHDOG_H
#define PARALLEL_WATCHDOG_H

#include <stdbool.h>

#include "parallel/team.h"

struct watchdog_options {
    double seconds; /* silence that ends the job; 0: no watchdog */
    long (*beats)(
        void); /* a count that grows while the results' file system answers; looked at on one rank per host; NULL: none */
    const char *what; /* the results path, for messages; kept by reference */
};

/* Who leads on each host: true on the lowest rank of every host (collective). Hosts are told apart by name, boot and network. */
bool watchdog_leads_host(struct team *world);
/* Collective. */
void watchdog_open(struct team *world, const struct watchdog_options *o);
void watchdog_close(struct team *world);

#endif
