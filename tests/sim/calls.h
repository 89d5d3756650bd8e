/* The calls of base/os.h over the simulated disk, clocks and processes of sim/system.h. */
#ifndef TESTS_SIM_CALLS_H
#define TESTS_SIM_CALLS_H

/* ---- names ---- */

static int sim_entry_of(uint32_t key, int folder, const char *name, size_t n)
{
    for (int i = 0; i < disk.entries; i++)
        if (disk.key[i] == key && disk.entry[i].folder == folder && disk.entry[i].length == n &&
            !memcmp(disk.entry[i].name, name, n))
            return i;
    return -1;
}

/* The entry of a path, made (leading nowhere) if it never was; -1 and errno where its folder is not. Paths begin at the root "/". */
static int sim_find(const char *path)
{
    int folder = 0;
    for (;;) {
        while (*path == '/') path++;
        size_t n;
        uint32_t key = sim_key(folder, path, &n);
        int e = sim_entry_of(key, folder, path, n);
        if (!path[n]) {
            if (e >= 0) return e;
            if (n >= SIM_NAME || disk.entries == SIM_ENTRIES) abort();
            struct sim_entry *x = &disk.entry[disk.entries];
            x->folder = folder, x->file = x->kept = -1, x->length = n;
            memcpy(x->name, path, n + 1);
            disk.key[disk.entries] = key;
            return disk.entries++;
        }
        if (e < 0 || disk.entry[e].file < 0) return errno = ENOENT, -1;
        folder = disk.entry[e].file;
        if (!disk.file[folder].folder) return errno = ENOTDIR, -1;
        path += n;
    }
}

/* An entry leads to another file (-1: none), and entry `gone` nowhere (-1: none such). */
static void sim_enter(int entry, int file, int gone)
{
    if (disk.changes == SIM_PENDING) abort();
    disk.change[disk.changes++] = (struct sim_change){disk.entry[entry].folder, entry, file, gone};
    disk.entry[entry].file = file;
    if (gone >= 0) disk.entry[gone].file = -1;
}

static int sim_file(bool folder)
{
    if (disk.files == SIM_FILES) abort();
    struct sim_file *f = &disk.file[disk.files];
    f->folder = folder, f->size = f->kept_size = 0;
    return disk.files++;
}

/* ---- files ---- */

int os_open(const char *path, enum os_opening how)
{
    if (!sim_step()) return -1;
    int e = sim_find(path), file = e < 0 ? -1 : disk.entry[e].file;
    if (e < 0) return -1;
    if (how == OS_FOLDER && !*(path + strspn(path, "/"))) file = 0;
    if (how == OS_CREATE && file >= 0) return sim_say("create %s: is there", path), errno = EEXIST, -1;
    if (how == OS_CREATE) sim_enter(e, file = sim_file(false), -1);
    if (file < 0) return errno = ENOENT, -1;
    if (disk.file[file].folder != (how == OS_FOLDER)) return errno = how == OS_FOLDER ? ENOTDIR : EISDIR, -1;
    if (disk.descriptors == SIM_OPEN) abort();
    disk.open[disk.descriptors] = file;
    disk.opened[disk.descriptors] = sim_task[sim_me].process;
    disk.how[disk.descriptors] = how;
    static const char *const word[] = {"open", "edit", "append to", "create", "open folder"};
    sim_say("%s %s", word[how], path);
    return disk.descriptors++;
}

int os_close(int fd)
{
    if (fd < 0 || fd >= disk.descriptors || disk.open[fd] < 0) return errno = EBADF, -1;
    disk.open[fd] = -1;
    return 0;
}

static bool sim_named(int file)
{
    for (int i = 0; i < disk.entries; i++)
        if (disk.entry[i].file == file) return true;
    return false;
}

ssize_t os_read_at(int fd, void *data, size_t n, int64_t at)
{
    if (!sim_step()) return -1;
    const struct sim_file *f = &disk.file[disk.open[fd]];
    sim_raced |= sim_paused > 1 && !sim_named(disk.open[fd]);
    if (at >= f->size) return 0;
    if ((int64_t)n > f->size - at) n = (size_t)(f->size - at);
    memcpy(data, f->now + at, n);
    return (ssize_t)n;
}

static void sim_journal(int file, int at, const void *data, int n)
{
    if (disk.writes == SIM_PENDING || disk.journal_end + n > SIM_JOURNAL) abort();
    disk.write[disk.writes++] = (struct sim_write){file, at, n, disk.journal_end};
    memcpy(disk.journal + disk.journal_end, data, (size_t)n);
    disk.journal_end += n;
}

static void sim_put(int file, const char *data, int n, int at)
{
    struct sim_file *f = &disk.file[file];
    if (at + n > SIM_BYTES) abort();
    if (at > f->size) memset(f->now + f->size, 0, (size_t)(at - f->size));
    memcpy(f->now + at, data, (size_t)n);
    if (at + n > f->size) f->size = at + n;
    sim_journal(file, at, data, n);
}

/* A write in two halves, between which others come and the process may end. */
int os_write_at(int fd, const void *data, size_t n, int64_t at)
{
    int file = disk.open[fd], half = (int)n > 1 && sim_below(2) ? 1 + sim_below((int)n - 1) : (int)n;
    if (!sim_step()) return -1;
    if (disk.how[fd] == OS_READ || disk.how[fd] == OS_FOLDER) return errno = EBADF, -1;
    sim_say("write %zu bytes of file %d at %lld", n, file, (long long)at);
    sim_put(file, data, half, (int)at);
    if (half < (int)n && !sim_step()) return -1;
    if (sim_full && sim_below(1000) < sim_full) return sim_say("... the disk is full"), errno = ENOSPC, -1;
    if (half < (int)n) sim_put(file, (const char *)data + half, (int)n - half, (int)at + half);
    return 0;
}

int os_append(int fd, const void *data, size_t n)
{
    return os_write_at(fd, data, n, disk.file[disk.open[fd]].size);
}

int64_t os_size(int fd)
{
    return sim_step() ? disk.file[disk.open[fd]].size : -1;
}

int os_sync(int fd)
{
    if (!sim_step()) return -1;
    int file = disk.open[fd], left = 0;
    struct sim_file *f = &disk.file[file];
    sim_say("sync %s %d", f->folder ? "folder" : "file", file);
    if (!f->folder) {
        memcpy(f->kept, f->now, (size_t)f->size);
        f->kept_size = f->size;
        for (int i = 0; i < disk.writes; i++)
            if (disk.write[i].file != file) disk.write[left++] = disk.write[i];
        disk.writes = left;
        if (!left) disk.journal_end = 0;
        return 0;
    }
    for (int i = 0; i < disk.changes; i++)
        if (disk.change[i].folder != file) disk.change[left++] = disk.change[i];
    disk.changes = left;
    for (int i = 0; i < disk.entries; i++)
        if (disk.entry[i].folder == file) disk.entry[i].kept = disk.entry[i].file;
    return 0;
}

/* ---- folders ---- */

enum os_kind os_kind(const char *path)
{
    int e = sim_step() ? sim_find(path) : -1, file = e < 0 ? -1 : disk.entry[e].file;
    if (e >= 0 && file < 0) errno = ENOENT;
    return file < 0 ? OS_NOTHING : disk.file[file].folder ? OS_DIRECTORY : OS_FILE;
}

bool os_own(const char *path)
{
    return os_kind(path) != OS_NOTHING;
}

static bool sim_holds_any(int folder)
{
    for (int i = 0; i < disk.entries; i++)
        if (disk.entry[i].folder == folder && disk.entry[i].file >= 0) return true;
    return false;
}

int os_link(const char *from, const char *to)
{
    if (!sim_step()) return -1;
    int a = sim_find(from), b = sim_find(to);
    if (a < 0 || b < 0) return -1;
    if (disk.entry[a].file < 0) return errno = ENOENT, -1;
    if (disk.entry[b].file >= 0) return sim_say("link to %s: is there", to), errno = EEXIST, -1;
    sim_say("link %s to %s", from, to);
    sim_enter(b, disk.entry[a].file, -1);
    return 0;
}

/* One that is held up right before it removes or replaces a lock has looked at another; so has one that is held up before it reads what it
 * has opened (os_read_at). */
static void sim_note_race(const char *path)
{
    size_t n = strlen(path);
    sim_raced |= sim_paused > 1 && n > 5 && !strcmp(path + n - 5, ".lock");
    if (sim_before_loss) sim_before_loss(path);
}

int os_rename(const char *from, const char *to)
{
    if (!sim_step()) return -1;
    int a = sim_find(from), b = sim_find(to);
    if (a < 0 || b < 0) return -1;
    if (disk.entry[a].file < 0) return errno = ENOENT, -1;
    if (disk.file[disk.entry[a].file].folder && disk.entry[b].file >= 0 && sim_holds_any(disk.entry[b].file))
        return sim_say("rename to %s: holds something", to), errno = ENOTEMPTY, -1;
    sim_note_race(to);
    sim_say("rename %s to %s", from, to);
    sim_enter(b, disk.entry[a].file, a);
    return 0;
}

int os_unlink(const char *path)
{
    if (!sim_step()) return -1;
    int e = sim_find(path);
    if (e < 0) return -1;
    if (disk.entry[e].file < 0) return errno = ENOENT, -1;
    sim_note_race(path);
    sim_say("unlink %s", path);
    sim_enter(e, -1, -1);
    return 0;
}

int os_mkdir(const char *path)
{
    if (!sim_step()) return -1;
    int e = sim_find(path);
    if (e < 0) return -1;
    if (disk.entry[e].file >= 0) return errno = EEXIST, -1;
    sim_say("mkdir %s", path);
    sim_enter(e, sim_file(true), -1);
    return 0;
}

int os_rmdir(const char *path)
{
    if (!sim_step()) return -1;
    int e = sim_find(path), folder = e < 0 ? -1 : disk.entry[e].file;
    if (folder < 0) return errno = ENOENT, -1;
    if (!disk.file[folder].folder) return errno = ENOTDIR, -1;
    if (sim_holds_any(folder)) return errno = ENOTEMPTY, -1;
    sim_say("rmdir %s", path);
    sim_enter(e, -1, -1);
    return 0;
}

/* The names as they are when the folder is opened. */
int os_list(const char *path, void (*each)(void *context, const char *name), void *context)
{
    char name[SIM_ENTRIES / 4][SIM_NAME];
    int n = 0;
    if (!sim_step()) return -1;
    int e = sim_find(path), folder = e < 0 ? -1 : disk.entry[e].file;
    if (folder < 0) return errno = ENOENT, -1;
    for (int i = disk.entries - 1; i >= 0; i--) /* what came first comes last: the worst order for a removal */
        if (disk.entry[i].folder == folder && disk.entry[i].file >= 0 && n < SIM_ENTRIES / 4)
            memcpy(name[n++], disk.entry[i].name, SIM_NAME);
    for (int i = 0; i < n; i++) each(context, name[i]);
    return 0;
}

static void sim_remove_one(void *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", (const char *)folder, name);
    os_remove_all(path);
}

int os_remove_all(const char *path)
{
    if (os_kind(path) != OS_DIRECTORY) return os_unlink(path) && errno != ENOENT ? -1 : 0;
    os_list(path, sim_remove_one, (void *)(uintptr_t)path);
    return os_rmdir(path) && errno != ENOENT ? -1 : 0;
}

/* ---- processes and clocks ---- */

void os_self(struct os_process *p)
{
    const struct sim_process *me = sim_self();
    *p = (struct os_process){.host = {'h', (char)('0' + me->host)}, .pid = me->pid, .born = (unsigned long long)me->pid * 7};
    memcpy(p->where, (char[]){'h', (char)('0' + me->host), '/', (char)('0' + me->boot), '\0'}, 5);
}

int os_lives(long pid, unsigned long long born)
{
    const struct sim_process *me = sim_self();
    if (!sim_step() || !born) return -1;
    for (int i = 0; i < sim_processes; i++)
        if (sim_process[i].host == me->host && sim_process[i].pid == pid)
            return sim_process[i].tasks && !sim_process[i].dead;
    return 0;
}

void os_random(void *data, size_t n)
{
    for (size_t i = 0; i < n; i++) ((unsigned char *)data)[i] = (unsigned char)sim_draw();
}

/* A process may be held up before it looks at the clock, as before any operation. */
double os_clock(void)
{
    static double late;
    if (!sim_step()) return late += 1000; /* what waits for time to pass has waited */
    return sim_host[sim_self()->host].offset + sim_host[sim_self()->host].rate * sim_now;
}

void os_sleep(double seconds)
{
    if (sim_step()) sim_wait(sim_now + seconds / sim_host[sim_self()->host].rate);
}

int64_t os_date(void)
{
    return sim_host[sim_self()->host].date + (int64_t)sim_now;
}

#endif
