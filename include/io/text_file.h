/* Text files that are whole when they exist: written beside their place and renamed (io/durable_file.h). */
#ifndef IO_TEXT_FILE_H
#define IO_TEXT_FILE_H

#include <stdio.h>

#include "base/error.h"
#include "io/durable_file.h"

/* A stream into the temporary of `path`. NULL and *e where it cannot be made. */
FILE *text_file_begin(const char *path, struct error *e);
/* Close and put in place; a write that failed (a full disk) or an error already in *e removes it instead. -1 on failure. */
int text_file_end(FILE *f, const char *path, struct error *e);
/* Text written whole. */
int text_file_write(const char *path, const char *text, struct error *e);

#endif
