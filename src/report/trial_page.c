/* A trial's page, tables and figures put in their places. */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/version.h"
#include "io/text_file.h"
#include "report/trial_page.h"
#include "study_report.h"
#include "trial_report.h"

static void print_rule(FILE *out, const char *line)
{
    fputs("<li>", out);
    escape_html(out, line);
    fputs("</li>\n", out);
}

static void rules(FILE *out)
{
    fputs("<details><summary>The rules</summary>\n<ul>\n", out);
    trial_explain(print_rule, out);
    fputs("</ul></details>\n", out);
}

static void opening(FILE *out, const struct trial_report *s)
{
    const struct trial *t = s->t;
    fprintf(
        out,
        "<p>%d runs of the study, %.1f times its own cost by operation counts: itself, %d draw%s of every placebo, noise "
        "in characteristics, filters, themes left out, other specifications. Universe: ",
        t->n, t->cost, t->seeds, t->seeds == 1 ? "" : "s");
    escape_html(out, t->universe->name);
    fprintf(out, ". %d out-of-sample dates.</p>\n", s->P);
    if (*t->left_out) {
        fputs("<p class=\"note\">Networks and published factors take no part: ", out);
        escape_html(out, t->left_out);
        fputs(" (networks with --networks).</p>\n", out);
    }
    fputs("<ul>\n", out);
    for (int i = 0; i < t->models; i++) {
        char reason[TRIAL_REASON];
        fputs("<li><b>", out);
        escape_html(out, s->facts[i].model);
        trial_reason(&s->facts[i], reason);
        fprintf(out, "</b>: verdict <b>%s</b> (%s). Sharpe ratio %.2f a year, t of the mean %.1f.</li>\n",
                trial_verdict(&s->facts[i]), reason, s->facts[i].sharpe, s->facts[i].t);
    }
    fputs("</ul>\n", out);
}

static void page(FILE *out, const struct trial_report *s)
{
    static const struct {
        const char *heading;
        int table;
        bool folded;
        const char *figure; /* before it; NULL: none */
    } parts[] = {
        {"Verdicts", TRIAL_VERDICTS, false, NULL},
        {"Placebos", TRIAL_PLACEBOS, false, "placebos"},
        {NULL, TRIAL_PLACEBO_RUNS, true, NULL},
        {"Information taken away", TRIAL_ALTERATIONS, false, "noise"},
        {NULL, TRIAL_ERA_TABLE, false, NULL},
        {NULL, TRIAL_SEED_TABLE, false, NULL},
        {"Explanations", TRIAL_EXPLANATIONS, false, NULL},
        {NULL, TRIAL_AGE_TABLE, false, NULL},
        {"Specifications", TRIAL_CURVE, false, "specifications"},
        {NULL, TRIAL_CURVE_RUNS, true, NULL},
    };
    char title[512];
    snprintf(title, sizeof title, "Trial of %.400s", s->r[0].study_name);
    page_begin(out, title);
    opening(out, s);
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        if (parts[k].heading) fprintf(out, "<h2>%s</h2>\n", parts[k].heading);
        if (parts[k].table == TRIAL_VERDICTS) rules(out);
        for (int i = 0; i < s->figures.n && parts[k].figure; i++)
            if (!strcmp(s->figures.figure[i].name, parts[k].figure)) page_figure(out, &s->figures, &s->figures.figure[i]);
        if (s->table[parts[k].table]->rows) page_table(out, s->table[parts[k].table], parts[k].folded);
    }
    fputs("<h2>What it was made from</h2>\n<details><summary>Study file</summary><pre>", out);
    escape_html(out, s->t->base);
    fputs("</pre></details>\n", out);
    page_end(out, version_text());
}

static void write_all(struct trial_report *s, const char *folder, struct error *e)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4096s/tables", folder);
    for (int k = 0; k < TRIAL_TABLES && !error_is_set(e); k++)
        if (s->table[k]->rows) table_write(s->table[k], path, e);
    snprintf(s->figures.folder, sizeof s->figures.folder, "%.4080s/figures", folder);
    if (error_is_set(e) || folder_create(s->figures.folder, e) || trial_figures(s, e)) return;
    snprintf(path, sizeof path, "%.4096s/index.html", folder);
    FILE *out = text_file_begin(path, e);
    if (!out) return;
    page(out, s);
    text_file_end(out, path, e);
}

int trial_write(const struct trial *t, const char *folder, struct error *e)
{
    struct trial_report s;
    if (!trial_report_read(&s, t, folder, e)) {
        trial_alterations(&s); /* the base run's figures come first: others are measured by them */
        trial_placebos(&s);
        trial_explanations(&s);
        trial_specifications(&s);
        trial_verdicts(&s);
        write_all(&s, folder, e);
        for (int i = 0; i < t->models && !error_is_set(e); i++)
            log_info("trial: %s: verdict %s (Sharpe %.2f a year, t of the mean %.1f)", s.facts[i].model,
                     trial_verdict(&s.facts[i]), s.facts[i].sharpe, s.facts[i].t);
        if (!error_is_set(e)) log_info("trial: %s/index.html", folder);
    }
    trial_report_free(&s);
    return error_is_set(e) ? -1 : 0;
}
