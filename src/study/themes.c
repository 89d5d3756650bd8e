/* Reading themes from a file, or guessing them from the names of characteristics. */
#include "themes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/csv.h"

enum { GUESSED = 6, BLOCKS = 4 }; /* blocks are no themes, so a trial spends less on them */

static void begin(struct themes *t, int D)
{
    *t = (struct themes){.D = D};
    t->name = memory_allocate((size_t)D + 1, THEME_NAME, "themes");
    t->of = memory_array(int, D, "themes");
    for (int d = 0; d < D; d++) t->of[d] = -1;
}

/* The number of the theme called text [n], new if need be; letters, digits and what file names take, others become `-`. */
static int number_of(struct themes *t, const char *text, size_t n)
{
    char name[THEME_NAME];
    if (n > THEME_NAME - 1) n = THEME_NAME - 1;
    for (size_t i = 0; i < n; i++)
        name[i] =
            strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", text[i]) && text[i] ? text[i] : '-';
    name[n] = '\0';
    for (int k = 0; k < t->n; k++)
        if (!strcmp(t->name[k], name)) return k;
    strcpy(t->name[t->n], name);
    return t->n++;
}

static int take_row(const char *file, int line, const struct csv_row *r, char *const *names, struct themes *t,
                    struct error *e)
{
    size_t n, m;
    if (r->fields == 1 && !r->length) return 0;
    const char *name = csv_field(r, 0, &n), *theme = r->fields == 2 ? csv_field(r, 1, &m) : NULL;
    if (!theme || !n || !m)
        return error_set(e, "%s:%d: found %d fields; needed: two, a characteristic and its theme, as be_me,value", file,
                         line, r->fields);
    for (int d = 0; d < t->D; d++) {
        if (strlen(names[d]) != n || strncmp(names[d], name, n)) continue;
        if (t->of[d] >= 0) return error_set(e, "%s:%d: found %s a second time; needed: once", file, line, names[d]);
        t->of[d] = number_of(t, theme, m);
    }
    return 0;
}

int themes_parse(const char *file, const char *text, int D, char *const *names, struct themes *t, struct error *e)
{
    size_t n = strlen(text), mark = csv_mark(text, n);
    char *copy = memory_allocate(n + CSV_SLACK, 1, "themes"); /* the reader looks a little further */
    memcpy(copy, text, n);
    struct csv_cursor c;
    struct csv_row r = {0};
    uint32_t end[2];
    int line = 0, rows = 0;
    begin(t, D);
    csv_begin(&c, copy + mark, n - mark);
    while (!error_is_set(e) && csv_next_line(&c, end, 2, &r, &line))
        if (rows++) take_row(file, line, &r, names, t, e); /* the first row is the header */
    if (!error_is_set(e) && !t->n)
        error_set(e, "%s: names no characteristic of the panel; needed: a header and rows NAME,THEME", file);
    for (int d = 0; d < D && !error_is_set(e); d++)
        if (t->of[d] < 0) t->of[d] = number_of(t, "other", 5);
    t->rule = "from the file of themes";
    memory_free(copy);
    return error_is_set(e) ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

void themes_guess(int D, char *const *names, struct themes *t)
{
    begin(t, D);
    for (int d = 0; d < D; d++) t->of[d] = number_of(t, names[d], strcspn(names[d], "_"));
    t->rule = "the part of a characteristic's name before its first underscore";
    if (t->n >= 2 && t->n <= GUESSED) return;
    t->n = 0;
    if (D <= GUESSED) {
        for (int d = 0; d < D; d++) t->of[d] = number_of(t, names[d], strlen(names[d]));
        t->rule = "each characteristic by itself";
        return;
    }
    char *const **sorted = memory_array(char *const *, D, "names");
    for (int d = 0; d < D; d++) sorted[d] = &names[d];
    qsort(sorted, (size_t)D, sizeof *sorted, by_name);
    for (int i = 0; i < D; i++) {
        char name[THEME_NAME];
        int block = (int)((int64_t)i * BLOCKS / D);
        int first = (int)(((int64_t)block * D + BLOCKS - 1) / BLOCKS);
        int last = (int)((((int64_t)block + 1) * D + BLOCKS - 1) / BLOCKS) - 1;
        snprintf(name, sizeof name, "%.28s-to-%.28s", *sorted[first], *sorted[last]);
        t->of[sorted[i] - names] = number_of(t, name, strlen(name));
    }
    memory_free(sorted);
    t->rule = "four blocks of characteristics in alphabetical order";
}

void themes_free(struct themes *t)
{
    memory_free(t->name);
    memory_free(t->of);
    *t = (struct themes){0};
}

int themes_members(const struct themes *t, int k, char *const *names, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (int d = 0; d < t->D; d++) {
        if (t->of[d] != k) continue;
        int n = snprintf(out + at, size - at, "%s%s", at ? "," : "", names[d]);
        if ((size_t)n >= size - at) return -1;
        at += (size_t)n;
    }
    return 0;
}
