/* The second half of the panel builder: rank the rows of every period, leave out those that no return follows, write the file. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "io/datasets.h"
#include "panel/rank.h"
#include "panel_section.h"

/* Rows of a block as the panel holds them. */
struct ranked {
    int64_t n;
    float *characteristics, *values; /* [room, D] */
    float *column;                   /* [room] */
    double *returns, *close;
    int64_t *ids;
    int8_t *sizes;
    int32_t *label[PANEL_MOST_GROUPS];
    void *scratch;
};

static void ranked_create(struct ranked *o, const struct panel_builder *b, int room)
{
    size_t cells = (size_t)room * (size_t)b->meta.D;
    *o = (struct ranked){.characteristics = memory_array(float, cells, "ranks of a block"),
                         .column = memory_array(float, room, "ranks"),
                         .returns = memory_array(double, room, "returns"),
                         .ids = memory_array(int64_t, room, "identifiers"),
                         .sizes = memory_array(int8_t, room, "size groups"),
                         .scratch = memory_allocate(rank_workspace(room), 1, "rank workspace")};
    if (b->from.datasets) {
        o->values = memory_array(float, cells, "values of a block");
        o->close = memory_array(double, room, "prices of a block");
    }
    for (int g = 0; g < b->meta.G; g++) o->label[g] = memory_array(int32_t, room, "labels of a block");
}

static void ranked_free(struct ranked *o)
{
    memory_free_all(o->characteristics, o->values, o->column, o->returns, o->close, o->ids, o->sizes, o->scratch);
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) memory_free(o->label[g]);
}

/* Characteristic d of a period's survivors, ranked among all of them, for those that a return follows. */
static void rank_characteristic(const struct panel_builder *b, const struct section *x, int survivors, int d, bool used,
                                struct ranked *o)
{
    int c = b->characteristic[d], D = b->meta.D;
    for (int i = 0; i < survivors; i++) x->scratch[i] = used ? section_row(x, x->survivor[i])[WORDS + c].real : NAN;
    if (b->from.standardised)
        for (int i = 0; i < survivors; i++) o->column[i] = (float)section_row(x, x->survivor[i])[WORDS + b->from.C + c].real;
    else rank_column(survivors, x->scratch, 1, o->column, 1, o->scratch);
    size_t to = (size_t)o->n * (size_t)D + (size_t)d;
    for (int i = 0; i < survivors; i++) {
        if (isnan(x->ret[x->survivor[i]])) continue;
        o->characteristics[to] = o->column[i];
        if (o->values) o->values[to] = (float)x->scratch[i];
        to += (size_t)D;
    }
}

static void take_period(const struct panel_builder *b, const struct section *x, int survivors, const uint8_t *use,
                        struct ranked *o)
{
    for (int d = 0; d < b->meta.D; d++) rank_characteristic(b, x, survivors, d, use[b->characteristic[d]], o);
    for (int i = 0; i < survivors; i++) {
        int place = x->survivor[i];
        if (isnan(x->ret[place])) continue;
        o->returns[o->n] = x->ret[place];
        o->ids[o->n] = x->order[place].id;
        o->sizes[o->n] = x->size[place];
        if (o->close) o->close[o->n] = section_row(x, place)[WORD_PRICE].real;
        for (int g = 0; g < b->meta.G; g++) o->label[g][o->n] = b->label[g][x->order[place].id - 1];
        o->n++;
    }
}

static void extra(const struct panel_builder *b, const char *name, char out[64])
{
    snprintf(out, 64, "%s/%s", b->from.datasets, name);
}

static int write_block(struct panel_builder *b, struct section *x, struct ranked *o, struct panel_writer *w, struct error *e)
{
    int64_t first = -1;
    char name[64];
    o->n = 0;
    for (int i = 0, end; i < x->n; i = end) {
        int64_t key = x->order[i].key, counted[4] = {0};
        int n = section_survivors(b, x, i, end = section_period_end(x, i), counted);
        if (!b->kept[key - b->from.first_key]) continue;
        if (first < 0) first = b->row[builder_period(b, key)];
        take_period(b, x, n, builder_use(b, key), o);
    }
    if (o->n == 0) return 0;
    int rc = panel_write_rows(w, first, o->n, o->characteristics, o->returns, o->ids,
                              b->meta.has_size_groups ? o->sizes : NULL, b->meta.G ? o->label : NULL, e);
    if (rc || !b->from.datasets) return rc;
    extra(b, "features", name);
    rc = hdf_write_part(panel_writer_file(w), name, HDF_FLOAT32, first, o->n, o->values, e);
    extra(b, "close", name);
    return rc ? rc : hdf_write_part(panel_writer_file(w), name, HDF_FLOAT64, first, o->n, o->close, e);
}

static int write_rows(struct panel_builder *b, struct panel_writer *w, struct error *e)
{
    struct section x;
    struct ranked o;
    int64_t shape[2] = {b->meta.rows, b->meta.D};
    char name[64];
    int rc = 0;
    if (b->from.datasets) {
        extra(b, "features", name);
        rc = dataset_make(panel_writer_file(w), name, HDF_FLOAT32, shape, e);
        extra(b, "close", name);
        if (!rc) rc = dataset_make(panel_writer_file(w), name, HDF_FLOAT64, shape, e);
        if (rc) return rc;
    }
    section_create(&x, b);
    ranked_create(&o, b, x.room);
    for (int block = team_rank(b->team); block < builder_blocks(b) && !rc; block += team_size(b->team)) {
        rc = section_load(b, &x, block, e);
        if (!rc) rc = write_block(b, &x, &o, w, e);
    }
    ranked_free(&o);
    section_free(&x);
    return rc;
}

int builder_write(struct panel_builder *b, struct error *e)
{
    struct panel_writer *w = panel_write_begin(b->options->output, b->team, &b->meta, e);
    if (!w) return -1;
    if (b->from.source) write_rows(b, w, e);
    if (!team_agree(b->team, e)) panel_write_text(w, "ingest", b->description, e);
    if (!error_is_set(e) && b->from.source) b->from.write_audit(b->from.source, b, panel_writer_file(w), e);
    return panel_write_end(w, e);
}
