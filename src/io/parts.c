#include "io/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "base/memory.h"

/* On disk, little-endian as the machine's: header, n doubles, assets ids, assets weights. The checksum covers everything but
 * itself. */
struct frame {
    uint32_t magic, checksum;
    struct part_key key;
    uint32_t n, assets;
};
enum { MAGIC = 0x31504941 }; /* "AIP1" */

struct part_writer {
    char path[4096];
    int fd;
    double interval, synced;
    int64_t end;
    bool dirty;
};

int parts_create(const char *folder, struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) && errno != EEXIST) return error_set(e, "%s: cannot be made: %s", path, strerror(errno));
        *slash = '/';
    }
    return mkdir(path, 0777) && errno != EEXIST ? error_set(e, "%s: cannot be made: %s", path, strerror(errno)) : 0;
}

struct part_writer *part_create(const char *folder, int generation, int rank, double seconds)
{
    struct part_writer *w = memory_array(struct part_writer, 1, "part writer");
    *w = (struct part_writer){.fd = -1, .interval = seconds, .synced = clock_seconds()};
    snprintf(w->path, sizeof w->path, "%s/g%04d-r%06d.rows", folder, generation, rank);
    return w;
}

static uint32_t checksum_of(const struct frame *f, const double *values, const int64_t *ids, const float *weights)
{
    uLong c = crc32(0, (const Bytef *)&f->key, sizeof *f - offsetof(struct frame, key));
    c = crc32_z(c, (const Bytef *)values, sizeof(double) * f->n);
    if (f->assets) {
        c = crc32_z(c, (const Bytef *)ids, sizeof(int64_t) * f->assets);
        c = crc32_z(c, (const Bytef *)weights, sizeof(float) * f->assets);
    }
    return (uint32_t)c;
}

static int write_all(int fd, const void *data, size_t n)
{
    for (const char *p = data; n;) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return -1;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

int part_append(struct part_writer *w, const struct part_key *key, size_t n, const double *values, size_t assets,
                const int64_t *ids, const float *weights, struct error *e)
{
    if (w->fd < 0 && (w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
        return error_set(e, "%s: cannot be created: %s", w->path, strerror(errno));
    struct frame f = {.magic = MAGIC, .key = *key, .n = (uint32_t)n, .assets = (uint32_t)assets};
    f.checksum = checksum_of(&f, values, ids, weights);
    if (write_all(w->fd, &f, sizeof f) || write_all(w->fd, values, sizeof(double) * n) ||
        write_all(w->fd, ids, sizeof(int64_t) * assets) || write_all(w->fd, weights, sizeof(float) * assets)) {
        int why = errno;
        if (ftruncate(w->fd, w->end)) why = errno;
        return error_set(
            e,
            "%s: a finished row cannot be written: %s; the rows before it are kept: make room and run again with --resume",
            w->path, strerror(why));
    }
    w->end += (int64_t)(sizeof f + sizeof(double) * n + (sizeof(int64_t) + sizeof(float)) * assets);
    w->dirty = true;
    return clock_seconds() - w->synced >= w->interval ? part_sync(w, e) : 0;
}

int part_sync(struct part_writer *w, struct error *e)
{
    w->synced = clock_seconds();
    if (!w->dirty) return 0;
    w->dirty = false;
    return fdatasync(w->fd) ? error_set(e, "%s: cannot be forced to disk: %s", w->path, strerror(errno)) : 0;
}

int part_close(struct part_writer *w, struct error *e)
{
    int status = part_sync(w, e);
    if (w->fd >= 0 && close(w->fd)) status = error_set(e, "%s: cannot be closed: %s", w->path, strerror(errno));
    memory_free(w);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_files(const char *folder, struct part_index *x, struct error *e)
{
    DIR *d = opendir(folder);
    if (!d) return errno == ENOENT ? 0 : error_set(e, "%s: cannot be listed: %s", folder, strerror(errno));
    int room = 0, generation, rank;
    for (struct dirent *entry; (entry = readdir(d));) {
        char tail[8];
        if (sscanf(entry->d_name, "g%9d-r%9d.%7s", &generation, &rank, tail) != 3 || strcmp(tail, "rows")) continue;
        if (generation > x->generation) x->generation = generation;
        if (x->files == room) {
            char **more = memory_array(char *, room ? 2 * room : 64, "part names");
            if (x->files) memcpy(more, x->file, sizeof(char *) * (size_t)x->files);
            memory_free(x->file);
            x->file = more;
            room = room ? 2 * room : 64;
        }
        x->file[x->files++] = memory_text(entry->d_name);
    }
    closedir(d);
    if (x->files) qsort(x->file, (size_t)x->files, sizeof *x->file, by_name);
    return 0;
}

static void add_record(struct part_index *x, const struct part_record *r, size_t *room)
{
    if (x->records == *room) {
        size_t more = *room ? 2 * *room : 1024;
        struct part_record *bigger = memory_array(struct part_record, more, "part index");
        if (x->records) memcpy(bigger, x->record, sizeof *bigger * x->records);
        memory_free(x->record);
        x->record = bigger;
        *room = more;
    }
    x->record[x->records++] = *r;
}

/* Index the whole records of one log; a torn or foreign tail ends it. */
static int index_file(struct part_index *x, int file, size_t *room, struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", x->folder, x->file[file]);
    FILE *f = fopen(path, "rb");
    if (!f) return error_set(e, "%s: cannot be read: %s", path, strerror(errno));
    struct frame h;
    char *body = NULL;
    size_t capacity = 0;
    while (fread(&h, sizeof h, 1, f) == 1 && h.magic == MAGIC) {
        size_t bytes = sizeof(double) * h.n + (sizeof(int64_t) + sizeof(float)) * (size_t)h.assets;
        struct part_record r = {.key = h.key, .file = file, .at = ftello(f), .n = h.n, .assets = h.assets};
        struct stat s;
        if (fstat(fileno(f), &s) || (int64_t)bytes > s.st_size - r.at) break;
        if (bytes > capacity) {
            memory_free(body);
            body = memory_allocate(capacity = bytes, 1, "part record");
        }
        if (bytes && fread(body, 1, bytes, f) != bytes) break;
        const int64_t *ids = (const int64_t *)(const void *)(body + sizeof(double) * h.n);
        if (checksum_of(&h, (const double *)(const void *)body, ids, (const float *)(const void *)(ids + h.assets)) !=
            h.checksum)
            break;
        add_record(x, &r, room);
    }
    memory_free(body);
    fclose(f);
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct part_record *r = a, *q = b;
    const struct part_key *x = &r->key, *y = &q->key;
    if (x->config != y->config) return x->config < y->config ? -1 : 1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
    if (r->file != q->file) return r->file < q->file ? -1 : 1;
    return (r->at > q->at) - (r->at < q->at);
}

bool parts_serve(const struct part_record *r, int P, int S, size_t values)
{
    return r->n == values && r->key.row >= 0 && r->key.row < P && r->key.seed >= 0 && r->key.seed < S;
}

const struct part_record *parts_of(const struct part_index *x, int config, size_t *n)
{
    size_t low = 0, high = x->records;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (x->record[middle].key.config < config) low = middle + 1;
        else high = middle;
    }
    for (*n = 0; low + *n < x->records && x->record[low + *n].key.config == config;) ++*n;
    return x->record + low;
}

int parts_index(const char *folder, int share, int shares, struct part_index *x, struct error *e)
{
    size_t room = 0;
    *x = (struct part_index){.folder = memory_text(folder)};
    int status = list_files(folder, x, e);
    for (int i = share; i < x->files && !status; i += shares) status = index_file(x, i, &room, e);
    if (status) parts_free(x);
    else if (x->records) qsort(x->record, x->records, sizeof *x->record, by_key);
    return status;
}

void parts_free(struct part_index *x)
{
    for (int i = 0; i < x->files; i++) memory_free(x->file[i]);
    memory_free(x->file);
    memory_free(x->record);
    memory_free(x->folder);
    *x = (struct part_index){0};
}

int parts_read(const struct part_index *x, const struct part_record *r, double *values, int64_t *ids, float *weights,
               struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", x->folder, x->file[r->file]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_set(e, "%s: cannot be read: %s", path, strerror(errno));
    off_t at = (off_t)r->at;
    size_t a = sizeof(double) * r->n, b = sizeof(int64_t) * r->assets, c = sizeof(float) * r->assets;
    bool ok = pread(fd, values, a, at) == (ssize_t)a;
    if (ids) ok = ok && pread(fd, ids, b, at + (off_t)a) == (ssize_t)b;
    if (weights) ok = ok && pread(fd, weights, c, at + (off_t)(a + b)) == (ssize_t)c;
    close(fd);
    return ok ? 0 : error_set(e, "%s: a record at byte %lld vanished while it was read", path, (long long)r->at);
}

int parts_remove(const char *folder, struct error *e)
{
    DIR *d = opendir(folder);
    char path[4096];
    if (!d) return errno == ENOENT ? 0 : error_set(e, "%s: cannot be listed: %s", folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.' && (!entry->d_name[1] || !strcmp(entry->d_name, ".."))) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (unlink(path)) error_set(e, "%s: cannot be removed: %s", path, strerror(errno));
    }
    closedir(d);
    if (rmdir(folder)) error_set(e, "%s: cannot be removed: %s", folder, strerror(errno));
    return error_is_set(e) ? -1 : 0;
}
