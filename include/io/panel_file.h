/* Panel files (HDF5; layout: FORMATS table in README). The header of a panel is small and every rank has it; rows are
 * read and written by hyperslabs, each by the rank that needs them. */
#ifndef IO_PANEL_FILE_H
#define IO_PANEL_FILE_H

#include "base/error.h"
#include "panel/panel.h"
#include "parallel/team.h"

enum { PANEL_FORMAT_VERSION = 1 };

/* Read and check everything but the rows: formats, dates increasing, offsets in order and within the rows, shapes and types
 * that fit each other. Group columns come in the order of their names. Rank 0 reads, all ranks get it (collective); an error is the same on all ranks. team NULL: alone. */
int panel_load_meta(const char *path, struct team *team, struct panel_meta *m, struct error *e);

struct panel_file;
/* Open for reading rows. Collective on team; NULL team: this rank alone. */
struct panel_file *panel_open(const char *path, struct team *team, const struct panel_meta *m, struct error *e);
int panel_close(struct panel_file *f, struct error *e); /* collective if opened so */

/* Buffers for the rows of periods: sized once for the largest period. */
struct row_buffer {
    float *characteristics; /* [capacity, D] */
    double *returns;
    int64_t *ids;
    int8_t *size_groups;               /* NULL if the panel has none */
    int32_t *group[PANEL_MOST_GROUPS]; /* [G][capacity] labels of the group columns */
    int64_t capacity;
};
void row_buffer_create(struct row_buffer *b, const struct panel_meta *m, int64_t capacity);
void row_buffer_free(struct row_buffer *b);
size_t row_buffer_bytes(const struct panel_meta *m, int64_t capacity);

/* Rows of period t into b (its capacity must do), checked finite, in range and ids ascending, then the header's placebo; *r views b.
 * Independent: any rank, any time. */
int panel_read_period(struct panel_file *f, int t, struct row_buffer *b, struct rows *r, struct error *e);
/* The two halves of it: the rows as stored, whose digest names the panel, and the placebo on them (nothing without one). */
int panel_read_stored(struct panel_file *f, int t, struct row_buffer *b, struct rows *r, struct error *e);
int panel_apply_placebo(struct panel_file *f, int t, struct row_buffer *b, struct error *e);
/* crc32 of the bytes of a period's rows as stored (ids, characteristics, returns, size groups, group columns). */
uint32_t rows_digest(const struct rows *r, int D);
/* crc32 of the header (dates, offsets, names, test assets, benchmarks, group columns; names of assets stay out of it). */
uint32_t panel_meta_digest(const struct panel_meta *m);

/* The whole panel's, as results name it: from the digests of the rows of its T periods. */
enum { PANEL_DIGEST = 32 };
char *panel_digest_text(const struct panel_meta *m, const uint32_t *rows, char out[PANEL_DIGEST]);

/* Bytes of the rows that m describes, as a panel file holds them. */
double panel_row_bytes(const struct panel_meta *m);

/* Writing. Refuses at once, with the figures, where the disk has no room for all rows, and, naming the holder, while another writer
 * holds PATH.lock (io/lease.h). m describes the whole panel (offsets filled in) and is the same on all ranks. Collective begin and
 * end; rows independently in between, each row exactly once. An error given to end removes the file on all ranks. size_groups and groups ([G] pointers to labels [count]) may be NULL where m has none. */
struct panel_writer;
struct panel_writer *panel_write_begin(const char *path, struct team *team, const struct panel_meta *m, struct error *e);
int panel_write_rows(struct panel_writer *w, int64_t first_row, int64_t count, const float *characteristics,
                     const double *returns, const int64_t *ids, const int8_t *size_groups, int32_t *const *groups,
                     struct error *e);
/* Where m has no truth: room for the true SDF's returns (collective, after begin), and the one of period t (independent). */
int panel_make_truth(struct panel_writer *w, struct error *e);
int panel_write_truth(struct panel_writer *w, int t, double sdf_return, struct error *e);
/* Root attributes (how the panel was made). Collective, before end. */
int panel_write_text(struct panel_writer *w, const char *name, const char *text, struct error *e);
int panel_write_int(struct panel_writer *w, const char *name, int64_t value, struct error *e);
int panel_write_real(struct panel_writer *w, const char *name, double value, struct error *e);
/* Access to the file for additional datasets of the panel's own (audit tables, asset names). */
struct hdf *panel_writer_file(struct panel_writer *w);
int panel_write_end(struct panel_writer *w, struct error *e);

#endif
