/* LD_PRELOAD: after FAIL_AFTER bytes written to files whose path matches FAIL_PATH (a shell pattern), writes there fail with FAIL_ERRNO (a number); with
 * FAIL_SYNC=1 it is forcing to disk that fails instead. How a disk that fills up or breaks in mid-run looks to a program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_llong written;

/* Whether writing n more bytes to fd must fail; counts them otherwise. */
static int fails(int fd, size_t n, int sync)
{
    char link[64], path[4096];
    const char *where = getenv("FAIL_PATH"), *limit = getenv("FAIL_AFTER"), *on_sync = getenv("FAIL_SYNC");
    if (!where || !limit) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t k = readlink(link, path, sizeof path - 1);
    path[k > 0 ? k : 0] = '\0';
    if (fnmatch(where, path, 0)) return 0;
    int over = atomic_fetch_add(&written, (long long)n) + (long long)n > atoll(limit);
    if (!over || (on_sync != NULL) != sync) return 0;
    errno = getenv("FAIL_ERRNO") ? atoi(getenv("FAIL_ERRNO")) : ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *data, size_t n)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "write");
    return fails(fd, n, 0) ? -1 : real(fd, data, n);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pwrite");
    return fails(fd, n, 0) ? -1 : real(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at)
{
    return pwrite(fd, data, n, at);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    return fails(fd, 0, 1) ? -1 : real(fd);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return fails(fd, 0, 1) ? -1 : real(fd);
}
