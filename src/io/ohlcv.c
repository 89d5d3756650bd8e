#include "io/ohlcv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/hdf.h"
#include "io/ohlcv_panel.h"

static void fill_meta(const struct ohlcv *x, struct panel_meta *m)
{
    const struct ohlcv_options *o = x->o;
    char name[FREQUENCY_NAME];
    struct frequency f = x->frequency;
    double per_year = frequency_per_year(f, x->weekends) / o->horizon;
    f.count *= o->horizon;
    m->frequency = memory_text(frequency_name(f, name));
    m->periods_per_year = o->periods_per_year > 0 ? o->periods_per_year : per_year;
    for (int k = 0; k < x->K; k++) m->T += x->kept[k] > 0;
    m->dates = memory_array(int64_t, m->T, "panel dates");
    m->offsets = memory_array(int64_t, m->T + 1, "panel offsets");
    int empty = 0, last = -1;
    for (int k = 0, t = 0; k < x->K; k++) {
        if (!x->kept[k]) continue;
        m->dates[t] = ohlcv_date(x, x->time[(int64_t)k * o->horizon]);
        m->offsets[t + 1] = m->offsets[t] + x->kept[k];
        t++;
        if (last >= 0) empty += k - last - 1;
        last = k;
    }
    m->rows = m->offsets[m->T];
    if (empty)
        log_warn("%d formation dates between the first and the last have no row: the panel goes on without them", empty);
    m->D = x->D;
    m->characteristic_names = memory_array(char *, m->D, "names of characteristics");
    for (int d = 0; d < m->D; d++) m->characteristic_names[d] = memory_text(ohlcv_feature_name[x->feature[d]]);
    m->assets = x->A;
    m->asset_name_ids = memory_array(int64_t, x->A, "identifiers");
    m->asset_names = memory_array(char *, x->A, "names of assets");
    for (int k = 0; k < x->A; k++) {
        m->asset_name_ids[k] = k + 1;
        m->asset_names[x->source[k].asset] = memory_text(x->source[k].name);
    }
}

static int write_panel(struct ohlcv *x, const struct panel_meta *m, struct error *e)
{
    const struct ohlcv_options *o = x->o;
    char text[600], standard[64], dates[80] = "";
    if (o->history) snprintf(standard, sizeof standard, "history of %d", o->history);
    else snprintf(standard, sizeof standard, "ranks");
    if (o->from || o->to) snprintf(dates, sizeof dates, " from=%lld to=%lld", (long long)o->from, (long long)o->to);
    snprintf(text, sizeof text,
             "ohlcv of %d assets, horizon=%d, risk_free=%g a year, standardise=%s%s; %d dates, %d formation dates", x->A,
             o->horizon, o->risk_free, standard, dates, x->C, x->K);
    struct panel_writer *w = panel_write_begin(o->output, x->team, m, e);
    if (!w) return -1;
    ohlcv_write_rows(x, m, w, e);
    if (!team_agree(x->team, e)) panel_write_text(w, "ingest", text, e);
    if (!error_is_set(e)) ohlcv_audit_write(x, w, e);
    return panel_write_end(w, e);
}

static void tell(const struct ohlcv *x)
{
    char name[FREQUENCY_NAME], from[32], to[32];
    snprintf(from, sizeof from, "%lld", (long long)ohlcv_date(x, x->time[0]));
    snprintf(to, sizeof to, "%lld", (long long)ohlcv_date(x, x->time[x->C - 1]));
    log_info("%d files: %s prices, weekends %s, %d dates from %s to %s", x->A, frequency_name(x->frequency, name),
             x->weekends ? "traded" : "not traded", x->C, from, to);
    if (x->irregular)
        log_warn("%d times more than one period passes from one date to the next in all files at once; returns over them "
                 "are longer",
                 x->irregular);
    if (x->o->risk_free == 0)
        log_info("returns are simple returns of adjusted close; no risk-free rate is subtracted (--risk-free)");
}

static void ohlcv_free(struct ohlcv *x)
{
    for (int k = 0; k < x->assets; k++) {
        struct ohlcv_asset *a = &x->asset[k];
        ohlcv_file_free(&a->file);
        memory_free(a->place);
        memory_free(a->state);
        memory_free(a->close);
        memory_free(a->ret);
        memory_free(a->feature);
        memory_free(a->standard);
    }
    for (int k = 0; k < x->A && x->source; k++) memory_free(x->source[k].symbol), memory_free(x->source[k].path);
    memory_free(x->asset);
    memory_free(x->source);
    memory_free(x->audit);
    memory_free(x->time);
    memory_free(x->cross);
    memory_free(x->kept);
    for (int g = 0; g < PANEL_MOST_GROUPS; g++) memory_free(x->label[g]);
}

int ohlcv_ingest(const struct ohlcv_options *o, struct team *team, struct error *e)
{
    struct ohlcv x = {.o = o, .team = team};
    struct panel_meta m = {0};
    char size[32];
    double start = clock_seconds();
    int rc = ohlcv_choose(&x, e) || ohlcv_load(&x, e) ? -1 : 0;
    if (!rc) {
        ohlcv_prepare(&x);
        tell(&x);
        ohlcv_audit_print(&x);
        fill_meta(&x, &m);
        if (!m.rows) rc = error_set(e, "%s: no row is left (the table says where they went)", o->output);
    }
    if (!rc) rc = ohlcv_groups(&x, &m, e);
    if (!rc) rc = write_panel(&x, &m, e);
    if (!rc)
        log_info("%s: %d periods (%s, %.10g a year), %lld rows of %d assets, %d characteristics (%s) in %.1f s", o->output,
                 m.T, m.frequency, m.periods_per_year, (long long)m.rows, m.assets, m.D,
                 format_bytes(panel_row_bytes(&m), size), clock_seconds() - start);
    ohlcv_free(&x);
    panel_meta_free(&m);
    return rc;
}
