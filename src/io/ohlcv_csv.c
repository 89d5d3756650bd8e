/* Price files in CSV: Yahoo's and klines, their columns found by name. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/csv.h"
#include "io/decimal.h"
#include "io/ohlcv_text.h"
#include "panel/calendar.h"

enum { TIME, OPEN, HIGH, LOW, CLOSE, VOLUME, ADJUSTED, COLUMNS, MOST_FIELDS = 64 };

/* Names in lower case without blanks and underscores; the first that is there counts. */
static const char *const known[COLUMNS][6] = {{"timestamp", "datetime", "date", "starttime", "opentime", "time"},
                                              {"open"},
                                              {"high"},
                                              {"low"},
                                              {"close"},
                                              {"volume"},
                                              {"adjclose"}};

static void plain(const char *name, char out[32])
{
    size_t n = 0;
    for (; *name && n < 31; name++)
        if (*name != ' ' && *name != '_') out[n++] = (char)tolower((unsigned char)*name);
    out[n] = '\0';
}

static int find_columns(const char *path, const struct csv_row *r, int column[COLUMNS], struct error *e)
{
    char **names, list[400] = "";
    if (csv_header(path, r, &names, e)) return -1;
    for (int c = 0; c < COLUMNS; c++) {
        column[c] = -1;
        for (int s = 0; s < 6 && known[c][s] && column[c] < 0; s++)
            for (int k = 0; k < r->fields && column[c] < 0; k++) {
                char name[32];
                plain(names[k], name);
                if (!strcmp(name, known[c][s])) column[c] = k;
            }
    }
    for (int k = 0, n = 0; k < r->fields && n < (int)sizeof list; k++)
        n += snprintf(list + n, sizeof list - (size_t)n, "%s%.60s", k ? ", " : "", names[k]);
    for (int c = 0; c < ADJUSTED; c++)
        if (column[c] < 0 && !error_is_set(e))
            error_set(
                e,
                "%s:1: found columns %s; needed is a column %s (Yahoo: Date,Open,High,Low,Close,Adj Close,Volume; klines: "
                "timestamp,open,high,low,close,volume)",
                path, list, c == TIME ? "Date, Datetime or timestamp" : known[c][0]);
    memory_free(names);
    return error_is_set(e) ? -1 : 0;
}

static int bad_field(const char *path, long line, const struct csv_row *r, int k, const char *needed, struct error *e)
{
    size_t n;
    const char *s = csv_field(r, k, &n);
    return error_set(e, "%s:%ld:%d: found '%.*s'; needed is %s", path, line, k + 1, n > 60 ? 60 : (int)n, s, needed);
}

/* A date as text, or a number of (milli)seconds since 1970. */
static int take_time(const char *path, long line, const struct csv_row *r, int k, struct ohlcv_bar *b, struct error *e)
{
    struct instant t;
    size_t n;
    int64_t number, seconds;
    const char *s = csv_field(r, k, &n);
    if (!instant_parse(s, n, &t)) {
        if (decimal_parse_whole(s, n, &number) != DECIMAL_FINITE || !ohlcv_epoch(number, &seconds))
            return bad_field(path, line, r, k,
                             "a date (YYYY-MM-DD, with hh:mm:ss for hours), or seconds or milliseconds since 1970", e);
        t = instant_of(seconds);
    }
    b->time = t.seconds;
    b->day = t.day;
    return 0;
}

static int take_row(const char *path, long line, const struct csv_row *r, const int column[COLUMNS], struct ohlcv_bar *b,
                    struct error *e)
{
    double value[COLUMNS];
    size_t n;
    *b = (struct ohlcv_bar){.line = (uint32_t)line};
    if (take_time(path, line, r, column[TIME], b, e)) return -1;
    for (int c = OPEN; c < COLUMNS; c++) {
        if (column[c] < 0) continue;
        const char *s = csv_field(r, column[c], &n);
        if (decimal_parse(s, n, &value[c]) == DECIMAL_BAD) return bad_field(path, line, r, column[c], "a number", e);
    }
    b->open = value[OPEN], b->high = value[HIGH], b->low = value[LOW], b->close = value[CLOSE], b->volume = value[VOLUME];
    b->adjusted = column[ADJUSTED] < 0 ? b->close : value[ADJUSTED];
    return 0;
}

int ohlcv_csv(const char *path, const char *text, size_t n, struct ohlcv_file *f, struct error *e)
{
    struct csv_cursor c;
    struct csv_row r;
    struct ohlcv_bar b;
    uint32_t end[MOST_FIELDS];
    int column[COLUMNS], fields = 0;
    long line = 1;
    csv_begin(&c, text, n);
    for (; csv_next(&c, end, MOST_FIELDS, &r); line++) {
        if (r.length == 0) continue;
        if (r.fields > MOST_FIELDS)
            return error_set(e, "%s:%ld: found %d fields; needed are at most %d", path, line, r.fields, MOST_FIELDS);
        if (!fields) {
            if (find_columns(path, &r, column, e)) return -1;
            fields = r.fields;
            continue;
        }
        if (r.fields != fields)
            return error_set(e, "%s:%ld: found %d fields; needed are %d, as in the header (is the file cut off?)", path,
                             line, r.fields, fields);
        if (take_row(path, line, &r, column, &b, e)) return -1;
        ohlcv_file_add(f, &b);
        for (size_t i = 0; r.quoted && i < r.length; i++) line += r.text[i] == '\n';
    }
    return 0;
}
