/* aipm inspect: the attention of a fitted transformer at one date, from its saved parameters. */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "io/table.h"
#include "report/attention_links.h"

struct inspect_arguments {
    const char *results, *folder;
    struct attention_options attention;
};

#define AT(member) offsetof(struct inspect_arguments, member)
static const struct argument arguments[] = {
    {"date", "YYYYMMDD", ARGUMENT_DATE, AT(attention.date), .help = "formation date; needed"},
    {"block", "K", ARGUMENT_INT, AT(attention.block), .help = "transformer block, from 1 (1)", 1, 1e6},
    {"head", "H", ARGUMENT_INT, AT(attention.head), .help = "attention head, from 1 (the mean over heads)", 1, 1e6},
    {"seed", "S", ARGUMENT_INT, AT(attention.seed), .help = "which seed's fit, from 0 (0)", 0, 1e6},
    {"model", "NAME", ARGUMENT_TEXT, AT(attention.model), .help = "model as the results name it (the first transformer)"},
    {"universe", "NAME", ARGUMENT_TEXT, AT(attention.universe), .help = "universe (the study's first)"},
    {"panel", "PANEL", ARGUMENT_TEXT, AT(attention.panel), .help = "panel file, where it is no longer in the study's place"},
    {"links", "N", ARGUMENT_INT, AT(attention.links), .help = "strongest links listed (100)", 1, 1e6},
    {"output", "DIR", ARGUMENT_TEXT, AT(folder), .help = "folder for the tables (RESULTS without .h5, .attention)"},
    {0},
};

static int finish(void *into, struct argp_state *state)
{
    const struct inspect_arguments *a = into;
    return a->results && a->attention.date ? 0 : arguments_fail(state, "needed: a results file and --date");
}

static void print_summary(const struct attention *r, const struct table *assets, const char *folder)
{
    double entropy = 0, self = 0;
    for (int i = 0; i < r->n; i++) entropy += r->entropy[i] / r->n, self += r->self[i] / r->n;
    printf("%lld: %d assets; mean entropy %.3f of %.3f if even; mean weight on itself %.4f\n", (long long)r->date, r->n,
           entropy, log(r->n), self);
    for (int k = 0; k < assets->rows && k < 5; k++)
        printf("  leader %d: asset %lld, receives %.3f\n", k + 1, (long long)table_at(assets, k, 0)->number,
               table_at(assets, k, 1)->number);
    printf("links and assets: %s\n", folder);
}

static void inspect(const struct inspect_arguments *a, const struct results *results, struct team *alone, struct error *e)
{
    char folder[4096];
    struct attention r;
    if (attention_read(results, &a->attention, alone, &r, e)) return;
    if (!r.n) {
        error_set(e, "%s: the transformer%s%s has no attention that is a softmax; needed: one with attention: softmax",
                  results->path, a->attention.model ? " " : "", a->attention.model ? a->attention.model : "");
        return;
    }
    if (r.fitted != r.date)
        log_warn("no parameters of %lld: those of %lld are used", (long long)r.date, (long long)r.fitted);
    struct table *links = attention_links(&r), *assets = attention_assets(&r);
    results_folder(a->results, ".attention", a->folder, folder, sizeof folder);
    if (!table_write(links, folder, e) && !table_write(assets, folder, e)) print_summary(&r, assets, folder);
    table_free(links);
    table_free(assets);
    attention_free(&r);
}

int command_inspect(int argc, char **argv, struct team *world)
{
    static const struct command_line line = {
        .group = {{.list = arguments}},
        .what = "results file",
        .file = AT(results),
        .finish = finish,
        .files = "RESULTS",
        .doc = "Read the attention of a transformer at one date, from RESULTS.parameters of a study run with "
               "save_parameters: true. Writes links (the strongest, an asset's weight on itself left out) and assets (what "
               "each receives from others and gives to them, entropy of its attention), leaders first, as CSV, Markdown and "
               "LaTeX.\vExample:\n  aipm inspect results/demo.h5 --date 20151231 --block 2"};
    struct inspect_arguments a = {.attention = {.block = 1, .links = 100}};
    int status = arguments_read(&line, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct team *alone = team_split(world, team_rank(world));
    if (team_rank(world) == 0) {
        struct results r;
        if (!results_load(a.results, &r, &e)) {
            inspect(&a, &r, alone, &e);
            results_free(&r);
        }
        if (error_is_set(&e)) error_print(&e);
    }
    team_close(alone);
    return team_agree(world, &e) ? EXIT_INPUT : EXIT_DONE;
}
