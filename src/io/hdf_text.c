/* Text and attributes. On a file that a team writes, both wait as notes until it is closed: MPI-IO cannot write text of
 * variable length, and small things need no parallel writing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf_file.h"

hid_t hdf_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

void texts_free(int n, char **texts)
{
    for (int i = 0; texts && i < n; i++) memory_free(texts[i]);
    memory_free(texts);
}

static char **texts_copy(int n, char *const *texts)
{
    char **copy = memory_array(char *, n, "texts");
    for (int i = 0; i < n; i++) copy[i] = memory_text(texts[i]);
    return copy;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static int write_attribute(struct hdf *f, const struct hdf_note *n, struct error *e)
{
    hsize_t size = (hsize_t)n->n;
    bool text = n->kind == NOTE_TEXT || n->kind == NOTE_TEXTS;
    hid_t memory = text ? hdf_text_type() : H5Tcopy(n->kind == NOTE_INT ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE);
    hid_t type = text ? hdf_text_type() : H5Tcopy(n->kind == NOTE_INT ? H5T_STD_I64LE : H5T_IEEE_F64LE);
    hid_t space = n->kind == NOTE_TEXTS ? H5Screate_simple(1, &size, NULL) : H5Screate(H5S_SCALAR);
    if (H5Aexists_by_name(f->id, n->where, n->name, H5P_DEFAULT) > 0)
        H5Adelete_by_name(f->id, n->where, n->name, H5P_DEFAULT);
    hid_t id = H5Acreate_by_name(f->id, n->where, n->name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const void *data = text                  ? (const void *)n->texts
                       : n->kind == NOTE_INT ? (const void *)&n->integer
                                             : (const void *)&n->real;
    if (id < 0 || (n->n && H5Awrite(id, memory, data) < 0))
        error_set(e, "%s: attribute %s of %s cannot be written: %s", f->path, n->name, n->where, hdf_reason());
    if (id >= 0 && H5Aclose(id) < 0) error_set(e, "%s: attribute %s cannot be closed: %s", f->path, n->name, hdf_reason());
    H5Sclose(space);
    H5Tclose(type);
    H5Tclose(memory);
    return error_is_set(e) ? -1 : 0;
}

static int write_text_dataset(struct hdf *f, const struct hdf_note *n, struct error *e)
{
    hsize_t size = (hsize_t)n->n;
    hid_t type = hdf_text_type(), space = H5Screate_simple(1, &size, NULL), links = hdf_link_list();
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, false);
    hid_t id = H5Dcreate2(f->id, n->where, type, space, links, list, H5P_DEFAULT);
    if (id < 0 || (n->n && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, n->texts) < 0))
        error_set(e, "%s: dataset %s cannot be written: %s", f->path, n->where, hdf_reason());
    if (id >= 0 && H5Dclose(id) < 0) error_set(e, "%s: dataset %s cannot be closed: %s", f->path, n->where, hdf_reason());
    H5Pclose(list);
    H5Pclose(links);
    H5Sclose(space);
    H5Tclose(type);
    return error_is_set(e) ? -1 : 0;
}

int hdf_note_write(struct hdf *f, const struct hdf_note *n, struct error *e)
{
    return n->kind == NOTE_DIMENSIONS     ? hdf_scales_write(f, n, e)
           : n->kind == NOTE_TEXT_DATASET ? write_text_dataset(f, n, e)
                                          : write_attribute(f, n, e);
}

int hdf_take_note(struct hdf *f, const struct hdf_note *n, struct error *e)
{
    if (!f->team) return hdf_note_write(f, n, e);
    if (team_rank(f->team)) return 0;
    struct hdf_note *copy = memory_array(struct hdf_note, 1, "note for a file's end");
    *copy = *n;
    copy->next = NULL;
    copy->where = memory_text(n->where);
    copy->name = n->name ? memory_text(n->name) : NULL;
    copy->texts = n->texts ? texts_copy(n->n, n->texts) : NULL;
    *f->last_note = copy;
    f->last_note = &copy->next;
    return 0;
}

void hdf_notes_free(struct hdf *f)
{
    while (f->notes) {
        struct hdf_note *n = f->notes;
        f->notes = n->next;
        memory_free(n->where);
        memory_free(n->name);
        texts_free(n->n, n->texts);
        memory_free(n);
    }
}

int hdf_write_texts(struct hdf *f, const char *name, int n, char *const *texts, struct error *e)
{
    return hdf_take_note(
        f, &(struct hdf_note){.kind = NOTE_TEXT_DATASET, .where = (char *)name, .n = n, .texts = (char **)texts}, e);
}

int hdf_put_text(struct hdf *f, const char *where, const char *name, const char *text, struct error *e)
{
    char *one = (char *)text;
    return hdf_take_note(
        f, &(struct hdf_note){.kind = NOTE_TEXT, .where = (char *)where, .name = (char *)name, .n = 1, .texts = &one}, e);
}

int hdf_put_number(struct hdf *f, const char *where, const char *name, double value, struct error *e)
{
    bool whole = fabs(value) < 0x1p53 && value == floor(value);
    return whole ? hdf_put_int(f, where, name, (int64_t)value, e) : hdf_put_real(f, where, name, value, e);
}

int hdf_put_texts(struct hdf *f, const char *where, const char *name, int n, char *const *texts, struct error *e)
{
    return hdf_take_note(
        f,
        &(struct hdf_note){
            .kind = NOTE_TEXTS, .where = (char *)where, .name = (char *)name, .n = n, .texts = (char **)texts},
        e);
}

int hdf_put_int(struct hdf *f, const char *where, const char *name, int64_t value, struct error *e)
{
    return hdf_take_note(
        f, &(struct hdf_note){.kind = NOTE_INT, .where = (char *)where, .name = (char *)name, .n = 1, .integer = value}, e);
}

int hdf_put_real(struct hdf *f, const char *where, const char *name, double value, struct error *e)
{
    return hdf_take_note(
        f, &(struct hdf_note){.kind = NOTE_REAL, .where = (char *)where, .name = (char *)name, .n = 1, .real = value}, e);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

/* Where text is read from: a dataset or an attribute. */
struct text_source {
    hid_t id;
    bool attribute;
};

static herr_t read_raw(struct text_source s, hid_t type, void *out)
{
    return s.attribute ? H5Aread(s.id, type, out) : H5Dread(s.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
}

/* n strings of the source, whether of variable or fixed length. NULL: HDF5 failed. */
static char **read_strings(struct text_source s, hid_t type, hid_t space, size_t n)
{
    char **texts = memory_array(char *, n, "texts");
    hid_t memory;
    herr_t rc = 0;
    if (H5Tis_variable_str(type) > 0) {
        memory = H5Tcopy(H5T_C_S1);
        H5Tset_size(memory, H5T_VARIABLE);
        H5Tset_cset(memory, H5Tget_cset(type));
        char **raw = memory_array(char *, n, "texts");
        rc = n ? read_raw(s, memory, raw) : 0;
        for (size_t i = 0; i < n && rc >= 0; i++) texts[i] = memory_text(raw[i] ? raw[i] : "");
        if (rc >= 0 && n) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, raw);
        memory_free(raw);
    } else {
        size_t width = H5Tget_size(type) + 1;
        memory = H5Tcopy(H5T_C_S1);
        H5Tset_size(memory, width);
        H5Tset_cset(memory, H5Tget_cset(type));
        char *raw = memory_allocate(n, width, "texts");
        rc = n ? read_raw(s, memory, raw) : 0;
        for (size_t i = 0; i < n && rc >= 0; i++) texts[i] = memory_text(raw + i * width);
        memory_free(raw);
    }
    H5Tclose(memory);
    if (rc >= 0) return texts;
    texts_free((int)n, texts);
    return NULL;
}

/* Text of rank 0 or 1 from a source; what names it in messages. */
static int read_text_source(const struct hdf *f, struct text_source s, const char *what, int rank_needed, int *n,
                            char ***texts, struct error *e)
{
    hid_t type = s.attribute ? H5Aget_type(s.id) : H5Dget_type(s.id);
    hid_t space = s.attribute ? H5Aget_space(s.id) : H5Dget_space(s.id);
    int rank = H5Sget_simple_extent_ndims(space);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    *n = 0, *texts = NULL;
    if (H5Tget_class(type) != H5T_STRING)
        error_set(e, "%s: %s does not hold text; variable-length UTF-8 text is needed", f->path, what);
    else if (rank_needed == 1 ? rank != 1 : count != 1)
        error_set(e, "%s: %s has %d dimensions and %lld texts; %s needed", f->path, what, rank, (long long)count,
                  rank_needed ? "1 dimension is" : "one text is");
    else if (count > INT32_MAX || !(*texts = read_strings(s, type, space, (size_t)count)))
        error_set(e, "%s: %s cannot be read: %s", f->path, what, hdf_reason());
    else *n = (int)count;
    H5Sclose(space);
    H5Tclose(type);
    if (!error_is_set(e)) return 0;
    texts_free(*n, *texts); /* of a call after an error: the caller gets -1, and nothing to free */
    *n = 0, *texts = NULL;
    return -1;
}

int hdf_read_texts(struct hdf *f, const char *name, int *n, char ***texts, struct error *e)
{
    char what[300];
    snprintf(what, sizeof what, "dataset %s", name);
    if (!hdf_exists(f, name)) return error_set(e, "%s: dataset %s is missing", f->path, name);
    hid_t id = H5Dopen2(f->id, name, H5P_DEFAULT);
    if (id < 0) return error_set(e, "%s: %s is not a dataset that can be read: %s", f->path, name, hdf_reason());
    int rc = hdf_check_extent(f, what, id, e);
    if (!rc) rc = read_text_source(f, (struct text_source){id, false}, what, 1, n, texts, e);
    H5Dclose(id);
    return rc;
}

bool hdf_has_attribute(struct hdf *f, const char *where, const char *name)
{
    return hdf_there(f, name, H5Aexists_by_name(f->id, where, name, H5P_DEFAULT));
}

static hid_t open_attribute(struct hdf *f, const char *where, const char *name, struct error *e)
{
    if (!hdf_has_attribute(f, where, name)) {
        error_set(e, "%s: attribute %s of %s is missing", f->path, name, where);
        return H5I_INVALID_HID;
    }
    hid_t id = H5Aopen_by_name(f->id, where, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) error_set(e, "%s: attribute %s of %s cannot be read: %s", f->path, name, where, hdf_reason());
    return id;
}

static int get_texts(struct hdf *f, const char *where, const char *name, int rank, int *n, char ***texts, struct error *e)
{
    char what[300];
    snprintf(what, sizeof what, "attribute %s of %s", name, where);
    hid_t id = open_attribute(f, where, name, e);
    if (id < 0) return -1;
    int rc = read_text_source(f, (struct text_source){id, true}, what, rank, n, texts, e);
    H5Aclose(id);
    return rc;
}

int hdf_get_texts(struct hdf *f, const char *where, const char *name, int *n, char ***texts, struct error *e)
{
    return get_texts(f, where, name, 1, n, texts, e);
}

int hdf_get_text(struct hdf *f, const char *where, const char *name, char **text, struct error *e)
{
    int n;
    char **texts;
    if (get_texts(f, where, name, 0, &n, &texts, e)) return -1;
    *text = texts[0];
    memory_free(texts);
    return 0;
}

static int get_number(struct hdf *f, const char *where, const char *name, bool real, void *value, struct error *e)
{
    hid_t id = open_attribute(f, where, name, e);
    if (id < 0) return -1;
    hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    H5T_class_t class = H5Tget_class(type);
    if ((class != H5T_INTEGER && !(real && class == H5T_FLOAT)) || H5Sget_simple_extent_npoints(space) != 1)
        error_set(e, "%s: attribute %s of %s is not one %s; that is needed", f->path, name, where,
                  real ? "number" : "integer");
    else if (H5Aread(id, real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, value) < 0)
        error_set(e, "%s: attribute %s of %s cannot be read: %s", f->path, name, where, hdf_reason());
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(id);
    return error_is_set(e) ? -1 : 0;
}

int hdf_get_int(struct hdf *f, const char *where, const char *name, int64_t *value, struct error *e)
{
    return get_number(f, where, name, false, value, e);
}

int hdf_get_real(struct hdf *f, const char *where, const char *name, double *value, struct error *e)
{
    return get_number(f, where, name, true, value, e);
}

char *hdf_format(const char *path, struct error *e)
{
    char *format = NULL;
    struct hdf *f = hdf_open(path, NULL, e);
    if (!f) return NULL;
    if (hdf_has_attribute(f, "/", "aipm_format")) hdf_get_text(f, "/", "aipm_format", &format, e);
    else error_set(e, "%s: found an HDF5 file without the attribute aipm_format; needed: a panel or results file", path);
    hdf_close(f, e);
    return format;
}

int hdf_check_format(struct hdf *f, const char *format, int newest, struct error *e)
{
    char *found = NULL;
    int64_t version = 0;
    if (!hdf_has_attribute(f, "/", "aipm_format"))
        return error_set(e, "%s: has no attribute aipm_format: not a file of this program; a %s is needed", f->path, format);
    if (hdf_get_text(f, "/", "aipm_format", &found, e)) return -1;
    if (strcmp(found, format)) error_set(e, "%s: attribute aipm_format is \"%s\"; \"%s\" is needed", f->path, found, format);
    memory_free(found);
    if (error_is_set(e) || hdf_get_int(f, "/", "format_version", &version, e)) return -1;
    if (version > newest)
        return error_set(e,
                         "%s: format_version is %lld, from the future; this program reads %s files up to version %d: "
                         "a newer aipm is needed",
                         f->path, (long long)version, format, newest);
    if (version < 1)
        return error_set(e, "%s: format_version is %lld; 1 to %d is needed", f->path, (long long)version, newest);
    return 0;
}

const char *hdf_library(void)
{
    static char text[48];
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "HDF5 %u.%u.%u", major, minor, release);
    return text;
}
