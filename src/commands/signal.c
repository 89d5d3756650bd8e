/* aipm signal: attention over a few assets' returns, without a model: a signal for a target, the pairwise matrix and its regime, a
 * tilted allocation. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "commands/commands.h"
#include "io/return_file.h"
#include "io/table.h"
#include "io/text_file.h"
#include "measure/attention_signal.h"

enum { SHARES = 4096, MATRIX_SHOWN = 16 };

struct signal_arguments {
    const char *file, *target, *allocate, *output;
    int lookback, window;
    bool matrix, history, json, drop, shorter;
    double tilt;
};

#define AT(member) offsetof(struct signal_arguments, member)
static const struct argument arguments[] = {
    {"target", "NAME", ARGUMENT_TEXT, AT(target), .help = "the asset to make a signal for, from all others"},
    {"lookback", "L", ARGUMENT_INT, AT(lookback), .help = "last returns that the signal looks at (20)", 1, 1e6,
     "a number of returns"},
    {"matrix", NULL, ARGUMENT_FLAG, AT(matrix), .help = "the pairwise matrix and the regime, also with a target"},
    {"window", "W", ARGUMENT_INT, AT(window), .help = "last returns that the matrix looks at (60)", 1, 1e6,
     "a number of returns"},
    {"allocate", "NAME=SHARE,...", ARGUMENT_TEXT, AT(allocate),
     .help = "tilt this allocation towards what the target attends to"},
    {"tilt", "S", ARGUMENT_REAL, AT(tilt), .help = "how far, 0 to 1 (0.2)", 0, 1},
    {"history", NULL, ARGUMENT_FLAG, AT(history), .help = "the same at every date from what was known then, as CSV"},
    {"output", "FILE", ARGUMENT_TEXT, AT(output), .help = "where the history goes (the terminal)"},
    {"json", NULL, ARGUMENT_FLAG, AT(json), .help = "one JSON object instead of tables"},
    {"drop-missing", NULL, ARGUMENT_FLAG, AT(drop), .help = "leave out rows in which an asset has no return"},
    {"short", NULL, ARGUMENT_FLAG, AT(shorter),
     .help = "take empty cells before an asset's first return as a shorter series (filled with zeros behind its end)"},
    {0},
};

static int finish(void *into, struct argp_state *state)
{
    const struct signal_arguments *a = into;
    if (!a->file) return arguments_fail(state, "needed: a CSV file of returns");
    if (a->allocate && !a->target)
        return arguments_fail(state, "--allocate: needed: --target too, whose attention tilts it");
    if (a->history && a->json) return arguments_fail(state, "found --history and --json; needed: one of them");
    if (a->history && a->allocate) return arguments_fail(state, "found --history and --allocate; needed: one of them");
    if (a->drop && a->shorter) return arguments_fail(state, "found --drop-missing and --short; needed: one of them");
    if (a->output && !a->history) return arguments_fail(state, "--output: needed: --history, which it is for");
    return 0;
}

/* ---- what is known at a date ---- */

struct signal_reading {
    const struct return_table *t;
    int target, k, *other; /* other [k]: columns of the others; target -1: none */
    struct return_series *series, *others;
    double *weights, *matrix; /* [k]; [n, n] or NULL */
    struct attention_signal signal;
    struct attention_regime regime;
};

static void reading_open(struct signal_reading *r, const struct return_table *t, int target, bool matrix)
{
    *r = (struct signal_reading){.t = t, .target = target};
    r->other = memory_array(int, t->n, "other assets");
    for (int j = 0; j < t->n; j++)
        if (j != target) r->other[r->k++] = j;
    r->series = memory_array(struct return_series, t->n, "series");
    r->others = memory_array(struct return_series, t->n, "series");
    r->weights = memory_array(double, t->n, "attention weights");
    if (matrix) r->matrix = memory_array(double, (size_t)t->n *(size_t)t->n, "attention matrix");
}

static void reading_close(struct signal_reading *r)
{
    memory_free_all(r->other, r->series, r->others, r->weights, r->matrix);
}

/* From the first `rows` rows of the table. */
static int read_at(struct signal_reading *r, const struct signal_arguments *a, int rows, struct error *e)
{
    const struct return_table *t = r->t;
    for (int j = 0; j < t->n; j++) {
        int first = t->first[j] < rows ? t->first[j] : rows;
        r->series[j] = (struct return_series){t->returns + (size_t)j * (size_t)t->T + first, rows - first};
    }
    bool finite = true;
    if (r->target >= 0) {
        for (int j = 0; j < r->k; j++) r->others[j] = r->series[r->other[j]];
        attention_signal(&r->series[r->target], r->k, r->others, a->lookback, r->weights, &r->signal);
        finite = isfinite(r->signal.signal) && isfinite(r->signal.confidence);
    }
    if (r->matrix) {
        attention_regime(t->n, r->series, a->window, r->matrix, &r->regime);
        finite = finite && (r->regime.regime == REGIME_INSUFFICIENT || isfinite(r->regime.concentration));
    }
    if (finite) return 0;
    return error_set(e, "%s: the scores at %s are beyond floating point; needed are decimal returns", a->file,
                     t->date[rows - 1]);
}

/* ---- an allocation ---- */

struct allocation {
    int n;
    char **name;           /* [n] into text */
    double *base, *tilted; /* [n] */
    char *text;
};

static int allocation_parse(struct allocation *l, const char *text, struct error *e)
{
    *l = (struct allocation){.text = memory_text(text)};
    l->name = memory_array(char *, SHARES, "allocation");
    l->base = memory_array(double, SHARES, "allocation");
    l->tilted = memory_array(double, SHARES, "allocation");
    for (char *rest = l->text, *part; (part = strsep(&rest, ","));) {
        char *equals = strrchr(part, '=');
        double share = 0;
        if (!equals || equals == part || !number_real(equals + 1, -DBL_MAX, DBL_MAX, &share) || l->n == SHARES)
            return error_set(e, "--allocate: found '%s'; needed: NAME=SHARE, at most %d of them", part, SHARES);
        *equals = '\0';
        for (int i = 0; i < l->n; i++)
            if (!strcmp(l->name[i], part)) return error_set(e, "--allocate: found %s twice; needed: each once", part);
        l->name[l->n] = part;
        l->base[l->n++] = share;
    }
    return 0;
}

static void allocation_free(struct allocation *l)
{
    memory_free_all(l->text, l->name, l->base, l->tilted);
}

static void allocation_tilt(struct allocation *l, const struct signal_reading *r, double tilt)
{
    int *place = memory_array(int, r->k, "places in the allocation");
    bool any = r->signal.dominant >= 0;
    for (int j = 0; j < r->k; j++) {
        place[j] = -1;
        for (int i = 0; i < l->n; i++)
            if (!strcmp(l->name[i], r->t->name[r->other[j]])) place[j] = i;
    }
    for (int i = 0; i < l->n; i++)
        if (return_table_find(r->t, l->name[i]) < 0)
            log_warn("--allocate: %s is no column of the file: its share is only scaled", l->name[i]);
    attention_tilt(any ? r->k : 0, r->weights, place, l->n, l->base, tilt, l->tilted);
    memory_free(place);
}

/* ---- JSON ---- */

static void json_number(double x, FILE *out)
{
    char number[32];
    fputs(isfinite(x) ? number_text(x, number) : "null", out);
}

static void json_key(const char *key, FILE *out)
{
    escape_json(out, key);
    fputs(": ", out);
}

static void json_signal(const struct signal_reading *r, FILE *out)
{
    fputs(", ", out);
    json_key("target", out);
    escape_json(out, r->t->name[r->target]);
    fputs(", \"signal\": ", out);
    json_number(r->signal.signal, out);
    fputs(", \"attention_weights\": {", out);
    for (int j = 0; j < r->k && r->signal.dominant >= 0; j++) {
        if (j) fputs(", ", out);
        json_key(r->t->name[r->other[j]], out);
        json_number(r->weights[j], out);
    }
    fputs("}, \"dominant_driver\": ", out);
    if (r->signal.dominant < 0) fputs("null", out);
    else escape_json(out, r->t->name[r->other[r->signal.dominant]]);
    fputs(", \"confidence\": ", out);
    json_number(r->signal.confidence, out);
}

static void json_regime(const struct signal_reading *r, FILE *out)
{
    int n = r->t->n;
    fprintf(out, ", \"regime\": \"%s\", \"risk_level\": \"%s\"", regime_name(r->regime.regime),
            regime_risk(r->regime.regime));
    if (r->regime.regime == REGIME_INSUFFICIENT) return;
    fputs(", \"correlation_concentration\": ", out);
    json_number(r->regime.concentration, out);
    fprintf(out, ", \"asset_count\": %d, \"attention_matrix\": {", n);
    for (int i = 0; i < n; i++) {
        if (i) fputs(", ", out);
        json_key(r->t->name[i], out);
        fputc('{', out);
        for (int j = 0, put = 0; j < n; j++) {
            double w = r->matrix[(size_t)i * (size_t)n + (size_t)j];
            if (isnan(w)) continue;
            if (put++) fputs(", ", out);
            json_key(r->t->name[j], out);
            json_number(w, out);
        }
        fputc('}', out);
    }
    fputc('}', out);
}

static void print_json(const struct signal_reading *r, const struct allocation *l, FILE *out)
{
    fputc('{', out);
    json_key("date", out);
    escape_json(out, r->t->date[r->t->T - 1]);
    if (r->t->dropped) fprintf(out, ", \"rows_dropped\": %d", r->t->dropped);
    if (r->target >= 0) json_signal(r, out);
    if (r->matrix) json_regime(r, out);
    if (l->n) fputs(", \"adjusted_allocation\": {", out);
    for (int i = 0; i < l->n; i++) {
        if (i) fputs(", ", out);
        json_key(l->name[i], out);
        json_number(l->tilted[i], out);
    }
    fputs(l->n ? "}}\n" : "}\n", out);
}

/* ---- tables ---- */

static void print_signal(const struct signal_reading *r, const struct signal_arguments *a)
{
    char title[200];
    const struct return_table *t = r->t;
    snprintf(title, sizeof title, "What %.80s attends to at %s", t->name[r->target], t->date[t->T - 1]);
    struct table *table = table_create("signal", title);
    table_columns(table, {"asset", NULL, TABLE_TEXT, 0}, {"weight", NULL, TABLE_REAL, 4});
    for (int j = 0; j < r->k && r->signal.dominant >= 0; j++) {
        table_row(table);
        table_set_text(table, "asset", t->name[r->other[j]]);
        table_set(table, "weight", r->weights[j]);
    }
    table_note(table, "signal %.6f   confidence %.4f   dominant driver %s   last %d returns", r->signal.signal,
               r->signal.confidence, r->signal.dominant < 0 ? "none" : t->name[r->other[r->signal.dominant]],
               a->lookback < t->T ? a->lookback : t->T);
    table_print(table, stdout);
    table_free(table);
}

static void print_regime(const struct signal_reading *r, const struct signal_arguments *a)
{
    const struct return_table *t = r->t;
    int n = t->n;
    char title[160];
    snprintf(title, sizeof title, "Attention of each asset (rows) to the others at %s", t->date[t->T - 1]);
    struct table *table = table_create("matrix", title);
    table_columns(table, {"asset", NULL, TABLE_TEXT, 0}, {"strongest", NULL, TABLE_TEXT, 0},
                  {"weight", NULL, TABLE_REAL, 4});
    for (int j = 0; j < n && n <= MATRIX_SHOWN; j++) table_column(table, t->name[j], t->name[j], TABLE_REAL, 4);
    for (int i = 0; i < n && r->regime.regime != REGIME_INSUFFICIENT; i++) {
        const double *w = r->matrix + (size_t)i * (size_t)n;
        int best = -1;
        for (int j = 0; j < n; j++)
            if (!isnan(w[j]) && (best < 0 || w[j] > w[best])) best = j;
        table_row(table);
        table_put_text(table, t->name[i]);
        table_put_text(table, best < 0 ? NULL : t->name[best]);
        table_put(table, best < 0 ? NAN : w[best]);
        for (int j = 0; j < n && n <= MATRIX_SHOWN; j++) table_put(table, w[j]);
    }
    if (r->regime.regime == REGIME_INSUFFICIENT)
        table_note(table, "regime %s: fewer than two assets", regime_name(r->regime.regime));
    else
        table_note(table, "regime %s   risk %s   concentration %.4f   %d assets   last %d returns",
                   regime_name(r->regime.regime), regime_risk(r->regime.regime), r->regime.concentration, n,
                   a->window < t->T ? a->window : t->T);
    if (n > MATRIX_SHOWN) table_note(table, "The whole matrix: --json.");
    table_print(table, stdout);
    table_free(table);
}

static void print_allocation(const struct allocation *l, const struct signal_arguments *a)
{
    struct table *table = table_create("allocation", "Allocation tilted by attention");
    table_columns(table, {"asset", NULL, TABLE_TEXT, 0}, {"before", NULL, TABLE_REAL, 4}, {"after", NULL, TABLE_REAL, 4});
    for (int i = 0; i < l->n; i++) {
        table_row(table);
        table_set_text(table, "asset", l->name[i]);
        table_set(table, "before", l->base[i]);
        table_set(table, "after", l->tilted[i]);
    }
    table_note(table, "tilt %g", a->tilt);
    table_print(table, stdout);
    table_free(table);
}

/* ---- over time ---- */

static void history(struct signal_reading *r, const struct signal_arguments *a, struct error *e)
{
    struct table *t = table_create("history", "Attention over time");
    bool target = r->target >= 0, matrix = r->matrix != NULL;
    table_column(t, "date", NULL, TABLE_TEXT, 0);
    if (target) {
        table_columns(t, {"signal", NULL, TABLE_REAL, 6}, {"confidence", NULL, TABLE_REAL, 4},
                      {"dominant_driver", NULL, TABLE_TEXT, 0});
    }
    if (matrix) {
        table_columns(t, {"concentration", NULL, TABLE_REAL, 4}, {"regime", NULL, TABLE_TEXT, 0},
                      {"risk_level", NULL, TABLE_TEXT, 0});
    }
    for (int row = 0; row < r->t->T && !read_at(r, a, row + 1, e); row++) {
        table_row(t);
        table_set_text(t, "date", r->t->date[row]);
        if (target) {
            table_set(t, "signal", r->signal.signal);
            table_set(t, "confidence", r->signal.confidence);
            table_set_text(t, "dominant_driver", r->signal.dominant < 0 ? NULL : r->t->name[r->other[r->signal.dominant]]);
        }
        if (matrix) {
            table_set(t, "concentration", r->regime.concentration);
            table_set_text(t, "regime", regime_name(r->regime.regime));
            table_set_text(t, "risk_level", regime_risk(r->regime.regime));
        }
    }
    FILE *out = error_is_set(e) ? NULL : a->output ? text_file_begin(a->output, e) : stdout;
    if (out) table_csv(t, out);
    if (out && a->output && !text_file_end(out, a->output, e)) log_info("history: %s, %d dates", a->output, t->rows);
    table_free(t);
}

static void answer(const struct signal_arguments *a, const struct return_table *t, struct error *e)
{
    int target = a->target ? return_table_find(t, a->target) : -1;
    struct signal_reading r;
    struct allocation l = {0};
    if (a->target && target < 0) {
        error_set(e, "--target: %s has no column '%s'; its assets are %s%s%s", a->file, a->target, t->name[0],
                  t->n > 1 ? ", " : "",
                  t->n > 2   ? "..."
                  : t->n > 1 ? t->name[1]
                             : "");
        return;
    }
    reading_open(&r, t, target, a->matrix || target < 0 || a->history);
    if (t->dropped) log_info("%s: %d rows with a missing return left out", a->file, t->dropped);
    if (a->history) history(&r, a, e);
    else if (!(a->allocate && allocation_parse(&l, a->allocate, e)) && !read_at(&r, a, t->T, e)) {
        if (l.n) allocation_tilt(&l, &r, a->tilt);
        if (a->json) print_json(&r, &l, stdout);
        else {
            if (target >= 0) print_signal(&r, a);
            if (r.matrix) print_regime(&r, a);
            if (l.n) print_allocation(&l, a);
        }
    }
    allocation_free(&l);
    reading_close(&r);
}

int command_signal(int argc, char **argv, struct team *world)
{
    (void)world;
    static const struct command_line line = {
        .group = {{.list = arguments}},
        .what = "file",
        .file = AT(file),
        .finish = finish,
        .files = "RETURNS.csv",
        .doc = "Read attention from returns alone, without a model. Each asset's last returns are a key, the target's the "
               "query: weights are the softmax of their products over the square root of the number of returns, the "
               "signal is the mean of the weighted returns over the last five periods, confidence the largest weight "
               "times ten times the signal, at most 1. Without a target every asset is one in turn: the mean of their "
               "largest weights is the concentration, and the regime is diversified, trending (above 0.4) or "
               "crisis_correlated (above 0.6).\n\n"
               "RETURNS.csv (.gz, .zst): dates in the first column, oldest first, and one column of decimal returns an "
               "asset.\v"
               "Examples:\n  aipm signal returns.csv --target BTC\n"
               "  aipm signal returns.csv --target BTC --allocate ETH=0.4,SOL=0.3,BTC=0.3 --tilt 0.2\n"
               "  aipm signal returns.csv --json\n"
               "  aipm signal returns.csv --target BTC --history -o signal.csv"};
    struct signal_arguments a = {.lookback = 20, .window = 60, .tilt = 0.2};
    int status = arguments_read(&line, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct return_table t;
    if (!return_table_read(a.file, a.drop ? RETURNS_DROP : a.shorter ? RETURNS_SHORT : RETURNS_WHOLE, &t, &e)) {
        answer(&a, &t, &e);
        return_table_free(&t);
    }
    return command_end(&e);
}
