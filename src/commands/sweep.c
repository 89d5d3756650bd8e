/* aipm sweep: a study over values given on the command line, and a table of what its members found. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "io/results_file.h"
#include "io/text_file.h"
#include "io/yaml.h"
#include "measure/series.h"
#include "study/study.h"
#include "study/sweep.h"

enum { FILES = 1024 };
struct sweep_arguments {
    const char *file[FILES], *output, *array;
    int files;
    bool table, by_sharpe;
    struct sweep sweep;
};
#define AT(member) offsetof(struct sweep_arguments, member)
static const struct argument arguments[] = {
    {"set", "KEY=V,V...", ARGUMENT_OWN, 0,
     .help = "values of a key: models.NAME.KEY, window, ridge.to, seed ...; [1,2] is one value that is a list. May be "
             "repeated: all "
             "combinations"},
    {"output", "STUDY.yaml", ARGUMENT_TEXT, AT(output),
     .help = "one study that trains every combination (default: to the terminal)"},
    {"array", "DIR", ARGUMENT_TEXT, AT(array), .help = "a study file a combination, in DIR, for an array of jobs"},
    {"table", NULL, ARGUMENT_FLAG, AT(table), .help = "the arguments are results: a table of all their models"},
    {"by", "loss|sharpe", ARGUMENT_SECOND, AT(by_sharpe),
     .help = "order of the table: the loss known in sample (default), with the choice it makes marked; or the out-of-sample "
             "Sharpe "
             "ratio, labelled so",
     .what = "loss|sharpe"},
    {0},
};

static int set(void *into, const struct argument *of, char *value, struct argp_state *state)
{
    (void)of;
    struct sweep_arguments *a = into;
    struct error e = {""};
    return sweep_add(&a->sweep, value, &e) ? arguments_fail(state, "%s", e.text) : 0;
}

static int file(void *into, char *text, struct argp_state *state)
{
    struct sweep_arguments *a = into;
    if (a->files == FILES) return arguments_fail(state, "found more than %d files", FILES);
    a->file[a->files++] = text;
    return 0;
}

static int finish(void *into, struct argp_state *state)
{
    const struct sweep_arguments *a = into;
    if (!a->files) return arguments_fail(state, a->table ? "needed: results files" : "needed: a study file");
    if (!a->table && a->files > 1)
        return arguments_fail(state, "found a second study file '%s'; needed: one (or --table, with results)", a->file[1]);
    if (!a->table && !a->sweep.n) return arguments_fail(state, "needed: --set KEY=VALUES");
    if (a->output && a->array) return arguments_fail(state, "found both --output and --array; needed: one");
    return 0;
}

/* ---- expanding ---- */

/* What was expanded must be a study. */
static int check(const char *file, const char *text, struct error *e)
{
    struct study s;
    if (study_parse(file, text, &s, e)) return -1;
    study_free(&s);
    return 0;
}

static int expand_one(const struct sweep_arguments *a, const char *text, struct error *e)
{
    char *one = sweep_one(a->file[0], text, &a->sweep, e);
    if (!one) return -1;
    if (!check(a->file[0], one, e)) {
        if (!a->output) fputs(one, stdout);
        else if (!text_file_write(a->output, one, e))
            printf("written: %s; run it with aipm run, weigh it with aipm plan\n", a->output);
    }
    memory_free(one);
    return error_is_set(e) ? -1 : 0;
}

static int expand_array(const struct sweep_arguments *a, const char *text, struct error *e)
{
    long members = sweep_members(&a->sweep);
    if (members < 1 || members > 100000)
        return error_set(e, "--array: found %ld combinations; needed: at most 100000", members);
    if (folder_create(a->array, e)) return -1;
    for (long i = 0; i < members && !error_is_set(e); i++) {
        char name[256], path[4096];
        char *member = sweep_member(a->file[0], text, &a->sweep, i, name, e);
        if (!member) return -1;
        snprintf(path, sizeof path, "%s/%05ld%s%s.yaml", a->array, i + 1, *name ? "-" : "", name);
        if (!check(a->file[0], member, e)) text_file_write(path, member, e);
        memory_free(member);
    }
    if (error_is_set(e)) return -1;
    printf("written: %ld studies in %s\n  sbatch --array=1-%ld slurm/array.sbatch ", members, escape_shown(a->array),
           members);
    escape_shell(stdout, a->array);
    puts("/*.yaml\n  aipm sweep --table RESULTS...      once they are done");
    return 0;
}

/* ---- the table ---- */

struct member_result {
    const struct results *file;
    const struct result_model *model;
    int n; /* rows that all entries of the universe have */
    double loss, sharpe;
    bool chosen;
};

/* The loss a model was fitted with, in sample: leave-one-out at the ridge it chose, or the training loss of the last epoch. NaN: none. */
static double loss_at(const struct result_model *m, int p)
{
    const double *loo = results_values(m, "loo_loss"), *ridge = results_values(m, "ridge"),
                 *selected = results_values(m, "selected_ridge"), *training = results_values(m, "training_loss");
    int nz = results_size(m, "ridge"), S = results_size(m, "seed"), E = results_size(m, "epoch");
    for (int z = 0; loo && ridge && selected && z < nz; z++)
        if (ridge[z] == selected[p]) return loo[(size_t)p * nz + z];
    if (!training || !E) return NAN;
    double sum = 0;
    for (int s = 0; s < S; s++) { /* a fit that stopped early has no later epochs */
        const double *loss = training + ((size_t)p * S + s) * E;
        int last = E - 1;
        while (last > 0 && isnan(loss[last])) last--;
        sum += loss[last];
    }
    return sum / S;
}
static const char *loss_kind(const struct result_model *m)
{
    return results_values(m, "loo_loss") ? "leave-one-out" : results_values(m, "training_loss") ? "training" : "none";
}

static int row_of(const struct results *r, int64_t date)
{
    int low = 0, high = r->P;
    while (low < high) {
        int mid = (low + high) / 2;
        if (r->dates[mid] < date) low = mid + 1;
        else high = mid;
    }
    return low < r->P && r->dates[low] == date ? low : -1;
}

/* Figures of the entries of one universe over the dates that all of them have. */
static void measure_universe(struct member_result *x, int n, const char *universe)
{
    const struct member_result *base = NULL;
    for (int i = 0; i < n && !base; i++)
        if (!strcmp(x[i].model->universe, universe)) base = &x[i];
    int *row = memory_array(int, n, "rows"), P = base->file->P;
    double *returns = memory_array(double, (size_t)n *P, "returns"), *loss = memory_array(double, n, "losses");
    int count = 0;
    for (int p = 0; p < P; p++) {
        bool all = true;
        for (int i = 0; i < n && all; i++) {
            if (strcmp(x[i].model->universe, universe)) continue;
            row[i] = row_of(x[i].file, base->file->dates[p]);
            all = row[i] >= 0 && isfinite(x[i].model->returns[row[i]]);
        }
        if (!all) continue;
        for (int i = 0; i < n; i++) {
            if (strcmp(x[i].model->universe, universe)) continue;
            returns[(size_t)i * P + count] = x[i].model->returns[row[i]];
            loss[i] += loss_at(x[i].model, row[i]);
        }
        count++;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(x[i].model->universe, universe)) continue;
        x[i].n = count;
        x[i].loss = count ? loss[i] / count : NAN;
        x[i].sharpe = sharpe_ratio(count, returns + (size_t)i * P, x[i].file->periods_per_year);
    }
    memory_free_all(row, returns, loss);
}

static bool sort_by_sharpe;
/* By universe, then kind of loss, then figure; NaN last. */
static int order(const void *p, const void *q)
{
    const struct member_result *a = p, *b = q;
    int u = strcmp(a->model->universe, b->model->universe), k = strcmp(loss_kind(a->model), loss_kind(b->model));
    double x = sort_by_sharpe ? -a->sharpe : a->loss, y = sort_by_sharpe ? -b->sharpe : b->loss;
    if (u) return u;
    if (!sort_by_sharpe && k) return k;
    if (isnan(x) || isnan(y)) return (int)isnan(x) - (int)isnan(y);
    return (x > y) - (x < y);
}

static void print_table(const struct member_result *x, int n, bool by_sharpe)
{
    puts(by_sharpe ? "Ordered by the OUT-OF-SAMPLE Sharpe ratio: a description of what happened. Choosing a member by it "
                     "looks ahead."
                   : "Ordered by the loss known in sample; * is what it chooses. Losses compare within one objective and "
                     "kind only.");
    printf("\n  %-10s %-40s %-15s %12s %8s %16s  %s\n", "universe", "model", "in-sample loss", "mean", "periods",
           "out-of-sample SR", "results");
    for (int i = 0; i < n; i++)
        printf("%c %-10s %-40s %-15s %12.6g %8d %16.3f  %s\n", x[i].chosen && !by_sharpe ? '*' : ' ',
               escape_shown(x[i].model->universe), escape_shown(x[i].model->name), loss_kind(x[i].model), x[i].loss, x[i].n,
               x[i].sharpe, escape_shown(x[i].file->path));
}

static int table(const struct sweep_arguments *a, struct error *e)
{
    struct results *r = memory_array(struct results, a->files, "results");
    int loaded = 0, n = 0;
    while (loaded < a->files && !results_load(a->file[loaded], &r[loaded], e)) n += r[loaded++].models;
    if (!error_is_set(e)) {
        struct member_result *x = memory_array(struct member_result, n, "models");
        n = 0;
        for (int f = 0; f < loaded; f++)
            for (int i = 0; i < r[f].models; i++) x[n++] = (struct member_result){.file = &r[f], .model = &r[f].model[i]};
        for (int i = 0; i < n; i++) {
            bool seen = false;
            for (int k = 0; k < i; k++) seen |= !strcmp(x[k].model->universe, x[i].model->universe);
            if (!seen) measure_universe(x, n, x[i].model->universe);
        }
        sort_by_sharpe = a->by_sharpe;
        if (n) qsort(x, (size_t)n, sizeof *x, order);
        for (int i = 0; i < n; i++)
            x[i].chosen = isfinite(x[i].loss) && (!i || strcmp(x[i].model->universe, x[i - 1].model->universe) ||
                                                  strcmp(loss_kind(x[i].model), loss_kind(x[i - 1].model)));
        print_table(x, n, a->by_sharpe);
        memory_free(x);
    }
    for (int f = 0; f < loaded; f++) results_free(&r[f]);
    memory_free(r);
    return error_is_set(e) ? -1 : 0;
}

int command_sweep(int argc, char **argv, struct team *world)
{
    static const struct command_line line = {
        .group = {{.list = arguments}},
        .argument = file,
        .own = set,
        .finish = finish,
        .files = "STUDY.yaml --set KEY=VALUES...\n--table RESULTS...",
        .doc = "Expand a study over values of its keys, into one study or one for each combination; and compare what they "
               "found.\v"
               "  aipm sweep jobs/main.yaml --set models.transformer.blocks=1,2,4 --set "
               "models.transformer.learning_rate=1e-4,3e-4 -o sweep.yaml\n"
               "  aipm sweep jobs/main.yaml --set seed=1,2,3 --array jobs/seeds\n"
               "  aipm sweep --table results/main.*.h5"};
    static struct sweep_arguments a;
    (void)world;
    a = (struct sweep_arguments){0};
    int status = arguments_read(&line, argc, argv, &a);
    struct error e = {""};
    if (status < 0) {
        char *text = a.table ? NULL : text_file_read(a.file[0], 1 << 22, &e);
        if (a.table) table(&a, &e);
        else if (text) a.array ? expand_array(&a, text, &e) : expand_one(&a, text, &e);
        memory_free(text);
        status = command_end(&e);
    }
    sweep_free(&a.sweep);
    return status;
}
