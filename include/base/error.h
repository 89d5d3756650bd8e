/* Errors. Three kinds, three habits:
 *   broken contract   require(): a bug in this program; always on, prints the place, aborts
 *   the world         struct error, filled where the fault is seen (file, place, found, needed), handed up to where
 *                     all ranks agree on it (parallel/team.h, team_agree) and the command ends with status 1
 *   numbers           a code recorded in the results; the run goes on (models/model.h, struct fit_note)
 * Where no way up is left (memory exhausted in mid-run), die() ends every rank at once. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_STOPPED = 75 };

struct error {
    char text[1536]; /* empty: no error; otherwise one or more lines without a final newline */
};

/* Fill *e unless it already holds an error (the first one is the cause) and return -1, so that
 * `return error_set(e, "...")` reads well. */
int error_set(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool error_is_set(const struct error *e)
{
    return e->text[0] != '\0';
}

/* "aipm: TEXT" on stderr, without what a terminal would obey: messages quote names from files. */
void error_print(const struct error *e);

/* End the program on every rank with status 1 after removing files registered with cleanup_register(). */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* What die() calls last instead of exit(1): parallel/team.c sets it to MPI_Abort. */
void die_set_hook(void (*hook)(int status));

/* A file that must not survive a failure: unlinked by die(), by cleanup_run(), and when SIGTERM, SIGINT or SIGHUP end the process (a
 * signal that is handled or ignored when the file is registered is left so). cleanup_forget() once it is renamed to its place. At
 * most 16 at a time. */
void cleanup_register(const char *path);
void cleanup_forget(const char *path);
void cleanup_unlink(void); /* the part of cleanup_run() that a signal handler may do */
void cleanup_run(void);

_Noreturn void require_failed(const char *condition, const char *file, int line);
#define require(condition) ((condition) ? (void)0 : require_failed(#condition, __FILE__, __LINE__))

#endif
