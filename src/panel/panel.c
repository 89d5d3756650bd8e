/* What holds of every panel: its description, universes, asset names, and the check of a period's rows. */
#include "panel/panel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static void names_free(int n, char **names)
{
    for (int i = 0; names && i < n; i++) memory_free(names[i]);
    memory_free(names);
}

void panel_meta_free(struct panel_meta *m)
{
    memory_free_all(m->frequency, m->dates, m->offsets);
    names_free(m->D, m->characteristic_names);
    for (int g = 0; g < m->G; g++) {
        memory_free(m->group_names[g]);
        names_free(m->labels[g], m->label_names[g]);
    }
    memory_free(m->asset_name_ids);
    names_free(m->assets, m->asset_names);
    names_free(m->M, m->test_asset_names);
    memory_free(m->test_assets);
    memory_free(m->truth);
    for (int b = 0; b < m->benchmarks; b++) {
        memory_free(m->benchmark[b].name);
        names_free(m->benchmark[b].k, m->benchmark[b].factor_names);
        memory_free(m->benchmark[b].returns);
    }
    memory_free(m->benchmark);
    *m = (struct panel_meta){0};
}

const struct benchmark *panel_benchmark(const struct panel_meta *m, const char *name)
{
    for (int b = 0; b < m->benchmarks; b++)
        if (!strcmp(m->benchmark[b].name, name)) return &m->benchmark[b];
    return NULL;
}

int panel_max_assets(const struct panel_meta *m)
{
    int64_t most = 0;
    for (int t = 0; t < m->T; t++)
        if (m->offsets[t + 1] - m->offsets[t] > most) most = m->offsets[t + 1] - m->offsets[t];
    return (int)most;
}

int panel_year(const struct panel_meta *m)
{
    return (int)fmax(1, round(m->periods_per_year));
}

int panel_group(const struct panel_meta *m, const char *name)
{
    for (int g = 0; g < m->G; g++)
        if (!strcmp(m->group_names[g], name)) return g;
    return -1;
}

int panel_labels(const struct panel_meta *m, int column)
{
    if (column == PANEL_SIZE_GROUP) return m->has_size_groups ? SIZE_MEGA + 1 : 0;
    return column >= 0 && column < m->G ? m->labels[column] : 0;
}

int panel_asset_index(const struct panel_meta *m, int64_t id)
{
    int low = 0, high = m->assets;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (m->asset_name_ids[middle] < id) low = middle + 1;
        else high = middle;
    }
    return low < m->assets && m->asset_name_ids[low] == id ? low : -1;
}

const char *panel_asset_name(const struct panel_meta *m, int64_t id)
{
    int i = panel_asset_index(m, id);
    return i < 0 ? NULL : m->asset_names[i];
}

static const struct universe universes[] = {
    {"all", SIZE_UNKNOWN, SIZE_MEGA},  {"micro", SIZE_MICRO, SIZE_MICRO}, {"small", SIZE_SMALL, SIZE_SMALL},
    {"large", SIZE_LARGE, SIZE_LARGE}, {"mega", SIZE_MEGA, SIZE_MEGA},    {"nonmicro", SIZE_SMALL, SIZE_MEGA},
};

const struct universe *universe_find(const char *name)
{
    for (size_t i = 0; i < sizeof universes / sizeof *universes; i++)
        if (!strcmp(universes[i].name, name)) return &universes[i];
    return NULL;
}

const char *universe_list(void)
{
    return "all, micro, small, large, mega, nonmicro";
}

static bool belongs(const struct universe *u, const struct rows *r, int i)
{
    return u->group == SIZE_UNKNOWN || (r->size_groups && r->size_groups[i] >= u->group && r->size_groups[i] <= u->largest);
}

int universe_select(const struct universe *u, const struct rows *r, int *index)
{
    int n = 0;
    for (int i = 0; i < r->n; i++)
        if (belongs(u, r, i)) index[n++] = i;
    return n;
}

int universe_gather(const struct universe *u, const struct rows *r, int D, float *x, double *returns, int64_t *ids,
                    int32_t *const group[PANEL_COLUMNS_OF_LABELS])
{
    int n = 0;
    for (int i = 0; i < r->n; i++) {
        if (!belongs(u, r, i)) continue;
        if (x) memcpy(x + (size_t)n * (size_t)D, r->characteristics + (size_t)i * (size_t)D, sizeof(float) * (size_t)D);
        if (returns) returns[n] = r->returns[i];
        if (ids) ids[n] = r->ids[i];
        for (int g = 0; g < PANEL_MOST_GROUPS; g++)
            if (group[g]) group[g][n] = r->group[g][i];
        if (group[PANEL_SIZE_GROUP]) group[PANEL_SIZE_GROUP][n] = r->size_groups[i];
        n++;
    }
    return n;
}

/* the 1e-6 allows for the rounding of another program's ranks */
static const float WIDEST = 0.5f + 1e-6f;

static int breach(const struct panel_meta *m, int t, int i, const char *file, const char *what, struct error *e)
{
    return error_set(e, "%s: row %lld (period %d, date %lld, asset %d of it): %s", file, (long long)(m->offsets[t] + i), t,
                     (long long)m->dates[t], i, what);
}

/* A first pass that vectorises says whether there is anything wrong to look for. */
static bool characteristics_good(const float *x, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) bad |= !(fabsf(x[i]) <= WIDEST);
    return !bad;
}

static int find_characteristic(const struct rows *r, const struct panel_meta *m, int t, const char *file, struct error *e)
{
    char what[400];
    for (int i = 0; i < r->n; i++)
        for (int j = 0; j < m->D; j++) {
            float x = r->characteristics[(size_t)i * m->D + j];
            if (fabsf(x) <= WIDEST) continue;
            snprintf(what, sizeof what,
                     "characteristic %s (column %d of dataset characteristics) is %g; a number in [-0.5, 0.5] is needed",
                     m->characteristic_names[j], j, (double)x);
            return breach(m, t, i, file, what, e);
        }
    return 0;
}

static int find_label(const struct rows *r, const struct panel_meta *m, int t, const char *file, struct error *e)
{
    char what[400];
    for (int g = 0; g < m->G; g++)
        for (int i = 0; i < r->n; i++) {
            int label = r->group[g][i];
            if (label >= -1 && label < m->labels[g]) continue;
            snprintf(what, sizeof what, "dataset groups/%s has %d; -1 (unknown) or a label's number, 0 to %d, is needed",
                     m->group_names[g], label, m->labels[g] - 1);
            return breach(m, t, i, file, what, e);
        }
    return 0;
}

int rows_check(const struct rows *r, const struct panel_meta *m, int t, const char *file, struct error *e)
{
    char what[400];
    for (int i = 0; i < r->n; i++) {
        if (i && r->ids[i] <= r->ids[i - 1]) {
            snprintf(what, sizeof what,
                     "dataset asset_ids has %lld after %lld; ids must ascend within a period, each asset once",
                     (long long)r->ids[i], (long long)r->ids[i - 1]);
            return breach(m, t, i, file, what, e);
        }
        if (!isfinite(r->returns[i])) {
            snprintf(what, sizeof what, "dataset returns has %g; a finite excess return is needed", r->returns[i]);
            return breach(m, t, i, file, what, e);
        }
        if (r->returns[i] < PANEL_LEAST_RETURN || r->returns[i] > PANEL_MOST_RETURN) {
            snprintf(what, sizeof what, "dataset returns has %g; an excess return of %g to %g is needed (0.01 is 1%%)",
                     r->returns[i], PANEL_LEAST_RETURN, PANEL_MOST_RETURN);
            return breach(m, t, i, file, what, e);
        }
        if (r->size_groups && (r->size_groups[i] < SIZE_UNKNOWN || r->size_groups[i] > SIZE_MEGA)) {
            snprintf(what, sizeof what, "dataset size_groups has %d; -1 (unknown) or 0 (nano) to 4 (mega) is needed",
                     r->size_groups[i]);
            return breach(m, t, i, file, what, e);
        }
    }
    if (find_label(r, m, t, file, e)) return -1;
    if (characteristics_good(r->characteristics, (size_t)r->n * m->D)) return 0;
    return find_characteristic(r, m, t, file, e);
}
