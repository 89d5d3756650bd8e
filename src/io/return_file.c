/* Reading a wide CSV file of returns: header, dates in order, cells that may be empty. */
#include "io/return_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/csv.h"
#include "io/decimal.h"
#include "io/source.h"

enum { FIELDS = 1 << 14, LARGEST = 1 << 30 };

struct return_reading {
    const char *path;
    struct csv_cursor cursor;
    struct csv_row row;
    uint32_t *end; /* [FIELDS] */
    int line;
    struct error *e;
};

static bool blank(const struct csv_row *r)
{
    return r->fields == 1 && r->length == 0;
}

static int at_field(struct return_reading *r, int field, const char *name, const char *needed)
{
    size_t n;
    const char *s = csv_field(&r->row, field, &n);
    return error_set(r->e, "%s:%d:%d: column %s: found %s%.*s%s; needed is %s", r->path, r->line, field + 1, name,
                     n ? "'" : "nothing", n > 40 ? 40 : (int)n, s, n ? "'" : "", needed);
}

static int take_date(struct return_reading *r, struct return_table *t)
{
    size_t n;
    const char *s = csv_field(&r->row, 0, &n);
    if (n == 0 || n >= RETURN_DATE || memchr(s, '\0', n)) return at_field(r, 0, "1", "a date of at most 39 characters");
    char *date = t->date[t->T];
    memcpy(date, s, n);
    date[n] = '\0';
    /* dates of one width that begin with a year are in the order of their texts */
    bool years = n >= 8 && strspn(date, "0123456789") >= 4;
    if (!t->T || !years || strlen(t->date[t->T - 1]) != n || strcmp(t->date[t->T - 1], date) < 0) return 0;
    return error_set(r->e, "%s:%d:1: found date %s after %s; needed are dates that ascend, each once", r->path, r->line,
                     date, t->date[t->T - 1]);
}

/* The row's returns into values [n]; *missing: it has a gap. */
static int take_values(struct return_reading *r, const struct return_table *t, enum return_gaps gaps, const bool *begun,
                       double *values, bool *missing)
{
    *missing = false;
    for (int k = 0; k < t->n; k++) {
        size_t n;
        const char *s = csv_field(&r->row, k + 1, &n);
        switch (decimal_parse(s, n, &values[k])) {
        case DECIMAL_FINITE: break;
        case DECIMAL_BAD: return at_field(r, k + 1, t->name[k], "a return");
        case DECIMAL_MISSING:
            *missing = true;
            if (gaps == RETURNS_WHOLE)
                return at_field(r, k + 1, t->name[k],
                                "a return (--drop-missing leaves such rows out, --short takes what comes before a first "
                                "return as a shorter series)");
            if (gaps == RETURNS_SHORT && begun[k])
                return at_field(r, k + 1, t->name[k], "a return: this asset has earlier ones");
        }
    }
    return 0;
}

static int take_rows(struct return_reading *r, enum return_gaps gaps, int rows, struct return_table *t)
{
    double *values = memory_array(double, t->n, "returns of a row");
    bool *begun = memory_array(bool, t->n, "assets that have returns"), missing;
    t->date = memory_allocate((size_t)rows, RETURN_DATE, "dates");
    t->returns = memory_array(double, (size_t)rows *(size_t)t->n, "returns");
    t->first = memory_array(int, t->n, "first returns");
    for (int k = 0; k < t->n; k++) t->first[k] = -1;
    while (csv_next_line(&r->cursor, r->end, FIELDS, &r->row, &r->line) && !error_is_set(r->e)) {
        if (blank(&r->row)) continue;
        int bad = csv_bad_quotes(&r->row, FIELDS);
        if (r->row.fields != t->n + 1)
            error_set(r->e, "%s:%d: found %d fields; needed are %d, as in the header", r->path, r->line, r->row.fields,
                      t->n + 1);
        else if (bad >= 0) at_field(r, bad, bad ? t->name[bad - 1] : "1", "a field without quotes, or wholly in them");
        if (error_is_set(r->e) || take_date(r, t) || take_values(r, t, gaps, begun, values, &missing)) break;
        if (missing && gaps == RETURNS_DROP) {
            t->dropped++;
            continue;
        }
        for (int k = 0; k < t->n; k++) {
            t->returns[(size_t)k * (size_t)rows + (size_t)t->T] = values[k];
            if (!begun[k] && !isnan(values[k])) begun[k] = true, t->first[k] = t->T;
        }
        t->T++;
    }
    for (int k = 0; k < t->n && t->T; k++) /* close up behind rows left out */
        memmove(t->returns + (size_t)k * (size_t)t->T, t->returns + (size_t)k * (size_t)rows,
                (size_t)t->T * sizeof *t->returns);
    if (t->T == 0)
        error_set(r->e, "%s: found no row with a return of every asset%s; needed is one or more", r->path,
                  t->dropped ? " (all were dropped)" : "");
    for (int k = 0; k < t->n; k++)
        if (t->first[k] < 0) error_set(r->e, "%s: column %s has no return; needed is one or more", r->path, t->name[k]);
    memory_free(values);
    memory_free(begun);
    return error_is_set(r->e) ? -1 : 0;
}

static int take_header(struct return_reading *r, struct return_table *t)
{
    char **header;
    do
        if (!csv_next_line(&r->cursor, r->end, FIELDS, &r->row, &r->line))
            return error_set(r->e, "%s: the file is empty; needed is a CSV file of returns", r->path);
    while (blank(&r->row));
    if (r->row.fields > FIELDS)
        return error_set(r->e, "%s: found %d columns; needed are at most %d", r->path, r->row.fields, FIELDS);
    if (csv_header(r->path, &r->row, &header, r->e)) return -1;
    t->n = r->row.fields - 1;
    if (t->n == 0)
        error_set(r->e, "%s:%d: found one column; needed are a date and one column of returns an asset", r->path, r->line);
    size_t bytes = (size_t)t->n * sizeof(char *);
    for (int k = 0; k < t->n; k++) bytes += strlen(header[k + 1]) + 1;
    t->name = memory_allocate(bytes, 1, "names of assets");
    char *to = (char *)(t->name + t->n);
    for (int k = 0; k < t->n; k++) {
        double number;
        size_t n = strlen(header[k + 1]);
        t->name[k] = memcpy(to, header[k + 1], n + 1);
        to += n + 1;
        char slack[DECIMAL_SLACK + 40] = "";
        snprintf(slack, 40, "%.39s", t->name[k]);
        if (!n || (n < 40 && decimal_parse(slack, n, &number) == DECIMAL_FINITE))
            at_field(r, k + 1, "of the header", "the name of an asset");
    }
    memory_free(header);
    return error_is_set(r->e) ? -1 : 0;
}

int return_table_read(const char *path, enum return_gaps gaps, struct return_table *t, struct error *e)
{
    size_t n;
    *t = (struct return_table){0};
    char *text = source_text(path, LARGEST, "a CSV file of returns of a few assets", &n, e);
    if (!text) return -1;
    size_t mark = csv_mark(text, n);
    int rows = 0;
    for (const char *p = text, *end = text + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++) rows++;
    struct return_reading r = {.path = path, .e = e, .end = memory_array(uint32_t, FIELDS, "ends of fields")};
    csv_begin(&r.cursor, text + mark, n - mark);
    int rc = take_header(&r, t) || take_rows(&r, gaps, rows + 1, t) ? -1 : 0;
    if (rc) return_table_free(t);
    memory_free(r.end);
    memory_free(text);
    return rc;
}

void return_table_free(struct return_table *t)
{
    memory_free_all(t->date, t->name, t->returns, t->first);
    *t = (struct return_table){0};
}

int return_table_find(const struct return_table *t, const char *name)
{
    for (int k = 0; k < t->n; k++)
        if (!strcmp(t->name[k], name)) return k;
    return -1;
}
