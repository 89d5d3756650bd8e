#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf.h"
#include "io/ohlcv_panel.h"
#include "panel/rank.h"
#include "datasets.h"

/* Assets lie by asset on the ranks that read them; the panel lies by date. Formation dates are cut into blocks that do not depend on the
 * number of ranks; block after block, one per rank at a time, the rows of a block go to one rank, which orders, ranks and writes them. */
enum { BLOCK_ROWS = 1 << 18 };

/* A row on its way: this head, D features (double), then D ranks among the past (float) where they are asked for. */
struct head {
    int32_t formation, asset;
    double close, ret;
};

struct buffers { /* of one block */
    int64_t rows;
    float *characteristics, *features, *column;
    double *close, *returns, *value;
    int64_t *ids;
    int32_t *group[PANEL_MOST_GROUPS];
    void *scratch;
};

struct mail {
    char *record;
    size_t bytes, room;
};

static size_t record_bytes(const struct ohlcv *x)
{
    size_t standard = x->o->history ? (size_t)x->D * sizeof(float) : 0;
    return (sizeof(struct head) + (size_t)x->D * sizeof(double) + standard + 7) / 8 * 8;
}

static void put_record(const struct ohlcv *x, const struct ohlcv_asset *a, int i, struct mail *m)
{
    size_t size = record_bytes(x), D = (size_t)x->D;
    if (m->bytes + size > m->room) {
        m->room = m->room ? 2 * m->room : 1 << 16;
        char *more = memory_array(char, m->room, "rows on their way");
        if (m->bytes) memcpy(more, m->record, m->bytes);
        memory_free(m->record);
        m->record = more;
    }
    char *to = m->record + m->bytes;
    struct head h = {a->place[i] / x->o->horizon, a->number, a->close[i], a->ret[i]};
    memcpy(to, &h, sizeof h);
    memcpy(to + sizeof h, a->feature + (size_t)i * D, D * sizeof(double));
    if (a->standard) memcpy(to + sizeof h + D * sizeof(double), a->standard + (size_t)i * D, D * sizeof(float));
    m->bytes += size;
}

/* Rows of formation dates before `end` not yet taken. */
static void collect(struct ohlcv *x, int end, struct mail *m)
{
    m->bytes = 0;
    for (int k = 0; k < x->assets; k++) {
        struct ohlcv_asset *a = &x->asset[k];
        for (; a->next < a->n && a->place[a->next] < (int64_t)end * x->o->horizon; a->next++)
            if (a->state[a->next] == OHLCV_KEPT || a->state[a->next] == OHLCV_NO_RETURN) put_record(x, a, a->next, m);
    }
}

static inline struct head head_of(const char *record)
{
    struct head h;
    memcpy(&h, record, sizeof h);
    return h;
}

/* Stable counting sort of records by one key. */
static void sort_records(char **record, char **other, int64_t n, int keys, int32_t first, bool by_asset)
{
    int64_t *at = memory_array(int64_t, keys + 1, "counts");
    for (int64_t i = 0; i < n; i++) {
        struct head h = head_of(record[i]);
        at[(by_asset ? h.asset : h.formation) - first + 1]++;
    }
    for (int k = 0; k < keys; k++) at[k + 1] += at[k];
    for (int64_t i = 0; i < n; i++) {
        struct head h = head_of(record[i]);
        other[at[(by_asset ? h.asset : h.formation) - first]++] = record[i];
    }
    memory_free(at);
}

/* One formation date: rank all its n rows, keep those that a return follows. */
static void take_date(const struct ohlcv *x, const struct panel_meta *m, char **record, int n, struct buffers *b)
{
    int D = x->D, kept = 0;
    for (int d = 0; d < D; d++) {
        for (int i = 0; i < n; i++)
            memcpy(&b->value[i], record[i] + sizeof(struct head) + (size_t)d * sizeof(double), sizeof(double));
        if (!x->o->history) rank_column(n, b->value, 1, b->column, 1, b->scratch);
        kept = 0;
        for (int i = 0; i < n; i++) {
            if (isnan(head_of(record[i]).ret)) continue;
            size_t to = (size_t)(b->rows + kept++) * (size_t)D + (size_t)d;
            b->features[to] = (float)b->value[i];
            if (x->o->history)
                memcpy(&b->characteristics[to],
                       record[i] + sizeof(struct head) + (size_t)D * sizeof(double) + (size_t)d * sizeof(float),
                       sizeof(float));
            else b->characteristics[to] = b->column[i];
        }
    }
    for (int i = 0; i < n; i++) {
        struct head h = head_of(record[i]);
        if (isnan(h.ret)) continue;
        b->returns[b->rows] = h.ret;
        b->close[b->rows] = h.close;
        b->ids[b->rows] = h.asset + 1;
        for (int g = 0; g < m->G; g++) b->group[g][b->rows] = x->label[g][h.asset];
        b->rows++;
    }
}

static void buffers_create(struct buffers *b, const struct ohlcv *x, int64_t rows)
{
    size_t cells = (size_t)rows * (size_t)x->D;
    *b = (struct buffers){.characteristics = memory_array(float, cells, "characteristics of a block"),
                          .features = memory_array(float, cells, "features of a block"),
                          .column = memory_array(float, rows, "ranks"),
                          .close = memory_array(double, rows, "prices of a block"),
                          .returns = memory_array(double, rows, "returns of a block"),
                          .value = memory_array(double, rows, "values of a date"),
                          .ids = memory_array(int64_t, rows, "identifiers of a block"),
                          .scratch = memory_allocate(rank_workspace((int)rows), 1, "rank workspace")};
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) b->group[g] = memory_array(int32_t, rows, "labels of a block");
}

static void buffers_free(struct buffers *b)
{
    memory_free(b->characteristics);
    memory_free(b->features);
    memory_free(b->column);
    memory_free(b->close);
    memory_free(b->returns);
    memory_free(b->value);
    memory_free(b->ids);
    memory_free(b->scratch);
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) memory_free(b->group[g]);
}

/* The rows of formation dates k0 .. k1-1, in two texts of records, to their place in the file. */
static int write_block(const struct ohlcv *x, const struct panel_meta *m, int k0, int k1, int64_t first_row,
                       const struct mail *own, const struct mail *foreign, struct panel_writer *w, struct error *e)
{
    size_t size = record_bytes(x);
    int64_t mine = (int64_t)(own->bytes / size), n = mine + (int64_t)(foreign->bytes / size);
    char **record = memory_array(char *, n, "records"), **other = memory_array(char *, n, "records");
    struct buffers b;
    for (int64_t i = 0; i < n; i++)
        record[i] = i < mine ? own->record + (size_t)i * size : foreign->record + (size_t)(i - mine) * size;
    sort_records(record, other, n, x->A, 0, true);
    sort_records(other, record, n, k1 - k0, k0, false);
    buffers_create(&b, x, n);
    int64_t at = 0;
    for (int k = k0; k < k1; at += x->cross[k++])
        if (x->kept[k]) take_date(x, m, record + at, (int)x->cross[k], &b);
    require(at == n);
    struct hdf *f = panel_writer_file(w);
    int rc = panel_write_rows(w, first_row, b.rows, b.characteristics, b.returns, b.ids, NULL, m->G ? b.group : NULL, e);
    if (!rc) rc = hdf_write_part(f, "ohlcv/features", HDF_FLOAT32, first_row, b.rows, b.features, e);
    if (!rc) rc = hdf_write_part(f, "ohlcv/close", HDF_FLOAT64, first_row, b.rows, b.close, e);
    buffers_free(&b);
    memory_free(record);
    memory_free(other);
    return rc;
}

/* Blocks of whole formation dates with about BLOCK_ROWS rows: first[b] .. first[b+1]-1; returns how many. */
static int cut_blocks(const struct ohlcv *x, int *first)
{
    int blocks = 0;
    int64_t rows = 0;
    for (int k = 0; k < x->K; rows += x->cross[k++])
        if (k == 0 || rows + x->cross[k] > BLOCK_ROWS) {
            first[blocks++] = k;
            rows = 0;
        }
    first[blocks] = x->K;
    return blocks;
}

int ohlcv_write_rows(struct ohlcv *x, const struct panel_meta *m, struct panel_writer *w, struct error *e)
{
    int me = team_rank(x->team), size = team_size(x->team), *first = memory_array(int, x->K + 1, "blocks"),
        blocks = cut_blocks(x, first);
    int64_t shape[2] = {m->rows, m->D}, row = 0;
    struct mail *mail = memory_array(struct mail, size, "rows by rank"), foreign = {0};
    void **send = memory_array(void *, size, "rows by rank");
    size_t *bytes = memory_array(size_t, size, "bytes by rank");
    int rc = dataset_make(panel_writer_file(w), "ohlcv/features", HDF_FLOAT32, shape, e);
    if (!rc) rc = dataset_make(panel_writer_file(w), "ohlcv/close", HDF_FLOAT64, shape, e);
    for (int b = 0; b < blocks && !rc; b += size) {
        int64_t my_row = row;
        for (int r = 0; r < size; r++) {
            mail[r].bytes = 0;
            if (r == me) my_row = row;
            if (b + r < blocks) {
                collect(x, first[b + r + 1], &mail[r]);
                for (int k = first[b + r]; k < first[b + r + 1]; k++) row += x->kept[k];
            }
            send[r] = mail[r].record;
            bytes[r] = mail[r].bytes;
        }
        foreign.bytes = team_exchange(x->team, send, bytes, &foreign.record, &foreign.room);
        if (b + me < blocks) write_block(x, m, first[b + me], first[b + me + 1], my_row, &mail[me], &foreign, w, e);
        rc = team_agree(x->team, e);
    }
    for (int r = 0; r < size; r++) memory_free(mail[r].record);
    memory_free(foreign.record);
    memory_free(mail);
    memory_free(send);
    memory_free(bytes);
    memory_free(first);
    return rc;
}
