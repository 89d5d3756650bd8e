/* Reading and writing the rows of a panel. Its header is read and checked in panel_header.c. */
#define _GNU_SOURCE
#include "io/panel_file.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/datasets.h"
#include "io/hdf.h"
#include "io/lease.h"

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

enum { GROUP_PATH = 300 };

/* Dataset of group column g. */
static const char *group_path(const struct panel_meta *m, int g, char path[GROUP_PATH])
{
    snprintf(path, GROUP_PATH, "groups/%s", m->group_names[g]);
    return path;
}

struct panel_file {
    struct hdf *hdf;
    const struct panel_meta *meta;
    struct row_buffer past; /* another period, for a placebo that shows it; made when first needed */
    int *order;             /* [T] of a placebo that exchanges periods; made when first needed */
};

struct panel_file *panel_open(const char *path, struct team *team, const struct panel_meta *m, struct error *e)
{
    int rank;
    int64_t size[HDF_DIMENSIONS];
    char column[GROUP_PATH];
    struct hdf *h = hdf_open(path, team, e);
    if (!h) return NULL;
    struct panel_file *f = memory_array(struct panel_file, 1, "open panel");
    *f = (struct panel_file){.hdf = h, .meta = m};
    /* the first use of a dataset is collective; the reads that follow are not */
    if (!hdf_shape(h, "asset_ids", HDF_INT64, &rank, size, e) && !hdf_shape(h, "returns", HDF_FLOAT64, &rank, size, e) &&
        !hdf_shape(h, "characteristics", HDF_FLOAT32, &rank, size, e) && m->has_size_groups)
        hdf_shape(h, "size_groups", HDF_INT8, &rank, size, e);
    for (int g = 0; g < m->G && !error_is_set(e); g++) hdf_shape(h, group_path(m, g, column), HDF_INT32, &rank, size, e);
    if (team ? !team_agree(team, e) : !error_is_set(e)) return f;
    panel_close(f, e);
    return NULL;
}

int panel_close(struct panel_file *f, struct error *e)
{
    if (!f) return error_is_set(e) ? -1 : 0;
    int rc = hdf_close(f->hdf, e);
    row_buffer_free(&f->past);
    memory_free(f->order);
    memory_free(f);
    return rc;
}

void row_buffer_create(struct row_buffer *b, const struct panel_meta *m, int64_t capacity)
{
    b->capacity = capacity;
    b->characteristics = memory_array(float, capacity * m->D, "characteristics of a period");
    b->returns = memory_array(double, capacity, "returns of a period");
    b->ids = memory_array(int64_t, capacity, "asset ids of a period");
    b->size_groups = m->has_size_groups ? memory_array(int8_t, capacity, "size groups of a period") : NULL;
    for (int g = 0; g < PANEL_MOST_GROUPS; g++)
        b->group[g] = g < m->G ? memory_array(int32_t, capacity, "group labels of a period") : NULL;
}

void row_buffer_free(struct row_buffer *b)
{
    memory_free_all(b->characteristics, b->returns, b->ids, b->size_groups);
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) memory_free(b->group[g]);
    *b = (struct row_buffer){0};
}

size_t row_buffer_bytes(const struct panel_meta *m, int64_t capacity)
{
    size_t rows = (size_t)capacity * (placebo_looks_elsewhere(&m->placebo) ? 2 : 1);
    return rows * ((size_t)m->D * sizeof(float) + sizeof(double) + sizeof(int64_t) + (m->has_size_groups ? 1 : 0) +
                   (size_t)m->G * sizeof(int32_t));
}

int panel_read_stored(struct panel_file *f, int t, struct row_buffer *b, struct rows *r, struct error *e)
{
    const struct panel_meta *m = f->meta;
    char path[GROUP_PATH];
    int64_t first = m->offsets[t], n = m->offsets[t + 1] - first;
    require(t >= 0 && t < m->T && n <= b->capacity);
    if (hdf_read_part(f->hdf, "asset_ids", HDF_INT64, first, n, b->ids, e) ||
        hdf_read_part(f->hdf, "characteristics", HDF_FLOAT32, first, n, b->characteristics, e) ||
        hdf_read_part(f->hdf, "returns", HDF_FLOAT64, first, n, b->returns, e) ||
        (m->has_size_groups && hdf_read_part(f->hdf, "size_groups", HDF_INT8, first, n, b->size_groups, e)))
        return -1;
    *r = (struct rows){.n = (int)n,
                       .characteristics = b->characteristics,
                       .returns = b->returns,
                       .ids = b->ids,
                       .size_groups = b->size_groups};
    for (int g = 0; g < m->G; g++) {
        if (hdf_read_part(f->hdf, group_path(m, g, path), HDF_INT32, first, n, b->group[g], e)) return -1;
        r->group[g] = b->group[g];
    }
    return rows_check(r, m, t, hdf_path(f->hdf), e);
}

/* The rows of period t, -1: of none, that a placebo shows beside those in hand. */
static int read_elsewhere(struct panel_file *f, int t, struct rows *past, struct error *e)
{
    *past = (struct rows){0};
    if (!f->past.capacity) row_buffer_create(&f->past, f->meta, panel_max_assets(f->meta));
    return t < 0 ? 0 : panel_read_stored(f, t, &f->past, past, e);
}

int panel_apply_placebo(struct panel_file *f, int t, struct row_buffer *b, struct error *e)
{
    const struct panel_meta *m = f->meta;
    const struct placebo *p = &m->placebo;
    int n = (int)(m->offsets[t + 1] - m->offsets[t]);
    struct rows past;
    switch (p->kind) {
    case PLACEBO_NONE: break;
    case PLACEBO_RETURNS: placebo_shuffle(p, t, n, b->returns); break;
    case PLACEBO_SIGNS: placebo_signs(p, t, n, b->returns); break;
    case PLACEBO_IID: placebo_iid(p, t, n, b->returns); break;
    case PLACEBO_NOISE: placebo_blur(p, t, n, m->D, b->characteristics); break;
    case PLACEBO_WITHOUT: placebo_leave_out(p, n, m->D, m->characteristic_names, b->characteristics); break;
    case PLACEBO_CHARACTERISTICS:
        if (read_elsewhere(f, t - p->lag, &past, e)) return -1;
        placebo_shift(m->D, n, b->ids, b->characteristics, past.n, past.ids, past.characteristics);
        break;
    case PLACEBO_PERIODS:
        if (!f->order) placebo_order(p, m->T, f->order = memory_array(int, m->T, "order of periods"));
        if (read_elsewhere(f, f->order[t], &past, e)) return -1;
        placebo_exchange(n, b->ids, b->returns, past.n, past.ids, past.returns);
        break;
    }
    return 0;
}

int panel_read_period(struct panel_file *f, int t, struct row_buffer *b, struct rows *r, struct error *e)
{
    return panel_read_stored(f, t, b, r, e) || panel_apply_placebo(f, t, b, e) ? -1 : 0;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

struct panel_writer {
    struct hdf *hdf;
    const struct panel_meta *meta;
    char *path, *lock, token[LEASE_TOKEN];
    bool held; /* the lock, by this rank */
};

double panel_row_bytes(const struct panel_meta *m)
{
    return (double)m->rows * (4.0 * m->D + 8 + 8 + (m->has_size_groups ? 1 : 0) + 4.0 * m->G);
}

/* Is there room for the rows where path lies? Asked of the file system by rank 0; one that cannot say is believed. */
static int check_room(const char *path, const struct panel_meta *m, struct error *e)
{
    struct statvfs s;
    char needed[32], found[32], *copy = memory_text(path);
    int unknown = statvfs(dirname(copy), &s);
    memory_free(copy);
    if (unknown) return 0;
    double room = (double)s.f_bavail * (double)s.f_frsize, bytes = panel_row_bytes(m);
    if (bytes <= room) return 0;
    return error_set(e, "%s: no room on the disk: the panel's %lld rows need %s, %s are free", path, (long long)m->rows,
                     format_bytes(bytes, needed), format_bytes(room, found));
}

static int write_header(struct hdf *f, const struct panel_meta *m, struct error *e)
{
    char path[300], factors[300];
    int64_t T[2] = {m->T, m->M}, offsets = (int64_t)m->T + 1, assets = m->assets;
    int rc = hdf_put_text(f, "/", "aipm_format", "panel", e);
    if (!rc) rc = hdf_put_int(f, "/", "format_version", PANEL_FORMAT_VERSION, e);
    if (!rc) rc = periods_per_year_write(f, m->periods_per_year, e);
    if (!rc) rc = hdf_put_text(f, "/", "frequency", m->frequency, e);
    if (!rc) rc = dataset_write_texts(f, "characteristic_names", m->D, m->characteristic_names, e);
    if (!rc) rc = hdf_write_dates(f, "date", m->T, m->dates, e);
    if (!rc) rc = dataset_write(f, "dates", HDF_INT64, T, m->dates, e);
    if (!rc) rc = dataset_write(f, "offsets", HDF_INT64, &offsets, m->offsets, e);
    if (!rc && m->assets) rc = dataset_write_texts(f, "asset_names", m->assets, m->asset_names, e);
    if (!rc && m->assets) rc = dataset_write(f, "asset_name_ids", HDF_INT64, &assets, m->asset_name_ids, e);
    if (!rc && m->M) rc = dataset_write(f, "test_assets/returns", HDF_FLOAT64, T, m->test_assets, e);
    if (!rc && m->M) rc = dataset_write_texts(f, "test_assets/names", m->M, m->test_asset_names, e);
    for (int b = 0; b < m->benchmarks && !rc; b++) {
        int64_t size[2] = {m->T, m->benchmark[b].k};
        snprintf(path, sizeof path, "benchmarks/%s", m->benchmark[b].name);
        rc = hdf_write(f, path, HDF_FLOAT64, 2, size, m->benchmark[b].returns, e);
        snprintf(factors, sizeof factors, "/factor_%s", m->benchmark[b].name);
        if (!rc)
            rc = hdf_describe(f, path, "decimal per period", "returns of factors after the date", 2,
                              (const char *const[]){"date", factors}, e);
        if (!rc) rc = hdf_put_texts(f, path, "factor_names", m->benchmark[b].k, m->benchmark[b].factor_names, e);
    }
    if (!rc && m->truth) rc = dataset_write(f, "truth/sdf_returns", HDF_FLOAT64, T, m->truth, e);
    return rc;
}

/* Two writers of one path would share its temporary: rank 0 takes PATH.lock first. */
static struct panel_writer *writer_create(const char *path, struct team *team, const struct panel_meta *m, struct error *e)
{
    struct panel_writer *w = memory_array(struct panel_writer, 1, "panel being written");
    *w = (struct panel_writer){.meta = m, .path = memory_text(path), .lock = memory_allocate(strlen(path) + 6, 1, "text")};
    sprintf(w->lock, "%s.lock", path);
    if (team && team_rank(team)) return w;
    w->held = !lease_take(path, w->token, e);
    if (!w->held) return w;
    cleanup_register(w->lock);
    lease_monitor(path, w->token, true);
    return w;
}

static void writer_free(struct panel_writer *w)
{
    if (w->held) {
        lease_release(w->path, w->token, true);
        cleanup_forget(w->lock);
    }
    memory_free_all(w->path, w->lock, w);
}

struct panel_writer *panel_write_begin(const char *path, struct team *team, const struct panel_meta *m, struct error *e)
{
    struct panel_writer *w = writer_create(path, team, m, e);
    int rc = team ? team_agree(team, e) : error_is_set(e) ? -1 : 0;
    struct hdf *f = w->hdf = rc ? NULL : hdf_create(path, team, e);
    if (!f) {
        writer_free(w);
        return NULL;
    }
    int64_t size[2] = {m->rows, m->D};
    char column[GROUP_PATH];
    if (!team || team_rank(team) == 0) check_room(path, m, e);
    rc = team ? team_agree(team, e) : error_is_set(e) ? -1 : 0;
    if (!rc) rc = write_header(f, m, e);
    if (!rc) rc = dataset_make(f, "asset_ids", HDF_INT64, size, e);
    if (!rc) rc = dataset_make(f, "characteristics", HDF_FLOAT32, size, e);
    if (!rc) rc = dataset_make(f, "returns", HDF_FLOAT64, size, e);
    if (!rc && m->has_size_groups) rc = dataset_make(f, "size_groups", HDF_INT8, size, e);
    for (int g = 0; g < m->G && !rc; g++) {
        rc = hdf_dataset(f, group_path(m, g, column), HDF_INT32, 1, size, 0, NULL, e);
        if (!rc) rc = hdf_describe(f, column, "1", "number of a label, -1: unknown", 1, (const char *const[]){"row"}, e);
        if (!rc) rc = hdf_put_texts(f, column, "labels", m->labels[g], m->label_names[g], e);
    }
    if (!rc) return w;
    hdf_close(f, e);
    writer_free(w);
    return NULL;
}

int panel_write_rows(struct panel_writer *w, int64_t first_row, int64_t count, const float *characteristics,
                     const double *returns, const int64_t *ids, const int8_t *size_groups, int32_t *const *groups,
                     struct error *e)
{
    const struct panel_meta *m = w->meta;
    char path[GROUP_PATH];
    require((!m->has_size_groups || size_groups) && (!m->G || groups));
    if (hdf_write_part(w->hdf, "asset_ids", HDF_INT64, first_row, count, ids, e) ||
        hdf_write_part(w->hdf, "characteristics", HDF_FLOAT32, first_row, count, characteristics, e) ||
        hdf_write_part(w->hdf, "returns", HDF_FLOAT64, first_row, count, returns, e) ||
        (m->has_size_groups && hdf_write_part(w->hdf, "size_groups", HDF_INT8, first_row, count, size_groups, e)))
        return -1;
    for (int g = 0; g < m->G; g++)
        if (hdf_write_part(w->hdf, group_path(m, g, path), HDF_INT32, first_row, count, groups[g], e)) return -1;
    return 0;
}

int panel_write_text(struct panel_writer *w, const char *name, const char *text, struct error *e)
{
    return hdf_put_text(w->hdf, "/", name, text, e);
}

int panel_write_int(struct panel_writer *w, const char *name, int64_t value, struct error *e)
{
    return hdf_put_int(w->hdf, "/", name, value, e);
}

int panel_write_real(struct panel_writer *w, const char *name, double value, struct error *e)
{
    return hdf_put_real(w->hdf, "/", name, value, e);
}

int panel_make_truth(struct panel_writer *w, struct error *e)
{
    int64_t T = w->meta->T;
    return dataset_make(w->hdf, "truth/sdf_returns", HDF_FLOAT64, &T, e);
}

int panel_write_truth(struct panel_writer *w, int t, double sdf_return, struct error *e)
{
    return hdf_write_part(w->hdf, "truth/sdf_returns", HDF_FLOAT64, t, 1, &sdf_return, e);
}

struct hdf *panel_writer_file(struct panel_writer *w)
{
    return w->hdf;
}

int panel_write_end(struct panel_writer *w, struct error *e)
{
    if (!w) return error_is_set(e) ? -1 : 0;
    int rc = hdf_close(w->hdf, e);
    writer_free(w);
    return rc;
}
