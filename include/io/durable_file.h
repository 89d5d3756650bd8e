/* Files and folders that survive a power cut, and files that are whole when they exist. A new file is written under a temporary name in
 * its destination's folder, forced to disk, renamed into its place, and the folder is forced to disk: at every instant, and after
 * any crash, the destination is the old file or the new one.
 *
 * The temporary name is DESTINATION.HOST-PROCESS-START-RANDOM.tmp (hexadecimal). It cannot be guessed and is created exclusively and
 * through no link, so that nothing planted beside the destination is ever written to. What a process of this host that is no more
 * has left in a folder is removed when the next file is begun there. A destination that is a symbolic link is replaced
 * itself, as mv does; what it led to stays as it was. */
#ifndef IO_DURABLE_FILE_H
#define IO_DURABLE_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "parallel/team.h"

struct durable_file {
    char *path, *temporary; /* NULL: nothing in hand */
    int fd;      /* open for reading and writing; -1 once the writer has closed it to open the temporary by name */
    bool joined; /* begun by another rank, whose it is */
    bool folder;
};

/* Create the temporary, registered for cleanup. Refuses a destination that is a folder, a device or a pipe. */
int durable_begin(struct durable_file *f, const char *path, struct error *e);
/* The same of a folder that appears with what is in it, by one rename: what is put into f->temporary, each file on disk when its writer is
 * done, is there when durable_commit puts the folder in place. A destination that holds anything is an error and stays. */
int durable_begin_folder(struct durable_file *f, const char *path, struct error *e);
/* A temporary that all ranks of a team write: rank 0 makes it, the others know its name and write to it by that name. Rank 0 commits
 * it, the others abandon it. Collective; the error is the same on all ranks. */
int durable_begin_team(struct durable_file *f, const char *path, struct team *team, struct error *e);
/* Close the descriptor only, for writers that open the temporary by name. */
void durable_close(struct durable_file *f);
/* The bytes written reach the disk, and the descriptor is closed: what each rank of a team does before rank 0 commits. -1 with an error
 * already in *e. */
int durable_sync(struct durable_file *f, struct error *e);
/* Sync, close, rename, sync the folder; with an error already in *e, or one on the way, the temporary is removed instead. */
int durable_commit(struct durable_file *f, struct error *e);
/* As durable_commit, but a destination that exists is an error and stays. */
int durable_commit_new(struct durable_file *f, struct error *e);
/* Close and, if this rank began it, remove the temporary. Safe with nothing in hand. */
void durable_abandon(struct durable_file *f);

/* A folder with its parents, on disk when this returns; one that is there already is fine. */
int folder_create(const char *path, struct error *e);
/* The folder that holds `path`, to be made with its parents. */
int folder_create_for(const char *path, struct error *e);
/* The entries of the folder that holds `path` reach the disk (a file system that cannot do that is taken at its word). */
int folder_sync(const char *path, struct error *e);

/* One line to the end of a file that grows, made if it is not there, and to disk; a line that a crash left without its end is closed
 * first. */
int line_append(const char *path, const char *line, struct error *e);

#endif
