/* The list of price files, what is in them, and the dates of all: one bar an asset and date. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "prices.h"

/* ---- the list of files: made by rank 0, sorted, so that the order on the command line is of no matter -------------------------- */

static void list_add(struct prices *x, const char *symbol, size_t symbol_bytes, const char *path)
{
    x->file = memory_grow(x->file, (size_t)x->A + 1, sizeof *x->file, "price files");
    char *copy = memory_array(char, symbol_bytes + 1, "a symbol");
    memcpy(copy, symbol, symbol_bytes);
    x->file[x->A++] = (struct price_file){.symbol = copy, .path = memory_text(path)};
}

/* Length of a file's name without the extensions price files have; *data: it has one. */
static size_t stem(const char *name, bool *data)
{
    static const char *const packed[] = {".gz", ".zst"}, *const text[] = {".csv", ".json", ".jsonl", ".txt"};
    size_t n = strlen(name), k;
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (n > (k = strlen(packed[i])) && !strncasecmp(name + n - k, packed[i], k)) {
            n -= k;
            break;
        }
    *data = false;
    for (size_t i = 0; i < sizeof text / sizeof *text && !*data; i++)
        if (n > (k = strlen(text[i])) && !strncasecmp(name + n - k, text[i], k)) n -= k, *data = true;
    return n;
}

static int add_folder(struct prices *x, const char *folder, struct error *e)
{
    DIR *d = opendir(folder);
    char path[4096];
    int before = x->A, left_out = 0;
    bool data;
    if (!d) return error_set(e, "%s: cannot be listed: %s", folder, strerror(errno));
    for (struct dirent *f; (f = readdir(d));) {
        struct stat st;
        if (*f->d_name == '.') continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, f->d_name) >= (int)sizeof path || stat(path, &st) ||
            !S_ISREG(st.st_mode))
            continue;
        stem(f->d_name, &data);
        if (data) list_add(x, "", 0, path);
        else left_out++;
    }
    closedir(d);
    if (left_out)
        log_info("%s: %d files left out: their names end in none of .csv, .json, .jsonl, .txt (.gz, .zst)", folder,
                 left_out);
    if (x->A == before)
        return error_set(e, "%s: no file with a name in .csv, .json, .jsonl or .txt (.gz, .zst); needed are price files",
                         folder);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct price_file *x = a, *y = b;
    int c = strcmp(x->path, y->path);
    return c ? c : strcmp(x->symbol, y->symbol);
}

static int make_list(struct prices *x, struct error *e)
{
    const struct ingest_options *o = x->o;
    for (int k = 0; k < o->prices && !error_is_set(e); k++) {
        const char *arg = o->price[k], *equals = strchr(arg, '='), *slash = strchr(arg, '/');
        bool named = equals && equals > arg && (!slash || equals < slash);
        const char *path = named ? equals + 1 : arg;
        struct stat st;
        if (named && equals - arg >= OHLCV_SYMBOL)
            error_set(e, "%s: found a name of %td bytes; needed are fewer than %d", arg, equals - arg, OHLCV_SYMBOL);
        else if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
            if (named)
                error_set(e, "%s: is a folder; needed is a file for the one asset %.*s", path, (int)(equals - arg), arg);
            else add_folder(x, path, e);
        } else list_add(x, arg, named ? (size_t)(equals - arg) : 0, path);
    }
    if (x->A) qsort(x->file, (size_t)x->A, sizeof *x->file, by_path);
    struct stat output, input;
    for (int k = 0; k < x->A && !error_is_set(e) && !stat(o->output, &output); k++)
        if (!stat(x->file[k].path, &input) && input.st_dev == output.st_dev && input.st_ino == output.st_ino)
            error_set(e, "%s: is one of the price files; needed is another file for the panel", o->output);
    return error_is_set(e) ? -1 : 0;
}

/* Rank 0's list, on every rank. */
static int share_list(struct prices *x, struct error *e)
{
    bool root = team_rank(x->team) == 0;
    if (root) make_list(x, e);
    if (team_agree(x->team, e)) return -1;
    team_broadcast(x->team, &x->A, sizeof x->A, 0);
    char **text = root ? memory_array(char *, 2 * (size_t)x->A, "names of price files") : NULL;
    for (int k = 0; k < x->A && root; k++) text[2 * k] = x->file[k].symbol, text[2 * k + 1] = x->file[k].path;
    text = team_broadcast_texts(x->team, text, 2 * x->A);
    if (!root) x->file = memory_array(struct price_file, x->A, "price files");
    for (int k = 0; k < x->A; k++) x->file[k].symbol = text[2 * k], x->file[k].path = text[2 * k + 1];
    memory_free(text);
    return 0;
}

/* ---- their contents: files are dealt over the ranks ------------------------------------------------------------------------------- */

/* The error of the first file in order, whichever rank has it. */
static int agree_on_first(struct prices *x, int source, struct error *e)
{
    double first = error_is_set(e) ? -(double)source : -HUGE_VAL, mine = first;
    team_max_double(x->team, &first, 1);
    if (mine < first) *e = (struct error){""};
    return team_agree(x->team, e);
}

static void name_asset(const struct ohlcv_file *f, struct price_file *s)
{
    const char *slash = strrchr(s->path, '/'), *base = slash ? slash + 1 : s->path;
    bool data;
    if (*s->symbol) snprintf(s->name, sizeof s->name, "%s", s->symbol);
    else if (*f->symbol) snprintf(s->name, sizeof s->name, "%s", f->symbol);
    else snprintf(s->name, sizeof s->name, "%.*s", (int)stem(base, &data), base);
}

static int read_files(struct prices *x, struct error *e)
{
    int me = team_rank(x->team), size = team_size(x->team), failed = 0;
    struct known {
        char name[OHLCV_SYMBOL];
        int64_t spacing;
    } *known = memory_array(struct known, x->A, "what is known of price files");
    x->asset = memory_array(struct price_asset, (x->A + size - 1) / size, "assets");
    for (int k = me; k < x->A && !error_is_set(e); k += size) {
        struct price_asset *a = &x->asset[x->assets];
        failed = k;
        if (ohlcv_file_read(x->file[k].path, &a->file, e)) continue;
        x->assets++;
        a->source = k;
        name_asset(&a->file, &x->file[k]);
        memcpy(known[k].name, x->file[k].name, OHLCV_SYMBOL);
        known[k].spacing = ohlcv_file_spacing(&a->file);
    }
    int rc = agree_on_first(x, failed, e);
    if (!rc) team_or_bytes(x->team, (uint8_t *)known, (size_t)x->A * sizeof *known);
    for (int k = 0; k < x->A && !rc; k++) {
        memcpy(x->file[k].name, known[k].name, OHLCV_SYMBOL);
        x->file[k].spacing = known[k].spacing;
    }
    memory_free(known);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct price_file *const *x = a, *const *y = b;
    int c = strcmp((*x)->name, (*y)->name);
    return c ? c : (*x > *y) - (*x < *y);
}

static int by_number(const void *a, const void *b)
{
    const struct price_asset *x = a, *y = b;
    return x->number - y->number;
}

/* Numbers in byte order of the names. */
static int number_assets(struct prices *x, struct error *e)
{
    struct price_file **order = memory_array(struct price_file *, x->A, "assets in order");
    for (int k = 0; k < x->A; k++) order[k] = &x->file[k];
    qsort(order, (size_t)x->A, sizeof *order, by_name);
    for (int k = 0; k < x->A; k++) {
        order[k]->asset = k;
        if (k && !strcmp(order[k]->name, order[k - 1]->name))
            error_set(e, "asset %s has two files, %s and %s; needed is one file an asset (SYMBOL=FILE gives another name)",
                      order[k]->name, order[k - 1]->path, order[k]->path);
    }
    memory_free(order);
    if (error_is_set(e)) return -1;
    for (int k = 0; k < x->assets; k++) x->asset[k].number = x->file[x->asset[k].source].asset;
    qsort(x->asset, (size_t)x->assets, sizeof *x->asset, by_number);
    return 0;
}

static int choose_frequency(struct prices *x, struct error *e)
{
    int first = -1;
    char one[FREQUENCY_NAME], other[FREQUENCY_NAME];
    struct frequency asked = {0}, found;
    if (x->o->frequency) frequency_parse(x->o->frequency, &asked); /* checked with the options */
    x->frequency = asked;
    for (int k = 0; k < x->A; k++) {
        const struct price_file *s = &x->file[k];
        if (s->spacing == 0) continue;
        if (!frequency_of_spacing(s->spacing, &found)) {
            if (x->o->frequency) continue;
            return error_set(e, "%s: found rows %lld s apart (median); needed are whole minutes, or --frequency", s->path,
                             (long long)s->spacing);
        }
        if (x->o->frequency) {
            if (frequency_coarser(asked, found))
                return error_set(e, "%s: found %s prices; needed are %s ones (nothing is put together to longer bars)",
                                 s->path, frequency_name(found, one), frequency_name(asked, other));
        } else if (first < 0) {
            first = k;
            x->frequency = found;
        } else if (found.unit != x->frequency.unit || found.count != x->frequency.count)
            return error_set(e, "%s: found %s prices, but %s ones in %s; needed is one frequency for all files of a panel",
                             s->path, frequency_name(found, one), frequency_name(x->frequency, other), x->file[first].path);
    }
    if (first < 0 && !x->o->frequency)
        return error_set(e, "%s: no file has two dates to tell the frequency by; needed is --frequency", x->file[0].path);
    return 0;
}

/* ---- one bar a date, and the dates of all ------------------------------------------------------------------------------------------ */

static bool same_values(const struct ohlcv_bar *a, const struct ohlcv_bar *b)
{
    return !memcmp(&a->open, &b->open, sizeof *a - offsetof(struct ohlcv_bar, open));
}

/* Times become those of days or minutes; of rows with one date the last in the file stays. */
static void one_bar_a_date(const struct prices *x, struct price_asset *a)
{
    struct ohlcv_file *f = &a->file;
    struct price_dates *dates = &x->dates[a->number];
    int64_t *count = prices_count(x, a->number);
    const int epoch = instant_of(0).day;
    int64_t n = 0, named = 0;
    for (int64_t i = 0; i < f->n; i++)
        f->bar[i].time = x->frequency.unit == FREQUENCY_MINUTES ? f->bar[i].time - ((f->bar[i].time % 60) + 60) % 60
                                                                : (int64_t)(f->bar[i].day - epoch) * 86400;
    ohlcv_file_sort(f);
    for (int64_t i = 0, j; i < f->n; i = j) {
        bool conflict = false;
        for (j = i + 1; j < f->n && f->bar[j].time == f->bar[i].time;) j++;
        for (int64_t k = i; k < j - 1; k++) {
            bool same = same_values(&f->bar[k], &f->bar[j - 1]);
            count[same ? OHLCV_DUPLICATE : OHLCV_CONFLICT]++;
            conflict |= !same;
        }
        if (conflict && named < OHLCV_NAMED_CONFLICTS) dates->conflict[named++] = prices_date(x, f->bar[i].time);
        f->bar[n++] = f->bar[j - 1];
    }
    f->n = n;
    count[OHLCV_READ] = f->read;
    count[OHLCV_BAD_PRICES] = f->bad_prices;
    count[OHLCV_UNSORTED] = f->unsorted;
    if (n) dates->first = prices_date(x, f->bar[0].time), dates->last = prices_date(x, f->bar[n - 1].time);
}

/* Ascending a [n] and b [m] into out, each value once; returns how many. */
static int64_t merge(const int64_t *a, int64_t n, const int64_t *b, int64_t m, int64_t *out)
{
    int64_t i = 0, j = 0, k = 0;
    while (i < n || j < m) {
        int64_t v = j >= m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
        out[k++] = v;
        i += i < n && a[i] == v;
        j += j < m && b[j] == v;
    }
    return k;
}

static void merge_into(int64_t **all, int64_t *n, const int64_t *more, int64_t m)
{
    int64_t *out = memory_array(int64_t, *n + m, "calendar");
    *n = merge(*all, *n, more, m, out);
    memory_free(*all);
    *all = out;
}

static void join_calendar(struct prices *x)
{
    int size = team_size(x->team);
    int64_t *mine = NULL, n = 0, *all = NULL, total = 0;
    for (int k = 0; k < x->assets; k++) {
        const struct ohlcv_file *f = &x->asset[k].file;
        int64_t *own = memory_array(int64_t, f->n, "dates of an asset");
        for (int64_t i = 0; i < f->n; i++) own[i] = f->bar[i].time;
        merge_into(&mine, &n, own, f->n);
        memory_free(own);
    }
    size_t bytes = (size_t)n * sizeof *mine, *each = memory_array(size_t, size, "sizes"), sum = 0;
    team_all_gather(x->team, &bytes, sizeof bytes, each);
    for (int r = 0; r < size; r++) sum += each[r];
    int64_t *gathered = memory_allocate(sum, 1, "dates of all ranks"), *p = gathered;
    team_gather_bytes(x->team, mine, each, gathered, 0);
    team_broadcast(x->team, gathered, sum, 0);
    for (int r = 0; r < size; p += each[r++] / sizeof *p) merge_into(&all, &total, p, (int64_t)(each[r] / sizeof *p));
    memory_free_all(gathered, each, mine);
    require(total < INT32_MAX);
    x->time = all;
    x->C = (int)total;
}

/* Whether weekends are traded; steps longer than such a calendar should have. */
static void study_calendar(struct prices *x)
{
    const int64_t day = 86400,
                  step = x->frequency.unit == FREQUENCY_MINUTES ? x->frequency.count * 60 : x->frequency.count * day;
    int weekend = 0;
    for (int c = 0; c < x->C; c++) {
        int weekday = (instant_of(x->time[c]).day + 3) % 7; /* 0: Sunday, as day 0 is a Wednesday */
        weekend += weekday == 0 || weekday == 6;
    }
    x->weekends = 10 * (int64_t)weekend > x->C;
    for (int c = 1; c < x->C && x->weekends && x->frequency.unit != FREQUENCY_MONTHS; c++)
        x->irregular += x->time[c] - x->time[c - 1] > step;
}

int prices_load(struct prices *x, struct error *e)
{
    if (share_list(x, e) || read_files(x, e) || number_assets(x, e) || choose_frequency(x, e)) return -1;
    x->dates = memory_array(struct price_dates, x->A, "dates of price files");
    audit_open(&x->builder->audit, ohlcv_steps, OHLCV_STEPS, OHLCV_STEPS - 1 - OHLCV_KEPT, x->A);
    for (int k = 0; k < x->assets; k++) one_bar_a_date(x, &x->asset[k]);
    join_calendar(x);
    study_calendar(x);
    if (x->C) return 0;
    return error_set(e, "%s: found no row with all prices above 0 in %d files; needed is one", x->file[0].path, x->A);
}
