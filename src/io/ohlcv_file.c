/* Bars of one asset from a file of any known format: checked, in order of time, each time once. */
#include "io/ohlcv_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/csv.h"
#include "io/ohlcv_text.h"
#include "io/source.h"

/* Vendors round open, high, low and close each by itself. */
static const double RANGE_ROUNDING = 1e-3;

static bool price(double v)
{
    return v > 0; /* no NaN either */
}

/* Whether a price lies in its bar's range, to rounding. */
static bool within(const struct ohlcv_bar *b, double x)
{
    return x <= b->high * (1 + RANGE_ROUNDING) && x >= b->low * (1 - RANGE_ROUNDING);
}

void ohlcv_file_add(struct ohlcv_file *f, const struct ohlcv_bar *b)
{
    f->read++;
    if (!price(b->open) || !price(b->high) || !price(b->low) || !price(b->close) || !price(b->adjusted) ||
        b->high < b->low || !within(b, b->open) || !within(b, b->close) || b->volume < 0) {
        f->bad_prices++;
        return;
    }
    f->bar = memory_grow(f->bar, (size_t)f->n + 1, sizeof *f->bar, "bars");
    f->bar[f->n++] = *b;
}

bool ohlcv_epoch(int64_t v, int64_t *seconds)
{
    *seconds = v >= 100000000000000 ? v / 1000000 : v >= 100000000000 ? v / 1000 : v;
    return v > 0 && *seconds < 7258118400; /* 2200-01-01 */
}

static int by_time(const void *a, const void *b)
{
    const struct ohlcv_bar *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time) : (x->line > y->line) - (x->line < y->line);
}

void ohlcv_file_sort(struct ohlcv_file *f)
{
    bool sorted = true;
    for (int64_t i = 1; i < f->n && sorted; i++) sorted = by_time(&f->bar[i - 1], &f->bar[i]) <= 0;
    if (!sorted) qsort(f->bar, (size_t)f->n, sizeof *f->bar, by_time);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t ohlcv_file_spacing(const struct ohlcv_file *f)
{
    int64_t *step = memory_array(int64_t, f->n, "steps of time"), n = 0, median = 0;
    for (int64_t i = 1; i < f->n; i++)
        if (f->bar[i].time > f->bar[i - 1].time) step[n++] = f->bar[i].time - f->bar[i - 1].time;
    if (n) {
        qsort(step, (size_t)n, sizeof *step, by_value);
        median = step[(n - 1) / 2];
    }
    memory_free(step);
    return median;
}

int ohlcv_file_read(const char *path, struct ohlcv_file *f, struct error *e)
{
    size_t n, at;
    *f = (struct ohlcv_file){.symbol = ""};
    char *text = source_text(path, (size_t)1 << 34, "a file of one asset's prices", &n, e);
    if (!text) return -1;
    for (at = csv_mark(text, n); at < n && strchr(" \t\r\n", text[at]) && text[at]; at++)
        ;
    int rc = at == n                              ? error_set(e, "%s: is empty; needed are prices as CSV or JSON", path)
             : text[at] == '{' || text[at] == '[' ? ohlcv_json(path, text + csv_mark(text, n), n - csv_mark(text, n), f, e)
                                                  : ohlcv_csv(path, text + csv_mark(text, n), n - csv_mark(text, n), f, e);
    memory_free(text);
    if (!rc && f->read == 0) rc = error_set(e, "%s: has no bars; needed is at least one row of prices", path);
    if (rc) {
        ohlcv_file_free(f);
        return -1;
    }
    for (int64_t i = 1; i < f->n && !f->newest_first; i++) f->unsorted |= f->bar[i].time < f->bar[i - 1].time;
    ohlcv_file_sort(f);
    return 0;
}

void ohlcv_file_free(struct ohlcv_file *f)
{
    memory_free(f->bar);
    f->bar = NULL;
    f->n = 0;
}
