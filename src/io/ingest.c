#include "io/ingest.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
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

int ingest(const struct ingest_options *o, struct team *team, struct error *e)
{
    struct stocks s = {0};
    struct stock_panel p = {0};
    struct panel_meta m = {.periods_per_year = 12};
    char size[32];
    int rc = o->stocks ? ingest_stocks(o, team, &m, &s, &p, e) : 0;
    if (!rc) rc = write_panel(o, team, o->stocks ? &p : NULL, &m, e);
    if (!rc)
        log_info("%s: %d periods, %lld rows, %d characteristics, %d benchmarks, %d test assets (%s)", o->output, m.T,
                 (long long)m.rows, m.D, m.benchmarks, m.M, format_bytes(panel_row_bytes(&m), size));
    stock_panel_free(&p);
    stocks_free(&s);
    panel_meta_free(&m);
    return rc;
}
