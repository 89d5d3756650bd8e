/* Figures of heads, selected ridges, training losses, and of models that differ in one swept option. */
#include "figures_models.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/number.h"

static void name_and_title(const struct result_model *m, const char *what, const char *words, char name[96], char title[200])
{
    snprintf(name, 96, "%s-%.30s-%.40s", what, m->universe, m->name);
    snprintf(title, 200, "%s: %.60s, %.40s", words, m->name, m->universe);
}

/* Sharpe and HJD against the number of heads, a line per ridge (the paper's Figure 5). */
static int heads(struct figures *f, const struct result_model *m, const struct table *t, struct error *e)
{
    char name[96], title[200];
    const double *penalty = results_values(m, "ridge"), *count = results_values(m, "heads");
    int nh = results_size(m, "head");
    name_and_title(m, "heads", "Heads and ridge", name, title);
    if (figure_begin(f, name, title,
                     "Out-of-sample Sharpe ratio and pricing error by number of attention heads. Thick line: the ridge "
                     "selected in every window; thin: "
                     "one ridge throughout, from small (violet) to large (green).",
                     7.6, 3.6, 620, e))
        return -1;
    fputs("heads\tridge\tsharpe\thjd\n", f->data);
    int ridge = table_find(t, "ridge"), blocks = 0;
    bool any[2] = {false, false};
    double last = INFINITY;
    for (int r = 0; r < t->rows; r++) {
        if (strcmp(table_at(t, r, 0)->text, m->universe) || strcmp(table_at(t, r, 1)->text, m->name)) continue;
        double z = table_at(t, r, ridge)->number;
        if (!(z == last || (isnan(z) && isnan(last))) && last != INFINITY) fputs("\n\n", f->data), blocks++;
        last = z;
        fprintf(f->data, "%g", table_at(t, r, ridge + 1)->number);
        figure_number(f->data, z);
        for (int c = 0; c < 2; c++) {
            double x = table_at(t, r, ridge + 2 + c)->number;
            figure_number(f->data, x);
            any[c] |= isfinite(x);
        }
        fputc('\n', f->data);
    }
    fprintf(f->script,
            "set palette defined (0 '#440154', 0.3 '#3b528b', 0.6 '#21918c', 1 '#6ccd5a')\nset cbrange [%g:%g]\nunset "
            "colorbox\nunset key\nset xlabel 'heads'\nset logscale x 2\nset xrange [%g:%g]\nset xtics (",
            log10(penalty[0]), log10(penalty[results_size(m, "ridge") - 1]), 0.9 * count[0], 1.1 * count[nh - 1]);
    int labelled = 0;
    for (int h = 0; h < nh; h++) { /* no label where the next, or the last, would overlap it */
        bool room = h == nh - 1 || (count[h + 1] >= 1.2 * count[h] && count[nh - 1] >= 1.35 * count[h]);
        if (room) fprintf(f->script, "%s%g", labelled++ ? ", " : "", count[h]);
    }
    fputs(")\nif (phone) { set multiplot layout 2,1 } else { set multiplot layout 1,2 }\n", f->script);
    static const char *const label[] = {"Sharpe ratio, a year", "HJD"};
    for (int panel = 0; panel < 2; panel++) {
        fprintf(f->script, "set ylabel '%s'\n", label[panel]);
        if (!any[panel]) {
            figure_nothing(f->script, "none in this sample");
            continue;
        }
        fprintf(f->script,
                "plot for [i=1:%d] data index i using 1:%d:(log10($2)) with lines lw 1.5 dt 1 lc palette, "
                "data index 0 using 1:%d skip 1 with linespoints lw 3 dt 1 pt 7 lc rgb '#000000'\n",
                blocks, 3 + panel, 3 + panel);
    }
    return figure_end(f, e);
}

/* log10 of the selected ridge at every date; choices at the grid's ends stand out. */
static int selected_ridge(struct figures *f, const struct sample *s, const struct result_model *m, struct error *e)
{
    char name[96], title[200];
    const double *selected = results_values(m, "selected_ridge"), *ridge = results_values(m, "ridge");
    double first = ridge[0], last = ridge[results_size(m, "ridge") - 1];
    name_and_title(m, "ridge", "Selected ridge", name, title);
    if (figure_begin(f, name, title,
                     "The penalty that leave-one-out selected in each window. Crosses: an end of the grid was chosen; a "
                     "wider grid might choose beyond it.",
                     7.6, 3.0, 300, e))
        return -1;
    fputs("date\tlog10_ridge\tat_an_end\n", f->data);
    for (int p = s->first; p < s->first + s->n; p++) {
        double z = selected[p];
        bool edge = z == first || z == last;
        figure_date(f->data, s->r->dates[p]);
        figure_number(f->data, log10(z));
        figure_number(f->data, edge ? log10(z) : NAN);
        fputc('\n', f->data);
    }
    figure_time_axis(f->script, s);
    fprintf(f->script,
            "set key bottom center outside horizontal\nset ylabel 'log10 of the ridge'\nset yrange [%g:%g]\n"
            "plot data using 1:2 skip 1 with points pt 7 ps 0.4 lc rgb '#0072B2' title 'selected', data using 1:3 skip 1 "
            "with points pt 2 ps 0.8 lw 1.5 lc rgb '#D55E00' title 'at an end of the grid'\n",
            log10(first) - 0.5, log10(last) + 0.5);
    return figure_end(f, e);
}

/* Mean training loss by epoch over windows, with the spread of seeds. */
static int training_loss(struct figures *f, const struct sample *s, const struct result_model *m, struct error *e)
{
    char name[96], title[200];
    const double *loss = results_values(m, "training_loss");
    int S = results_size(m, "seed"), E = results_size(m, "epoch");
    name_and_title(m, "training", "Training loss", name, title);
    if (figure_begin(f, name, title, "Loss by epoch, mean over windows. Band: from the lowest to the highest seed.", 7.6,
                     3.2, 320, e))
        return -1;
    fputs("epoch\tmean\tlow\thigh\n", f->data);
    for (int epoch = 0; epoch < E; epoch++) {
        double low = INFINITY, high = -INFINITY, sum = 0;
        int seeds = 0;
        for (int seed = 0; seed < S; seed++) {
            double mean = 0;
            int n = 0;
            for (int p = s->first; p < s->first + s->n; p++) {
                double x = loss[((size_t)p * (size_t)S + (size_t)seed) * (size_t)E + (size_t)epoch];
                if (isfinite(x)) mean += x, n++;
            }
            if (!n) continue;
            mean /= n;
            low = fmin(low, mean), high = fmax(high, mean), sum += mean, seeds++;
        }
        fprintf(f->data, "%d", epoch + 1);
        figure_number(f->data, seeds ? sum / seeds : NAN);
        figure_number(f->data, low);
        figure_number(f->data, high);
        fputc('\n', f->data);
    }
    fprintf(f->script, "set xtics %g\n", fmax(1, figure_step(1, E)));
    fputs("unset key\nset xlabel 'epoch'\nset ylabel 'mean loss'\nset yrange [*:*]\n"
          "plot data using 1:3:4 skip 1 with filledcurves fc rgb '#9ecae1' fs solid 0.6 noborder, data using 1:2 skip 1 "
          "with linespoints lt 1 pt 7\n",
          f->script);
    return figure_end(f, e);
}

/* A swept model "NAME.key=value": its stem up to '=', and the value if it is a number. */
static bool swept(const char *name, char stem[128], double *value)
{
    const char *equals = strrchr(name, '=');
    if (!equals || (size_t)(equals - name) >= 128) return false;
    snprintf(stem, 128, "%.*s", (int)(equals - name), name);
    return number_real(equals + 1, -DBL_MAX, DBL_MAX, value);
}

/* Sharpe and HJD against a swept option, such as the number of blocks (Figure 6). */
static int sweep(struct figures *f, const struct result_model *first, const char *stem, const struct results *r,
                 const struct table *p, struct error *e)
{
    char name[96], title[200], other[128];
    const char *key = strrchr(stem, '.');
    key = key ? key + 1 : stem;
    snprintf(name, sizeof name, "sweep-%.30s-%.50s", first->universe, stem);
    snprintf(title, sizeof title, "%.60s by %.40s, %.40s", first->kind, key, first->universe);
    if (figure_begin(f, name, title, "Out-of-sample performance over the values of a sweep. Bars: one standard error.", 7.6,
                     3.2, 560, e))
        return -1;
    bool any = false; /* HJD */
    double places[12];
    int values = 0;
    fputs("value\tsharpe\tse\thjd\n", f->data);
    for (int i = 0; i < r->models; i++) {
        double value;
        if (strcmp(r->model[i].universe, first->universe) || !swept(r->model[i].name, other, &value) || strcmp(other, stem))
            continue;
        fprintf(f->data, "%g", value);
        if (values < 12) places[values] = value;
        values++;
        for (int c = 0; c < 3; c++) {
            double x = table_at(p, i, table_find(p, (const char *[]){"sharpe", "sharpe_se", "hjd"}[c]))->number;
            figure_number(f->data, x);
            any |= c == 2 && isfinite(x);
        }
        fputc('\n', f->data);
    }
    fputs("unset key\nset offsets graph 0.05, graph 0.05, 0, 0\nset xlabel ", f->script);
    escape_gnuplot(f->script, key);
    for (int i = 0; i < values && values <= 6; i++)
        fprintf(f->script, "%s%g%s", i ? ", " : "\nset xtics (", places[i], i + 1 < values ? "" : ")");
    fputs("\nif (phone) { set multiplot layout 2,1 } else { set multiplot layout 1,2 }\nset ylabel 'Sharpe ratio, a "
          "year'\nplot data using 1:2:3 skip 1 with yerrorlines lt 1 pt 7\n"
          "set ylabel 'HJD'\n",
          f->script);
    if (any) fputs("plot data using 1:4 skip 1 with linespoints lt 2 pt 7\n", f->script);
    else figure_nothing(f->script, "no HJD in this sample");
    return figure_end(f, e);
}

int figures_models(struct figures *f, struct sample *s, const struct tables *t, struct error *e)
{
    const struct results *r = s->r;
    if (f->n + 4 * r->models > FIGURES) log_warn("%d models: figures of what is inside them stop at %d", r->models, FIGURES);
    for (int i = 0; i < r->models && f->n + 4 <= FIGURES && !error_is_set(e); i++) {
        const struct result_model *m = &r->model[i];
        char stem[128], other[128];
        double value;
        if (sample_take(s, m->returns, 1) == 0) continue;
        bool grid = results_values(m, "ridge") && results_size(m, "ridge") > 0;
        if (grid && results_values(m, "returns_by_heads") && results_values(m, "heads") && results_size(m, "head") > 1)
            heads(f, m, t->table[TABLES_HEADS], e);
        if (grid && results_values(m, "selected_ridge") && results_size(m, "ridge") > 1) selected_ridge(f, s, m, e);
        if (results_values(m, "training_loss") && results_size(m, "epoch") > 1) training_loss(f, s, m, e);
        if (!swept(m->name, stem, &value)) continue;
        int before = 0, all = 0;
        for (int j = 0; j < r->models; j++)
            if (!strcmp(r->model[j].universe, m->universe) && swept(r->model[j].name, other, &value) && !strcmp(other, stem))
                all++, before += j < i;
        if (all > 1 && before == 0) sweep(f, m, stem, r, t->table[TABLES_PERFORMANCE], e);
    }
    return error_is_set(e) ? -1 : 0;
}
