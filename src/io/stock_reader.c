/* One pass over the text in rounds: in each every rank reads the next range of bytes, tells the others the parity of its
 * quotes, from which each knows whether its range starts inside quotes, parses the rows that start in its range, and sends each to
 * the owner of its period. What a rank holds does not grow with the file: a range of text, its rows, and its store. */
#include "io/stock_reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/csv.h"
#include "io/decimal.h"
#include "io/source.h"

enum { TAIL = 1 << 16 };

struct outbox {
    char *data;
    size_t bytes, room;
};

/* A wrong row: where and what. */
struct bad_row {
    int64_t position;
    int field; /* from 0 */
    char text[200];
};

struct reader {
    struct stocks *s;
    struct source *source;
    struct error *e;
    uint32_t *end;               /* [fields + 1] ends of a row's fields */
    char *text;                  /* 1 + range + longest row + slack */
    struct outbox *rows, *leads; /* [ranks] */
    char *received;
    size_t received_room;
    union word *row; /* [words] the row in hand */
    bool quoted;     /* the round starts inside quotes */
    struct bad_row first_bad;
};

static void append(struct outbox *b, const void *data, size_t bytes)
{
    if (b->bytes + bytes > b->room) {
        size_t room = b->room ? 2 * b->room : 1 << 16;
        while (room < b->bytes + bytes) room *= 2;
        char *grown = memory_array(char, room, "rows for another rank");
        if (b->bytes) memcpy(grown, b->data, b->bytes);
        memory_free(b->data);
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->bytes, data, bytes);
    b->bytes += bytes;
}

/* ---- one row -------------------------------------------------------------------------------------------------------------- */

static int wrong(struct bad_row *bad, int field, const char *text, size_t n, const char *needed)
{
    int shown = n > 40 ? 40 : (int)n;
    bad->field = field;
    snprintf(bad->text, sizeof bad->text, "found '%.*s%s'; needed is %s", shown, text, n > 40 ? "..." : "", needed);
    for (char *p = bad->text; *p; p++)
        if ((unsigned char)*p < ' ') *p = '?'; /* one line a message */
    return -1;
}

static int number_of(const struct csv_row *r, int field, double *out, struct bad_row *bad)
{
    size_t n;
    const char *text = csv_field(r, field, &n);
    if (decimal_parse(text, n, out) != DECIMAL_BAD) return 0;
    return wrong(bad, field, text, n, "a number, or nothing where it is missing");
}

static int identify(struct reader *d, const struct csv_row *r, int64_t *id, struct bad_row *bad)
{
    size_t n;
    int field = d->s->columns.id;
    const char *text = csv_field(r, field, &n);
    if (!d->s->columns.text_ids)
        return decimal_parse_whole(text, n, id) == DECIMAL_FINITE
                   ? 0
                   : wrong(bad, field, text, n, "a whole number, the stock's identifier");
    char plain[256];
    while (n && *text == ' ') text++, n--;
    while (n && text[n - 1] == ' ') n--;
    if (n == 0 || n > 255 || memchr(text, '\0', n))
        return wrong(bad, field, text, n, "a text of 1 to 255 bytes, the stock's identifier");
    n = csv_unquote(text, n, plain);
    return names_add(d->s->names, plain, n, id, d->e);
}

/* Flags and numbers that decide which sample a row is in. Returns the step at which it leaves, or STEP_KEPT. */
static int wanted(struct reader *d, const struct csv_row *r, int64_t date, enum audit_step *step, struct bad_row *bad)
{
    const struct stock_columns *c = &d->s->columns;
    const struct ingest_options *o = d->s->options;
    size_t n;
    *step = STEP_DATES;
    if ((o->from && date < o->from) || (o->to && date > o->to)) return 0;
    *step = STEP_COUNTRY;
    if (c->country >= 0 && strcmp(o->country, "all")) {
        const char *text = csv_field(r, c->country, &n);
        if (n != strlen(o->country) || memcmp(text, o->country, n)) return 0;
    }
    for (int f = 0; f < FLAGS; f++) {
        double v;
        *step = (enum audit_step)(STEP_FLAGS + f);
        if (c->flag[f] < 0 || o->all_rows) continue;
        if (number_of(r, c->flag[f], &v, bad)) return -1;
        if (v != 1) return 0;
    }
    *step = STEP_KEPT;
    return 0;
}

static int parse_values(struct reader *d, const struct csv_row *r, struct bad_row *bad)
{
    const struct stock_columns *c = &d->s->columns;
    union word *w = d->row;
    double code = 0;
    size_t n;
    w[WORD_ME].real = NAN;
    w[WORD_GROUP].real = SIZE_UNKNOWN;
    if (c->me >= 0 && number_of(r, c->me, &w[WORD_ME].real, bad)) return -1;
    if (c->exchange_code >= 0 && number_of(r, c->exchange_code, &code, bad)) return -1;
    w[WORD_NYSE].real = code == 1;
    if (c->size_group >= 0) {
        const char *text = csv_field(r, c->size_group, &n);
        w[WORD_GROUP].real = size_group_named(text, n);
    }
    for (int k = 0; k < c->C; k++)
        if (number_of(r, c->column[k], &w[WORDS + k].real, bad)) return -1;
    return 0;
}

/* Parse a row and put it where it belongs; 0, or -1 with bad or the reader's error filled. */
static int take_row(struct reader *d, const struct csv_row *r, struct bad_row *bad)
{
    struct stocks *s = d->s;
    const struct stock_columns *c = &s->columns;
    struct date day;
    size_t n;
    int64_t id;
    double ret;
    enum audit_step step;
    if (r->length == 0 && c->fields > 1) return 0; /* a blank line */
    if (r->quoted) {
        int field = csv_bad_quotes(r, c->fields + 1);
        if (field >= 0)
            return wrong(bad, field, r->text + (field ? r->end[field - 1] + 1 : 0),
                         r->end[field] - (field ? r->end[field - 1] + 1 : 0),
                         "a field without quotes, or wholly in them with quotes inside doubled");
    }
    if (r->fields != c->fields) {
        bad->field = r->fields < c->fields ? r->fields - 1 : c->fields;
        snprintf(bad->text, sizeof bad->text, "found %d fields; needed are %d, as in the header", r->fields, c->fields);
        return -1;
    }
    const char *text = csv_field(r, c->date, &n);
    if (!date_parse(text, n, &day) || (s->options->daily && !day.day))
        return wrong(bad, c->date, text, n, "a date such as 20010131 or 2001-01-31");
    int key = s->options->daily ? day_of(day) : month_of(day);
    int64_t *audit = s->audit + (size_t)(day.year - CALENDAR_FIRST_YEAR) * STEPS;
    if (wanted(d, r, stocks_key_date(s, key), &step, bad)) return -1;
    if (step == STEP_COUNTRY || (step == STEP_DATES && !c->lead)) {
        audit[STEP_READ]++;
        audit[step]++;
        return 0;
    }
    if (identify(d, r, &id, bad) || number_of(r, c->ret, &ret, bad)) return -1;
    if (step == STEP_KEPT) {
        if (parse_values(d, r, bad)) return -1;
        d->row[WORD_ID].whole = id;
        d->row[WORD_RETURN].real = c->lead ? NAN : ret;
        d->row[WORD_KEY].whole = key;
        append(&d->rows[stocks_owner(s, key)], d->row, (size_t)s->words * sizeof *d->row);
    } else audit[step]++;
    audit[STEP_READ]++;
    if (c->lead && !isnan(ret) && key > s->first_key) { /* earned even where the stock has left the sample by then */
        struct lead l = {key - 1, id, ret};
        append(&d->leads[stocks_owner(s, key - 1)], &l, sizeof l);
    }
    return 0;
}

/* ---- a range of rows ------------------------------------------------------------------------------------------------------ */

static int report(struct reader *d, const struct bad_row *bad)
{
    const char *file = source_path(d->source);
    const struct stock_columns *c = &d->s->columns;
    const char *name = bad->field < c->fields ? c->names[bad->field] : "";
    return error_set(d->e, "%s:%lld:%d: %s%s%s%s", file, (long long)source_line(file, bad->position), bad->field + 1,
                     *name ? "column " : "", name, *name ? ": " : "", bad->text);
}

static int handle_row(struct reader *d, const struct csv_row *r, int64_t position)
{
    struct bad_row bad = {.position = position};
    d->row[WORD_POSITION].whole = position;
    if (!take_row(d, r, &bad)) return 0;
    if (error_is_set(d->e)) return -1;
    if (!d->s->options->skip_bad) return report(d, &bad);
    if (d->s->bad_rows++ == 0) d->first_bad = bad;
    return 0;
}

static int too_long(struct reader *d, int64_t position)
{
    const char *file = source_path(d->source);
    return error_set(
        d->e, "%s:%lld: a row longer than %d bytes starts here, perhaps a quote that is not closed; needed are shorter rows",
        file, (long long)source_line(file, position), CSV_LONGEST_ROW);
}

/* Rows that start in text [from, own) of got bytes; byte 0 is byte `at` of the file. */
static int parse_range(struct reader *d, size_t from, size_t own, size_t got, int64_t at, size_t capacity)
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

/* ---- rows that came to their period's owner ---------------------------------------------------------------------------- */

static int64_t *missing_of(struct stocks *s, int key)
{
    int *slot = &s->slot[key - s->first_key], C = s->columns.C;
    if (!*slot) {
        if (++s->slots >= s->slot_room) {
            int room = s->slot_room ? 2 * s->slot_room : 64;
            int64_t *grown = memory_array(int64_t, (size_t)room * C, "missing values by period");
            if (s->missing) memcpy(grown, s->missing, (size_t)s->slots * C * sizeof *grown);
            memory_free(s->missing);
            s->missing = grown;
            s->slot_room = room;
        }
        *slot = s->slots;
    }
    return s->missing + (size_t)*slot * C;
}

static int store_rows(struct stocks *s, const char *data, size_t bytes, struct error *e)
{
    size_t size = (size_t)s->words * sizeof(union word);
    for (size_t at = 0; at < bytes; at += size) {
        const union word *w = (const union word *)(const void *)(data + at);
        int64_t *missing = missing_of(s, (int)w[WORD_KEY].whole);
        for (int k = 0; k < s->columns.C; k++) missing[k] += isnan(w[WORDS + k].real);
        if (row_store_add(s->rows, (int)w[WORD_KEY].whole, w, e)) return -1;
    }
    return 0;
}

static int store_leads(struct stocks *s, const char *data, size_t bytes, struct error *e)
{
    for (size_t at = 0; at < bytes; at += sizeof(struct lead)) {
        const struct lead *l = (const struct lead *)(const void *)(data + at);
        if (row_store_add(s->leads, (int)l->key, l, e)) return -1;
    }
    return 0;
}

/* Hand the outboxes over and store what is mine. */
static int deliver(struct reader *d, struct outbox *box, int (*store)(struct stocks *, const char *, size_t, struct error *))
{
    struct stocks *s = d->s;
    int size = team_size(s->team), me = team_rank(s->team);
    void **send = memory_array(void *, size, "outboxes");
    size_t *bytes = memory_array(size_t, size, "outboxes");
    for (int r = 0; r < size; r++) send[r] = box[r].data, bytes[r] = box[r].bytes;
    size_t came = team_exchange(s->team, send, bytes, &d->received, &d->received_room);
    int rc = store(s, box[me].data, box[me].bytes, d->e);
    if (!rc) rc = store(s, d->received, came, d->e);
    for (int r = 0; r < size; r++) box[r].bytes = 0;
    memory_free(send);
    memory_free(bytes);
    return rc;
}

/* ---- the rounds -------------------------------------------------------------------------------------------------------------- */

struct note {
    uint8_t odd_quotes, ended;
};

/* The next round; returns 1 when the text is used up, -1 on an error that all ranks share. */
static int round_of(struct reader *d, int64_t round, struct note *notes)
{
    struct stocks *s = d->s;
    int size = team_size(s->team), me = team_rank(s->team);
    size_t range = s->options->range_bytes, capacity = 1 + range + CSV_LONGEST_ROW;
    int64_t base = s->columns.first_row, start = base + (round * size + me) * (int64_t)range;
    size_t lead = start > base; /* the byte before tells whether a row starts at once */
    int64_t got = source_read(d->source, start - (int64_t)lead, lead + range + TAIL, d->text, d->e);
    size_t there = got > (int64_t)lead ? (size_t)got - lead : 0, own = there < range ? there : range;
    struct note mine = {.odd_quotes = csv_quotes(d->text + lead, own) & 1, .ended = there <= range};
    s->text_bytes += (int64_t)own;
    team_all_gather(s->team, &mine, sizeof mine, notes);
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
    if (team_agree(s->team, d->e)) return -1;
    deliver(d, d->rows, store_rows);
    if (s->columns.lead) deliver(d, d->leads, store_leads);
    return team_agree(s->team, d->e) ? -1 : last;
}

static int check_bad_rows(struct reader *d)
{
    struct stocks *s = d->s;
    int64_t total[2] = {s->bad_rows, 0};
    for (int y = 0; y < AUDIT_YEARS; y++) total[1] += s->audit[(size_t)y * STEPS + STEP_READ];
    double first = s->bad_rows ? -(double)d->first_bad.position : -INFINITY;
    team_sum_long(s->team, total, 2);
    team_max_double(s->team, &first, 1);
    struct error said = {""}; /* the first bad row of the file, told by the rank that met it */
    struct error *mine = d->e;
    if (total[0] && s->bad_rows && -(double)d->first_bad.position == first) {
        d->e = &said;
        report(d, &d->first_bad);
        d->e = mine;
    }
    s->bad_rows = total[0];
    if (!total[0]) return 0;
    team_agree(s->team, &said);
    if (total[0] * STOCK_MISSING_SHARE_OF_BAD > total[0] + total[1])
        return error_set(d->e, "%lld of %lld rows are bad, more than one in %d; the first: %s", (long long)total[0],
                         (long long)(total[0] + total[1]), STOCK_MISSING_SHARE_OF_BAD, said.text);
    log_warn("%lld bad rows were skipped; the first: %s", (long long)total[0], said.text);
    return 0;
}

static int read_rounds(struct reader *d)
{
    struct stocks *s = d->s;
    int size = team_size(s->team), rc = 0;
    d->end = memory_array(uint32_t, s->columns.fields + 1, "ends of fields");
    d->row = memory_array(union word, s->words, "row");
    d->rows = memory_array(struct outbox, 2 * size, "outboxes");
    d->leads = d->rows + size;
    struct note *notes = memory_array(struct note, size, "notes");
    for (int64_t round = 0; rc == 0; round++) rc = round_of(d, round, notes);
    if (rc > 0) rc = check_bad_rows(d);
    for (int r = 0; r < 2 * size; r++) memory_free(d->rows[r].data);
    memory_free(d->rows);
    memory_free(d->received);
    memory_free(notes);
    memory_free(d->row);
    memory_free(d->end);
    return rc;
}

/* Columns are found by every rank for itself from the same first bytes. */
static int find_columns(struct stocks *s, struct source *source, char *text, struct error *e)
{
    int64_t n = source ? source_read(source, 0, SOURCE_HISTORY, text, e) : -1;
    if (n >= 0) stock_columns_find(&s->columns, s->options->stocks, text, (size_t)n, n < SOURCE_HISTORY, s->options, e);
    return team_agree(s->team, e);
}

int stocks_read(struct stocks *s, const struct ingest_options *o, struct team *team, struct error *e)
{
    *s = (struct stocks){.options = o, .team = team};
    struct date first = {CALENDAR_FIRST_YEAR, 1, 1}, last = {CALENDAR_LAST_YEAR, 12, 31};
    s->first_key = o->daily ? day_of(first) : month_of(first);
    s->keys = (o->daily ? day_of(last) : month_of(last)) - s->first_key + 1;
    struct reader d = {.s = s, .e = e, .source = source_open(o->stocks, e)};
    size_t room = 1 + o->range_bytes + CSV_LONGEST_ROW + CSV_SLACK + TAIL;
    d.text = memory_array(char, room > SOURCE_HISTORY + CSV_SLACK ? room : SOURCE_HISTORY + CSV_SLACK, "text");
    double start = clock_seconds();
    int rc = find_columns(s, d.source, d.text, e);
    if (!rc) {
        s->words = WORDS + s->columns.C;
        s->audit = memory_array(int64_t, (size_t)AUDIT_YEARS * STEPS, "audit table");
        s->slot = memory_array(int, s->keys, "periods");
        s->rows = row_store_create((size_t)s->words * sizeof(union word), s->first_key, s->keys, o->memory, o->output);
        if (s->columns.lead)
            s->leads = row_store_create(sizeof(struct lead), s->first_key, s->keys, o->memory / 16, o->output);
        if (s->columns.text_ids) s->names = names_create();
        rc = read_rounds(&d);
    }
    if (!rc && s->names) rc = names_join(s->names, team, e);
    s->seconds = clock_seconds() - start;
    source_close(d.source);
    memory_free(d.text);
    return rc;
}

void stocks_free(struct stocks *s)
{
    stock_columns_free(&s->columns);
    row_store_free(s->rows);
    row_store_free(s->leads);
    names_free(s->names);
    memory_free(s->audit);
    memory_free(s->missing);
    memory_free(s->slot);
    *s = (struct stocks){0};
}
