/* Parameters of fits and states of fits under way, to files and back, with a checksum for states. */
#include "io/parameters_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "io/durable_file.h"
#include "io/hdf.h"

char *parameters_folder(const char *folder, const char *universe, const char *name, int seed)
{
    size_t size = strlen(folder) + strlen(universe) + strlen(name) + 32;
    char *path = memory_array(char, size, "path");
    snprintf(path, size, "%s/%s/%s/seed=%d", folder, universe, name, seed);
    return path;
}

static size_t largest_tensor(const struct network *n)
{
    size_t most = 0;
    for (int i = 0; i < n->tensors; i++)
        if (tensor_size(&n->tensor[i]) > most) most = tensor_size(&n->tensor[i]);
    return most;
}

static int write_tensor(struct hdf *f, const struct network *n, int i, float *values, struct error *e)
{
    const struct tensor *t = &n->tensor[i];
    int64_t size[HDF_DIMENSIONS];
    for (int d = 0; d < t->rank; d++) size[d] = t->size[d];
    tensor_export(n, i, values);
    return hdf_write(f, t->name, HDF_FLOAT32, t->rank, size, values, e);
}

int parameters_save(const char *folder, int64_t date, const struct network *n, struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%lld.h5", folder, (long long)date);
    struct hdf *f = hdf_create(path, NULL, e);
    if (!f) return -1;
    float *values = memory_array(float, largest_tensor(n), "tensor");
    hdf_put_text(f, "/", "aipm_format", "parameters", e);
    hdf_put_int(f, "/", "format_version", 1, e);
    for (int i = 0; i < n->tensors && !error_is_set(e); i++) write_tensor(f, n, i, values, e);
    memory_free(values);
    return hdf_close(f, e);
}

/* The latest DATE.h5 of a folder that is not after `date`; -1: none. */
static int64_t latest(const char *folder, int64_t date)
{
    DIR *d = opendir(folder);
    int64_t best = -1;
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char *end;
        long long x = strtoll(entry->d_name, &end, 10);
        if (end != entry->d_name && !strcmp(end, ".h5") && x <= date && x > best) best = x;
    }
    if (d) closedir(d);
    return best;
}

static int read_tensor(struct hdf *f, struct network *n, int i, float *values, struct error *e)
{
    const struct tensor *t = &n->tensor[i];
    int rank;
    int64_t size[HDF_DIMENSIONS];
    char found[128] = "", needed[128] = "";
    if (hdf_shape(f, t->name, HDF_FLOAT32, &rank, size, e)) return -1;
    int same = rank == t->rank;
    for (int d = 0; d < rank; d++) {
        same = same && size[d] == t->size[d];
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%lld", d ? " x " : "", (long long)size[d]);
    }
    for (int d = 0; d < t->rank; d++)
        snprintf(needed + strlen(needed), sizeof needed - strlen(needed), "%s%d", d ? " x " : "", t->size[d]);
    if (!same)
        return error_set(e, "%s: %s: found shape %s; needed: %s, the network's on this panel", hdf_path(f), t->name, found,
                         needed);
    if (hdf_read(f, t->name, HDF_FLOAT32, values, e)) return -1;
    tensor_import(n, i, values);
    return 0;
}

int parameters_load(const char *folder, int64_t date, struct network *n, int64_t *found, struct error *e)
{
    char path[4096];
    *found = latest(folder, date);
    if (*found < 0)
        return error_set(e, "%s: no parameters of %lld or before; needed: a run with save_parameters: true", folder,
                         (long long)date);
    snprintf(path, sizeof path, "%s/%lld.h5", folder, (long long)*found);
    struct hdf *f = hdf_open(path, NULL, e);
    if (!f) return -1;
    float *values = memory_array(float, largest_tensor(n), "tensor");
    if (!hdf_check_format(f, "parameters", 1, e))
        for (int i = 0; i < n->tensors && !error_is_set(e); i++) read_tensor(f, n, i, values, e);
    memory_free(values);
    return hdf_close(f, e);
}

/* ---- states ---- */

static const char magic[8] = "aipmfit";
struct state_head {
    char magic[8];
    uint64_t bytes, check;
};

static uint64_t checksum(const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uLong c = crc32(0, NULL, 0);
    for (size_t done = 0; done < bytes; done += 1 << 30)
        c = crc32(c, at + done, (uInt)(bytes - done < 1 << 30 ? bytes - done : 1 << 30));
    return c;
}

int state_write(const char *path, const void *data, size_t bytes, struct error *e)
{
    struct durable_file f;
    struct state_head head = {.bytes = bytes, .check = checksum(data, bytes)};
    memcpy(head.magic, magic, sizeof head.magic);
    if (durable_begin(&f, path, e)) return -1;
    if (os_write_at(f.fd, &head, sizeof head, 0) || os_write_at(f.fd, data, bytes, sizeof head))
        error_set(e, "%s: cannot be written: %s", path, strerror(errno));
    return durable_commit(&f, e);
}

void *state_read(const char *path, size_t *bytes)
{
    struct state_head head;
    char *data = NULL;
    int fd = os_open(path, OS_READ);
    if (fd < 0) return NULL;
    if (os_read_at(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && !memcmp(head.magic, magic, sizeof magic) &&
        os_size(fd) - (int64_t)sizeof head == (int64_t)head.bytes) {
        data = memory_allocate(head.bytes, 1, "a saved state");
        if (os_read_at(fd, data, head.bytes, sizeof head) != (ssize_t)head.bytes ||
            checksum(data, head.bytes) != head.check) {
            memory_free(data);
            data = NULL;
        }
    }
    os_close(fd);
    *bytes = data ? head.bytes : 0;
    return data;
}
