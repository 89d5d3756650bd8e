/* Stocks in a CSV file, plain or compressed, read by all ranks at once.
 *
 * One pass over the text in rounds: in each every rank reads the next range of bytes, tells the others the parity of its
 * quotes, from which each knows whether its range starts inside quotes, parses the rows that start in its range, and sends each to
 * the owner of its period. What a rank holds does not grow with the file: a range of text, its rows, and its store. */
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/csv.h"
#include "io/decimal.h"
#include "io/source.h"
#include "stocks.h"

enum { TAIL = 1 << 16, SAMPLE_ROWS = 2000 };

struct stock_reader {
    struct stocks *s;
    struct source *source;
    struct error *e;
    int64_t first_row; /* byte at which the rows start */
    uint32_t *end;     /* [fields + 1] ends of a row's fields */
    char *text;        /* 1 + range + longest row + slack */
    bool quoted;       /* the round starts inside quotes */
};

/* ---- one row -------------------------------------------------------------------------------------------------------------- */

static int cell_number(const void *row, int field, double *out)
{
    size_t n;
    const char *text = csv_field(row, field, &n);
    return decimal_parse(text, n, out) == DECIMAL_BAD ? -1 : 0;
}

static const char *cell_text(const void *row, int field, size_t *n)
{
    return csv_field(row, field, n);
}

static int handle_row(struct stock_reader *d, const struct csv_row *r, int64_t position)
{
    struct bad_row bad = {.position = position};
    int fields = d->s->columns.fields, field;
    if (r->length == 0 && fields > 1) return 0; /* a blank line */
    if (r->quoted && (field = csv_bad_quotes(r, fields + 1)) >= 0) {
        uint32_t from = field ? r->end[field - 1] + 1 : 0;
        stocks_wrong(&bad, field, r->text + from, r->end[field] - from,
                     "a field without quotes, or wholly in them with quotes inside doubled");
    } else if (r->fields != fields) {
        bad.field = r->fields < fields ? r->fields - 1 : fields;
        snprintf(bad.text, sizeof bad.text, "found %d fields; needed are %d, as in the header", r->fields, fields);
    }
    struct stock_cells cells = {r, cell_number, cell_text, true};
    return stocks_take(d->s, &cells, &bad, d->e);
}

/* ---- a range of rows ------------------------------------------------------------------------------------------------------ */

static int too_long(struct stock_reader *d, int64_t position)
{
    const char *file = source_path(d->source);
    return error_set(
        d->e, "%s:%lld: a row longer than %d bytes starts here, perhaps a quote that is not closed; needed are shorter rows",
        file, (long long)source_line(file, position), CSV_LONGEST_ROW);
}

/* Rows that start in text [from, own) of got bytes; byte 0 is byte `at` of the file. */
static int parse_range(struct stock_reader *d, size_t from, size_t own, size_t got, int64_t at, size_t capacity)
{
    struct csv_cursor c;
    struct csv_row r;
    size_t longest = SIZE_MAX;     /* the row that was read on for */
    bool whole = got < own + TAIL; /* the file ends here */
    csv_begin(&c, d->text + from, got - from);
    while (from + c.row < own && csv_next(&c, d->end, d->s->columns.fields + 1, &r)) {
        if (!r.ended && !whole) { /* a long row: read on, start it again */
            size_t start = from + r.at, limit = start + CSV_LONGEST_ROW < capacity ? start + CSV_LONGEST_ROW : capacity;
            if (got >= limit || start == longest) return too_long(d, at + (int64_t)start);
            int64_t more = source_read(d->source, at + (int64_t)got, limit - got, d->text + got, d->e);
            if (more < 0) return -1;
            whole = got + (size_t)more < limit;
            got += (size_t)more;
            from = longest = start;
            csv_begin(&c, d->text + from, got - from);
            continue;
        }
        if (r.length > CSV_LONGEST_ROW) return too_long(d, at + (int64_t)(from + r.at));
        if (handle_row(d, &r, at + (int64_t)(from + r.at))) return -1;
    }
    return 0;
}

/* ---- the rounds -------------------------------------------------------------------------------------------------------------- */

struct note {
    uint8_t odd_quotes, ended;
};

/* The next round; returns 1 when the text is used up, -1 on an error that all ranks share. */
static int round_of(struct stock_reader *d, int64_t round, struct note *notes)
{
    struct stocks *s = d->s;
    struct team *team = s->builder->team;
    int size = team_size(team), me = team_rank(team);
    size_t range = s->options->range_bytes, capacity = 1 + range + CSV_LONGEST_ROW;
    int64_t base = d->first_row, start = base + (round * size + me) * (int64_t)range;
    size_t lead = start > base; /* the byte before tells whether a row starts at once */
    int64_t got = source_read(d->source, start - (int64_t)lead, lead + range + TAIL, d->text, d->e);
    size_t there = got > (int64_t)lead ? (size_t)got - lead : 0, own = there < range ? there : range;
    struct note mine = {.odd_quotes = csv_quotes(d->text + lead, own) & 1, .ended = there <= range};
    s->text_bytes += (int64_t)own;
    team_all_gather(team, &mine, sizeof mine, notes);
    bool quoted = d->quoted, last = false;
    for (int r = 0; r < size; r++) {
        if (r < me) quoted ^= notes[r].odd_quotes;
        d->quoted ^= notes[r].odd_quotes;
        last |= notes[r].ended;
    }
    if (!error_is_set(d->e) && own) {
        size_t from = lead;
        if (lead && (quoted || d->text[0] != '\n')) from += csv_row_end(d->text + lead, own, quoted);
        if (from < lead + own) parse_range(d, from, lead + own, (size_t)got, start - (int64_t)lead, capacity);
    }
    if (team_agree(team, d->e)) return -1;
    return stocks_exchange(s, d->e) ? -1 : last;
}

static int read_rounds(struct stock_reader *d)
{
    int rc = 0;
    d->end = memory_array(uint32_t, d->s->columns.fields + 1, "ends of fields");
    struct note *notes = memory_array(struct note, team_size(d->s->builder->team), "notes");
    for (int64_t round = 0; rc == 0; round++) rc = round_of(d, round, notes);
    memory_free(notes);
    memory_free(d->end);
    return rc < 0 ? -1 : 0;
}

/* ---- the header ----------------------------------------------------------------------------------------------------------------- */

/* The first values of each column in the sample: seen, and whether the first one was no number. */
static void look_at_rows(const struct stock_columns *s, int64_t first_row, const char *sample, size_t n, bool complete,
                         bool *text)
{
    uint32_t *end = memory_array(uint32_t, s->fields, "ends of fields");
    bool *seen = memory_array(bool, s->fields, "columns seen");
    struct csv_cursor c;
    struct csv_row r;
    csv_begin(&c, sample + first_row, n - (size_t)first_row);
    for (int i = 0; i < SAMPLE_ROWS && csv_next(&c, end, s->fields, &r) && (r.ended || complete); i++) {
        if (r.fields != s->fields) continue; /* reported when it is read */
        for (int k = 0; k < s->fields; k++) {
            size_t length;
            double v;
            const char *field = csv_field(&r, k, &length);
            enum decimal_kind kind = seen[k] && k != s->id ? DECIMAL_MISSING : decimal_parse(field, length, &v);
            if (kind == DECIMAL_MISSING) continue;
            seen[k] = true;
            text[k] |= kind == DECIMAL_BAD;
        }
    }
    memory_free(seen);
    memory_free(end);
}

/* sample [n]: the start of the text, whole file if complete. */
static int find_columns(struct stock_reader *d, const char *sample, size_t n, bool complete)
{
    struct stock_columns *c = &d->s->columns;
    const struct ingest_options *o = d->s->options;
    struct csv_cursor cursor;
    struct csv_row r;
    size_t mark = csv_mark(sample, n);
    if (n == mark) return error_set(d->e, "%s: the file is empty; needed is a CSV file with a header and rows", o->stocks);
    size_t room = csv_row_end(sample + mark, n - mark, false);
    uint32_t *end = memory_array(uint32_t, room + 1, "ends of names");
    csv_begin(&cursor, sample + mark, n - mark);
    csv_next(&cursor, end, (int)room + 1, &r);
    int rc = csv_header(o->stocks, &r, &c->names, d->e);
    c->fields = rc ? 0 : r.fields;
    d->first_row = (int64_t)(mark + cursor.row);
    memory_free(end);
    if (rc || stock_columns_roles(c, o, d->e)) return -1;
    bool *text = memory_array(bool, c->fields, "text columns");
    look_at_rows(c, d->first_row, sample, n, complete, text);
    rc = stock_columns_choose(c, text, o, d->e);
    memory_free(text);
    return rc;
}

static int read_stocks(const struct ingest_options *o, struct panel_builder *b, struct error *e)
{
    struct stocks *s = stocks_create(o, b);
    struct stock_reader d = {.s = s, .e = e, .source = source_open(o->stocks, e)};
    size_t room = 1 + o->range_bytes + CSV_LONGEST_ROW + CSV_SLACK + TAIL;
    d.text = memory_array(char, room > SOURCE_HISTORY + CSV_SLACK ? room : SOURCE_HISTORY + CSV_SLACK, "text");
    double start = clock_seconds();
    s->line = source_line;
    /* columns are found by every rank for itself from the same first bytes */
    int64_t n = d.source ? source_read(d.source, 0, SOURCE_HISTORY, d.text, e) : -1;
    if (n >= 0) find_columns(&d, d.text, (size_t)n, n < SOURCE_HISTORY);
    int rc = team_agree(b->team, e);
    if (!rc) {
        stocks_begin(s);
        rc = read_rounds(&d);
    }
    s->seconds = clock_seconds() - start;
    source_close(d.source);
    memory_free(d.text);
    return rc ? -1 : stocks_end(s, e);
}

static bool given(const struct ingest_options *o)
{
    return o->stocks != NULL;
}

const struct source_class stocks_csv_source = {.name = "stocks",
                                               .summary = "stock-months, one row each, as CSV",
                                               .flag = "stocks",
                                               .options = stock_options,
                                               .rows = true,
                                               .given = given,
                                               .check = stocks_check,
                                               .read = read_stocks};
