#include "io/ingest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/factor_file.h"
#include "io/hdf.h"
#include "io/panel_file.h"
#include "io/stock_panel.h"

/* What was asked, as a text for the panel. */
static void describe(const struct ingest_options *o, char *text, size_t room)
{
    int n = snprintf(text, room,
                     "stocks=%s characteristics=%s country=%s characteristic_missing<=%g%s row_missing<=%.4g nano=%s",
                     o->stocks ? o->stocks : "none", o->characteristics ? o->characteristics : "by header", o->country,
                     o->rules.characteristic_missing, o->rules.past_only ? " (past only)" : "", o->rules.row_missing,
                     o->rules.keep_nano ? "kept" : "dropped");
    for (int k = 0; k < o->factor_files && n > 0 && (size_t)n < room; k++)
        n += snprintf(text + n, room - (size_t)n, " factors %s=%s%s", o->factors[k].name, o->factors[k].file,
                      o->factors[k].percent ? ",percent" : "");
}

static int write_panel(const struct ingest_options *o, struct team *team, struct stock_panel *p, const struct panel_meta *m,
                       struct error *e)
{
    char text[1200];
    describe(o, text, sizeof text);
    struct panel_writer *w = panel_write_begin(o->output, team, m, e);
    if (!w) return -1;
    if (p) stock_panel_write(p, m, w, e);
    if (!team_agree(team, e)) panel_write_text(w, "ingest", text, e);
    if (!error_is_set(e) && p) stock_panel_write_audit(p, w, e);
    return panel_write_end(w, e);
}

static void report_speed(const struct stocks *s)
{
    int64_t total[2] = {s->text_bytes, row_store_spilled(s->rows)};
    double most[2] = {s->seconds, (double)memory_peak()};
    char text[32], memory[32], took[32];
    team_sum_long(s->team, total, 2);
    team_max_double(s->team, most, 2);
    log_info("read %s of text in %s on %d rank%s (%.0f MB/s a rank); %s a rank at most, %.0f MB of rows in temporary files",
             format_bytes((double)total[0], text), format_duration(most[0], took), team_size(s->team),
             team_size(s->team) > 1 ? "s" : "", (double)total[0] / most[0] / 1e6 / team_size(s->team),
             format_bytes(most[1], memory), (double)total[1] / 1e6);
}

static int ingest_stocks(const struct ingest_options *o, struct team *team, struct panel_meta *m, struct stocks *s,
                         struct stock_panel *p, struct error *e)
{
    if (stocks_read(s, o, team, e)) return -1;
    if (s->columns.me >= 0 && s->columns.size_group < 0 && s->columns.exchange_code < 0)
        log_info("%s: no size groups: me is there, but neither size_grp nor crsp_exchcd for NYSE breakpoints", o->stocks);
    if (stock_panel_plan(p, s, m, e)) return -1;
    report_speed(s);
    stock_panel_print_audit(p);
    return 0;
}

/* ---- factors and test assets: month m's return belongs to the row of m - 1, when the factor is held --------------------- */

static int read_table(const struct ingest_options *o, const char *file, const char *flag, bool percent, struct team *team,
                      struct factor_table *f, struct error *e)
{
    if (factor_table_read(file, percent, team, f, e)) return -1;
    return o->any_volatility ? 0 : factor_table_check_unit(f, file, flag, percent, e);
}

/* Without stocks: every month from the first to the last in which a benchmark (or else a test asset) is held. */
static void dates_of_tables(const struct factor_table *table, int n, struct panel_meta *m)
{
    int first = INT32_MAX, last = 0;
    for (int k = 0; k < n; k++) {
        if (table[k].first < first) first = table[k].first;
        if (table[k].first + table[k].months > last) last = table[k].first + table[k].months;
    }
    m->T = last - first;
    m->frequency = memory_text("monthly");
    m->dates = memory_array(int64_t, m->T, "panel dates");
    m->offsets = memory_array(int64_t, m->T + 1, "panel offsets");
    m->characteristic_names = memory_array(char *, 0, "names of characteristics");
    for (int t = 0; t < m->T; t++) m->dates[t] = month_end(first - 1 + t);
}

/* The table on the panel's dates, [T, k]; NaN elsewhere. */
static double *align(const struct factor_table *f, const struct panel_meta *m, const char *file)
{
    double *out = memory_array(double, (size_t)m->T * f->k, "factor returns");
    int used = 0;
    for (int t = 0; t < m->T; t++) {
        int row = (int)(m->dates[t] / 10000 * 12 + m->dates[t] / 100 % 100 - 1) + 1 - f->first;
        bool there = row >= 0 && row < f->months;
        for (int k = 0; k < f->k; k++) out[(size_t)t * f->k + k] = there ? f->returns[(size_t)row * f->k + k] : NAN;
        used += there;
    }
    log_info("%s: %d factors, months %lld to %lld, %d of them on the panel's %d dates", file, f->k,
             (long long)(month_end(f->first) / 100), (long long)(month_end(f->first + f->months - 1) / 100), used, m->T);
    return out;
}

static char **names_of(const struct factor_table *f)
{
    char **names = memory_array(char *, f->k, "names of factors");
    for (int k = 0; k < f->k; k++) names[k] = memory_text(f->names[k]);
    return names;
}

static int ingest_factors(const struct ingest_options *o, struct team *team, struct panel_meta *m, struct error *e)
{
    struct factor_table table[INGEST_FACTORS + 1] = {{0}};
    int n = o->factor_files, rc = 0;
    char flag[600];
    for (int k = 0; k < n && !rc; k++) {
        snprintf(flag, sizeof flag, "--factors %s=%s", o->factors[k].name, o->factors[k].file);
        rc = read_table(o, o->factors[k].file, flag, o->factors[k].percent, team, &table[k], e);
    }
    if (o->test_assets && !rc) {
        snprintf(flag, sizeof flag, "--test-assets %s", o->test_assets);
        rc = read_table(o, o->test_assets, flag, o->test_assets_percent, team, &table[n], e);
        if (!rc && o->themes) rc = factor_table_themes(&table[n], o->test_assets, e);
    }
    if (!rc && !m->T) dates_of_tables(n ? table : &table[n], n ? n : 1, m);
    if (!rc) {
        m->benchmark = memory_array(struct benchmark, n, "benchmarks");
        for (int k = 0; k < n; k++)
            m->benchmark[m->benchmarks++] = (struct benchmark){memory_text(o->factors[k].name), table[k].k,
                                                               names_of(&table[k]), align(&table[k], m, o->factors[k].file)};
        if (o->test_assets) {
            m->M = table[n].k;
            m->test_asset_names = names_of(&table[n]);
            m->test_assets = align(&table[n], m, o->test_assets);
        }
    }
    for (int k = 0; k <= n; k++) factor_table_free(&table[k]);
    return rc;
}

int ingest(const struct ingest_options *o, struct team *team, struct error *e)
{
    struct stocks s = {0};
    struct stock_panel p = {0};
    struct panel_meta m = {.periods_per_year = 12};
    char size[32];
    int rc = o->stocks ? ingest_stocks(o, team, &m, &s, &p, e) : 0;
    if (!rc) rc = ingest_factors(o, team, &m, e);
    if (!rc) rc = write_panel(o, team, o->stocks ? &p : NULL, &m, e);
    if (!rc)
        log_info("%s: %d periods, %lld rows, %d characteristics, %d benchmarks, %d test assets (%s)", o->output, m.T,
                 (long long)m.rows, m.D, m.benchmarks, m.M, format_bytes(panel_row_bytes(&m), size));
    stock_panel_free(&p);
    stocks_free(&s);
    panel_meta_free(&m);
    return rc;
}
