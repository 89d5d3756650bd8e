#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/hdf.h"
#include "io/ohlcv_panel.h"
#include "datasets.h"

static const struct {
    const char *name, *meaning;
} step[OHLCV_STEPS] = {
    {"read", "rows of the file"},
    {"bad_prices", "a price is missing or not positive, open or close is outside low and high, or volume below 0"},
    {"duplicates", "the same date and the same values again"},
    {"conflicts", "the same date with other values: the last row of the file stays"},
    {"between", "dates between formation dates (horizon)"},
    {"outside_dates", "outside --from .. --to"},
    {"warm_up", "too few earlier rows for every characteristic"},
    {"after_gap", "no price on the date before: no return of one period"},
    {"no_volume", "one of the last 20 volumes is missing, or all are 0"},
    {"no_return", "no price on the next formation date (after ranking)"},
    {"kept", "rows of the panel"},
    {"gaps", "dates of the calendar between the file's first and last without a price in it"},
    {"splits", "dates on which Adj Close / Close jumps by a fifth or more (a split or spin-off)"},
    {"dividends", "dates on which it jumps by less"},
    {"unsorted", "files whose rows were not in order of time"}};

static char **names_in_order(const struct ohlcv *x)
{
    char **name = memory_array(char *, x->A, "names of assets");
    for (int k = 0; k < x->A; k++) name[x->source[k].asset] = x->source[k].name;
    return name;
}

static void print_row(const char *name, int width, const int64_t *count, const int64_t *total, const char *first,
                      const char *last)
{
    printf("\n%-*s  %10s  %10s", width, escape_shown(name), first, last);
    for (int k = 0; k < OHLCV_STEPS; k++)
        if (total[k] || k == OHLCV_READ || k == OHLCV_KEPT)
            printf("  %*lld", (int)strlen(step[k].name) > 7 ? (int)strlen(step[k].name) : 7, (long long)count[k]);
}

static const char *date_text(int64_t date, char text[32])
{
    if (date) snprintf(text, 32, "%lld", (long long)date);
    else snprintf(text, 32, "-");
    return text;
}

void ohlcv_audit_print(const struct ohlcv *x)
{
    int64_t total[OHLCV_STEPS] = {0};
    char **name = names_in_order(x), first[32], last[32];
    int width = 5;
    for (int a = 0; a < x->A; a++) {
        const struct ohlcv_audit *u = &x->audit[a];
        for (int k = 0; k < OHLCV_STEPS; k++) total[k] += u->count[k];
        if ((int)strlen(name[a]) > width) width = (int)strlen(name[a]);
        if (u->count[OHLCV_CONFLICT])
            log_warn("%s: %lld rows give other values for a date that is there twice; the last one counts (the first: %lld)",
                     name[a], (long long)u->count[OHLCV_CONFLICT], (long long)u->conflict[0]);
        if (u->count[OHLCV_KEPT] == 0) log_warn("%s: no row is left", name[a]);
        if (2 * u->count[OHLCV_AFTER_GAP] > u->count[OHLCV_READ])
            log_warn("%s: more than half of its rows follow a date without a price: do all files have the same hours?",
                     name[a]);
    }
    if (log_speaks()) {
        printf("%-*s  %10s  %10s", width, "asset", "first", "last");
        for (int k = 0; k < OHLCV_STEPS; k++)
            if (total[k] || k == OHLCV_READ || k == OHLCV_KEPT) printf("  %7s", step[k].name);
        for (int a = 0; a < x->A; a++)
            print_row(name[a], width, x->audit[a].count, total, date_text(x->audit[a].first, first),
                      date_text(x->audit[a].last, last));
        print_row("all", width, total, total, date_text(ohlcv_date(x, x->time[0]), first),
                  date_text(ohlcv_date(x, x->time[x->C - 1]), last));
        printf("\n");
        fflush(stdout);
    }
    memory_free(name);
}

int ohlcv_audit_write(const struct ohlcv *x, struct panel_writer *w, struct error *e)
{
    struct hdf *f = panel_writer_file(w);
    int64_t size[2] = {x->A, OHLCV_STEPS}, conflicts[2] = {x->A, OHLCV_NAMED_CONFLICTS},
            *count = memory_array(int64_t, (size_t)x->A * (OHLCV_STEPS + OHLCV_NAMED_CONFLICTS + 2), "audit"),
            *conflict = count + (size_t)x->A * OHLCV_STEPS, *first = conflict + (size_t)x->A * OHLCV_NAMED_CONFLICTS,
            *last = first + x->A;
    char *names[OHLCV_STEPS], *meanings[OHLCV_STEPS], **asset = names_in_order(x);
    for (int k = 0; k < OHLCV_STEPS; k++)
        names[k] = (char *)(uintptr_t)step[k].name, meanings[k] = (char *)(uintptr_t)step[k].meaning;
    for (int a = 0; a < x->A; a++) {
        memcpy(count + (size_t)a * OHLCV_STEPS, x->audit[a].count, sizeof x->audit[a].count);
        memcpy(conflict + (size_t)a * OHLCV_NAMED_CONFLICTS, x->audit[a].conflict, sizeof x->audit[a].conflict);
        first[a] = x->audit[a].first, last[a] = x->audit[a].last;
    }
    int rc = dataset_write_texts(f, "audit/assets", x->A, asset, e);
    if (!rc) rc = dataset_write(f, "audit/rows", HDF_INT64, size, count, e);
    if (!rc) rc = dataset_write(f, "audit/conflicting_dates", HDF_INT64, conflicts, conflict, e);
    if (!rc) rc = dataset_write(f, "audit/first", HDF_INT64, size, first, e);
    if (!rc) rc = dataset_write(f, "audit/last", HDF_INT64, size, last, e);
    if (!rc) rc = dataset_write_texts(f, "audit/steps", OHLCV_STEPS, names, e);
    if (!rc) rc = dataset_write_texts(f, "audit/meanings", OHLCV_STEPS, meanings, e);
    memory_free(count);
    memory_free(asset);
    return rc;
}
