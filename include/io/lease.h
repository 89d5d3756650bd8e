/* One run at a time on one results path, one writer at a time of a panel. RESULTS.lock (PANEL.lock) names its holder (host, process,
 * job, start) and carries a count that the holder raises every LEASE_BEAT seconds, so it survives crashes without blocking for ever.
 * Another run is refused while the holder lives. It takes the lock over
 *   at once                  if the holder ran on this very host (name, boot, process namespace) and its process is gone;
 *   after LEASE_PATIENCE     seconds without a beat otherwise, by the contender's own clock: hosts' clocks may differ.
 * A holder that finds the lock taken over (its host was cut off, or it was stopped for long) ends at once with status 1 and writes
 * nothing more. Part logs of different starts never share a file (io/parts.h), so a late record cannot harm. Works on any POSIX file
 * system, NFS included (link and rename are atomic; nothing rests on flock). */
#ifndef IO_LEASE_H
#define IO_LEASE_H

#include <stdbool.h>

#include "base/error.h"

enum { LEASE_BEAT = 4, LEASE_PATIENCE = 20, LEASE_TOKEN = 40 };

/* Rank 0: take RESULTS.lock; 0, or -1 and *e naming the holder. May wait LEASE_PATIENCE + 2 s. token [LEASE_TOKEN] names this lease. */
int lease_take(const char *results, char *token, struct error *e);
/* Begin to beat (holder) or to look (one rank of every other host): from a thread, until lease_release. */
void lease_monitor(const char *results, const char *token, bool holder);
/* One beat or look, as the thread does it: 1 done, 0 the file system did not do it, -1 the lock is another's. `count` must grow. */
int lease_beat(const char *results, const char *token, bool holder, unsigned long long count);
/* Beats or looks that the file system has answered so far: grows while it answers. Any thread. */
long lease_beats(void);
/* The holder, now: still ours? 0, or -1 and *e. Before something that cannot be taken back. */
int lease_check(const char *results, const char *token, struct error *e);
/* End the thread; the holder removes the lock if it is still its own. */
void lease_release(const char *results, const char *token, bool holder);

#endif
