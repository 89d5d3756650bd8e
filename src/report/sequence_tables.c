/* Tables of what sequence models attended to: over time, by head, by lag, by sector, and whole matrices. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "measure/attention_signal.h"
#include "measure/series.h"
#include "sequence.h"

static struct table *begin(const char *name, const char *title)
{
    struct table *t = table_create(name, title);
    table_key_columns(t);
    return t;
}

static void key(struct table *t, const struct sequence_record *c)
{
    table_key(t, c->model->universe, c->model->name);
}

/* A table without a row is none. */
static struct table *end(struct table *t)
{
    if (t->rows) return t;
    table_free(t);
    return NULL;
}

static void put_view(struct table *t, const struct sequence_record *c, const struct attention_view *v)
{
    table_set(t, "entropy", v->entropy);
    table_set(t, "concentration", v->concentration);
    table_set_text(t, "regime", v->assets ? regime_name(regime_of(v->concentration)) : NULL);
    table_set_text(t, "strongest_source", v->strongest < 0 ? NULL : c->asset[v->strongest]);
    table_set(t, "strongest_share", v->share);
}

static void view_columns(struct table *t)
{
    table_columns(t, {"entropy", NULL, TABLE_REAL, 3}, {"concentration", NULL, TABLE_REAL, 3},
                  {"regime", NULL, TABLE_TEXT, 0}, {"strongest_source", NULL, TABLE_TEXT, 0},
                  {"strongest_share", NULL, TABLE_REAL, 3});
}

static void view_note(struct table *t)
{
    table_note(t, "Entropy: of a row, relative to even attention (1), mean over assets. Concentration: an asset's largest "
                  "weight, mean over assets; trending above 0.4, crisis_correlated above 0.6. Both of every matrix first, "
                  "then their mean over seeds and heads. Share: of all attention, what the strongest source takes.");
}

static struct table *over_time(const struct sequence_report *q)
{
    struct table *t = begin("attention", "Attention over time");
    table_column(t, "date", NULL, TABLE_DATE, 0);
    view_columns(t);
    for (int r = 0; r < q->n; r++)
        for (int i = 0; i < q->record[r].n && q->record[r].A; i++) {
            key(t, &q->record[r]);
            table_set(t, "date", (double)q->record[r].dates[i]);
            put_view(t, &q->record[r], &q->record[r].at[i]);
        }
    view_note(t);
    return end(t);
}

static struct table *leaders(const struct sequence_report *q)
{
    struct table *t = begin("leaders", "Leaders and followers");
    table_columns(t, {"asset", NULL, TABLE_TEXT, 0}, {"leader_score", NULL, TABLE_REAL, 4},
                  {"follower_score", NULL, TABLE_REAL, 4});
    for (int r = 0; r < q->n; r++)
        for (int k = 0; k < q->record[r].A; k++) {
            const struct sequence_record *c = &q->record[r];
            int a = c->order[k];
            key(t, c);
            table_set_text(t, "asset", c->asset[a]);
            table_set(t, "leader_score", c->leader[a]);
            table_set(t, "follower_score", c->follower[a]);
        }
    table_note(t, "Leader score: the mean attention that the other assets give it. Follower score: what it does not give "
                  "itself. Of the mean over dates, heads and seeds.");
    return end(t);
}

static struct table *heads(const struct sequence_report *q)
{
    struct table *t = begin("attention_heads", "Attention, head by head");
    table_column(t, "head", NULL, TABLE_COUNT, 0);
    view_columns(t);
    for (int r = 0; r < q->n; r++)
        for (int h = 0; h < q->record[r].H; h++) {
            key(t, &q->record[r]);
            table_set(t, "head", h + 1);
            put_view(t, &q->record[r], &q->record[r].head[h]);
        }
    view_note(t);
    table_note(t, "One head where the study saved the mean over heads (save_attention: mean).");
    return end(t);
}

static struct table *lags(const struct sequence_report *q)
{
    struct table *t = begin("lag_weights", "Weights of lags in cross-asset attention");
    table_columns(t, {"lag", NULL, TABLE_COUNT, 0}, {"mean", NULL, TABLE_REAL, 3}, {"sd", NULL, TABLE_REAL, 3});
    for (int r = 0; r < q->n; r++) {
        const struct sequence_record *c = &q->record[r];
        double *x = memory_array(double, c->n, "lag weights");
        for (int l = 0; l < c->lags; l++) {
            int n = 0;
            for (int i = 0; i < c->n; i++)
                if (isfinite(c->lag[(size_t)i * (size_t)c->lags + (size_t)l]))
                    x[n++] = c->lag[(size_t)i * (size_t)c->lags + (size_t)l];
            key(t, c);
            table_set(t, "lag", l);
            table_set(t, "mean", n ? series_mean(n, x) : NAN);
            table_set(t, "sd", series_sd(n, x));
        }
        memory_free(x);
    }
    table_note(t, "Mean and standard deviation over dates of the mean over seeds. Even weights are 1 / lags.");
    return end(t);
}

static struct table *sectors(const struct sequence_report *q)
{
    struct table *t = begin("sector_attention", "Attention between sectors");
    table_columns(t, {"sector", NULL, TABLE_TEXT, 0}, {"source", NULL, TABLE_TEXT, 0}, {"weight", NULL, TABLE_REAL, 4});
    for (int r = 0; r < q->n; r++)
        for (int i = 0; i < q->record[r].sectors; i++)
            for (int j = 0; j < q->record[r].sectors; j++) {
                const struct sequence_record *c = &q->record[r];
                double w = c->sector[i * c->sectors + j];
                if (isnan(w)) continue; /* a sector without an asset */
                key(t, c);
                table_set_text(t, "sector", c->sector_name[i]);
                table_set_text(t, "source", c->sector_name[j]);
                table_set(t, "weight", w);
            }
    return end(t);
}

static void put_matrix(struct table *t, const struct sequence_record *c, int64_t date, int head, const double *m)
{
    for (int i = 0; i < c->A; i++)
        for (int j = 0; j < c->A; j++) {
            key(t, c);
            if (date) table_set(t, "date", (double)date);
            table_set(t, "head", head);
            table_set_text(t, "asset", c->asset[i]);
            table_set_text(t, "source", c->asset[j]);
            table_set(t, "weight", m[(size_t)i * (size_t)c->A + (size_t)j]);
        }
}

/* Every cell: the mean over dates (head 0: over heads, too), or one date's. */
static struct table *matrices(const struct sequence_report *q, bool at_date)
{
    struct table *t =
        begin(at_date ? "attention_at" : "attention_matrix", at_date ? "Attention at a date" : "Mean attention");
    if (at_date) table_column(t, "date", NULL, TABLE_DATE, 0);
    table_columns(t, {"head", NULL, TABLE_COUNT, 0}, {"asset", NULL, TABLE_TEXT, 0}, {"source", NULL, TABLE_TEXT, 0},
                  {"weight", NULL, TABLE_REAL, 4});
    for (int r = 0; r < q->n; r++) {
        const struct sequence_record *c = &q->record[r];
        const double *m = at_date ? c->map : c->head_mean;
        if (!at_date && c->A) put_matrix(t, c, 0, 0, c->mean);
        for (int h = 0; h < c->H && m; h++)
            put_matrix(t, c, c->date * at_date, h + 1, m + (size_t)h * (size_t)c->A * (size_t)c->A);
    }
    return end(t);
}

void sequence_tables(struct sequence_report *q)
{
    struct table *t[SEQUENCE_TABLES] = {over_time(q), leaders(q),         heads(q),         lags(q),
                                        sectors(q),   matrices(q, false), matrices(q, true)};
    for (int i = 0; i < SEQUENCE_TABLES; i++) q->table[i] = t[i];
}

char *sequence_warning(const struct sequence_record *c, char out[300])
{
    if (!c->A || !attention_collapsed(&c->all)) return NULL;
    int n = snprintf(out, 300, "%.60s, %.30s: its attention has collapsed: ", c->model->name, c->model->universe);
    if (attention_taken(&c->all))
        snprintf(out + n, 300 - (size_t)n, "%.60s takes %.0f%% of all attention (entropy %.2f of even)",
                 c->asset[c->all.strongest], 100 * c->all.share, c->all.entropy);
    else
        snprintf(out + n, 300 - (size_t)n,
                 "rows are nearly all on one asset (entropy %.2f of even; strongest %.60s, %.0f%%)", c->all.entropy,
                 c->asset[c->all.strongest], 100 * c->all.share);
    return out;
}
