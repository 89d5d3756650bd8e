/* Text files that are whole when they exist: written as PATH.tmp, synced, renamed. */
#ifndef IO_TEXT_FILE_H
#define IO_TEXT_FILE_H

#include <stdio.h>

#include "base/error.h"

/* A folder with its parents; one that is there already is fine. */
int folder_create(const char *path, struct error *e);

/* Open PATH.tmp for writing, registered for cleanup. NULL and *e where it cannot be made. */
FILE *text_file_begin(const char *path, struct error *e);
/* Close and rename into its place; a write that failed (a full disk) or an error already in *e removes it instead. -1 on failure. */
int text_file_end(FILE *f, const char *path, struct error *e);

#endif
