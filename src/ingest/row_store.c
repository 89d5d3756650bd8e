/* Rows by period, in memory up to a limit and in a temporary file beyond. */
#define _GNU_SOURCE
#include "row_store.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/durable_file.h"

enum { CHUNK = 1 << 16, FIRST_ROWS = 4 };

struct chunk {
    char *data; /* NULL: in the file */
    int64_t at;
    int rows, capacity;
};
struct slot {
    int64_t rows;
    int chunks;
    struct chunk *chunk;
};
struct row_store {
    size_t row_bytes, memory, held;
    int first_key, keys;
    struct slot *slot; /* [keys] */
    char *folder;
    int fd;
    int64_t file_bytes;
};

struct row_store *row_store_create(size_t row_bytes, int first_key, int keys, size_t memory, const char *beside)
{
    struct row_store *s = memory_array(struct row_store, 1, "row store");
    char *copy = memory_text(beside);
    *s = (struct row_store){.row_bytes = row_bytes, .memory = memory, .first_key = first_key, .keys = keys, .fd = -1};
    s->slot = memory_array(struct slot, keys, "periods of a row store");
    s->folder = memory_text(dirname(copy));
    memory_free(copy);
    return s;
}

void row_store_free(struct row_store *s)
{
    if (!s) return;
    for (int k = 0; k < s->keys; k++) {
        for (int c = 0; c < s->slot[k].chunks; c++) memory_free(s->slot[k].chunk[c].data);
        memory_free(s->slot[k].chunk);
    }
    if (s->fd >= 0) close(s->fd);
    memory_free_all(s->slot, s->folder, s);
}

static int open_file(struct row_store *s, struct error *e)
{
    char name[4096];
    struct durable_file f;
    snprintf(name, sizeof name, "%s/.aipm-rows", s->folder);
    if (durable_begin(&f, name, e)) return -1;
    s->fd = f.fd;
    f.fd = -1;
    durable_abandon(&f);
    return 0;
}

static int spill(struct row_store *s, struct chunk *c, struct error *e)
{
    if (s->fd < 0 && open_file(s, e)) return -1;
    size_t bytes = (size_t)c->rows * s->row_bytes;
    for (size_t done = 0; done < bytes;) {
        ssize_t k = pwrite(s->fd, c->data + done, bytes - done, s->file_bytes + (int64_t)done);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0)
            return error_set(e,
                             "%s: writing temporary rows failed after %lld bytes: %s; needed is room for all rows as "
                             "numbers (8 bytes each)",
                             s->folder, (long long)s->file_bytes, strerror(errno));
        done += (size_t)k;
    }
    c->at = s->file_bytes;
    s->file_bytes += (int64_t)bytes;
    s->held -= (size_t)c->capacity * s->row_bytes;
    memory_free(c->data);
    c->data = NULL;
    return 0;
}

static void chunk_resize(struct row_store *s, struct chunk *c, int capacity)
{
    char *data = memory_array(char, (size_t)capacity * s->row_bytes, "rows of a period");
    if (c->rows) memcpy(data, c->data, (size_t)c->rows * s->row_bytes);
    memory_free(c->data);
    s->held += (size_t)(capacity - c->capacity) * s->row_bytes;
    c->data = data;
    c->capacity = capacity;
}

/* The chunk of a slot that has room for one more row. */
static struct chunk *chunk_with_room(struct row_store *s, struct slot *p, struct error *e)
{
    int most = (int)(CHUNK / s->row_bytes > FIRST_ROWS ? CHUNK / s->row_bytes : FIRST_ROWS);
    struct chunk *last = p->chunks ? &p->chunk[p->chunks - 1] : NULL;
    if (last && last->rows < last->capacity) return last;
    if (last && last->capacity < most) {
        chunk_resize(s, last, 2 * last->capacity < most ? 2 * last->capacity : most);
        return last;
    }
    if (last && s->held > s->memory && spill(s, last, e)) return NULL;
    p->chunk = memory_grow(p->chunk, (size_t)p->chunks + 1, sizeof *p->chunk, "chunks of a period");
    last = &p->chunk[p->chunks++];
    *last = (struct chunk){NULL, 0, 0, 0};
    chunk_resize(s, last, p->chunks == 1 ? FIRST_ROWS : most);
    return last;
}

int row_store_add(struct row_store *s, int key, const void *row, struct error *e)
{
    require(key >= s->first_key && key < s->first_key + s->keys);
    struct slot *p = &s->slot[key - s->first_key];
    struct chunk *c = chunk_with_room(s, p, e);
    if (!c) return -1;
    memcpy(c->data + (size_t)c->rows++ * s->row_bytes, row, s->row_bytes);
    p->rows++;
    return 0;
}

int64_t row_store_rows(const struct row_store *s, int key)
{
    return key < s->first_key || key >= s->first_key + s->keys ? 0 : s->slot[key - s->first_key].rows;
}

int row_store_load(struct row_store *s, int key, void *out, struct error *e)
{
    if (!row_store_rows(s, key)) return 0;
    const struct slot *p = &s->slot[key - s->first_key];
    char *to = out;
    for (int c = 0; c < p->chunks; c++) {
        size_t bytes = (size_t)p->chunk[c].rows * s->row_bytes;
        if (p->chunk[c].data) memcpy(to, p->chunk[c].data, bytes);
        for (size_t done = p->chunk[c].data ? bytes : 0; done < bytes;) {
            ssize_t k = pread(s->fd, to + done, bytes - done, p->chunk[c].at + (int64_t)done);
            if (k < 0 && errno == EINTR) continue;
            if (k <= 0)
                return error_set(e, "%s: reading temporary rows back failed: %s", s->folder,
                                 k ? strerror(errno) : "the file is too short");
            done += (size_t)k;
        }
        to += bytes;
    }
    return 0;
}

int64_t row_store_spilled(const struct row_store *s)
{
    return s->file_bytes;
}
