/* The operating system as it is: see os.h. */
#define _GNU_SOURCE /* getrandom, nftw */
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

/* State and start of a process from its stat file. 0 where it cannot be read. */
static int process_stat(long pid, char *state, unsigned long long *born)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    char *name_end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return name_end &&
           sscanf(name_end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", state,
                  born) == 2;
}

void os_self(struct os_process *p)
{
    char boot[64] = "", space[64] = "", state;
    *p = (struct os_process){.pid = getpid()};
    if (!process_stat(p->pid, &state, &p->born)) p->born = 0;
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f) {
        if (fscanf(f, "%63s", boot) != 1) boot[0] = '\0';
        fclose(f);
    }
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[n > 0 ? n : 0] = '\0';
    if (gethostname(p->host, sizeof p->host)) snprintf(p->host, sizeof p->host, "unknown");
    p->host[sizeof p->host - 1] = '\0';
    snprintf(p->where, sizeof p->where, "%.60s/%s/%s", p->host, boot, space);
}

int os_lives(long pid, unsigned long long born)
{
    char state;
    unsigned long long t;
    if (pid <= 0 || !born) return -1;
    if (process_stat(pid, &state, &t)) return t == born && state != 'Z';
    return kill((pid_t)pid, 0) && errno == ESRCH ? 0 : -1; /* it may be hidden from this user */
}

void os_random(void *data, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = getrandom((char *)data + done, n - done, 0);
        if (k > 0) done += (size_t)k;
        else if (errno != EINTR) die("the system has no random numbers: %s", strerror(errno));
    }
}

double os_clock(void)
{
    return clock_seconds();
}

void os_sleep(double seconds)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)},
              NULL);
}

int64_t os_date(void)
{
    return (int64_t)time(NULL);
}

int os_open(const char *path, enum os_opening how)
{
    static const int flags[] = {[OS_READ] = O_RDONLY,
                                [OS_EDIT] = O_RDWR,
                                [OS_APPEND] = O_WRONLY | O_APPEND,
                                [OS_CREATE] = O_RDWR | O_CREAT | O_EXCL,
                                [OS_FOLDER] = O_RDONLY | O_DIRECTORY};
    int follow = how == OS_FOLDER ? 0 : O_NOFOLLOW, fd;
    do fd = open(path, flags[how] | follow | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int os_close(int fd)
{
    return close(fd);
}

ssize_t os_read_at(int fd, void *data, size_t n, int64_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t k = pread(fd, (char *)data + done, n - done, (off_t)(at + (int64_t)done));
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return -1;
        if (!k) break;
        done += (size_t)k;
    }
    return (ssize_t)done;
}

/* Writes from `at`, or where the descriptor stands for at < 0. */
static int write_all(int fd, const char *data, size_t n, int64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t k =
            at < 0 ? write(fd, data + done, n - done) : pwrite(fd, data + done, n - done, (off_t)(at + (int64_t)done));
        if (k < 0 && errno == EINTR) continue;
        if (!k) errno = ENOSPC;
        if (k <= 0) return -1;
        done += (size_t)k;
    }
    return 0;
}

int os_write_at(int fd, const void *data, size_t n, int64_t at)
{
    return write_all(fd, data, n, at);
}

int os_append(int fd, const void *data, size_t n)
{
    return write_all(fd, data, n, -1);
}

int64_t os_size(int fd)
{
    struct stat s;
    return fstat(fd, &s) ? -1 : (int64_t)s.st_size;
}

int os_sync(int fd)
{
    return fsync(fd);
}

enum os_kind os_kind(const char *path)
{
    struct stat s;
    if (stat(path, &s)) return OS_NOTHING;
    return S_ISREG(s.st_mode) ? OS_FILE : S_ISDIR(s.st_mode) ? OS_DIRECTORY : OS_OTHER;
}

bool os_own(const char *path)
{
    struct stat s;
    return !lstat(path, &s) && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode)) && s.st_uid == geteuid();
}

int os_link(const char *from, const char *to)
{
    return link(from, to);
}

int os_rename(const char *from, const char *to)
{
    return rename(from, to);
}

int os_unlink(const char *path)
{
    return unlink(path);
}

int os_mkdir(const char *path)
{
    return mkdir(path, 0777);
}

int os_rmdir(const char *path)
{
    return rmdir(path);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *place)
{
    (void)s, (void)kind, (void)place;
    return remove(path) && errno != ENOENT ? -1 : 0;
}

int os_remove_all(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int os_list(const char *folder, void (*each)(void *context, const char *name), void *context)
{
    DIR *d = opendir(folder);
    if (!d) return -1;
    struct dirent *entry;
    for (errno = 0; (entry = readdir(d)); errno = 0)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) each(context, entry->d_name);
    int why = errno;
    closedir(d);
    errno = why;
    return why ? -1 : 0;
}
