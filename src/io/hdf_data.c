/* Datasets and groups of an open file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf_file.h"

static hid_t memory_type(enum hdf_type type)
{
    switch (type) {
    case HDF_INT8: return H5T_NATIVE_INT8;
    case HDF_UINT8: return H5T_NATIVE_UINT8;
    case HDF_INT32: return H5T_NATIVE_INT32;
    case HDF_INT64: return H5T_NATIVE_INT64;
    case HDF_FLOAT32: return H5T_NATIVE_FLOAT;
    case HDF_FLOAT64: return H5T_NATIVE_DOUBLE;
    }
    require(!"a type of hdf.h");
    return H5I_INVALID_HID;
}

static hid_t file_type(enum hdf_type type) /* little-endian everywhere: the same bytes on every machine */
{
    switch (type) {
    case HDF_INT8: return H5T_STD_I8LE;
    case HDF_UINT8: return H5T_STD_U8LE;
    case HDF_INT32: return H5T_STD_I32LE;
    case HDF_INT64: return H5T_STD_I64LE;
    case HDF_FLOAT32: return H5T_IEEE_F32LE;
    case HDF_FLOAT64: return H5T_IEEE_F64LE;
    }
    require(!"a type of hdf.h");
    return H5I_INVALID_HID;
}

static const char *type_name(enum hdf_type type)
{
    static const char *const names[] = {"int8", "uint8", "int32", "int64", "float32", "float64"};
    return names[type];
}

static const char *class_name(H5T_class_t c)
{
    return c == H5T_INTEGER  ? "integers"
           : c == H5T_FLOAT  ? "floating-point numbers"
           : c == H5T_STRING ? "text"
                             : "another type";
}

hid_t hdf_link_list(void)
{
    hid_t list = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(list, 1);
    H5Pset_char_encoding(list, H5T_CSET_UTF8);
    return list;
}

bool hdf_there(struct hdf *f, const char *what, htri_t answer)
{
    if (answer < 0) error_set(&f->unknown, "%s: whether there is a %s cannot be read: %s", f->path, what, hdf_reason());
    return answer > 0;
}

bool hdf_exists(struct hdf *f, const char *name)
{
    char *part = memory_text(name);
    bool there = *name;
    for (char *slash = part; there && slash;) { /* HDF5 wants every group on the way to exist */
        slash = strchr(slash + 1, '/');
        if (slash) *slash = '\0';
        if (strcmp(part, "/") && *part) there = hdf_there(f, part, H5Lexists(f->id, part, H5P_DEFAULT));
        if (slash) *slash = '/';
    }
    memory_free(part);
    return there && hdf_there(f, name, H5Oexists_by_name(f->id, name, H5P_DEFAULT));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hdf_handle *)a)->name, ((const struct hdf_handle *)b)->name);
}

static struct hdf_handle *remember(struct hdf *f, const char *name, hid_t id, H5T_class_t class, int rank,
                                   const int64_t *size)
{
    struct hdf_handle *h = memory_array(struct hdf_handle, 1, "open dataset");
    *h = (struct hdf_handle){.next = f->handles, .name = memory_text(name), .id = id, .class = class, .rank = rank};
    for (int i = 0; i < rank && i < HDF_DIMENSIONS; i++) h->size[i] = size[i];
    if (!tsearch(h, &f->by_name, by_name)) die("out of memory: the datasets of %s", f->path);
    return f->handles = h;
}

/* Chunks that a dataset must have, one for every part of its extent; 0: it is not cut into chunks. */
static hsize_t chunks_of(hid_t list, int rank, const hsize_t *size)
{
    hsize_t chunk[H5S_MAX_RANK], n = 1;
    if (H5Pget_layout(list) != H5D_CHUNKED || H5Pget_chunk(list, rank, chunk) != rank) return 0;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(n, (size[i] + chunk[i] - 1) / chunk[i], &n)) return HSIZE_UNDEF;
    return n;
}

int hdf_check_extent(struct hdf *f, const char *what, hid_t dataset, struct error *e)
{
    enum { DEFLATE_MOST = 1032 }; /* bytes that one byte of deflated data can stand for; other filters here do less */
    hsize_t size[H5S_MAX_RANK], n = 1, bytes = 0, file = 0, there = 0;
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset), list = H5Dget_create_plist(dataset);
    int rank = H5Sget_simple_extent_dims(space, size, NULL);
    bool absurd = rank < 0 || H5Fget_filesize(f->id, &file) < 0;
    for (int i = 0; i < rank; i++) absurd = absurd || __builtin_mul_overflow(n, size[i], &n);
    absurd = absurd || __builtin_mul_overflow(n, H5Tget_size(type), &bytes) || bytes > INT64_MAX / 16;
    hsize_t chunks = absurd ? 0 : chunks_of(list, rank, size), stored = absurd ? 0 : H5Dget_storage_size(dataset);
    hsize_t most = !chunks ? stored : stored > INT64_MAX / DEFLATE_MOST ? INT64_MAX : DEFLATE_MOST * stored;
    if (absurd) error_set(e, "%s: %s declares a size that no file has", f->path, what);
    else if (n && (stored > file || bytes > most))
        error_set(e, "%s: %s declares %llu bytes; the file of %llu bytes holds %llu of it: copy or make it again", f->path,
                  what, (unsigned long long)bytes, (unsigned long long)file,
                  (unsigned long long)(stored > file ? file : stored));
    else if (n && chunks && H5Dget_num_chunks(dataset, space, &there) >= 0 && there < chunks)
        error_set(e, "%s: %s has %llu of its %llu chunks; all are needed: it was not written to its end", f->path, what,
                  (unsigned long long)there, (unsigned long long)chunks);
    H5Pclose(list);
    H5Tclose(type);
    H5Sclose(space);
    return error_is_set(e) ? -1 : 0;
}

static struct hdf_handle *find(struct hdf *f, const char *name, struct error *e)
{
    struct hdf_handle **open = tfind(&(struct hdf_handle){.name = (char *)(uintptr_t)name}, &f->by_name, by_name);
    if (open) return *open;
    if (!hdf_exists(f, name)) {
        error_set(e, "%s: dataset %s is missing", f->path, name);
        return NULL;
    }
    hid_t id = H5Dopen2(f->id, name, H5P_DEFAULT);
    if (id < 0) {
        error_set(e, "%s: %s is not a dataset that can be read: %s", f->path, name, hdf_reason());
        return NULL;
    }
    hid_t space = H5Dget_space(id), type = H5Dget_type(id);
    hsize_t size[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, size, NULL);
    H5T_class_t class = H5Tget_class(type);
    H5Tclose(type);
    H5Sclose(space);
    char what[300];
    snprintf(what, sizeof what, "dataset %s", name);
    if (rank < 0 || rank > HDF_DIMENSIONS)
        error_set(e, "%s: %s has %d dimensions; at most %d are needed", f->path, what, rank, HDF_DIMENSIONS);
    if (rank < 0 || rank > HDF_DIMENSIONS || hdf_check_extent(f, what, id, e)) {
        H5Dclose(id);
        return NULL;
    }
    int64_t shape[HDF_DIMENSIONS] = {0};
    for (int i = 0; i < rank; i++) shape[i] = (int64_t)size[i];
    return remember(f, name, id, class, rank, shape);
}

static struct hdf_handle *find_typed(struct hdf *f, const char *name, enum hdf_type type, struct error *e)
{
    struct hdf_handle *h = find(f, name, e);
    if (!h) return NULL;
    H5T_class_t needed = type == HDF_FLOAT32 || type == HDF_FLOAT64 ? H5T_FLOAT : H5T_INTEGER;
    if (h->class == needed) return h;
    error_set(e, "%s: dataset %s holds %s; %s is needed", f->path, name, class_name(h->class), type_name(type));
    return NULL;
}

int hdf_shape(struct hdf *f, const char *name, enum hdf_type type, int *rank, int64_t size[HDF_DIMENSIONS], struct error *e)
{
    struct hdf_handle *h = find_typed(f, name, type, e);
    if (!h) return -1;
    *rank = h->rank;
    memcpy(size, h->size, sizeof h->size);
    return 0;
}

int hdf_fits(struct hdf *f, const char *name, enum hdf_type type, int rank, int64_t *size, const char *why, struct error *e)
{
    struct hdf_handle *h = find_typed(f, name, type, e);
    if (!h) return -1;
    if (h->rank != rank)
        return error_set(e, "%s: dataset %s has %d dimensions; %d are needed", f->path, name, h->rank, rank);
    for (int d = 0; d < rank; d++) {
        if (size[d] >= 0 && h->size[d] != size[d])
            return error_set(e, "%s: dataset %s has %lld %s; %lld are needed%s%s%s", f->path, name, (long long)h->size[d],
                             d          ? "columns"
                             : rank > 1 ? "rows"
                                        : "entries",
                             (long long)size[d], why ? " (" : "", why ? why : "", why ? ")" : "");
        size[d] = h->size[d];
    }
    return 0;
}

void *hdf_load(struct hdf *f, const char *name, enum hdf_type type, int rank, int64_t *size, const char *why,
               struct error *e)
{
    static const size_t bytes[] = {
        [HDF_INT8] = 1, [HDF_UINT8] = 1, [HDF_INT32] = 4, [HDF_INT64] = 8, [HDF_FLOAT32] = 4, [HDF_FLOAT64] = 8};
    size_t n = 1;
    if (hdf_fits(f, name, type, rank, size, why, e)) return NULL;
    for (int d = 0; d < rank; d++) n *= (size_t)size[d];
    void *data = memory_allocate(n, bytes[type], name);
    if (!hdf_read(f, name, type, data, e)) return data;
    memory_free(data);
    return NULL;
}

/* Why writing failed, where MPI-IO does not say it. */
static const char *write_reason(const struct hdf *f)
{
    struct statvfs s;
    const char *why = hdf_reason();
    char *copy = memory_text(f->path);
    bool full = !statvfs(dirname(copy), &s) && s.f_bavail < 16;
    memory_free(copy);
    return full && !strstr(why, "No space") ? "No space left on device" : why;
}

/* Transfer `count` entries along dimension 0 from `first`. */
static int transfer(struct hdf *f, struct hdf_handle *h, enum hdf_type type, int64_t first, int64_t count, void *in,
                    const void *out, struct error *e)
{
    if (h->rank == 0) require(first == 0 && count == 1);
    if (first < 0 || count < 0 || (h->rank && first + count > h->size[0]))
        return error_set(e, "%s: dataset %s has %lld entries; %lld .. %lld were asked for", f->path, h->name,
                         (long long)h->size[0], (long long)first, (long long)(first + count - 1));
    hsize_t start[HDF_DIMENSIONS] = {(hsize_t)first}, size[HDF_DIMENSIONS] = {(hsize_t)count}, n = 1;
    for (int i = 1; i < h->rank; i++) size[i] = (hsize_t)h->size[i];
    for (int i = 0; i < h->rank; i++) n *= size[i];
    if (n == 0) return 0;
    hid_t file = H5Dget_space(h->id), memory = H5Screate_simple(1, &n, NULL);
    if (h->rank) H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL);
    herr_t rc = in ? H5Dread(h->id, memory_type(type), memory, file, H5P_DEFAULT, in)
                   : H5Dwrite(h->id, memory_type(type), memory, file, H5P_DEFAULT, out);
    if (rc < 0)
        error_set(e, "%s: dataset %s, entries %lld .. %lld of %lld: %s failed: %s", f->path, h->name, (long long)first,
                  (long long)(first + count - 1), (long long)h->size[0], in ? "reading" : "writing",
                  in ? hdf_reason() : write_reason(f));
    H5Sclose(memory);
    H5Sclose(file);
    return rc < 0 ? -1 : 0;
}

int hdf_read(struct hdf *f, const char *name, enum hdf_type type, void *out, struct error *e)
{
    struct hdf_handle *h = find_typed(f, name, type, e);
    return h ? transfer(f, h, type, 0, h->rank ? h->size[0] : 1, out, NULL, e) : -1;
}

int hdf_read_part(struct hdf *f, const char *name, enum hdf_type type, int64_t first, int64_t count, void *out,
                  struct error *e)
{
    struct hdf_handle *h = find_typed(f, name, type, e);
    return h ? transfer(f, h, type, first, count, out, NULL, e) : -1;
}

int hdf_write_part(struct hdf *f, const char *name, enum hdf_type type, int64_t first, int64_t count, const void *data,
                   struct error *e)
{
    struct hdf_handle *h = find_typed(f, name, type, e);
    return h ? transfer(f, h, type, first, count, NULL, data, e) : -1;
}

/* Ask the file system for the blocks of a large dataset now: a full disk then shows before the work, not in its middle. */
static int reserve(const struct hdf *f, hid_t dataset, const char *name, struct error *e)
{
    enum { SMALL = 1 << 20 };
    haddr_t at = H5Dget_offset(dataset);
    hsize_t bytes = H5Dget_storage_size(dataset);
    if (!f->temporary || at == HADDR_UNDEF || bytes < SMALL) return 0;
    int fd = open(f->temporary, O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes) &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        error_set(e, "%s: no room for dataset %s (%.1f MB): %s", f->path, name, (double)bytes / 1e6, strerror(errno));
    close(fd);
    return error_is_set(e) ? -1 : 0;
}

int hdf_dataset(struct hdf *f, const char *name, enum hdf_type type, int rank, const int64_t *size, int64_t chunk_rows,
                const void *fill, struct error *e)
{
    require(rank >= 0 && rank <= HDF_DIMENSIONS &&
            !(f->team && chunk_rows)); /* deflated chunks cannot be written independently */
    hsize_t extent[HDF_DIMENSIONS] = {1, 1, 1, 1}, chunk[HDF_DIMENSIONS];
    for (int i = 0; i < rank; i++) chunk[i] = extent[i] = (hsize_t)size[i];
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), links = hdf_link_list();
    H5Pset_obj_track_times(list, false);
    if (fill) H5Pset_fill_value(list, memory_type(type), fill);
    bool empty = rank && (!extent[0] || !extent[1] || !extent[2] || !extent[3]);
    if (chunk_rows && rank && !empty) {
        if ((hsize_t)chunk_rows < extent[0]) chunk[0] = (hsize_t)chunk_rows;
        H5Pset_chunk(list, rank, chunk);
        H5Pset_shuffle(list);
        H5Pset_deflate(list, 4);
    } else if (!empty) {
        H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
        H5Pset_fill_time(list, fill ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER);
    }
    hid_t space = rank ? H5Screate_simple(rank, extent, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Dcreate2(f->id, name, file_type(type), space, links, list, H5P_DEFAULT);
    if (id < 0) error_set(e, "%s: dataset %s cannot be made: %s", f->path, name, hdf_reason());
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(list);
    if (id >= 0) {
        H5T_class_t class = type == HDF_FLOAT32 || type == HDF_FLOAT64 ? H5T_FLOAT : H5T_INTEGER;
        remember(f, name, id, class, rank, size);
        if (hdf_leads(f) && !fill) reserve(f, id, name, e);
    }
    return hdf_agree(f, e);
}

int hdf_write(struct hdf *f, const char *name, enum hdf_type type, int rank, const int64_t *size, const void *data,
              struct error *e)
{
    if (hdf_dataset(f, name, type, rank, size, 0, NULL, e)) return -1;
    if (hdf_leads(f)) hdf_write_part(f, name, type, 0, rank ? size[0] : 1, data, e);
    return hdf_agree(f, e);
}

static herr_t count_member(hid_t group, const char *name, const H5L_info_t *info, void *to)
{
    (void)group, (void)name, (void)info;
    ++*(int *)to;
    return 0;
}

struct members {
    char **names;
    int n;
};

static herr_t take_member(hid_t group, const char *name, const H5L_info_t *info, void *to)
{
    (void)group, (void)info;
    struct members *m = to;
    m->names[m->n++] = memory_text(name);
    return 0;
}

int hdf_list(struct hdf *f, const char *group, int *n, char ***names, struct error *e)
{
    int count = 0;
    *n = 0, *names = NULL;
    if (!hdf_exists(f, group)) return error_set(e, "%s: group %s is missing", f->path, group);
    if (H5Literate_by_name(f->id, group, H5_INDEX_NAME, H5_ITER_INC, NULL, count_member, &count, H5P_DEFAULT) < 0)
        return error_set(e, "%s: group %s cannot be read: %s", f->path, group, hdf_reason());
    struct members m = {memory_array(char *, count, "names"), 0};
    herr_t rc = H5Literate_by_name(f->id, group, H5_INDEX_NAME, H5_ITER_INC, NULL, take_member, &m, H5P_DEFAULT);
    *n = m.n, *names = m.names;
    if (rc >= 0) return 0;
    texts_free(m.n, m.names);
    *n = 0, *names = NULL;
    return error_set(e, "%s: group %s cannot be read: %s", f->path, group, hdf_reason());
}
