/* Temporary, sync, rename, sync of the folder: the one place that does it. See durable_file.h. */
#include "io/durable_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"

enum { PATH_ROOM = 4096, NAME_ROOM = 160 }; /* NAME_ROOM: of the destination in the temporary's name */

/* The folder that holds path, as text: "." for a bare name. */
static void folder_of(const char *path, char out[PATH_ROOM])
{
    const char *slash = strrchr(path, '/');
    int n = slash == path ? 1 : slash ? (int)(slash - path) : 0;
    if (n >= PATH_ROOM) n = PATH_ROOM - 1;
    memcpy(out, n ? path : ".", n ? (size_t)n : 1);
    out[n ? n : 1] = '\0';
}

static uint64_t hash_text(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 0x100000001b3u; /* FNV-1a */
    return h;
}

/* ---- folders ---- */

static int sync_folder(const char *folder, struct error *e)
{
    int fd = os_open(folder, OS_FOLDER), why = fd < 0 || os_sync(fd) ? errno : 0;
    if (fd >= 0) os_close(fd);
    if (!why || why == EINVAL || why == EROFS || why == EACCES || why == ENOTSUP) return 0;
    return error_set(e, "%s: writing its entries to disk failed: %s", folder, strerror(why));
}

int folder_sync(const char *path, struct error *e)
{
    char folder[PATH_ROOM];
    folder_of(path, folder);
    return sync_folder(folder, e);
}

int folder_create(const char *path, struct error *e)
{
    char part[PATH_ROOM];
    if (snprintf(part, sizeof part, "%s", path) >= PATH_ROOM) return error_set(e, "%.200s...: the name is too long", path);
    for (char *slash = part; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash) *slash = '\0';
        if (!os_mkdir(part)) {
            if (folder_sync(part, e)) return -1;
        } else if (errno != EEXIST) return error_set(e, "%s: the folder cannot be made: %s", part, strerror(errno));
        if (slash) *slash = '/';
    }
    return os_kind(path) == OS_DIRECTORY ? 0 : error_set(e, "%s: found a file; needed: a folder", path);
}

int folder_create_for(const char *path, struct error *e)
{
    char folder[PATH_ROOM];
    folder_of(path, folder);
    return folder_create(folder, e);
}

/* ---- what the dead have left ---- */

struct leftovers {
    const char *folder;
    struct os_process self;
    uint64_t host;
};

/* NAME.HOST-PROCESS-START-RANDOM.tmp, in hexadecimal. */
static bool parse_temporary(const char *name, uint64_t *host, long *pid, unsigned long long *born)
{
    size_t n = strlen(name);
    uint64_t random;
    int end = 0;
    if (n < 5 || strcmp(name + n - 4, ".tmp")) return false;
    const char *mark = name + n - 4;
    while (mark > name && mark[-1] != '.') mark--;
    return mark > name && sscanf(mark, "%16" SCNx64 "-%lx-%llx-%16" SCNx64 ".tmp%n", host, pid, born, &random, &end) == 4 &&
           end && !mark[end];
}

static void remove_dead(void *context, const char *name)
{
    const struct leftovers *s = context;
    uint64_t host;
    long pid;
    unsigned long long born;
    char path[PATH_ROOM];
    if (!parse_temporary(name, &host, &pid, &born) || host != s->host || os_lives(pid, born)) return;
    if (snprintf(path, sizeof path, "%s/%s", s->folder, name) < PATH_ROOM && os_own(path)) os_remove_all(path);
}

/* Once a folder for each process: most write many files into few. */
static void sweep(const char *folder, const struct os_process *self, uint64_t host)
{
    static char last[PATH_ROOM];
    static long by;
    struct leftovers s = {folder, *self, host};
    if (by == self->pid && !strcmp(last, folder)) return;
    os_list(folder, remove_dead, &s);
    snprintf(last, sizeof last, "%s", folder);
    by = self->pid;
}

/* ---- files ---- */

static void temporary_name(const char *path, const struct os_process *self, uint64_t host, char out[PATH_ROOM])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    uint64_t random;
    os_random(&random, sizeof random);
    snprintf(out, PATH_ROOM, "%.*s%.*s.%016" PRIx64 "-%lx-%llx-%016" PRIx64 ".tmp", (int)(name - path), path, NAME_ROOM,
             name, host, self->pid, self->born, random);
}

/* A new temporary name beside path, where what the dead have left is removed. */
static int name_beside(const char *path, char temporary[PATH_ROOM], struct error *e)
{
    char folder[PATH_ROOM];
    struct os_process self;
    if (strlen(path) > PATH_ROOM - NAME_ROOM) return error_set(e, "%.200s...: the name is too long", path);
    os_self(&self);
    uint64_t host = hash_text(self.where);
    folder_of(path, folder);
    sweep(folder, &self, host);
    temporary_name(path, &self, host, temporary);
    return 0;
}

int durable_begin(struct durable_file *f, const char *path, struct error *e)
{
    char temporary[PATH_ROOM];
    *f = (struct durable_file){.fd = -1};
    enum os_kind kind = os_kind(path);
    if (kind == OS_DIRECTORY) return error_set(e, "%s: is a folder; a file name is needed", path);
    if (kind == OS_OTHER) return error_set(e, "%s: cannot be written: is no regular file; a file name is needed", path);
    if (name_beside(path, temporary, e)) return -1;
    f->fd = os_open(temporary, OS_CREATE);
    if (f->fd < 0) return error_set(e, "%s: cannot be written: %s", path, strerror(errno));
    cleanup_register(temporary);
    f->path = memory_text(path);
    f->temporary = memory_text(temporary);
    return 0;
}

int durable_begin_folder(struct durable_file *f, const char *path, struct error *e)
{
    char temporary[PATH_ROOM];
    *f = (struct durable_file){.fd = -1, .folder = true};
    if (name_beside(path, temporary, e)) return -1;
    if (os_mkdir(temporary)) return error_set(e, "%s: cannot be made: %s", path, strerror(errno));
    f->path = memory_text(path);
    f->temporary = memory_text(temporary);
    return 0;
}

int durable_begin_team(struct durable_file *f, const char *path, struct team *team, struct error *e)
{
    bool first = team_rank(team) == 0;
    *f = (struct durable_file){.fd = -1};
    if (first) durable_begin(f, path, e);
    if (team_agree(team, e)) return -1;
    char *temporary = team_broadcast_text(team, f->temporary, 0);
    if (!first) {
        cleanup_register(temporary);
        *f = (struct durable_file){.path = memory_text(path), .temporary = memory_text(temporary), .fd = -1, .joined = true};
    }
    memory_free(temporary);
    return 0;
}

void durable_close(struct durable_file *f)
{
    if (f->fd >= 0) os_close(f->fd);
    f->fd = -1;
}

static void leave(struct durable_file *f)
{
    if (f->temporary) cleanup_forget(f->temporary);
    memory_free(f->path);
    memory_free(f->temporary);
    *f = (struct durable_file){.fd = -1};
}

void durable_abandon(struct durable_file *f)
{
    durable_close(f);
    if (f->temporary && !f->joined) os_remove_all(f->temporary);
    leave(f);
}

int durable_sync(struct durable_file *f, struct error *e)
{
    if (!f->temporary || error_is_set(e)) return -1;
    if (f->folder) return sync_folder(f->temporary, e);
    int fd = f->fd >= 0 ? f->fd : os_open(f->temporary, OS_READ), why = fd < 0 || os_sync(fd) ? errno : 0;
    if (fd >= 0 && os_close(fd) && !why) why = errno;
    f->fd = -1;
    return why ? error_set(e, "%s: cannot be written to disk: %s", f->path, strerror(why)) : 0;
}

int durable_commit(struct durable_file *f, struct error *e)
{
    if (!durable_sync(f, e) && !os_rename(f->temporary, f->path)) {
        int rc = folder_sync(f->path, e);
        leave(f);
        return rc;
    }
    error_set(e, "%s: cannot be put in place: %s", f->path ? f->path : "a file", strerror(errno));
    durable_abandon(f);
    return -1;
}

int durable_commit_new(struct durable_file *f, struct error *e)
{
    bool there = !durable_sync(f, e) && os_link(f->temporary, f->path);
    if (there) error_set(e, "%s: cannot be put in place: %s", f->path, strerror(errno));
    if (!error_is_set(e)) folder_sync(f->path, e);
    durable_abandon(f);
    return error_is_set(e) ? -1 : 0;
}

/* ---- lines ---- */

int line_append(const char *path, const char *line, struct error *e)
{
    char text[4096], last = '\n';
    int fd = os_open(path, OS_READ);
    int64_t size = fd < 0 ? 0 : os_size(fd);
    if (size > 0 && os_read_at(fd, &last, 1, size - 1) != 1) last = '\n';
    if (fd >= 0) os_close(fd);
    fd = os_open(path, OS_APPEND);
    if (fd < 0 && errno == ENOENT) fd = os_open(path, OS_CREATE);
    if (fd < 0) return error_set(e, "%s: cannot be written: %s", path, strerror(errno));
    int n = snprintf(text, sizeof text, "%s%s\n", last == '\n' ? "" : "\n", line);
    int why = os_append(fd, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1) || os_sync(fd) ? errno : 0;
    if (os_close(fd) && !why) why = errno;
    if (why) return error_set(e, "%s: cannot be written: %s", path, strerror(why));
    return folder_sync(path, e); /* whoever made it may have ended before this */
}
