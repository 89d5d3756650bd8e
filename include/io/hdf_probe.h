/* Files from elsewhere are tried in a child process first: libhdf5 loops or crashes on some damaged or hostile files, and neither a
 * watchdog nor SIGTERM ends a loop inside it. hdf_open does this by itself for every file, once, where a program has named itself;
 * on a team's file rank 0 alone does it and the others wait for its verdict. What the child reads, and why that is enough, is argued in io/hdf_probe_child.c. */
#ifndef IO_HDF_PROBE_H
#define IO_HDF_PROBE_H

#include "base/error.h"

enum {
    PROBE_SECONDS = 5
}; /* of processor time for a file's structure; unpacking adds to it; wall time: twelve times that */
#define PROBE_COMMAND "probe-file"

/* The program that answers `PROGRAM probe-file FILE` by hdf_probe_child. Until it is named files are opened unprobed (tests, tools).
 * program: kept, not copied. */
void hdf_probe_by(const char *program);

/* Try the file at path in a child unless it was tried or trusted before and has not changed since. -1: refused, *e says why. Not
 * collective. The child's environment holds nothing of MPI's. */
int hdf_probe(const char *path, struct error *e);
/* Another rank has tried this file, or this process has written it. */
void hdf_probe_trust(const char *path);

/* The child: prints the reason of a refusal to stdout. Does not return. */
int hdf_probe_child(const char *path);

#endif
