/* Part logs: see parts.h, and README.md for why nothing in them is lost. */
#include "io/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "io/durable_file.h"

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
    bool dirty, named; /* named: the log's entry in its folder is on disk */
};

struct part_writer *part_create(const char *folder, int generation, int rank, double seconds)
{
    struct part_writer *w = memory_array(struct part_writer, 1, "part writer");
    *w = (struct part_writer){.fd = -1, .interval = seconds, .synced = os_clock()};
    snprintf(w->path, sizeof w->path, "%s/g%04d-r%06d.rows", folder, generation, rank);
    return w;
}

static uint32_t checksum_of(const struct frame *f, const void *values, const void *ids, const void *weights)
{
    uLong c = crc32(0, (const Bytef *)&f->key, sizeof *f - offsetof(struct frame, key));
    c = crc32_z(c, values, sizeof(double) * f->n);
    if (f->assets) {
        c = crc32_z(c, ids, sizeof(int64_t) * f->assets);
        c = crc32_z(c, weights, sizeof(float) * f->assets);
    }
    return (uint32_t)c;
}

static int write_record(struct part_writer *w, const struct frame *f, const double *values, const int64_t *ids,
                        const float *weights)
{
    const struct {
        const void *data;
        size_t bytes;
    } piece[] = {{f, sizeof *f},
                 {values, sizeof(double) * f->n},
                 {ids, sizeof(int64_t) * f->assets},
                 {weights, sizeof(float) * f->assets}};
    int64_t at = w->end;
    for (size_t i = 0; i < sizeof piece / sizeof *piece; i++) {
        if (piece[i].bytes && os_write_at(w->fd, piece[i].data, piece[i].bytes, at)) return -1;
        at += (int64_t)piece[i].bytes;
    }
    w->end = at;
    return 0;
}

int part_append(struct part_writer *w, const struct part_key *key, size_t n, const double *values, size_t assets,
                const int64_t *ids, const float *weights, struct error *e)
{
    if (w->fd < 0 && (w->fd = os_open(w->path, OS_CREATE)) < 0)
        return error_set(e, "%s: cannot be created: %s", w->path, strerror(errno));
    struct frame f = {.magic = MAGIC, .key = *key, .n = (uint32_t)n, .assets = (uint32_t)assets};
    f.checksum = checksum_of(&f, values, ids, weights);
    if (write_record(w, &f, values, ids, weights))
        return error_set(
            e,
            "%s: a finished row cannot be written: %s; the rows before it are kept: make room and run again with --resume",
            w->path, strerror(errno));
    w->dirty = true;
    return os_clock() - w->synced >= w->interval ? part_sync(w, e) : 0;
}

int part_sync(struct part_writer *w, struct error *e)
{
    w->synced = os_clock();
    if (!w->dirty) return 0;
    w->dirty = false;
    if (os_sync(w->fd)) return error_set(e, "%s: cannot be forced to disk: %s", w->path, strerror(errno));
    if (!w->named && folder_sync(w->path, e)) return -1;
    w->named = true;
    return 0;
}

int part_close(struct part_writer *w, struct error *e)
{
    int status = part_sync(w, e);
    if (w->fd >= 0 && os_close(w->fd)) status = error_set(e, "%s: cannot be closed: %s", w->path, strerror(errno));
    memory_free(w);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_file(void *context, const char *name)
{
    struct part_index *x = context;
    int generation, rank, end = 0;
    if (sscanf(name, "g%9d-r%9d.rows%n", &generation, &rank, &end) != 2 || !end || name[end]) return;
    if (generation > x->generation) x->generation = generation;
    x->file = memory_grow(x->file, (size_t)x->files + 1, sizeof *x->file, "part names");
    x->file[x->files++] = memory_text(name);
}

static int list_files(const char *folder, struct part_index *x, struct error *e)
{
    if (os_list(folder, add_file, x) && errno != ENOENT)
        return error_set(e, "%s: cannot be listed: %s", folder, strerror(errno));
    if (x->files) qsort(x->file, (size_t)x->files, sizeof *x->file, by_name);
    return 0;
}

static void add_record(struct part_index *x, const struct part_record *r)
{
    x->record = memory_grow(x->record, x->records + 1, sizeof *x->record, "part index");
    x->record[x->records++] = *r;
}

/* A log being read: `held` bytes from `at` of the file stand in the buffer, from `first`. */
struct log_reader {
    int fd;
    int64_t at, size;
    char *buffer;
    size_t capacity, first, held;
};

/* Make n bytes from r->at stand in the buffer. 1; 0 the log has no more; -1 errno. */
static int look_ahead(struct log_reader *r, size_t n)
{
    if (r->held >= n) return 1;
    if ((int64_t)n > r->size - r->at) return 0;
    if (n > r->capacity) {
        memory_free(r->buffer);
        r->capacity = n < 1 << 16 ? 1 << 16 : n;
        if ((int64_t)r->capacity > r->size - r->at) r->capacity = (size_t)(r->size - r->at);
        r->buffer = memory_allocate(r->capacity, 1, "part records");
    }
    size_t more = r->size - r->at < (int64_t)r->capacity ? (size_t)(r->size - r->at) : r->capacity;
    ssize_t k = os_read_at(r->fd, r->buffer, more, r->at);
    r->first = 0;
    r->held = k > 0 ? (size_t)k : 0;
    return k < 0 ? -1 : r->held >= n;
}

static void go_on(struct log_reader *r, size_t n)
{
    r->held -= n;
    r->first += n;
    r->at += (int64_t)n;
}

/* The next whole record; it is then passed. 1; 0 a torn or foreign tail, or the end; -1 errno. */
static int next_record(struct log_reader *r, struct part_record *record)
{
    struct frame h;
    int there = look_ahead(r, sizeof h);
    if (there <= 0) return there;
    memcpy(&h, r->buffer + r->first, sizeof h);
    if (h.magic != MAGIC) return 0;
    size_t bytes = sizeof(double) * h.n + (sizeof(int64_t) + sizeof(float)) * (size_t)h.assets;
    there = look_ahead(r, sizeof h + bytes);
    if (there <= 0) return there;
    const char *body = r->buffer + r->first + sizeof h, *ids = body + sizeof(double) * h.n,
               *weights = ids + sizeof(int64_t) * h.assets;
    if (checksum_of(&h, body, ids, weights) != h.checksum) return 0;
    *record = (struct part_record){.key = h.key, .at = r->at + (int64_t)sizeof h, .n = h.n, .assets = h.assets};
    go_on(r, sizeof h + bytes);
    return 1;
}

/* Index the whole records of one log. */
static int index_file(struct part_index *x, int file, struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", x->folder, x->file[file]);
    struct log_reader r = {.fd = os_open(path, OS_READ)};
    struct part_record record;
    int there = -1;
    if (r.fd >= 0 && (r.size = os_size(r.fd)) >= 0)
        while ((there = next_record(&r, &record)) > 0) {
            record.file = file;
            add_record(x, &record);
        }
    if (there < 0) error_set(e, "%s: cannot be read: %s", path, strerror(errno));
    memory_free(r.buffer);
    if (r.fd >= 0) os_close(r.fd);
    return there;
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
    return *n ? x->record + low : x->record;
}

int parts_index(const char *folder, int share, int shares, struct part_index *x, struct error *e)
{
    *x = (struct part_index){.folder = memory_text(folder)};
    int status = list_files(folder, x, e);
    for (int i = share; i < x->files && !status; i += shares) status = index_file(x, i, e);
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
    int fd = os_open(path, OS_READ);
    if (fd < 0) return error_set(e, "%s: cannot be read: %s", path, strerror(errno));
    size_t a = sizeof(double) * r->n, b = sizeof(int64_t) * r->assets, c = sizeof(float) * r->assets;
    bool ok = os_read_at(fd, values, a, r->at) == (ssize_t)a;
    if (ids) ok = ok && os_read_at(fd, ids, b, r->at + (int64_t)a) == (ssize_t)b;
    if (weights) ok = ok && os_read_at(fd, weights, c, r->at + (int64_t)(a + b)) == (ssize_t)c;
    os_close(fd);
    return ok ? 0 : error_set(e, "%s: a record at byte %lld vanished while it was read", path, (long long)r->at);
}

/* ---- the folder: RESULTS.parts/ID ---- */

enum { ID = 16 }; /* hexadecimal digits */

static bool is_id(const char *name)
{
    return strlen(name) == ID && strspn(name, "0123456789abcdef") == ID;
}

/* Whether the skeleton is there: 1 yes, 0 no, -1 it cannot be told. */
static int has_skeleton(const char *parts, const char *name, char folder[PARTS_PATH])
{
    char skeleton[PARTS_PATH + 32];
    snprintf(folder, PARTS_PATH, "%s/%s", parts, name);
    snprintf(skeleton, sizeof skeleton, "%s/%s", folder, PARTS_SKELETON);
    enum os_kind kind = os_kind(skeleton);
    return kind == OS_FILE ? 1 : kind == OS_NOTHING && errno == ENOENT ? 0 : -1;
}

struct search {
    const char *parts;
    char *folder;
    struct error *error;
};

static void find_one(void *context, const char *name)
{
    const struct search *s = context;
    char folder[PARTS_PATH];
    if (is_id(name) && has_skeleton(s->parts, name, folder) == 1) strcpy(s->folder, folder);
}

bool parts_find(const char *parts, char folder[PARTS_PATH])
{
    *folder = '\0';
    os_list(parts, find_one, &(struct search){.parts = parts, .folder = folder});
    return *folder;
}

static void clear_one(void *context, const char *name)
{
    const struct search *s = context;
    char folder[PARTS_PATH];
    if (is_id(name) && has_skeleton(s->parts, name, folder) == 0) parts_remove(s->parts, folder, s->error);
}

int parts_clear(const char *parts, struct error *e)
{
    os_list(parts, clear_one, &(struct search){.parts = parts, .error = e});
    if (!error_is_set(e) && os_rmdir(parts) && errno != ENOENT)
        error_set(e, "%s: found what is no run of this version: %s; needed: its removal, or another output", parts,
                  strerror(errno));
    return error_is_set(e) ? -1 : 0;
}

int parts_begin(const char *parts, struct durable_file *beside, char folder[PARTS_PATH], struct error *e)
{
    uint64_t id;
    os_random(&id, sizeof id);
    if (durable_begin_folder(beside, parts, e)) return -1;
    snprintf(folder, PARTS_PATH, "%s/%016" PRIx64, beside->temporary, id);
    return 0;
}

int parts_commit(const char *parts, struct durable_file *beside, char folder[PARTS_PATH], struct error *e)
{
    char id[ID + 1];
    snprintf(id, sizeof id, "%s", strrchr(folder, '/') + 1);
    snprintf(folder, PARTS_PATH, "%s/%s", parts, id);
    return durable_commit(beside, e);
}

int parts_remove(const char *parts, const char *folder, struct error *e)
{
    char skeleton[PARTS_PATH + 32];
    snprintf(skeleton, sizeof skeleton, "%s/%s", folder, PARTS_SKELETON);
    /* without its skeleton, on disk too, a folder is known for what is left to be removed */
    os_unlink(skeleton);
    if (folder_sync(skeleton, e)) return -1;
    if (os_remove_all(folder)) return error_set(e, "%s: cannot be removed: %s", folder, strerror(errno));
    os_rmdir(parts); /* where nobody has begun another meanwhile */
    return folder_sync(parts, e);
}
