/* Group columns of price panels: sector, market, from a CSV file of assets. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/csv.h"
#include "io/source.h"
#include "prices.h"

enum { FIELDS = 1 + PANEL_MOST_GROUPS, TEXT = 256 };

/* Labels as read: [A] per column, NULL where the file says nothing. */
struct group_table {
    int G;
    char **value[PANEL_MOST_GROUPS];
    char name[PANEL_MOST_GROUPS][TEXT];
    bool *seen;
    int left_out; /* rows of assets the panel does not have */
};

static int take_header(const char *path, const struct csv_row *r, struct group_table *t, struct error *e)
{
    char **names;
    if (csv_header(path, r, &names, e)) return -1;
    if (r->fields < 2 || r->fields > FIELDS || strcmp(names[0], "asset"))
        error_set(e,
                  "%s:1: found %d columns, the first '%.60s'; needed are asset and 1 to %d groups, as asset,sector,market",
                  path, r->fields, names[0], PANEL_MOST_GROUPS);
    for (int g = 0; g + 1 < r->fields && !error_is_set(e); g++) {
        size_t n = strlen(names[g + 1]), fine = 0;
        while (isalnum((unsigned char)names[g + 1][fine]) || (names[g + 1][fine] && strchr("_-", names[g + 1][fine])))
            fine++;
        if (n == 0 || n >= 64 || fine != n)
            error_set(e, "%s:1:%d: found a group named '%.60s'; needed are letters, digits, '_' and '-'", path, g + 2,
                      names[g + 1]);
        snprintf(t->name[t->G++], TEXT, "%s", names[g + 1]);
    }
    memory_free(names);
    return error_is_set(e) ? -1 : 0;
}

static int field_text(const char *path, long line, const struct csv_row *r, int k, char out[TEXT], struct error *e)
{
    size_t n;
    const char *s = csv_field(r, k, &n);
    while (n && *s == ' ') s++, n--;
    while (n && s[n - 1] == ' ') n--;
    if (n >= TEXT)
        return error_set(e, "%s:%ld:%d: found a text of %zu bytes; needed are fewer than %d", path, line, k + 1, n, TEXT);
    csv_unquote(s, n, out);
    return 0;
}

static int take_row(const struct prices *x, const char *path, long line, const struct csv_row *r, struct group_table *t,
                    struct error *e)
{
    char text[TEXT];
    int asset = -1;
    if (r->fields != t->G + 1)
        return error_set(e, "%s:%ld: found %d fields; needed are %d, as in the header", path, line, r->fields, t->G + 1);
    if (field_text(path, line, r, 0, text, e)) return -1;
    for (int k = 0; k < x->A && asset < 0; k++)
        if (!strcmp(x->file[k].name, text)) asset = x->file[k].asset;
    if (asset < 0) return t->left_out++, 0;
    if (t->seen[asset])
        return error_set(e, "%s:%ld:1: found asset %s a second time; needed is one row an asset", path, line, text);
    t->seen[asset] = true;
    for (int g = 0; g < t->G; g++) {
        if (field_text(path, line, r, g + 1, text, e)) return -1;
        if (*text) t->value[g][asset] = memory_text(text);
    }
    return 0;
}

static int read_table(const struct prices *x, const char *path, struct group_table *t, struct error *e)
{
    struct csv_cursor c;
    struct csv_row r;
    uint32_t end[FIELDS + 1];
    size_t n;
    char *text = source_text(path, (size_t)1 << 28, "a CSV file of groups, a line an asset", &n, e);
    if (!text) return -1;
    size_t mark = csv_mark(text, n);
    csv_begin(&c, text + mark, n - mark);
    for (long line = 1; !error_is_set(e) && csv_next(&c, end, FIELDS + 1, &r); line++) {
        if (r.length == 0) continue;
        if (!t->G) take_header(path, &r, t, e);
        else take_row(x, path, line, &r, t, e);
    }
    memory_free(text);
    if (!t->G) error_set(e, "%s: is empty; needed is CSV with columns asset and groups", path);
    return error_is_set(e) ? -1 : 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Column g of the panel: its labels in byte order, and every asset's. */
static void number_labels(struct prices *x, const struct group_table *t, int g, struct panel_meta *m)
{
    char **all = memory_array(char *, x->A, "labels");
    int n = 0, known = 0, distinct = 0;
    for (int a = 0; a < x->A; a++)
        if (t->value[g][a]) all[known++] = t->value[g][a];
    qsort(all, (size_t)known, sizeof *all, by_bytes);
    for (int k = 0; k < known; k++) distinct += k == 0 || strcmp(all[k], all[k - 1]) != 0;
    m->group_names[g] = memory_text(t->name[g]);
    m->label_names[g] = memory_array(char *, distinct, "labels");
    for (int k = 0; k < known; k++)
        if (k == 0 || strcmp(all[k], all[k - 1])) m->label_names[g][n++] = memory_text(all[k]);
    m->labels[g] = n;
    x->builder->label[g] = memory_array(int32_t, x->A, "labels of assets");
    for (int a = 0; a < x->A; a++) {
        char **found =
            t->value[g][a] ? bsearch(&t->value[g][a], m->label_names[g], (size_t)n, sizeof(char *), by_bytes) : NULL;
        x->builder->label[g][a] = found ? (int32_t)(found - m->label_names[g]) : -1;
    }
    log_info("%s: %d labels, %d of %d assets have one", t->name[g], n, known, x->A);
    memory_free(all);
}

int prices_groups(struct prices *x, struct error *e)
{
    struct panel_meta *m = &x->builder->meta;
    struct group_table t = {0};
    if (!x->o->groups) return 0;
    t.seen = memory_array(bool, x->A, "assets seen");
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) t.value[g] = memory_array(char *, x->A, "labels");
    read_table(x, x->o->groups, &t, e);
    if (!team_agree(x->team, e)) {
        if (t.left_out) log_info("%s: %d rows of assets that the panel does not have", x->o->groups, t.left_out);
        for (m->G = 0; m->G < t.G; m->G++) number_labels(x, &t, m->G, m);
    }
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) {
        for (int a = 0; a < x->A; a++) memory_free(t.value[g][a]);
        memory_free(t.value[g]);
    }
    memory_free(t.seen);
    return error_is_set(e) ? -1 : 0;
}
