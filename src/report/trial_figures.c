/* Figures of a trial: t values of placebos, Sharpe ratio under noise, the specification curve. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "trial_report.h"

/* One block of data per model, named, for gnuplot's `index`. */
static void block(FILE *out, const char *model)
{
    escape_gnuplot_field(out, model);
    fputc('\n', out);
}

static void plot_blocks(const struct trial_report *s, const char *first, const char *columns)
{
    fprintf(s->figures.script, "plot %s", first);
    for (int i = 0; i < s->t->models; i++)
        fprintf(s->figures.script, "%sdata index %d using %s lt %d title columnheader(1)", i || *first ? ", " : "", i,
                columns, i + 1);
    fputc('\n', s->figures.script);
}

static int placebo_figure(struct trial_report *s, struct error *e)
{
    const struct table *t = s->table[TRIAL_PLACEBO_RUNS];
    const char *kind = "";
    int kinds = 0;
    if (!t->rows) return 0;
    if (figure_begin(
            &s->figures, "placebos", "What the models find where there is nothing to find",
            "t of the mean return of every draw; the dashed lines are at 1.96. The table has the t values against the "
            "market beside them.",
            7.6, 4, 340, e))
        return -1;
    FILE *data = s->figures.data, *script = s->figures.script;
    for (int i = 0; i < s->t->models; i++) {
        block(data, s->facts[i].model);
        int place = 0;
        kind = "";
        for (int r = 0; r < t->rows; r++) {
            if (strcmp(table_at(t, r, 0)->text, s->facts[i].model)) continue;
            place += strcmp(kind, table_at(t, r, 1)->text) != 0;
            kind = table_at(t, r, 1)->text;
            fprintf(data, "%g", place + 0.6 * i / s->t->models);
            figure_number(data, table_at(t, r, 4)->number);
            fputc('\n', data);
        }
        fputs("\n\n", data);
        kinds = place;
    }
    static const char *const shown[] = {"returns", "signs", "periods", "iid", "lagged"};
    fputs("set ylabel 't'\nset xtics (", script);
    for (int k = 0; k < kinds && k < 5; k++) fprintf(script, "%s'%s' %d", k ? ", " : "", shown[k], k + 1);
    fprintf(script, ")\nset xrange [0.5:%d.5]\n", kinds);
    plot_blocks(s, "1.96 dt 2 lc rgb '#888888' notitle, -1.96 dt 2 lc rgb '#888888' notitle", "1:2 with points");
    return figure_end(&s->figures, e);
}

static int noise_figure(struct trial_report *s, struct error *e)
{
    if (!s->facts[0].noises) return 0;
    if (figure_begin(&s->figures, "noise", "Sharpe ratio as noise is added to characteristics",
                     "Noise in units of a characteristic's own spread; 0 is the study.", 7.6, 3.6, 300, e))
        return -1;
    FILE *data = s->figures.data;
    for (int i = 0; i < s->t->models; i++) {
        const struct trial_facts *f = &s->facts[i];
        block(data, f->model);
        fprintf(data, "0");
        figure_number(data, f->sharpe);
        fputc('\n', data);
        for (int k = 0; k < f->noises; k++) {
            fprintf(data, "%g", f->noise[k]);
            figure_number(data, f->noise_sharpe[k]);
            fputc('\n', data);
        }
        fputs("\n\n", data);
    }
    fputs("set ylabel 'Sharpe ratio, a year'\nset xlabel 'noise'\n", s->figures.script);
    plot_blocks(s, "0 lc rgb '#888888' lw 0.6 notitle", "1:2 with linespoints");
    return figure_end(&s->figures, e);
}

static int curve_figure(struct trial_report *s, struct error *e)
{
    const struct table *t = s->table[TRIAL_CURVE_RUNS];
    if (t->rows < 2) return 0;
    if (figure_begin(&s->figures, "specifications", "The specification curve",
                     "Sharpe ratio of every combination of window, factor scale, filter and penalty grid, sorted, with 1.96 "
                     "standard errors.",
                     7.6, 4, 340, e))
        return -1;
    FILE *data = s->figures.data;
    for (int i = 0; i < s->t->models; i++) {
        block(data, s->facts[i].model);
        for (int r = 0; r < t->rows; r++) {
            if (strcmp(table_at(t, r, 0)->text, s->facts[i].model)) continue;
            fprintf(data, "%g", table_at(t, r, table_find(t, "place"))->number + 0.6 * i / s->t->models);
            figure_number(data, table_at(t, r, table_find(t, "sharpe"))->number);
            figure_number(data, 1.96 * table_at(t, r, table_find(t, "sharpe_se"))->number);
            fputc('\n', data);
        }
        fputs("\n\n", data);
    }
    fputs("set ylabel 'Sharpe ratio, a year'\nset xlabel 'specification'\n", s->figures.script);
    plot_blocks(s, "0 lc rgb '#888888' lw 0.6 notitle", "1:2:3 with yerrorbars");
    return figure_end(&s->figures, e);
}

int trial_figures(struct trial_report *s, struct error *e)
{
    return placebo_figure(s, e) || noise_figure(s, e) || curve_figure(s, e) ? -1 : 0;
}
