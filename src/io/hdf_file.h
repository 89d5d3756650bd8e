/* What hdf.c, hdf_text.c and hdf_scale.c share. Private to io. */
#ifndef IO_HDF_FILE_H
#define IO_HDF_FILE_H

#include <hdf5.h>

#include "io/durable_file.h"
#include "io/hdf.h"

/* A note for rank 0 to write when a team's file is closed: MPI-IO cannot write text of variable length. */
struct hdf_note {
    struct hdf_note *next;
    enum { NOTE_TEXT, NOTE_TEXTS, NOTE_INT, NOTE_REAL, NOTE_TEXT_DATASET, NOTE_DIMENSIONS } kind;
    char *where, *name; /* object and attribute; where only for a dataset */
    int n;
    char **texts;
    int64_t integer;
    double real;
};

/* A dataset stays open once it was used: on a team's file opening is collective, reading and writing is not. */
struct hdf_handle {
    struct hdf_handle *next;
    char *name;
    hid_t id;
    H5T_class_t class;
    int rank;
    int64_t size[HDF_DIMENSIONS];
};

struct hdf {
    hid_t id;
    char *path;
    struct durable_file file;   /* a file being created, until it is whole */
    const char *temporary;      /* its name; NULL for a file that was there */
    bool watched;               /* opened to be read: an end by a crash is an error of the file */
    bool without_scales;        /* dimensions have names, but are no HDF5 dimension scales */
    struct team *team;          /* NULL: this rank alone */
    struct hdf_handle *handles; /* the last opened first */
    void *by_name;              /* the same in a tree of search.h */
    struct hdf_note *notes, **last_note;
    struct error unknown; /* whether something is there could not be read: said when the file is closed, if not before */
};

/* The innermost description on HDF5's error stack: what really went wrong. Static storage. */
const char *hdf_reason(void);
hid_t hdf_text_type(void);
/* The rank that writes what only one writes. */
bool hdf_leads(const struct hdf *f);
/* HDF5's answer whether something is there. Below 0, not known: no, and an error that closing the file reports. */
bool hdf_there(struct hdf *f, const char *what, htri_t answer);
/* On a team's file all ranks take the same branch (collective); alone, the error at hand decides. */
int hdf_agree(const struct hdf *f, struct error *e);
/* Whether what an open dataset (named `what` in messages) declares can be in this file: sizes that overflow or exceed what is
 * stored, and chunks that were never written, are errors. Asked before room is made for it. */
int hdf_check_extent(struct hdf *f, const char *what, hid_t dataset, struct error *e);
/* Link-creation list that makes parent groups, without times. */
hid_t hdf_link_list(void);
/* Write the note now, or keep a copy of it (rank 0 of a team) for the file's end. */
int hdf_take_note(struct hdf *f, const struct hdf_note *n, struct error *e);
/* Write one note now (serial file, or rank 0 after the team has closed it). */
int hdf_note_write(struct hdf *f, const struct hdf_note *n, struct error *e);
int hdf_scales_write(struct hdf *f, const struct hdf_note *n, struct error *e);
void hdf_notes_free(struct hdf *f);

#endif
