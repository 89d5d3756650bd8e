/* LD_PRELOAD: a process sends itself signal SIGNAL_NUMBER at a place in its work on files that match SIGNAL_PATH (a shell pattern), once:
 * SIGNAL_AT=unlink, after it has removed one; SIGNAL_AT=read, as it opens one to read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void here(const char *what, const char *path)
{
    static int done;
    const char *at = getenv("SIGNAL_AT"), *pattern = getenv("SIGNAL_PATH"), *number = getenv("SIGNAL_NUMBER");
    if (done || !at || !pattern || !number || strcmp(at, what) || fnmatch(pattern, path, 0)) return;
    done = 1;
    raise(atoi(number));
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int unlink(const char *path)
{
    REAL(unlink);
    int rc = real(path);
    if (!rc) here("unlink", path);
    return rc;
}

static int opened(const char *path, int flags, mode_t mode, int (*real)(const char *, int, ...))
{
    if ((flags & O_ACCMODE) == O_RDONLY) here("read", path);
    return real(path, flags, mode);
}
int open(const char *path, int flags, ...)
{
    REAL(open);
    va_list a;
    va_start(a, flags);
    mode_t mode = flags & O_CREAT ? va_arg(a, mode_t) : 0;
    va_end(a);
    return opened(path, flags, mode, real);
}
int open64(const char *path, int flags, ...)
{
    REAL(open64);
    va_list a;
    va_start(a, flags);
    mode_t mode = flags & O_CREAT ? va_arg(a, mode_t) : 0;
    va_end(a);
    return opened(path, flags, mode, real);
}
FILE *fopen(const char *path, const char *how)
{
    REAL(fopen);
    if (*how == 'r') here("read", path);
    return real(path, how);
}
