/* Wealth, drawdowns, rolling Sharpe ratios, intervals and heat maps of a study, and the order of all figures. */
#include "figures.h"

#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/memory.h"
#include "figures_models.h"
#include "measure/series.h"
#include "measure/trading.h"

void figure_time_axis(FILE *script, const struct sample *s)
{
    int64_t day = s->r->dates[0] < 100000000 ? 1 : 10000;
    int64_t span = s->r->dates[s->first + s->n - 1] / day - s->r->dates[s->first] / day; /* about 10,000 a year */
    bool years = span >= 40000;
    fprintf(script, "set xdata time\nset timefmt '%%Y%%m%%d%%H%%M'\nset format x '%s'\n",
            years           ? "%Y"
            : span >= 10000 ? "%Y-%m"
                            : "%Y-%m-%d");
    if (!years) fputs("set xtics rotate by 45 right\n", script);
    fputs("set xtics autofreq\n"
          "if (phone) { set xtics rotate by 45 right }\nset xlabel 'formation date'\n",
          script);
}

void figure_date(FILE *data, int64_t date)
{
    fprintf(data, "%lld", (long long)(date < 100000000 ? date * 10000 : date));
}

/* A line per model over the sample's rows: fill turns the model's scaled returns (n of them, finite) into what is drawn. */
static int lines_over_time(struct figures *f, struct sample *s, const char *universe, const char *name, const char *title,
                           const char *caption, const char *y_label, bool with_truth,
                           void (*fill)(const struct sample *, int, const double *, double *), struct error *e)
{
    const struct results *r = s->r;
    int *member = memory_array(int, r->models, "models"), k = sample_members(s, universe, member);
    int all = k + (with_truth && r->truth && !strcmp(universe, "all"));
    double *drawn = memory_array(double, (size_t)all *(size_t)s->n + (size_t)s->n, "lines"),
           *out = drawn + (size_t)all * (size_t)s->n;
    const char **line = memory_array(const char *, all, "lines");
    if (figure_begin(f, name, title, caption, 7.6, k > 12 ? 4.6 : 4.0, 300 + 20 * all, e)) goto done;
    fputs("date", f->data);
    for (int i = 0; i < all; i++) {
        const double *returns = i < k ? r->model[member[i]].returns : r->truth;
        int n = sample_take(s, returns, 1);
        double scale = volatility_scale(n, s->series, r->periods_per_year);
        for (int p = 0; p < n; p++) s->series[p] *= scale;
        fill(s, n, s->series, out);
        for (int p = 0; p < s->n; p++) drawn[i * s->n + p] = NAN;
        for (int p = 0; p < n; p++) drawn[i * s->n + s->index[p] - s->first] = out[p];
        line[i] = i < k ? r->model[member[i]].name : "truth";
        fputc('\t', f->data);
        escape_gnuplot_field(f->data, line[i]);
    }
    fputc('\n', f->data);
    for (int p = 0; p < s->n; p++) {
        figure_date(f->data, r->dates[s->first + p]);
        for (int i = 0; i < all; i++) figure_number(f->data, drawn[i * s->n + p]);
        fputc('\n', f->data);
    }
    figure_time_axis(f->script, s);
    figure_names(f->script, "line", all, line);
    fputs("set ylabel ", f->script);
    escape_gnuplot(f->script, y_label);
    fprintf(f->script,
            "\nset xzeroaxis lc rgb '#888888' lw 0.6\nplot for [i=2:%d] data using 1:i skip 1 with lines lt i-1 title "
            "line[i-1]",
            k + 1);
    if (all > k)
        fprintf(f->script, ", data using 1:%d skip 1 with lines lc rgb '#000000' lw 1.4 dt 2 title line[%d]", all + 1, all);
    fputc('\n', f->script);
    figure_end(f, e);
done:
    memory_free_all(member, line, drawn);
    return error_is_set(e) ? -1 : 0;
}

static void cumulate(const struct sample *s, int n, const double *x, double *out)
{
    (void)s;
    double level = 0;
    for (int i = 0; i < n; i++) out[i] = level += 100 * x[i];
}

static void draw_down(const struct sample *s, int n, const double *x, double *out)
{
    (void)s;
    drawdown_path(n, x, out);
    for (int i = 0; i < n; i++) out[i] *= 100;
}

static void roll_sharpe(const struct sample *s, int n, const double *x, double *out)
{
    int window = (int)fmax(2, round(3 * s->r->periods_per_year));
    for (int i = 0; i < n; i++)
        out[i] = i + 1 < window ? NAN : sharpe_ratio(window, x + i + 1 - window, s->r->periods_per_year);
}

/* Correlations as a heat map with its numbers. */
static int heat_map(struct figures *f, struct sample *s, const struct table *c, const char *universe, const char *name,
                    const char *title, struct error *e)
{
    int *member = memory_array(int, s->r->models, "models"), k = sample_members(s, universe, member);
    double size = 2.6 + 0.55 * k;
    int with = table_find(c, "with"), value = table_find(c, "correlation");
    if (k >= 2 && !figure_begin(f, name, title,
                                "Pairwise correlations of the models' out-of-sample returns, each pair on its common dates.",
                                size + 0.8, size, 380, e)) {
        f->figure[f->n].map = true;
        fputs("x\ty\tcorrelation\tmodel\twith\n", f->data);
        for (int row = 0; row < c->rows; row++) {
            if (strcmp(table_at(c, row, 0)->text, universe)) continue;
            int a = -1, b = -1;
            for (int i = 0; i < k; i++) {
                if (!strcmp(s->r->model[member[i]].name, table_at(c, row, 1)->text)) a = i;
                if (!strcmp(s->r->model[member[i]].name, table_at(c, row, with)->text)) b = i;
            }
            fprintf(f->data, "%d\t%d", b, a);
            figure_number(f->data, table_at(c, row, value)->number);
            fputc('\t', f->data);
            escape_gnuplot_field(f->data, s->r->model[member[a]].name);
            fputc('\t', f->data);
            escape_gnuplot_field(f->data, s->r->model[member[b]].name);
            fputc('\n', f->data);
        }
        fprintf(f->script,
                "unset key\nset border 0\nunset grid\nset yrange [%g:-0.5] noextend\nset xrange [-0.5:%g] noextend\n"
                "set palette defined (-1 '#2166ac', -0.5 '#92c5de', 0 '#f7f7f7', 0.5 '#f4a582', 1 '#b2182b')\nset cbrange "
                "[-1:1]\n"
                "set cblabel 'correlation'\nif (phone) { unset colorbox }\nset xtics scale 0 rotate by 45 right\nset ytics "
                "scale 0\nset xtics (",
                k - 0.5, k - 0.5);
        for (int form = 0; form < 4; form++) { /* screens: names on both axes; phones: numbered below, names beside */
            fputs(form == 0   ? ""
                  : form == 1 ? ")\nset ytics ("
                  : form == 2 ? ")\nif (phone) { set xtics norotate center ("
                              : "); set ytics (",
                  f->script);
            for (int i = 0; i < k; i++) {
                char label[160];
                if (form == 2) snprintf(label, sizeof label, "%d", i + 1);
                else snprintf(label, sizeof label, form == 3 ? "%.120s %d" : "%.120s", s->r->model[member[i]].name, i + 1);
                fputs(i ? ", " : "", f->script);
                escape_gnuplot_tic(f->script, label);
                fprintf(f->script, " %d", i);
            }
        }
        fprintf(f->script,
                ") }\nfigures = phone && %d > 5 ? 0 : 1\nplot data using 1:2:3 with image pixels, for [dark=0:figures] '' "
                "using 1:2:(figures && (abs($3) > 0.7) == dark ? sprintf('%%.2f', $3) : '') with labels font ',%d' tc rgb "
                "(dark ? '#ffffff' : '#000000')\n",
                k, k > 8 ? 9 : 12);
        figure_end(f, e);
    }
    memory_free(member);
    return error_is_set(e) ? -1 : 0;
}

/* A dot and its 95% interval for every model: Sharpe on the left, HJD on the right. */
static int intervals(struct figures *f, const struct table *u, const char *universe, const char *name, const char *title,
                     struct error *e)
{
    int rows = 0;
    for (int r = 0; r < u->rows; r++) rows += !strcmp(table_at(u, r, 0)->text, universe);
    double tall = 1.3 + 0.28 * rows;
    const char **label = memory_array(const char *, rows, "labels");
    if (figure_begin(f, name, title, "Dots: estimates over the sample. Bars: 95% block-bootstrap intervals.", 7.6,
                     tall < 2.4 ? 2.4 : tall, 220 + 60 * rows, e)) {
        memory_free(label);
        return -1;
    }
    static const char *const column[] = {"sharpe", "sharpe_low", "sharpe_high", "hjd", "hjd_low", "hjd_high"};
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    fputs("place\tmodel", f->data);
    for (int c = 0; c < 6; c++) fprintf(f->data, "\t%s", column[c]);
    fputc('\n', f->data);
    for (int r = 0, place = 0; r < u->rows; r++) {
        if (strcmp(table_at(u, r, 0)->text, universe)) continue;
        label[place] = table_at(u, r, 1)->text;
        fprintf(f->data, "%d\t", place);
        escape_gnuplot_field(f->data, label[place++]);
        for (int c = 0; c < 6; c++) {
            double x = table_at(u, r, table_find(u, column[c]))->number;
            figure_number(f->data, x);
            low[c / 3] = fmin(low[c / 3], x), high[c / 3] = fmax(high[c / 3], x);
        }
        fputc('\n', f->data);
    }
    fprintf(f->script,
            "unset key\nunset grid\nset grid xtics lc rgb '#bbbbbb' lw 0.5\nset yrange [%g:-0.5]\nset ytics scale 0 ",
            rows - 0.5);
    figure_tics(f->script, rows, label);
    fputs("\nif (phone) { set multiplot layout 2,1 } else { set multiplot layout 1,2 }\n", f->script);
    memory_free(label);
    for (int panel = 0; panel < 2; panel++) {
        fputs(panel ? "set xlabel 'HJD'\n" : "set xlabel 'Sharpe ratio, a year'\n", f->script);
        if (high[panel] > low[panel]) fprintf(f->script, "set xtics %g\n", figure_step(low[panel], high[panel]));
        if (low[panel] <= high[panel])
            fprintf(f->script, "plot data using %d:1:%d:%d skip 1 with xerrorbars lt %d pt 7 ps 0.8\n", 3 * panel + 3,
                    3 * panel + 4, 3 * panel + 5, panel + 1);
        else figure_nothing(f->script, panel ? "no HJD in this sample" : "no Sharpe ratio in this sample");
    }
    return figure_end(f, e);
}

/* Sharpe and HJD of every model by universe, with error bars (the paper's Figures 4, 7 and 8). */
static int size_groups(struct figures *f, struct sample *s, const struct table *u, const char *const *universe,
                       int universes, struct error *e)
{
    if (universes < 2) return 0;
    const char *models[32];
    int k = 0;
    for (int i = 0; i < s->r->models && k < 32; i++) {
        int j = 0;
        while (j < k && strcmp(models[j], s->r->model[i].name)) j++;
        if (j == k) models[k++] = s->r->model[i].name;
    }
    if (figure_begin(f, "size-groups", "Performance by size group",
                     "Models re-estimated within each size group. Bars: 95% block-bootstrap intervals.", 7.6, 6.2,
                     560 + 40 * k, e))
        return -1;
    bool any = false; /* HJD */
    fputs("place\tuniverse\tmodel\tsharpe\tlow\thigh\thjd\tlow\thigh\n", f->data);
    for (int m = 0; m < k; m++) { /* a block per model: gnuplot's index */
        for (int g = 0; g < universes; g++) {
            int row = 0;
            while (row < u->rows &&
                   (strcmp(table_at(u, row, 0)->text, universe[g]) || strcmp(table_at(u, row, 1)->text, models[m])))
                row++;
            fprintf(f->data, "%g\t", g + 0.7 * (m + 0.5) / k - 0.35);
            escape_gnuplot_field(f->data, universe[g]);
            fputc('\t', f->data);
            escape_gnuplot_field(f->data, models[m]);
            static const char *const column[] = {"sharpe", "sharpe_low", "sharpe_high", "hjd", "hjd_low", "hjd_high"};
            for (int c = 0; c < 6; c++) {
                double x = row < u->rows ? table_at(u, row, table_find(u, column[c]))->number : NAN;
                figure_number(f->data, x);
                any |= c == 3 && isfinite(x);
            }
            fputc('\n', f->data);
        }
        fputs("\n\n", f->data);
    }
    fputs("set xtics scale 0 ", f->script);
    figure_tics(f->script, universes, universe);
    fprintf(f->script, "\nset xrange [-0.5:%g]\n", universes - 0.5);
    figure_names(f->script, "models", k, models);
    fprintf(
        f->script,
        "set multiplot layout 2,1\nset ylabel 'Sharpe ratio, a year'\n"
        "plot for [m=1:%d] data index m-1 using 1:4:5:6 skip (m == 1 ? 1 : 0) with yerrorbars lt m pt 7 title models[m]\n"
        "set ylabel 'HJD'\nset xlabel 'size group'\n",
        k);
    if (any)
        fprintf(f->script,
                "plot for [m=1:%d] data index m-1 using 1:7:8:9 skip (m == 1 ? 1 : 0) with yerrorbars lt m pt 7 title "
                "models[m]\n",
                k);
    else figure_nothing(f->script, "no HJD in this sample");
    return figure_end(f, e);
}

int figures_build(struct figures *f, struct sample *s, const struct tables *t, const struct table *uncertainty,
                  struct error *e)
{
    const char **universe = memory_array(const char *, s->r->models, "universes");
    int universes = sample_universes(s->r, universe);
    for (int u = 0; u < universes && f->n + 5 < FIGURES && !error_is_set(e); u++) {
        char name[96], title[160];
        const char *on = universes > 1 ? universe[u] : "", *dash = universes > 1 ? "-" : "",
                   *comma = universes > 1 ? ", " : "";
        int *member = memory_array(int, s->r->models, "models"), k = sample_members(s, universe[u], member);
        memory_free(member);
        if (!k) continue;
#define NAMED(n, text)                                                                                                      \
    (snprintf(name, sizeof name, n "%s%.40s", dash, on), snprintf(title, sizeof title, text "%s%.40s", comma, on))
        NAMED("performance", "Sharpe ratios and pricing errors");
        intervals(f, uncertainty, universe[u], name, title, e);
        NAMED("cumulative", "Cumulative returns");
        lines_over_time(
            f, s, universe[u], name, title,
            "Cumulated sum of out-of-sample returns, every series scaled to 15% volatility a year over the sample.",
            "cumulated return, %", true, cumulate, e);
        NAMED("drawdown", "Drawdowns");
        lines_over_time(f, s, universe[u], name, title,
                        "Fall of the cumulated sum from its highest point so far, at 15% volatility a year.", "drawdown, %",
                        false, draw_down, e);
        NAMED("rolling-sharpe", "Rolling Sharpe ratio");
        if (s->n > 3 * s->r->periods_per_year)
            lines_over_time(f, s, universe[u], name, title,
                            "Sharpe ratio of the three years that end at each date; its standard error is about 0.6.",
                            "Sharpe ratio, a year", false, roll_sharpe, e);
        NAMED("correlations", "Correlations");
        heat_map(f, s, t->table[TABLES_CORRELATIONS], universe[u], name, title, e);
#undef NAMED
    }
    size_groups(f, s, uncertainty, universe, universes, e);
    figures_models(f, s, t, e);
    memory_free(universe);
    return error_is_set(e) ? -1 : 0;
}
