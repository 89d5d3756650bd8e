/* What a stranger's file is put through before this program reads it: every object, attribute, chunk and small dataset, in a child with
 * limits on time and memory, because libhdf5 1.10 trusts what it finds: a damaged byte makes it loop, run out of memory or crash.
 *
 * What is read, and why that is enough. Metadata wholly: the superblock, object headers, symbol tables, B-trees and heaps are where
 * libhdf5 follows addresses and counts, so every object is opened, every attribute read and every chunk looked up. Text wholly, for its
 * bytes lie in heaps that are followed too. Datasets that pass through filters wholly, since a chunk that unpacks to another size than
 * declared is overrun. Raw numbers lie at an address and of a length that are compared with the file; what stands there is only
 * copied, so of large ones (a panel's rows, gigabytes) the first megabytes are read, and their values are checked by who uses them.
 *
 * What is refused although libhdf5 would follow it: links that leave the tree (soft, external, user-defined), data in other files
 * (external storage, virtual datasets), filters beyond deflate, shuffle and checksum, numbers that are none of the standard ones. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/hdf_file.h"
#include "io/hdf_probe.h"

enum { DEEPEST = 32, MOST_OBJECTS = 1000000, LARGE = 16 << 20, NAME = 600 };

struct probe {
    struct hdf *f;
    struct error *e;
    hsize_t bytes; /* of the file */
    long objects;
    int depth;
    char path[NAME]; /* of the object at hand */
};

/* So many more bytes are to be unpacked: time for them, at a tenth of the usual speed. */
static void allow_time(hsize_t bytes)
{
    struct rusage used;
    struct rlimit limit;
    rlim_t more = PROBE_SECONDS + bytes / 20000000;
    getrusage(RUSAGE_SELF, &used);
    getrlimit(RLIMIT_CPU, &limit);
    limit.rlim_cur = (rlim_t)used.ru_utime.tv_sec + (rlim_t)used.ru_stime.tv_sec + more;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CPU, &limit);
    alarm((unsigned)(12 * more));
}

static int refuse(struct probe *w, const char *what, const char *why)
{
    return error_set(w->e, "%s: %s %s: %s", hdf_path(w->f), *w->path ? w->path : "/", what, why);
}

static int broken(struct probe *w, const char *what)
{
    char why[500];
    snprintf(why, sizeof why, "%s; the file is damaged: copy or make it again", hdf_reason());
    return refuse(w, what, why);
}

/* Numbers as any machine of today writes them, text, or what nobody here reads. */
static bool type_stands(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    const hid_t numbers[] = {H5T_STD_I8LE,  H5T_STD_U8LE,  H5T_STD_I16LE,  H5T_STD_U16LE,  H5T_STD_I32LE,  H5T_STD_U32LE,
                             H5T_STD_I64LE, H5T_STD_U64LE, H5T_STD_I16BE,  H5T_STD_U16BE,  H5T_STD_I32BE,  H5T_STD_U32BE,
                             H5T_STD_I64BE, H5T_STD_U64BE, H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE};
    if (class != H5T_INTEGER && class != H5T_FLOAT) return class != H5T_NO_CLASS;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (H5Tequal(type, numbers[i]) > 0) return true;
    return false;
}

/* What this program reads a value as; H5I_INVALID_HID for what it never reads. *size: its bytes in memory. */
static hid_t read_as(hid_t type, size_t *size)
{
    hid_t as = H5I_INVALID_HID;
    switch (H5Tget_class(type)) {
    case H5T_INTEGER: as = H5Tcopy(H5T_NATIVE_INT64); break;
    case H5T_FLOAT: as = H5Tcopy(H5T_NATIVE_DOUBLE); break;
    case H5T_STRING: as = H5Tcopy(type); break;
    default: return as;
    }
    *size = H5Tget_size(as);
    return as;
}

static herr_t read_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    struct probe *w = context;
    char what[NAME];
    size_t size;
    (void)info;
    snprintf(what, sizeof what, "attribute %.500s", name);
    hid_t id = H5Aopen(object, name, H5P_DEFAULT);
    if (id < 0) return broken(w, what), -1;
    hid_t type = H5Aget_type(id), space = H5Aget_space(id), as = type < 0 ? type : read_as(type, &size);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    if (type < 0 || space < 0 || n < 0) broken(w, what);
    else if (!type_stands(type)) refuse(w, what, "holds numbers of no standard type");
    else if (n && H5Tget_size(type) > w->bytes / (hsize_t)n) refuse(w, what, "declares more values than the file has bytes");
    else if (as >= 0 && n) {
        char *values = memory_allocate((size_t)n, size, what);
        if (H5Aread(id, as, values) < 0) broken(w, what);
        else if (H5Tis_variable_str(as) > 0) H5Dvlen_reclaim(as, space, H5P_DEFAULT, values);
        memory_free(values);
    }
    if (as >= 0) H5Tclose(as);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    H5Aclose(id);
    return error_is_set(w->e) ? -1 : 0;
}

static int check_filters(struct probe *w, hid_t list)
{
    int n = H5Pget_nfilters(list);
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        char why[100];
        H5Z_filter_t filter = H5Pget_filter2(list, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32) continue;
        snprintf(why, sizeof why, "found filter %d; needed: none but deflate, shuffle and checksum", (int)filter);
        return refuse(w, "passes through a filter", why);
    }
    return n < 0 ? broken(w, "has filters that cannot be read") : 0;
}

/* Every chunk of the extent stands inside the file. */
static int check_chunks(struct probe *w, hid_t id, hid_t list, int rank, const hsize_t *size)
{
    hsize_t chunk[H5S_MAX_RANK], at[H5S_MAX_RANK] = {0}, bytes;
    haddr_t place;
    unsigned mask;
    if (H5Pget_chunk(list, rank, chunk) != rank) return broken(w, "has chunks that cannot be read");
    for (int i = 0; i < rank; i++)
        if (!size[i]) return 0;
    for (int axis = 0; axis >= 0;) {
        if (H5Dget_chunk_info_by_coord(id, at, &mask, &place, &bytes) < 0)
            return broken(w, "has a chunk that cannot be found");
        if (place == HADDR_UNDEF) return refuse(w, "lacks a chunk", "it was not written to its end");
        if (bytes > w->bytes || place > w->bytes - bytes) return refuse(w, "has a chunk beyond the file's end", "damaged");
        for (axis = rank - 1; axis >= 0 && (at[axis] += chunk[axis]) >= size[axis]; axis--) at[axis] = 0;
    }
    return 0;
}

static int check_layout(struct probe *w, hid_t id, hid_t list, int rank, const hsize_t *size)
{
    haddr_t place = H5Dget_offset(id);
    hsize_t stored = H5Dget_storage_size(id);
    switch (H5Pget_layout(list)) {
    case H5D_COMPACT: return 0;
    case H5D_CONTIGUOUS:
        if (H5Pget_external_count(list)) return refuse(w, "keeps its data in another file", "needed: data in this file");
        if (stored && place != HADDR_UNDEF && (stored > w->bytes || place > w->bytes - stored))
            return refuse(w, "reaches beyond the file's end", "the file is damaged or truncated: copy or make it again");
        return 0;
    case H5D_CHUNKED: return check_filters(w, list) ? -1 : check_chunks(w, id, list, rank, size);
    case H5D_VIRTUAL: return refuse(w, "is a virtual dataset", "needed: data in this file");
    default: return broken(w, "has a layout that cannot be read");
    }
}

/* Rows of a dataset in pieces of a few megabytes: all of it where HDF5 follows or unpacks something, else the first piece. */
static int read_rows(struct probe *w, hid_t id, hid_t type, hid_t list, int rank, const hsize_t *size)
{
    size_t bytes;
    hsize_t row = 1, start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK];
    hid_t as = read_as(type, &bytes);
    if (as < 0) return 0;
    bool text = H5Tis_variable_str(as) > 0, wholly = text || H5Pget_layout(list) == H5D_CHUNKED;
    for (int i = 1; i < rank; i++) row *= size[i], count[i] = size[i];
    hsize_t rows = rank ? size[0] : 1, piece = row && LARGE / (row * bytes) ? LARGE / (row * bytes) : 1;
    hid_t space = H5Dget_space(id);
    if (wholly) allow_time(rows * row * bytes);
    for (hsize_t first = 0; first < rows && row && !error_is_set(w->e); first += piece) {
        hsize_t n = (rows - first < piece ? rows - first : piece), total = n * row;
        start[0] = first, count[0] = n;
        if (rank) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        hid_t memory = H5Screate_simple(1, &total, NULL);
        char *values = memory_allocate(total, bytes, "values");
        if (H5Dread(id, as, memory, rank ? space : H5S_ALL, H5P_DEFAULT, values) < 0) broken(w, "cannot be read");
        else if (text) H5Dvlen_reclaim(as, memory, H5P_DEFAULT, values);
        memory_free(values);
        H5Sclose(memory);
        if (!wholly) break;
    }
    if (wholly) allow_time(0);
    H5Sclose(space);
    H5Tclose(as);
    return error_is_set(w->e) ? -1 : 0;
}

/* A dimension without coordinates (hdf_describe): it says its size and holds nothing. Whoever reads numbers asks hdf_check_extent. */
static bool never_written(hid_t id, hid_t list)
{
    return H5Pget_layout(list) == H5D_CONTIGUOUS && H5Dget_offset(id) == HADDR_UNDEF && H5Dget_storage_size(id) == 0;
}

static int probe_dataset(struct probe *w, hid_t id)
{
    hid_t type = H5Dget_type(id), space = H5Dget_space(id), list = H5Dget_create_plist(id);
    hsize_t size[H5S_MAX_RANK];
    char what[NAME + 20];
    int rank = type < 0 || space < 0 || list < 0 ? -1 : H5Sget_simple_extent_dims(space, size, NULL);
    snprintf(what, sizeof what, "dataset %s", w->path);
    if (rank < 0) broken(w, "cannot be read");
    else if (!type_stands(type)) refuse(w, "holds numbers of no standard type", "needed: 1 to 8 bytes of integer, IEEE 754");
    else if (!check_layout(w, id, list, rank, size) && H5Sget_simple_extent_type(space) != H5S_NULL &&
             !never_written(id, list) && !hdf_check_extent(w->f, what, id, w->e))
        read_rows(w, id, type, list, rank, size);
    if (list >= 0) H5Pclose(list);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return error_is_set(w->e) ? -1 : 0;
}

static herr_t probe_link(hid_t group, const char *name, const H5L_info_t *info, void *context);

static int probe_object(struct probe *w, hid_t id)
{
    hsize_t at = 0;
    if (++w->objects > MOST_OBJECTS) return refuse(w, "is one object too many", "a million are the most");
    if (++w->depth > DEEPEST) return refuse(w, "lies too deep", "32 groups are the most");
    if (H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_NATIVE, &at, read_attribute, w) < 0)
        broken(w, "has attributes that cannot be read");
    H5I_type_t kind = H5Iget_type(id);
    if (!error_is_set(w->e) && kind == H5I_DATASET) probe_dataset(w, id);
    if (!error_is_set(w->e) && kind == H5I_GROUP && H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, probe_link, w) < 0)
        broken(w, "has members that cannot be read");
    w->depth--;
    return error_is_set(w->e) ? -1 : 0;
}

static herr_t probe_link(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    struct probe *w = context;
    size_t end = strlen(w->path);
    snprintf(w->path + end, sizeof w->path - end, "/%s", name);
    if (info->type != H5L_TYPE_HARD) {
        refuse(w, "is a link that leaves the tree", "needed: the object itself in this file");
        return -1;
    }
    hid_t id = H5Oopen(group, name, H5P_DEFAULT);
    if (id < 0) broken(w, "cannot be opened");
    else {
        probe_object(w, id);
        H5Oclose(id);
    }
    w->path[end] = '\0';
    return error_is_set(w->e) ? -1 : 0;
}

/* Beyond what is mapped now, a gigabyte; a crash leaves no core. */
static void limit_child(void)
{
    struct rlimit none = {0, 0}, cpu = {PROBE_SECONDS, RLIM_INFINITY}, addresses;
    setrlimit(RLIMIT_CORE, &none);
    getrlimit(RLIMIT_CPU, &addresses);
    cpu.rlim_max = addresses.rlim_max;
    setrlimit(RLIMIT_CPU, &cpu);
    alarm(12 * PROBE_SECONDS);
#ifndef __SANITIZE_ADDRESS__
    size_t most = memory_mapped() + ((size_t)1 << 30);
    getrlimit(RLIMIT_AS, &addresses);
    if (addresses.rlim_cur > most) addresses.rlim_cur = most;
    setrlimit(RLIMIT_AS, &addresses);
#endif
}

int hdf_probe_child(const char *path)
{
    struct error e = {""};
    limit_child();
    dup2(STDOUT_FILENO, STDERR_FILENO); /* what ends it goes to the parent, too */
    struct probe w = {.f = hdf_open(path, NULL, &e), .e = &e};
    if (w.f) {
        if (H5Fget_filesize(w.f->id, &w.bytes) < 0) error_set(&e, "%s: its size cannot be read: %s", path, hdf_reason());
        hid_t root = error_is_set(&e) ? -1 : H5Oopen(w.f->id, "/", H5P_DEFAULT);
        if (root < 0) error_set(&e, "%s: its root cannot be opened: %s", path, hdf_reason());
        else {
            probe_object(&w, root);
            H5Oclose(root);
        }
        hdf_close(w.f, &e);
    }
    if (error_is_set(&e)) printf("%s", e.text);
    fflush(stdout);
    _exit(error_is_set(&e) ? EXIT_INPUT : EXIT_DONE);
}
