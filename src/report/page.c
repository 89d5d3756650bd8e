/* The page: one file of HTML without scripts; figures are in it as data, and its policy forbids every request. */
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/memory.h"
#include "report/attention_links.h"
#include "study_report.h"

static const char STYLE[] =
    ":root{color-scheme:light dark;--ink:#1b1b1b;--paper:#fff;--line:#d0d0d0;--soft:#f4f5f7;--mark:#005a9c}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#121212;--line:#444;--soft:#1e1f22;--mark:#7ab8f5}"
    "figure img{filter:invert(1) hue-rotate(180deg)}figure.map img{filter:none;background:#fff}}"
    "*{box-sizing:border-box}body{margin:0 auto;padding:1rem;max-width:68rem;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;overflow-wrap:break-word}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.3rem;margin:2.2rem 0 .6rem;border-bottom:2px solid "
    "var(--mark)}h3{font-size:1.05rem;margin:1.4rem 0 .3rem}"
    ".scroll{overflow-x:auto;margin:.4rem "
    "0}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.88rem;min-width:max-content}"
    ".caption{font-weight:600;font-size:.92rem;margin:.9rem 0 .2rem}th,td{padding:.22rem "
    ".6rem;text-align:right;white-space:nowrap}"
    "th.l,td.l{text-align:left}thead th{border-bottom:1px solid var(--ink);font-weight:600}tbody "
    "tr:nth-child(even){background:var(--soft)}"
    "tbody td:first-child{position:sticky;left:0;background:var(--paper)}tbody tr:nth-child(even) "
    "td:first-child{background:var(--soft)}"
    ".note{font-size:.84rem;opacity:.85;margin:.15rem 0}figure{margin:1rem 0}figure "
    "img{max-width:100%;height:auto;display:block}"
    "figcaption{font-size:.84rem;opacity:.85}.warn{border-left:4px solid #d55e00;padding:.4rem .8rem;background:var(--soft)}"
    "pre{overflow-x:auto;background:var(--soft);padding:.7rem;font-size:.82rem}details{margin:.6rem "
    "0}summary{cursor:pointer;font-weight:600}"
    "li{margin:.3rem 0}";

void page_begin(FILE *out, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
          "content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
          "'unsafe-inline'\">\n<title>",
          out);
    escape_html(out, title);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", STYLE);
    escape_html(out, title);
    fputs("</h1>\n", out);
}

void page_end(FILE *out, const char *program)
{
    fputs("<p class=\"note\">Written by ", out);
    escape_html(out, program);
    fputs(". Tables as CSV, Markdown and LaTeX, and figures as PDF and SVG with the scripts that draw them, are in tables/ "
          "and figures/ beside this page.</p>\n</body>\n</html>\n",
          out);
}

void page_table(FILE *out, const struct table *t, bool folded)
{
    char text[TABLE_CELL];
    if (folded) {
        fputs("<details><summary>", out);
        escape_html(out, t->title);
        fprintf(out, " (%d rows)</summary>\n", t->rows);
    } else { /* above the part that scrolls */
        fprintf(out, "<p class=\"caption\" id=\"caption-%s\">", t->name);
        escape_html(out, t->title);
        fputs("</p>\n", out);
    }
    fprintf(out, "<div class=\"scroll\"><table id=\"%s\"", t->name);
    if (!folded) fprintf(out, " aria-labelledby=\"caption-%s\"", t->name);
    fputc('>', out);
    fputs("<thead><tr>", out);
    for (int c = 0; c < t->columns; c++) {
        fputs(t->column[c].kind == TABLE_TEXT ? "<th class=\"l\">" : "<th>", out);
        escape_html(out, t->column[c].title);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (int r = 0; r < t->rows; r++) {
        fputs("<tr>", out);
        for (int c = 0; c < t->columns; c++) {
            fputs(t->column[c].kind == TABLE_TEXT ? "<td class=\"l\">" : "<td>", out);
            escape_html(out, table_format(t, r, c, text));
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    for (int i = 0; i < t->notes; i++) {
        fputs("<p class=\"note\">", out);
        escape_html(out, t->note[i]);
        fputs("</p>\n", out);
    }
    if (folded) fputs("</details>\n", out);
}

/* A file's bytes in base64. */
static void embed(FILE *out, const char *path)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    FILE *f = fopen(path, "r");
    unsigned char b[3];
    size_t n;
    while (f && (n = fread(b, 1, 3, f)) > 0) {
        if (n < 3) b[2] = 0;
        if (n < 2) b[1] = 0;
        const char four[4] = {digit[b[0] >> 2], digit[(b[0] & 3) << 4 | b[1] >> 4],
                              n > 1 ? digit[(b[1] & 15) << 2 | b[2] >> 6] : '=', n > 2 ? digit[b[2] & 63] : '='};
        fwrite(four, 1, 4, out);
    }
    if (f) fclose(f);
}

void page_figure(FILE *out, const struct figures *f, const struct figure *g)
{
    char path[4300];
    fprintf(out, "<figure id=\"figure-%s\"%s>\n<h3>", g->name, g->map ? " class=\"map\"" : "");
    escape_html(out, g->title);
    fputs("</h3>\n", out);
    if (g->drawn) {
        fputs("<picture><source media=\"(max-width:640px)\" srcset=\"data:image/svg+xml;base64,", out);
        snprintf(path, sizeof path, "%s/%s-phone.svg", f->folder, g->name);
        embed(out, path);
        fputs("\"><img alt=\"", out);
        escape_html(out, g->title);
        fputs("\" src=\"data:image/svg+xml;base64,", out);
        snprintf(path, sizeof path, "%s/%s.svg", f->folder, g->name);
        embed(out, path);
        fputs("\"></picture>\n", out);
    } else
        fprintf(out, "<p class=\"warn\">Not drawn: %s. Data and script are in figures/%s.dat and .gp.</p>\n",
                f->missing ? "gnuplot is not installed" : "gnuplot failed", g->name);
    fputs("<figcaption>", out);
    escape_html(out, g->caption);
    fputs("</figcaption>\n</figure>\n", out);
}

/* Text of a cell, from a buffer that turns, so that a sentence may hold several. */
static const char *cell(const struct table *t, int row, const char *column)
{
    static char ring[8][TABLE_CELL];
    static int at;
    return table_format(t, row, table_find(t, column), ring[at = (at + 1) % 8]);
}
static double value(const struct table *t, int row, const char *column)
{
    return table_at(t, row, table_find(t, column))->number;
}

/* The model of highest Sharpe ratio of a universe in the uncertainty table; -1: none. */
static int best_of(const struct table *u, const char *universe)
{
    int best = -1;
    for (int r = 0; r < u->rows; r++) {
        if (strcmp(table_at(u, r, 0)->text, universe) || !strcmp(table_at(u, r, 1)->text, "truth") ||
            isnan(value(u, r, "sharpe")))
            continue;
        if (best < 0 || value(u, r, "sharpe") > value(u, best, "sharpe")) best = r;
    }
    return best;
}

static void best_sentence(FILE *out, const struct table *u, const struct table *d, const struct table *a,
                          const char *universe)
{
    int best = best_of(u, universe), worse = 0, pairs = 0;
    if (best < 0) return;
    fputs("<li>Universe <b>", out);
    escape_html(out, universe);
    fputs("</b>: the highest Sharpe ratio is <b>", out);
    escape_html(out, cell(u, best, "model"));
    fprintf(out, "</b>'s, %s a year (95%% interval %s to %s)", cell(u, best, "sharpe"), cell(u, best, "sharpe_low"),
            cell(u, best, "sharpe_high"));
    for (int r = 0; r < d->rows; r++) {
        if (strcmp(table_at(d, r, 0)->text, universe)) continue;
        bool first = !strcmp(table_at(d, r, 1)->text, cell(u, best, "model")),
             second = !strcmp(table_at(d, r, 2)->text, cell(u, best, "model"));
        if (!first && !second) continue;
        pairs++;
        worse += value(d, r, "p") < 0.05 && (value(d, r, "sharpe_difference") > 0) == first;
    }
    if (pairs)
        fprintf(out, ". Its lead is significant at 5%% over %s%s",
                worse == 0       ? "no"
                : worse == pairs ? "every"
                                 : "",
                worse == 0 || worse == pairs ? " other model" : "");
    if (pairs && worse && worse < pairs) fprintf(out, "%d of the %d other models", worse, pairs);
    for (int r = 0; r < a->rows; r++)
        if (!strcmp(table_at(a, r, 0)->text, universe) && !strcmp(table_at(a, r, 1)->text, cell(u, best, "model")) &&
            !strcmp(table_at(a, r, 2)->text, "others"))
            fprintf(out, "; its alpha against all of them together is %s%% a period (t = %s)", cell(a, r, "alpha_percent"),
                    cell(a, r, "t"));
    fputs(".</li>\n", out);
}

static void reading(FILE *out, const struct study_report *s)
{
    const struct table *p = s->tables.table[TABLES_PERFORMANCE], *u = s->uncertainty, *d = s->differences;
    fputs("<h3>What the numbers say</h3>\n<ul>\n", out);
    const char **universe = memory_array(const char *, s->r->models, "universes");
    int universes = sample_universes(s->r, universe), failed = 0, edge = 0;
    for (int i = 0; i < universes; i++) best_sentence(out, u, d, s->tables.table[TABLES_ALPHAS], universe[i]);
    memory_free(universe);
    for (int r = 0; r < p->rows; r++) edge += value(p, r, "ridge_edge_share") > 0.1;
    for (int i = 0; i < s->r->models; i++)
        for (int q = 0; q < s->r->P; q++)
            failed += s->r->model[i].done && s->r->model[i].done[q] && isnan(s->r->model[i].returns[q]);
    if (edge)
        fprintf(out,
                "<li>%d model%s chose an end of the ridge grid in more than a tenth of the windows: a wider grid, or "
                "another factor_scale, may change the figures.</li>\n",
                edge, edge > 1 ? "s" : "");
    if (failed)
        fprintf(out,
                "<li>%d finished rows have no return: the model's data were not there yet, or its fit failed; every measure "
                "is over the dates that remain.</li>\n",
                failed);
    if (s->r->truth)
        fputs("<li>The panel is synthetic: <b>truth</b> is the Sharpe ratio of its true conditional SDF portfolio, which no "
              "model can beat but by luck.</li>\n",
              out);
    fputs("</ul>\n<h3>What they do not say</h3>\n<ul>\n"
          "<li>Returns are before trading costs, fees, financing and taxes, on paper positions at the panel's prices; "
          "models that lean on small and illiquid stocks suffer most. "
          "See Trading reality for what the saved weights imply.</li>\n"
          "<li>A panel of stocks that still exist today, or of characteristics chosen because they worked, flatters every "
          "model. Nothing here can repair that.</li>\n"
          "<li>Intervals speak of sampling error within this sample. They know nothing of specifications tried and dropped, "
          "nor of a future that differs.</li>\n"
          "<li>HJD depends on the test assets: compare it within a study, not across studies.</li>\n</ul>\n",
          out);
}

static void record(FILE *out, const struct results *r)
{
    fputs("<h2>How it was made</h2>\n<div class=\"scroll\"><table style=\"min-width:0\"><tbody>\n", out);
    for (int i = 0; i < r->attributes; i++) {
        fputs("<tr><td class=\"l\">", out);
        escape_html(out, r->attribute_name[i]);
        fputs("</td><td class=\"l\" style=\"white-space:normal\">", out);
        escape_html(out, r->attribute_text[i]);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n<details><summary>Study file</summary><pre>", out);
    escape_html(out, r->study);
    fputs("</pre></details>\n", out);
}

/* One more thing that is not there, in a sentence. */
static void lacking(FILE *out, int *count, const char *what)
{
    fputs((*count)++ ? "; " : "<p class=\"note\">Not here: ", out);
    escape_html(out, what);
}

/* How to get the attention maps that are not there. */
static void lacking_attention(FILE *out, int *count, const struct results *r)
{
    int transformers = 0, saved = 0, sequences = 0;
    for (int i = 0; i < r->models; i++) {
        const struct model_class *c = model_class_find(r->model[i].kind);
        sequences += c && c->explain && c->explain->recorded_by;
    }
    if (sequences) lacking(out, count, "attention of sequence models (give them save_attention: mean or heads)");
    for (int i = 0; i < r->models; i++)
        if (attention_possible(&r->model[i])) transformers++, saved += attention_saved(r, &r->model[i], 0);
    lacking(out, count,
            !transformers ? "attention maps (no transformer)"
            : saved       ? "attention maps (ask for a date: aipm report RESULTS --attention YYYYMMDD)"
                          : "attention maps (no parameters are saved: give the transformer save_parameters: true, run the "
                            "study again, then aipm report RESULTS --attention YYYYMMDD)");
}

static void missing(FILE *out, const struct study_report *s)
{
    static const char *const what[TABLES] = {[TABLES_HEADS] = "heads by ridge (no linear transformer with heads)",
                                             [TABLES_RIDGE] = "ridge penalties (no ridge model)",
                                             [TABLES_SYMMETRY] =
                                                 "symmetric and antisymmetric parts (no linear transformer)"};
    int loss = 0, count = 0;
    for (int i = 0; i < TABLES; i++)
        if (what[i] && !s->tables.table[i]) lacking(out, &count, what[i]);
    for (int i = 0; i < s->r->models; i++) loss += results_field(&s->r->model[i], "training_loss") != NULL;
    if (!loss) lacking(out, &count, "training curves (no neural model)");
    if (!s->positions) lacking(out, &count, "holdings (no saved weights)");
    else if (!s->backtest) lacking(out, &count, "backtest (the panel that the study was run on is not in its place)");
    if (!s->maps && !s->sequence.n) lacking_attention(out, &count, s->r);
    if (count) fputs(".</p>\n", out);
}

static void page_date(FILE *out, int64_t date)
{
    int64_t day = date < 100000000 ? date : date / 10000;
    fprintf(out, "%04lld-%02lld-%02lld", (long long)(day / 10000), (long long)(day / 100 % 100), (long long)(day % 100));
    if (date != day) fprintf(out, " %02lld:%02lld", (long long)(date / 100 % 100), (long long)(date % 100));
}

/* What sequence models attended to: warnings, figures model by model, tables of all. */
static void sequence_section(FILE *out, const struct sequence_report *q)
{
    char warning[300];
    fputs("<h2>Attention of sequence models</h2>\n", out);
    for (int r = 0; r < q->n; r++) {
        const struct sequence_record *c = &q->record[r];
        if (sequence_warning(c, warning)) {
            fputs("<p class=\"warn\">", out);
            escape_html(out, warning);
            fputs(".</p>\n", out);
        }
        for (int i = q->first_figure[r]; i < q->first_figure[r + 1]; i++)
            page_figure(out, &q->figures, &q->figures.figure[i]);
    }
    for (int i = 0; i < SEQUENCE_SHOWN; i++)
        if (q->table[i]) page_table(out, q->table[i], q->table[i]->rows > 12);
}

void page_study(FILE *out, const struct study_report *s, const struct report_options *o, bool alone)
{
    const struct results *r = s->r;
    if (!alone) {
        fputs("<h2>", out);
        escape_html(out, s->label);
        fputs("</h2>\n", out);
    }
    char words[PLACEBO_TEXT];
    if (r->placebo.kind) {
        fputs(placebo_empty(&r->placebo) ? "<p class=\"warn\">Placebo: " : "<p class=\"warn\">Altered rows: ", out);
        escape_html(out, placebo_words(&r->placebo, words));
        fputs(placebo_empty(&r->placebo)
                  ? ". Everything below is what these models find where there is nothing to find.</p>\n"
                  : ".</p>\n",
              out);
    }
    if (r->under_way)
        fprintf(out, "<p class=\"warn\">Run under way: %ld of %ld rows are finished. Every figure below will change.</p>\n",
                r->rows_done, r->rows_total);
    fprintf(out, "<p>%d series (models by universe), %d out-of-sample periods, formation dates ", r->models, r->P);
    page_date(out, r->dates[0]);
    fputs(" to ", out);
    page_date(out, r->dates[r->P - 1]);
    if (o->table.from || o->table.to) fputs("; measured on the part that was asked for", out);
    fprintf(out, ". HJD: %s.</p>\n", hjd_form(&o->table));
    reading(out, s);
    fputs("<h2>Performance</h2>\n", out);
    page_table(out, s->tables.table[TABLES_PERFORMANCE], false);
    page_table(out, s->uncertainty, false);
    page_table(out, s->differences, s->differences->rows > 12);
    fputs("<h2>Tables as papers print them</h2>\n", out);
    for (int i = 0; i < s->papers; i++) {
        const char *since = strstr(s->paper[i]->name, "-since-");
        if (since && !strstr(s->paper[i - 1]->name, "-since-"))
            fprintf(out, "<h3>Since %s</h3>\n", since + strlen("-since-"));
        page_table(out, s->paper[i], false);
    }
    fputs("<h2>Figures</h2>\n", out);
    for (int i = 0; i < s->figures.n; i++) page_figure(out, &s->figures, &s->figures.figure[i]);
    for (int i = 0; i < s->maps; i++) page_table(out, s->links[i], true);
    if (s->sequence.n) sequence_section(out, &s->sequence);
    fputs("<h2>Trading reality</h2>\n", out);
    page_table(out, s->trading, false);
    if (s->backtest) page_table(out, s->backtest, false);
    if (s->positions) page_table(out, s->positions, true);
    fputs("<h2>Long tables</h2>\n", out);
    for (int i = TABLES_ALPHAS; i < TABLES; i++)
        if (s->tables.table[i]) page_table(out, s->tables.table[i], true);
    missing(out, s);
    record(out, r);
}
