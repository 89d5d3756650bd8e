/* A report's parts in order: tables, backtests, attention and figures of each study, the comparison of studies, the page. */
#include "report/report.h"

#include <math.h>
#include <string.h>

#include "backtest_book.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "figures.h"
#include "io/text_file.h"
#include "measure/series.h"
#include "study_report.h"
#include "trading_tables.h"
#include "uncertainty.h"

enum { PATH_ROOM = 4096, MOST_POSITIONS = 10 };

static int write_all(struct table *const *t, int n, const char *folder, struct error *e)
{
    for (int i = 0; i < n && !error_is_set(e); i++)
        if (t[i]) table_write(t[i], folder, e);
    return error_is_set(e) ? -1 : 0;
}

/* The second sample exists where at least two years of dates lie on either side of its beginning. */
static bool later_sample(const struct results *r, const struct report_options *o, struct table_options *later)
{
    int first, n;
    double least = 2 * r->periods_per_year;
    *later = o->table;
    if (!o->since || o->table.from || o->table.to) return false;
    later->from = o->since;
    date_range(r->P, r->dates, o->since, 0, &first, &n);
    return first >= least && n >= least;
}

static int build_later(struct study_report *s, const struct table_options *o, const char *folder, struct error *e)
{
    char suffix[32], path[PATH_ROOM];
    int first, n;
    struct error none = {""};
    if (tables_build(s->r, o, &s->later, &none)) { /* a run under way may not have come so far: no second sample yet */
        log_warn("no sample since %lld: %s", (long long)o->from, none.text);
        return 0;
    }
    s->has_later = true;
    snprintf(suffix, sizeof suffix, "-since-%lld", (long long)(o->from / 10000));
    struct sample later;
    tables_range(s->r, o, &first, &n, e);
    sample_open(&later, s->r, o, first, n);
    int k = paper_tables(&later, &s->later, suffix, s->paper + s->papers);
    sample_close(&later);
    tables_qualify(s->r, k, s->paper + s->papers);
    snprintf(path, sizeof path, "%.4000s/tables", folder);
    write_all(s->paper + s->papers, k, path, e);
    s->papers += k;
    snprintf(path, sizeof path, "%.4000s/tables/since-%lld", folder, (long long)(o->from / 10000));
    return write_all(s->later.table, TABLES, path, e);
}

/* What the saved weights earned under the usual rules, where the panel can still be read. */
static void build_backtest(struct study_report *s, const struct report_options *o, const char *folder, struct error *e)
{
    struct backtest_options rules = BACKTEST_DEFAULT;
    struct table *paths = NULL;
    struct error none = {""};
    if (!backtest_possible(s->r)) return;
    rules.from = o->table.from, rules.to = o->table.to;
    if (backtest_tables(s->r, &rules, &s->backtest, &paths, &none)) log_warn("no backtest: %s", none.text);
    else if (!table_write(s->backtest, folder, e)) backtest_figures(&s->figures, s->r, paths, e);
    table_free(paths);
}

/* What sequence models attended to, where the run saved it. */
static void build_sequence(struct study_report *s, const struct sample *sample, const struct report_options *o,
                           const char *folder, struct error *e)
{
    struct sequence_report *q = &s->sequence;
    char path[PATH_ROOM + 100], warning[300];
    if (sequence_read(q, sample, o->attention_date, e) || !q->n) return;
    sequence_tables(q);
    tables_qualify(s->r, SEQUENCE_TABLES, q->table);
    write_all(q->table, SEQUENCE_SHOWN, folder, e);
    for (int i = SEQUENCE_SHOWN; i < SEQUENCE_TABLES && !error_is_set(e); i++) {
        if (!q->table[i]) continue;
        snprintf(path, sizeof path, "%s/%s.csv", folder, q->table[i]->name);
        FILE *out = text_file_begin(path, e);
        if (out) table_csv(q->table[i], out);
        if (out) text_file_end(out, path, e);
    }
    snprintf(q->figures.folder, sizeof q->figures.folder, "%s", s->figures.folder);
    if (!error_is_set(e)) sequence_figures(q, e);
    for (int i = 0; i < q->n; i++)
        if (sequence_warning(&q->record[i], warning)) log_warn("%s", warning);
}

int study_report_build(struct study_report *s, const struct results *r, const struct report_options *o, const char *label,
                       const char *folder, struct error *e)
{
    struct table_options later;
    char path[PATH_ROOM];
    int first, n;
    *s = (struct study_report){.r = r};
    snprintf(s->label, sizeof s->label, "%s", label);
    if (tables_build(r, &o->table, &s->tables, e)) return -1;
    tables_range(r, &o->table, &first, &n, e);
    struct sample sample;
    sample_open(&sample, r, &o->table, first, n);
    s->uncertainty = uncertainty_table(&sample);
    s->differences = differences_table(&sample);
    s->trading = trading_table(&sample, e);
    if (!error_is_set(e)) s->positions = positions_table(&sample, MOST_POSITIONS, e);
    s->papers = paper_tables(&sample, &s->tables, "", s->paper);
    snprintf(path, sizeof path, "%.4000s/tables", folder);
    struct table *more[] = {s->uncertainty, s->differences, s->trading, s->positions};
    tables_qualify(r, 4, more);
    tables_qualify(r, s->papers, s->paper);
    if (!error_is_set(e)) write_all(s->tables.table, TABLES, path, e);
    if (!error_is_set(e)) write_all(more, 4, path, e);
    if (!error_is_set(e)) write_all(s->paper, s->papers, path, e);
    if (!error_is_set(e) && later_sample(r, o, &later)) build_later(s, &later, folder, e);
    snprintf(s->figures.folder, sizeof s->figures.folder, "%.4000s/figures", folder);
    if (!error_is_set(e) && !folder_create(s->figures.folder, e))
        figures_build(&s->figures, &sample, &s->tables, s->uncertainty, e);
    if (!error_is_set(e)) build_backtest(s, o, path, e);
    if (!error_is_set(e)) build_sequence(s, &sample, o, path, e);
    if (!error_is_set(e) && o->attention)
        s->maps = attention_figures(&s->figures, r, o->attention, path, o->alone, s->links, e);
    sample_close(&sample);
    return error_is_set(e) ? -1 : 0;
}

void study_report_free(struct study_report *s)
{
    tables_free(&s->tables);
    tables_free(&s->later);
    table_free(s->backtest);
    sequence_free(&s->sequence);
    struct table *const more[] = {s->uncertainty, s->differences, s->trading, s->positions};
    for (int i = 0; i < 4; i++) table_free(more[i]);
    for (int i = 0; i < s->papers; i++) table_free(s->paper[i]);
    for (int i = 0; i < ATTENTION_MAPS; i++) table_free(s->links[i]);
    figures_free(&s->figures);
}

/* ---- several results ---- */

/* Returns of two models of two files on the dates both have, x and y [a->P]; returns how many. Dates ascend in both. */
static int common_dates(const struct results *a, const double *u, const struct results *b, const double *v, double *x,
                        double *y)
{
    int n = 0;
    for (int i = 0, j = 0; i < a->P && j < b->P;) {
        if (a->dates[i] < b->dates[j]) i++;
        else if (b->dates[j] < a->dates[i]) j++;
        else {
            if (isfinite(u[i]) && isfinite(v[j])) x[n] = u[i], y[n++] = v[j];
            i++, j++;
        }
    }
    return n;
}

/* Every model of every file, and against the first file's model of the same name where there is one. */
static struct table *comparison(int n, const struct study_report *s, const struct table_options *o)
{
    struct table *t = table_create("comparison", "Results files compared");
    static const char *const shown[] = {"from", "to", "periods", "sharpe", "sharpe_se", "hjd"};
    table_column(t, "results", NULL, TABLE_TEXT, 0);
    table_key_columns(t);
    for (int c = 0; c < 6; c++) {
        const struct table_column *like =
            &s[0].tables.table[TABLES_PERFORMANCE]->column[table_find(s[0].tables.table[TABLES_PERFORMANCE], shown[c])];
        table_column(t, like->name, like->title, like->kind, like->decimals);
    }
    table_columns(t, {"common_periods", NULL, TABLE_COUNT, 0},
                  {"correlation_with_first", "correlation with first", TABLE_REAL, 3},
                  {"sharpe_difference", "Sharpe, less the first's", TABLE_REAL, 2}, {"t", NULL, TABLE_REAL, 1});
    for (int f = 0; f < n; f++) {
        const struct table *p = s[f].tables.table[TABLES_PERFORMANCE];
        for (int i = 0; i < s[f].r->models; i++) {
            const struct result_model *m = &s[f].r->model[i], *base = NULL;
            table_row(t);
            table_set_text(t, "results", s[f].label);
            table_set_text(t, "universe", m->universe);
            table_set_text(t, "model", m->name);
            for (int c = 0; c < 6; c++) table_set(t, shown[c], table_at(p, i, table_find(p, shown[c]))->number);
            for (int j = 0; j < s[0].r->models && f; j++)
                if (!strcmp(s[0].r->model[j].name, m->name) && !strcmp(s[0].r->model[j].universe, m->universe))
                    base = &s[0].r->model[j];
            if (!base || s[f].r->periods_per_year != s[0].r->periods_per_year) continue;
            int first, count;
            double *x = memory_array(double, 2 * (size_t)s[f].r->P, "common returns"), *y = x + s[f].r->P, error;
            struct results part = *s[f].r; /* the date range asked for, as everywhere */
            date_range(part.P, part.dates, o->from, o->to, &first, &count);
            part.dates += first, part.P = count;
            int k = common_dates(&part, m->returns + first, s[0].r, base->returns, x, y);
            double difference = sharpe_difference(k, x, y, part.periods_per_year, -1, &error);
            table_set(t, "common_periods", k);
            table_set(t, "correlation_with_first", series_correlation(k, x, y));
            table_set(t, "sharpe_difference", difference);
            table_set(t, "t", error > 0 ? difference / error : NAN);
            memory_free(x);
        }
    }
    table_note(t, "Differences on the dates that both files have, errors robust to autocorrelation. First: %s.", s[0].label);
    return t;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* results/demo.h5 -> demo; a second file of that name -> demo-2. */
static void label_of(int i, const struct results *r, char out[128])
{
    const char *base = base_name(r[i].path);
    size_t n = strlen(base);
    int same = 1;
    for (int j = 0; j < i; j++) same += !strcmp(base_name(r[j].path), base);
    if (n > 3 && !strcmp(base + n - 3, ".h5")) n -= 3;
    if (n > 100) n = 100;
    if (same > 1) snprintf(out, 128, "%.*s-%d", (int)n, base, same);
    else snprintf(out, 128, "%.*s", (int)n, base);
}

int report_write(int n, const struct results *r, const struct report_options *o, const char *folder, struct error *e)
{
    struct study_report *s = memory_array(struct study_report, n, "studies of a report");
    struct table *compared = NULL;
    char path[PATH_ROOM], label[128];
    for (int i = 0; i < n && !error_is_set(e); i++) {
        label_of(i, r, label);
        snprintf(path, sizeof path, n > 1 ? "%.3900s/%s" : "%.3900s", folder, label);
        study_report_build(&s[i], &r[i], o, label, path, e);
    }
    if (!error_is_set(e) && n > 1) {
        compared = comparison(n, s, &o->table);
        snprintf(path, sizeof path, "%.4000s/tables", folder);
        table_write(compared, path, e);
    }
    if (!error_is_set(e)) {
        snprintf(path, sizeof path, "%.4000s/index.html", folder);
        FILE *page = text_file_begin(path, e);
        if (page) {
            page_begin(page, n > 1 ? "Studies compared" : r->study_name);
            if (compared) fputs("<h2>Comparison</h2>\n", page), page_table(page, compared, false);
            for (int i = 0; i < n; i++) page_study(page, &s[i], o, n == 1);
            page_end(page, version_text());
            text_file_end(page, path, e);
        }
    }
    if (!error_is_set(e) && s[0].figures.missing)
        log_warn("gnuplot is not installed: the figures' data and scripts are in figures/, nothing is drawn (Debian: "
                 "gnuplot-nox)");
    for (int i = 0; i < n; i++) study_report_free(&s[i]);
    table_free(compared);
    memory_free(s);
    return error_is_set(e) ? -1 : 0;
}
