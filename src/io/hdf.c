/* Opening, making and closing HDF5 files, alone or by a team of ranks, and the errors of the library in words. */
#define _GNU_SOURCE
#include "io/hdf.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf_file.h"
#include "io/hdf_probe.h"
#include "parallel/comm.h"

/* A file that HDF5 could not close stays half-open inside it and would crash it at exit. */
static bool wrecked;
bool hdf_wrecked(void)
{
    return wrecked;
}

static herr_t keep_first(unsigned n, const H5E_error2_t *entry, void *to)
{
    if (n == 0) snprintf(to, 400, "%s", entry->desc && *entry->desc ? entry->desc : entry->func_name);
    return 0;
}

const char *hdf_reason(void)
{
    static char text[400];
    snprintf(text, sizeof text, "no reason given by HDF5");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, text);
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = ' ';
    return text;
}

/* A child has tried the file (io/hdf_probe.h), but a read beyond a buffer that it survived may still end this process, whose memory lies
 * otherwise. While files are open for reading such an end is an error of the one opened last. */
static char reading[1024];
static volatile int open_files;

static void crashed(int signal_number)
{
    static const char before[] = "aipm: ", after[] = ": reading it crashed; the file is damaged, or the program at fault\n";
    if (open_files < 1) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
        return;
    }
    (void)!write(STDERR_FILENO, before, sizeof before - 1);
    (void)!write(STDERR_FILENO, reading, strnlen(reading, sizeof reading));
    (void)!write(STDERR_FILENO, after, sizeof after - 1);
    cleanup_unlink();
    _exit(EXIT_INPUT);
}

static void watch_crashes(const char *path)
{
    snprintf(reading, sizeof reading, "%s", path);
#ifndef __SANITIZE_ADDRESS__ /* which says more */
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE};
    for (size_t i = 0; !open_files && i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &(struct sigaction){.sa_handler = crashed, .sa_flags = SA_NODEFER}, NULL);
#endif
    open_files++;
}

static void quiet(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

bool hdf_leads(const struct hdf *f)
{
    return !f->team || team_rank(f->team) == 0;
}

int hdf_agree(const struct hdf *f, struct error *e)
{
    return f->team ? team_agree(f->team, e) : error_is_set(e) ? -1 : 0;
}

const char *hdf_path(const struct hdf *f)
{
    return f->path;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static struct hdf *hdf_new(const char *path, struct team *team)
{
    struct hdf *f = memory_array(struct hdf, 1, "open file");
    f->id = H5I_INVALID_HID;
    f->path = memory_text(path);
    f->file.fd = -1;
    f->team = team;
    f->last_note = &f->notes;
    return f;
}

static void hdf_free(struct hdf *f)
{
    hdf_notes_free(f);
    memory_free(f->path);
    memory_free(f);
}

/* Files are read without MPI-IO even where all ranks open them: a read that fails comes back from Open MPI's own as zeros, without an error. */
static hid_t access_list(struct team *team, bool writes)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    if (team) {
        H5Pset_fapl_mpio(list, team_comm(team), MPI_INFO_NULL);
        H5Pset_all_coll_metadata_ops(list, true); /* of reads: collective metadata writes of 1.10 leave unset bytes */
    } else {
        H5Pset_file_locking(list, writes, true); /* readers need no lock: a file that exists is whole */
    }
    return list;
}

/* Is this an HDF5 file that opens? Said in this program's words where HDF5's would puzzle. */
static int check_file(const char *path, struct error *e)
{
    struct stat s;
    if (stat(path, &s)) return error_set(e, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(s.st_mode)) return error_set(e, "%s: is not a regular file; an HDF5 file is needed", path);
    FILE *file = fopen(path, "rb");
    if (!file) return error_set(e, "%s: cannot be opened: %s", path, strerror(errno));
    fclose(file);
    if (s.st_size == 0) return error_set(e, "%s: is empty (0 bytes); an HDF5 file is needed", path);
    if (hdf_probe(path, e)) return -1;
    if (H5Fis_hdf5(path) <= 0)
        return error_set(e, "%s: is not an HDF5 file (%lld bytes without its signature); an HDF5 file is needed", path,
                         (long long)s.st_size);
    hid_t list = access_list(NULL, false), id = H5Fopen(path, H5F_ACC_RDONLY, list);
    const char *why = id < 0 ? hdf_reason() : ""; /* before another call clears the stack */
    H5Pclose(list);
    if (id >= 0) return H5Fclose(id), 0;
    if (strstr(why, "truncated"))
        return error_set(e, "%s: is truncated: %lld bytes found, more were written (%s); copy or make it again", path,
                         (long long)s.st_size, why);
    return error_set(e, "%s: is damaged or not readable as HDF5: %s", path, why);
}

struct hdf *hdf_open(const char *path, struct team *team, struct error *e)
{
    quiet();
    struct hdf *f = hdf_new(path, team);
    if (hdf_leads(f)) check_file(path, e);
    if (!hdf_agree(f, e)) {
        hdf_probe_trust(path);
        watch_crashes(path);
        hid_t list = access_list(NULL, false);
        f->id = H5Fopen(path, H5F_ACC_RDONLY, list);
        if (f->id < 0) error_set(e, "%s: cannot be opened: %s", path, hdf_reason());
        H5Pclose(list);
        f->watched = true;
        if (!hdf_agree(f, e)) return f;
        open_files--;
    }
    if (f->id >= 0) H5Fclose(f->id);
    hdf_free(f);
    return NULL;
}

struct hdf *hdf_edit(const char *path, struct error *e)
{
    quiet();
    if (check_file(path, e)) return NULL;
    struct hdf *f = hdf_new(path, NULL);
    hid_t list = access_list(NULL, true);
    f->id = H5Fopen(path, H5F_ACC_RDWR, list);
    if (f->id < 0) error_set(e, "%s: cannot be opened for writing: %s", path, hdf_reason());
    H5Pclose(list);
    if (f->id >= 0) return f;
    hdf_free(f);
    return NULL;
}

/* The temporary is closed before HDF5 opens it by name: closing it later would end the locks of this process on it. */
static int begin_temporary(struct hdf *f, struct error *e)
{
    if (hdf_leads(f)) folder_create_for(f->path, e);
    if (hdf_agree(f, e) ||
        (f->team ? durable_begin_team(&f->file, f->path, f->team, e) : durable_begin(&f->file, f->path, e)))
        return -1;
    durable_close(&f->file);
    f->temporary = f->file.temporary;
    return 0;
}

struct hdf *hdf_create(const char *path, struct team *team, struct error *e)
{
    quiet();
    struct hdf *f = hdf_new(path, team);
    if (!begin_temporary(f, e)) {
        hid_t list = access_list(team, true), how = H5Pcreate(H5P_FILE_CREATE);
        H5Pset_obj_track_times(how, false);
        f->id = H5Fcreate(f->temporary, H5F_ACC_TRUNC, how, list);
        if (f->id < 0) error_set(e, "%s: cannot be written: %s", f->path, hdf_reason());
        H5Pclose(how);
        H5Pclose(list);
        if (!hdf_agree(f, e)) return f;
    }
    if (f->id >= 0) H5Fclose(f->id);
    durable_abandon(&f->file);
    hdf_free(f);
    return NULL;
}

/* HDF5 cannot close a file whose last metadata the disk refuses: it keeps a broken identifier and crashes when the program ends.
 * So the room that closing may need is asked for before, and a file that will not be kept gives its space back first. */
static void make_room(const struct hdf *f, struct error *e)
{
    haddr_t end;
    enum { METADATA = 32768 };
    off_t more = METADATA;
    for (const struct hdf_note *n = f->notes; n; n = n->next)
        for (int i = 0; n->texts && i < n->n; i++)
            more += 2 * (off_t)strlen(n->texts[i]) + (n->kind == NOTE_DIMENSIONS ? 2048 : 128);
    int fd = open(f->temporary, O_RDWR | O_CLOEXEC);
    if (fd < 0 || H5Fget_eoa(f->id, &end) < 0) end = 0;
    if (fd >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)end + more) &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        error_set(e, "%s: cannot be written to its end (%.1f MB): %s", f->path, (double)end / 1e6, strerror(errno));
    if (fd >= 0) close(fd);
}

/* A file opened alone may hold raw data as well: its descriptor is turned to memory. */
static void give_space_back(const struct hdf *f)
{
    int *fd, memory;
    if (truncate(f->temporary, 0)) unlink(f->temporary);
    if (f->team || H5Fget_vfd_handle(f->id, H5P_DEFAULT, (void **)&fd) < 0 ||
        (memory = memfd_create("discarded", MFD_CLOEXEC)) < 0)
        return;
    dup2(memory, *fd);
    close(memory);
}

static void leave(void *handle)
{
    (void)handle; /* the list frees it */
}

/* Close what is open in f, and f itself. Collective on a team's file. On error a created file loses its contents. */
static int close_open(struct hdf *f, struct error *e)
{
    bool made = f->temporary;
    if (made && !hdf_agree(f, e)) {
        if (hdf_leads(f)) make_room(f, e);
        if (!hdf_agree(f, e) && H5Fflush(f->id, H5F_SCOPE_LOCAL) < 0)
            error_set(e, "%s: cannot be written to its end: %s", f->path, hdf_reason());
    }
    if (hdf_agree(f, e) && made) {
        if (hdf_leads(f)) give_space_back(f);
        hdf_agree(f, e); /* nobody flushes before it is done */
        H5Fflush(f->id, H5F_SCOPE_LOCAL);
    }
    tdestroy(f->by_name, leave);
    f->by_name = NULL;
    while (f->handles) {
        struct hdf_handle *h = f->handles;
        f->handles = h->next;
        if (H5Dclose(h->id) < 0) error_set(e, "%s: dataset %s cannot be closed: %s", f->path, h->name, hdf_reason());
        memory_free(h->name);
        memory_free(h);
    }
    if (H5Fclose(f->id) < 0) wrecked = true, error_set(e, "%s: cannot be closed: %s", f->path, hdf_reason());
    return hdf_agree(f, e);
}

/* Rank 0, now alone, adds what MPI-IO could not write. */
static int write_notes(struct hdf *f, struct error *e)
{
    hid_t list = access_list(NULL, true);
    f->id = H5Fopen(f->temporary, H5F_ACC_RDWR, list);
    if (f->id < 0) error_set(e, "%s: cannot be opened again to add its names: %s", f->path, hdf_reason());
    H5Pclose(list);
    if (f->id < 0) return -1;
    make_room(f, e);
    for (struct hdf_note *n = f->notes; n && !error_is_set(e); n = n->next) hdf_note_write(f, n, e);
    struct team *team = f->team;
    f->team = NULL;
    close_open(f, e);
    f->team = team;
    return error_is_set(e) ? -1 : 0;
}

int hdf_close(struct hdf *f, struct error *e)
{
    if (!f) return error_is_set(e) ? -1 : 0;
    if (error_is_set(&f->unknown)) error_set(e, "%s", f->unknown.text);
    int rc = close_open(f, e);
    if (f->watched) open_files--;
    if (f->temporary) {
        if (!rc && hdf_leads(f) && !(f->notes && write_notes(f, e))) durable_commit(&f->file, e);
        rc = hdf_agree(f, e);
        if (!rc && hdf_leads(f)) hdf_probe_trust(f->path);
        durable_abandon(&f->file);
    }
    hdf_free(f);
    return rc;
}
