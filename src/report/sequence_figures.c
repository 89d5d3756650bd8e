/* Heat maps and lines of what sequence models attended to. */
#include <math.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/memory.h"
#include "figures_models.h"
#include "sequence.h"

enum { SHOWN = 40, LABELLED = 40, PANELS = 16 };

/* n rows and columns of m [A, A], one or several matrices side by side; place [n]: which assets. */
struct heat {
    int n, A, panels;
    const int *place;
    char *const *label; /* [A] */
    const double *m;    /* [panels, A, A] */
    const char *rows, *columns;
};

static void heat_labels(FILE *script, const char *axis, const struct heat *x)
{
    fprintf(script, "set %s scale 0 (", axis);
    for (int k = 0; k < x->n && x->n <= LABELLED; k++) {
        fputs(k ? ", " : "", script);
        escape_gnuplot_tic(script, x->label[x->place[k]]);
        fprintf(script, " %d", k);
    }
    fputs(")\n", script);
}

static double heat_data(FILE *data, const struct heat *x)
{
    double most = 0;
    fputs("# column\trow\tweight\tsource\tasset: a block per panel\n", data);
    for (int p = 0; p < x->panels; p++) {
        const double *m = x->m + (size_t)p * (size_t)x->A * (size_t)x->A;
        for (int i = 0; i < x->n; i++)
            for (int j = 0; j < x->n; j++) {
                double w = m[(size_t)x->place[i] * (size_t)x->A + (size_t)x->place[j]];
                most = fmax(most, w);
                fprintf(data, "%d\t%d", j, i);
                figure_number(data, w);
                fputc('\t', data);
                escape_gnuplot_field(data, x->label[x->place[j]]);
                fputc('\t', data);
                escape_gnuplot_field(data, x->label[x->place[i]]);
                fputc('\n', data);
            }
        fputs("\n\n", data);
    }
    return most > 0 ? most : 1;
}

static int heat_map(struct figures *f, const char *name, const char *title, const char *caption, const struct heat *x,
                    struct error *e)
{
    int across = x->panels == 1 ? 1 : x->panels <= 4 ? 2 : x->panels <= 9 ? 3 : 4, down = (x->panels + across - 1) / across;
    double wide = across == 1 ? 6.8 : 3.4 * across, tall = across == 1 ? 5.8 : 3.1 * down;
    if (f->n == FIGURES || figure_begin(f, name, title, caption, wide, tall, across == 1 ? 430 : 240 * down, e)) return -1;
    f->figure[f->n].map = true;
    /* up to twice the even weight at least, so that even attention stands in mid-scale and does not look like a leader */
    double most = fmax(heat_data(f->data, x), 2. / x->n);
    fprintf(f->script,
            "unset key\nset border 0\nunset grid\nset xrange [-0.5:%g] noextend\nset yrange [%g:-0.5] noextend\n"
            "set palette defined (0 '#fff7e6', 0.25 '#fdcc8a', 0.5 '#fc8d59', 0.75 '#b2182b', 1 '#40004b')\nset cbrange "
            "[0:%.6g]\n"
            "set object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#bbbbbb' fs solid noborder\n",
            x->n - 0.5, x->n - 0.5, most);
    fputs("set xtics rotate by 90 right\nif (phone) { set xtics font ',8'; set ytics font ',8' }\n", f->script);
    if (x->panels > 1) fputs("set xtics font ',8'\nset ytics font ',8'\n", f->script);
    heat_labels(f->script, "xtics", x);
    heat_labels(f->script, "ytics", x);
    if (x->panels == 1)
        fprintf(f->script,
                "set xlabel '%s'\nset ylabel '%s'\nset cblabel 'weight'\n"
                "if (phone) { set colorbox horizontal user origin 0.25,0.96 size 0.65,0.02; set cbtics font ',10'; unset "
                "cblabel; "
                "set tmargin 5 }\nplot data using 1:2:3 with image pixels\n",
                x->columns, x->rows);
    else {
        fprintf(f->script, "if (phone) { unset colorbox }\nset multiplot layout %d,%d\n", down, across);
        for (int p = 0; p < x->panels; p++)
            fprintf(f->script, "set title 'head %d'\nplot data index %d using 1:2:3 with image pixels\n", p + 1, p);
    }
    return figure_end(f, e);
}

/* ---- a model's figures ---- */

static void name_of(const struct sequence_record *c, const char *what, char name[96])
{
    snprintf(name, 96, "attention-%s-%.30s-%.40s", what, c->model->universe, c->model->name);
}

static void title_of(const struct sequence_record *c, const char *what, char title[200])
{
    snprintf(title, 200, "%s: %.80s, %.40s", what, c->model->name, c->model->universe);
}

static void matrix_figures(struct figures *f, const struct sequence_record *c, struct error *e)
{
    char name[96], title[200], caption[400], shown[80] = "";
    struct heat x = {c->A < SHOWN ? c->A : SHOWN, c->A, 1, c->order, c->asset, c->mean, "asset that attends", "source"};
    if (x.n < c->A) snprintf(shown, sizeof shown, "The %d of %d assets of highest leader score. ", x.n, c->A);
    name_of(c, "map", name);
    title_of(c, "Whom assets attend to", title);
    snprintf(
        caption, sizeof caption,
        "%sRows: assets that attend. Columns: their sources, leaders on the left. Mean over dates, heads and seeds; an even "
        "weight is %.3f.",
        shown, 1.0 / c->A);
    heat_map(f, name, title, caption, &x, e);
    if (c->H > 1 && !error_is_set(e)) {
        x.panels = c->H < PANELS ? c->H : PANELS, x.m = c->head_mean;
        name_of(c, "heads", name);
        title_of(c, "Whom each head attends to", title);
        snprintf(caption, sizeof caption, "%sAs above, head by head.", shown);
        heat_map(f, name, title, caption, &x, e);
    }
    if (!c->map || error_is_set(e)) return;
    int64_t day = c->date < 100000000 ? c->date : c->date / 10000;
    x.panels = c->H < PANELS ? c->H : PANELS, x.m = c->map;
    name_of(c, "date", name);
    title_of(c, "Attention at a date", title);
    snprintf(caption, sizeof caption, "%sFormation date %04lld-%02lld-%02lld, %s, mean over seeds; grey: absent.", shown,
             (long long)(day / 10000), (long long)(day / 100 % 100), (long long)(day % 100),
             c->H > 1 ? "head by head" : "mean over heads");
    heat_map(f, name, title, caption, &x, e);
}

static void time_axis(FILE *script, const struct sequence_record *c)
{
    struct results r = {.dates = c->dates, .P = c->n};
    struct sample s = {.r = &r, .n = c->n};
    figure_time_axis(script, &s);
}

static void time_figure(struct figures *f, const struct sequence_record *c, struct error *e)
{
    char name[96], title[200];
    name_of(c, "time", name);
    title_of(c, "Concentration of attention", title);
    if (f->n == FIGURES ||
        figure_begin(
            f, name, title,
            "Concentration: an asset's largest weight, mean over assets. Entropy: 1 for even attention, 0 for all on "
            "one. Dashed: the thresholds of trending (0.4) and crisis_correlated (0.6).",
            7.6, 4.0, 320, e))
        return;
    fputs("date\tconcentration\tentropy\tstrongest source's share\n", f->data);
    for (int i = 0; i < c->n; i++) {
        figure_date(f->data, c->dates[i]);
        figure_number(f->data, c->at[i].concentration);
        figure_number(f->data, c->at[i].entropy);
        figure_number(f->data, c->at[i].share);
        fputc('\n', f->data);
    }
    time_axis(f->script, c);
    fputs("set yrange [0:1]\nset ylabel 'share'\nplot 0.4 with lines lc rgb '#888888' lw 0.8 dt 2 notitle, 0.6 with lines "
          "lc rgb "
          "'#888888' lw 0.8 dt 2 notitle, for [i=2:4] data using 1:i with lines lt i-1 title columnheader(i)\n",
          f->script);
    figure_end(f, e);
}

static void lag_figure(struct figures *f, const struct sequence_record *c, struct error *e)
{
    char name[96], title[200];
    size_t lags = (size_t)c->lags;
    double *mean = memory_array(double, 3 * lags, "lag weights");
    for (int i = 0; i < c->n; i++) means_add(lags, c->lag + (size_t)i * lags, mean + lags, mean + 2 * lags);
    means_take(lags, mean + lags, mean + 2 * lags, mean);
    name_of(c, "lags", name);
    title_of(c, "Weights of lags", title);
    if (f->n < FIGURES &&
        !figure_begin(f, name, title,
                      "Softmax-weighted lags of the sources' states in cross-asset attention, mean over seeds; "
                      "in brackets: mean over dates.",
                      7.6, 4.0, 300 + 20 * c->lags, e)) {
        fputs("date", f->data);
        for (int l = 0; l < c->lags; l++) fprintf(f->data, "\t\"lag %d (%.2f)\"", l, mean[l]);
        for (int i = 0; i < c->n; i++) {
            fputc('\n', f->data);
            figure_date(f->data, c->dates[i]);
            for (size_t l = 0; l < lags; l++) figure_number(f->data, c->lag[(size_t)i * lags + l]);
        }
        fputc('\n', f->data);
        time_axis(f->script, c);
        fprintf(f->script,
                "set yrange [0:]\nset ylabel 'weight'\nplot for [i=2:%d] data using 1:i with lines lt i-1 title "
                "columnheader(i)\n",
                c->lags + 1);
        figure_end(f, e);
    }
    memory_free(mean);
}

static void sector_figure(struct figures *f, const struct sequence_record *c, struct error *e)
{
    char name[96], title[200];
    int *place = memory_array(int, c->sectors, "sectors"), n = 0;
    for (int k = 0; k < c->sectors; k++) { /* those that ever had an asset */
        bool any = false;
        for (int j = 0; j < c->sectors; j++) any = any || isfinite(c->sector[k * c->sectors + j]);
        if (any && n < SHOWN) place[n++] = k;
    }
    struct heat x = {n, c->sectors, 1, place, c->sector_name, c->sector, "sector that attends", "source"};
    name_of(c, "sectors", name);
    title_of(c, "Attention between sectors", title);
    if (n) heat_map(f, name, title, "Rows: sectors that attend. Columns: their sources. Mean over dates and seeds.", &x, e);
    memory_free(place);
}

/* Whether a date has anything to draw: a line without a point stops gnuplot. */
static bool seen(const struct sequence_record *c)
{
    for (int i = 0; i < c->n && c->A; i++)
        if (c->at[i].assets) return true;
    return false;
}

int sequence_figures(struct sequence_report *q, struct error *e)
{
    struct figures *f = &q->figures;
    for (int r = 0; r < q->n && !error_is_set(e); r++) {
        const struct sequence_record *c = &q->record[r];
        q->first_figure[r] = f->n;
        if (seen(c)) matrix_figures(f, c, e);
        if (seen(c) && !error_is_set(e)) time_figure(f, c, e);
        if (c->lags && !error_is_set(e)) lag_figure(f, c, e);
        if (c->sectors && !error_is_set(e)) sector_figure(f, c, e);
    }
    q->first_figure[q->n] = f->n;
    return error_is_set(e) ? -1 : 0;
}
