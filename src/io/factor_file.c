/* Factor returns from CSV files in the forms that their publishers use, with the unit, dates and names that each has. */
#include "io/factor_file.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "io/csv.h"
#include "io/decimal.h"
#include "io/jkp.h"
#include "io/source.h"
#include "panel/calendar.h"

enum { FIELDS = 4096, LARGEST = 1 << 28 };

/* What the columns of a file are. */
struct layout_of_file {
    char **header;
    int fields, header_line;
    int date, year, month;   /* -1: none */
    int name, ret, location; /* long form; name -1: wide */
    bool *factor;            /* wide: [fields] */
};

/* A row in hand. */
struct factor_reading {
    const char *file;
    struct csv_cursor cursor;
    struct csv_row row;
    uint32_t end[FIELDS];
    int line;
    struct error *e;
};

/* One observation: where it goes is known when all have been read. */
struct observation {
    int month, factor, line;
    double value;
};
struct factor_returns {
    struct observation *list;
    size_t n;
};

static void observe(struct factor_returns *o, struct observation x)
{
    o->list = memory_grow(o->list, o->n + 1, sizeof *o->list, "factor returns");
    o->list[o->n++] = x;
}

static bool blank(const struct csv_row *r)
{
    for (size_t i = 0; i < r->length; i++)
        if (r->text[i] != ' ' && r->text[i] != ',' && r->text[i] != '\r') return false;
    return true;
}

static bool is_rate(const char *name)
{
    static const char *const rates[] = {"RF", "R_F", "RFREE", "RISKFREE", "RISK_FREE"};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (!strcasecmp(name, rates[i])) return true;
    return false;
}

static int column(const struct layout_of_file *l, const char *name)
{
    for (int k = 0; k < l->fields; k++)
        if (!strcasecmp(l->header[k], name)) return k;
    return -1;
}

/* The month of a row, or -1. */
static int month_in(const struct layout_of_file *l, const struct csv_row *r)
{
    struct date d = {0, 0, 0};
    size_t n;
    if (l->year >= 0) {
        int64_t y, m;
        if (l->year >= r->fields || l->month >= r->fields) return -1;
        const char *s = csv_field(r, l->year, &n);
        if (decimal_parse_whole(s, n, &y) != DECIMAL_FINITE) return -1;
        s = csv_field(r, l->month, &n);
        if (decimal_parse_whole(s, n, &m) != DECIMAL_FINITE || y < 0 || y > 9999 || m < 0 || m > 12) return -1;
        d = (struct date){(int)y, (int)m, 0};
        return date_valid(d) ? month_of(d) : -1;
    }
    if (l->date >= r->fields) return -1;
    const char *s = csv_field(r, l->date, &n);
    return date_parse(s, n, &d) ? month_of(d) : -1;
}

static void find_columns(struct layout_of_file *l)
{
    l->year = column(l, "year");
    l->month = column(l, "month");
    if (l->year < 0 || l->month < 0) l->year = l->month = -1;
    l->date = column(l, "date");
    if (l->date < 0) l->date = column(l, "eom");
    if (l->date < 0) l->date = 0;
    l->name = column(l, "name");
    l->ret = column(l, "ret");
    l->location = column(l, "location");
    if (l->name < 0 || l->ret < 0) l->name = -1;
    for (int k = 0; k < l->fields; k++) {
        bool dates = l->year >= 0 ? k == l->year || k == l->month : k == l->date;
        l->factor[k] = l->name < 0 && !dates && *l->header[k] && !is_rate(l->header[k]);
    }
}

/* The header is the row before the first one that starts with a month; French's files have text before it. */
static int find_header(struct factor_reading *r, struct layout_of_file *l)
{
    struct csv_row last = {0};
    uint32_t *last_end = memory_array(uint32_t, FIELDS, "ends of names");
    int last_line = 0;
    while (csv_next_line(&r->cursor, r->end, FIELDS, &r->row, &r->line)) {
        if (r->row.fields > FIELDS) break;
        if (last_line && last.fields > 1 && r->row.fields >= 2) {
            struct error quiet = {""};
            struct csv_row head = last;
            head.ended = true;
            if (!csv_header(r->file, &head, &l->header, &quiet)) {
                l->fields = head.fields;
                l->header_line = last_line;
                l->factor = memory_array(bool, l->fields, "factor columns");
                find_columns(l);
                struct date d;
                if (month_in(l, &r->row) >= 0) {
                    memory_free(last_end);
                    if (!date_parse(l->header[l->date], strlen(l->header[l->date]), &d)) return 0;
                    return error_set(
                        r->e,
                        "%s:%d: found a row of returns where the header should be; needed are the factors' names above them",
                        r->file, last_line);
                }
                memory_free(l->header);
                memory_free(l->factor);
                l->header = NULL;
                l->factor = NULL;
            } else if (last_line == 1) {
                *r->e = quiet;
                break;
            }
        }
        if (blank(&r->row)) continue;
        last = r->row;
        last_line = r->line;
        memcpy(last_end, r->end, (size_t)last.fields * sizeof *last_end);
        last.end = last_end;
    }
    memory_free(last_end);
    return error_set(r->e,
                     "%s: found no header followed by a row with a month; needed is a CSV file with a column date, eom, "
                     "year and month, or a "
                     "first column of dates (YYYYMM, YYYYMMDD, YYYY-MM-DD)",
                     r->file);
}

static int wrong_field(struct factor_reading *r, int field, const char *name, const char *needed)
{
    size_t n = 0;
    const char *s = field < r->row.fields ? csv_field(&r->row, field, &n) : "";
    return error_set(r->e, "%s:%d:%d: column %s: found '%.*s'; needed is %s", r->file, r->line, field + 1, name,
                     n > 40 ? 40 : (int)n, s, needed);
}

static int value_of(struct factor_reading *r, int field, const char *name, bool percent, double *v)
{
    size_t n;
    const char *s = csv_field(&r->row, field, &n);
    if (decimal_parse(s, n, v) == DECIMAL_BAD)
        return wrong_field(r, field, name, "a return, or nothing where it is missing");
    if (*v == -99.99 || *v == -999) *v = NAN;
    else if (percent) *v /= 100;
    return 0;
}

/* Place of a factor's name, added if new. The names of the long form: found by bisection in a sorted list of pointers. */
struct name_list {
    char **name; /* [n] sorted */
    int *number; /* [n] in order of appearance */
    int n;
};

static int number_of_name(struct name_list *l, const char *s, size_t length)
{
    int low = 0, high = l->n;
    while (low < high) {
        int middle = (low + high) / 2, order = strncmp(s, l->name[middle], length);
        if (order == 0 && l->name[middle][length]) order = -1;
        if (order == 0) return l->number[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    l->name = memory_grow(l->name, (size_t)l->n + 1, sizeof *l->name, "names");
    l->number = memory_grow(l->number, (size_t)l->n + 1, sizeof *l->number, "numbers of names");
    memmove(l->name + low + 1, l->name + low, (size_t)(l->n - low) * sizeof *l->name);
    memmove(l->number + low + 1, l->number + low, (size_t)(l->n - low) * sizeof *l->number);
    l->name[low] = memory_array(char, length + 1, "name");
    memcpy(l->name[low], s, length);
    l->number[low] = l->n;
    return l->n++;
}

static int take_row(struct factor_reading *r, const struct layout_of_file *l, int month, bool percent,
                    struct name_list *names, struct factor_returns *o)
{
    double v;
    size_t n;
    if (r->row.fields != l->fields)
        return error_set(r->e, "%s:%d:%d: found %d fields; needed are %d, as in the header", r->file, r->line,
                         r->row.fields < l->fields ? r->row.fields : l->fields + 1, r->row.fields, l->fields);
    int bad = csv_bad_quotes(&r->row, FIELDS);
    if (bad >= 0)
        return wrong_field(r, bad, l->header[bad], "a field without quotes, or wholly in them with quotes inside doubled");
    if (l->name >= 0) {
        if (value_of(r, l->ret, l->header[l->ret], percent, &v)) return -1;
        const char *s = csv_field(&r->row, l->name, &n);
        if (n == 0 || n > 200 || memchr(s, '\0', n)) return wrong_field(r, l->name, "name", "the name of a factor");
        observe(o, (struct observation){month, number_of_name(names, s, n), r->line, v});
        return 0;
    }
    for (int k = 0, f = 0; k < l->fields; k++) {
        if (!l->factor[k]) continue;
        if (value_of(r, k, l->header[k], percent, &v)) return -1;
        observe(o, (struct observation){month, f++, r->line, v});
    }
    return 0;
}

/* All rows of the table; a file with text before its header may go on with other tables, which are left. */
static int take_rows(struct factor_reading *r, const struct layout_of_file *l, bool percent, struct name_list *names,
                     struct factor_returns *o)
{
    bool sectioned = l->header_line > 1, ended = false;
    do {
        int month = blank(&r->row) ? -1 : month_in(l, &r->row);
        if (month >= 0 && !ended) {
            if (take_row(r, l, month, percent, names, o)) return -1;
            continue;
        }
        ended = true;
        if (blank(&r->row) || sectioned) continue;
        if (month >= 0)
            return error_set(r->e, "%s:%d: found a row behind a blank line; needed are rows without a gap", r->file,
                             r->line);
        int field = l->year >= 0 ? l->year : l->date;
        return wrong_field(r, field, *l->header[field] ? l->header[field] : "1", "a month (YYYYMM, YYYYMMDD, YYYY-MM-DD)");
    } while (csv_next_line(&r->cursor, r->end, FIELDS, &r->row, &r->line));
    return 0;
}

/* A block with k pointers and their texts. */
static char **copy_names(int k, char *const *names)
{
    size_t bytes = (size_t)k * sizeof(char *);
    for (int i = 0; i < k; i++) bytes += strlen(names[i]) + 1;
    char **out = memory_allocate(bytes, 1, "names of factors"), *to = (char *)(out + k);
    for (int i = 0; i < k; i++) {
        out[i] = to;
        to = stpcpy(to, names[i]) + 1;
    }
    return out;
}

/* A table of what was observed; factor numbers in `place` (NULL: as they are). */
static int fill_table(struct factor_reading *r, const struct factor_returns *o, const int *place, struct factor_table *f)
{
    int first = INT32_MAX, last = 0;
    for (size_t i = 0; i < o->n; i++) {
        if (o->list[i].month < first) first = o->list[i].month;
        if (o->list[i].month > last) last = o->list[i].month;
    }
    if (o->n == 0 || f->k == 0)
        return error_set(r->e, "%s: found no factor; needed are columns of returns besides dates and risk-free rates",
                         r->file);
    f->first = first;
    f->months = last - first + 1;
    size_t cells = (size_t)f->months * f->k;
    f->returns = memory_array(double, cells, "factor returns");
    int *line = memory_array(int, cells, "lines");
    for (size_t i = 0; i < cells; i++) f->returns[i] = NAN;
    for (size_t i = 0; i < o->n && !error_is_set(r->e); i++) {
        const struct observation *x = &o->list[i];
        int k = place ? place[x->factor] : x->factor;
        size_t cell = (size_t)(x->month - first) * f->k + k;
        if (line[cell])
            error_set(r->e,
                      "%s:%d: factor %s has a second return for %lld (the first is line %d); needed is one a month: one "
                      "location, weighting and frequency",
                      r->file, x->line, f->names[k], (long long)(month_end(x->month) / 100), line[cell]);
        line[cell] = x->line;
        f->returns[cell] = x->value;
    }
    memory_free(line);
    return error_is_set(r->e) ? -1 : 0;
}

static int build(struct factor_reading *r, const struct layout_of_file *l, const struct name_list *names,
                 const struct factor_returns *o, struct factor_table *f)
{
    if (l->name >= 0) { /* the long form's factors in name order */
        int *place = memory_array(int, names->n, "order of factors");
        for (int k = 0; k < names->n; k++) place[names->number[k]] = k;
        f->k = names->n;
        f->names = copy_names(f->k, names->name);
        int rc = fill_table(r, o, place, f);
        memory_free(place);
        return rc;
    }
    char **wide = memory_array(char *, l->fields, "names of factors");
    for (int k = 0; k < l->fields; k++)
        if (l->factor[k]) wide[f->k++] = l->header[k];
    f->names = copy_names(f->k, wide);
    memory_free(wide);
    return fill_table(r, o, NULL, f);
}

int factor_table_parse(const char *file, const char *text, size_t n, bool percent, struct factor_table *f, struct error *e)
{
    struct factor_reading *r = memory_array(struct factor_reading, 1, "factor file");
    struct layout_of_file l = {0};
    struct name_list names = {0};
    struct factor_returns o = {0};
    size_t mark = csv_mark(text, n);
    *f = (struct factor_table){0};
    r->file = file;
    r->e = e;
    csv_begin(&r->cursor, text + mark, n - mark);
    int rc = n == mark ? error_set(e, "%s: the file is empty; needed is a CSV file of monthly factor returns", file)
                       : find_header(r, &l);
    if (!rc) rc = take_rows(r, &l, percent, &names, &o);
    if (!rc) rc = build(r, &l, &names, &o, f);
    if (rc) factor_table_free(f);
    for (int k = 0; k < names.n; k++) memory_free(names.name[k]);
    memory_free_all(names.name, names.number, o.list, l.header, l.factor, r);
    return rc;
}

static int read_alone(const char *file, bool percent, struct factor_table *f, struct error *e)
{
    size_t n;
    char *text = source_text(file, LARGEST, "a file of monthly factor returns", &n, e);
    if (text) factor_table_parse(file, text, n, percent, f, e);
    memory_free(text);
    return error_is_set(e) ? -1 : 0;
}

int factor_table_read(const char *file, bool percent, struct team *team, struct factor_table *f, struct error *e)
{
    bool root = team_rank(team) == 0;
    *f = (struct factor_table){0};
    if (root) read_alone(file, percent, f, e);
    if (team_agree(team, e)) {
        factor_table_free(f);
        return -1;
    }
    int head[3] = {f->first, f->months, f->k};
    team_broadcast(team, head, sizeof head, 0);
    char **names = team_broadcast_texts(team, f->names, head[2]);
    if (!root) {
        *f = (struct factor_table){head[0], head[1], head[2], copy_names(head[2], names), NULL};
        f->returns = memory_array(double, (size_t)f->months * f->k, "factor returns");
        for (int k = 0; k < head[2]; k++) memory_free(names[k]);
        memory_free(names);
    }
    team_broadcast(team, f->returns, (size_t)f->months * f->k * sizeof(double), 0);
    return 0;
}

void factor_table_free(struct factor_table *f)
{
    memory_free(f->names);
    memory_free(f->returns);
    *f = (struct factor_table){0};
}

int factor_table_check_unit(const struct factor_table *f, const char *file, const char *flag, bool percent, struct error *e)
{
    for (int k = 0; k < f->k; k++) {
        double sum = 0, squares = 0;
        int n = 0;
        for (int t = 0; t < f->months; t++)
            if (!isnan(f->returns[(size_t)t * f->k + k])) sum += f->returns[(size_t)t * f->k + k], n++;
        if (n < 12) continue;
        for (int t = 0; t < f->months; t++) {
            double d = f->returns[(size_t)t * f->k + k] - sum / n;
            if (!isnan(d)) squares += d * d;
        }
        double volatility = sqrt(squares / (n - 1));
        if (volatility >= 0.003 && volatility <= 0.30) continue;
        return error_set(e,
                         "%s: factor %s, read as %s, has a monthly volatility of %.3g%%, outside [0.3%%, 30%%]: is the file "
                         "in %s? Then say %s%s. If it "
                         "is right as it is, add --any-volatility",
                         file, f->names[k], percent ? "percent" : "decimal", 100 * volatility,
                         percent ? "decimal" : "percent", flag, percent ? "" : ",percent");
    }
    return 0;
}

int factor_table_themes(struct factor_table *f, const char *file, struct error *e)
{
    int *theme = memory_array(int, f->k, "themes"), members[JKP_THEMES] = {0}, known = 0;
    char *names[JKP_THEMES];
    for (int k = 0; k < f->k; k++) {
        int c = jkp_find(f->names[k]);
        theme[k] = c < 0 ? -1 : jkp_theme(c);
        if (c >= 0) members[theme[k]]++, known++;
    }
    for (int j = 0; j < JKP_THEMES; j++) {
        names[j] = (char *)(uintptr_t)jkp_theme_name(j);
        if (!members[j])
            error_set(e, "%s: %d of its %d factors are JKP's, none of them of theme %s; needed is JKP's factor file", file,
                      known, f->k, names[j]);
    }
    if (error_is_set(e)) {
        memory_free(theme);
        return -1;
    }
    double *mean = memory_array(double, (size_t)f->months *JKP_THEMES, "theme returns");
    for (int t = 0; t < f->months; t++) {
        int there[JKP_THEMES] = {0};
        double *m = mean + (size_t)t * JKP_THEMES;
        for (int k = 0; k < f->k; k++) {
            double v = f->returns[(size_t)t * f->k + k];
            if (theme[k] >= 0 && !isnan(v)) m[theme[k]] += v, there[theme[k]]++;
        }
        for (int j = 0; j < JKP_THEMES; j++) m[j] = there[j] ? m[j] / there[j] : NAN;
    }
    char **kept = copy_names(JKP_THEMES, names);
    memory_free_all(f->names, f->returns, theme);
    f->k = JKP_THEMES;
    f->names = kept;
    f->returns = mean;
    return 0;
}
