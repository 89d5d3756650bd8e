/* Rows of stocks, whatever file they come from: wanted or not, to the panel builder, and each with the return that follows. */
#include "stocks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/csv.h"
#include "io/decimal.h"
#include "io/datasets.h"

enum { MOST_BAD = 1000 }; /* skipping bad rows ends where more than one row in 1000 is bad */

/* Why a row left the sample, in the order of asking; what is left is KEPT. */
enum {
    STEP_READ,
    STEP_DATES,
    STEP_COUNTRY,
    STEP_FLAGS,
    STEP_SPARSE = STEP_FLAGS + FLAGS,
    STEP_NANO,
    STEP_NO_RETURN,
    STEP_KEPT,
    STEPS
};
enum { AUDIT_YEARS = CALENDAR_LAST_YEAR - CALENDAR_FIRST_YEAR + 1 };
static const struct audit_step step_of[STEPS] = {{"read", "rows of the file"},
                                                 {"outside_dates", "outside --from .. --to"},
                                                 {"other_country", "excntry is another"},
                                                 {"other_exchange", "exch_main is not 1"},
                                                 {"secondary_security", "primary_sec is not 1"},
                                                 {"not_common", "common is not 1"},
                                                 {"not_main_observation", "obs_main is not 1"},
                                                 {"too_many_missing", "too many of the characteristics in use are missing"},
                                                 {"nano", "market equity below the first NYSE percentile"},
                                                 {"no_return", "no return follows (after ranking)"},
                                                 {"kept", "rows of the panel"}};

struct lead {
    int64_t key, id; /* the period before, and the stock: whose next return this is */
    double ret;
};

static int64_t key_date(const void *stocks, int key)
{
    return ((const struct stocks *)stocks)->daily ? day_date(key) : month_end(key);
}

/* ---- one row -------------------------------------------------------------------------------------------------------------- */

int stocks_wrong(struct bad_row *bad, int field, const char *text, size_t n, const char *needed)
{
    int shown = n > 40 ? 40 : (int)n;
    bad->field = field;
    snprintf(bad->text, sizeof bad->text, "found '%.*s%s'; needed is %s", shown, text, n > 40 ? "..." : "", needed);
    for (char *p = bad->text; *p; p++)
        if ((unsigned char)*p < ' ') *p = '?'; /* one line a message */
    return -1;
}

static int number_of(const struct stock_cells *r, int field, double *out, struct bad_row *bad)
{
    size_t n;
    if (!r->number(r->row, field, out)) return 0;
    const char *text = r->text(r->row, field, &n);
    return stocks_wrong(bad, field, text, n, "a number, or nothing where it is missing");
}

static int identify(struct stocks *s, const struct stock_cells *r, int64_t *id, struct bad_row *bad, struct error *e)
{
    size_t n;
    int field = s->columns.id;
    const char *text = r->text(r->row, field, &n);
    if (!s->columns.text_ids)
        return decimal_parse_whole(text, n, id) == DECIMAL_FINITE
                   ? 0
                   : stocks_wrong(bad, field, text, n, "a whole number, the stock's identifier");
    char plain[256];
    while (n && *text == ' ') text++, n--;
    while (n && text[n - 1] == ' ') n--;
    if (n == 0 || n > 255 || memchr(text, '\0', n))
        return stocks_wrong(bad, field, text, n, "a text of 1 to 255 bytes, the stock's identifier");
    if (r->doubled) n = csv_unquote(text, n, plain), text = plain;
    return names_add(s->names, text, n, id, e);
}

/* Flags and numbers that decide which sample a row is in: the step at which it leaves, or STEP_KEPT. */
static int wanted(const struct stocks *s, const struct stock_cells *r, int64_t date, int *step, struct bad_row *bad)
{
    const struct stock_columns *c = &s->columns;
    const struct ingest_options *o = s->options;
    size_t n;
    *step = STEP_DATES;
    if ((o->from && date < o->from) || (o->to && date > o->to)) return 0;
    *step = STEP_COUNTRY;
    if (c->country >= 0 && strcmp(o->country, "all")) {
        const char *text = r->text(r->row, c->country, &n);
        if (n != strlen(o->country) || memcmp(text, o->country, n)) return 0;
    }
    for (int f = 0; f < FLAGS; f++) {
        double v;
        *step = STEP_FLAGS + f;
        if (c->flag[f] < 0 || o->all_rows) continue;
        if (number_of(r, c->flag[f], &v, bad)) return -1;
        if (v != 1) return 0;
    }
    *step = STEP_KEPT;
    return 0;
}

static int take_values(struct stocks *s, const struct stock_cells *r, struct bad_row *bad)
{
    const struct stock_columns *c = &s->columns;
    union word *w = s->row;
    double code = 0;
    size_t n;
    w[WORD_ME].real = NAN;
    w[WORD_GROUP].real = SIZE_UNKNOWN;
    if (c->me >= 0 && number_of(r, c->me, &w[WORD_ME].real, bad)) return -1;
    if (c->exchange_code >= 0 && number_of(r, c->exchange_code, &code, bad)) return -1;
    w[WORD_NYSE].real = code == 1;
    if (c->size_group >= 0) {
        const char *text = r->text(r->row, c->size_group, &n);
        w[WORD_GROUP].real = size_group_named(text, n);
    }
    for (int k = 0; k < c->C; k++)
        if (number_of(r, c->column[k], &w[WORDS + k].real, bad)) return -1;
    return 0;
}

/* Put a row where it belongs; -1 with bad or *e filled. */
static int take_row(struct stocks *s, const struct stock_cells *r, struct bad_row *bad, struct error *e)
{
    const struct stock_columns *c = &s->columns;
    struct panel_builder *b = s->builder;
    struct date day;
    size_t n;
    int64_t id;
    double ret;
    int step;
    const char *text = r->text(r->row, c->date, &n);
    if (!date_parse(text, n, &day) || (s->daily && !day.day))
        return stocks_wrong(bad, c->date, text, n, "a date such as 20010131 or 2001-01-31");
    int key = s->daily ? day_of(day) : month_of(day);
    int64_t *audit = b->audit.count + (size_t)(day.year - CALENDAR_FIRST_YEAR) * STEPS;
    if (wanted(s, r, key_date(s, key), &step, bad)) return -1;
    if (step == STEP_COUNTRY || (step == STEP_DATES && !c->lead)) {
        audit[STEP_READ]++;
        audit[step]++;
        return 0;
    }
    if (identify(s, r, &id, bad, e) || number_of(r, c->ret, &ret, bad)) return -1;
    if (s->options->stocks_percent) ret /= 100;
    if (step == STEP_KEPT) {
        if (take_values(s, r, bad)) return -1;
        s->row[WORD_ID].whole = id;
        s->row[WORD_RETURN].real = c->lead ? NAN : ret;
        s->row[WORD_KEY].whole = key;
        s->row[WORD_POSITION].whole = bad->position;
        builder_put(b, s->row);
    } else audit[step]++;
    audit[STEP_READ]++;
    if (c->lead && !isnan(ret) && key > b->from.first_key) { /* earned even where the stock has left the sample by then */
        struct lead l = {key - 1, id, ret};
        mailbox_put(&s->mail, builder_owner(b, key - 1), &l, sizeof l);
    }
    return 0;
}

static int report(const struct stocks *s, const struct bad_row *bad, struct error *e)
{
    const char *file = s->options->stocks;
    const struct stock_columns *c = &s->columns;
    const char *name = bad->field < c->fields ? c->names[bad->field] : "";
    return error_set(e, "%s:%lld:%d: %s%s%s%s", file, (long long)s->line(file, bad->position), bad->field + 1,
                     *name ? "column " : "", name, *name ? ": " : "", bad->text);
}

int stocks_take(struct stocks *s, const struct stock_cells *cells, struct bad_row *bad, struct error *e)
{
    if (!*bad->text && !take_row(s, cells, bad, e)) return 0;
    if (error_is_set(e)) return -1;
    if (strcmp(s->options->bad_rows, "skip")) return report(s, bad, e);
    if (s->bad_rows++ == 0) s->first_bad = *bad;
    return 0;
}

static int check_bad_rows(struct stocks *s, struct error *e)
{
    struct team *team = s->builder->team;
    int64_t total[2] = {s->bad_rows, 0};
    for (int y = 0; y < AUDIT_YEARS; y++) total[1] += s->builder->audit.count[(size_t)y * STEPS + STEP_READ];
    double first = s->bad_rows ? -(double)s->first_bad.position : -INFINITY;
    team_sum_long(team, total, 2);
    team_max_double(team, &first, 1);
    struct error said = {""}; /* the first bad row of the file, told by the rank that met it */
    if (total[0] && s->bad_rows && -(double)s->first_bad.position == first) report(s, &s->first_bad, &said);
    s->bad_rows = total[0];
    if (!total[0]) return 0;
    team_agree(team, &said);
    if (total[0] * MOST_BAD > total[0] + total[1])
        return error_set(e, "%lld of %lld rows are bad, more than one in %d; the first: %s", (long long)total[0],
                         (long long)(total[0] + total[1]), MOST_BAD, said.text);
    log_warn("%lld bad rows were skipped; the first: %s", (long long)total[0], said.text);
    return 0;
}

/* ---- the rows of a period, each with what follows ---------------------------------------------------------------------------------- */

static int refuse_duplicate(const struct stocks *s, const struct section *x, int place, struct error *e)
{
    const char *file = s->options->stocks;
    int64_t a = section_row(x, place - 1)[WORD_POSITION].whole, b = section_row(x, place)[WORD_POSITION].whole,
            id = x->order[place].id, first = a < b ? a : b, second = a < b ? b : a;
    char name[300];
    if (s->names) snprintf(name, sizeof name, "%s", names_sorted(s->names)[id - 1]);
    else snprintf(name, sizeof name, "%lld", (long long)id);
    return error_set(
        e, "%s:%lld:%d: stock %s has a second row dated %lld (the first is line %lld); needed is one row per stock and %s",
        file, (long long)s->line(file, second), s->columns.id + 1, name, (long long)key_date(s, (int)x->order[place].key),
        (long long)s->line(file, first), s->daily ? "day" : "month");
}

static int lead_by_id(const void *a, const void *b)
{
    const struct lead *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Returns of the next period, where the file has only those of its own. */
static int join_leads(struct stocks *s, struct section *x, int from, int to, struct error *e)
{
    int key = (int)x->order[from].key, place = key - s->builder->from.first_key;
    int64_t n = row_store_rows(s->leads, place);
    if (n > s->lead_room) {
        memory_free(s->lead);
        s->lead_room = n + n / 4;
        s->lead = memory_array(struct lead, s->lead_room, "returns of the next period");
    }
    if (row_store_load(s->leads, place, s->lead, e)) return -1;
    for (int64_t i = 0; i < n && s->names; i++) s->lead[i].id = names_number(s->names, s->lead[i].id);
    if (n) qsort(s->lead, (size_t)n, sizeof *s->lead, lead_by_id);
    int64_t j = 0;
    for (int i = from; i < to; i++) {
        while (j < n && s->lead[j].id < x->order[i].id) j++;
        if (j >= n || s->lead[j].id != x->order[i].id) continue;
        if (j + 1 < n && s->lead[j + 1].id == s->lead[j].id && s->lead[j + 1].ret != s->lead[j].ret)
            return error_set(
                e,
                "%s: identifier %lld has two rows with different returns dated %lld; needed is one row per stock and month",
                s->options->stocks, (long long)s->lead[j].id, (long long)key_date(s, key + 1));
        x->ret[i] = s->lead[j].ret;
    }
    return 0;
}

static int complete(void *stocks, struct section *x, int from, int to, struct error *e)
{
    struct stocks *s = stocks;
    int exchange = 0;
    double breaks[4];
    for (int i = from; i < to; i++) {
        const union word *w = section_row(x, i);
        if (i > from && x->order[i].id == x->order[i - 1].id) return refuse_duplicate(s, x, i, e);
        if (w[WORD_NYSE].real == 1 && !isnan(w[WORD_ME].real)) x->scratch[exchange++] = w[WORD_ME].real;
    }
    if (s->leads && join_leads(s, x, from, to, e)) return -1;
    if (s->columns.size_group < 0 && size_breakpoints(exchange, x->scratch, breaks))
        for (int i = from; i < to; i++) x->size[i] = (int8_t)size_group_of(section_row(x, i)[WORD_ME].real, breaks);
    return 0;
}

/* ---- the audit ------------------------------------------------------------------------------------------------------------------------ */

static int unit(const void *stocks, int64_t date)
{
    (void)stocks;
    return (int)(date / 10000 - CALENDAR_FIRST_YEAR);
}

/* Years with rows; *first the first of them. */
static int years_with_rows(const struct audit *a, int *first)
{
    int last = -1;
    *first = 0;
    for (int y = AUDIT_YEARS - 1; y >= 0; y--)
        if (a->count[(size_t)y * STEPS + STEP_READ]) {
            if (last < 0) last = y;
            *first = y;
        }
    return last < 0 ? 0 : last - *first + 1;
}

static void print_audit(void *stocks, struct panel_builder *b)
{
    (void)stocks;
    int first, years = years_with_rows(&b->audit, &first);
    char **label = memory_array(char *, years, "years"), *text = memory_array(char, 8 * (size_t)years, "years");
    for (int y = 0; y < years; y++) {
        label[y] = text + 8 * y;
        snprintf(label[y], 8, "%d", CALENDAR_FIRST_YEAR + first + y);
    }
    audit_print(&b->audit, first, years, "year", label, "all");
    memory_free(label);
    memory_free(text);
}

static int write_names(const struct names *names, struct hdf *f, struct error *e)
{
    int64_t n = names_count(names), *id = memory_array(int64_t, n, "identifiers");
    for (int64_t k = 0; k < n; k++) id[k] = k + 1;
    int rc = dataset_write_texts(f, "asset_names", (int)n, names_sorted(names), e);
    if (!rc) rc = dataset_write(f, "asset_name_ids", HDF_INT64, &n, id, e);
    memory_free(id);
    return rc;
}

static int write_audit(void *stocks, struct panel_builder *b, struct hdf *f, struct error *e)
{
    const struct stocks *s = stocks;
    int first, years = years_with_rows(&b->audit, &first), C = s->columns.C;
    int64_t size = years, all = C, *year = memory_array(int64_t, years, "years");
    uint8_t *kept = memory_array(uint8_t, C, "characteristics kept");
    for (int y = 0; y < years; y++) year[y] = CALENDAR_FIRST_YEAR + first + y;
    for (int d = 0; d < b->meta.D; d++) kept[b->characteristic[d]] = 1;
    int rc = dataset_write(f, "audit/years", HDF_INT64, &size, year, e);
    if (!rc) rc = audit_write(&b->audit, first, years, f, e);
    if (!rc) rc = dataset_write_texts(f, "audit/characteristics", C, b->from.names, e);
    if (!rc) rc = dataset_write(f, "audit/missing_share", HDF_FLOAT64, &all, b->missing_share, e);
    if (!rc) rc = dataset_write(f, "audit/kept", HDF_UINT8, &all, kept, e);
    if (!rc) rc = hdf_put_int(f, "audit/rows", "bad_rows_skipped", s->bad_rows, e);
    if (!rc && s->names) rc = write_names(s->names, f, e);
    memory_free(year);
    memory_free(kept);
    return rc;
}

/* ---- begin and end ---------------------------------------------------------------------------------------------------------------------- */

static void destroy(void *stocks)
{
    struct stocks *s = stocks;
    memory_free_all(s->builder->from.names, s->columns.names, s->columns.column);
    if (s->mail.out) mailbox_close(&s->mail);
    row_store_free(s->leads);
    names_free(s->names);
    memory_free_all(s->lead, s->row, s);
}

struct stocks *stocks_create(const struct ingest_options *o, struct panel_builder *b)
{
    struct stocks *s = memory_array(struct stocks, 1, "stocks");
    *s = (struct stocks){.options = o, .builder = b, .daily = o->frequency && !strcmp(o->frequency, "daily")};
    b->from = (struct row_source){.source = s, .file = o->stocks, .close = destroy};
    return s;
}

void stocks_begin(struct stocks *s)
{
    const struct stock_columns *c = &s->columns;
    struct panel_builder *b = s->builder;
    struct date first = {CALENDAR_FIRST_YEAR, 1, 1}, last = {CALENDAR_LAST_YEAR, 12, 31};
    int first_key = s->daily ? day_of(first) : month_of(first), last_key = s->daily ? day_of(last) : month_of(last);
    if (c->text_ids) s->names = names_create();
    b->from = (struct row_source){.file = s->options->stocks,
                                  .source = s,
                                  .C = c->C,
                                  .names = memory_array(char *, c->C, "candidates"),
                                  .first_key = first_key,
                                  .keys = last_key - first_key + 1,
                                  .span = 1,
                                  .dense = !s->daily,
                                  .filtered = true,
                                  .size_groups = c->size_group >= 0 || (c->me >= 0 && c->exchange_code >= 0),
                                  .hashed = s->names,
                                  .steps = {STEP_SPARSE, STEP_NANO, STEP_NO_RETURN, STEP_KEPT},
                                  .date = key_date,
                                  .complete = complete,
                                  .unit = unit,
                                  .write_audit = write_audit,
                                  .print_audit = print_audit,
                                  .close = destroy};
    for (int k = 0; k < c->C; k++) b->from.names[k] = c->names[c->column[k]];
    audit_open(&b->audit, step_of, STEPS, 0, AUDIT_YEARS);
    builder_rows(b);
    s->row = memory_array(union word, b->words, "row");
    if (!c->lead) return;
    s->leads = row_store_create(sizeof(struct lead), 0, b->from.keys, s->options->memory / 16, s->options->output);
    mailbox_open(&s->mail, b->team);
}

static int keep_leads(void *stocks, const char *records, size_t bytes, struct error *e)
{
    struct stocks *s = stocks;
    for (size_t at = 0; at < bytes; at += sizeof(struct lead)) {
        const struct lead *l = (const struct lead *)(const void *)(records + at);
        if (row_store_add(s->leads, (int)l->key - s->builder->from.first_key, l, e)) return -1;
    }
    return 0;
}

int stocks_exchange(struct stocks *s, struct error *e)
{
    if (s->leads) mailbox_exchange(&s->mail, keep_leads, s, e);
    return builder_exchange(s->builder, e);
}

static void report_speed(const struct stocks *s)
{
    struct team *team = s->builder->team;
    int64_t total[2] = {s->text_bytes, row_store_spilled(s->builder->store)};
    double most[2] = {s->seconds, (double)memory_peak()};
    char text[32], memory[32], took[32];
    int size = team_size(team);
    team_sum_long(team, total, 2);
    team_max_double(team, most, 2);
    log_info("read %s of text in %s on %d rank%s (%.0f MB/s a rank); %s a rank at most, %.0f MB of rows in temporary files",
             format_bytes((double)total[0], text), format_duration(most[0], took), size, size > 1 ? "s" : "",
             (double)total[0] / most[0] / 1e6 / size, format_bytes(most[1], memory), (double)total[1] / 1e6);
}

/* Returns of all stocks together, by what a period is of a month. */
static int check_unit(const struct stocks *s, struct error *e)
{
    struct team *team = s->builder->team;
    double sum[3] = {0}, (*each)[3] = memory_allocate((size_t)team_size(team), sizeof *each, "sums of returns");
    char say[512];
    team_all_gather(team, s->builder->returns, sizeof s->builder->returns, each);
    for (int r = 0; r < team_size(team); r++)
        for (int k = 0; k < 3; k++) sum[k] += each[r][k];
    memory_free(each);
    if (sum[0] < 12 || s->options->any_volatility) return 0;
    double volatility = sqrt(fmax(0, sum[2] - sum[1] * sum[1] / sum[0]) / (sum[0] - 1)) * (s->daily ? sqrt(21) : 1);
    snprintf(say, sizeof say, "--stocks %.480s", s->options->stocks);
    return unit_check(volatility, 1, s->options->stocks, s->columns.names[s->columns.ret], s->options->stocks_percent, say,
                      e);
}

int stocks_end(struct stocks *s, struct error *e)
{
    struct panel_builder *b = s->builder;
    const struct ingest_options *o = s->options;
    if (check_bad_rows(s, e) || (s->names && names_join(s->names, b->team, e))) return -1;
    if (s->columns.me >= 0 && s->columns.size_group < 0 && s->columns.exchange_code < 0)
        log_info("%s: no size groups: me is there, but neither size_grp nor crsp_exchcd for NYSE breakpoints", o->stocks);
    b->meta.periods_per_year = s->daily ? 252 : 12;
    b->meta.frequency = memory_text(s->daily ? "daily" : "monthly");
    if (builder_plan(b, e) || check_unit(s, e)) return -1;
    report_speed(s);
    builder_describe(b, "stocks=%s%s characteristics=%s country=%s characteristic_missing<=%g%s row_missing<=%.4g nano=%s",
                     o->stocks, o->stocks_percent ? ",percent" : "", o->characteristics ? o->characteristics : "by header",
                     o->country, o->rules.characteristic_missing, o->rules.past_only ? " (past only)" : "",
                     o->rules.row_missing, o->rules.keep_nano ? "kept" : "dropped");
    return 0;
}
