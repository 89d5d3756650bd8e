/* Tables with models across, filled from the long tables of tables.c. */
#include "paper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* The row of a long table with this key; -1: none. `third` (may be NULL) is matched against column 2. */
static int find_row(const struct table *t, const char *universe, const char *model, const char *third)
{
    for (int r = 0; r < t->rows; r++)
        if (!strcmp(table_at(t, r, 0)->text, universe) && !strcmp(table_at(t, r, 1)->text, model) &&
            (!third || !strcmp(table_at(t, r, 2)->text, third)))
            return r;
    return -1;
}

/* Column `name` of that row as people read it; "" where there is none. */
static void put_formatted(struct table *t, const struct table *from, int row, const char *name)
{
    char text[TABLE_CELL] = "";
    if (row >= 0) table_format(from, row, table_find(from, name), text);
    table_put_text(t, text);
}

/* The models of a universe, in study order: places into out; all universes' distinct names where universe is NULL. */
static int models_of(const struct results *r, const char *universe, int *out)
{
    int k = 0;
    for (int i = 0; i < r->models; i++) {
        bool seen = universe && strcmp(r->model[i].universe, universe);
        for (int j = 0; j < k && !seen; j++) seen = !strcmp(r->model[out[j]].name, r->model[i].name);
        if (!seen) out[k++] = i;
    }
    return k;
}

static struct table *begin(const char *name, const char *suffix, const char *title, const char *first,
                           const struct results *r, const int *member, int k)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    struct table *t = table_create(full, title);
    table_column(t, first, NULL, TABLE_TEXT, 0);
    for (int i = 0; i < k; i++) table_column(t, r->model[member[i]].name, r->model[member[i]].name, TABLE_TEXT, 0);
    return t;
}

/* Sharpe ratio and pricing error of every model, a pair of rows per universe (the paper's Tables 1, 7 and 8). */
static struct table *performance(const struct results *r, const struct table *p, const char *suffix,
                                 const char *const *universe, int universes, int *member)
{
    int k = models_of(r, NULL, member);
    struct table *t = begin("table1-performance", suffix, "Sharpe ratios and pricing errors", "measure", r, member, k);
    static const char *const measure[][2] = {{"sharpe", "Sharpe ratio"}, {"sharpe_se", "(s.e.)"}, {"hjd", "Pricing error"}};
    for (int u = 0; u < universes; u++)
        for (int m = 0; m < 3; m++) {
            char label[160], value[TABLE_CELL], cell[TABLE_CELL + 2];
            snprintf(label, sizeof label, "%s%s%.100s", measure[m][1], universes > 1 && m != 1 ? ", " : "",
                     universes > 1 && m != 1 ? universe[u] : "");
            table_row(t);
            table_put_text(t, label);
            for (int i = 0; i < k; i++) {
                int row = find_row(p, universe[u], r->model[member[i]].name, NULL);
                value[0] = '\0';
                if (row >= 0) table_format(p, row, table_find(p, measure[m][0]), value);
                snprintf(cell, sizeof cell, m == 1 && *value ? "(%s)" : "%s", value);
                table_put_text(t, cell);
            }
        }
    return t;
}

/* Alphas of the column models on the row models, t statistics in brackets, * at 1% (Tables 2 and 3). */
static struct table *alphas(const struct results *r, const struct table *a, const char *suffix, const char *universe,
                            bool name_it, int *member)
{
    char name[64], title[160];
    int k = models_of(r, universe, member);
    if (k < 2) return NULL;
    snprintf(name, sizeof name, "table2-alphas%s%.30s", name_it ? "-" : "", name_it ? universe : "");
    snprintf(title, sizeof title, "Alpha of the column model against the row model, percent per period (t)%s%.60s",
             name_it ? ", " : "", name_it ? universe : "");
    struct table *t = begin(name, suffix, title, "against", r, member, k);
    for (int i = 0; i <= k; i++) {
        const char *against = i < k ? r->model[member[i]].name : "others";
        table_row(t);
        table_put_text(t, i < k ? against : "all others");
        for (int j = 0; j < k; j++) {
            int row = find_row(a, universe, r->model[member[j]].name, against);
            char alpha[TABLE_CELL], value[TABLE_CELL], cell[2 * TABLE_CELL] = "";
            if (row >= 0 && *table_format(a, row, table_find(a, "alpha_percent"), alpha)) {
                double statistic = table_at(a, row, table_find(a, "t"))->number;
                snprintf(cell, sizeof cell, "%s%s (%s)", alpha, fabs(statistic) > 2.5758 ? "*" : "",
                         table_format(a, row, table_find(a, "t"), value));
            }
            table_put_text(t, cell);
        }
    }
    table_note(t, "* significant at 1%%. Both series scaled to 15%% volatility a year.");
    return t;
}

/* Tangency weights, a row per universe (Tables 4 and 6). */
static struct table *tangency(const struct results *r, const struct table *w, const char *suffix,
                              const char *const *universe, int universes, int *member)
{
    int k = models_of(r, NULL, member);
    struct table *t =
        begin("table4-tangency", suffix, "Tangency portfolio weights [95% interval]", "universe", r, member, k);
    for (int u = 0; u < universes; u++) {
        table_row(t);
        table_put_text(t, universe[u]);
        for (int i = 0; i < k; i++) {
            int row = find_row(w, universe[u], r->model[member[i]].name, NULL);
            char value[3][TABLE_CELL], cell[3 * TABLE_CELL + 8] = "";
            if (row >= 0 && *table_format(w, row, 2, value[0]))
                snprintf(cell, sizeof cell, *table_format(w, row, 3, value[1]) ? "%s [%s, %s]" : "%s", value[0], value[1],
                         table_format(w, row, 4, value[2]));
            table_put_text(t, cell);
        }
    }
    for (int i = 1; i < w->notes; i++) table_note(t, "%s", w->note[i]);
    return t;
}

/* Total, antisymmetric and symmetric part of every linear transformer (Table 5). */
static struct table *symmetry(const struct table *y, const char *suffix)
{
    char name[96];
    snprintf(name, sizeof name, "table5-symmetry%s", suffix);
    struct table *t = table_create(name, "Symmetry decomposition of linear attention");
    static const char *const part[] = {"total", "antisymmetric", "symmetric"};
    table_columns(t, {"model", NULL, TABLE_TEXT, 0}, {"measure", NULL, TABLE_TEXT, 0});
    for (int i = 0; i < 3; i++) table_column(t, part[i], NULL, TABLE_TEXT, 0);
    for (int r = 0; r < y->rows; r += 3)
        for (int m = 0; m < 2; m++) {
            char label[256];
            snprintf(label, sizeof label, "%.100s, %.100s", table_at(y, r, 1)->text, table_at(y, r, 0)->text);
            table_row(t);
            table_put_text(t, label);
            table_put_text(t, m ? "Pricing error" : "Sharpe ratio");
            for (int i = 0; i < 3; i++)
                put_formatted(t, y, find_row(y, table_at(y, r, 0)->text, table_at(y, r, 1)->text, part[i]),
                              m ? "hjd" : "sharpe");
        }
    return t;
}

int paper_tables(const struct sample *s, const struct tables *t, const char *suffix, struct table **out)
{
    const struct results *r = s->r;
    const char **universe = memory_array(const char *, r->models, "universes");
    int *member = memory_array(int, r->models, "models"), universes = sample_universes(r, universe), n = 0;
    out[n++] = performance(r, t->table[TABLES_PERFORMANCE], suffix, universe, universes, member);
    for (int u = 0; u < universes && n < PAPER_TABLES - 2; u++) {
        struct table *a = alphas(r, t->table[TABLES_ALPHAS], suffix, universe[u], universes > 1, member);
        if (a) out[n++] = a;
    }
    out[n++] = tangency(r, t->table[TABLES_TANGENCY], suffix, universe, universes, member);
    if (t->table[TABLES_SYMMETRY]) out[n++] = symmetry(t->table[TABLES_SYMMETRY], suffix);
    memory_free(universe);
    memory_free(member);
    return n;
}
