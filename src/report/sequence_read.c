/* Attention records of a results file, read date by date and summarised on the way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/panel_file.h"
#include "io/results_read.h"
#include "sequence.h"
#include "study/study.h"

/* A record's field; NULL: the model has none, or one without entries. */
static const struct result_field *find(const struct result_model *m, const char *name, const struct error *e)
{
    const struct result_field *x = error_is_set(e) ? NULL : results_field(m, name);
    return x && result_field_row(x) ? x : NULL;
}

static double *row_array(const struct result_field *x)
{
    return memory_array(double, result_field_row(x), x->name);
}

/* ---- names ---- */

static void name_assets(struct sequence_record *c, const struct results *r, const double *ids)
{
    char number[32];
    c->asset = memory_array(char *, c->A, "names of assets");
    for (int a = 0; a < c->A; a++) {
        const char *name = NULL;
        for (int k = 0; k < r->assets; k++)
            if ((double)r->asset_name_ids[k] == ids[a]) name = r->asset_names[k];
        snprintf(number, sizeof number, "%.0f", ids[a]);
        c->asset[a] = memory_text(name ? name : number);
    }
}

/* The group column that the model's option `sector` names. */
static void sector_column(const struct sequence_record *c, const struct results *r, char out[100])
{
    struct study s;
    struct error ignored = {""};
    snprintf(out, 100, "sector");
    if (study_parse(r->path, r->study, &s, &ignored)) return;
    for (int i = 0; i < s.configs; i++) {
        const struct config *f = &s.config[i];
        if (strcmp(f->name, c->model->name) || strcmp(f->universe->name, c->model->universe)) continue;
        for (int k = 0; k < f->values.n; k++)
            if (!strcmp(f->values.options[k].key, "sector")) snprintf(out, 100, "%.99s", values_word(&f->values, "sector"));
    }
    study_free(&s);
}

/* Labels of that column where the panel can be read and has as many; else numbers. */
static void name_sectors(struct sequence_record *c, const struct results *r)
{
    struct panel_meta m;
    struct error ignored = {""};
    char column[100];
    bool read = r->panel && !panel_load_meta(r->panel, NULL, &m, &ignored);
    sector_column(c, r, column);
    int g = read ? panel_group(&m, column) : -1;
    c->sector_name = memory_array(char *, c->sectors, "names of sectors");
    for (int k = 0; k < c->sectors; k++) {
        char number[32];
        bool named = g >= 0 && m.labels[g] == c->sectors - 1 && m.label_names[g];
        snprintf(number, sizeof number, "%d", k);
        c->sector_name[k] = memory_text(k == c->sectors - 1 ? "unknown" : named ? m.label_names[g][k] : number);
    }
    if (read) panel_meta_free(&m);
}

/* ---- attention ---- */

struct sums { /* of what is read, in one pass */
    double *all, *all_count, *head, *head_count, *date, *date_count;
    double *entropy, *concentration, *views, *with_entropy; /* [H] */
};

static void sums_open(struct sums *x, const struct sequence_record *c)
{
    size_t one = (size_t)c->A * (size_t)c->A, heads = one * (size_t)c->H, H = (size_t)c->H;
    *x = (struct sums){memory_array(double, one, "sums of attention"),   memory_array(double, one, "sums of attention"),
                       memory_array(double, heads, "sums of attention"), memory_array(double, heads, "sums of attention"),
                       memory_array(double, one, "sums of attention"),   memory_array(double, one, "sums of attention"),
                       memory_array(double, H, "sums of attention"),     memory_array(double, H, "sums of attention"),
                       memory_array(double, H, "sums of attention"),     memory_array(double, H, "sums of attention")};
}

static void sums_close(struct sums *x)
{
    memory_free_all(x->all, x->all_count, x->head, x->head_count, x->date, x->date_count, x->entropy, x->concentration,
                    x->views, x->with_entropy);
}

/* One date's matrices, raw [S, H, A, A]. */
static void take_date(struct sequence_record *c, struct sums *x, int i, int S, const double *raw, double *scratch)
{
    size_t one = (size_t)c->A * (size_t)c->A;
    double entropy = 0, concentration = 0;
    int views = 0, with_entropy = 0;
    memset(x->date, 0, one * sizeof *x->date);
    memset(x->date_count, 0, one * sizeof *x->date_count);
    for (int s = 0; s < S; s++)
        for (int h = 0; h < c->H; h++) {
            const double *m = raw + ((size_t)s * (size_t)c->H + (size_t)h) * one;
            struct attention_view v;
            attention_view(c->A, m, &v);
            if (!v.assets) continue;
            views++, concentration += v.concentration;
            x->views[h]++, x->concentration[h] += v.concentration;
            if (isfinite(v.entropy)) with_entropy++, entropy += v.entropy, x->with_entropy[h]++, x->entropy[h] += v.entropy;
            means_add(one, m, x->date, x->date_count);
            means_add(one, m, x->head + (size_t)h * one, x->head_count + (size_t)h * one);
            means_add(one, m, x->all, x->all_count);
        }
    means_take(one, x->date, x->date_count, scratch);
    attention_view(c->A, scratch, &c->at[i]);
    c->at[i].entropy = with_entropy ? entropy / with_entropy : NAN;
    c->at[i].concentration = views ? concentration / views : NAN;
}

static const double *sort_key;
static int by_key(const void *a, const void *b)
{
    int i = *(const int *)a, j = *(const int *)b;
    double x = isnan(sort_key[i]) ? -INFINITY : sort_key[i], y = isnan(sort_key[j]) ? -INFINITY : sort_key[j];
    return x != y ? (x < y) - (x > y) : (i > j) - (i < j);
}

static void summarise(struct sequence_record *c, struct sums *x)
{
    size_t one = (size_t)c->A * (size_t)c->A;
    double entropy = 0, concentration = 0, views = 0, with_entropy = 0;
    means_take(one, x->all, x->all_count, c->mean);
    means_take(one * (size_t)c->H, x->head, x->head_count, c->head_mean);
    for (int h = 0; h < c->H; h++) {
        attention_view(c->A, c->head_mean + (size_t)h * one, &c->head[h]);
        c->head[h].entropy = x->entropy[h] / x->with_entropy[h]; /* 0 / 0: NaN */
        c->head[h].concentration = x->concentration[h] / x->views[h];
        entropy += x->entropy[h], concentration += x->concentration[h];
        views += x->views[h], with_entropy += x->with_entropy[h];
    }
    attention_view(c->A, c->mean, &c->all);
    c->all.entropy = entropy / with_entropy;
    c->all.concentration = concentration / views;
    attention_leaders(c->A, c->mean, c->leader, c->follower);
    for (int a = 0; a < c->A; a++) c->order[a] = a;
    sort_key = c->leader;
    qsort(c->order, (size_t)c->A, sizeof *c->order, by_key);
}

/* The matrices of one date, means over seeds. */
static void keep_map(struct sequence_record *c, int S, const double *raw)
{
    size_t heads = (size_t)c->H * (size_t)c->A * (size_t)c->A;
    double *sum = memory_array(double, 2 * heads, "sums of attention");
    c->map = memory_array(double, heads, "attention of a date");
    for (int s = 0; s < S; s++) means_add(heads, raw + (size_t)s * heads, sum, sum + heads);
    means_take(heads, sum, sum + heads, c->map);
    memory_free(sum);
}

static void read_attention(struct sequence_record *c, struct results_reader *f, const struct sample *s, int64_t date,
                           struct error *e)
{
    const struct result_field *x = find(c->model, "attention", e);
    const double *ids = results_values(c->model, "attention_assets");
    int A = results_size(c->model, "asset"), S = c->model->seeds;
    if (!x) return;
    if (!ids || results_size(c->model, "attended_asset") != A) {
        error_set(e, "%s: %s: found attention of %d assets to %d; needed: a square, and attention_assets", s->r->path,
                  c->model->name, A, results_size(c->model, "attended_asset"));
        return;
    }
    size_t one = (size_t)A * (size_t)A;
    c->A = A;
    c->H = x->dim[2].size;
    double *raw = row_array(x), *scratch = memory_array(double, one, "attention of a date");
    c->mean = memory_array(double, one, "mean attention");
    c->head_mean = memory_array(double, one *(size_t)c->H, "mean attention");
    c->head = memory_array(struct attention_view, c->H, "heads");
    c->at = memory_array(struct attention_view, c->n, "attention over time");
    c->leader = memory_array(double, A, "leaders");
    c->follower = memory_array(double, A, "followers");
    c->order = memory_array(int, A, "order of leaders");
    struct sums sums;
    sums_open(&sums, c);
    name_assets(c, s->r, ids);
    for (int i = 0; i < c->n && !error_is_set(e); i++)
        if (!results_row(f, c->model, x, s->first + i, raw, e)) take_date(c, &sums, i, S, raw, scratch);
    for (int p = 0; p < s->r->P && date && !error_is_set(e); p++)
        if (s->r->dates[p] == date && !results_row(f, c->model, x, p, raw, e)) keep_map(c, S, raw), c->date = date;
    if (!error_is_set(e)) summarise(c, &sums);
    sums_close(&sums);
    memory_free(raw);
    memory_free(scratch);
}

/* ---- lags and sectors ---- */

static void read_lags(struct sequence_record *c, struct results_reader *f, const struct sample *s, struct error *e)
{
    const struct result_field *x = find(c->model, "lag_weights", e);
    if (!x) return;
    c->lags = x->dim[2].size;
    size_t lags = (size_t)c->lags;
    double *raw = row_array(x), *sum = memory_array(double, 2 * lags, "lag weights");
    c->lag = memory_array(double, (size_t)c->n *lags, "lag weights");
    for (int i = 0; i < c->n && !results_row(f, c->model, x, s->first + i, raw, e); i++) {
        memset(sum, 0, 2 * lags * sizeof *sum);
        for (int k = 0; k < c->model->seeds; k++) means_add(lags, raw + (size_t)k * lags, sum, sum + lags);
        means_take(lags, sum, sum + lags, c->lag + (size_t)i * lags);
    }
    memory_free(raw);
    memory_free(sum);
}

static void read_sectors(struct sequence_record *c, struct results_reader *f, const struct sample *s, struct error *e)
{
    const struct result_field *x = find(c->model, "sector_attention", e);
    if (!x) return;
    if (x->dim[2].size != x->dim[3].size) {
        error_set(e, "%s: %s: found sector_attention of %d sectors to %d; needed: a square", s->r->path, c->model->name,
                  x->dim[2].size, x->dim[3].size);
        return;
    }
    c->sectors = x->dim[2].size;
    size_t n = (size_t)c->sectors * (size_t)c->sectors;
    double *raw = row_array(x), *sum = memory_array(double, 2 * n, "sector attention");
    c->sector = memory_array(double, n, "sector attention");
    for (int i = 0; i < c->n && !results_row(f, c->model, x, s->first + i, raw, e); i++)
        for (int k = 0; k < c->model->seeds; k++) means_add(n, raw + (size_t)k * n, sum, sum + n);
    means_take(n, sum, sum + n, c->sector);
    name_sectors(c, s->r);
    memory_free(raw);
    memory_free(sum);
}

int sequence_read(struct sequence_report *q, const struct sample *s, int64_t date, struct error *e)
{
    const struct results *r = s->r;
    *q = (struct sequence_report){.n = 0};
    bool there = !date;
    for (int p = 0; p < r->P; p++) there = there || r->dates[p] == date;
    if (!there)
        return error_set(e, "%s: found no date %lld; needed: one of the results', %lld to %lld", r->path, (long long)date,
                         (long long)r->dates[0], (long long)r->dates[r->P - 1]);
    struct results_reader *f = results_reader_open(r, e);
    q->record = memory_array(struct sequence_record, SEQUENCE_MODELS, "attention of sequence models");
    for (int i = 0; i < r->models && f && q->n < SEQUENCE_MODELS && !error_is_set(e); i++) {
        struct sequence_record *c = &q->record[q->n];
        *c = (struct sequence_record){.model = &r->model[i], .n = s->n};
        read_attention(c, f, s, date, e);
        read_lags(c, f, s, e);
        read_sectors(c, f, s, e);
        if (c->A || c->lags || c->sectors || error_is_set(e)) {
            c->dates = memory_array(int64_t, s->n, "dates");
            memcpy(c->dates, r->dates + s->first, (size_t)s->n * sizeof *c->dates);
            q->n++;
        }
    }
    return results_reader_close(f, e);
}

static void record_free(struct sequence_record *c)
{
    for (int a = 0; a < c->A && c->asset; a++) memory_free(c->asset[a]);
    for (int k = 0; k < c->sectors && c->sector_name; k++) memory_free(c->sector_name[k]);
    memory_free_all(c->dates, c->asset, c->mean, c->head_mean, c->head, c->at, c->leader, c->order, c->follower, c->lag,
                    c->sector, c->map, c->sector_name);
}

void sequence_free(struct sequence_report *q)
{
    for (int i = 0; i < q->n; i++) record_free(&q->record[i]);
    for (int i = 0; i < SEQUENCE_TABLES; i++) table_free(q->table[i]);
    memory_free(q->record);
    figures_free(&q->figures);
    *q = (struct sequence_report){.n = 0};
}
