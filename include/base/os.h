/* What the protocols on disk (lease, part logs, files that are whole when they exist) ask of the operating system. Every such call goes
 * through here, so that a test can put a simulated disk, clock and set of hosts in the place of os.c when it is linked. Calls return 0
 * (or what they say), or -1 with errno set, and are repeated when a signal interrupts them. */
#ifndef BASE_OS_H
#define BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { OS_HOST = 64, OS_WHERE = 192 };

/* A process as far as it can be told from others. `where` names the host, its boot and the process namespace: only within one
 * `where` does a process number mean anything. */
struct os_process {
    char host[OS_HOST], where[OS_WHERE];
    long pid;
    unsigned long long born; /* its start in clock ticks since boot; 0: not known */
};

void os_self(struct os_process *p);
/* Whether a process of this very `where` is there: 1 yes, 0 no, -1 it cannot be told (its entry in /proc may not be read). */
int os_lives(long pid, unsigned long long born);
/* n bytes that nobody can guess; ends the program where the system has none. */
void os_random(void *data, size_t n);
/* Seconds since some instant, never backwards; and a pause by the same clock. */
double os_clock(void);
void os_sleep(double seconds);
/* Seconds since 1970. */
int64_t os_date(void);

/* Opening never follows a symbolic link at the end of the path. */
enum os_opening {
    OS_READ,
    OS_EDIT,   /* read and write what is there */
    OS_APPEND, /* every write goes to the end */
    OS_CREATE, /* read and write a new file: EEXIST if anything has that name */
    OS_FOLDER, /* only to os_sync it */
};
int os_open(const char *path, enum os_opening how);
int os_close(int fd);
/* Bytes read, fewer than n only at the end of the file. */
ssize_t os_read_at(int fd, void *data, size_t n, int64_t at);
/* All n bytes. */
int os_write_at(int fd, const void *data, size_t n, int64_t at);
int os_append(int fd, const void *data, size_t n);
int64_t os_size(int fd);
/* Content and size reach the disk; of a folder, its entries. */
int os_sync(int fd);

/* What a path leads to, links followed; OS_NOTHING also where it cannot be told: errno is ENOENT where nothing is there. */
enum os_kind { OS_NOTHING, OS_FILE, OS_DIRECTORY, OS_OTHER };
enum os_kind os_kind(const char *path);
/* The name itself, not what it may link to, is a plain file or a folder of this program's user. */
bool os_own(const char *path);
int os_link(const char *from, const char *to);
/* A folder takes the place of no other but an empty one. */
int os_rename(const char *from, const char *to);
int os_unlink(const char *path);
int os_mkdir(const char *path);
int os_rmdir(const char *path);
/* A file, or a folder with all that is in it. Links are removed and not followed. */
int os_remove_all(const char *path);
/* Call each(context, name) for the entries of a folder, "." and ".." left out, in no particular order. */
int os_list(const char *folder, void (*each)(void *context, const char *name), void *context);

#endif
